"""argmax, argmin: where along an axis the greatest or least element stands.

Job: x[outer, n, inner] -> out[outer, inner]. The first one wins. As TensorFlow compares, a NaN is passed over,
and the first place is where there is nothing but NaNs and the worst infinity.
Invariant: an empty axis (n = 0) is refused by a relation unless nothing is to be written.

A row (inner = 1) is read once, each lane of a vector with its best so far and where that stood. Columns go side by
side, line by line, likewise. Few columns, and integers, go element by element: the code for them would be twice as
large.
"""
from __future__ import annotations

from functools import cache

import numpy as np

from ...contracts.calls import Functions
from ...contracts.dtypes import FLOATS
from ...scalars.row_places import MOST, row_place
from ..memory import ITEM_SIZES, NUMBA_TYPES, apart, compact, helper, offset, pointer_to
from ..words import OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, USER

TILE = 16384                           # elements of x of a tile, about
STRIP = 1024                           # columns side by side, and results at once, at most
FEW = 16                               # columns that are fewer go one after the other
MOST_LINES = (1 << 31) - 1             # of columns side by side, whose places are int32

place_at = pointer_to("i64")
line_at = pointer_to("i32")


@helper
def greater(left, right):
    return left > right


@helper
def less(left, right):
    return left < right


def worst_of(dtype, sign):
    """What no element is worse than; sign: -1 for the greatest, 1 for the least."""
    if dtype in ("f32", "f64"):
        return NUMBA_TYPES[dtype](sign * np.inf)
    limits = np.iinfo(str(NUMBA_TYPES[dtype]))
    return NUMBA_TYPES[dtype](limits.max if sign > 0 else limits.min)


def in_row(dtype, better, sign):
    """The function (row, n) -> where the extreme of n elements side by side stands."""
    place_of, worst = row_place("max" if sign < 0 else "min"), worst_of(dtype, sign)

    @helper
    def place(row, n):
        best, where = worst, 0
        for start in range(0, n, MOST):
            found = start + place_of(offset(row, start), min(MOST, n - start), worst)
            if better(row[found], best):
                best, where = row[found], found
        return where
    return place


def in_column(better, worst):
    """The function (column, n, step) -> where the extreme of n elements `step` apart stands."""
    @helper
    def place(column, n, step):
        best, where = worst, 0
        for i in range(n):
            value = column[i * step]
            if better(value, best):
                best, where = value, i
        return where
    return place


def in_columns(better, worst):
    """The function (x, n, inner, count, best, lines): lines[j] = place of the extreme of column j of x[n, inner]."""
    @helper
    def fill(x, n, inner, count, best, lines):
        for j in range(count):
            best[j] = worst
        for j in range(count):
            lines[j] = 0
        for i in range(n):
            line = offset(x, i * inner)
            for j in range(count):
                value, before, stood = line[j], best[j], lines[j]
                wins = better(value, before)
                best[j] = value if wins else before
                lines[j] = i if wins else stood
    return fill


@cache
def places(dtype, better, sign):
    """The function (x, first, count, n, inner, found, scratch): found[j] = result first + j, for at most STRIP."""
    worst, at = worst_of(dtype, sign), pointer_to(dtype)
    column_place = in_column(better, worst)

    @helper
    def one_by_one(x, first, count, n, inner, found, scratch):
        compact()
        for j in range(count):
            result = first + j
            found[j] = column_place(offset(x, result // inner * n * inner + result % inner), n, inner)
    if dtype not in FLOATS:
        return one_by_one
    row_place, fill = in_row(dtype, better, sign), in_columns(better, worst)

    @helper
    def side_by_side(x, first, count, n, inner, found, scratch):
        apart()
        lines, best = line_at(scratch), at(scratch + 4 * STRIP)
        done = 0
        while done < count:
            column = (first + done) % inner
            some = min(inner - column, count - done)
            fill(offset(x, (first + done) // inner * n * inner + column), n, inner, some, best, lines)
            for j in range(some):
                found[done + j] = lines[j]
            done += some

    @helper
    def find(x, first, count, n, inner, found, scratch):
        apart()
        if inner == 1:
            for j in range(count):
                found[j] = row_place(offset(x, (first + j) * n), n)
        elif inner < FEW or n > MOST_LINES:
            one_by_one(x, first, count, n, inner, found, scratch)
        else:
            side_by_side(x, first, count, n, inner, found, scratch)
    return find


def _make(types, better, sign):
    find, size = places(types["T"], better, sign), ITEM_SIZES[types["T"]]

    def bind(outer, n, inner, choice):
        results = outer * inner
        per_tile = max(TILE // max(n, 1), 1 if inner < FEW else STRIP)
        choice[USER] = per_tile
        choice[TILES] = (results + per_tile - 1) // per_tile
        choice[TILE_ELEMENTS] = per_tile
        choice[SCRATCH_BYTES] = (8 + 4 + size) * STRIP

    def run(x, out, outer, n, inner, choice, work, scratch, phase, tile):
        compact()
        first = tile * choice[USER]
        end, found = min(first + choice[USER], outer * inner), place_at(scratch)
        while first < end:
            count = min(STRIP, end - first)
            find(x, first, count, n, inner, found, scratch + 8 * STRIP)
            for j in range(count):
                out[first + j] = found[j]
            first += count
        return OK
    return Functions(bind, run)


def make_argmax(types):
    return _make(types, greater, -1)


def make_argmin(types):
    return _make(types, less, 1)
