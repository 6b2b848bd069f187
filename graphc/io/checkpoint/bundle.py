"""Reading a checkpoint of format V2 (proto/bundle.proto). A tensor is read when it is asked for, into its own array."""
from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import FileIO
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from graphc.errors import DataLossError, UnimplementedError
from graphc.io.checkpoint.content import check_dtype, strings_from
from graphc.io.checkpoint.slices import TensorSlice, from_proto, joined, slice_key
from graphc.io.checkpoint.table import damaged, read_table
from graphc.io.crc32c import crc32c, masked
from graphc.ir.dtypes import DType, as_dtype, string
from graphc.serial.bundle_pb2 import BundleEntry, BundleHeader

VERSION = 1               # of the format
OTHER_BYTES = "surrogateescape"      # in names that are no text: they can be asked for as `names` gives them
MOST_AXES = 64            # of NumPy's arrays
MOST_SHARDS = 100_000     # their numbers have five digits
CHUNK = 1 << 23           # bytes that are read at once: the processor still has them when their checksum is made
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Stored:
    """What a checkpoint says of a tensor. parts: of a partitioned one."""

    dtype: DType
    shape: tuple[int, ...]
    parts: tuple[TensorSlice, ...] = ()


def shard_name(prefix: str, shard: int, count: int) -> str:
    return f"{prefix}.data-{shard:05d}-of-{count:05d}"


def index_name(prefix: str) -> str:
    return f"{prefix}.index"


class Bundle:
    """The checkpoint `prefix`. Raises DataLossError for what is damaged, OSError for files that cannot be read."""

    version = 2

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.index = index_name(prefix)
        table = read_table(self.index)
        self.header = read_header(table.pop(b"", b""), self.index)
        self.entries = {key: _entry(value, key, self.index) for key, value in table.items()}

    def names(self) -> list[str]:
        """Of the tensors, sorted as the file has them."""
        return [key.decode(errors=OTHER_BYTES) for key in self.entries if not key.startswith(b"\0")]

    def stored(self, name: str) -> Stored | None:
        entry = self.entries.get(name.encode(errors=OTHER_BYTES))
        if entry is None:
            return None
        dtype, shape = self._kind(entry, name)
        return Stored(dtype, shape, tuple(from_proto(s) for s in entry.slices))

    def tensor(self, name: str) -> Array:
        """A copy of the whole tensor; `name` must be there."""
        stored = self.stored(name)
        assert stored is not None
        if not stored.parts:
            return self._read(name.encode(errors=OTHER_BYTES), f"tensor '{name}' in")
        return joined([(part, self.part(name, part)) for part in stored.parts], stored.shape, stored.dtype, name,
                      self.index)

    def read_into(self, name: str, target: Array) -> None:
        """Puts a tensor of numbers, which must be there, into an array of its shape and dtype, row-major."""
        stored = self.stored(name)
        assert stored is not None and stored.dtype.numpy is not None
        if stored.parts:
            target[...] = self.tensor(name)
        else:
            self._read(name.encode(errors=OTHER_BYTES), f"tensor '{name}' in", target)

    def part(self, name: str, part: TensorSlice) -> Array:
        """A copy of a part: one that is stored, or one cut out of the whole tensor."""
        stored = self.stored(name)
        assert stored is not None
        key = slice_key(name.encode(errors=OTHER_BYTES), part)
        if not stored.parts or part not in stored.parts:
            return np.array(self.tensor(name)[part.bounds(stored.shape)])
        if key not in self.entries:
            raise damaged(self.index, f"it lists the part {part} of tensor '{name}', but does not have it")
        value = self._read(key, f"part {part} of tensor '{name}' in")
        if value.shape != part.shape_in(stored.shape):
            raise damaged(self.index, f"the part {part} of tensor '{name}' has the shape {value.shape}")
        return value

    def _kind(self, entry: BundleEntry, name: str) -> tuple[DType, tuple[int, ...]]:
        try:
            dtype = as_dtype(int(entry.dtype))
        except TypeError:
            raise damaged(self.index, f"tensor '{name}' has the dtype number {entry.dtype}") from None
        check_dtype(dtype, name)
        shape = tuple(dim.size for dim in entry.shape.dim)
        if entry.shape.unknown_rank or not is_shape(shape):
            raise damaged(self.index, f"tensor '{name}' has no shape that can be")
        return dtype, shape

    def _read(self, key: bytes, what: str, target: Array | None = None) -> Array:
        entry = self.entries[key]
        dtype, shape = self._kind(entry, key.decode(errors="replace"))
        file = shard_name(self.prefix, entry.shard_id, self.header.num_shards)
        with self._opened(entry, f"{what} {file}", file) as opened:
            if dtype == string:
                data = np.empty(entry.size, np.uint8)
                read_numbers(opened, data, file)
                return strings_from(data.tobytes(), math.prod(shape), entry.crc32c, f"{what} {file}").reshape(shape)
            if math.prod(shape) * dtype.size != entry.size:
                raise damaged(self.index, f"{what} it has shape {shape} and dtype {dtype.name}, but {entry.size} bytes")
            assert dtype.numpy is not None
            value = np.empty(shape, dtype.numpy) if target is None else target
            checksum = read_numbers(opened, value.reshape(-1).view(np.uint8), file)
        if masked(checksum) != entry.crc32c:
            raise damaged(file, f"the checksum of {what.removesuffix(' in')} is wrong")
        return value

    def _opened(self, entry: BundleEntry, what: str, file: str) -> FileIO:
        """The file of data, at the entry's first byte."""
        if not 0 <= entry.shard_id < self.header.num_shards:
            raise damaged(self.index, f"{what} shard {entry.shard_id} of {self.header.num_shards}")
        opened = open(file, "rb", buffering=0)
        there = os.fstat(opened.fileno()).st_size
        if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > there:
            opened.close()
            raise damaged(file, f"it has {there} bytes, but {self.index} says that {what.split(' in ')[0]} ends at "
                                f"byte {entry.offset + entry.size}")
        opened.seek(entry.offset)
        return opened


