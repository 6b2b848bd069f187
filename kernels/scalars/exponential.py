"""exp, log and what is made of them, as polynomials after a reduction of the argument; each without a branch.

exp:   x = n log 2 + r, |r| <= log(2) / 2, e**x = 2**n e**r. 2**n goes in as two factors: the result may be denormal.
log:   x = 2**n m, sqrt(1/2) <= m < sqrt(2); with s = (m - 1) / (m + 1), log m = 2 s + s**3 P(s**2).
pow:   e**(y log x); f32 in float64, f64 with log and product carried as sums of two numbers.
"""
from __future__ import annotations

from numba import types

from . import coefficients as table
from .machine import (
    bit_and,
    bits,
    convert,
    copysign,
    fabs,
    floor,
    fma,
    from_bits,
    like,
    nearest,
    polynomial,
    power_of_two,
    scalar,
    select,
    shift_right,
    wrap_add,
    wrap_sub,
)

INFINITY = float("inf")
NAN = float("nan")
LOG2_E = 1.4426950408889634


def make_exponentials(high, low, small, large, tiny, lift, coefficients):
    """exp and expm1, both for arguments whose 2**n is known to be normal, which saves clamps and scaling, and exp for
    those that are not above 0.

    high + low = log 2; from `small` to `large` is where exp is neither 0 nor inf; expm1 is -1 below tiny. 2**(n + lift)
    is normal wherever 2**n is at most 1 and not 0.
    """
    @scalar
    def reduce(x):
        """n as a float and an integer, r, and e**r - 1."""
        whole, n = nearest(x * like(x, LOG2_E))
        r = fma(whole, like(x, -low), fma(whole, like(x, -high), x))
        return n, fma(r * r, polynomial(r, coefficients), r)

    @scalar
    def exp(x):
        """0 is chosen, not computed: a product that underflows takes some processors a hundred cycles."""
        vanishes = x < small
        clamped = select(vanishes, like(x, 0.0), select(x > large, like(x, large), x))
        n, tail = reduce(clamped)
        half = shift_right(n, like(n, 1))
        value = (tail + like(x, 1.0)) * power_of_two(half) * power_of_two(wrap_sub(n, half))
        return select(vanishes, like(x, 0.0), value)

    @scalar
    def expm1(x):
        """Halved scale, doubled result: 2**n itself may overflow."""
        clamped = select(x < tiny, like(x, tiny), select(x > large, like(x, large), x))
        n, tail = reduce(clamped)
        scale = power_of_two(wrap_sub(n, like(n, 1)))
        value = like(x, 2.0) * fma(scale, tail, scale - like(x, 0.5))
        return select(n == 0, select(x == 0.0, x, tail), value)

    @scalar
    def exp_moderate(x):
        n, tail = reduce(x)
        scale = power_of_two(n)
        return fma(scale, tail, scale)

    @scalar
    def exp_falling(x):
        """exp, to the bit, for x <= 0: its 2**n goes in as one factor and a constant."""
        vanishes = x < small
        n, tail = reduce(select(vanishes, like(x, 0.0), x))
        scale = power_of_two(wrap_add(n, like(n, lift)))
        return select(vanishes, like(x, 0.0), fma(scale, tail, scale) * like(x, 2.0 ** -lift))

    @scalar
    def expm1_moderate(x):
        """For x >= 0, which keeps the sum from cancelling."""
        n, tail = reduce(x)
        scale = power_of_two(n)
        return fma(scale, tail, scale - like(x, 1.0))

    return exp, expm1, exp_moderate, expm1_moderate, exp_falling


exp_f32, expm1_f32, exp_moderate_f32, expm1_moderate_f32, exp_falling_f32 = make_exponentials(
    0.693359375, -2.12194440e-4, -104.0, 89.0, -40.0, 64, table.EXP_F32)
exp_f64, expm1_f64, exp_moderate_f64, expm1_moderate_f64, exp_falling_f64 = make_exponentials(
    6.93147180369123816490e-01, 1.90821492927058770002e-10, -746.0, 710.0, -60.0, 512, table.EXP_F64)


