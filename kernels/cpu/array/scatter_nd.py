"""gather_nd, scatter_nd, checked_indices: rows picked or written by tuples of indices.

A table is batch * s0 * ... * s6 rows of `inner` elements; tuple j of a batch is `depth` indices, of axes of the sizes
s0, s1, ... (1 after depth). gather_nd: out[b, j] = params[b, tuple]. scatter_nd: table[b, tuple] op= updates[b, j] for
j in ascending order; attr `how`: update, add, sub, mul, div, min, max, by these numbers. checked_indices: y = indices
if all of them are inside, so that what writes a variable in place need not find out half way.
Invariants: every index is checked before it is used; details stand in scratch. scatter_nd's tiles own whole batches or,
of few, ranges of `inner`, so results never depend on threads.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...contracts.dtypes import FLOATS
from ..memory import ITEM_SIZES, address, copy_bytes, helper, int64_at, offset
from ..words import DIVISION_BY_ZERO, INDEX_OUT_OF_RANGE, INDEX_TUPLE, OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, USER

TILE = 16384                           # elements of a tile, about
COPY_BYTES = 64                        # from here on memcpy, below a loop
DETAIL_BYTES = 256
UPDATE, ADD, SUB, MUL, DIV, MIN = range(6)      # and 6: max


@helper
def row_of(indices, number, depth, s0, s1, s2, s3, s4, s5, s6):
    """The row that tuple `number` names, -1 if one of its indices is outside."""
    row = 0
    for i in range(depth):
        size = s0 if i == 0 else s1 if i == 1 else s2 if i == 2 else s3 if i == 3 else s4 if i == 4 else (
            s5 if i == 5 else s6)
        index = indices[number * depth + i]
        if index < 0 or index >= size:
            return -1
        row = row * size + index
    return row


@helper
def refuse_tuple(scratch, indices, number, depth, s0, s1, s2, s3, s4, s5, s6):
    detail = int64_at(scratch)
    if depth == 1:
        detail[0] = indices[number]
        detail[1] = s0
        return INDEX_OUT_OF_RANGE
    detail[0] = number
    detail[1] = depth
    for i in range(7):
        detail[2 + i] = indices[number * depth + i] if i < depth else 0
    detail[9] = s0
    detail[10] = s1
    detail[11] = s2
    detail[12] = s3
    detail[13] = s4
    detail[14] = s5
    detail[15] = s6
    return INDEX_TUPLE


def make_gather(types):
    size = ITEM_SIZES[types["T"]]

    def bind(batch, count, inner, s0, s1, s2, s3, s4, s5, s6, depth, choice):
        per_tile = max(TILE // max(inner, 1), 1)
        choice[USER] = per_tile
        choice[TILES] = (batch * count + per_tile - 1) // per_tile
        choice[TILE_ELEMENTS] = per_tile * inner
        choice[SCRATCH_BYTES] = DETAIL_BYTES

    def run(params, indices, out, batch, count, inner, s0, s1, s2, s3, s4, s5, s6, depth, choice, work, scratch, phase,
            tile):
        first, rows = tile * choice[USER], s0 * s1 * s2 * s3 * s4 * s5 * s6
        for number in range(first, min(first + choice[USER], batch * count)):
            row = row_of(indices, number, depth, s0, s1, s2, s3, s4, s5, s6)
            if row < 0 or row >= rows:
                return refuse_tuple(scratch, indices, number, depth, s0, s1, s2, s3, s4, s5, s6)
            source = offset(params, (number // count * rows + row) * inner)
            target = offset(out, number * inner)
            if inner * size >= COPY_BYTES:
                copy_bytes(address(target), address(source), inner * size)
            else:
                for i in range(inner):
                    target[i] = source[i]
        return OK
    return Functions(bind, run)


@helper
def divide_floats(target, update, columns):
    for i in range(columns):
        target[i] = target[i] / update[i]
    return OK


@helper
def divide_integers(target, update, columns):
    """Towards zero; the smallest integer by -1 is itself."""
    for i in range(columns):
        divisor, value = update[i], target[i]
        if divisor == 0:
            return DIVISION_BY_ZERO
        if divisor == -1:
            target[i] = -value
        else:
            quotient = value // divisor
            if quotient < 0 and quotient * divisor != value:
                quotient += 1
            target[i] = quotient
    return OK


@helper
def divide_unsigned(target, update, columns):
    for i in range(columns):
        if update[i] == 0:
            return DIVISION_BY_ZERO
        target[i] = target[i] // update[i]
    return OK


@helper
def overwrite(target, update, columns, how):
    for i in range(columns):
        target[i] = update[i]
    return OK


def changing(divide):
    """The function that applies `how` to a row of numbers."""
    def change(target, update, columns, how):
        if how == DIV:
            return divide(target, update, columns)
        if how == UPDATE:
            for i in range(columns):
                target[i] = update[i]
        elif how == ADD:
            for i in range(columns):
                target[i] += update[i]
        elif how == SUB:
            for i in range(columns):
                target[i] -= update[i]
        elif how == MUL:
            for i in range(columns):
                target[i] *= update[i]
        elif how == MIN:
            for i in range(columns):
                target[i] = update[i] if update[i] < target[i] else target[i]
        else:
            for i in range(columns):
                target[i] = update[i] if update[i] > target[i] else target[i]
        return OK
    return helper(change)


def make_scatter(types):
    apply = overwrite
    if types["T"] != "bool":
        apply = changing(divide_floats if types["T"] in FLOATS else
                         divide_unsigned if types["T"] == "u64" else divide_integers)

    def bind(batch, count, inner, s0, s1, s2, s3, s4, s5, s6, depth, how, choice):
        # USER: elements of inner of a tile; USER + 1: tiles along inner
        columns = inner
        if count * inner > TILE:
            wanted = max(TILE // max(count, 1), 64)
            columns = min(inner, (wanted + 15) // 16 * 16)
        choice[USER] = max(columns, 1)
        # At least one: indices of empty rows are checked, too.
        choice[USER + 1] = max((inner + choice[USER] - 1) // choice[USER], 1)
        choice[TILES] = batch * choice[USER + 1]
        choice[SCRATCH_BYTES] = DETAIL_BYTES

    def run(indices, updates, table, batch, count, inner, s0, s1, s2, s3, s4, s5, s6, depth, how, choice, work, scratch,
            phase, tile):
        b, first = tile // choice[USER + 1], tile % choice[USER + 1] * choice[USER]
        columns, rows = min(choice[USER], inner - first), s0 * s1 * s2 * s3 * s4 * s5 * s6
        base, source = offset(table, b * rows * inner + first), offset(updates, b * count * inner + first)
        for j in range(count):
            row = row_of(indices, b * count + j, depth, s0, s1, s2, s3, s4, s5, s6)
            if row < 0 or row >= rows:
                return refuse_tuple(scratch, indices, b * count + j, depth, s0, s1, s2, s3, s4, s5, s6)
            target, update = offset(base, row * inner), offset(source, j * inner)
            status = apply(target, update, columns, how)
            if status != OK:
                return status
        return OK
    return Functions(bind, run)


def make_checked(types):
    def bind(count, s0, s1, s2, s3, s4, s5, s6, depth, choice):
        choice[TILES] = 1
        choice[SCRATCH_BYTES] = DETAIL_BYTES

    def run(indices, y, count, s0, s1, s2, s3, s4, s5, s6, depth, choice, work, scratch, phase, tile):
        for j in range(count):
            if row_of(indices, j, depth, s0, s1, s2, s3, s4, s5, s6) < 0:
                return refuse_tuple(scratch, indices, j, depth, s0, s1, s2, s3, s4, s5, s6)
            for i in range(depth):
                y[j * depth + i] = indices[j * depth + i]
        return OK
    return Functions(bind, run)
