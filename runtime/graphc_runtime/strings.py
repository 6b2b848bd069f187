"""Arrays of strings, which are arrays of bytes objects here, as the C library's tensors, and back."""
from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from .errors import InvalidArgumentError
from .library import MAX_RANK, Tensor

STRING = 7                 # the dtype's number


class String(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t))


def fitted_strings(name: str, value: Any) -> np.ndarray:
    """`value`, str and bytes in lists or arrays of NumPy's kinds S, U and O, as an array of bytes objects; text becomes
    UTF-8. Raises InvalidArgumentError. name: of the input, for errors."""
    given = np.asarray(value) if hasattr(value, "dtype") else np.asarray(value, object)
    if given.ndim > MAX_RANK:
        raise InvalidArgumentError(f"'{name}' has {given.ndim} axes; {MAX_RANK} are the most")
    made = np.empty(given.size, object)
    made[:] = [_as_bytes(name, one) for one in given.ravel().tolist()]
    return made.reshape(given.shape)


def _as_bytes(name: str, one: object) -> bytes:
    if isinstance(one, bytes):
        return one
    if not isinstance(one, str):
        raise InvalidArgumentError(f"'{name}' takes string: pass bytes or str, not {type(one).__name__}")
    try:
        return one.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"'{name}' takes string: {error}") from None


def tensor_of_strings(array: np.ndarray) -> Tensor:
    """A tensor over the memory of the bytes objects, which it keeps."""
    texts = array.ravel().tolist()
    strings = (String * len(texts))()
    for string, text in zip(strings, texts, strict=True):
        string.data = ctypes.cast(ctypes.c_char_p(text), ctypes.c_void_p).value
        string.size = len(text)
    tensor = Tensor(STRING, array.ndim, (ctypes.c_int64 * MAX_RANK)(*array.shape), ctypes.addressof(strings))
    tensor.keep = strings, texts
    return tensor


def array_of_strings(tensor: Tensor) -> np.ndarray:
    """A new array."""
    shape = tuple(tensor.sizes[:tensor.rank])
    made = np.empty(int(np.prod(shape, dtype=np.int64)), object)
    if made.size:
        made[:] = [ctypes.string_at(one.data, one.size) for one in (String * made.size).from_address(tensor.data)]
    return made.reshape(shape)
