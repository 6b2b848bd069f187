"""Which of attention's weights a dropout keeps, drawn again wherever they are needed, never stored.

A weight of place i (row-major over all weights of the call) is kept if u_i + shift >= least, where u_i is number i of a
random op, and multiplied by `factor`; others by 0 * factor. That is what dropout is in all versions of TensorFlow:

    (p * factor) * (u >= rate)        shift 0, least rate
    (p / keep) * floor(keep + u)      shift keep, least 1

Operands: draw[4]: key, run and iteration of the stream (scalars/random.py), and the number of its word at which u_0
begins; drop[3]: shift, least, factor.
Invariant: u_i is what the random op draws, to the bit, whatever tile asks for it.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from ...scalars.machine import shift_right_logical
from ..memory import NUMBA_TYPES, apart, helper, offset, pointer_to
from ..random.uniforms import PADDING, PER_GROUP, key_of, uniforms

EXTRA = PADDING + 4                     # elements beside those of the weights


@cache
def dropping(dtype: str) -> Any:
    """The function (draw, drop, first, count, spare): the factors of `count` weights from place `first` on, within
    `spare`, an address of count + EXTRA elements."""
    fill, at, number = uniforms(dtype), pointer_to(dtype), NUMBA_TYPES[dtype]
    per_group, bits = PER_GROUP[dtype], PER_GROUP[dtype] // 2
    words = 4 // per_group
    one, zero = number(1), number(0)

    @helper
    def factors(draw, drop, first, count, spare):
        apart()
        place = first + draw[3] // words
        group = shift_right_logical(place, bits)
        skipped = place - group * per_group
        target, total = at(spare), skipped + count
        fill(target, key_of(draw[0], draw[2]), draw[1], group, (total + per_group - 1) // per_group)
        shift, least, factor = drop[0], drop[1], drop[2]
        for j in range(total):
            target[j] = (one if target[j] + shift >= least else zero) * factor
        return offset(target, skipped)
    return factors
