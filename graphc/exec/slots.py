"""Slots (kernels/runtime/tables.py: SLOT): arrays in the runtime's memory, read and written by Python.

Every step that Python computes passes here, a few times each. So words are read all at once, and arrays are made of
memory without `array.ctypes`: word by word it would take ten times as long as what a scalar summary has to do.
"""
from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np

from graphc import errors
from graphc.ir import dtypes
from graphc.ir.dtypes import DType
from graphc.kernels.runtime import tables as t

Reserve = Callable[[int, int, int, int], int]
_SLOT = ctypes.c_int64 * t.SLOT_RECORD
_slot_words = struct.Struct(f"{t.SLOT_RECORD}q").unpack_from
_SIZES = ctypes.c_int64 * 8
_DTYPES = {d.number: d for d in dtypes.ALL}


@lru_cache(256)
def _words_type(count: int) -> Any:
    return ctypes.c_int64 * count


@lru_cache(256)
def _bytes_type(count: int) -> Any:
    return ctypes.c_char * count


@cache
def _dtype(number: int) -> tuple[DType, Any]:
    found = _DTYPES[number]
    return found, found.numpy


def read_words(address: int, count: int) -> list[int]:
    return _words_type(count).from_address(address)[:]  # type: ignore[no-any-return]


def read_slot(slot: int) -> np.ndarray:
    """A copy of the array in a SLOT."""
    return _in_place(slot).copy()


def borrow_slot(slot: int) -> np.ndarray:
    """The array in a SLOT where it is, to be read only, as long as the plan's call goes on."""
    array = _in_place(slot)
    array.flags.writeable = False
    return array


def _in_place(slot: int) -> np.ndarray:
    words = _slot_words(_SLOT.from_address(slot))
    shape = words[t.SLOT_SIZES:t.SLOT_SIZES + words[t.SLOT_RANK]]
    dtype = _dtype(words[t.SLOT_DTYPE])[1]
    size = math.prod(shape) * dtype.itemsize
    if not size:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, _bytes_type(size).from_address(words[t.SLOT_ADDRESS]))


def place_of(slot: int) -> tuple[tuple[int, ...], int]:
    """The shape and the address of the array in a SLOT."""
    words = _slot_words(_SLOT.from_address(slot))
    return words[t.SLOT_SIZES:t.SLOT_SIZES + words[t.SLOT_RANK]], words[t.SLOT_ADDRESS]


def slot_record(slot: int) -> tuple[int, ...]:
    """The words of a SLOT."""
    return _slot_words(_SLOT.from_address(slot))


def is_all_true(slot: int) -> bool:
    """Of the bool array in a SLOT."""
    words = _slot_words(_SLOT.from_address(slot))
    size = math.prod(words[t.SLOT_SIZES:t.SLOT_SIZES + words[t.SLOT_RANK]])
    return not size or b"\0" not in _bytes_type(size).from_address(words[t.SLOT_ADDRESS]).raw


def write_slot(reserve: Reserve, host: int, slot: int, value: Any, what: str, position: int) -> None:
    """Puts result `position` of the function `what` into a SLOT, whose dtype and rank it must have."""
    words = _slot_words(_SLOT.from_address(slot))
    dtype, wanted = _dtype(words[t.SLOT_DTYPE])
    array = np.asarray(value)
    if array.dtype != wanted:
        if isinstance(value, (np.ndarray, np.generic)):
            raise TypeError(f"{_result(what, position)} is {array.dtype}, but {dtype.name} was declared")
        array = array.astype(wanted)
    if array.ndim != words[t.SLOT_RANK]:
        raise errors.InvalidArgumentError(f"{_result(what, position)} has shape {array.shape}, but rank "
                                          f"{words[t.SLOT_RANK]} was declared")
    address = _reserved(reserve, host, slot, array.shape, what, position, array.nbytes)
    if array.nbytes > _SMALL or wanted.kind == "V":
        array = array if array.flags.c_contiguous else np.ascontiguousarray(array)
        ctypes.memmove(address, array.ctypes.data, array.nbytes)
    elif array.nbytes:
        _bytes_type(array.nbytes).from_address(address).raw = array.tobytes()


def reserve_slot(reserve: Reserve, host: int, slot: int, shape: tuple[int, ...], what: str, position: int,
                 number: int = dtypes.int64.number) -> int:
    """The address of memory for result `position` of the function `what`, of the dtype with that number. Raises
    TypeError and InvalidArgumentError unless the SLOT has the dtype and the rank."""
    words = _slot_words(_SLOT.from_address(slot))
    if words[t.SLOT_DTYPE] != number:
        raise TypeError(f"{_result(what, position)} is {_dtype(number)[0].name}, but "
                        f"{_dtype(words[t.SLOT_DTYPE])[0].name} was declared")
    if len(shape) != words[t.SLOT_RANK]:
        raise errors.InvalidArgumentError(f"{_result(what, position)} has shape {shape}, but rank "
                                          f"{words[t.SLOT_RANK]} was declared")
    return _reserved(reserve, host, slot, shape, what, position, _dtype(number)[1].itemsize * math.prod(shape))


_SMALL = 4096              # bytes: such arrays are copied once more rather than looked at through `array.ctypes`


def _reserved(reserve: Reserve, host: int, slot: int, shape: tuple[int, ...], what: str, position: int,
              size: int) -> int:
    """The address of the slot's memory for that shape."""
    sizes = _SIZES(*shape)
    address = reserve(host, slot, len(shape), ctypes.addressof(sizes))
    if not address:
        raise MemoryError(f"no memory for {_result(what, position)}, {size} bytes")
    return address


def _result(what: str, position: int) -> str:
    return f"result {position} of {what}"
