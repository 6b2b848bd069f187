"""cumprod_complex: running products of complex numbers along an axis, x[outer, n, inner], each two numbers of T.

Job: cumprod (cumsum.py) for complex numbers; exclusive leaves out x[i], reverse runs from the end.
Invariants: as there; the first product is the first number itself.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import NUMBA_TYPES, offset
from ..words import OK, TILES, USER

TILE = 8192                            # complex numbers of a tile, about


def make(types):
    one, zero = NUMBA_TYPES[types["T"]](1), NUMBA_TYPES[types["T"]](0)

    def bind(outer, n, inner, exclusive, reverse, choice):
        per_tile = max(TILE // max(n, 1), 1)
        choice[USER] = per_tile
        choice[TILES] = (outer * inner + per_tile - 1) // per_tile

    def run(x, y, outer, n, inner, exclusive, reverse, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for column in range(first, min(first + choice[USER], outer * inner)):
            start = 2 * (column // inner * n * inner + column % inner)
            source, target = offset(x, start), offset(y, start)
            real, imaginary = one, zero
            for i in range(n):
                position = 2 * (n - 1 - i if reverse else i) * inner
                a, b = source[position], source[position + 1]
                if exclusive:
                    target[position], target[position + 1] = real, imaginary
                if i > 0:
                    a, b = real * a - imaginary * b, real * b + imaginary * a
                real, imaginary = a, b
                if not exclusive:
                    target[position], target[position + 1] = real, imaginary
        return OK
    return Functions(bind, run)