def read_numbers(opened: FileIO, target: Array, file: str) -> int:
    """Fills an array of bytes from a file; their checksum. Of large ones, that of a part is computed while the next one
    is read. Raises DataLossError if the file ends before."""
    if target.size <= 2 * CHUNK:
        fill(opened, target, file)
        return crc32c(target)
    parts = [target[at:at + CHUNK] for at in range(0, target.size, CHUNK)]
    checksum = 0
    with ThreadPoolExecutor(1) as reader:
        reading = reader.submit(fill, opened, parts[0], file)
        for part, following in zip(parts, [*parts[1:], None], strict=True):
            reading.result()
            if following is not None:
                reading = reader.submit(fill, opened, following, file)
            checksum = crc32c(part, checksum)
    return checksum


def fill(opened: FileIO, target: Array, file: str) -> None:
    """Fills an array of bytes from a file. Raises DataLossError if it ends before."""
    read = 0
    while read < target.size:
        count = opened.readinto(target[read:].data)
        if not count:
            raise damaged(file, "it became shorter while it was read")
        read += count


def read_header(data: bytes, index: str) -> BundleHeader:
    try:
        header = BundleHeader.FromString(data)
    except DecodeError:
        raise damaged(index, "its header cannot be read") from None
    if not 1 <= header.num_shards <= MOST_SHARDS:
        raise damaged(index, f"it says that there are {header.num_shards} files of data")
    if header.endianness != BundleHeader.LITTLE:
        raise UnimplementedError(f"{index}: the checkpoint was written by a big-endian machine, which graphc does not "
                                 "read; save it again on a little-endian one")
    if header.version.min_consumer > VERSION:
        raise DataLossError(f"{index}: the checkpoint needs a reader of version {header.version.min_consumer}, this "
                            f"one is {VERSION}: it was made by newer software")
    return header


def _entry(data: bytes, key: bytes, index: str) -> BundleEntry:
    try:
        return BundleEntry.FromString(data)
    except DecodeError:
        raise damaged(index, f"what it says of {key.decode(errors='replace')!r} cannot be read") from None


def is_shape(sizes: tuple[int, ...]) -> bool:
    """Whether an array can have it, in NumPy's eyes: also one without elements must have strides."""
    return len(sizes) <= MOST_AXES and min(sizes, default=0) >= 0 and math.prod(max(s, 1) for s in sizes) < 1 << 58
