"""Random numbers of distributions that need a loop for each number, gamma and Poisson; and permutations.

Job: a number is a function of key, run, iteration and its own index (scalars/random.py); its attempts count the low
bits of the group of words, so that neither tiles nor threads matter. All distributions are computed in float64.
Methods: Marsaglia and Tsang 2000 (gamma), Hoermann 1993 (Poisson, transformed rejection), implicit reparameterisation
(Figurnov et al. 2018) for the gradient of gamma.
Invariant: every loop ends, after ATTEMPTS groups at most; a chance of 1e-12 or less in what is drawn here.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.arithmetic import square_root
from ...scalars.exponential import exp_f64, log_f64
from ...scalars.random import philox
from ...scalars.special import erfinv_f64
from ..memory import helper
from ..words import INVALID_VALUE, OK, TILES, USER

TILE = 256
ATTEMPTS = 1024
LOW = 0xFFFFFFFF
NAN = float("nan")


@helper
def unit(low, high):
    """A float64 in (0, 1) of two words: never 0."""
    return ((high & 0xFFFFF) * 4294967296.0 + low + 0.5) * 2.220446049250313e-16


@helper
def two_units(key, run, iteration, group):
    a, b, c, d = philox(key, run, iteration, group)
    return unit(a, b), unit(c, d)


@helper
def gamma(alpha, key, run, iteration, index):
    if not alpha > 0.0:
        return NAN
    shape = alpha + 1.0 if alpha < 1.0 else alpha
    d = shape - 1.0 / 3.0
    c = 1.0 / square_root(9.0 * d)
    result = d
    for attempt in range(ATTEMPTS - 1):
        first, second = two_units(key, run, iteration, index * ATTEMPTS + attempt)
        x = erfinv_f64(2.0 * first - 1.0) * 1.4142135623730951
        v = 1.0 + c * x
        if v > 0.0:
            v = v * v * v
            if log_f64(second) < 0.5 * x * x + d - d * v + d * log_f64(v):
                result = d * v
                break
    if alpha < 1.0:
        boost, _ = two_units(key, run, iteration, index * ATTEMPTS + ATTEMPTS - 1)
        result *= exp_f64(log_f64(boost) / alpha)
    return result


@helper
def log_gamma(x):
    """log of the gamma function of x >= 1: Stirling's series from 8 on."""
    shift = 0.0
    while x < 8.0:
        shift += log_f64(x)
        x += 1.0
    y = 1.0 / (x * x)
    series = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y * (1.0 / 1680.0 - y / 1188.0)))) / x
    return (x - 0.5) * log_f64(x) - x + 0.91893853320467274178 + series - shift


@helper
def digamma(x):
    shift = 0.0
    while x < 8.0:
        shift += 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    series = y * (1.0 / 12.0 - y * (1.0 / 120.0 - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y * (1.0 / 132.0)))))
    return log_f64(x) - 0.5 / x - series - shift


@helper
def poisson(rate, key, run, iteration, index):
    if not 0.0 <= rate < 1e15:
        return NAN
    base = index * ATTEMPTS
    if rate < 10.0:
        limit, product, count = exp_f64(-rate), 1.0, 0.0
        for attempt in range(ATTEMPTS):
            first, second = two_units(key, run, iteration, base + attempt)
            product *= first
            if product <= limit:
                return count
            product *= second
            if product <= limit:
                return count + 1.0
            count += 2.0
        return count
    b = 0.931 + 2.53 * square_root(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha, v_r = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2.0)
    for attempt in range(ATTEMPTS):
        u, v = two_units(key, run, iteration, base + attempt)
        u -= 0.5
        u_s = 0.5 - abs(u)
        k = (2.0 * a / u_s + b) * u + rate + 0.43
        k = float(int(k)) if k >= 0.0 else -1.0
        if u_s >= 0.07 and v <= v_r:
            return k
        if k < 0.0 or (u_s < 0.013 and v > u_s):
            continue
        if log_f64(v * inverse_alpha / (a / (u_s * u_s) + b)) <= k * log_f64(rate) - rate - log_gamma(k + 1.0):
            return k
    return rate


