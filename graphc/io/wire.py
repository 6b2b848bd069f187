"""Protobuf's wire format, for ops, which know no protobuf library; its numbers are those of LevelDB's tables, too."""
from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5                            # wire types


def fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value of each field of a message."""
    position, end = 0, len(data)
    while position < end:
        key = data[position]               # most keys and sizes are a byte
        position += 1
        if key > 127:
            key, position = read_number(data, position - 1)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, position = read_number(data, position)
            yield number, kind, value
            continue
        if kind == BYTES:
            if position < end and data[position] < 128:
                size = data[position]
                position += 1
            else:
                size, position = read_number(data, position)
        elif kind in (EIGHT, FOUR):
            size = 8 if kind == EIGHT else 4
        else:
            raise ValueError(f"wire type {kind}")
        if not number or size > end - position:
            raise ValueError("it is cut off")
        yield number, kind, data[position:position + size]
        position += size


def read_number(data: bytes, position: int) -> tuple[int, int]:
    """The number that begins there, and the position after it. Raises ValueError."""
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


def bytes_field(number: int, data: bytes) -> bytes:
    """A field that is bytes, a text or a message; it stands there even if it is empty."""
    return number_bytes(number << 3 | BYTES) + number_bytes(len(data)) + data


def varint_field(number: int, value: int) -> bytes:
    """A number other than 0, nothing for 0: as every library writes a field of proto3."""
    return number_bytes(number << 3 | VARINT) + number_bytes(value & 2**64 - 1) if value else b""


def float_field(number: int, value: float) -> bytes:
    """It stands there even if it is 0."""
    return number_bytes(number << 3 | FOUR) + struct.pack("<f", value)


def double_field(number: int, value: float) -> bytes:
    """Nothing for 0.0; -0.0 stands there."""
    data = struct.pack("<d", value)
    return number_bytes(number << 3 | EIGHT) + data if data != bytes(8) else b""


def number_bytes(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)
