"""Arithmetic, for floats and integers alike where the meaning is the same. Comparisons and logic: logic.py.

Integers wrap around. Division of integers by zero, which a step before the map refuses, gives 0 and the smallest
integer divided by -1 wraps: nothing traps. min and max give NaN if either argument is NaN.
"""
from __future__ import annotations

from .machine import (
    bit_and,
    bits,
    ceil,
    copysign,
    divide,
    fabs,
    floor,
    fma,
    from_bits,
    like,
    remainder,
    scalar,
    select,
    shift_right,
    sqrt,
    trunc,
    wrap_add,
    wrap_mul,
    wrap_sub,
)


@scalar
def add(x, y):
    return x + y


@scalar
def sub(x, y):
    return x - y


@scalar
def mul(x, y):
    return x * y


@scalar
def div(x, y):
    return x / y


@scalar
def add_int(x, y):
    return wrap_add(x, y)


@scalar
def sub_int(x, y):
    return wrap_sub(x, y)


@scalar
def mul_int(x, y):
    return wrap_mul(x, y)


@scalar
def neg(x):
    return -x


@scalar
def neg_int(x):
    return wrap_sub(like(x, 0), x)


@scalar
def abs_float(x):
    return fabs(x)


@scalar
def abs_int(x):
    return select(x < 0, wrap_sub(like(x, 0), x), x)


@scalar
def sign_float(x):
    """1, -1, or x itself: 0 and NaN stay."""
    return select(x > 0, like(x, 1.0), select(x < 0, like(x, -1.0), x))


@scalar
def sign_int(x):
    return select(x > 0, like(x, 1), select(x < 0, like(x, -1), x))


@scalar
def square_float(x):
    return x * x


@scalar
def square_int(x):
    return wrap_mul(x, x)


@scalar
def reciprocal(x):
    return like(x, 1.0) / x


@scalar
def square_root(x):
    return sqrt(x)


@scalar
def rsqrt(x):
    return like(x, 1.0) / sqrt(x)


@scalar
def floor_float(x):
    return floor(x)


@scalar
def ceil_float(x):
    return ceil(x)


@scalar
def round_even_f32(x):
    """Nearest integer, halves to even: adding 2**23 rounds, as its last bit is worth 1;
    from there on all are integers."""
    size = fabs(x)
    moved = (size + like(x, 8388608.0)) - like(x, 8388608.0)
    return copysign(select(size < 8388608.0, moved, size), x)


@scalar
def round_even_f64(x):
    size = fabs(x)
    moved = (size + like(x, 4503599627370496.0)) - like(x, 4503599627370496.0)
    return copysign(select(size < 4503599627370496.0, moved, size), x)


@scalar
def trunc_div_int(x, y):
    """Quotient rounded toward 0."""
    special = (y == 0) | (y == -1)
    quotient = divide(x, select(special, like(x, 1), y))
    return select(y == 0, like(x, 0), select(y == -1, wrap_sub(like(x, 0), x), quotient))


@scalar
def trunc_mod_int(x, y):
    """Remainder with the sign of x; 0 if y is 0."""
    special = (y == 0) | (y == -1)
    return remainder(x, select(special, like(x, 1), y))


@scalar
def floor_mod_int(x, y):
    """Remainder with the sign of y; 0 if y is 0."""
    rest = trunc_mod_int(x, y)
    return select((rest != 0) & ((rest < 0) != (y < 0)), wrap_add(rest, y), rest)


@scalar
def floor_div_int(x, y):
    """Quotient rounded down; 0 if y is 0."""
    rest = trunc_mod_int(x, y)
    below = (rest != 0) & ((rest < 0) != (y < 0))
    return select(below, wrap_sub(trunc_div_int(x, y), like(x, 1)), trunc_div_int(x, y))


@scalar
def floor_div_float(x, y):
    return floor(x / y)


@scalar
def trunc_div_float(x, y):
    return trunc(x / y)


@scalar
def trunc_mod_float(x, y):
    """Exact remainder with the sign of x, as C's fmod.

    Each round takes away a multiple of y that fma subtracts without rounding: quotients of up to 2**22 (f32, f64
    alike). The number of rounds depends on the quotient, so this one is not vectorised.
    """
    size, by = fabs(x), fabs(y)
    rest = size
    zero = like(x, 0.0)
    if not (by > zero) or size - size != zero or by != by:
        return x * zero / zero + y          # NaN: y is 0 or NaN, or x is infinite or NaN
    if by - by != zero:
        return x
    while rest >= by:
        step = by
        if rest / by >= like(x, 4194304.0):
            step = _scale_up(by, rest)
        quotient = floor(rest / step)
        after = fma(-quotient, step, rest)
        rest = select(after < 0.0, after + step, after)   # the rounded quotient may be one too large
    return copysign(rest, x)


@scalar
def _scale_up(y, limit):
    """y times a power of two so that limit / 2**22 < result <= limit."""
    chunk = like(y, 2097152.0)
    goal = limit / like(y, 4194304.0)
    while y * chunk <= goal:
        y = y * chunk
    while y <= goal:
        y = y + y
    return y


@scalar
def floor_mod_float(x, y):
    """Exact remainder with the sign of y."""
    rest = trunc_mod_float(x, y)
    return select((rest != 0.0) & ((rest < 0.0) != (y < 0.0)), rest + y, rest)


@scalar
def minimum_float(x, y):
    return select(x != x, x, select(x < y, x, y))


@scalar
def maximum_float(x, y):
    return select(x != x, x, select(x > y, x, y))


@scalar
def minimum_int(x, y):
    return select(x < y, x, y)


@scalar
def maximum_int(x, y):
    return select(x > y, x, y)


@scalar
def power_int(x, y):
    """x ** y, wrapping; a negative exponent gives the truncated quotient: 0 unless x is 1 or -1."""
    one = like(x, 1)
    if y < 0:
        if x == 1:
            return one
        if x == -1:
            return select(bit_and(y, like(y, 1)) == 0, one, like(x, -1))
        return like(x, 0)
    result = one
    base = x
    while y > 0:
        if bit_and(y, like(y, 1)) != 0:
            result = wrap_mul(result, base)
        base = wrap_mul(base, base)
        y = shift_right(y, like(y, 1))
    return result


@scalar
def div_no_nan(x, y):
    """x / y, and 0 where y is 0."""
    return select(y == 0.0, like(x, 0.0), x / y)


@scalar
def mul_no_nan(x, y):
    """x * y, and 0 where y is 0."""
    return select(y == 0.0, like(x, 0.0), x * y)


@scalar
def next_after(x, y):
    """The number after x in the direction of y."""
    pattern = bits(x)
    one = like(pattern, 1)
    up = wrap_add(pattern, one)
    down = wrap_sub(pattern, one)
    away = (x > 0.0) == (y > x)
    smallest = copysign(from_bits(one), y)
    value = select(x == 0.0, smallest, from_bits(select(away, up, down)))
    return select((x != x) | (y != y), x + y, select(x == y, y, value))
