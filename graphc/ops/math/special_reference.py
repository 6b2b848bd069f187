"""The special functions in NumPy's long double, one formula a function, as references: none is the kernels' own.

lgamma, digamma   Stirling's series after 30 steps of the recurrence; near 1 and 2 the Taylor series
hurwitz           40 terms of the sum and Euler and Maclaurin's series
gamma_parts       power series and continued fraction; for large a near x the density's integral, by Gauss and Legendre
beta              a hypergeometric series of positive terms
Complex arguments give derivatives: a step along the imaginary axis is free of cancellation.
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

LONG = np.longdouble
EULER = LONG("0.57721566490153286060651209008240243")
PI = LONG("3.14159265358979323846264338327950288")
BERNOULLI = [
    LONG(n) / LONG(d)
    for n, d in (
        (1, 6),
        (-1, 30),
        (1, 42),
        (-1, 30),
        (5, 66),
        (-691, 2730),
        (7, 6),
        (-3617, 510),
        (43867, 798),
        (-174611, 330),
        (854513, 138),
        (-236364091, 2730),
    )
]
SHIFT, TERMS = 30, 40
ENOUGH = 1e-20
LARGE = 1e4


def lgamma(x: Any) -> Any:
    """log |gamma x| of real x; log gamma x of complex x beside the positive axis."""
    if np.iscomplexobj(x):
        return _lgamma_right(x)
    x = np.asarray(x, LONG)
    rest = x - np.rint(x)
    right = np.where(x > 0, x, 1 - x)
    value = _lgamma_right(right)
    for at in (1, 2):
        t = right - at
        near = np.where(np.abs(t) < 0.02, t, 0)
        series = -EULER * near + sum(ZETA[k] * (-near) ** k / k for k in range(2, 16))
        value = np.where(np.abs(t) < 0.02, series + (np.log1p(near) if at == 2 else 0), value)
    reflected = np.log(PI / np.abs(np.sin(PI * rest))) - value
    value = np.where(x > 0, value, np.where(x == np.floor(x), np.inf, reflected))
    return np.where(np.isnan(x), x, np.where(np.isposinf(x), x, value))


def _lgamma_right(x: Any) -> Any:
    lead = sum(np.log(x + i) for i in range(SHIFT))
    z = x + SHIFT
    series = sum(b / (2 * k * (2 * k - 1)) / z ** (2 * k - 1) for k, b in enumerate(BERNOULLI, 1))
    return (z - LONG(0.5)) * np.log(z) - z + np.log(2 * PI) / 2 + series - lead


def digamma(x: Any) -> Any:
    x = np.asarray(x, LONG)
    rest = x - np.rint(x)
    right = np.where(x > 0, x, 1 - x)
    lead = sum(1 / (right + i) for i in range(SHIFT))
    z = right + SHIFT
    value = np.log(z) - 1 / (2 * z) - sum(b / (2 * k) / z ** (2 * k) for k, b in enumerate(BERNOULLI, 1)) - lead
    value = np.where(x > 0, value, np.where(x == np.floor(x), np.nan, value - PI / np.tan(PI * rest)))
    return np.where(np.isposinf(x), x, value)


def _hurwitz(x: Any, q: Any) -> Any:
    total, term = np.zeros_like(q), np.zeros_like(q)
    for k in range(TERMS):
        term = (q + k) ** -x
        total = total + term
    z = q + (TERMS - 1)
    tail = z ** (1 - x) / (x - 1) - term / 2
    factor = term * x / z
    for k, b in enumerate(BERNOULLI, 1):
        tail = tail + b / math.factorial(2 * k) * factor
        factor = factor * (x + 2 * k - 1) / z * (x + 2 * k) / z
    return np.where((term > ENOUGH * total) & np.isfinite(total), total + tail, total)


ZETA = [LONG(0), LONG(0), *(_hurwitz(LONG(k), np.ones((), LONG))[()] for k in range(2, 16))]


def zeta(x: Any, q: Any) -> Any:
    """Hurwitz' zeta function; below 0 for whole x only: the terms below 0 are the difference of two sums."""
    x, q = np.broadcast_arrays(np.asarray(x, LONG), np.asarray(q, LONG))
    whole_x, whole_q, even = x == np.floor(x), q == np.floor(q), np.floor(x / 2) == x / 2
    below = (q < 0) & ~whole_q & np.isfinite(q)
    rest = np.where(below, np.ceil(q) - q, 1)
    right = _hurwitz(x, np.where(below, 1 - rest, np.where(q > 0, q, 1)))
    left, beyond = _hurwitz(x, rest), _hurwitz(x, np.where(below, 1 - q, 1))
    value = np.where(below, np.where(even, right + (left - beyond), (right - left) + beyond), right)
    value = np.where(np.isposinf(q), 0, value)
    value = np.where((q <= 0) & whole_q, np.where(even, np.inf, np.nan), np.where((q < 0) & ~whole_x, np.nan, value))
    value = np.where(x == 1, np.inf, np.where(x < 1, np.nan, value))
    return np.where(np.isnan(x) | np.isnan(q), np.nan, value)


