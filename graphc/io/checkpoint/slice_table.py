"""Reading a checkpoint of format V1 (proto/bundle.proto, last part), TensorFlow's before 0.12. It has Bundle's face.

Its numbers stand in lists of protobuf, so that it takes longer to read than a bundle.
"""
from __future__ import annotations

import glob
import math
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from graphc.io.checkpoint.bundle import Stored, is_shape
from graphc.io.checkpoint.content import check_dtype
from graphc.io.checkpoint.slices import TensorSlice, from_proto, joined, slice_key
from graphc.io.checkpoint.table import damaged, read_table
from graphc.ir.dtypes import DType, as_dtype
from graphc.serial.bundle_pb2 import SavedSliceMeta, SavedTensorSlices

Array = np.ndarray[Any, Any]
_SMALL = dict.fromkeys(("int32", "uint8", "int16", "int8", "uint16", "qint8", "quint8", "qint16", "quint16", "qint32"),
                       "int_val")
LISTS = {"float32": "float_val", "float64": "double_val", "int64": "int64_val", "bool": "bool_val", "float16":
          "half_val", "bfloat16": "half_val", "complex64": "scomplex_val", "complex128": "dcomplex_val", "uint32":
          "uint32_val", "uint64": "uint64_val", "string": "string_val", **_SMALL}


class SliceTable:
    """The checkpoint in the file `prefix`, or in the files prefix-SSSSS-of-NNNNN. Raises DataLossError, OSError."""

    version = 1

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.values: dict[bytes, bytes] = {}
        self.tensors: dict[str, Stored] = {}
        for file in v1_files(prefix):
            table = read_table(file)
            for meta in _message(table.pop(b"", b""), file).meta.tensor:
                self._note(meta, file)
            self.values.update(table)

    def _note(self, meta: SavedSliceMeta, file: str) -> None:
        try:
            dtype = as_dtype(int(meta.type))
        except TypeError:
            raise damaged(file, f"tensor '{meta.name}' has the dtype number {meta.type}") from None
        check_dtype(dtype, meta.name)
        shape = tuple(dim.size for dim in meta.shape.dim)
        known = self.tensors.get(meta.name, Stored(dtype, shape))
        if known.dtype != dtype or known.shape != shape or not is_shape(shape):
            raise damaged(file, f"the parts of tensor '{meta.name}' do not fit together")
        self.tensors[meta.name] = Stored(dtype, shape, (*known.parts, *map(from_proto, meta.slice)))

    def names(self) -> list[str]:
        return sorted(self.tensors)

    def stored(self, name: str) -> Stored | None:
        found = self.tensors.get(name)
        if found is not None and len(found.parts) == 1 and found.parts[0].is_whole(found.shape):
            return Stored(found.dtype, found.shape)
        return found

    def tensor(self, name: str) -> Array:
        """A copy of the whole tensor; `name` must be there."""
        stored = self.tensors[name]
        return joined([(part, self._stored_part(name, stored, part)) for part in stored.parts], stored.shape,
                      stored.dtype, name, self.prefix)

    def read_into(self, name: str, target: Array) -> None:
        """Puts a tensor of numbers, which must be there, into an array of its shape and dtype."""
        target[...] = self.tensor(name)

    def part(self, name: str, part: TensorSlice) -> Array:
        return np.array(self.tensor(name)[part.bounds(self.tensors[name].shape)])

    def _stored_part(self, name: str, stored: Stored, part: TensorSlice) -> Array:
        shape = part.shape_in(stored.shape)
        value = self.values.get(slice_key(name.encode(), part))
        if value is None:
            raise damaged(self.prefix, f"it lists the part {part} of tensor '{name}', but does not have it")
        numbers: Any = getattr(_message(value, self.prefix).data.data, LISTS[stored.dtype.name])
        found = _array(numbers, stored.dtype)
        if found.size != math.prod(shape):
            raise damaged(self.prefix, f"the part {part} of tensor '{name}' has {found.size} elements")
        return found.reshape(shape)


def v1_files(prefix: str) -> list[str]:
    """The file of that name, or the shards prefix-SSSSS-of-NNNNN."""
    number = "[0-9]" * 5
    return sorted(glob.glob(f"{glob.escape(prefix)}-{number}-of-{number}")) or [prefix]


def _array(numbers: Any, dtype: DType) -> Array:
    if dtype.numpy is None:
        made = np.empty(len(numbers), object)
        made[:] = numbers
        return made
    if dtype.is_complex:
        parts = np.array(numbers, dtype.real_dtype.numpy)
        return parts.view(dtype.numpy)
    if dtype.is_half:
        return np.array(numbers, np.uint16).view(dtype.numpy)
    if dtype.is_quantized:
        return np.array(numbers, dtype.numpy[0]).view(dtype.numpy)
    return np.array(numbers, dtype.numpy)


def _message(data: bytes, file: str) -> SavedTensorSlices:
    try:
        return SavedTensorSlices.FromString(data)
    except DecodeError:
        raise damaged(file, "an entry cannot be read") from None
