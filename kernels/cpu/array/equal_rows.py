"""inside, first_equal, sum_equal, set_rows, combine_rows: rows of a table, changed where they lie, by index.

Job: inside is y = x, unless an index is not in [0, limit). first_equal gives for each index the position of the first
equal one; sum_equal gives to each row the sum of all rows that have the same first one, so that rows named several
times hold one sum. set_rows and combine_rows write rows of `out`, which keeps all its other rows: in the order of the
indices, the last one of equal indices is what set_rows leaves.
Invariants: every index is checked before it is used, INDEX_OUT_OF_RANGE, index and limit in scratch. A tile owns a
range of columns, so sums are in the order of the indices and do not depend on threads.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, address, copy_bytes, helper, int64_at, offset, zero_bytes
from ..words import INDEX_OUT_OF_RANGE, OK, SCRATCH_BYTES, TILES, USER, WORK_BYTES

TILE = 16384                           # elements of a tile, about
ADD, SUB, MUL, DIV, MIN, MAX = range(6)
MIX = -7046029254386353131             # an odd number whose bits look random: 2^64 / golden ratio


@helper
def refuse(scratch, index, size):
    detail = int64_at(scratch)
    detail[0] = index
    detail[1] = size
    return INDEX_OUT_OF_RANGE


@helper
def cut_columns(rows, columns, choice):
    """USER: columns of a tile, a multiple of 16 but for the last one."""
    wide = columns
    if rows * columns > TILE:
        wide = min(columns, (max(TILE // max(rows, 1), 64) + 15) // 16 * 16)
    choice[USER] = max(wide, 1)
    choice[TILES] = (columns + choice[USER] - 1) // choice[USER]
    choice[SCRATCH_BYTES] = 64


def make_inside(types):
    def bind(elements, limit, choice):
        choice[TILES] = 1
        choice[SCRATCH_BYTES] = 64

    def run(x, y, elements, limit, choice, work, scratch, phase, tile):
        for i in range(elements):
            index = x[i]
            if index < 0 or index >= limit:
                return refuse(scratch, index, limit)
            y[i] = index
        return OK
    return Functions(bind, run)


def make_first_equal(types):
    def bind(n, choice):
        # USER: bits of the hash table, which is half empty at least; it holds positions, counted from 1.
        bits = 4
        while (1 << bits) < 2 * n:
            bits += 1
        choice[USER] = bits
        choice[WORK_BYTES] = 8 << bits
        choice[TILES] = 1

    def run(x, first, n, choice, work, scratch, phase, tile):
        bits = choice[USER]
        table, mask = int64_at(work), (1 << bits) - 1
        zero_bytes(work, 8 << bits)
        for i in range(n):
            index = x[i]
            place = ((index * MIX) >> (63 - bits)) & mask
            while table[place] != 0 and x[table[place] - 1] != index:
                place = (place + 1) & mask
            if table[place] == 0:
                table[place] = i + 1
            first[i] = table[place] - 1
        return OK
    return Functions(bind, run)


def make_sum_equal(types):
    size = ITEM_SIZES[types["T"]]

    def bind(n, inner, choice):
        cut_columns(n, inner, choice)

    def run(rows, first, out, n, inner, choice, work, scratch, phase, tile):
        column = tile * choice[USER]
        columns = min(choice[USER], inner - column)
        source, target = offset(rows, column), offset(out, column)
        for j in range(n):
            at = first[j]
            if at < 0 or at > j:
                return refuse(scratch, at, j + 1)
            row, total = offset(source, j * inner), offset(target, at * inner)
            if at == j:
                copy_bytes(address(total), address(row), columns * size)
            else:
                for i in range(columns):
                    total[i] += row[i]
        for j in range(n):
            if first[j] != j:
                copy_bytes(address(offset(target, j * inner)), address(offset(target, first[j] * inner)),
                           columns * size)
        return OK
    return Functions(bind, run)


def make_set_rows(types):
    size = ITEM_SIZES[types["T"]]

    def bind(count, axis, inner, choice):
        cut_columns(count, inner, choice)

    def run(indices, rows, out, count, axis, inner, choice, work, scratch, phase, tile):
        column = tile * choice[USER]
        columns = min(choice[USER], inner - column)
        source, target = offset(rows, column), offset(out, column)
        for j in range(count):
            index = indices[j]
            if index < 0 or index >= axis:
                return refuse(scratch, index, axis)
            copy_bytes(address(offset(target, index * inner)), address(offset(source, j * inner)), columns * size)
        return OK
    return Functions(bind, run)


def make_combine_rows(types):
    def bind(count, axis, inner, kind, choice):
        cut_columns(count, inner, choice)

    def run(indices, rows, out, count, axis, inner, kind, choice, work, scratch, phase, tile):
        column = tile * choice[USER]
        columns = min(choice[USER], inner - column)
        source, target = offset(rows, column), offset(out, column)
        for j in range(count):
            index = indices[j]
            if index < 0 or index >= axis:
                return refuse(scratch, index, axis)
            row, total = offset(source, j * inner), offset(target, index * inner)
            if kind == ADD:
                for i in range(columns):
                    total[i] += row[i]
            elif kind == SUB:
                for i in range(columns):
                    total[i] -= row[i]
            elif kind == MUL:
                for i in range(columns):
                    total[i] *= row[i]
            elif kind == DIV:
                for i in range(columns):
                    total[i] = total[i] / row[i]
            elif kind == MIN:
                for i in range(columns):
                    total[i] = row[i] if row[i] < total[i] else total[i]
            else:
                for i in range(columns):
                    total[i] = row[i] if row[i] > total[i] else total[i]
        return OK
    return Functions(bind, run)
