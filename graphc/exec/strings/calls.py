"""A call of a function on strings by a plan, as the string kernels see it: numbers where they lie, no Python objects.

A kernel does an op's work if all of it is plain; else it says so, and the op computes it in Python as if nothing had
been done (docs/adr/0080). So what an op means, and what is wrong with its operands, is said once.
"""
from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence, Set

from graphc.exec.slots import Reserve, reserve_slot, slot_record
from graphc.exec.strings.runs import held_by_run
from graphc.exec.strings.table import TABLE
from graphc.ir.dtypes import DType, float32, float64, int32, int64, string
from graphc.kernels.runtime import tables as r
from graphc.kernels.strings import tables as t

KINDS: dict[DType, int] = {float32: t.FLOAT, float64: t.REAL, int32: t.INT, int64: t.LONG}
_NUMBERS = {dtype.number: dtype for dtype in KINDS}
_Word = ctypes.c_int64
Native = Callable[["Call"], bool]          # False: it is for Python to compute


class Call:
    """operands, results: addresses of SLOTs. strings: which operands are."""

    __slots__ = ("_host", "_name", "_operands", "_reserve", "_results", "strings")

    def __init__(self, reserve: Reserve, host: int, name: str, operands: Sequence[int], results: Sequence[int],
                 strings: Set[int]) -> None:
        self.strings = strings
        self._reserve, self._host, self._name, self._operands, self._results = reserve, host, name, operands, results

    def __len__(self) -> int:
        return len(self._operands)

    def place(self, operand: int, dtype: DType = string) -> tuple[tuple[int, ...], int]:
        """The shape and the address of an operand. Raises TypeError if it is of another dtype, in a damaged plan."""
        words = slot_record(self._operands[operand])
        if words[r.SLOT_DTYPE] != dtype.stored.number:
            raise TypeError(f"operand {operand} of {self._name} is not {dtype.name}")
        return words[r.SLOT_SIZES:r.SLOT_SIZES + words[r.SLOT_RANK]], words[r.SLOT_ADDRESS]

    def scalar(self, operand: int, dtype: DType = string) -> int:
        """The address of an operand of one element. Raises TypeError if it has more, in a damaged plan."""
        shape, address = self.place(operand, dtype)
        if count_of(shape) != 1:
            raise TypeError(f"operand {operand} of {self._name} has shape {shape}, but one element is wanted")
        return address

    def dtype(self, operand: int) -> DType | None:
        """Of an operand that is numbers of KINDS; None if it is of another dtype."""
        return _NUMBERS.get(slot_record(self._operands[operand])[r.SLOT_DTYPE])

    def reserve(self, result: int, shape: tuple[int, ...], dtype: DType = string) -> int:
        """The address of a result of that dtype, which gets this shape. Raises as `place` does."""
        return reserve_slot(self._reserve, self._host, self._results[result], shape, self._name, result,
                            dtype.stored.number)

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


def signed(word: int) -> int:
    """A word of 64 bits as kernels take it."""
    return (word + (1 << 63)) % (1 << 64) - (1 << 63)


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


def table_of(rows: Sequence[Sequence[int]]) -> Words:
    """Rows of words, one after the other."""
    return Words(*[word for row in rows for word in row])
