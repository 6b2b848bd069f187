"""segment, segment_count: rows of data combined by the numbers of their segments.

Job: segment_count reads sorted ids and gives the last one + 1. segment: out[ids[j], :] is the combination of data[j, :]
over j in ascending order. attr how: 0 sum, 1 mean, 2 sum over the root of the number, 3 product, 4 least, 5 greatest.
attr sorted: ids ascend, ids below 0 are refused and empty segments are 0 (1 of products); else ids below 0 are left out
and empty segments hold the neutral element.
Invariants: every id is checked before it is used: INDEX_OUT_OF_RANGE with id and limit, INVALID_VALUE where ids do not
ascend. A tile owns columns, so sums never depend on threads.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...contracts.dtypes import FLOATS
from ...scalars.arithmetic import maximum_float, maximum_int, minimum_float, minimum_int, trunc_div_int
from ...scalars.machine import sqrt
from ..array.gather import refuse
from ..memory import NUMBA_TYPES, helper, int64_at, offset
from ..words import INVALID_VALUE, OK, SCRATCH_BYTES, TILES, USER

TILE = 16384                           # elements of a tile, about
LIMITS = {"f32": (-3.4028234663852886e38, 3.4028234663852886e38), "i32": (-2**31, 2**31 - 1),
          "f64": (-1.7976931348623157e308, 1.7976931348623157e308), "i64": (-2**63, 2**63 - 1)}


@helper
def over_float(total, count):
    return total / count


@helper
def over_int(total, count):
    return trunc_div_int(total, count)


@helper
def over_root_float(total, count):
    return total / sqrt(total * 0 + count) if total - total == 0 else total


@helper
def over_root_int(total, count):
    return total


@helper
def descends(scratch, before, after):
    detail = int64_at(scratch)
    detail[0] = before
    detail[1] = after
    return INVALID_VALUE


def make_count(types):
    def bind(n, choice):
        choice[TILES] = 1
        choice[SCRATCH_BYTES] = 64

    def run(ids, count, n, choice, work, scratch, phase, tile):
        last = 0
        for j in range(n):
            index = ids[j]
            if index < 0:
                return refuse(scratch, index, 9223372036854775807)
            if index < last:
                return descends(scratch, last, index)
            last = index
        count[0] = last + 1 if n > 0 else 0
        return OK
    return Functions(bind, run)


def make_segment(types):
    name = types["T"]
    kind = NUMBA_TYPES[name]
    floating = name in FLOATS
    least, greatest = (minimum_float, maximum_float) if floating else (minimum_int, maximum_int)
    over, over_root = (over_float, over_root_float) if floating else (over_int, over_root_int)
    zero, one, low, high = kind(0), kind(1), kind(LIMITS[name][0]), kind(LIMITS[name][1])

    def bind(n, inner, rows, how, ascending, choice):
        columns = inner
        if max(n, rows) * inner > TILE:
            columns = min(inner, (max(TILE // max(n + rows, 1), 16) + 15) // 16 * 16)
        choice[USER] = max(columns, 1)
        choice[TILES] = (inner + choice[USER] - 1) // choice[USER]
        choice[SCRATCH_BYTES] = 64

    def run(data, ids, out, n, inner, rows, how, ascending, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        columns = min(choice[USER], inner - first)
        neutral = one if how == 3 else high if how == 4 else low if how == 5 else zero
        empty = neutral if not ascending or how == 3 else zero
        for i in range(rows):
            target = offset(out, i * inner + first)
            for k in range(columns):
                target[k] = empty
        before, count = -1, 0
        for j in range(n):
            index = ids[j]
            if index < 0 and not ascending:
                continue
            if index < 0 or index >= rows:
                return refuse(scratch, index, rows)
            target, source = offset(out, index * inner + first), offset(data, j * inner + first)
            if ascending:
                if index < before:
                    return descends(scratch, before, index)
                if index != before:
                    for k in range(columns):
                        target[k] = neutral
                    before, count = index, 0
                count += 1
            if how < 3:
                for k in range(columns):
                    target[k] += source[k]
            elif how == 3:
                for k in range(columns):
                    target[k] *= source[k]
            elif how == 4:
                for k in range(columns):
                    target[k] = least(target[k], source[k])
            else:
                for k in range(columns):
                    target[k] = greatest(target[k], source[k])
            if ascending and (how == 1 or how == 2) and (j + 1 == n or ids[j + 1] != index):
                for k in range(columns):
                    target[k] = over(target[k], kind(count)) if how == 1 else over_root(target[k], kind(count))
        return OK
    return Functions(bind, run)
