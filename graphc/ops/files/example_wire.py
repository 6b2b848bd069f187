"""tf.train.Example, read from its bytes: the features by name, each a kind and its values."""
from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from graphc.ir.dtypes import DType, float32, int64, string

KINDS: dict[int, DType] = {1: string, 2: float32, 3: int64}        # the number of the list in a Feature
VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5                            # wire types
Feature = tuple[DType, Any]                                        # the values: an array, of strings a list


def read_example(data: bytes) -> dict[bytes, Feature]:
    """Features without values in any list are left out. Raises ValueError for what is no Example."""
    found: dict[bytes, Feature] = {}
    for number, kind, features in _fields(data):
        if (number, kind) == (1, BYTES):
            for inner, inner_kind, entry in _fields(features):
                if (inner, inner_kind) == (1, BYTES):
                    name, feature = _entry(entry)
                    found.pop(name, None)
                    if feature is not None:
                        found[name] = feature
    return found


def _entry(data: bytes) -> tuple[bytes, Feature | None]:
    name, feature = b"", None
    for number, kind, value in _fields(data):
        if (number, kind) == (1, BYTES):
            name = value
        elif (number, kind) == (2, BYTES):
            feature = _feature(value)
    return name, feature


def _feature(data: bytes) -> Feature | None:
    """The last of its lists."""
    found = None
    for number, kind, value in _fields(data):
        if number in KINDS and kind == BYTES:
            found = KINDS[number], _READ[number](value)
    return found


def _strings(data: bytes) -> list[bytes]:
    return [value for number, kind, value in _fields(data) if (number, kind) == (1, BYTES)]


def _floats(data: bytes) -> np.ndarray:
    parts = [np.frombuffer(value, "<f4") for number, kind, value in _fields(data)
             if number == 1 and kind in (BYTES, FOUR)]
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)


def _integers(data: bytes) -> np.ndarray:
    parts = []
    for number, kind, value in _fields(data):
        if (number, kind) == (1, BYTES):
            parts.append(_varints(value))
        elif (number, kind) == (1, VARINT):
            parts.append(np.array([value], np.uint64).view(np.int64))
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


_READ = {1: _strings, 2: _floats, 3: _integers}


def _varints(data: bytes) -> np.ndarray:
    """Numbers of 7 bits a byte, the lowest first; a byte below 128 is the last of its number."""
    if not data:
        return np.zeros(0, np.int64)
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw < 128)
    starts = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
    lengths = ends - starts + 1
    if not ends.size or ends[-1] != raw.size - 1 or lengths.max() > 10:
        raise ValueError("a number does not end")
    place = np.arange(raw.size) - np.repeat(starts, lengths)
    bits = (raw & 127).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.add.reduceat(bits, starts).view(np.int64)


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value of each field of a message."""
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, position = _varint(data, position)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, position = _varint(data, position)
        elif kind in (EIGHT, FOUR):
            size = 8 if kind == EIGHT else 4
        else:
            raise ValueError(f"wire type {kind}")
        if not number or size > end - position:
            raise ValueError("it is cut off")
        yield number, kind, data[position:position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 2**64 - 1, position
    raise ValueError("a number does not end")


def write_example(features: Mapping[str, Any]) -> bytes:
    """The bytes of an Example: a list of bytes, floats (an array of float32) or integers for each feature."""
    entries = b"".join(_bytes(1, _bytes(1, name.encode()) + _bytes(2, _list(values)))
                       for name, values in features.items())
    return _bytes(1, entries)


def _list(values: Any) -> bytes:
    if values is None:
        return b""
    if isinstance(values, np.ndarray) and values.dtype == np.float32:
        return _bytes(2, _bytes(1, struct.pack(f"<{values.size}f", *values.tolist())))
    if values and isinstance(values[0], bytes):
        return _bytes(1, b"".join(_bytes(1, v) for v in values))
    return _bytes(3, _bytes(1, b"".join(_number(v & 2**64 - 1) for v in values)))


def _bytes(number: int, data: bytes) -> bytes:
    return _number(number << 3 | BYTES) + _number(len(data)) + data


def _number(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)
