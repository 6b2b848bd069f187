"""A tensor's bytes in a bundle, with their checksum (proto/bundle.proto, "BYTES")."""
from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np

from graphc.errors import UnimplementedError
from graphc.io.checkpoint.table import Cursor, damaged
from graphc.io.crc32c import crc32c, masked
from graphc.io.wire import number_bytes
from graphc.ir.dtypes import DType, string

Array = np.ndarray[Any, Any]


def check_dtype(dtype: DType, name: str) -> None:
    """Raises UnimplementedError for handles, which have no bytes."""
    if dtype != string and dtype.numpy is None:
        raise UnimplementedError(f"tensor '{name}' has dtype {dtype.name}, which checkpoints of graphc cannot hold")


def numbers_of(array: Array) -> Array:
    """The elements as a file has them, without a copy where they lie so."""
    little = array if array.dtype.kind == "V" else array.astype(array.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).reshape(-1).view(np.uint8)


def string_parts(array: Array) -> tuple[list[bytes], int]:
    """The bytes of a tensor of strings, in parts, and their checksum, masked."""
    texts = list(array.ravel())
    checksum = _length_checksum(map(len, texts))
    mark = struct.pack("<I", masked(checksum))
    parts = [b"".join(number_bytes(len(text)) for text in texts), mark, b"".join(texts)]
    return parts, masked(crc32c(parts[2], crc32c(mark, checksum)))


def strings_from(data: bytes, count: int, checksum: int, what: str) -> Array:
    """The strings in those bytes. Raises DataLossError."""
    if count > len(data):
        raise damaged(what, f"{len(data)} bytes cannot hold {count} strings")
    cursor = Cursor(data, what)
    lengths = _short_lengths(data, count)
    if lengths is None:
        lengths = [cursor.varint() for _ in range(count)]
    else:
        cursor.position = count
    found = _length_checksum(lengths)
    mark = cursor.bytes(4)
    if struct.unpack("<I", mark)[0] != masked(found):
        raise damaged(what, "the checksum of the lengths of its strings is wrong")
    texts = data[cursor.position:]
    if sum(lengths) != len(texts):
        raise damaged(what, f"its strings have {sum(lengths)} bytes together, but there are {len(texts)}")
    if masked(crc32c(texts, crc32c(mark, found))) != checksum:
        raise damaged(what, "the checksum of its strings is wrong")
    made, at = np.empty(count, object), 0
    for i, length in enumerate(lengths):
        made[i] = texts[at:at + length]
        at += length
    return made


def _short_lengths(data: bytes, count: int) -> list[int] | None:
    """The lengths if each is below 128, which takes one byte: then they are read at once."""
    lengths = np.frombuffer(data[:count], np.uint8)
    return lengths.tolist() if not (lengths & 128).any() else None


def _length_checksum(lengths: Iterable[int]) -> int:
    return crc32c(b"".join(struct.pack("<I" if length < 1 << 32 else "<Q", length) for length in lengths))
