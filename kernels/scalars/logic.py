"""Comparisons, choice and logic, of truth values and of the bits of integers."""
from __future__ import annotations

from .machine import bit_and, bit_or, bit_xor, count_bits, fabs, like, scalar, select, shift_left, shift_right


@scalar
def less(x, y):
    return x < y


@scalar
def less_equal(x, y):
    return x <= y


@scalar
def greater(x, y):
    return x > y


@scalar
def greater_equal(x, y):
    return x >= y


@scalar
def equal(x, y):
    return x == y


@scalar
def not_equal(x, y):
    return x != y


@scalar
def choose(condition, x, y):
    return select(condition, x, y)


@scalar
def logical_and(x, y):
    return x & y


@scalar
def logical_or(x, y):
    return x | y


@scalar
def logical_xor(x, y):
    return x != y


@scalar
def logical_not(x):
    return not x


@scalar
def and_int(x, y):
    return bit_and(x, y)


@scalar
def or_int(x, y):
    return bit_or(x, y)


@scalar
def xor_int(x, y):
    return bit_xor(x, y)


@scalar
def not_int(x):
    return bit_xor(x, like(x, -1))


@scalar
def shift_left_i32(x, y):
    """x * 2**y; y is taken modulo the number of bits."""
    return shift_left(x, bit_and(y, like(x, 31)))


@scalar
def shift_left_i64(x, y):
    return shift_left(x, bit_and(y, like(x, 63)))


@scalar
def shift_right_i32(x, y):
    """x / 2**y rounded down; y is taken modulo the number of bits."""
    return shift_right(x, bit_and(y, like(x, 31)))


@scalar
def shift_right_i64(x, y):
    return shift_right(x, bit_and(y, like(x, 63)))


@scalar
def population_count(x):
    """How many bits are 1."""
    return count_bits(x)


@scalar
def is_nan(x):
    return x != x


@scalar
def is_inf(x):
    return (fabs(x) == fabs(x)) & (x - x != x - x)


@scalar
def is_finite(x):
    return x - x == x - x
