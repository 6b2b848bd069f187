"""cumsum, cumprod: running sums and products along an axis, x[outer, n, inner].

Job: y[i] = x[0] + ... + x[i] (or the product); exclusive leaves out x[i], reverse runs from the end.
Invariants: combined in order of position; a tile owns whole columns; y may be x's memory.

Columns go side by side, line by line, with their totals in scratch; rows (inner = 1) four at a time, for a sum waits
for the one before.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.tiles import scan_line
from ..memory import ITEM_SIZES, NUMBA_TYPES, helper, offset, pointer_to
from ..words import OK, SCRATCH_BYTES, TILES, USER

TILE = 16384                           # elements of a tile, about
STRIP = 1024                           # columns side by side, at most
ROWS = 4


def scanned_row(neutral, product):
    """The function (x, y, n, exclusive, reverse) for a row."""
    @helper
    def scan(x, y, n, exclusive, reverse):
        a = neutral
        for i in range(n):
            at = n - 1 - i if reverse else i
            value = x[at]
            after = a * value if product else a + value
            y[at] = a if exclusive else after
            a = after
    return scan


def scanned_rows(neutral, product):
    """The function (x, y, n, step) for ROWS rows that follow one another: sums that leave out nothing, from x[0] on in
    the direction of step, 1 or -1."""
    @helper
    def combined(total, value):
        return total * value if product else total + value

    @helper
    def scan(x, y, n, step):
        a = b = c = d = neutral
        for i in range(n):
            at = i * step
            a, b = combined(a, x[at]), combined(b, x[at + n])
            c, d = combined(c, x[at + 2 * n]), combined(d, x[at + 3 * n])
            y[at], y[at + n], y[at + 2 * n], y[at + 3 * n] = a, b, c, d
    return scan


def make(types, product):
    dtype = types["T"]
    neutral, size, at = NUMBA_TYPES[dtype](1 if product else 0), ITEM_SIZES[dtype], pointer_to(dtype)
    one, four = scanned_row(neutral, product), scanned_rows(neutral, product)
    line = scan_line("mul" if product else "add")

    def bind(outer, n, inner, exclusive, reverse, choice):
        per_tile = max(TILE // max(n, 1), min(inner, STRIP) if inner > 1 else ROWS)
        choice[USER] = per_tile
        choice[TILES] = (outer * inner + per_tile - 1) // per_tile
        choice[SCRATCH_BYTES] = size * STRIP

    def run(x, y, outer, n, inner, exclusive, reverse, choice, work, scratch, phase, tile):
        column, totals = tile * choice[USER], at(scratch)
        end = min(column + choice[USER], outer * inner)
        while column < end:
            start = column // inner * n * inner + column % inner
            source, target, count = offset(x, start), offset(y, start), 1
            if inner > 1:
                count = min(min(inner - column % inner, end - column), STRIP)
                for j in range(count):
                    totals[j] = neutral
                for i in range(n):
                    position = (n - 1 - i if reverse else i) * inner
                    line(totals, offset(source, position), offset(target, position), count, exclusive)
            elif end - column >= ROWS and not exclusive:
                last = n - 1 if reverse else 0
                four(offset(source, last), offset(target, last), n, -1 if reverse else 1)
                count = ROWS
            else:
                one(source, target, n, exclusive, reverse)
            column += count
        return OK
    return Functions(bind, run)


def make_cumsum(types):
    return make(types, False)


def make_cumprod(types):
    return make(types, True)
