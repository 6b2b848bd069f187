"""invert_permutation: y[x[i]] = i.

Invariants: every index is checked before it is used, INDEX_OUT_OF_RANGE; one that comes twice is an INVALID_VALUE.
Index and size stand in scratch.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import int64_at
from ..words import INDEX_OUT_OF_RANGE, INVALID_VALUE, OK, SCRATCH_BYTES, TILES


def make(types):
    def bind(n, choice):
        choice[TILES] = 1
        choice[SCRATCH_BYTES] = 64

    def run(x, y, n, choice, work, scratch, phase, tile):
        detail = int64_at(scratch)
        detail[1] = n
        for i in range(n):
            y[i] = -1
        for i in range(n):
            index = x[i]
            detail[0] = index
            if index < 0 or index >= n:
                return INDEX_OUT_OF_RANGE
            if y[index] != -1:
                return INVALID_VALUE
            y[index] = i
        return OK
    return Functions(bind, run)
