"""Files of safetensors, which PyTorch's and Hugging Face's libraries read and write, as checkpoints: Bundle's face.

    file    = fixed64 size of the header, the header, the tensors' bytes
    header  = a JSON object: name -> {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, offsets from the
              end of the header; "__metadata__" -> {name: text}, which may be missing. It may end in spaces

Elements are row-major and little-endian. The tensors lie one after the other, without gaps: nothing hides in a file.
Ours are sorted by size of element, then name, after a header of a multiple of 8 bytes, so that each is aligned. There
are no strings, no checksums and no parts: partitioned variables are written whole.

Written here instead of by the package `safetensors`: that is a header, and the package copies non-contiguous arrays
as they are not.
"""
from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from graphc.errors import InvalidArgumentError, UnimplementedError
from graphc.io.checkpoint.bundle import Stored, fill, is_shape
from graphc.io.checkpoint.content import numbers_of
from graphc.io.checkpoint.leftovers import SAFETENSORS, make_folder
from graphc.io.checkpoint.slices import TensorSlice, joined, parse_slice
from graphc.io.checkpoint.table import damaged
from graphc.io.checkpoint.write_bundle import write_numbers
from graphc.io.whole_files import written
from graphc.ir.dtypes import DType, as_dtype

MOST_HEADER = 100_000_000      # bytes; the library's own limit
METADATA = "__metadata__"
_DTYPES = {"BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "F16": "float16",
           "BF16": "bfloat16", "U32": "uint32", "I32": "int32", "F32": "float32", "U64": "uint64", "I64": "int64",
           "F64": "float64", "C64": "complex64"}
_NAMES = {ours: theirs for theirs, ours in _DTYPES.items()}
Array = np.ndarray[Any, Any]


