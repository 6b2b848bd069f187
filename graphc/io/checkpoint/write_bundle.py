"""Writing a checkpoint of format V2 (proto/bundle.proto), and joining several into one.

Under its name a file is whole or not there (whole_files.py). The index comes last: it is what makes a checkpoint one.
"""
from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.io.checkpoint.bundle import VERSION, Bundle, index_name, shard_name
from graphc.io.checkpoint.content import check_dtype, numbers_of, string_parts
from graphc.io.checkpoint.slices import TensorSlice, parse_slice, slice_key
from graphc.io.checkpoint.table import table_bytes
from graphc.io.crc32c import crc32c, masked
from graphc.io.whole_files import written
from graphc.ir.dtypes import DType, as_dtype, string
from graphc.serial.bundle_pb2 import BundleEntry, BundleHeader

Array = np.ndarray[Any, Any]


def write_bundle(prefix: str, tensors: Iterable[tuple[str, str, Array]]) -> None:
    """Writes a checkpoint of one shard. tensors: (name, "" or shape and slice as a SaveV2 op has them, value).

    Raises OSError, InvalidArgumentError for a name that comes twice or a slice that does not fit.
    """
    make_folder(prefix)
    entries: dict[bytes, BundleEntry] = {}
    with written(shard_name(prefix, 0, 1)) as file:
        for name, text, value in tensors:
            _add(entries, file, name, text, value)
    _write_index(prefix, entries, 1)


def join_bundles(prefixes: Sequence[str], target: str, delete_old: bool) -> None:
    """Makes one checkpoint of several, whose files of data become its shards, as MergeV2Checkpoints.

    delete_old: deletes the folders that the others were in, which then must be empty but for them.
    """
    make_folder(target)
    bundles = [Bundle(prefix) for prefix in prefixes]
    count = sum(bundle.header.num_shards for bundle in bundles)
    entries: dict[bytes, BundleEntry] = {}
    first = 0
    for bundle in bundles:
        for key, entry in bundle.entries.items():
            _join(entries, key, entry, first)
        for shard in range(bundle.header.num_shards):
            os.replace(shard_name(bundle.prefix, shard, bundle.header.num_shards),
                       shard_name(target, first + shard, count))
        first += bundle.header.num_shards
    _write_index(target, entries, count)
    for prefix in prefixes:
        os.unlink(index_name(prefix))
    for folder in {os.path.dirname(prefix) for prefix in prefixes} if delete_old else ():
        if folder and os.path.isdir(folder) and not os.listdir(folder):
            shutil.rmtree(folder)


def make_folder(prefix: str) -> None:
    folder = os.path.dirname(prefix)
    if folder:
        os.makedirs(folder, exist_ok=True)


def _add(entries: dict[bytes, BundleEntry], file: BinaryIO, name: str, text: str, value: Array) -> None:
    dtype = as_dtype(value.dtype)
    check_dtype(dtype, name)
    key = name.encode()
    if text:
        shape, part = parse_slice(text)
        if part.shape_in(shape) != value.shape:
            raise InvalidArgumentError(f"the part {part} of '{name}', a tensor of shape {shape}, has shape "
                                       f"{part.shape_in(shape)}, but the value {value.shape}")
        if not part.is_whole(shape):
            _note_part(entries, name, dtype, shape, part)
            key = slice_key(key, part)
    if key in entries:
        raise InvalidArgumentError(f"the checkpoint would have two tensors '{name}'")
    entries[key] = _write_value(file, dtype, value)


def _note_part(entries: dict[bytes, BundleEntry], name: str, dtype: DType, shape: tuple[int, ...],
               part: TensorSlice) -> None:
    whole = entries.setdefault(name.encode(), _described(dtype, shape))
    if whole != _described(dtype, shape, whole.slices):
        raise InvalidArgumentError(f"the parts of tensor '{name}' are not of one shape and dtype, or it is written "
                                   "whole, too")
    whole.slices.append(part.proto())


def _write_value(file: BinaryIO, dtype: DType, value: Array) -> BundleEntry:
    entry = _described(dtype, value.shape)
    entry.offset = file.tell()
    if dtype == string:
        parts, entry.crc32c = string_parts(value)
        file.writelines(parts)
        entry.size = sum(map(len, parts))
    else:
        numbers = numbers_of(value)
        file.write(numbers.data)
        entry.size, entry.crc32c = numbers.size, masked(crc32c(numbers))
    return entry


def _described(dtype: DType, shape: Sequence[int], slices: Iterable[Any] = ()) -> BundleEntry:
    made = BundleEntry(dtype=dtype.number, slices=slices)  # type: ignore[arg-type]
    made.shape.SetInParent()
    for size in shape:
        made.shape.dim.add(size=size)
    return made


def _join(entries: dict[bytes, BundleEntry], key: bytes, entry: BundleEntry, first: int) -> None:
    """An entry of a bundle whose first shard becomes number `first`. Parts of one tensor may be in several bundles."""
    moved = BundleEntry()
    moved.CopyFrom(entry)
    moved.shard_id = entry.shard_id + first if not entry.slices else 0
    known = entries.setdefault(key, moved)
    if known is moved:
        return
    if not (known.slices and entry.slices and known.dtype == entry.dtype and known.shape == entry.shape):
        raise InvalidArgumentError(f"two of the checkpoints that are joined have the tensor {key.decode()!r}")
    known.slices.extend(entry.slices)


def _write_index(prefix: str, entries: dict[bytes, BundleEntry], shards: int) -> None:
    header = BundleHeader(num_shards=shards)
    header.version.producer = VERSION
    table = {key: entry.SerializeToString(deterministic=True) for key, entry in entries.items()}
    with written(index_name(prefix)) as file:
        file.write(table_bytes({b"": header.SerializeToString(deterministic=True), **table}))
