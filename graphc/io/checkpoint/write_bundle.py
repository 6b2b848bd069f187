"""Writing a checkpoint of format V2 (proto/bundle.proto), and joining several into one.

Under its name a file is whole or not there (whole_files.py), and the index says which files of data belong to it. So a
checkpoint changes at the moment when its index is replaced (publish.py); one that ends before has changed nothing.
"""
from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

import numpy as np

from graphc.errors import InvalidArgumentError, UnimplementedError
from graphc.io.checkpoint.bundle import Bundle, index_name, shard_name
from graphc.io.checkpoint.content import check_dtype, numbers_of, string_parts
from graphc.io.checkpoint.leftovers import SAFETENSORS, end_temporary, make_folder
from graphc.io.checkpoint.publish import publish
from graphc.io.checkpoint.slices import TensorSlice, parse_slice, slice_key
from graphc.io.crc32c import crc32c, masked
from graphc.io.whole_files import NewFile
from graphc.ir.dtypes import DType, as_dtype, string
from graphc.serial.bundle_pb2 import BundleEntry

Array = np.ndarray[Any, Any]
CHUNK = 1 << 22           # bytes that are written at once: the processor still has them when their checksum is made
AHEAD = 1 << 25           # bytes after which the disk is told to begin


def write_bundle(prefix: str, tensors: Iterable[tuple[str, str, Array]]) -> None:
    """Writes a checkpoint of one shard. tensors: (name, "" or shape and slice as a SaveV2 op has them, value).

    Raises OSError, InvalidArgumentError for a name that comes twice or a slice that does not fit.
    """
    make_folder(prefix)
    entries: dict[bytes, BundleEntry] = {}
    with NewFile(shard_name(prefix, 0, 1)) as made:
        for name, text, value in tensors:
            _add(entries, made.file, name, text, value)
        made.sync()
        publish(prefix, entries, [made.path])


def join_bundles(prefixes: Sequence[str], target: str, delete_old: bool) -> None:
    """Makes one checkpoint of several, whose files of data become its shards, as MergeV2Checkpoints.

    delete_old: deletes the folders that the others were in, which then must be empty but for them.
    """
    if target.endswith(SAFETENSORS):
        raise UnimplementedError(f"{target}: several devices' variables cannot be saved as safetensors, which are one "
                                 "file; leave out `sharded`")
    make_folder(target)
    bundles = [Bundle(prefix) for prefix in prefixes]
    entries: dict[bytes, BundleEntry] = {}
    shards: list[str] = []
    for bundle in bundles:
        for key, entry in bundle.entries.items():
            _join(entries, key, entry, len(shards))
        count = bundle.header.num_shards
        shards += [shard_name(bundle.prefix, shard, count) for shard in range(count)]
    publish(target, entries, shards)
    for prefix in prefixes:
        os.unlink(index_name(prefix))
    for folder in {os.path.dirname(prefix) for prefix in prefixes} if delete_old else ():
        end_temporary(folder)


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
        entry.size, entry.crc32c = numbers.size, masked(write_numbers(file, numbers))
    return entry


def write_numbers(file: BinaryIO, numbers: Array) -> int:
    """Writes bytes while the disk is at work on those before; their checksum."""
    checksum = 0
    for at in range(0, numbers.size, CHUNK):
        chunk = numbers[at:at + CHUNK]
        file.write(chunk.data)
        checksum = crc32c(chunk, checksum)
        if at % AHEAD == AHEAD - CHUNK:
            os.posix_fadvise(file.fileno(), file.tell() - AHEAD, AHEAD, os.POSIX_FADV_DONTNEED)
    return checksum


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
