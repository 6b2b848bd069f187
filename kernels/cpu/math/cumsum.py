"""cumsum, cumprod: running sums and products along an axis, x[outer, n, inner].

Job: y[i] = x[0] + ... + x[i] (or the product); exclusive leaves out x[i], reverse runs from the end.
Invariants: combined in order of position; a tile owns whole columns; y may be x's memory.

Columns go side by side, line by line, with their totals in scratch; rows (inner = 1) and few columns one after the
other.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.tiles import scan_line
from ..memory import ITEM_SIZES, NUMBA_TYPES, offset, pointer_to
from ..words import OK, SCRATCH_BYTES, TILES, USER

TILE = 16384                           # elements of a tile, about
STRIP = 1024                           # columns side by side, at most
FEW = 8                                # columns that are fewer go one after the other


def make(types, product):
    dtype = types["T"]
    neutral, size, at = NUMBA_TYPES[dtype](1 if product else 0), ITEM_SIZES[dtype], pointer_to(dtype)
    line = scan_line("mul" if product else "add")

    def bind(outer, n, inner, exclusive, reverse, choice):
        per_tile = max(TILE // max(n, 1), STRIP if inner >= FEW else 1)
        choice[USER] = per_tile
        choice[TILES] = (outer * inner + per_tile - 1) // per_tile
        choice[SCRATCH_BYTES] = size * STRIP

    def run(x, y, outer, n, inner, exclusive, reverse, choice, work, scratch, phase, tile):
        first, totals = tile * choice[USER], at(scratch)
        end = min(first + choice[USER], outer * inner)
        if inner < FEW:
            for column in range(first, end):
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
        while first < end:
            start = first // inner * n * inner + first % inner
            count = min(min(inner - first % inner, end - first), STRIP)
            for j in range(count):
                totals[j] = neutral
            for i in range(n):
                position = start + (n - 1 - i if reverse else i) * inner
                line(totals, offset(x, position), offset(y, position), count, exclusive)
            first += count
        return OK
    return Functions(bind, run)


def make_cumsum(types):
    return make(types, False)


def make_cumprod(types):
    return make(types, True)
