"""What the host asks of the device for lists of its values (split_lists.py), as functions of vectors.

A vector is a value's sizes and address. What was never written has the sizes that are said, or else those of another
element, as in the runtime's lists; sizes that do not fit are the runtime's errors (kernels/runtime/list_read.py).
"""
from __future__ import annotations

import weakref
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from graphc.exec.cuda.memory import bytes_of
from graphc.exec.cuda.split.listed import Elements
from graphc.ir.records import dataclass
from graphc.kernels.runtime import tables as t

if TYPE_CHECKING:
    from graphc.exec.cuda.split.mixed import MixedEngine

LIST_NAME = "gpu_list"


class Made(IntEnum):
    """operands -> result. A matrix has an element's vector in each row, zeros if it was never written."""

    PARTS = 0      # vector -> matrix of its rows
    ZEROS = 1      # matrix, sizes said, index -> vector of an element that was never written
    ROWS = 2       # matrix, sizes said -> vector of all, one below the other
    JOINED = 3     # matrix, sizes said, maybe lengths -> vector of all, one after another along their first axes
    LENGTHS = 4    # matrix -> sizes of the first axes
    SPLIT = 5      # vector, lengths -> matrix of so many rows each


@dataclass(frozen=True)
class ListUse:
    """body, step: of the whole plan, for errors."""

    number: int
    made: Made
    body: int
    step: int
    elements: Elements


class ListCall:
    """The function that the host's runtime calls for a ListUse."""

    stays_inside = True        # no code of the user's: the run keeps the variables' lock
    borrows = True

    def __init__(self, engine: weakref.ref[MixedEngine], use: ListUse) -> None:
        self._reference, self._use = engine, use

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        how = (self._parts, self._zeros, self._rows, self._joined, self._lengths,
               self._split)[self._use.made]
        return how(*arrays)

    @property
    def _engine(self) -> MixedEngine:
        engine = self._reference()
        assert engine is not None
        return engine

    def _fail(self, code: int, *words: int) -> Exception:
        error = self._engine.refused(self._use.body, self._use.step, code, *words)
        error.is_of_part = True        # type: ignore[attr-defined]
        return error

    def _bytes(self, sizes: Sequence[int]) -> int:
        return bytes_of(self._use.elements.dtype, sizes)

    def _gathered(self, count: int, pieces: Sequence[tuple[int, int, int]]) -> int:
        return self._engine.gathered(self._use.elements.home, count, pieces)

    def _parts(self, vector: np.ndarray) -> np.ndarray:
        *sizes, address = vector.tolist()
        each = self._bytes(sizes[1:])
        found = np.empty((sizes[0], len(sizes)), np.int64)
        found[:, :-1] = sizes[1:]
        found[:, -1] = address + each * np.arange(sizes[0], dtype=np.int64)
        return found

    def _zeros(self, matrix: np.ndarray, said: np.ndarray, index: np.ndarray) -> np.ndarray:
        sizes = self._sizes(matrix, said, 0, int(index))
        return np.array([*sizes, self._gathered(self._bytes(sizes), [])], np.int64)

    def _rows(self, matrix: np.ndarray, said: np.ndarray) -> np.ndarray:
        sizes, address = self._sizes(matrix, said, 0, 0), 0
        self._check(matrix, sizes, 0)
        each = self._bytes(sizes)
        pieces = [(each * i, source, each) for i, source in enumerate(matrix[:, -1].tolist())]
        address = self._gathered(each * len(matrix), pieces)
        return np.array([len(matrix), *sizes, address], np.int64)

    def _joined(self, matrix: np.ndarray, said: np.ndarray, lengths: np.ndarray | None = None) -> np.ndarray:
        """lengths: as many elements are joined, zeros of these lengths for those that were never written."""
        _, *inner = self._sizes(matrix, said, 1, 0)
        if lengths is None:
            self._check_written(matrix)
        else:
            matrix = self._of_lengths(matrix, lengths)
        self._check(matrix, [-1, *inner], 1)
        each, pieces, total = self._bytes(inner), [], 0
        for length, source in zip(matrix[:, 0].tolist(), matrix[:, -1].tolist(), strict=True):
            pieces.append((each * total, source, each * length))
            total += length
        return np.array([total, *inner, self._gathered(each * total, pieces)], np.int64)

    def _of_lengths(self, matrix: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """The first elements, one for each length, which it has."""
        found = np.zeros((len(lengths), matrix.shape[1]), np.int64)
        found[:len(matrix)] = matrix[:len(lengths)]
        there = found[:, -1] != 0
        for i in np.flatnonzero(~there & (lengths < 0)).tolist():
            raise self._fail(t.LIST_UNWRITTEN, i)
        for i in np.flatnonzero(there & (found[:, 0] != lengths)).tolist():
            raise self._fail(t.LIST_SHAPES, i, int(found[i, 0]), int(lengths[i]))
        found[:, 0] = lengths
        return found

    def _lengths(self, matrix: np.ndarray) -> np.ndarray:
        self._check_written(matrix)
        if len(matrix) and not self._use.elements.rank:
            raise self._fail(t.LIST_SHAPES, 0, 0, 1)
        return matrix[:, 0].copy()

    def _split(self, vector: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        rows, *inner, address = vector.tolist()
        each, done, found = self._bytes(inner), 0, np.empty((len(lengths), len(vector)), np.int64)
        for i, length in enumerate(lengths.tolist()):
            if not 0 <= length <= rows - done:
                raise self._fail(t.LIST_COUNT, done + length if length >= 0 else length, rows)
            found[i] = length, *inner, address + each * done
            done += length
        if done != rows:
            raise self._fail(t.LIST_COUNT, done, rows)
        return found

    def _sizes(self, matrix: np.ndarray, said: np.ndarray, first: int, index: int) -> list[int]:
        """An element's sizes, from axis `first` on as they are said, or else as another element has them."""
        known = [row for row in matrix.tolist() if row[-1]]
        sizes = [size if size >= 0 or not known else other
                 for size, other in zip(said.tolist(), known[0] if known else said.tolist(), strict=False)]
        if len(sizes) != self._use.elements.rank or min(sizes[first:], default=0) < 0:
            raise self._fail(t.LIST_UNWRITTEN, index)
        return sizes

    def _check_written(self, matrix: np.ndarray) -> None:
        for i in np.flatnonzero(matrix[:, -1] == 0).tolist():
            raise self._fail(t.LIST_UNWRITTEN, i)

    def _check(self, matrix: np.ndarray, sizes: Sequence[int], first: int) -> None:
        """That elements have these sizes from axis `first` on."""
        wrong = (matrix[:, first:-1] != sizes[first:]) & (matrix[:, -1:] != 0)
        for i, axis in np.argwhere(wrong).tolist():
            raise self._fail(t.LIST_SHAPES, i, int(matrix[i, first + axis]), sizes[first + axis])