def make_logarithms(high, low, normal, scale, scale_power, root_half, mantissa, bias, coefficients):
    """log and log1p. normal: the smallest normal number; scale = 2**scale_power makes denormals normal."""
    @scalar
    def split(x):
        """(n, m) with x = 2**n m, sqrt(1/2) <= m < sqrt(2), for positive finite x."""
        denormal = x < normal
        scaled = select(denormal, x * like(x, scale), x)
        pattern = bits(scaled)
        offset = wrap_sub(pattern, like(pattern, root_half))
        n = shift_right(offset, like(pattern, mantissa))
        m = from_bits(wrap_add(bit_and(offset, like(pattern, (1 << mantissa) - 1)), like(pattern, root_half)))
        return wrap_sub(n, select(denormal, like(n, scale_power), like(n, 0))), m

    @scalar
    def log_of(f, n, correction):
        """log((1 + f) 2**n) + correction."""
        s = f / (like(f, 2.0) + f)
        z = s * s
        half_square = like(f, 0.5) * f * f
        rest = s * fma(z, polynomial(z, coefficients), half_square)     # log(1 + f) = f - f**2 / 2 + rest
        whole = convert(n, f)
        tail = fma(whole, like(f, low), rest + correction)
        return fma(whole, like(f, high), f - (half_square - tail))

    @scalar
    def log(x):
        n, m = split(x)
        value = log_of(m - like(x, 1.0), n, like(x, 0.0))
        value = select(x < INFINITY, value, x)                          # inf and NaN give themselves
        return select(x > 0.0, value, select(x == 0.0, like(x, -INFINITY), like(x, NAN)))

    @scalar
    def log1p(x):
        """u = 1 + x is rounded; what it lost, over u, is added to the logarithm."""
        u = like(x, 1.0) + x
        n, m = split(u)
        lost = select(x > 1.0, like(x, 1.0) - (u - x), x - (u - like(x, 1.0)))
        exact = n == 0
        f = select(exact, x, m - like(x, 1.0))
        value = log_of(f, n, select(exact, like(x, 0.0), lost / u))
        value = select(u < INFINITY, value, u)
        value = select(u > 0.0, value, select(u == 0.0, like(x, -INFINITY), like(x, NAN)))
        return select(x == 0.0, x, value)

    return split, log, log1p


split_f32, log_f32, log1p_f32 = make_logarithms(
    6.9313812256e-01, 9.0580006145e-06, 1.1754943508222875e-38, 8388608.0, 23, 0x3F3504F3, 23, 127, table.LOG_F32)
split_f64, log_f64, log1p_f64 = make_logarithms(
    6.93147180369123816490e-01, 1.90821492927058770002e-10, 2.2250738585072014e-308, 4503599627370496.0, 52,
    0x3FE6A09E667F3BCD, 52, 1023, table.LOG_F64)


def make_hyperbolic(exp, exp_falling, expm1, expm1_moderate, log1p, saturated):
    """What needs only the above. saturated: from there on 1 - tanh x is below half a unit."""
    @scalar
    def tanh(x):
        size = fabs(x)
        clamped = select(size > saturated, like(x, saturated), size)
        tail = expm1_moderate(clamped + clamped)
        return copysign(tail / (tail + like(x, 2.0)), x)

    @scalar
    def sigmoid(x):
        e = exp_falling(-fabs(x))
        return select(x < 0.0, e, like(x, 1.0)) / (like(x, 1.0) + e)

    @scalar
    def softplus(x):
        """log(1 + e**x) = max(x, 0) + log(1 + e**-|x|)."""
        return select(x > 0.0, x, select(x != x, x, like(x, 0.0))) + log1p(exp_falling(-fabs(x)))

    @scalar
    def sinh(x):
        size = fabs(x)
        tail = expm1(size)
        half = exp(size * like(x, 0.5))
        moderate = like(x, 0.5) * (tail + tail / (tail + like(x, 1.0)))
        return copysign(select(size > 40.0, (like(x, 0.5) * half) * half, moderate), x)

    @scalar
    def cosh(x):
        half = exp(fabs(x) * like(x, 0.5))
        e = exp(fabs(x))
        moderate = like(x, 0.5) * e + like(x, 0.5) / e
        return select(fabs(x) > 40.0, (like(x, 0.5) * half) * half, moderate)

    return tanh, sigmoid, softplus, sinh, cosh


