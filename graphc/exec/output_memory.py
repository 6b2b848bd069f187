"""Memory of large outputs, which comes back when the caller's arrays are gone.

Arrays that a run returns are the caller's own. Large ones would be new memory in every run: the system gives it page by
page and clears it, which for the logits of a language model takes as long as a tenth of the run. So the memory of an
array that nobody refers to any more, nor to a view of it, serves for the same output of the next run.

Invariant: an engine holds no more than the large outputs of one run, of the shapes that were bound last.
"""
from __future__ import annotations

import ctypes
import weakref
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from graphc.exec.states import aligned_empty

LARGE = 1 << 20            # bytes: below, the system's allocator keeps memory by itself


class OutputMemory:
    """Of one engine; any thread may ask for memory, and give it back."""

    def __init__(self) -> None:
        self._most: Counter[int] = Counter()           # blocks of each size that are worth keeping
        self._spare: dict[int, list[np.ndarray]] = {}

    def expect(self, sizes: Sequence[int]) -> None:
        """What the runs to come return, in bytes; what is kept of other sizes goes."""
        self._most = Counter(size for size in sizes if size >= LARGE)
        self._spare = {size: self._spare.get(size, []) for size in self._most}

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """An uninitialised array of at least one byte that begins at a multiple of 64."""
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        try:
            block = self._spare[size].pop()
        except (KeyError, IndexError):
            block = aligned_empty((size,), np.uint8)
        lent = _bytes_of(size).from_buffer(block)      # what the array and its views refer to
        weakref.finalize(lent, self._give, block).atexit = False
        made: np.ndarray = np.frombuffer(lent, np.uint8).view(dtype).reshape(shape)
        return made

    def _give(self, block: np.ndarray) -> None:
        spare = self._spare.get(block.nbytes)
        if spare is not None and len(spare) < self._most[block.nbytes]:
            spare.append(block)


@lru_cache(64)
def _bytes_of(size: int) -> Any:
    return ctypes.c_char * size
