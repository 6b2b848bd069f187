"""window_sum: for each element of a row, the sum of its neighbours up to `radius` to either side, itself among them.

Job: y[row, i] = sum of x[row, j] for |i - j| <= radius, of those that there are.
Invariants: a tile is some whole rows; terms are added in order of their distance, so neighbours are vectors of a row.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import offset
from ..rows import bind_rows
from ..words import OK, USER


def make(types):
    def bind(rows, cols, radius, choice):
        bind_rows(rows, cols, choice)

    def run(x, y, rows, cols, radius, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            source, target = offset(x, row * cols), offset(y, row * cols)
            for i in range(cols):
                target[i] = source[i]
            for distance in range(1, min(radius, cols - 1) + 1):
                for i in range(cols - distance):
                    target[i] += source[i + distance]
                for i in range(distance, cols):
                    target[i] += source[i - distance]
        return OK
    return Functions(bind, run)
