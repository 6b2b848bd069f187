"""cumsum, cumprod: running sums and products along an axis, x[outer, n, inner].

Job: y[i] = x[0] + ... + x[i] (or the product); exclusive leaves out x[i], reverse runs from the end.
Invariants: combined in order of position; a tile owns whole columns; y may be x's memory.

Columns go side by side, line by line, with their totals in scratch. Of rows of floats (inner = 1) so many as a vector
has lanes are turned into scratch, a strip at a time, to be columns there, and back. What is left, and few columns, go
one after the other.
"""
from __future__ import annotations

from functools import cache

from ...contracts.calls import Functions
from ...contracts.dtypes import FLOATS
from ...scalars.squares import SIDES, square_turner
from ...scalars.tiles import scan_line
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, apart, helper, offset, pointer_to
from ..vector import vectors
from ..words import OK, SCRATCH_BYTES, TILES, USER

TILE = 16384                           # elements of a tile, about
STRIP = 1024                           # columns side by side, at most
FEW = 8                                # columns that are fewer go one after the other
TURNED = 64                            # elements of rows that are turned at once, and fewer than a square's side more


@cache
def rows_together(dtype, product):
    """The function (source, target, n, exclusive, reverse, scratch): as many rows of n elements as a vector has lanes,
    n at least as many."""
    v, size, at = vectors(dtype), ITEM_SIZES[dtype], pointer_to(dtype)
    side, turn, neutral = SIDES[size], square_turner(size), NUMBA_TYPES[dtype](1 if product else 0)
    nothing, load, store, splat, add = NUMBA_TYPES[dtype](-0.0), v.load, v.store, v.splat, v.add
    multiply_add, line = v.multiply_add, side * size

    @helper
    def turn_strip(target, down, along, source, source_down, source_along, count):
        """Squares of a strip, whose last one overlaps the one before it."""
        apart()
        for position in range(0, count, side):
            first = min(position, count - side)
            turn(target + first * along, down, source + first * source_along, source_down)

    @helper
    def scan(source, target, n, exclusive, reverse, scratch):
        lines, total, left = at(scratch), splat(neutral), n
        while left > 0:
            count = TURNED if left >= TURNED + side else left
            start = (left - count if reverse else n - left) * size
            turn_strip(scratch, line, line, address(source) + start, n * size, size, count)
            for i in range(count):
                position = (count - 1 - i if reverse else i) * side
                value = load(lines, position)
                following = multiply_add(total, value, splat(nothing)) if product else add(total, value)
                store(lines, position, total if exclusive else following)
                total = following
            turn_strip(address(target) + start, n * size, size, scratch, line, line, count)
            left -= count
    return scan


def make(types, product):
    dtype = types["T"]
    neutral, size, at = NUMBA_TYPES[dtype](1 if product else 0), ITEM_SIZES[dtype], pointer_to(dtype)
    line, floats, side = scan_line("mul" if product else "add"), dtype in FLOATS, 64 // size
    turned = rows_together(dtype, product) if floats else None

    def bind(outer, n, inner, exclusive, reverse, choice):
        together = side if floats and inner == 1 and outer >= side and n <= TILE else 1
        per_tile = max(TILE // max(n, 1), STRIP if inner >= FEW else together)
        choice[USER] = per_tile
        choice[TILES] = (outer * inner + per_tile - 1) // per_tile
        choice[SCRATCH_BYTES] = max(size * STRIP, 64 * (TURNED + side))

    def run(x, y, outer, n, inner, exclusive, reverse, choice, work, scratch, phase, tile):
        first, totals = tile * choice[USER], at(scratch)
        end = min(first + choice[USER], outer * inner)
        if inner < FEW:
            if floats:
                while inner == 1 and n >= side and first + side <= end:
                    turned(offset(x, first * n), offset(y, first * n), n, exclusive, reverse, scratch)
                    first += side
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
