"""The inverse hyperbolic functions.

asinh x = log(x + sqrt(x**2 + 1)), and so on, by log1p of what is small; log(2 x) where 1 is lost beside x**2.
"""
from __future__ import annotations

from .exponential import log1p_f64, log_f64
from .machine import copysign, fabs, scalar, select, sqrt

LOG_2 = 0.6931471805599453
LARGE = 268435456.0                  # 2**28: from here on x**2 + 1 is x**2


@scalar
def asinh_f64(x):
    size = fabs(x)
    moderate = select(size > LARGE, 1.0, size)
    square = moderate * moderate
    near = log1p_f64(moderate + square / (1.0 + sqrt(square + 1.0)))
    return select(x == 0.0, x, copysign(select(size > LARGE, log_f64(size) + LOG_2, near), x))


@scalar
def acosh_f64(x):
    """NaN below 1."""
    t = select(x > LARGE, 1.0, x) - 1.0
    near = log1p_f64(t + sqrt(t * (t + 2.0)))
    return select(x < 1.0, float("nan"), select(x > LARGE, log_f64(x) + LOG_2, near))


@scalar
def atanh_f64(x):
    """NaN beyond 1."""
    size = fabs(x)
    double = size + size
    value = 0.5 * log1p_f64(select(size < 0.5, double + double * size / (1.0 - size), double / (1.0 - size)))
    return select(x == 0.0, x, copysign(select(size <= 1.0, value, float("nan")), x))
