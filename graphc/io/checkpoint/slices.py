"""Parts of partitioned tensors: what a SaveV2 op says of one, and the key under which a checkpoint has it."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.io.checkpoint.table import damaged
from graphc.ir.dtypes import DType
from graphc.serial.bundle_pb2 import TensorSliceProto

Array = np.ndarray[Any, Any]
ALL = -1      # the length of an axis that is whole


@dataclass(frozen=True)
class TensorSlice:
    """(start, length) of each axis; (0, ALL): the whole of it."""

    extents: tuple[tuple[int, int], ...]

    def is_whole(self, shape: tuple[int, ...]) -> bool:
        return all(start == 0 and length in (ALL, size) for (start, length), size in zip(self.extents, shape,
                                                                                         strict=True))

    def bounds(self, shape: tuple[int, ...]) -> tuple[slice, ...]:
        """The part of an array of that shape. Raises InvalidArgumentError if it is not inside."""
        if len(shape) != len(self.extents):
            raise InvalidArgumentError(f"a slice of {len(self.extents)} axes cannot be taken of a tensor of shape "
                                       f"{shape}")
        found = []
        for (start, length), size in zip(self.extents, shape, strict=True):
            end = size if length == ALL else start + length
            if not 0 <= start <= end <= size:
                raise InvalidArgumentError(f"the slice {self} is not inside a tensor of shape {shape}")
            found.append(slice(start, end))
        return tuple(found)

    def shape_in(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(b.stop - b.start for b in self.bounds(shape))

    def proto(self) -> TensorSliceProto:
        made = TensorSliceProto()
        for start, length in self.extents:
            extent = made.extent.add()
            if length != ALL:
                extent.start, extent.length = start, length
        return made

    def __str__(self) -> str:
        return ":".join("-" if length == ALL else f"{start},{length}" for start, length in self.extents)


def from_proto(proto: TensorSliceProto) -> TensorSlice:
    return TensorSlice(tuple((e.start, e.length if e.HasField("length") else ALL) for e in proto.extent))


def parse_slice(text: str) -> tuple[tuple[int, ...], TensorSlice]:
    """Of "10 4 0,5:-": the shape of the whole tensor, and rows 0 to 4 of it. Raises InvalidArgumentError."""
    try:
        *sizes, last = text.split(" ")
        shape = tuple(int(size) for size in sizes)
        extents = tuple((0, ALL) if part == "-" else _pair(part) for part in last.split(":")) if last else ()
    except ValueError:
        raise InvalidArgumentError(f"shape and slice {text!r} must be like \"10 4 0,5:-\": the sizes of the whole "
                                   "tensor, and start and length of each axis") from None
    part = TensorSlice(extents)
    part.bounds(shape)
    return shape, part


def _pair(text: str) -> tuple[int, int]:
    start, length = text.split(",")
    return int(start), int(length)


def joined(parts: Sequence[tuple[TensorSlice, Array]], shape: tuple[int, ...], dtype: DType, name: str,
           file: str) -> Array:
    """The tensor of which these are the parts. Raises DataLossError unless they have as many elements."""
    count = sum(value.size for _, value in parts)
    if count != math.prod(shape):
        raise damaged(file, f"the parts of tensor '{name}' have {count} elements together, but its shape is {shape}")
    whole = np.zeros(shape, dtype.numpy or object)
    for part, value in parts:
        whole[part.bounds(shape)] = value
    return whole


def slice_key(name: bytes, part: TensorSlice) -> bytes:
    """The key of a part; proto/bundle.proto says how it is made."""
    made = _number(0) + _string(name) + _number(len(part.extents))
    for start, length in part.extents:
        made += _signed(start) + _signed(length)
    return made


def _number(value: int) -> bytes:
    digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes([len(digits)]) + digits


def _string(text: bytes) -> bytes:
    return b"".join({0: b"\0\xff", 255: b"\xff\0"}.get(byte, bytes([byte])) for byte in text) + b"\0\1"


def _signed(value: int) -> bytes:
    bits = (value if value >= 0 else ~value).bit_length()
    count = bits // 7 + 1
    whole = value & (1 << 8 * count) - 1
    header = ((1 << count) - 1) << 7 * count       # `count` ones in front of the 7 * count bits
    return (whole ^ header).to_bytes(count, "big")
