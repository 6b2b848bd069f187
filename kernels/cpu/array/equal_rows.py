"""first_equal, sum_equal: the rows of a table that share an index, summed.

Job: first_equal gives for each index the position of the first equal one; sum_equal gives to each row the sum of all
rows that have the same first one, so that rows named several times hold one sum.
Invariants: every position is checked before it is used, INDEX_OUT_OF_RANGE, position and limit in scratch. A tile owns
a range of columns, so sums are in the order of the indices and do not depend on threads.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, address, copy_bytes, helper, int64_at, offset, zero_bytes
from ..words import OK, SCRATCH_BYTES, TILES, USER, WORK_BYTES
from .gather import refuse

TILE = 16384                           # elements of a tile, about
MIX = -7046029254386353131             # an odd number whose bits look random: 2^64 / golden ratio


@helper
def cut_columns(rows, columns, choice):
    """USER: columns of a tile, a multiple of 16 but for the last one."""
    wide = columns
    if rows * columns > TILE:
        wide = min(columns, (max(TILE // max(rows, 1), 64) + 15) // 16 * 16)
    choice[USER] = max(wide, 1)
    choice[TILES] = (columns + choice[USER] - 1) // choice[USER]
    choice[SCRATCH_BYTES] = 64


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
