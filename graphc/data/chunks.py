"""Functions of many elements at once: what `map` and `filter` do where a function has a stacked form (docs/adr/0085).

A chunk of elements is read ahead and stacked, and the function's stacked form is run on it. Elements, their order and
their errors are those of running the function on each alone: an error in front of the pipeline waits until the elements
before it are gone, and a chunk that fails, or whose elements have different shapes, is run element by element as they
are asked for. Chunks grow from one element, so that whoever takes few elements causes few to be read.
"""
from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from graphc import errors
from graphc.data.batches import stacked
from graphc.data.functions import Function
from graphc.data.pipeline import Rows, Run
from graphc.data.structure import Element, SparsePart, array_of, flatten
from graphc.data.uneven import UnevenArrays

MOST_ELEMENTS = 64
MOST_BYTES = 1 << 18          # of a chunk: with more, a run costs more than what surrounds it


class Chunks:
    """What a function gives for the elements of a stream, a chunk at a time. An item is an element of the stream, or,
    of Rows, its index."""

    def __init__(self, stream: Any, function: Function, run: Run) -> None:
        self.rows = stream if isinstance(stream, Rows) else None
        self.items: Iterator[Any] = iter(stream) if self.rows is None else stream.indices
        self.function, self.alone, self.many = function, function.bound(run), function.many(run)
        self.dtypes = [part.dtype for part in function.parts]
        self.size, self.most = 1, MOST_ELEMENTS
        self.ended: Exception | None = None            # what the stream gave after the last chunk
        self.unread: list[Any] = []                    # items of a chunk whose run was interrupted

    def one(self, item: Any) -> Element:
        """The function's result for an item."""
        return self.alone(item if self.rows is None else self.rows.element(item))

    def next(self) -> tuple[list[Any], Element | None]:
        """The next items, and the function's results for all of them, stacked; None if it is to be run on each alone,
        whatever the reason: each then gives its own result or error."""
        items = self._read()
        if len(items) == 1:
            if self.function.pays_off():
                self.size = min(2, self.most)
            return items, None
        arrays = self._stacked(items)
        try:
            results = None if arrays is None else self.many(arrays, len(items))
        except Exception:
            results = None
        except BaseException:                          # an interrupt: nothing is lost
            self.unread = items
            raise
        self._grow(arrays, results)
        return items, results

    def _read(self) -> list[Any]:
        """As many items as a chunk has now, or fewer in front of an end or an error, which the next call raises."""
        if self.unread:
            unread, self.unread = self.unread, []
            return unread
        if self.ended is not None:
            ended, self.ended = self.ended, None
            raise ended
        found: list[Any] = []
        try:
            for _ in range(self.size):
                found.append(next(self.items))
        except Exception as error:
            if not found:
                raise
            self.ended = error
        return found

    def _stacked(self, items: list[Any]) -> Element | None:
        """The items' elements, one below the other, and flat parts one after another; None if shapes differ."""
        try:
            return tuple([self._column(items, part, flat) for part, flat in enumerate(self.function.flat)])
        except (errors.InvalidArgumentError, ValueError):
            return None

    def _column(self, items: list[Any], part: int, flat: bool) -> Any:
        if self.rows is not None:
            return self.rows.uneven(items, part) if flat else self.rows.column(items, part)
        dtype, values = self.dtypes[part], [item[part] for item in items]
        if flat:
            return UnevenArrays.of([array_of(v, dtype) for v in values])
        if any(type(v) is np.ndarray for v in values):
            return stacked(values, self.function.parts[part])
        column = np.empty(len(values), dtype.as_numpy_dtype)
        column[:] = values                              # numbers, or strings
        return column

    def _grow(self, arrays: Element | None, results: Element | None) -> None:
        """Takes more elements the next time, if those were few bytes; one if they could not be run together."""
        if arrays is None or results is None:
            self.size = 1
            return
        count = sum(map(_bytes_of, (*arrays, *results)))
        if count * 2 > MOST_BYTES:
            self.most = min(self.most, max(1, self.size * MOST_BYTES // (count * 2)))
        self.size = min(self.size * 2, self.most)


class Mapped:
    """The indices (RowsOfBlocks) of a function's results."""

    def __init__(self, chunks: Chunks) -> None:
        self.chunks = chunks
        self.parts = flatten(chunks.function.structure)
        self.block: Element = ()
        self.at = self.count = 0                       # of the block: what is given next, and how many there are
        self.waiting: deque[Any] = deque()             # items to be run alone

    def __iter__(self) -> Mapped:
        return self

    def __next__(self) -> tuple[Element, int]:
        while True:
            at = self.at
            if at < self.count:
                self.at = at + 1
                return self.block, at
            if self.waiting:
                element = self.chunks.one(self.waiting.popleft())
                return tuple([[v] if isinstance(part, SparsePart) else array_of(v, part.dtype)[None]
                              for v, part in zip(element, self.parts, strict=True)]), 0
            items, found = self.chunks.next()
            if found is None:
                self.waiting.extend(items)
            else:
                self.block, self.at, self.count = found, 0, len(items)


class Chosen:
    """The items of which a predicate is true."""

    def __init__(self, chunks: Chunks) -> None:
        self.chunks = chunks
        self.chosen: deque[Any] = deque()
        self.waiting: deque[Any] = deque()             # items to be asked about alone

    def __iter__(self) -> Chosen:
        return self

    def __next__(self) -> Any:
        while True:
            if self.chosen:
                return self.chosen.popleft()
            if self.waiting:
                item = self.waiting.popleft()
                if self.chunks.one(item)[0]:
                    return item
                continue
            items, found = self.chunks.next()
            if found is None:
                self.waiting.extend(items)
            else:
                self.chosen.extend(itertools.compress(items, found[0].tolist()))


def _bytes_of(part: Any) -> int:
    is_text = type(part) is np.ndarray and part.dtype == object
    return sum(map(len, part.ravel().tolist())) if is_text else part.nbytes
