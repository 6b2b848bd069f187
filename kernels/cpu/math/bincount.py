"""bincount: how often each number occurs, or the sum of the weights of its occurrences.

Job: bins = 0; bins[values[j]] += weights[j] (1 if there are no weights) for j in ascending order; values from `size` on
are left out. A value below 0 is refused: INVALID_VALUE, it and its position in scratch.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, address, int64_at, zero_bytes
from ..words import INVALID_VALUE, OK, SCRATCH_BYTES, TILES


def make(types):
    item = ITEM_SIZES[types["T"]]

    def bind(count, weighted, size, choice):
        choice[TILES] = 1
        choice[SCRATCH_BYTES] = 64

    def run(values, weights, bins, count, weighted, size, choice, work, scratch, phase, tile):
        zero_bytes(address(bins), size * item)
        for j in range(count):
            value = values[j]
            if value < 0:
                detail = int64_at(scratch)
                detail[0] = value
                detail[1] = j
                return INVALID_VALUE
            if value < size:
                if weighted:
                    bins[value] += weights[j]
                else:
                    bins[value] += 1
        return OK
    return Functions(bind, run)
