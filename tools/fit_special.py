"""Fits the polynomials of kernels/scalars/special_coefficients.py (Chebyshev interpolation in 60 digits; needs mpmath).

Run it to make that file again: python tools/fit_special.py > kernels/scalars/special_coefficients.py
"""

from __future__ import annotations

from collections.abc import Sequence

import mpmath as mp
from fit_scalars import fit, show

MIDDLE = mp.mpf("3.75")  # erfcx is a polynomial of (t - MIDDLE) / (t + MIDDLE), which maps 0 .. inf to -1 .. 1
BERNOULLI_TERMS = 12


def erfcx_scaled(u: mp.mpf) -> mp.mpf:
    """(1 + 2 t) e**(t**2) erfc(t) of u = (t - MIDDLE) / (t + MIDDLE)."""
    if u > 1 - mp.mpf(10) ** -10:
        return 2 / mp.sqrt(mp.pi)
    t = MIDDLE * (1 + u) / (1 - u)
    if t > 60:
        scaled = sum((-1) ** k * mp.fac2(2 * k - 1) / (2 * t * t) ** k for k in range(25)) / (t * mp.sqrt(mp.pi))
    else:
        scaled = mp.exp(t * t) * mp.erfc(t)
    return (1 + 2 * t) * scaled


def lgamma_from_2(t: mp.mpf) -> mp.mpf:
    """lgamma(2 + t) / t."""
    return 1 - mp.euler if abs(t) < mp.mpf(10) ** -40 else mp.loggamma(2 + t) / t


ROOT = mp.findroot(mp.digamma, 1.4616321449683623)


def digamma_by_root(x: mp.mpf) -> mp.mpf:
    return mp.psi(1, ROOT) if abs(x - ROOT) < mp.mpf(10) ** -25 else mp.digamma(x) / (x - ROOT)


def bessel_far(order: int, z: mp.mpf) -> mp.mpf:
    """sqrt(x) e**-x I(x) of z = 1 / x."""
    if z < mp.mpf(1) / 200:
        mu, term, total = 4 * order * order, mp.mpf(1), mp.mpf(1)
        for k in range(1, 60):
            term *= -(mu - (2 * k - 1) ** 2) * z / (8 * k)
            total += term
        return total / mp.sqrt(2 * mp.pi)
    x = 1 / z
    return mp.sqrt(x) * mp.exp(-x) * mp.besseli(order, x)


def temme(order: int, terms: int) -> list[mp.mpf]:
    """The coefficients, lowest first, of c_k(eta) in Q(a, x) = erfc(eta sqrt(a / 2)) / 2 + R, with
    R = e**(-a eta**2 / 2) / sqrt(2 pi a) sum c_k(eta) a**-k; x / a = lambda, eta**2 / 2 = lambda - 1 - log lambda.

    c_0 = 1 / (lambda - 1) - 1 / eta; eta c_k = d/deta c_(k - 1) + eta / (lambda - 1) gamma_k, where gamma_k are
    Stirling's coefficients: the series are made in powers of eta.
    """
    many = terms + 2 * order + 4
    shift = _lambda_series(many)  # (lambda - 1) / eta in powers of eta
    inverse = _inverse(shift)  # eta / (lambda - 1)
    stirling = [mp.mpf(1), -mp.mpf(1) / 12, mp.mpf(1) / 288, mp.mpf(139) / 51840, -mp.mpf(571) / 2488320]
    c = inverse[1:]  # (eta / (lambda - 1) - 1) / eta
    for k in range(1, order + 1):
        slope = [i * v for i, v in enumerate(c)][1:]
        total = [s + stirling[k] * w for s, w in zip(slope, inverse, strict=False)]
        assert abs(total[0]) < mp.mpf(10) ** -30
        c = total[1:]
    return c[:terms]


