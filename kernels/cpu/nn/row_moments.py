"""row_moments: the mean and the variance of each row of x[rows, cols], in one pass over memory.

Job: a block of a row is read twice, the second time from the first cache: its sum, then the squares of deviations from
its mean. Blocks, and parts of rows that are longer than PART, are combined by Chan's formula, so that a large mean
costs no more digits than the elements have lost to it.
Tiles are some rows, or a part of a row, whose two numbers go to the workspace; phase 1 puts those together in order.
Invariants: parts and blocks follow from the sizes alone; of no elements both are NaN.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, NUMBA_TYPES, ceil_div, helper, offset, pointer_to
from ..words import OK, TILES, TILES_1, USER, WORK_BYTES
from .layer_norm import row_sums

BLOCK = 2048                           # elements of a block, at most
PART = 1 << 16                         # elements of a tile
TILE_ROWS, PARTS = USER, USER + 1


def make(types):
    dtype = types["T"]
    size, at, of = ITEM_SIZES[dtype], pointer_to(dtype), NUMBA_TYPES[dtype]
    sum_of, squares_of = row_sums(dtype)
    zero = of(0)

    @helper
    def joined(total, squares, count, more, more_squares, added):
        """The squares of `count` elements and `added` others, by their sums; count may be 0."""
        step = more / of(added) - total / of(max(count, 1))
        return squares + (more_squares + step * (of(count) * of(added) / of(count + added)) * step)

    @helper
    def summary(x, count):
        """(sum, squares of deviations from the mean)"""
        total = squares = zero
        for start in range(0, count, BLOCK):
            block, length = offset(x, start), min(BLOCK, count - start)
            more = sum_of(block, length)
            squares = joined(total, squares, start, more, squares_of(block, length, more / of(length)), length)
            total += more
        return total, squares

    def bind(rows, cols, choice):
        parts = ceil_div(cols, PART)
        choice[PARTS] = parts
        choice[TILE_ROWS] = max(PART // max(cols, 1), 1) if parts <= 1 else 1
        choice[TILES] = ceil_div(rows, choice[TILE_ROWS]) * max(parts, 1)
        if parts > 1:
            choice[TILES_1], choice[WORK_BYTES] = 1, 2 * rows * parts * size

    def run(x, mean, variance, rows, cols, choice, work, scratch, phase, tile):
        parts, made = choice[PARTS], at(work)
        if phase == 1:
            for row in range(rows):
                total = squares = zero
                for part in range(parts):
                    before, some = part * PART, offset(made, 2 * (row * parts + part))
                    squares = joined(total, squares, before, some[0], some[1], min(PART, cols - before))
                    total += some[0]
                mean[row], variance[row] = total / of(cols), squares / of(cols)
            return OK
        first = tile * choice[TILE_ROWS] if parts <= 1 else tile // parts
        for row in range(first, min(first + choice[TILE_ROWS], rows)):
            begin = 0 if parts <= 1 else tile % parts * PART
            total, squares = summary(offset(x, row * cols + begin), min(PART, cols - begin))
            if parts <= 1:
                mean[row], variance[row] = total / of(cols), squares / of(cols)
            else:
                made[2 * tile], made[2 * tile + 1] = total, squares
        return OK
    return Functions(bind, run)
