"""Fits the polynomials of kernels/scalars/coefficients.py (Chebyshev interpolation in 60 digits; needs mpmath).

Run it to make that file again: python tools/fit_scalars.py > kernels/scalars/coefficients.py
"""
from __future__ import annotations

from collections.abc import Callable

import mpmath as mp

mp.mp.dps = 60


def exp_tail(r: mp.mpf) -> mp.mpf:
    return mp.mpf(1) / 2 + r / 6 if abs(r) < mp.mpf(10) ** -25 else (mp.expm1(r) - r) / r**2


def log_tail(z: mp.mpf) -> mp.mpf:
    s = mp.sqrt(abs(z))
    return mp.mpf(2) / 3 + 2 * z / 5 if s < mp.mpf(10) ** -15 else (2 * mp.atanh(s) - 2 * s) / s**3


def pow_tail(z: mp.mpf) -> mp.mpf:
    return mp.mpf(2) / 5 + 2 * z / 7 if z < mp.mpf(10) ** -20 else (log_tail(z) - mp.mpf(2) / 3) / z


def atan_tail(z: mp.mpf) -> mp.mpf:
    s = mp.sqrt(abs(z))
    return -mp.mpf(1) / 3 + z / 5 if s < mp.mpf(10) ** -15 else (mp.atan(s) - s) / s**3


def sin_tail(z: mp.mpf) -> mp.mpf:
    s = mp.sqrt(abs(z))
    return -mp.mpf(1) / 6 + z / 120 if s < mp.mpf(10) ** -15 else (mp.sin(s) - s) / s**3


def cos_tail(z: mp.mpf) -> mp.mpf:
    if abs(z) < mp.mpf(10) ** -20:
        return mp.mpf(1) / 24 - z / 720
    return (mp.cos(mp.sqrt(abs(z))) - 1 + z / 2) / z**2


def erf_tail(z: mp.mpf) -> mp.mpf:
    s = mp.sqrt(abs(z))
    two = 2 / mp.sqrt(mp.pi)
    return two - 1 - two * z / 3 if s < mp.mpf(10) ** -20 else mp.erf(s) / s - 1


def erfc_scaled(t: mp.mpf) -> mp.mpf:
    """-log(erfc(t)), smooth and nearly a parabola."""
    return -mp.log(mp.erfc(t))


def erfinv_exact(w: mp.mpf) -> mp.mpf:
    """erfinv(x) / x as a function of w = -log(1 - x*x)."""
    if abs(w) < mp.mpf(10) ** -30:
        return mp.sqrt(mp.pi) / 2
    x = mp.sqrt(-mp.expm1(-w))
    complement = mp.exp(-w) / (1 + x)         # 1 - x, without cancellation
    y = mp.sqrt(max(-mp.log(complement * 2), mp.mpf("0.001"))) if x > 0.5 else x * mp.mpf("0.886")
    for _ in range(60):
        error = mp.erfc(y) - complement
        slope = -2 / mp.sqrt(mp.pi) * mp.exp(-y * y)
        step = error / slope
        step = step / (1 + y * step)             # Halley
        y -= step
        if abs(step) < mp.mpf(10) ** -45:
            break
    return y / x


def erfinv_tail(v: mp.mpf) -> mp.mpf:
    return erfinv_exact(v * v)


def show(name: str, coefficients: list[mp.mpf], error: mp.mpf, why: str) -> None:
    print(f"{name} = (   # {why}; error {mp.nstr(error, 2)}")
    for c in coefficients:
        print(f"    {float(c)!r},")
    print(")")


def fit(name: str, function: Callable[[mp.mpf], mp.mpf], low: float | mp.mpf, high: float | mp.mpf, terms: int,
        why: str,
        centre: float = 0) -> None:
    """Near-minimax polynomial in (argument - centre)."""
    shifted = [low - centre, high - centre]
    coefficients, error = mp.chebyfit(lambda u: function(u + centre), shifted, terms, error=True)
    show(name, coefficients, error, why)