def _lambda_series(many: int) -> list[mp.mpf]:
    """a_i with lambda - 1 = sum a_(i) eta**(i + 1): a_0 = 1, from d lambda / d eta = eta lambda / (lambda - 1)."""
    a = [mp.mpf(1)]
    for n in range(1, many):
        # (lambda - 1) lambda' = eta lambda, at power n + 1
        a.append(mp.mpf(0))
        known = sum(a[i] * (n - i + 1) * a[n - i] for i in range(1, n + 1) if n - i + 1 <= n)
        a[n] = (a[n - 1] - known) / (n + 2)
    return a


def _inverse(series: Sequence[mp.mpf]) -> list[mp.mpf]:
    made = [1 / series[0]]
    for n in range(1, len(series)):
        made.append(-sum(series[i] * made[n - i] for i in range(1, n + 1)) / series[0])
    return made


def table(name: str, values: Sequence[mp.mpf], why: str) -> None:
    show(name, list(reversed(list(values))), mp.mpf(0), why)


def main() -> None:
    print('"""Coefficients of the special functions, highest power first, made by tools/fit_special.py."""')
    edge = 1 - mp.mpf(10) ** -30
    fit("ERFCX", erfcx_scaled, -1, edge, 27, "(1 + 2 t) e**(t**2) erfc(t) of (t - 3.75) / (t + 3.75)")
    fit("LGAMMA", lgamma_from_2, mp.mpf("-0.5"), mp.mpf("0.5"), 20, "lgamma(2 + t) / t")
    fit("DIGAMMA", digamma_by_root, 1, 2, 22, "digamma(x) / (x - root) of x - 1.5", 1.5)
    high = mp.mpf(float(ROOT))
    print(f"DIGAMMA_ROOT = {float(high)!r}")
    print(f"DIGAMMA_ROOT_LOW = {float(ROOT - high)!r}")
    table(
        "STIRLING",
        [mp.bernoulli(2 * k) / (2 * k * (2 * k - 1)) for k in range(1, 12)],
        "B(2 k) / (2 k (2 k - 1)): lgamma's of 1 / x**2",
    )
    table("PSI", [mp.bernoulli(2 * k) / (2 * k) for k in range(1, 12)], "B(2 k) / (2 k): digamma's of 1 / x**2")
    print("ZETA = (   # B(2 k) / (2 k)!, lowest first")
    for k in range(1, BERNOULLI_TERMS + 1):
        print(f"    {float(mp.bernoulli(2 * k) / mp.factorial(2 * k))!r},")
    print(")")
    parts = [(mp.bernoulli(2 * k) / mp.factorial(2 * k), 2 * k) for k in range(1, 11)]
    table("SLOPE_0", [b for b, _ in parts], "(u / (e**u - 1) - 1 + u / 2) / u**2 of u**2")
    table("SLOPE_2", [b * n * (n - 1) for b, n in parts], "the second derivative of u / (e**u - 1), of u**2")
    table("SLOPE_3", [b * n * (n - 1) * (n - 2) for b, n in parts[1:]], "the third one over u")
    table("SLOPE_4", [b * n * (n - 1) * (n - 2) * (n - 3) for b, n in parts[1:]], "the fourth one")
    table("I0_NEAR", [1 / (mp.mpf(4) ** k * mp.factorial(k) ** 2) for k in range(26)], "I0(x) of x**2, x < 8")
    table(
        "I1_NEAR",
        [1 / (2 * mp.mpf(4) ** k * mp.factorial(k) * mp.factorial(k + 1)) for k in range(26)],
        "I1(x) / x of x**2, x < 8",
    )
    for order in (0, 1):
        fit(
            f"I{order}_FAR",
            lambda z, n=order: bessel_far(n, z),
            0,
            mp.mpf(1) / 8,
            24,
            f"sqrt(x) e**-x I{order}(x) of 1 / x - 1 / 16, x > 8",
            0.0625,
        )
    for order, terms in enumerate((22, 18, 14, 10)):
        table(f"TEMME_{order}", temme(order, terms), f"c_{order} of eta")


if __name__ == "__main__":
    main()
