"""A call of a function on strings by a plan, as the string kernels see it: numbers where they lie, no Python objects.

A kernel does an op's work if all of it is plain; else it says so, and the op computes it in Python as if nothing had
been done (docs/adr/0080). So what an op means, and what is wrong with its operands, is said once.
"""
from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.exec.slots import Reserve, dtype_of, place_of, reserve_slot
from graphc.exec.string_runs import held_by_run
from graphc.exec.strings import TABLE
from graphc.ir.dtypes import DType, float32, float64, int32, int64
from graphc.kernels.strings import tables as t

KINDS: dict[DType, int] = {float32: t.FLOAT, float64: t.REAL, int32: t.INT, int64: t.LONG}
_Word = ctypes.c_int64
Native = Callable[["Call"], bool]          # False: it is for Python to compute


class Call:
    """operands, results: addresses of SLOTs."""

    __slots__ = ("_host", "_name", "_operands", "_reserve", "_results")

    def __init__(self, reserve: Reserve, host: int, name: str, operands: Sequence[int], results: Sequence[int]) -> None:
        self._reserve, self._host, self._name, self._operands, self._results = reserve, host, name, operands, results

    def place(self, operand: int) -> tuple[tuple[int, ...], int]:
        """The shape and the address of an operand."""
        return place_of(self._operands[operand])

    def places(self) -> list[tuple[tuple[int, ...], int]]:
        return [place_of(slot) for slot in self._operands]

    def dtype(self, operand: int) -> DType:
        return dtype_of(self._operands[operand])

    def reserve(self, result: int, shape: tuple[int, ...]) -> int:
        """The address of a result, which gets this shape."""
        return reserve_slot(self._reserve, self._host, self._results[result], shape, self._name, result)

    def kernel(self, name: str, *words: int) -> int:
        """What a kernel returns that only reads strings."""
        with TABLE.lock:
            return TABLE.native[name](TABLE.address, *words)

    def alone(self, name: str, *words: int) -> int:
        """What a kernel returns that needs no strings."""
        with TABLE.lock:
            return TABLE.native[name](*words)

    def making(self, name: str, *words: int) -> int:
        """What a kernel returns that makes strings: the run holds them."""
        held = held_by_run()
        with TABLE.lock:
            return TABLE.native[name](TABLE.address, held.address, *words)


def count_of(shape: tuple[int, ...]) -> int:
    return math.prod(shape)


def address_of_bytes(value: bytes) -> int:
    """Where the bytes are, as long as the object lives."""
    return id(value) + bytes.__basicsize__ - 1


class Words:
    """A few words that a kernel reads or writes."""

    __slots__ = ("address", "words")

    def __init__(self, *values: int) -> None:
        self.words = (_Word * len(values))(*values)
        self.address = ctypes.addressof(self.words)

    @staticmethod
    def from_address(address: int) -> int:
        """The word there."""
        return _Word.from_address(address).value

    @staticmethod
    def int_at(address: int) -> int:
        """The word of 32 bits there."""
        return ctypes.c_int32.from_address(address).value

    @staticmethod
    def write(address: int, *values: int) -> None:
        (_Word * len(values)).from_address(address)[:] = list(values)


def table_of(rows: Sequence[Sequence[int]]) -> np.ndarray[Any, Any]:
    """Rows of words, one behind the other."""
    return np.array(rows, np.int64).reshape(-1)
