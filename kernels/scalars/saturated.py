"""Floats to integers, as casts do it: truncated, NaN to 0, what is too large or too small to the nearest there is.

By comparisons, for LLVM does not vectorise llvm.fptosi.sat.
"""
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .machine import scalar


def _saturated(builder: ir.IRBuilder, value: ir.Value, kind: ir.IntType) -> ir.Value:
    """IR: the integer of that type; only values that it has are converted."""
    limit, zero = ir.Constant(value.type, 2.0 ** (kind.width - 1)), ir.Constant(value.type, 0.0)
    large, small = builder.fcmp_ordered(">=", value, limit), builder.fcmp_ordered("<", value, limit)
    inside = builder.and_(small, builder.fcmp_ordered(">=", value, ir.Constant(value.type, -2.0 ** (kind.width - 1))))
    whole = builder.fptosi(builder.select(inside, value, zero), kind)
    most, least = ir.Constant(kind, (1 << kind.width - 1) - 1), ir.Constant(kind, -1 << kind.width - 1)
    outside = builder.select(large, most, builder.select(small, least, ir.Constant(kind, 0)))
    return builder.select(inside, whole, outside)


@intrinsic
def _truncate(typing_context, x, target):    # type: ignore[no-untyped-def]
    result = types.unliteral(target)

    def generate(context, builder, signature, arguments):    # type: ignore[no-untyped-def]
        kind = ir.IntType(64 if result in (types.uint32, types.int64) else 32)
        whole, wanted = _saturated(builder, arguments[0], kind), context.get_value_type(result)
        return whole if wanted == kind else builder.trunc(whole, wanted)
    return result(x, target), generate


def truncation(kind: Any) -> Any:
    """The scalar function that makes an integer of type `kind` of a float: types narrower than 32 bits by way of int32
    and uint32 by way of int64, wrapping."""
    @scalar
    def cast(x):    # type: ignore[no-untyped-def]
        return _truncate(x, kind(0))
    return cast