def polygamma(n: Any, x: Any) -> Any:
    n, x = np.broadcast_arrays(np.asarray(n, LONG), np.asarray(x, LONG))
    order = np.where((n > 0) & (n == np.floor(n)), n, 1)
    sign = np.where(np.floor(order / 2) == order / 2, -1, 1)
    value = sign * np.exp(lgamma(order + 1)) * zeta(order + 1, x)
    value = np.where(n == 0, digamma(x), value)
    return np.where((n < 0) | (n != np.floor(n)) | np.isnan(x), np.nan, value)


def bessel(order: int, x: Any) -> Any:
    """e**-|x| I(x): the power series below 25, the asymptotic one beyond."""
    size = np.abs(np.asarray(x, LONG))
    near, far = np.where(size < 25, size, 1), np.where(size < 25, 25, size)
    term = (near / 2) ** order
    total = term
    for k in range(1, 80):
        term = term * (near / 2) ** 2 / (k * (k + order))
        total = total + term
    step, series = np.ones_like(far), np.ones_like(far)
    for k in range(1, 25):
        step = step * -(4 * order * order - (2 * k - 1) ** 2) / (8 * k * far)
        series = series + step
    value = np.where(size < 25, total * np.exp(-near), series / np.sqrt(2 * PI * far))
    return np.where(np.isnan(x), np.nan, value * np.where(np.asarray(x) < 0, (-1) ** order, 1))


def gamma_parts(a: Any, x: Any, slope: bool = False) -> tuple[Any, Any]:
    """P(a, x) and Q(a, x), or their derivatives by a, for arrays of any real numbers; NaN where there is none."""
    a, x = np.broadcast_arrays(np.asarray(a, LONG), np.asarray(x, LONG))
    lower, upper = np.full(a.shape, np.nan, LONG), np.full(a.shape, np.nan, LONG)
    inside = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    integral = inside & (a > LARGE) & (np.abs(x - a) < 0.3 * a)
    series = inside & ~integral & ((x <= 1) | (x <= a))
    fraction = inside & ~integral & ~series
    for where, function in ((integral, _integral), (series, _series), (fraction, _fraction)):
        if where.any():
            p, q = function(a[where], x[where], slope)
            lower[where], upper[where] = p, q
    lower[(x == 0) & (a == 0)] = 0
    for where, p in (
        ((x == 0) & (a > 0), 0),
        (np.isposinf(x) & (a > 0) & np.isfinite(a), 1),
        (np.isposinf(a) & (x >= 0) & np.isfinite(x), 0),
    ):
        lower[where], upper[where] = (0, 0) if slope else (p, 1 - p)
    return lower, upper


def _front(a: Any, x: Any) -> Any:
    """x**a e**-x / gamma(a + 1); the logarithm of large a is taken in full."""
    far = np.real(a) > LARGE
    ordinary = np.exp(
        np.where(far, 1, a) * np.log(np.where(far, 1, x)) - np.where(far, 1, x) - lgamma(np.where(far, 1, a) + 1)
    )
    if not far.any():
        return ordinary
    large = np.exp(a * (np.log(x / a) - (x - a) / a) - 1 / (12 * a) + 1 / (360 * a**3)) / np.sqrt(2 * PI * a)
    return np.where(far, large, ordinary)


def _stepped(a: Any, slope: bool) -> tuple[Any, Any]:
    """a, moved along the imaginary axis if the derivative is wanted; and the step."""
    step = a * LONG("1e-30")
    return (a + 1j * step).astype(np.clongdouble) if slope else a, step


