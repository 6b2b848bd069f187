"""The regularised incomplete gamma and beta functions.

igamma    P(a, x), its power series for x below a; igammac, Q = 1 - P, a continued fraction above; beyond a = 10,000
          near x = a Temme's uniform expansion, as the others would take sqrt(a) steps
betainc   a continued fraction, of x or of 1 - x, whichever takes few steps; beyond 1,000,000 it may be cut short
The factor in front of all of them, x**a e**-x / gamma(a + 1), is made of e**(-a phi) so that nothing large cancels.
"""
from __future__ import annotations

from . import coefficients as logarithm
from . import exponential, gamma, special
from . import special_coefficients as table
from .gamma import stirling
from .machine import called, copysign, fabs, fma, polynomial, scalar, select, sqrt

exp_f64, log_f64, pow_f64 = called(exponential.exp_f64), called(exponential.log_f64), called(exponential.pow_f64)
expm1_f64, log1p_f64 = called(exponential.expm1_f64), called(exponential.log1p_f64)
lgamma_1p, lgamma_positive = called(gamma.lgamma_1p), called(gamma.lgamma_positive)
digamma_positive, erfc_f64 = called(gamma.digamma_positive), called(special.erfc_f64)

INFINITY = float("inf")
NAN = float("nan")
ROOT_TWO_PI = 2.5066282746310002
EPSILON = 1.1e-16
TINY = 1e-300
STEPS = 20000                  # of a series or a fraction: none takes more within what the header says
LARGE_A = 10000.0
NEAR = 0.4                     # |x - a| / a of Temme's expansion


@scalar
def log1p_less(u, ratio):
    """log(1 + u) - u, exact near 0; ratio = 1 + u."""
    if u < -0.29 or u > 0.41:
        return log_f64(ratio) - u
    s = u / (2.0 + u)
    z = s * s
    return s * (z * polynomial(z, logarithm.LOG_F64) - u)


@scalar
def _front(a, x):
    """x**a e**-x / gamma(a + 1), for positive finite a and x."""
    if a < 10.0:
        if x > 2000.0:
            return 0.0
        half = exp_f64(-0.5 * x)
        return half * (pow_f64(x, a) * half) * exp_f64(-lgamma_1p(a))
    return exp_f64(a * log1p_less((x - a) / a, x / a) - stirling(a)) / (ROOT_TWO_PI * sqrt(a))


@scalar
def _series(a, x):
    """P(a, x) over the factor in front."""
    term, total = 1.0, 1.0
    for n in range(1, STEPS):
        term *= x / (a + n)
        total += term
        if term <= EPSILON * total:
            break
    return total


@scalar
def _fraction(a, x):
    """Q(a, x) over a times the factor in front (Lentz), and the derivative of its logarithm by a."""
    b = x + 1.0 - a
    c, dc = 1.0 / TINY, 0.0
    d = 1.0 / b
    dd = d * d
    value, slope = d, d
    for i in range(1, STEPS):
        step = -i * (i - a)
        b += 2.0
        before = d
        d = 1.0 / (step * d + b)
        dd = -d * d * (i * before + step * dd - 1.0)
        dc = i / c - step * (dc / c) / c - 1.0
        c = b + step / c
        change = c * d
        value *= change
        moved = dc / c + dd / d
        slope += moved
        if fabs(change - 1.0) <= EPSILON and fabs(moved) <= EPSILON * fabs(slope):
            break
    return value, slope


@scalar
def _temme(a, x):
    """P and Q for large a and x near it."""
    phi = log1p_less((x - a) / a, x / a)
    eta = copysign(sqrt(-2.0 * phi), x - a)
    series = polynomial(eta, table.TEMME_3)
    series = polynomial(eta, table.TEMME_2) + series / a
    series = polynomial(eta, table.TEMME_1) + series / a
    series = polynomial(eta, table.TEMME_0) + series / a
    rest = exp_f64(a * phi) / (ROOT_TWO_PI * sqrt(a)) * series
    argument = eta * sqrt(0.5 * a)
    return 0.5 * erfc_f64(-argument) - rest, 0.5 * erfc_f64(argument) + rest


@scalar
def _small_upper(a, x):
    """Q(a, x) for small a and x: 1 less x**a / gamma(a + 1), and the other terms of the alternating series."""
    exponent = a * log_f64(x) - lgamma_1p(a)
    term, total = 1.0, 0.0
    for n in range(1, STEPS):
        term *= -x / n
        step = term / (a + n)
        total += step
        if fabs(step) <= EPSILON * fabs(total):
            break
    return -expm1_f64(exponent) - exp_f64(exponent) * a * total


@scalar
def _both(a, x):
    """P(a, x) and Q(a, x), for positive finite a and x."""
    if a > LARGE_A and fabs(x - a) < NEAR * a:
        return _temme(a, x)
    if x <= 1.1:
        small = a < 0.75 * x if x > 0.5 else a * -log_f64(x) < 0.4
        lower = _front(a, x) * _series(a, x)
        return lower, _small_upper(a, x) if small else 1.0 - lower
    if x <= a:
        lower = _front(a, x) * _series(a, x)
        return lower, 1.0 - lower
    upper = a * _front(a, x) * _fraction(a, x)[0]
    return 1.0 - upper, upper


@scalar
def igamma_f64(a, x):
    if x == 0.0 and a >= 0.0:
        return 0.0
    if not (a > 0.0 and x > 0.0) or (a == INFINITY and x == INFINITY):
        return NAN
    if a == INFINITY:
        return 0.0
    return 1.0 if x == INFINITY else _both(a, x)[0]