def make_per_number(draw):
    def make(types):
        def bind(count, parameters, key, choice):
            choice[TILES] = (count + TILE - 1) // TILE

        def run(parameter, counter, out, count, parameters, key, choice, work, scratch, phase, tile):
            if parameters == 0:
                return OK if count == 0 else INVALID_VALUE
            for i in range(tile * TILE, min((tile + 1) * TILE, count)):
                out[i] = draw(parameter[i % parameters], key, counter[0], counter[1], i)
            return OK
        return Functions(bind, run)
    return make


make_gamma, make_poisson = make_per_number(gamma), make_per_number(poisson)


def make_gamma_gradient(types):
    """d sample / d alpha of gamma numbers, by the derivative of the incomplete gamma function."""
    def bind(count, choice):
        choice[TILES] = (count + TILE - 1) // TILE

    def run(alpha, sample, out, count, choice, work, scratch, phase, tile):
        for i in range(tile * TILE, min((tile + 1) * TILE, count)):
            out[i] = gamma_slope(alpha[i], sample[i])
        return OK
    return Functions(bind, run)


@helper
def gamma_slope(a, x):
    if not (a > 0.0 and x >= 0.0):
        return NAN
    if x == 0.0:
        return 0.0
    return slope_of_fraction(a, x) if x > 1.0 and x > a else slope_of_series(a, x)


@helper
def slope_of_series(a, x):
    r, c, total, dc, dtotal = a, 1.0, 1.0, 0.0, 0.0
    for _ in range(2000):
        r += 1.0
        term = x / r
        dc = term * dc - x / (r * r) * c
        dtotal += dc
        c *= term
        total += c
        if abs(dc) <= 1e-16 * abs(dtotal):
            break
    return -(dtotal + total * (log_f64(x) - digamma(a + 1.0))) * x / a


@helper
def slope_of_fraction(a, x):
    y, z, c = 1.0 - a, x + 2.0 - a, 0.0
    p2, q2, p1, q1 = 1.0, x, x + 1.0, (x + 2.0 - a) * x
    dp2, dq2, dp1, dq1 = 0.0, 0.0, 0.0, -x
    value = p1 / q1
    slope = (dp1 - value * dq1) / q1
    for _ in range(2000):
        c += 1.0
        y += 1.0
        z += 2.0
        yc = y * c
        p, q = p1 * z - p2 * yc, q1 * z - q2 * yc
        dp, dq = dp1 * z - p1 - dp2 * yc + p2 * c, dq1 * z - q1 - dq2 * yc + q2 * c
        if q != 0.0:
            value = p / q
            before, slope = slope, (dp - value * dq) / q
            if abs(slope - before) <= 1e-16 * abs(slope):
                break
        p2, p1, q2, q1, dp2, dp1, dq2, dq1 = p1, p, q1, q, dp1, dp, dq1, dq
        if abs(p) > 1e100:
            p2, p1, q2, q1 = p2 * 1e-100, p1 * 1e-100, q2 * 1e-100, q1 * 1e-100
            dp2, dp1, dq2, dq1 = dp2 * 1e-100, dp1 * 1e-100, dq2 * 1e-100, dq1 * 1e-100
    return (slope + value * (log_f64(x) - digamma(a))) * x


def make_permutation(types):
    """The numbers 0 to n - 1 in an order that `bits` (32 a number) choose: Fisher and Yates."""
    def bind(n, choice):
        choice[TILES] = 1

    def run(bits, out, n, choice, work, scratch, phase, tile):
        for i in range(n):
            out[i] = i
        for i in range(n - 1, 0, -1):
            j = ((bits[i] & LOW) * (i + 1)) >> 32
            held = out[i]
            out[i] = out[j]
            out[j] = held
        return OK
    return Functions(bind, run)


def make_search(types):
    """For each u the first place of its row of running sums that is greater than u times the last one."""
    def bind(rows, cols, count, choice):
        per_tile = max(TILE // max(count, 1), 1)
        choice[USER] = per_tile
        choice[TILES] = (rows + per_tile - 1) // per_tile

    def run(sums, u, out, rows, cols, count, choice, work, scratch, phase, tile):
        if cols == 0 and count > 0:
            return INVALID_VALUE
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            for i in range(count):
                wanted = u[row * count + i] * sums[row * cols + cols - 1]
                low, high = 0, cols - 1
                while low < high:
                    middle = (low + high) // 2
                    if sums[row * cols + middle] > wanted:
                        high = middle
                    else:
                        low = middle + 1
                out[row * count + i] = low
        return OK
    return Functions(bind, run)
