"""The modified Bessel functions I0 and I1 times e**-|x|.

Below 8 their power series, of which all terms are positive; beyond a polynomial of 1 / x over sqrt(x).
"""
from __future__ import annotations

from . import special_coefficients as table
from .exponential import exp_f64
from .machine import copysign, fabs, polynomial, scalar, select, sqrt

LIMIT = 8.0


@scalar
def bessel_i0e_f64(x):
    size = fabs(x)
    near = select(size > LIMIT, LIMIT, size)
    far = select(size > LIMIT, size, LIMIT)
    value = polynomial(1.0 / far - 0.0625, table.I0_FAR) / sqrt(far)
    return select(size > LIMIT, value, polynomial(near * near, table.I0_NEAR) * exp_f64(-near))


@scalar
def bessel_i1e_f64(x):
    size = fabs(x)
    near = select(size > LIMIT, LIMIT, size)
    far = select(size > LIMIT, size, LIMIT)
    value = polynomial(1.0 / far - 0.0625, table.I1_FAR) / sqrt(far)
    return copysign(select(size > LIMIT, value, near * (polynomial(near * near, table.I1_NEAR) * exp_f64(-near))), x)