@scalar
def igammac_f64(a, x):
    if not (a > 0.0 and x >= 0.0) or (a == INFINITY and x == INFINITY):
        return NAN
    if x == 0.0 or a == INFINITY:
        return 1.0
    return 0.0 if x == INFINITY else _both(a, x)[1]


@scalar
def _large_slope(a, x):
    """dP / da for large a and x near it.

    P(a + 1) - P(a) is minus the factor f in front; so dP / da = -g(D) f with g(u) = u / (e**u - 1), and f(a + t) is
    f e**(u t + u' t**2 / 2 + ...): every derivative of u but the first is small.
    """
    r = 1.0 / a
    u = log1p_f64((x - a) / a) - 0.5 * r + r * r * (0.08333333333333333 - 0.008333333333333333 * r * r)
    second = -r * (1.0 - 0.5 * r + r * r * 0.16666666666666666)
    third = r * r * (1.0 - r)
    fourth = -2.0 * r * r * r
    z = u * u
    g = 1.0 - 0.5 * u + z * polynomial(z, table.SLOPE_0)
    g2 = polynomial(z, table.SLOPE_2)
    g3 = u * polynomial(z, table.SLOPE_3)
    g4 = polynomial(z, table.SLOPE_4)
    total = g + 0.5 * second * g2 + third * g3 * 0.16666666666666666
    return -_front(a, x) * (total + (fourth / 24.0 + second * second * 0.125) * g4)


@scalar
def igamma_grad_a_f64(a, x):
    """The derivative of igamma by a."""
    if x == 0.0 and a >= 0.0:
        return 0.0
    if not (a > 0.0 and x > 0.0) or (a == INFINITY and x == INFINITY):
        return NAN
    if a == INFINITY or x == INFINITY:
        return 0.0
    if a > LARGE_A and fabs(x - a) < NEAR * a:
        return _large_slope(a, x)
    if x > 1.0 and x > a:
        value, slope = _fraction(a, x)
        return -_front(a, x) * value * (a * (log_f64(x) + slope - digamma_positive(a + 1.0)) + 1.0)
    term, total, slope, harmonic = 1.0, 1.0, 0.0, 0.0
    for n in range(1, STEPS):
        term *= x / (a + n)
        harmonic += 1.0 / (a + n)
        total += term
        slope -= term * harmonic
        if term * harmonic <= EPSILON * fabs(slope) and term <= EPSILON * total:
            break
    return _front(a, x) * ((log_f64(x) - digamma_positive(a + 1.0)) * total + slope)


@scalar
def _beta_front(a, b, x):
    """x**a (1 - x)**b gamma(a + b) / (gamma(a + 1) gamma(b))."""
    if a >= 10.0 and b >= 10.0:
        total, rest = a + b, 1.0 - x
        product = rest * a
        away = fma(x, b, -product) - fma(rest, a, -product)        # (x - a / (a + b)) (a + b)
        exponent = (a * log1p_less(away / a, x / (a / total)) + b * log1p_less(-away / b, rest / (b / total)))
        correction = stirling(total) - stirling(a) - stirling(b)
        return exp_f64(exponent + correction) * sqrt(b / total) / (ROOT_TWO_PI * sqrt(a))
    exponent = a * log_f64(x) + b * log1p_f64(-x)
    if b >= 10.0:                                           # gamma(a + b) / gamma(b)
        ratio = a * log_f64(b) + ((a + b - 0.5) * log1p_f64(a / b) - a) + (stirling(a + b) - stirling(b))
        return exp_f64(exponent + ratio - lgamma_1p(a))
    if a >= 10.0:                                           # gamma(a + b) / gamma(a), over a
        ratio = b * log_f64(a) + ((a + b - 0.5) * log1p_f64(b / a) - b) + (stirling(a + b) - stirling(a))
        return exp_f64(exponent + ratio - lgamma_positive(b)) / a
    return exp_f64(exponent + lgamma_1p(a + b) - lgamma_1p(a) - lgamma_1p(b)) * (b / (a + b))


@scalar
def _beta_fraction(a, b, x):
    """betainc over the factor in front (Lentz)."""
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / select(fabs(d) < TINY, TINY, d)
    value = d
    for m in range(1, STEPS):
        two = a + 2.0 * m
        step = m * (b - m) * x / ((two - 1.0) * two)
        d = 1.0 + step * d
        c = 1.0 + step / c
        d = 1.0 / select(fabs(d) < TINY, TINY, d)
        c = select(fabs(c) < TINY, TINY, c)
        value *= d * c
        step = -(a + m) * (a + b + m) * x / (two * (two + 1.0))
        d = 1.0 + step * d
        c = 1.0 + step / c
        d = 1.0 / select(fabs(d) < TINY, TINY, d)
        c = select(fabs(c) < TINY, TINY, c)
        value *= d * c
        if fabs(d * c - 1.0) <= 2.0 * EPSILON:
            break
    return value


@scalar
def betainc_f64(a, b, x):
    if not (a > 0.0 and b > 0.0 and x >= 0.0 and x <= 1.0 and a < INFINITY and b < INFINITY):
        return NAN
    if x == 0.0 or x == 1.0:
        return x
    if x <= (a + 1.0) / (a + b + 2.0):
        return _beta_front(a, b, x) * _beta_fraction(a, b, x)
    return 1.0 - _beta_front(b, a, 1.0 - x) * _beta_fraction(b, a, 1.0 - x)
