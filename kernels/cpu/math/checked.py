"""checked: y = x, unless an element of x is one that the next step cannot take.

Job: integers that divide (0 is refused) and that are exponents (below 0 is refused): primitives of maps cannot fail, so
what they cannot take is looked for before. attr `refused`: 0 zeros, 1 numbers below 0; nothing is refused if there are
no `results` to be computed from it.
Invariant: every element of a tile is copied whatever it is; only the status tells.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..words import DIVISION_BY_ZERO, NEGATIVE_EXPONENT, OK, TILE_ELEMENTS, TILES

TILE = 16384


def make(types):
    def bind(elements, results, refused, choice):
        choice[TILES] = (elements + TILE - 1) // TILE
        choice[TILE_ELEMENTS] = TILE

    def run(x, y, elements, results, refused, choice, work, scratch, phase, tile):
        first = tile * TILE
        zeros, negative = 0, 0
        for i in range(first, min(first + TILE, elements)):
            value = x[i]
            zeros |= value == 0
            negative |= value < 0
            y[i] = value
        if results == 0:
            return OK
        if refused == 0:
            return DIVISION_BY_ZERO if zeros else OK
        return NEGATIVE_EXPONENT if negative else OK
    return Functions(bind, run)
