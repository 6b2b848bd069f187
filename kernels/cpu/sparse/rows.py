"""row_order, row_groups, find_rows, check_rows: the index tuples of sparse tensors, sorted, grouped, found and checked.

Job: row_order gives the stable order in which rows ascend lexicographically; row_groups numbers the runs of rows, in
that order, that agree in their first `width` columns; find_rows gives for each row a row of the table that is equal to
it, the first in the table's order, -1 if there is none; check_rows is y = rows if all of them are inside `sizes` and,
if `ordered`, each is after the one before it.
Invariants: every element of an order is checked before it is used, INDEX_OUT_OF_RANGE, it and the limit in scratch. A
row outside is INDEX_TUPLE (INDEX_OUT_OF_RANGE, if it has another length than INDEX_TUPLE can tell); one that is not
after the one before it INVALID_VALUE, its number and 1 (equal: 0) in scratch.
"""
from __future__ import annotations

from numba import uint64

from ...contracts.calls import Functions
from ..array.gather import refuse
from ..memory import helper, int64_at, offset
from ..words import INDEX_TUPLE, INVALID_VALUE, OK, SCRATCH_BYTES, TILES, USER, WORK_BYTES

TILE = 2048                            # rows of a tile
MANY_ROWS, FEW_RUNS = 512, 8           # from when on, in more runs than these, rows are sorted by their bytes
NEAR = 8                               # how far behind the row found before the next one is looked for first
BYTE_VALUES, BYTE_BITS, WORD_BITS, LAST_BYTE = 256, uint64(8), uint64(64), uint64(255)
DETAIL_BYTES = 256


@helper
def compare(a, i, b, j, depth, width):
    """-1, 0 or 1 as row i of a stands before row j of b, is equal or stands after it, in the first width columns."""
    for k in range(width):
        x, y = a[i * depth + k], b[j * depth + k]
        if x != y:
            return -1 if x < y else 1
    return 0


@helper
def merge(rows, depth, source, target, begin, middle, end):
    """target[begin:end] = the two ascending parts of source, merged; of equal rows those of the first part first."""
    i, j = begin, middle
    for at in range(begin, end):
        if j >= end or (i < middle and compare(rows, source[i], rows, source[j], depth, depth) <= 0):
            target[at] = source[i]
            i += 1
        else:
            target[at] = source[j]
            j += 1


@helper
def scatter_by_byte(rows, depth, column, low, shift, source, target, counts, n):
    """target = the order source, sorted by one byte of the column's distance from `low`; equal ones stay in theirs."""
    for digit in range(BYTE_VALUES):
        counts[digit] = 0
    for i in range(n):
        counts[((uint64(rows[i * depth + column]) - low) >> shift) & LAST_BYTE] += 1
    before = 0
    for digit in range(BYTE_VALUES):
        before, counts[digit] = before + counts[digit], before
    for i in range(n):
        digit = ((uint64(rows[source[i] * depth + column]) - low) >> shift) & LAST_BYTE
        target[counts[digit]] = source[i]
        counts[digit] += 1


