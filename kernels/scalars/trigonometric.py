"""Sine, cosine, tangent and their inverses; f32 is computed in float64.

x = k pi/2 + r with k an integer: pi/2 is taken away in three parts by fma, exactly enough for |x| < 2**30 (f64:
relative error) and |x| < 2**50 (f32, and f64's absolute error). Beyond LARGEST the result is NaN rather than noise.
"""
from __future__ import annotations

from numba import types

from . import coefficients as table
from .machine import bit_and, copysign, fabs, fma, nearest, polynomial, scalar, select, sqrt, wrap_add

PI, HALF_PI = 3.141592653589793, 1.5707963267948966
HALF_PI_2, HALF_PI_3 = 6.123233995736766e-17, -1.4973849048591833e-33
QUARTER_PI = 0.7853981633974483
LARGEST = 1125899906842624.0          # 2**50
TANGENT_OF_EIGHTH = 0.41421356237309503


@scalar
def _reduce(x):
    """k modulo 4 and r = high + low with x = k pi/2 + r, |r| <= pi/4."""
    whole, k = nearest(select(fabs(x) < LARGEST, x, float("nan")) * 0.6366197723675814)
    first = fma(-whole, HALF_PI, x)
    product = whole * HALF_PI_2
    product_low = fma(whole, HALF_PI_2, -product)
    high = first - product
    low = ((first - high) - product) - fma(whole, HALF_PI_3, product_low)
    return bit_and(k, 3), high, low


@scalar
def _sine(r, low):
    z = r * r
    return r + fma(z * r, polynomial(z, table.SIN_F64), fma(-0.5 * z, low, low))


@scalar
def _cosine(r, low):
    z = r * r
    half = 0.5 * z
    w = 1.0 - half
    return w + (((1.0 - w) - half) + fma(z * z, polynomial(z, table.COS_F64), -r * low))


@scalar
def _sine_f32(r):
    z = r * r
    return fma(z * r, polynomial(z, table.SIN_F32), r)


@scalar
def _cosine_f32(r):
    z = r * r
    return fma(z * z, polynomial(z, table.COS_F32), fma(z, -0.5, 1.0))


@scalar
def sin_f64(x):
    quadrant, r, low = _reduce(x)
    value = select(bit_and(quadrant, 1) == 0, _sine(r, low), _cosine(r, low))
    return select(x == 0.0, x, select(quadrant >= 2, -value, value))


@scalar
def cos_f64(x):
    quadrant, r, low = _reduce(x)
    value = select(bit_and(quadrant, 1) == 0, _cosine(r, low), _sine(r, low))
    return select(bit_and(wrap_add(quadrant, 1), 2) != 0, -value, value)


@scalar
def tan_f64(x):
    quadrant, r, low = _reduce(x)
    sine, cosine = _sine(r, low), _cosine(r, low)
    swapped = bit_and(quadrant, 1) != 0
    return select(x == 0.0, x, select(swapped, -cosine, sine) / select(swapped, sine, cosine))


@scalar
def cotangent_f64(x):
    quadrant, r, low = _reduce(x)
    sine, cosine = _sine(r, low), _cosine(r, low)
    swapped = bit_and(quadrant, 1) != 0
    return select(swapped, -sine, cosine) / select(swapped, cosine, select(x == 0.0, x, sine))


@scalar
def sin_f32(x):
    quadrant, r, _ = _reduce(types.float64(x))
    value = select(bit_and(quadrant, 1) == 0, _sine_f32(r), _cosine_f32(r))
    return select(x == 0.0, x, types.float32(select(quadrant >= 2, -value, value)))


@scalar
def cos_f32(x):
    quadrant, r, _ = _reduce(types.float64(x))
    value = select(bit_and(quadrant, 1) == 0, _cosine_f32(r), _sine_f32(r))
    return types.float32(select(bit_and(wrap_add(quadrant, 1), 2) != 0, -value, value))


@scalar
def tan_f32(x):
    quadrant, r, _ = _reduce(types.float64(x))
    sine, cosine = _sine_f32(r), _cosine_f32(r)
    swapped = bit_and(quadrant, 1) != 0
    return select(x == 0.0, x, types.float32(select(swapped, -cosine, sine) / select(swapped, sine, cosine)))


@scalar
def _atan_ratio(numerator, denominator):
    """atan(numerator / denominator) for 0 <= numerator <= denominator, not both 0.

    Ratios above tan(pi/8) go by atan(t) = pi/4 + atan((t - 1) / (t + 1)).
    """
    folded = numerator > denominator * TANGENT_OF_EIGHTH
    t = select(folded, numerator - denominator, numerator) / select(folded, numerator + denominator, denominator)
    z = t * t
    value = fma(z * t, polynomial(z, table.ATAN_F64), t)
    return select(folded, QUARTER_PI + (value + 3.061616997868383e-17), value)


@scalar
def atan_f64(x):
    size = fabs(x)
    large = size > 1.0
    infinite = size > 1e300
    numerator = select(infinite, 0.0, select(large, 1.0, size))
    value = _atan_ratio(numerator, select(infinite, 1.0, select(large, size, 1.0)))
    value = select(large, HALF_PI - (value - HALF_PI_2), value)
    return select(x == 0.0, x, copysign(value, x))


@scalar
def atan2_f64(y, x):
    """Angle of the point (x, y), with IEEE 754's zeros and infinities."""
    rise, run = fabs(y), fabs(x)
    steep = rise > run
    low, high = select(steep, run, rise), select(steep, rise, run)
    diagonal = low == float("inf")
    flat = (low == 0.0) | ((high == float("inf")) & (not diagonal))
    numerator = select(diagonal, 1.0, select(flat, 0.0, low))
    denominator = select(diagonal | flat, 1.0, high)
    scale = select(denominator > 1e300, 0.25, select(denominator < 1e-290, 1e200, 1.0))
    value = _atan_ratio(numerator * scale, denominator * scale)
    value = select(steep, HALF_PI - (value - HALF_PI_2), value)
    value = select(copysign(1.0, x) < 0.0, PI - (value - 2.0 * HALF_PI_2), value)
    return select((x != x) | (y != y), x + y, copysign(value, y))


@scalar
def asin_f64(x):
    size = fabs(x)
    return select(x == 0.0, x, copysign(atan2_f64(size, sqrt((1.0 - size) * (1.0 + size))), x))


@scalar
def acos_f64(x):
    return 2.0 * atan2_f64(sqrt(1.0 - x), sqrt(1.0 + x))


@scalar
def atan_f32(x):
    return types.float32(atan_f64(types.float64(x)))


@scalar
def atan2_f32(y, x):
    return types.float32(atan2_f64(types.float64(y), types.float64(x)))


@scalar
def asin_f32(x):
    return types.float32(asin_f64(types.float64(x)))


@scalar
def acos_f32(x):
    return types.float32(acos_f64(types.float64(x)))