class SafeTensors:
    """The file `prefix`. Raises DataLossError for what is damaged, OSError for a file that cannot be read."""

    version = 0

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        with open(prefix, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(8)
            count = struct.unpack("<Q", data)[0] if len(data) == 8 else 0
            if not 2 <= count <= min(size - 8, MOST_HEADER):
                raise damaged(prefix, f"it has {size} bytes, and says that its header has {count}")
            header = _parsed(file.read(count), prefix)
        self.begin = 8 + count
        self.metadata = _metadata(header.pop(METADATA, {}), prefix)
        self.tensors = {name: _entry(name, said, prefix) for name, said in header.items()}
        self._check_places(size - self.begin)

    def _check_places(self, size: int) -> None:
        """Each byte belongs to one tensor."""
        end = 0
        for name, (_, first, last) in sorted(self.tensors.items(), key=lambda item: item[1][1:]):
            if first != end:
                raise damaged(self.prefix, f"tensor '{name}' begins at byte {first} of its tensors, the one before "
                                           f"ends at {end}")
            end = last
        if end != size:
            raise damaged(self.prefix, f"its tensors have {end} bytes, but there are {size}")

    def names(self) -> list[str]:
        return sorted(self.tensors)

    def stored(self, name: str) -> Stored | None:
        return self.tensors[name][0] if name in self.tensors else None

    def tensor(self, name: str) -> Array:
        """A copy of the whole tensor; `name` must be there."""
        stored = self.tensors[name][0]
        value: Array = np.empty(stored.shape, stored.dtype.numpy)
        self.read_into(name, value)
        return value

    def read_into(self, name: str, target: Array) -> None:
        """Puts a tensor, which must be there, into an array of its shape and dtype, row-major."""
        with open(self.prefix, "rb", buffering=0) as opened:
            opened.seek(self.begin + self.tensors[name][1])
            fill(opened, target.reshape(-1).view(np.uint8), self.prefix)

    def part(self, name: str, part: TensorSlice) -> Array:
        return np.array(self.tensor(name)[part.bounds(self.tensors[name][0].shape)])


def write_safetensors(path: str, tensors: Iterable[tuple[str, str, Array]],
                      metadata: Mapping[str, str] | None = None) -> None:
    """Writes the file. tensors: (name, "" or shape and slice as a SaveV2 op has them, value).

    Raises OSError, InvalidArgumentError for a name that comes twice, UnimplementedError for dtypes that it cannot hold.
    """
    whole = _whole(tensors)
    order = sorted(whole, key=lambda name: (-whole[name].dtype.itemsize, name))
    header: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    end = 0
    for name in order:
        value = whole[name]
        header[name] = {"dtype": _name_of(as_dtype(value.dtype), name), "shape": list(value.shape),
                        "data_offsets": [end, end + value.nbytes]}
        end += value.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MOST_HEADER:
        raise InvalidArgumentError(f"{path}: the names and shapes of {len(whole)} tensors take {len(text)} bytes, a "
                                   f"file of safetensors can have {MOST_HEADER} of them")
    make_folder(path)
    with written(path) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            write_numbers(file, numbers_of(whole[name]))


def _whole(tensors: Iterable[tuple[str, str, Array]]) -> dict[str, Array]:
    """The tensors by name, partitioned ones put together."""
    whole: dict[str, Array] = {}
    parts: dict[tuple[str, tuple[int, ...]], list[tuple[TensorSlice, Array]]] = {}
    for name, text, value in tensors:
        shape, part = parse_slice(text) if text else (value.shape, None)
        if part is not None and not part.is_whole(shape):
            parts.setdefault((name, shape), []).append((part, value))
        elif name in whole or name == METADATA:
            raise InvalidArgumentError(f"the file would have two tensors '{name}'" if name in whole else
                                       f"no tensor of a file of safetensors can have the name {name}")
        else:
            whole[name] = value
    for (name, shape), found in parts.items():
        if name in whole:
            raise InvalidArgumentError(f"the file would have two tensors '{name}'")
        whole[name] = joined(found, shape, as_dtype(found[0][1].dtype), name, "the tensors that are saved")
    return whole


def _name_of(dtype: DType, name: str) -> str:
    if dtype.name not in _NAMES:
        raise UnimplementedError(f"tensor '{name}' has dtype {dtype.name}, which files of safetensors cannot hold; "
                                 "leave it out of var_list, or save a checkpoint of TensorFlow's (a name without "
                                 f"{SAFETENSORS})")
    return _NAMES[dtype.name]


def _parsed(data: bytes, path: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            raise ValueError("a name comes twice")
        return made

    try:
        header = json.loads(data.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"its header cannot be read: {error}") from None
    if not isinstance(header, dict):
        raise damaged(path, "its header is no JSON object")
    return header


def _metadata(said: Any, path: str) -> dict[str, str]:
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise damaged(path, f"{METADATA} must hold texts")
    return said


def _entry(name: str, said: Any, path: str) -> tuple[Stored, int, int]:
    """What the file says of a tensor, its first byte and the one after it."""
    if not isinstance(said, dict) or set(said) != {"dtype", "shape", "data_offsets"}:
        raise damaged(path, f"what it says of tensor '{name}' cannot be read")
    shape, places = said["shape"], said["data_offsets"]
    if not _are_sizes(shape) or not _are_sizes(places) or len(places) != 2 or not is_shape(tuple(shape)):
        raise damaged(path, f"tensor '{name}' has no shape or place that can be")
    if said["dtype"] not in _DTYPES:
        raise UnimplementedError(f"{path}: tensor '{name}' has dtype {said['dtype']!r}, which graphc does not have")
    dtype = as_dtype(_DTYPES[said["dtype"]])
    if math.prod(shape) * dtype.size != places[1] - places[0]:
        raise damaged(path, f"tensor '{name}' has shape {shape} and dtype {dtype.name}, but {places[1] - places[0]} "
                            "bytes")
    return Stored(dtype, tuple(shape)), places[0], places[1]


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 1 << 63 for size in value)
