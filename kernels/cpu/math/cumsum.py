"""cumsum, cumprod: running sums and products along an axis, x[outer, n, inner].

Job: y[i] = x[0] + ... + x[i] (or the product); exclusive leaves out x[i], reverse runs from the end.
Invariants: combined in order of position; a tile owns whole columns; y may be x's memory.

Columns go side by side, line by line, with their totals in scratch; rows (inner = 1) and few columns one after the
other.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.tiles import scan_line
from ..memory import ITEM_SIZES, NUMBA_TYPES, helper, offset, pointer_to
from ..words import OK, SCRATCH_BYTES, TILES, USER

TILE = 16384                           # elements of a tile, about
STRIP = 1024                           # columns side by side, at most
FEW = 8                                # columns that are fewer go one after the other


def scanned(neutral, product):
    """The function (x, y, n, step, exclusive, reverse) for n elements that are `step` apart."""
    @helper
    def scan(x, y, n, step, exclusive, reverse):
        a = neutral
        for i in range(n):
            at = (n - 1 - i if reverse else i) * step
            value = x[at]
            after = a * value if product else a + value
            y[at] = a if exclusive else after
            a = after
    return scan


def make(types, product):
    dtype = types["T"]
    neutral, size, at = NUMBA_TYPES[dtype](1 if product else 0), ITEM_SIZES[dtype], pointer_to(dtype)
    column_scan, line = scanned(neutral, product), scan_line("mul" if product else "add")

    def bind(outer, n, inner, exclusive, reverse, choice):
        per_tile = max(TILE // max(n, 1), STRIP if inner >= FEW else 1)
        choice[USER] = per_tile
        choice[TILES] = (outer * inner + per_tile - 1) // per_tile
        choice[SCRATCH_BYTES] = size * STRIP

    def run(x, y, outer, n, inner, exclusive, reverse, choice, work, scratch, phase, tile):
        column, totals = tile * choice[USER], at(scratch)
        end = min(column + choice[USER], outer * inner)
        while column < end:
            start = column // inner * n * inner + column % inner
            source, target, count = offset(x, start), offset(y, start), 1
            if inner >= FEW:
                count = min(min(inner - column % inner, end - column), STRIP)
                for j in range(count):
                    totals[j] = neutral
                for i in range(n):
                    position = (n - 1 - i if reverse else i) * inner
                    line(totals, offset(source, position), offset(target, position), count, exclusive)
            else:
                column_scan(source, target, n, inner, exclusive, reverse)
            column += count
        return OK
    return Functions(bind, run)


def make_cumsum(types):
    return make(types, False)


def make_cumprod(types):
    return make(types, True)