def make_order(types):
    def bind(n, depth, choice):
        # USER: room for where runs end, n at most, or for how often each byte occurs
        choice[USER] = max((n + 7) // 8 * 8, BYTE_VALUES)
        choice[WORK_BYTES] = 16 * choice[USER]
        choice[TILES] = 1

    def run(rows, order, n, depth, choice, work, scratch, phase, tile):
        """Merges neighbouring runs of rows that ascend already, until one is left; of many rows in many runs sorts the
        bytes of every column, the last one first."""
        source, target = order, int64_at(work)
        ends, runs = offset(target, choice[USER]), 0
        for i in range(n):
            order[i] = i
            if i + 1 == n or compare(rows, i, rows, i + 1, depth, depth) > 0:
                ends[runs] = i + 1
                runs += 1
        if n >= MANY_ROWS and runs > FEW_RUNS:
            for column in range(depth - 1, -1, -1):
                least, most = rows[column], rows[column]
                for i in range(n):
                    least, most = min(least, rows[i * depth + column]), max(most, rows[i * depth + column])
                width, shift = uint64(most) - uint64(least), uint64(0)
                while shift < WORD_BITS and width >> shift != 0:
                    scatter_by_byte(rows, depth, column, uint64(least), shift, source, target, ends, n)
                    source, target = target, source
                    shift += BYTE_BITS
            runs = 1
        while runs > 1:
            begin, made = 0, 0
            for number in range(0, runs, 2):
                middle = ends[number]
                end = ends[min(number + 1, runs - 1)]
                merge(rows, depth, source, target, begin, middle, end)
                ends[made] = end
                made += 1
                begin = end
            source, target, runs = target, source, made
        for i in range(n):
            order[i] = source[i]
        return OK
    return Functions(bind, run)


def make_groups(types):
    def bind(n, depth, width, choice):
        choice[TILES] = 1
        choice[SCRATCH_BYTES] = 64

    def run(rows, order, group, count, n, depth, width, choice, work, scratch, phase, tile):
        found, before = 0, 0
        count[0] = 0
        for i in range(n):
            group[i] = 0
        for i in range(n):
            at = order[i]
            if at < 0 or at >= n:
                return refuse(scratch, at, n)
            if i == 0 or compare(rows, before, rows, at, depth, width) != 0:
                found += 1
            group[at] = found - 1
            before = at
        count[0] = found
        return OK
    return Functions(bind, run)


def make_find(types):
    def bind(n, m, depth, choice):
        choice[TILES] = (n + TILE - 1) // TILE
        choice[SCRATCH_BYTES] = 64

    def run(rows, table, order, place, n, m, depth, choice, work, scratch, phase, tile):
        low = 0
        for i in range(tile * TILE, min((tile + 1) * TILE, n)):
            high = m
            if i == tile * TILE or compare(rows, i - 1, rows, i, depth, depth) > 0:
                low = 0
            elif low + NEAR < m:                        # not before the last one, and it may be near behind it
                at = order[low + NEAR]
                if at < 0 or at >= m:
                    return refuse(scratch, at, m)
                if compare(table, at, rows, i, depth, depth) >= 0:
                    high = low + NEAR
            while low < high:
                middle = (low + high) // 2
                at = order[middle]
                if at < 0 or at >= m:
                    return refuse(scratch, at, m)
                if compare(table, at, rows, i, depth, depth) < 0:
                    low = middle + 1
                else:
                    high = middle
            place[i] = -1
            if low < m:
                at = order[low]
                if at < 0 or at >= m:
                    return refuse(scratch, at, m)
                if compare(table, at, rows, i, depth, depth) == 0:
                    place[i] = at
        return OK
    return Functions(bind, run)


@helper
def refuse_row(scratch, rows, sizes, i, column, depth):
    detail = int64_at(scratch)
    if depth < 2 or depth > 7:
        return refuse(scratch, rows[i * depth + column], sizes[column])
    detail[0] = i
    detail[1] = depth
    for k in range(7):
        detail[2 + k] = rows[i * depth + k] if k < depth else 0
        detail[9 + k] = sizes[k] if k < depth else 1
    return INDEX_TUPLE


def make_check(types):
    def bind(n, depth, ordered, choice):
        choice[TILES] = (n + TILE - 1) // TILE
        choice[SCRATCH_BYTES] = DETAIL_BYTES

    def run(rows, sizes, y, n, depth, ordered, choice, work, scratch, phase, tile):
        for i in range(tile * TILE, min((tile + 1) * TILE, n)):
            for k in range(depth):
                index = rows[i * depth + k]
                if index < 0 or index >= sizes[k]:
                    return refuse_row(scratch, rows, sizes, i, k, depth)
                y[i * depth + k] = index
            if ordered != 0 and i > 0:
                after = compare(rows, i - 1, rows, i, depth, depth)
                if after >= 0:
                    detail = int64_at(scratch)
                    detail[0] = i
                    detail[1] = after
                    return INVALID_VALUE
        return OK
    return Functions(bind, run)
