"""The error function, its complement and its inverse.

erf:     a polynomial in x**2 near 0, 1 - e**-Q(|x|) elsewhere; both computed, one chosen.
erfc:    e**(x**2) erfc x is a polynomial of (x - 3.75) / (x + 3.75) over 1 + 2 x, so that it is exact in the tail.
erfinv:  x times a polynomial of w = -log(1 - x**2), or of its root in the tails.
"""
from __future__ import annotations

from . import coefficients as table
from . import special_coefficients as special_table
from .exponential import exp_f64, exp_moderate_f32, exp_moderate_f64, log_f32, log_f64
from .machine import copysign, fabs, fma, like, polynomial, scalar, select, sqrt

INFINITY = float("inf")
NAN = float("nan")


@scalar
def erf_f32(x):
    size = fabs(x)
    z = x * x
    near = fma(x, polynomial(z, table.ERF_F32), x)
    far = select(size > 4.0, like(x, 4.0), size)
    value = like(x, 1.0) - exp_moderate_f32(-polynomial(far - like(x, 2.0), table.ERFC_F32))
    return select(size < 0.9, near, copysign(value, x))


@scalar
def erf_f64(x):
    size = fabs(x)
    z = x * x
    near = fma(x, polynomial(z, table.ERF_F64), x)
    far = select(size > 6.0, 6.0, size)
    value = 1.0 - exp_moderate_f64(-polynomial(far - 3.0, table.ERFC_F64))
    return select(size < 1.0, near, copysign(value, x))


@scalar
def erfc_f64(x):
    size = fabs(x)
    near = 1.0 - erf_f64(select(size < 0.5, x, 0.0))
    t = select(size > 28.0, 28.0, size)
    square = t * t
    rest = fma(t, t, -square)                           # t**2 is the sum of both
    power = exp_f64(-square)
    scaled = polynomial((t - 3.75) / (t + 3.75), special_table.ERFCX) / (1.0 + 2.0 * t)
    tail = scaled * (power - power * rest)
    return select(size < 0.5, near, select(x < 0.0, 2.0 - tail, tail))


@scalar
def erfinv_f32(x):
    one = like(x, 1.0)
    w = -log_f32((one - x) * (one + x))
    centre = polynomial(w - like(x, 2.5), table.ERFINV_CENTRE_F32)
    tail = polynomial(sqrt(w) - like(x, 3.0), table.ERFINV_TAIL_F32)
    value = select(w < 5.0, centre, tail) * x
    return select(fabs(x) < 1.0, value, select(fabs(x) == 1.0, copysign(like(x, INFINITY), x), like(x, NAN)))


@scalar
def erfinv_f64(x):
    w = -log_f64((1.0 - x) * (1.0 + x))
    root = sqrt(w)
    centre = polynomial(w - 3.0, table.ERFINV_CENTRE_F64)
    tail = polynomial(root - 3.25, table.ERFINV_TAIL_F64)
    far = polynomial(root - 5.0, table.ERFINV_FAR_F64)
    value = select(w < 6.25, centre, select(w < 16.0, tail, far)) * x
    return select(fabs(x) < 1.0, value, select(fabs(x) == 1.0, copysign(INFINITY, x), NAN))
