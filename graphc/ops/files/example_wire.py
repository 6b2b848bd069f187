"""tf.train.Example and SequenceExample, read from their bytes: the features by name, each a kind and its values."""
from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from graphc.io.wire import BYTES, FOUR, VARINT, bytes_field, fields, number_bytes
from graphc.ir.dtypes import DType, float32, int64, string

KINDS: dict[int, DType] = {1: string, 2: float32, 3: int64}        # the number of the list in a Feature
_BYTES_LIST = _VALUE = 1 << 3 | BYTES                              # tags: of a BytesList, and of a value in it
Feature = tuple[DType, Any]                                        # the values: an array, of strings a list


def read_example(data: bytes) -> dict[bytes, Feature]:
    """Features without values in any list are left out. Raises ValueError for what is no Example."""
    found: dict[bytes, Feature] = {}
    for name, value in _entries(data, 1):
        feature = None if value is None else _feature(value)
        found.pop(name, None)
        if feature is not None:
            found[name] = feature
    return found


def read_sequence_example(data: bytes) -> tuple[dict[bytes, Feature], dict[bytes, list[Feature | None]]]:
    """The features of the context, and lists of features; one without values in any list is None. Raises ValueError for
    what is no SequenceExample."""
    lists: dict[bytes, list[Feature | None]] = {}
    for name, value in _entries(data, 2):
        lists[name] = [_feature(step) for number, kind, step in fields(value or b"") if (number, kind) == (1, BYTES)]
    return read_example(data), lists


def _entries(data: bytes, place: int) -> Iterator[tuple[bytes, bytes | None]]:
    """Names and values of the maps in the fields with that number."""
    for number, kind, features in fields(data):
        if (number, kind) == (place, BYTES):
            for inner, inner_kind, entry in fields(features):
                if (inner, inner_kind) == (1, BYTES):
                    yield _entry(entry)


def _entry(data: bytes) -> tuple[bytes, bytes | None]:
    name, found = b"", None
    for number, kind, value in fields(data):
        if (number, kind) == (1, BYTES):
            name = value
        elif (number, kind) == (2, BYTES):
            found = value
    return name, found


def _feature(data: bytes) -> Feature | None:
    """The last of its lists."""
    if data and data[0] == _BYTES_LIST:
        only = _rest(data, 0)
        only = None if only is None or data[only] != _VALUE else _rest(data, only)
        if only is not None:               # one string, as frames of pictures and sounds are
            return string, [data[only:]]
    found = None
    for number, kind, value in fields(data):
        if number in KINDS and kind == BYTES:
            found = KINDS[number], _READ[number](value)
    return found


def _rest(data: bytes, at: int) -> int | None:
    """Where the field begins whose tag stands at `at`, if its bytes are all that follow, and more than one."""
    size, shift = 0, 0
    for place in range(at + 1, min(at + 5, len(data) - 1)):
        size |= (data[place] & 127) << shift
        shift += 7
        if data[place] < 128:
            return place + 1 if place + 1 + size == len(data) else None
    return None


def _strings(data: bytes) -> list[bytes]:
    return [value for number, kind, value in fields(data) if (number, kind) == (1, BYTES)]


def _floats(data: bytes) -> np.ndarray:
    parts = [np.frombuffer(value, "<f4") for number, kind, value in fields(data)
             if number == 1 and kind in (BYTES, FOUR)]
    return _together(parts, np.float32)


def _together(parts: list[np.ndarray], dtype: Any) -> np.ndarray:
    if len(parts) == 1:
        return parts[0].astype(dtype)
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)


def _integers(data: bytes) -> np.ndarray:
    parts = []
    for number, kind, value in fields(data):
        if (number, kind) == (1, BYTES):
            parts.append(_varints(value))
        elif (number, kind) == (1, VARINT):
            parts.append(np.array([value], np.uint64).view(np.int64))
    return _together(parts, np.int64)


_READ = {1: _strings, 2: _floats, 3: _integers}


def _varints(data: bytes) -> np.ndarray:
    """Numbers of 7 bits a byte, the lowest first; a byte below 128 is the last of its number."""
    raw = np.frombuffer(data, np.uint8)
    if data.isascii():                     # none is longer than a byte
        return raw.astype(np.int64)
    ends = np.flatnonzero(raw < 128)
    starts = np.concatenate([[0], ends[:-1] + 1]) if ends.size else ends
    lengths = ends - starts + 1
    if not ends.size or ends[-1] != raw.size - 1 or lengths.max() > 10:
        raise ValueError("a number does not end")
    place = np.arange(raw.size) - np.repeat(starts, lengths)
    bits = (raw & 127).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.add.reduceat(bits, starts).view(np.int64)


def write_sequence_example(context: Mapping[str, Any], lists: Mapping[str, Sequence[Any]]) -> bytes:
    """The bytes of a SequenceExample; values as write_example has them, a row of them for each list."""
    entries = b"".join(bytes_field(1, bytes_field(1, name.encode()) + bytes_field(2, b"".join(
        bytes_field(1, _list(values)) for values in steps))) for name, steps in lists.items())
    return write_example(context) + bytes_field(2, entries)


def write_example(features: Mapping[str, Any]) -> bytes:
    """The bytes of an Example: a list of bytes, floats (an array of float32) or integers for each feature."""
    entries = b"".join(bytes_field(1, bytes_field(1, name.encode()) + bytes_field(2, _list(values)))
                       for name, values in features.items())
    return bytes_field(1, entries)


def _list(values: Any) -> bytes:
    if values is None:
        return b""
    if isinstance(values, np.ndarray) and values.dtype == np.float32:
        return bytes_field(2, bytes_field(1, struct.pack(f"<{values.size}f", *values.tolist())))
    if values and isinstance(values[0], bytes):
        return bytes_field(1, b"".join(bytes_field(1, v) for v in values))
    return bytes_field(3, bytes_field(1, b"".join(number_bytes(v & 2**64 - 1) for v in values)))
