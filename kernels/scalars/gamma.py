"""The logarithm of the gamma function, its derivatives and the Hurwitz zeta function.

lgamma    near 1 and 2, where it is 0, t times a polynomial of t; between by products, beyond 12 Stirling's series
digamma   on 1 .. 2 the distance from its root times a polynomial; between by sums, beyond 10 its series
zeta      10 terms of the sum and Euler and Maclaurin's series for the rest
Below 0 all go by reflection, where only the absolute error is small near a root. lgamma and digamma have no branch, and
are vectorised.
"""
from __future__ import annotations

from . import special_coefficients as table
from .exponential import log1p_f64, log_f64, pow_f64
from .machine import called, ceil, fabs, floor, fma, polynomial, scalar, select
from .trigonometric import cotangent_f64, sin_f64

INFINITY = float("inf")
NAN = float("nan")
PI = 3.141592653589793
HALF_LOG_TWO_PI_LESS_HALF = 0.4189385332046727418         # log(2 pi) / 2 - 1 / 2
NEGLIGIBLE = 1e-17
LARGEST_FACTORIAL = 170.0

power = called(pow_f64)


@scalar
def stirling(x):
    """lgamma(x) - ((x - 1/2) log x - x + log(2 pi) / 2) for x >= 10."""
    return polynomial(1.0 / x / x, table.STIRLING) / x


@scalar
def lgamma_1p(x):
    """lgamma(1 + x), x from -1/2 on, exact near 0."""
    if x < 0.5:
        return x * polynomial(x, table.LGAMMA) - log1p_f64(x)
    if x <= 1.5:
        return (x - 1.0) * polynomial(x - 1.0, table.LGAMMA)
    return lgamma_positive(1.0 + x)


@scalar
def lgamma_positive(x):
    """For x > -1/2. Both forms are computed, and share the logarithm: of x from 12 on; of the product that brings x to
    1.5 .. 2.5, and below of what x is multiplied with to get there, which counts the other way."""
    far, upwards, low = x >= 12.0, x < 1.5, x < 0.5
    t, product = x, 1.0
    for _ in range(10):
        goes_on = t > 2.5
        t = select(goes_on, t - 1.0, t)
        product = select(goes_on, product * t, product)
    t = select(low, x, select(upwards, x - 1.0, t - 2.0))
    product = select(low, fabs(x * (1.0 + x)), select(upwards, x, product))
    logarithm = log_f64(select(far, x, product))
    near = t * polynomial(t, table.LGAMMA) + select(upwards, -logarithm, logarithm)
    return select(far, (x - 0.5) * (logarithm - 1.0) + (HALF_LOG_TWO_PI_LESS_HALF + stirling(x)), near)


@scalar
def lgamma_f64(x):
    """log |gamma x|; infinite at 0 and the negative integers."""
    reflected = x <= -0.5
    value = lgamma_positive(select(reflected, -x, x))
    rest = x - floor(x + 0.5)
    value = select(reflected, log_f64(PI / (-x * fabs(sin_f64(PI * rest)))) - value, value)
    return select(reflected & (x == floor(x)), INFINITY, value)


@scalar
def digamma_positive(x):
    """Both forms are computed, and share a division: of 0.5 / x from 10 on, below of what is added to the values on
    1 .. 2: 1 / (x - 1) + 1 / (x - 2) + ..., or -1 / x, which are kept as the fraction above / below meanwhile."""
    far, small = x >= 10.0, x < 1.0
    t = select(small, x + 1.0, x)
    above, below = select(small, -1.0, 0.0), select(small, x, 1.0)
    for _ in range(8):
        goes_on, t = t > 2.0, select(t > 2.0, t - 1.0, t)
        above = select(goes_on, fma(above, t, below), above)
        below = select(goes_on, below * t, below)
    quotient = select(far, 0.5, above) / select(far, x, below)
    near = quotient + ((t - table.DIGAMMA_ROOT) - table.DIGAMMA_ROOT_LOW) * polynomial(t - 1.5, table.DIGAMMA)
    z = 4.0 * quotient * quotient
    return select(far, log_f64(x) - quotient - z * polynomial(z, table.PSI), near)


