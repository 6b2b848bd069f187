"""cumsum, cumprod: running sums and products along an axis, x[outer, n, inner].

Job: y[i] = x[0] + ... + x[i] (or the product); exclusive leaves out x[i], reverse runs from the end.
Invariants: combined in order of position; a tile owns whole columns; y may be x's memory.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import NUMBA_TYPES, offset
from ..words import OK, TILES, USER

TILE = 16384                           # elements of a tile, about


def make(types, product):
    neutral = NUMBA_TYPES[types["T"]](1 if product else 0)

    def bind(outer, n, inner, exclusive, reverse, choice):
        per_tile = max(TILE // max(n, 1), 1)
        choice[USER] = per_tile
        choice[TILES] = (outer * inner + per_tile - 1) // per_tile

    def run(x, y, outer, n, inner, exclusive, reverse, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for column in range(first, min(first + choice[USER], outer * inner)):
            start = column // inner * n * inner + column % inner
            source, target = offset(x, start), offset(y, start)
            total = neutral
            for i in range(n):
                position = (n - 1 - i if reverse else i) * inner
                value = source[position]
                following = total * value if product else total + value
                target[position] = total if exclusive else following
                total = following
        return OK
    return Functions(bind, run)


def make_cumsum(types):
    return make(types, False)


def make_cumprod(types):
    return make(types, True)