def fit_weighted(name: str, function: Callable[[mp.mpf], mp.mpf], weight: Callable[[mp.mpf], mp.mpf], low: float,
                 high: float, terms: int, why: str, centre: float) -> None:
    """Least squares of weight * error at Chebyshev nodes."""
    nodes = [(low + high) / mp.mpf(2) + (high - low) / mp.mpf(2) * mp.cos(mp.pi * (k + mp.mpf(1) / 2) / (4 * terms))
             for k in range(4 * terms)]
    rows = mp.matrix(len(nodes), terms)
    right = mp.matrix(len(nodes), 1)
    for i, t in enumerate(nodes):
        w = weight(t)
        for j in range(terms):
            rows[i, j] = w * (t - centre) ** (terms - 1 - j)
        right[i] = w * function(t)
    solution = mp.lu_solve(rows.T * rows, rows.T * right)
    coefficients = [solution[j] for j in range(terms)]
    error = max(weight(t) * abs(mp.polyval(coefficients, t - centre) - function(t)) for t in nodes)
    show(name, coefficients, error, why)


def main() -> None:
    half_log2 = mp.log(2) / 2 * mp.mpf("1.001")
    s_max = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1) * mp.mpf("1.001")
    quarter = (mp.pi / 4 * mp.mpf("1.001")) ** 2
    t_max = (mp.sqrt(2) - 1) * mp.mpf("1.001")
    print('"""Coefficients of the scalars\' polynomials, highest power first, made by tools/fit_scalars.py."""')
    fit("EXP_F32", exp_tail, -half_log2, half_log2, 5, "(e**r - 1 - r) / r**2")
    fit("EXP_F64", exp_tail, -half_log2, half_log2, 10, "(e**r - 1 - r) / r**2")
    fit("LOG_F32", log_tail, 0, s_max**2, 3, "(log((1 + s) / (1 - s)) - 2 s) / s**3 of s**2")
    fit("LOG_F64", log_tail, 0, s_max**2, 7, "(log((1 + s) / (1 - s)) - 2 s) / s**3 of s**2")
    fit("LOG_POW", pow_tail, mp.mpf(10) ** -40, s_max**2, 8, "(log((1 + s) / (1 - s)) - 2 s - 2/3 s**3) / s**5 of s**2")
    fit("SIN_F32", sin_tail, 0, quarter, 4, "(sin s - s) / s**3 of s**2")
    fit("COS_F32", cos_tail, 0, quarter, 3, "(cos s - 1 + s**2 / 2) / s**4 of s**2")
    fit("SIN_F64", sin_tail, 0, quarter, 6, "(sin s - s) / s**3 of s**2")
    fit("COS_F64", cos_tail, 0, quarter, 6, "(cos s - 1 + s**2 / 2) / s**4 of s**2")
    fit("ATAN_F64", atan_tail, 0, t_max**2, 11, "(atan s - s) / s**3 of s**2, s < tan(pi / 8)")
    fit("ERF_F32", erf_tail, 0, mp.mpf("0.9") ** 2, 6, "erf(s) / s - 1 of s**2, s < 0.9")
    fit_weighted("ERFC_F32", erfc_scaled, mp.erfc, 0.89, 4.1, 7, "-log(erfc t) of t - 2, 0.9 < t < 4", 2)
    fit("ERF_F64", erf_tail, 0, mp.mpf(1), 12, "erf(s) / s - 1 of s**2, s < 1")
    fit_weighted("ERFC_F64", erfc_scaled, mp.erfc, 0.99, 6.1, 19, "-log(erfc t) of t - 3, 1 < t < 6", 3)
    fit("ERFINV_CENTRE_F32", erfinv_exact, 0, 5, 9, "erfinv(x) / x of w - 2.5, w = -log(1 - x**2) < 5", 2.5)
    fit("ERFINV_TAIL_F32", erfinv_tail, mp.mpf("2.23"), mp.mpf("4.1"), 9, "the same of sqrt(w) - 3", 3)
    fit("ERFINV_CENTRE_F64", erfinv_exact, 0, mp.mpf("6.25"), 23, "erfinv(x) / x of w - 3, w = -log(1 - x**2) < 6.25",
        3)
    fit("ERFINV_TAIL_F64", erfinv_tail, mp.mpf("2.49"), mp.mpf("4.01"), 19, "the same of sqrt(w) - 3.25, w < 16", 3.25)
    fit("ERFINV_FAR_F64", erfinv_tail, mp.mpf("3.99"), mp.mpf("6.1"), 17, "the same of sqrt(w) - 5, w > 16", 5)


if __name__ == "__main__":
    main()
