"""Random numbers without state: Philox 4x32-10 (Salmon et al., 2011), as TensorFlow uses it.

A number is a function of (key, run, iteration, index). counter = (index of the group of four words, run), 64 bits
each; key is advanced by iteration times an odd constant. So key = TensorFlow's seed and run = its second seed give
TensorFlow's stream.
"""
from __future__ import annotations

from numba import types

from .machine import (
    bit_and,
    bit_or,
    bit_xor,
    convert,
    from_bits,
    multiply_32,
    scalar,
    select,
    shift_left,
    shift_right_logical,
    wrap_add,
    wrap_mul,
)

LOW = 0xFFFFFFFF


@scalar
def _round(c0, c1, c2, c3, k0, k1):
    first = multiply_32(c0, 0xD2511F53)
    second = multiply_32(c2, 0xCD9E8D57)
    return (bit_xor(bit_xor(shift_right_logical(second, 32), c1), k0), bit_and(second, LOW),
            bit_xor(bit_xor(shift_right_logical(first, 32), c3), k1), bit_and(first, LOW))


@scalar
def philox(key, run, iteration, group):
    """The four 32-bit words of a group, each in an int64."""
    mixed = wrap_add(key, wrap_mul(iteration, -7046029254386353131))
    k0, k1 = bit_and(mixed, LOW), shift_right_logical(mixed, 32)
    c0, c1 = bit_and(group, LOW), shift_right_logical(group, 32)
    c2, c3 = bit_and(run, LOW), shift_right_logical(run, 32)
    for _ in range(10):
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
        k0 = bit_and(wrap_add(k0, 0x9E3779B9), LOW)
        k1 = bit_and(wrap_add(k1, 0xBB67AE85), LOW)
    return c0, c1, c2, c3


@scalar
def philox_bits(key, run, iteration, index):
    """32 random bits, as an int64 that is not negative: word index % 4 of group index // 4."""
    c0, c1, c2, c3 = philox(key, run, iteration, shift_right_logical(index, 2))
    odd = bit_and(index, 1) != 0
    return select(bit_and(index, 2) == 0, select(odd, c1, c0), select(odd, c3, c2))


@scalar
def philox_f32(key, run, iteration, index):
    """A float32 in [0, 1) with 23 random bits."""
    pattern = bit_or(bit_and(philox_bits(key, run, iteration, index), 0x7FFFFF), 0x3F800000)
    value = from_bits(convert(pattern, types.int32(0)))
    return value - types.float32(1.0)


@scalar
def philox_f64(key, run, iteration, index):
    """A float64 in [0, 1) with 52 random bits: words 2 (index % 2) and the next of group index // 2."""
    c0, c1, c2, c3 = philox(key, run, iteration, shift_right_logical(index, 1))
    odd = bit_and(index, 1) != 0
    low, high = select(odd, c2, c0), select(odd, c3, c1)
    mantissa = bit_or(shift_left(bit_and(high, 0xFFFFF), 32), low)
    return from_bits(bit_or(mantissa, 0x3FF0000000000000)) - 1.0
