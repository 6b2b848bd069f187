"""window_sum: for each element of a row, the sum of its neighbours up to `radius` to either side, itself among them.

Job: y[row, i] = sum of x[row, j] for |i - j| <= radius, of those that there are.
Invariants: a tile is some whole rows; terms are added in order of their distance, that ahead before that behind. A row
lies in scratch between zeros, so that all of its elements have all neighbours; sums of a vector of them stay in
registers.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, offset, pointer_to
from ..rows import bind_rows
from ..vector import vectors
from ..words import OK, SCRATCH_BYTES, USER


def make(types):
    dtype = types["T"]
    at, size, v = pointer_to(dtype), ITEM_SIZES[dtype], vectors(dtype)
    lanes, load, store, load_some, store_some, add = v.lanes, v.load, v.store, v.load_some, v.store_some, v.add

    def bind(rows, cols, radius, choice):
        bind_rows(rows, cols, choice)
        if rows * cols > 0:
            choice[SCRATCH_BYTES] = size * (cols + 2 * min(radius, cols - 1) + lanes)

    def run(x, y, rows, cols, radius, choice, work, scratch, phase, tile):
        gap, whole = min(radius, cols - 1), cols // lanes * lanes
        line = offset(at(scratch), gap)
        for i in range(gap):
            line[i - gap] = 0
        for i in range(cols, cols + gap + lanes):
            line[i] = 0
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            source, target = offset(x, row * cols), offset(y, row * cols)
            for i in range(0, whole, lanes):
                store(line, i, load(source, i))
            if whole < cols:
                store_some(line, whole, load_some(source, whole, cols - whole), cols - whole)
            for i in range(0, cols, lanes):
                total = load(line, i)
                for distance in range(1, gap + 1):
                    total = add(add(total, load(line, i + distance)), load(line, i - distance))
                if i < whole:
                    store(target, i, total)
                else:
                    store_some(target, i, total, cols - i)
        return OK
    return Functions(bind, run)
