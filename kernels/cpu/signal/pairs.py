"""Complex numbers, which lie in memory as pairs, to planes of real and imaginary parts, and back.

A plane has lines of one vector, `lanes` numbers; number i of a line is that of row i, or of column i.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from ...scalars.squares import turned, turning_masks
from ..memory import ITEM_SIZES, LLVM_FLOATS, NUMBA_TYPES
from ..vector import splat_value, vectors

_I32, _I64 = ir.IntType(32), ir.IntType(64)


@dataclass(frozen=True)
class Pairs:
    """take(re, im, source), give(target, re, im, scale): the pairs of one line. take_square(re, im, source, stride),
    give_square(target, stride, re, im, scale): lanes / 2 pairs of as many rows as there are lanes, `stride` numbers
    from one row to the next. What is given is multiplied by `scale`."""

    take: Any
    give: Any
    take_square: Any
    give_square: Any


@cache
def pairs(dtype: str) -> Pairs:
    """The operations for "f32" or "f64"."""
    lanes, align = vectors(dtype).lanes, ITEM_SIZES[dtype]
    vector, scalar, steps = ir.VectorType(LLVM_FLOATS[dtype], lanes), NUMBA_TYPES[dtype], turning_masks(align)
    evens, odds = ([2 * i + odd for i in range(lanes)] for odd in (0, 1))
    halves = [[half + i // 2 + lanes * (i % 2) for i in range(lanes)] for half in (0, lanes // 2)]

    def place(builder, pointer, index):
        index = index if isinstance(index, ir.Value) else ir.Constant(_I64, index)
        return builder.bitcast(builder.gep(pointer, [index]), vector.as_pointer())

    def load(builder, pointer, index):
        return builder.load(place(builder, pointer, index), align=align)

    def store(builder, value, pointer, index):
        builder.store(value, place(builder, pointer, index), align=align)

    def shuffled(builder, a, b, mask):
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, lanes), mask))

    def row(builder, number, stride):
        return builder.mul(stride, ir.Constant(_I64, number))

    def scaled(builder, parts, scale):
        return [builder.fmul(part, splat_value(builder, scale, vector)) for part in parts]

    def square(builder, rows):
        """The columns of a square, in their order."""
        columns = turned(steps, rows, lambda a, b, mask: shuffled(builder, a, b, mask))
        return [column for _, column in sorted(columns, key=lambda item: item[0])]

    @intrinsic
    def take(typing_context, re, im, source):
        def generate(context, builder, signature, arguments):
            *parts, source = arguments
            loaded = [load(builder, source, i * lanes) for i in range(2)]
            for part, mask in zip(parts, (evens, odds), strict=True):
                store(builder, shuffled(builder, *loaded, mask), part, 0)
            return context.get_dummy_value()
        return types.void(re, im, source), generate

    @intrinsic
    def give(typing_context, target, re, im, scale):
        def generate(context, builder, signature, arguments):
            target, re, im, scale = arguments
            parts = scaled(builder, [load(builder, part, 0) for part in (re, im)], scale)
            for i, mask in enumerate(halves):
                store(builder, shuffled(builder, *parts, mask), target, i * lanes)
            return context.get_dummy_value()
        return types.void(target, re, im, scalar), generate

    @intrinsic
    def take_square(typing_context, re, im, source, stride):
        def generate(context, builder, signature, arguments):
            *parts, source, stride = arguments
            rows = [load(builder, source, row(builder, i, stride)) for i in range(lanes)]
            for i, column in enumerate(square(builder, rows)):
                store(builder, column, parts[i % 2], i // 2 * lanes)
            return context.get_dummy_value()
        return types.void(re, im, source, types.int64), generate

    @intrinsic
    def give_square(typing_context, target, stride, re, im, scale):
        def generate(context, builder, signature, arguments):
            target, stride, *parts, scale = arguments
            lines = [load(builder, parts[i % 2], i // 2 * lanes) for i in range(lanes)]
            for i, column in enumerate(square(builder, scaled(builder, lines, scale))):
                store(builder, column, target, row(builder, i, stride))
            return context.get_dummy_value()
        return types.void(target, types.int64, re, im, scalar), generate
    return Pairs(take, give, take_square, give_square)