tanh_f32, sigmoid_f32, softplus_f32, sinh_f32, cosh_f32 = make_hyperbolic(
    exp_f32, exp_falling_f32, expm1_f32, expm1_moderate_f32, log1p_f32, 10.0)
tanh_f64, sigmoid_f64, softplus_f64, sinh_f64, cosh_f64 = make_hyperbolic(
    exp_f64, exp_falling_f64, expm1_f64, expm1_moderate_f64, log1p_f64, 22.0)


@scalar
def _pow_special(x, y, size):
    """size = |x| ** y, completed for negative x, zero exponents and the like, as IEEE 754 has it."""
    whole = floor(y) == y
    half = y * like(y, 0.5)
    odd = whole & (floor(half) != half)
    negative = copysign(like(x, 1.0), x) < 0.0
    value = select(negative & odd, -size, size)
    value = select((x < 0.0) & (fabs(x) < INFINITY) & (not whole), like(x, NAN), value)
    value = select((x == -1.0) & (fabs(y) == INFINITY), like(x, 1.0), value)
    return select((x == 1.0) | (y == 0.0), like(x, 1.0), value)


@scalar
def pow_f32(x, y):
    wide = types.float64(y) * log_f64(types.float64(fabs(x)))
    return _pow_special(x, y, types.float32(exp_f64(wide)))


@scalar
def _two_sum(x, y):
    """x + y as a rounded sum and what it lost, for |x| >= |y|."""
    total = x + y
    return total, y - (total - x)


@scalar
def _two_product(x, y):
    product = x * y
    return product, fma(x, y, -product)


@scalar
def _log_pair(x):
    """log x as high + low, for positive finite x: about 66 correct bits."""
    n, m = split_f64(x)
    numerator = m - 1.0
    denominator = m + 1.0
    rounding = m - (denominator - 1.0)                   # denominator + rounding = m + 1 exactly
    s = numerator / denominator
    s_low = (fma(-s, denominator, numerator) - s * rounding) / denominator
    z, z_low = _two_product(s, s)
    z_low = fma(2.0 * s, s_low, z_low)
    third, third_low = 0.6666666666666666, 3.700743415417188e-17       # 2/3
    lead, lead_low = _two_product(z, third)
    lead_low = fma(z_low, third, fma(z, third_low, lead_low)) + (z * z) * polynomial(z, table.LOG_POW)
    series, series_low = _two_sum(2.0, lead)
    series_low += lead_low
    value, value_low = _two_product(s, series)
    value_low += fma(s, series_low, s_low * series)
    whole = types.float64(n)
    base = whole * 6.93147180369123816490e-01            # exact: the constant has 33 bits
    high, low = _two_sum(base, value)
    high = select(n == 0, value, high)
    low = select(n == 0, 0.0, low)
    return _two_sum(high, low + (value_low + whole * 1.90821492927058770002e-10))


@scalar
def pow_f64(x, y):
    size = fabs(x)
    ordinary = (size > 0.0) & (size < INFINITY) & (fabs(y) < 1e300)
    high, low = _log_pair(select(ordinary, size, 2.0))
    product, rest = _two_product(y, high)
    rest = fma(y, low, rest)
    product = select(ordinary, product, y * log_f64(size))
    rest = select(ordinary & (fabs(product) < 800.0), rest, 0.0)
    scale = exp_f64(product)
    return _pow_special(x, y, select(scale < INFINITY, fma(scale, rest, scale), scale))
