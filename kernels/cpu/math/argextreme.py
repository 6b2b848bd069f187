"""argmax, argmin: where along an axis the greatest or least element stands.

Job: x[outer, n, inner] -> out[outer, inner]. The first one wins. As TensorFlow compares, a NaN is passed over,
and the first place is where there is nothing but NaNs and the worst infinity.
Invariant: an empty axis (n = 0) is refused by a relation unless nothing is to be written.
"""
from __future__ import annotations

import numpy as np

from ...contracts.calls import Functions
from ..memory import helper, offset
from ..words import OK, TILE_ELEMENTS, TILES, USER

TILE = 16384                           # elements of x of a tile, about


@helper
def greater(left, right):
    return left > right


@helper
def less(left, right):
    return left < right


def _make(better, worst):
    def make(types):
        def bind(outer, n, inner, choice):
            results = outer * inner
            per_tile = max(TILE // max(n, 1), 1)
            choice[USER] = per_tile
            choice[TILES] = (results + per_tile - 1) // per_tile
            choice[TILE_ELEMENTS] = per_tile

        def run(x, out, outer, n, inner, choice, work, scratch, phase, tile):
            first = tile * choice[USER]
            for result in range(first, min(first + choice[USER], outer * inner)):
                row = offset(x, result // inner * n * inner + result % inner)
                best, where = row[0], 0
                for i in range(1, n):
                    value = row[i * inner]
                    if better(value, best) or (best != best and better(value, worst)):
                        best, where = value, i
                out[result] = where
            return OK
        return Functions(bind, run)
    return make


make_argmax, make_argmin = _make(greater, np.float32(-np.inf)), _make(less, np.float32(np.inf))
