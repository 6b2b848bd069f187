"""Python values to NumPy arrays under TensorFlow 1's rules for constants."""
from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from graphc.ir.dtypes import DType, as_dtype, bool_, string
from graphc.ir.tensor_shape import Dimension, TensorShape


def to_array(value: Any, dtype: DType | None = None, shape: Any = None) -> np.ndarray:
    """`value` as an array of dtype; without one: arrays keep theirs, Python floats give float32, Python ints int32.

    shape: a value with fewer elements is filled up with its last one. Raises TypeError if the value does not convert,
    ValueError if it has too many elements or is ragged.
    """
    if value is None:
        raise ValueError("None values not supported.")
    array = _convert(value, dtype)
    return array if shape is None else _fill(array, TensorShape(shape))


def _convert(value: Any, dtype: DType | None) -> np.ndarray:
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        as_dtype(array.dtype)
        if dtype is None or dtype == as_dtype(array.dtype):
            return strings(array) if array.dtype.kind in "SUO" else array
        if dtype.numpy is None or array.dtype.kind in "SUO":
            raise TypeError(f"an array of {array.dtype} does not convert to {dtype.name}")
        return dtype.array(array)
    if isinstance(value, TensorShape):
        if not value.is_fully_defined():
            raise ValueError(f"Cannot convert a partially known TensorShape to a Tensor: {value}")
        value = value.as_list()
    if dtype is not None and dtype.is_quantized:
        return np.array(value, dtype.numpy)          # of numbers, or of tuples of one number each
    value = _known_dimensions(value)
    if dtype is not None:
        _check_elements(value, dtype)
    if dtype == string or isinstance(_first_element(value), (str, bytes)):
        return strings(np.array(value, dtype=object))
    try:
        array = np.array(value)
    except ValueError:
        raise ValueError(f"nested lists of unequal lengths do not make a tensor: {value!r}") from None
    if array.dtype.kind in "SUO":
        return _python_objects(value, dtype)
    if dtype is not None:
        return _cast_exactly(array, dtype, value)
    if array.dtype == np.float64 and not isinstance(value, np.generic):
        return array.astype(np.float32)
    if array.dtype == np.int64 and (array.size == 0 or (array.min() >= -2**31 and array.max() < 2**31)):
        return array.astype(np.int32)
    return array


def whole(value: Any) -> int:
    """The value as an int. Raises TypeError for 1.5, which int() would cut, and for "1"."""
    made = int(value)
    if made != value:
        raise TypeError(f"an integer is needed, not {value!r}")
    return made


def _first_element(value: Any) -> Any:
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return value


def _known_dimensions(value: Any) -> Any:
    if isinstance(value, Dimension):
        return int(value)
    if isinstance(value, (list, tuple)):
        return [_known_dimensions(v) for v in value]
    return value


def _cast_exactly(array: np.ndarray, dtype: DType, value: Any) -> np.ndarray:
    if dtype.is_integer and array.size:
        if array.min() < dtype.min or array.max() > dtype.max:
            raise ValueError(f"{value!r} is out of range for {dtype.name}")
    return dtype.array(array)


def _python_objects(value: Any, dtype: DType | None) -> np.ndarray:
    if all(isinstance(v, (str, bytes)) for v in np.array(value, dtype=object).ravel()):
        return strings(np.array(value, dtype=object))
    if dtype is not None and dtype.is_integer:
        raise ValueError(f"{value!r} is out of range for {dtype.name}")
    elements = list(np.array(value, dtype=object).ravel())
    first = next((v for v in elements if not isinstance(v, (numbers.Number, np.generic))), elements[0])
    if isinstance(first, (str, bytes)) or any(isinstance(v, (str, bytes)) for v in elements):
        raise TypeError(f"{value!r} mixes strings and numbers ({first!r} is of type {type(first).__name__}): a tensor "
                        "holds values of one dtype")
    if first is None:
        hint = "" if value is None else "; a size that only a run knows is gc.shape(x)[i], or -1 in gc.reshape"
        raise TypeError(f"None does not convert to a tensor{hint}")
    raise TypeError(f"{first!r} of type {type(first).__name__} does not convert to a tensor")


def as_array(value: Any) -> np.ndarray:
    """np.asarray of a number or an array; bytes, which NumPy would cut, as an object."""
    return np.asarray(value, object if isinstance(value, bytes) else None)


def zeros(shape: Any, dtype: np.dtype[Any] | None) -> np.ndarray:
    """Zeros of a NumPy dtype; of objects (None, too), which are strings: empty ones."""
    return np.full(shape, b"", object) if dtype is None or dtype.kind == "O" else np.zeros(shape, dtype)


def strings(array: np.ndarray) -> np.ndarray:
    """An array of str or bytes as one of bytes objects. Raises TypeError for other elements."""
    encoded = np.empty(array.size, dtype=object)
    encoded[:] = [item if type(item) is bytes else _encoded(item) for item in array.ravel().tolist()]
    return encoded.reshape(array.shape)


def _encoded(item: Any) -> bytes:
    if isinstance(item, str):
        return item.encode()
    if not isinstance(item, bytes):
        raise TypeError(f"{item!r} of type {type(item).__name__} is no string")
    return bytes(item)


def _check_elements(value: Any, dtype: DType) -> None:
    if isinstance(value, (list, tuple)):
        for element in value:
            _check_elements(element, dtype)
        return
    if isinstance(value, (np.ndarray, np.generic)):
        return
    if dtype == string:
        accepted: Any = (str, bytes)
    elif dtype == bool_:
        accepted = (bool,)
    elif dtype.is_integer:
        accepted = numbers.Integral
    elif dtype.is_complex:
        accepted = numbers.Complex
    else:
        accepted = numbers.Real
    if not isinstance(value, accepted):
        raise TypeError(f"Expected {dtype.name}, got {value!r} of type '{type(value).__name__}' instead.")


def _fill(array: np.ndarray, shape: TensorShape) -> np.ndarray:
    if not shape.is_fully_defined():
        raise ValueError(f"a constant's shape must be known, but is {shape}")
    sizes: Any = shape.as_list()
    count = int(np.prod(sizes, dtype=np.int64))
    if array.size == count:
        return array.reshape(sizes)
    if count == 0 and array.size == 1:
        return np.empty(sizes, array.dtype)
    if array.size > count or array.size == 0:
        raise ValueError(f"{array.size} values do not fill shape {tuple(sizes)} of {count} elements")
    flat = array.ravel()
    return np.concatenate([flat, np.full(count - flat.size, flat[-1], dtype=array.dtype)]).reshape(sizes)
