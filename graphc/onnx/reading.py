"""Reading ONNX files: the model's message, and the arrays of its tensors, also those in files beside it.

A model is data from anywhere. Every size is checked against what is there before memory is taken for it, and external
data are read from the model's own folder only: relative paths without "..", regular files, no links that lead out.
"""
from __future__ import annotations

import math
import os
import stat
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from graphc.errors import DataLossError, InvalidArgumentError, of_file
from graphc.onnx.element_types import held_dtype_of
from graphc.onnx.narrow import FORMATS
from graphc.onnx.package import onnx_package

EXTERNAL = 1                       # TensorProto.DataLocation
DENSE_LIMIT = 1 << 30              # elements that a sparse initializer may make
_STRING = 8
# Where TensorProto keeps elements of a type if not in raw_data, and how many numbers an element takes there.
_FIELDS = {1: "float_data", 14: "float_data", 7: "int64_data", 11: "double_data", 15: "double_data", 12: "uint64_data",
           13: "uint64_data"}


def read_model(path: str) -> Any:
    """The ModelProto in a file. Raises the error of gc.errors for what is wrong with it."""
    try:
        with open(os.fspath(path), "rb") as file:
            return parsed(file.read(), path)
    except OSError as error:
        raise of_file(path, error) from None


def parsed(serialized: bytes, name: str) -> Any:
    """The ModelProto of serialized bytes. Raises DataLossError if they are none."""
    onnx = onnx_package()
    try:
        model = onnx.ModelProto.FromString(serialized)
    except DecodeError as error:
        raise DataLossError(f"{name} is no ONNX model, or damaged: {error}") from None
    if not model.HasField("graph"):
        raise DataLossError(f"{name} is no ONNX model: it has no graph")
    return model


class TensorReader:
    """Makes arrays of TensorProtos; `folder` is where external data may stand, None: nowhere."""

    def __init__(self, folder: str | None) -> None:
        self.folder = folder

    def array(self, proto: Any) -> np.ndarray:
        """The elements. Raises DataLossError if sizes and data do not fit, UnimplementedError for unknown types."""
        what = f"tensor {proto.name!r}"
        dtype, shape = held_dtype_of(proto.data_type, what), tuple(proto.dims)
        if any(size < 0 for size in shape):
            raise DataLossError(f"{what} has the shape {list(shape)}, with a negative size")
        count = math.prod(shape)
        if proto.data_type == _STRING:
            return self._strings(proto, shape, count, what)
        narrow = FORMATS.get(proto.data_type)
        size = count * dtype.size if narrow is None else narrow.size(count)
        if proto.data_location == EXTERNAL:
            data = self._external(proto, size, what)
        elif proto.HasField("raw_data"):
            data = proto.raw_data
        elif narrow is not None and len(proto.int32_data) == size:            # a byte in each number
            data = np.array(proto.int32_data, np.int64).astype(np.uint8).tobytes()
        else:
            return self._listed(proto, shape, count, what)
        if len(data) != size:
            raise DataLossError(f"{what}: its shape {list(shape)} takes {size} bytes, but it has {len(data)}")
        if narrow is not None:
            return narrow.unpacked(np.frombuffer(data, np.uint8), count).reshape(shape)
        return np.frombuffer(data, dtype.as_numpy_dtype).reshape(shape)      # little-endian, as are the machines

    def sparse(self, proto: Any) -> np.ndarray:
        """A SparseTensorProto as a dense array."""
        what, shape = f"sparse tensor {proto.values.name!r}", tuple(proto.dims)
        count = math.prod(shape)
        if any(size < 0 for size in shape) or count > DENSE_LIMIT:
            raise DataLossError(f"{what} has the shape {list(shape)}, which is not taken")
        values, indices = self.array(proto.values), self.array(proto.indices)
        if indices.ndim == 2 and indices.shape[1] == len(shape) and indices.size:
            if (indices < 0).any() or (indices >= np.array(shape)).any():
                raise DataLossError(f"{what} has indices outside of its shape {list(shape)}")
            indices = np.ravel_multi_index(tuple(indices.T), shape)
        if indices.size != values.size or values.ndim != 1 or (indices.size and not (
                indices.min() >= 0 and indices.max() < count)):
            raise DataLossError(f"{what} has indices that do not fit its {values.size} values or its shape "
                                f"{list(shape)}")
        dense = np.zeros(count, values.dtype)
        dense[indices.reshape(-1)] = values
        return dense.reshape(shape)

    def _strings(self, proto: Any, shape: tuple[int, ...], count: int, what: str) -> np.ndarray:
        if len(proto.string_data) != count:
            raise DataLossError(f"{what}: its shape {list(shape)} takes {count} strings, but it has "
                                f"{len(proto.string_data)}")
        made = np.empty(count, object)
        made[:] = list(proto.string_data)
        return made.reshape(shape)

    def _listed(self, proto: Any, shape: tuple[int, ...], count: int, what: str) -> np.ndarray:
        """Elements as a list of numbers of a wider type."""
        field = _FIELDS.get(proto.data_type, "int32_data")
        numbers = len(getattr(proto, field))
        wanted = FORMATS[proto.data_type].size(count) if proto.data_type in FORMATS else \
            count * (2 if proto.data_type in (14, 15) else 1)
        if numbers != wanted:
            raise DataLossError(f"{what}: its shape {list(shape)} takes {wanted} numbers in {field}, but it has "
                                f"{numbers}")
        try:
            made: np.ndarray = onnx_package().numpy_helper.to_array(proto)
        except (ValueError, TypeError, OverflowError) as error:
            raise DataLossError(f"{what} is damaged: {error}") from None
        return made

    def _external(self, proto: Any, size: int, what: str) -> bytes:
        entries = {entry.key: entry.value for entry in proto.external_data}
        location = entries.get("location", "")
        try:
            offset, length = int(entries.get("offset", 0)), int(entries.get("length", size))
        except ValueError:
            raise DataLossError(f"{what}: offset and length of its external data must be integers, but are "
                                f"{entries.get('offset')!r} and {entries.get('length')!r}") from None
        if length != size or offset < 0:
            raise DataLossError(f"{what}: its external data have length {length} and offset {offset}, but its shape "
                                f"takes {size} bytes")
        path = self._inside(location, what)
        try:
            status = os.stat(path)
            if not stat.S_ISREG(status.st_mode):               # opening a pipe would wait for ever
                raise InvalidArgumentError(f"{what}: external data {location!r} are no regular file")
            if offset + length > status.st_size:
                raise DataLossError(f"{what}: its external data are bytes {offset} to {offset + length} of "
                                    f"{location!r}, which has {status.st_size}")
            with open(path, "rb") as file:
                file.seek(offset)
                return file.read(length)
        except OSError as error:
            raise of_file(path, error) from None

    def _inside(self, location: str, what: str) -> str:
        """The path of external data. Raises InvalidArgumentError if it leads out of the model's folder."""
        if self.folder is None:
            raise InvalidArgumentError(f"{what} has external data in {location!r}, but the model was not read of a "
                                       "file: give gc.onnx.load the path of the file")
        folder = os.path.realpath(self.folder)
        if location and "\0" not in location and not os.path.isabs(location) and ".." not in location.split("/"):
            path = os.path.realpath(os.path.join(folder, location))
            if os.path.commonpath([folder, path]) == folder:
                return path
        raise InvalidArgumentError(f"{what} has external data in {location!r}, which is not inside the model's folder")

