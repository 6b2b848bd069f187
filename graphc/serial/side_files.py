"""Side files: constants of graphs over 2 GB, beside the .pb (proto/side_file.proto). Mapped into memory, read-only."""
from __future__ import annotations

import hashlib
import mmap
import os
import struct
import tempfile
from typing import IO, Any

import numpy as np

from graphc.errors import DataLossError, NotFoundError
from graphc.serial.side_file_pb2 import SideFile, SideTensor

CONSUMER = 1 << 30                     # of VersionDef: no other reader takes such a graph for one that it knows
_MAGIC, _VERSION, _HEADER, _ALIGNMENT = b"graphcSD", 1, 64, 64
_PLACE_OF_ID = slice(16, 48)

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

# The files that graphs of this process refer to, by their ids: messages cannot keep what they refer to. A mapping takes
# address space, not memory.
_mapped: dict[bytes, Bytes] = {}


def open_side_file(graph_path: str, described: SideFile) -> None:
    """Maps the side file of the graph in graph_path, so that `side_bytes` finds it. Raises NotFoundError if it is not
    there, DataLossError if it is not the one that belongs to the graph."""
    name = described.name
    if not name:
        raise DataLossError(f"{graph_path}: its constants of 2 GB and more were left out when it was written; write it "
                            "with gc.train.write_graph, which puts them into a second file")
    if name in (".", "..") or "/" in name or "\0" in name:
        raise DataLossError(f"{graph_path}: the name of its side file, {name!r}, is none of a file in the same folder; "
                            "the graph is damaged")
    path = os.path.join(os.path.dirname(graph_path), name)
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != described.size or size < _HEADER:
                raise DataLossError(f"{path} has {size} bytes, but {graph_path} says {described.size}: it is cut "
                                    "short, or belongs to another graph; copy both again")
            mapped = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {path}, where {graph_path} has its constants: the two must be kept "
                            "together") from None
    header = mapped[:_HEADER].tobytes()
    if header[:8] != _MAGIC or struct.unpack_from("<I", header, 8)[0] != _VERSION:
        raise DataLossError(f"{path} is no side file of version {_VERSION}: it is damaged, or made by a newer graphc")
    if header[_PLACE_OF_ID] != described.id:
        raise DataLossError(f"{path} belongs to another graph than {graph_path}: the two must be written together")
    _mapped[described.id] = mapped


def side_bytes(tensor: SideTensor) -> Bytes:
    """The bytes of a tensor, where they lie; they cannot be written to. Raises DataLossError."""
    mapped = _mapped.get(tensor.id)
    if mapped is None:
        raise DataLossError("a constant is in a side file that is not open: read the graph with "
                            "gc.load_graph_def, which finds the file beside it")
    end = tensor.offset + tensor.size
    if tensor.offset < _HEADER or tensor.offset % _ALIGNMENT or tensor.size < 0 or end > len(mapped):
        raise DataLossError(f"a constant is said to be at byte {tensor.offset} to {end} of a side file of "
                            f"{len(mapped)} bytes; the graph is damaged")
    return mapped[tensor.offset:end]


def put_aside(data: Bytes) -> SideTensor:
    """Bytes that no message can hold, in a file of their own: it has no name, and goes with this process. Raises
    OSError."""
    described = SideTensor()
    with tempfile.TemporaryFile(prefix="graphc-") as file:
        writer = SideFileWriter(file)
        writer.add(data, described)
        made = writer.finish("")
        file.flush()
        _mapped[made.id] = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    return described


class SideFileWriter:
    """Writes tensors to `file` one by one; `finish` gives what the graph says of them all."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash, self._size = file, hashlib.sha256(), _HEADER
        self._tensors: list[SideTensor] = []
        file.write(bytes(_HEADER))

    def add(self, data: Any, described: SideTensor) -> None:
        """data: bytes, or an array of them. Fills `described`; its id only when all are written."""
        described.offset, described.size = self._size, len(data)
        for part in (data, bytes(-len(data) % _ALIGNMENT)):
            self._file.write(part)
            self._hash.update(part)
            self._size += len(part)
        self._tensors.append(described)

    def finish(self, name: str) -> SideFile:
        digest = self._hash.digest()
        self._file.seek(0)
        self._file.write((_MAGIC + struct.pack("<II", _VERSION, 0) + digest).ljust(_HEADER, b"\0"))
        for tensor in self._tensors:
            tensor.id = digest
        return SideFile(name=name, size=self._size, id=digest)
