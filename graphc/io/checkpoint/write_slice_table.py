"""Writing a checkpoint of format V1 (proto/bundle.proto, last part): one file, which TensorFlow before 0.12 reads, too.

Its numbers stand in lists of protobuf, all of them in memory before they are written: V2 is what one wants.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.io.checkpoint.content import check_dtype
from graphc.io.checkpoint.leftovers import make_folder, remove_files
from graphc.io.checkpoint.slice_table import LISTS
from graphc.io.checkpoint.slices import ALL, TensorSlice, parse_slice, slice_key
from graphc.io.checkpoint.table import table_bytes
from graphc.io.whole_files import sync_folder, written
from graphc.ir.dtypes import DType, as_dtype, string
from graphc.serial.bundle_pb2 import SavedSliceMeta, SavedTensorSlices

Array = np.ndarray[Any, Any]
_LARGEST = 1 << 31                # bytes: what a message can hold


def write_slice_table(path: str, tensors: Iterable[tuple[str, str, Array]]) -> None:
    """tensors: (name, "" or shape and slice as a SaveV2 op has them, value). A checkpoint of format V2 that has the
    same name goes.

    Raises OSError, InvalidArgumentError for a name that comes twice, a slice that does not fit, or 2 GB in one tensor.
    """
    folder = make_folder(path)
    entries: dict[bytes, bytes] = {}
    about: dict[str, SavedSliceMeta] = {}
    for name, text, value in tensors:
        _add(entries, about, name, text, value)
    first = SavedTensorSlices()
    first.meta.versions.producer = 1
    first.meta.tensor.extend(about[name] for name in sorted(about))
    data = table_bytes({b"": first.SerializeToString(deterministic=True), **entries})
    with written(path) as file:
        file.write(data)
    sync_folder(folder)
    remove_files(path)


def _add(entries: dict[bytes, bytes], about: dict[str, SavedSliceMeta], name: str, text: str, value: Array) -> None:
    dtype = as_dtype(value.dtype)
    check_dtype(dtype, name)
    shape, part = parse_slice(text) if text else (value.shape, TensorSlice(((0, ALL),) * value.ndim))
    if part.shape_in(shape) != value.shape:
        raise InvalidArgumentError(f"the part {part} of '{name}', a tensor of shape {shape}, has shape "
                                   f"{part.shape_in(shape)}, but the value {value.shape}")
    if dtype != string and value.nbytes >= _LARGEST:
        raise InvalidArgumentError(f"tensor '{name}' has {value.nbytes} bytes; checkpoints of format V1 hold less than "
                                   "2 GB in one: leave write_version out")
    key = slice_key(name.encode(), part)
    meta = about.setdefault(name, _described(name, dtype, shape))
    if key in entries or (meta.type, [d.size for d in meta.shape.dim]) != (dtype.number, list(shape)):
        raise InvalidArgumentError(f"the checkpoint would have two tensors '{name}', or parts of one that do not fit")
    meta.slice.append(part.proto())
    made = SavedTensorSlices()
    made.data.name = name
    made.data.slice.CopyFrom(part.proto())
    made.data.data.dtype = dtype.number  # type: ignore[assignment]
    getattr(made.data.data, LISTS[dtype.name]).extend(_numbers(value, dtype))
    entries[key] = made.SerializeToString(deterministic=True)


def _described(name: str, dtype: DType, shape: tuple[int, ...]) -> SavedSliceMeta:
    made = SavedSliceMeta(name=name, type=dtype.number)  # type: ignore[arg-type]
    made.shape.SetInParent()
    for size in shape:
        made.shape.dim.add(size=size)
    return made


def _numbers(value: Array, dtype: DType) -> list[Any]:
    """The elements as the list of their dtype has them: complex numbers in two, 16-bit floats as their bits."""
    flat = np.ascontiguousarray(value).reshape(-1)
    if dtype.is_complex:
        flat = flat.view(dtype.real_dtype.numpy)
    elif dtype.is_half:
        flat = flat.view(np.uint16)
    elif dtype.is_quantized:
        flat = flat.view(dtype.numpy[0])
    return flat.tolist()  # type: ignore[no-any-return]