def _series(a: Any, x: Any, slope: bool) -> tuple[Any, Any]:
    z, step = _stepped(a, slope)
    term, total, n = np.ones_like(z), np.ones_like(z), 1
    while n < 10000 and np.any(np.abs(term) > ENOUGH * np.abs(total)):
        term = term * (x / (z + n))
        total = total + term
        n += 1
    lower = _front(z, x) * total
    if slope:
        value = np.imag(lower) / step
        return value, -value
    tiny = np.where(a < 0.02, a, 0)
    series = -EULER * tiny + sum(ZETA[k] * (-tiny) ** k / k for k in range(2, 16))
    exponent = a * np.log(x) - np.where(a < 0.02, series, lgamma(a + 1))
    term, rest = np.ones_like(a), np.zeros_like(a)
    for n in range(1, 60):
        term = term * -np.minimum(x, 2) / n
        rest = rest + term / (a + n)
    return lower, np.where((x <= 1) & (a < 1), -np.expm1(exponent) - np.exp(exponent) * a * rest, 1 - lower)


def _fraction(a: Any, x: Any, slope: bool) -> tuple[Any, Any]:
    z, step = _stepped(a, slope)
    tiny = LONG("1e-4000")
    b = x + 1 - z
    c, d = 1 / tiny + np.zeros_like(z), 1 / b
    value, n, change = d, 1, np.full(a.shape, 2, z.dtype)
    while n < 10000 and np.any(np.abs(change - 1) > ENOUGH * 10):
        factor = -n * (n - z)
        b = b + 2
        d = 1 / (factor * d + b)
        c = b + factor / c
        change = c * d
        value = value * change
        n += 1
    upper = z * _front(z, x) * value
    if slope:
        found = np.imag(upper) / step
        return -found, found
    return 1 - upper, upper


def _log1p_less(u: Any) -> Any:
    """log(1 + u) - u."""
    small = np.where(np.abs(u) < 0.02, u, 0)
    series = sum(-((-small) ** k) / k for k in range(2, 14))
    return np.where(np.abs(u) < 0.02, series, np.log1p(u) - u)


def _integral(a: Any, x: Any, slope: bool) -> tuple[Any, Any]:
    """The density of t = a (1 + u), from x away from a, over 12 of its widths, where the rest is nothing."""
    nodes, weights = np.polynomial.legendre.leggauss(20)
    panels = (np.arange(24)[:, None] + (nodes + 1) / 2).ravel() / 24
    u, width = (x - a) / a, 12 / np.sqrt(a)
    sign = np.where(u < 0, -1, 1)
    points = u[:, None] + (sign * width)[:, None] * panels
    height = np.exp(a[:, None] * _log1p_less(points)) / (1 + points)
    if slope:
        height = height * (np.log1p(points) + (1 / (2 * a) + 1 / (12 * a * a))[:, None])
    scale = np.sqrt(a / (2 * PI)) * np.exp(-1 / (12 * a))
    part = (height * np.tile(weights, 24)).sum(1) * width / 48 * scale
    other = (0 if slope else 1) - part
    return np.where(u < 0, part, other), np.where(u < 0, other, part)


def beta(a: Any, b: Any, x: Any) -> Any:
    """The regularised incomplete beta function."""
    a, b, x = np.broadcast_arrays(*(np.asarray(v, LONG) for v in (a, b, x)))
    inside = (a > 0) & (b > 0) & (x > 0) & (x < 1) & np.isfinite(a) & np.isfinite(b)
    value = np.where((a > 0) & (b > 0) & np.isfinite(a) & np.isfinite(b) & ((x == 0) | (x == 1)), x, np.nan)
    p, q, t = a[inside], b[inside], x[inside]
    other = 1 - t
    swapped = t > (p + 1) / (p + q + 2)
    p, q, t, other = (np.where(swapped, v, w) for v, w in ((q, p), (p, q), (other, t), (t, other)))
    term, total, n = np.ones_like(p), np.ones_like(p), 0
    while n < 50000 and np.any(term > ENOUGH * total):
        term = term * ((p + q + n) / (p + 1 + n) * t)
        total = total + term
        n += 1
    logs = np.where(t < 0.5, np.log(t), np.log1p(-other)), np.where(t < 0.5, np.log1p(-t), np.log(other))
    front = np.exp(p * logs[0] + q * logs[1] + lgamma(p + q) - lgamma(p + 1) - lgamma(q))
    value[inside] = np.where(swapped, 1 - front * total, front * total)
    return value
