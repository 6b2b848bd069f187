"""Arrays as the C library's tensors, and back.

bfloat16, of which NumPy has none, is ml_dtypes' where that package is installed, else an array of uint16: its 16 bits.
"""
from __future__ import annotations

import ctypes
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import InvalidArgumentError, UnimplementedError
from .library import MAX_RANK, C, Info, Tensor, check
from .strings import STRING, array_of_strings, fitted_strings, tensor_of_strings

BFLOAT16 = 14
NAMES = {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", STRING: "string",
         8: "complex64", 9: "int64", 10: "bool", BFLOAT16: "bfloat16", 17: "uint16", 18: "complex128", 19: "float16",
         22: "uint32", 23: "uint64"}


def _numpy_dtypes() -> dict[int, np.dtype[Any]]:
    found = {number: np.dtype(name) for number, name in NAMES.items() if number not in (STRING, BFLOAT16)}
    try:
        import ml_dtypes
        found[BFLOAT16] = np.dtype(ml_dtypes.bfloat16)
    except ImportError:
        found[BFLOAT16] = np.dtype(np.uint16)
    return found


DTYPES = _numpy_dtypes()
# Kinds of dtypes: numbers become those of a kind further on. V is that of ml_dtypes.bfloat16.
_KINDS = {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2, "c": 3}


@dataclass(frozen=True)
class Port:
    """An input, output or variable. dtype: TensorFlow's name. shape: None for sizes that may be any."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    number: int                    # the dtype's, TensorFlow's

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}[{', '.join('?' if size is None else str(size) for size in self.shape)}]"


def port_of(info: Info) -> Port:
    sizes = tuple(None if size < 0 else int(size) for size in info.sizes[:info.rank])
    name = info.name.decode().removesuffix(":0")       # "y:0", as files have it, is the output of y
    return Port(name, NAMES.get(info.dtype, f"dtype {info.dtype}"), sizes, info.dtype)


def fitted(port: Port, value: Any) -> np.ndarray:
    """`value` as an array for the port. Numbers and lists take the port's dtype; an array must have it, for no
    precision is lost unasked. Raises InvalidArgumentError."""
    if port.number == STRING:
        return fitted_strings(port.name, value)
    dtype = DTYPES.get(port.number)
    if dtype is None:
        raise UnimplementedError(f"'{port.name}' is of {port.dtype}, which the C library does not compute with")
    bits = port.number == BFLOAT16 and dtype == np.uint16
    try:
        given = np.asarray(value)
        if not (bits or hasattr(value, "dtype")) and _may_become(given, dtype):
            given = np.asarray(value, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidArgumentError(f"'{port.name}' takes {port.dtype}: {error}") from None
    if port.number == BFLOAT16 and given.dtype == np.uint16:
        given = given.view(dtype)
    if given.dtype.newbyteorder("=") != dtype:
        fix = "its 16 bits as uint16, or install ml_dtypes" if bits else f"array.astype({dtype.name!r})"
        raise InvalidArgumentError(f"'{port.name}' is given an array of {given.dtype} and takes {port.dtype}: pass "
                                   f"{fix}")
    if given.ndim > MAX_RANK:
        raise InvalidArgumentError(f"'{port.name}' has {given.ndim} axes; {MAX_RANK} are the most")
    return np.ascontiguousarray(given, dtype).reshape(given.shape)


def _may_become(numbers: np.ndarray, dtype: np.dtype[Any]) -> bool:
    return not numbers.size or _KINDS.get(numbers.dtype.kind, 9) <= _KINDS[dtype.kind]


def tensor_of(array: np.ndarray, number: int) -> Tensor:
    """A tensor over the array's memory, which must outlive it. number: the dtype's."""
    if number == STRING:
        return tensor_of_strings(array)
    return Tensor(number, array.ndim, (ctypes.c_int64 * MAX_RANK)(*array.shape), array.ctypes.data)


def array_of(tensor: Tensor, keep: object = None) -> np.ndarray:
    """An array over the tensor's memory, which lives as long as `keep`; a copy if there is nothing to keep,
    and of strings."""
    if tensor.dtype == STRING:
        return array_of_strings(tensor)
    dtype, shape = DTYPES[tensor.dtype], tuple(tensor.sizes[:tensor.rank])
    count = int(np.prod(shape, dtype=np.int64))
    if not count:
        return np.empty(shape, dtype)
    memory: Any = (ctypes.c_char * (count * dtype.itemsize)).from_address(tensor.data)
    memory.keep = keep                     # the array's base is `memory`
    view: np.ndarray = np.frombuffer(memory, dtype).reshape(shape)
    return view.copy() if keep is None else view


class Result:
    """The memory of one run's outputs, freed with the last array over it."""

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self._handle = handle
        weakref.finalize(self, C.graphc_result_free, handle).atexit = False

    def arrays(self) -> list[np.ndarray]:
        found = []
        for index in range(C.graphc_result_count(self._handle)):
            tensor = Tensor()
            check(C.graphc_result_output(self._handle, index, ctypes.byref(tensor)))
            found.append(array_of(tensor, self))
        return found
