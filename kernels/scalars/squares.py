"""Squares of elements turned in registers: vectors of a pair of rows are interleaved, then pairs of those, until each
vector is a column. What loads and stores them is their users', but for whole squares in memory (square_turner).
"""
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

SIDES = {1: 16, 2: 16, 4: 16, 8: 8}    # elements of a square's side, by size
LANE = 16                 # bytes within which processors interleave at once


def _interleaved(unit, elements, lanes, upper):
    """The mask that interleaves the lower or upper half of each LANE of two vectors, `unit` elements at a time."""
    mask = []
    for lane in range(0, lanes, elements):
        start = lane + (elements // 2 if upper else 0)
        for i in range(start, start + elements // 2, unit):
            mask += [*range(i, i + unit), *range(lanes + i, lanes + i + unit)]
    return mask


def _every_other(elements, lanes, odd):
    """The mask that takes every other LANE of one vector after the other."""
    return [vector + lane * elements + i for vector in (0, lanes) for lane in range(odd, lanes // elements, 2)
            for i in range(elements)]


def turning_masks(size):
    """(distance of the vectors of a pair, mask of the first result, of the second) of each step, for elements of
    `size` bytes."""
    lanes, elements = SIDES[size], min(LANE // size, SIDES[size])
    steps, distance = [], 1
    while distance < elements:
        steps.append((distance, *(_interleaved(distance, elements, lanes, upper) for upper in (False, True))))
        distance *= 2
    while distance < lanes:
        steps.append((distance, *(_every_other(elements, lanes, odd) for odd in (0, 1))))
        distance *= 2
    return steps


def turned(steps, rows, shuffle):
    """(column number, vector) of each column of a square. rows: its vectors; shuffle(a, b, mask) -> vector."""
    side = len(rows)
    numbers = [[row * side + column for column in range(side)] for row in range(side)]
    for distance, *masks in steps:
        for i in range(side):
            if i & distance == 0:
                pair, both = (rows[i], rows[i + distance]), numbers[i] + numbers[i + distance]
                for place, mask in zip((i, i + distance), masks, strict=True):
                    rows[place], numbers[place] = shuffle(*pair, mask), [both[k] for k in mask]
    return [(column[0], row) for column, row in zip(numbers, rows, strict=True)]


def square_turner(size):
    """The function (target, target_stride, source, source_stride) that turns one square; strides in bytes."""
    side = SIDES[size]
    vector, steps = ir.VectorType(ir.IntType(8 * size), side), turning_masks(size)
    mask_type = ir.VectorType(ir.IntType(32), side)

    @intrinsic
    def turn_square(typing_context, target, target_stride, source, source_stride):
        def generate(context, builder, signature, arguments):
            target, target_stride, source, source_stride = arguments

            def place(base, stride, number):
                where = builder.add(base, builder.mul(stride, ir.IntType(64)(number)))
                return builder.inttoptr(where, vector.as_pointer())

            rows = [builder.load(place(source, source_stride, i), align=1) for i in range(side)]
            columns = turned(steps, rows, lambda a, b, mask: builder.shuffle_vector(a, b, ir.Constant(mask_type, mask)))
            for number, column in sorted(columns, key=lambda item: item[0]):
                builder.store(column, place(target, target_stride, number), align=1)
            return context.get_dummy_value()
        return types.void(types.int64, types.int64, types.int64, types.int64), generate
    return turn_square
