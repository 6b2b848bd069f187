"""What max pooling does with the elements of one channel in a window, in vectors: pooling.py's inner steps.

A NaN is greater than every number, and the first one of a window counts, as in TensorFlow.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from numba.extending import intrinsic

from ..vector import VectorType, vectors


def greater(builder, best, value):
    """IR: the greater one, the first of equals; NaN if one is. One `max` of the machine, and a choice that does not
    wait for it."""
    greatest = builder.select(builder.fcmp_ordered(">", value, best), value, best)
    return builder.select(builder.fcmp_unordered("uno", value, value), value, greatest)


@dataclass(frozen=True)
class Steps:
    """taken(value, greatest, pending): pending where value
    is the window's greatest, 0 elsewhere; left(value, greatest, pending): the rest of pending."""

    taken: Any
    left: Any


@cache
def steps(dtype: str) -> Steps:
    type_ = VectorType(dtype, vectors(dtype).lanes)

    def is_greatest(builder, value, greatest):
        return builder.or_(builder.fcmp_ordered("==", value, greatest), builder.fcmp_unordered("uno", value, value))

    @intrinsic
    def taken(typing_context, value, greatest, pending):
        def generate(context, builder, signature, arguments):
            value, greatest, pending = arguments
            return builder.select(is_greatest(builder, value, greatest), pending, pending.type(None))
        return type_(type_, type_, type_), generate

    @intrinsic
    def left(typing_context, value, greatest, pending):
        def generate(context, builder, signature, arguments):
            value, greatest, pending = arguments
            return builder.select(is_greatest(builder, value, greatest), pending.type(None), pending)
        return type_(type_, type_, type_), generate

    return Steps(taken, left)
