"""nonzero: the row-major positions of the true elements of a mask, in ascending order.

Job: the second half of `where`; the count was found by a reduction before, so that the output could be sized.
Invariant: at most `count` positions are written; if the mask holds another number of them the status is INVALID_VALUE.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import address, pointer_to
from ..words import INVALID_VALUE, OK, TILES

bytes_at = pointer_to("u8")           # a bool is one byte, 0 or 1


def make(types):
    def bind(n, count, choice):
        choice[TILES] = 1

    def run(mask, out, n, count, choice, work, scratch, phase, tile):
        flags = bytes_at(address(mask))
        found = 0
        for i in range(n):
            if flags[i]:
                if found == count:
                    return INVALID_VALUE
                out[found] = i
                found += 1
        return OK if found == count else INVALID_VALUE
    return Functions(bind, run)
