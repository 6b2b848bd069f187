"""argmax, argmin: where along an axis the greatest or least element stands.

Job: x[outer, n, inner] -> out[outer, inner]. The first one wins; NaN counts as greatest and as least, as in NumPy.
Invariant: an empty axis (n = 0) is refused by a relation unless nothing is to be written.
"""
from __future__ import annotations

from .kernel import Functions, Kernel, Operand, at_least, register
from .memory import INDICES, helper, offset
from .words import OK, TILE_ELEMENTS, TILES, USER

TILE = 16384                           # elements of x of a tile, about
TYPES = ("f32", "f64", "i32", "i64", "u8", "i8", "i16", "u16", "u32")


@helper
def greater(left, right):
    return left > right


@helper
def less(left, right):
    return left < right


def _make(better):
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
                    # A NaN beats every number and is beaten by nothing.
                    if (better(value, best) or value != value) and best == best:
                        best, where = value, i
                out[result] = where
            return OK
        return Functions(bind, run)
    return make


DIMS = ("outer", "n", "inner")
OPERANDS = (Operand("x", "in", "T", "outer * n * inner"), Operand("out", "out", "I", "outer * inner"))
for _name, _better in (("argmax", greater), ("argmin", less)):
    register(Kernel(_name, OPERANDS, DIMS, (), tuple({"T": t, "I": i} for t in TYPES for i in INDICES), _make(_better),
                    (*at_least(0, *DIMS), "n > 0 or outer * inner == 0"), "outer * n * inner"))