@scalar
def digamma_f64(x):
    """The derivative of lgamma; NaN at 0 and the negative integers."""
    reflected = x <= 0.0
    value = digamma_positive(select(reflected, 1.0 - x, x))
    rest = x - floor(x + 0.5)
    value = select(reflected, value - PI * cotangent_f64(PI * rest), value)
    return select(reflected & (x == floor(x)), NAN, value)


@scalar
def _hurwitz(x, q):
    """The sum of (q + k)**-x over k >= 0, for x > 1, q > 0."""
    total = power(q, -x)
    if total == INFINITY or q == INFINITY:
        return total
    term = total
    for k in range(1, 10):
        # q + k is rounded, which x-th powers make x times as much of: (s + e)**-x = s**-x (1 - x e / s).
        base = q + k
        back = base - q
        error = (q - (base - back)) + (k - back)
        term = power(base, -x)
        if term != 0.0:                     # else x may be infinite
            term -= term * (x * (error / base))
        total += term
        if term <= NEGLIGIBLE * total and total > 0.0:
            return total
    last = q + 9.0
    # 1 - x is rounded, which matters to the power where x is large, unless the other one is next to nothing.
    total += (term * last if term > 1e-290 else power(last, 1.0 - x)) / (x - 1.0)
    if term == 0.0:
        return total
    rest = table.ZETA[11]
    rest = table.ZETA[10] + rest * ((x + 21.0) / last * ((x + 22.0) / last))
    rest = table.ZETA[9] + rest * ((x + 19.0) / last * ((x + 20.0) / last))
    rest = table.ZETA[8] + rest * ((x + 17.0) / last * ((x + 18.0) / last))
    rest = table.ZETA[7] + rest * ((x + 15.0) / last * ((x + 16.0) / last))
    rest = table.ZETA[6] + rest * ((x + 13.0) / last * ((x + 14.0) / last))
    rest = table.ZETA[5] + rest * ((x + 11.0) / last * ((x + 12.0) / last))
    rest = table.ZETA[4] + rest * ((x + 9.0) / last * ((x + 10.0) / last))
    rest = table.ZETA[3] + rest * ((x + 7.0) / last * ((x + 8.0) / last))
    rest = table.ZETA[2] + rest * ((x + 5.0) / last * ((x + 6.0) / last))
    rest = table.ZETA[1] + rest * ((x + 3.0) / last * ((x + 4.0) / last))
    rest = table.ZETA[0] + rest * ((x + 1.0) / last * ((x + 2.0) / last))
    return total + (term * x / last * rest - 0.5 * term)


hurwitz = called(_hurwitz)


@scalar
def zeta_f64(x, q):
    """Hurwitz' zeta function: infinite for x = 1, NaN below; for q < 0 a number if x is whole."""
    if x != x or q != q or x < 1.0:
        return NAN
    if x == 1.0:
        return INFINITY
    if q > 0.0:
        return hurwitz(x, q)
    half = 0.5 * x
    even = floor(half) == half
    if q == floor(q):
        return INFINITY if even else NAN
    if x != floor(x):
        return NAN
    # Of the terms below 0 there are finitely many: those from ceil(q) - q on less those from 1 - q on.
    rest = ceil(q) - q
    below = hurwitz(x, rest)
    above = hurwitz(x, 1.0 - rest)
    if below == INFINITY or above == INFINITY:
        return INFINITY if even or below < INFINITY else -INFINITY
    beyond = hurwitz(x, 1.0 - q)
    return above + (below - beyond) if even else (above - below) + beyond


@scalar
def polygamma_f64(n, x):
    """The derivative of digamma of order n: a whole number, NaN for any other."""
    if n != n or x != x or n < 0.0 or n != floor(n):
        return NAN
    if n == 0.0:
        return digamma_f64(x)
    factorial = INFINITY
    if n <= LARGEST_FACTORIAL:
        factorial = 1.0
        k = 2.0
        while k <= n:
            factorial *= k
            k += 1.0
    half = 0.5 * n
    value = factorial * zeta_f64(n + 1.0, x)
    return -value if floor(half) == half else value
