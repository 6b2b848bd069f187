"""Arrays <-> TensorProto.

Written: numbers as tensor_content (little-endian, row-major); strings as string_val.
Read: every form that TensorFlow writes; a list shorter than the tensor repeats its last value, an empty one means
zeros.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.public import public
from graphc.errors import DataLossError, InvalidArgumentError
from graphc.ir.dtypes import DType, as_dtype, bool_, string
from graphc.ir.tensor_shape import TensorShape
from graphc.ir.values import to_array
from graphc.serial.graph_pb2 import TensorProto, TensorShapeProto
from graphc.serial.side_files import put_aside, side_bytes

_ELEMENT_LIMIT = 1 << 40
LARGEST = (1 << 31) - (1 << 16)      # bytes of a tensor in a message, which has names and a shape, too
_REPEATED_STRINGS = 1_000_000        # that may be left out, because they are the last one again
_LISTS = {
    "float32": "float_val", "float64": "double_val", "int32": "int_val", "uint8": "int_val", "int16": "int_val",
    "int8": "int_val", "uint16": "int_val", "int64": "int64_val", "bool": "bool_val", "uint32": "uint32_val",
    "uint64": "uint64_val", "float16": "half_val", "bfloat16": "half_val",
    "complex64": "scomplex_val", "complex128": "dcomplex_val",
    **{f"q{kind}": "int_val" for kind in ("int8", "uint8", "int16", "uint16", "int32")},
}


@public("make_tensor_proto", "contrib.util.make_tensor_proto")
def make_tensor_proto(values: Any, dtype: Any = None, shape: Any = None, verify_shape: bool = False) -> TensorProto:
    """`values` as a TensorProto, of `dtype` and `shape` if they are given. As `tf.make_tensor_proto`.

    Raises TypeError or ValueError as gc.constant does; with verify_shape the values must have the shape.

    >>> proto = gc.make_tensor_proto([[1., 2.]])
    >>> [dim.size for dim in proto.tensor_shape.dim], gc.as_dtype(proto.dtype)
    ([1, 2], gc.float32)
    """
    array = to_array(values, None if dtype is None else as_dtype(dtype), None if verify_shape else shape)
    if verify_shape and shape is not None and tuple(TensorShape(shape).as_list()) != array.shape:
        raise TypeError(f"Expected Tensor's shape: {tuple(TensorShape(shape).as_list())}, got {array.shape}.")
    return tensor_to_proto(array)


def tensor_to_proto(array: np.ndarray[Any, Any], aside: bool = False) -> TensorProto:
    """aside: what no message can hold goes to a file without a name; only write_graph takes it from there."""
    dtype = as_dtype(array.dtype)
    made = TensorProto(dtype=dtype.number, tensor_shape=shape_to_proto(array.shape))  # type: ignore[arg-type]
    if dtype == string:
        made.string_val.extend(array.ravel())
    else:
        little = array if array.dtype.kind == "V" else array.astype(array.dtype.newbyteorder("<"), copy=False)
        if array.nbytes >= LARGEST and aside:
            made.side.CopyFrom(put_aside(np.ascontiguousarray(little).reshape(-1).view(np.uint8)))
            return made
        if array.nbytes >= LARGEST:
            raise InvalidArgumentError(f"a constant of {array.nbytes} bytes: protobuf's messages, and so graphs, hold "
                                       f"{LARGEST} in one tensor at most; split it, as gc.fixed_size_partitioner does "
                                       "with variables")
        made.tensor_content = np.ascontiguousarray(little).tobytes()
    return made


@public("make_ndarray", "contrib.util.make_ndarray")
def make_ndarray(tensor: TensorProto) -> np.ndarray[Any, Any]:
    """A copy of the array in a TensorProto. As `tf.make_ndarray`.

    Raises DataLossError if its sizes do not fit its contents. Strings are bytes in an array of objects.

    >>> gc.make_ndarray(gc.make_tensor_proto([[1, 2]], gc.int64))
    array([[1, 2]])
    """
    array = read_array(tensor)
    return array if array.flags.writeable else array.copy()


def read_array(tensor: TensorProto) -> np.ndarray[Any, Any]:
    """The same, but not to be written to: its elements may be those of the message, or mapped from a side file."""
    try:
        dtype = as_dtype(int(tensor.dtype))
    except TypeError:
        raise DataLossError(
            f"a tensor in the file has the dtype number {tensor.dtype}, which graphc does not know"
        ) from None
    shape = shape_from_proto(tensor.tensor_shape)
    if shape is None or any(s is None or s < 0 for s in shape):
        raise DataLossError("a tensor in the file has no definite shape; the file is damaged")
    sizes = [s or 0 for s in shape]
    count = 1
    for size in sizes:
        count *= size
    if count > _ELEMENT_LIMIT:
        raise DataLossError(f"a tensor in the file claims {count} elements; the file is damaged")
    if dtype == string:
        return _strings(tensor, count).reshape(sizes)
    if dtype.numpy is None:
        raise DataLossError(f"a tensor in the file has dtype {dtype.name}, which holds no values")
    if tensor.HasField("side"):
        return _mapped(tensor, dtype, count).reshape(sizes)
    if tensor.tensor_content:
        if len(tensor.tensor_content) != count * dtype.size:
            raise DataLossError(
                f"a tensor of shape {tuple(sizes)} and dtype {dtype.name} has {len(tensor.tensor_content)} bytes "
                f"instead of {count * dtype.size}; the file is damaged"
            )
        if dtype.numpy.kind == "V":
            return np.frombuffer(tensor.tensor_content, dtype.numpy).reshape(sizes)
        little = np.frombuffer(tensor.tensor_content, dtype.numpy.newbyteorder("<"))
        return little.astype(dtype.numpy, copy=False).reshape(sizes)
    return _listed(tensor, dtype, count).reshape(sizes)


def _mapped(tensor: TensorProto, dtype: DType, count: int) -> np.ndarray[Any, Any]:
    """What is in a side file: not copied, and not to be written to."""
    data = side_bytes(tensor.side)
    if len(data) != count * dtype.size:
        raise DataLossError(f"a constant of {count} elements of dtype {dtype.name} has {len(data)} bytes in its side "
                            "file; the graph is damaged")
    if dtype == bool_:
        return np.not_equal(data, 0)           # anything but 0 and 1 would be no bool
    assert dtype.numpy is not None
    return data.view(dtype.numpy)


def _listed(tensor: TensorProto, dtype: DType, count: int) -> np.ndarray[Any, Any]:
    raw: Any = getattr(tensor, _LISTS[dtype.name])
    assert dtype.numpy is not None
    if dtype.is_complex:
        parts = np.array(raw, np.float64)
        found = (parts[0::2] + 1j * parts[1::2]).astype(dtype.numpy)
    elif dtype.is_half:
        found = np.array(raw, np.uint16).view(dtype.numpy)
    elif dtype.is_quantized:
        found = np.array(raw, dtype.numpy[0]).view(dtype.numpy)
    else:
        found = np.array(raw, dtype.numpy)
    if found.size > count:
        raise DataLossError(f"a tensor of {count} elements has {found.size} values; the file is damaged")
    if count * dtype.size >= LARGEST:                # a few numbers may stand for many, but not for that many
        raise DataLossError(f"a tensor of {count} elements of dtype {dtype.name} is given by {found.size}: so many can "
                            "only be in a side file; the file is damaged")
    result = np.zeros(count, dtype.numpy)
    result[:found.size] = found
    if found.size:
        result[found.size:] = found[-1]
    return result


def _strings(tensor: TensorProto, count: int) -> np.ndarray[Any, Any]:
    if not count - _REPEATED_STRINGS <= len(tensor.string_val) <= count:
        raise DataLossError(
            f"a string tensor of {count} elements has {len(tensor.string_val)} values; the file is damaged"
        )
    result = np.empty(count, dtype=object)
    result[:] = tensor.string_val[-1] if tensor.string_val else b""
    for i, item in enumerate(tensor.string_val):
        result[i] = item
    return result


def shape_to_proto(shape: Any) -> TensorShapeProto:
    """A shape, whose unknown sizes are None or symbols, or None for an unknown rank."""
    if shape is None:
        return TensorShapeProto(unknown_rank=True)
    sizes = [int(s) if isinstance(s, (int, np.integer)) else -1 for s in shape]
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=s) for s in sizes])


def shape_from_proto(shape: TensorShapeProto) -> tuple[int | None, ...] | None:
    if shape.unknown_rank:
        return None
    return tuple(None if d.size < 0 else d.size for d in shape.dim)
