"""Numbers of distributions that need a loop each, gamma and Poisson, and the gradient of gamma: a thread a number, in
float64, with the words, the operations and so the bits of kernels/cpu/random/draws.py, where the methods are named;
normal numbers between bounds are in truncated.py.

A loop that has found its number sets its count to the end.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.builder import KernelBuilder, Value, Variable
from graphc.exec.cuda.code.draws import ATTEMPTS, philox_words

STEP_OF_KEY = -7046029254386353131     # for an iteration
TERMS = 2000                           # of a series, at most
NAN = float("nan")


@dataclass(frozen=True)
class Units:
    """Pairs of numbers in (0, 1): those of element `index`, one for each attempt."""

    k: KernelBuilder
    key: Value
    run: Value
    index: Value

    def pair(self, attempt: Value | int) -> tuple[Value, Value]:
        a, b, c, d = philox_words(self.k, self.key, self.run, self.index * ATTEMPTS + attempt)
        return self._unit(a, b), self._unit(c, d)

    @staticmethod
    def _unit(low: Value, high: Value) -> Value:
        return ((high & 0xFFFFF).to("f64") * 4294967296.0 + low.to("f64") + 0.5) * 2.220446049250313e-16


def drawn(distribution: str) -> KernelBuilder:
    """gc_drawn(parameter, counter, out, count, parameters, key): "gamma" or "poisson" numbers, number i of
    parameter i % parameters."""
    k = KernelBuilder("gc_drawn")
    parameter, counter, out = k.array("parameter", "f64"), k.array("counter", "i64"), k.array("out", "f64")
    count, parameters, key = k.numbers("count", "parameters", "key")
    i = k.thread(count)
    units = Units(k, key + counter[1] * STEP_OF_KEY, counter[0], i)
    out[i] = {"gamma": _gamma, "poisson": _poisson}[distribution](k, units, parameter[i % parameters])
    return k


def _sqrt(k: KernelBuilder, x: Value) -> Value:
    return k.call("sqrt", x)


def _log(k: KernelBuilder, x: Value) -> Value:
    return k.call("log", x)


def _over(k: KernelBuilder, number: float, x: Value) -> Value:
    return k.constant(number, "f64") / x


def _gamma(k: KernelBuilder, units: Units, given: Value) -> Value:
    alpha = k.choose(given > 0.0, given, 1.0)
    shape = k.choose(alpha < 1.0, alpha + 1.0, alpha)
    d = shape - 1.0 / 3.0
    c = _over(k, 1.0, _sqrt(k, d * 9.0))
    result, attempt = k.variable(d), k.variable(0)
    with k.repeat(lambda: attempt.get() < ATTEMPTS - 1):
        first, second = units.pair(attempt.get())
        attempt.set(attempt.get() + 1)
        x = k.call("erfinv", first * 2.0 - 1.0) * 1.4142135623730951
        root = c * x + 1.0
        with k.when(root > 0.0):
            v = root * root * root
            with k.when(_log(k, second) < x * 0.5 * x + d - d * v + d * _log(k, v)):
                result.set(d * v)
                attempt.set(ATTEMPTS)
    with k.when(alpha < 1.0):
        boost, _ = units.pair(ATTEMPTS - 1)
        result.set(result.get() * k.call("exp", _log(k, boost) / alpha))
    return k.choose(given > 0.0, result.get(), NAN)


def _poisson(k: KernelBuilder, units: Units, given: Value) -> Value:
    good = (given >= 0.0) & (given < 1e15)
    rate, result = k.choose(good, given, 0.0), k.variable(0.0, "f64")
    with k.when(rate < 10.0):
        _few(k, units, rate, result)
    with k.when(rate >= 10.0):
        _many(k, units, rate, result)
    return k.choose(good, result.get(), NAN)


def _few(k: KernelBuilder, units: Units, rate: Value, result: Variable) -> None:
    """How many factors keep a product above exp(-rate)."""
    limit, product, attempt = k.call("exp", -rate), k.variable(1.0, "f64"), k.variable(0)
    with k.repeat(lambda: (attempt.get() < ATTEMPTS) & (product.get() > limit)):
        first, second = units.pair(attempt.get())
        attempt.set(attempt.get() + 1)
        product.set(product.get() * first)
        with k.when(product.get() > limit):
            product.set(product.get() * second)
            result.set(result.get() + k.choose(product.get() > limit, k.constant(2.0, "f64"), 1.0))


def _many(k: KernelBuilder, units: Units, rate: Value, result: Variable) -> None:
    b = _sqrt(k, rate) * 2.53 + 0.931
    a = b * 0.02483 + -0.059
    inverse_alpha = _over(k, 1.1328, b - 3.4) + 1.1239
    certain = k.constant(0.9277, "f64") - _over(k, 3.6224, b - 2.0)
    attempt = k.variable(0)
    result.set(rate)
    with k.repeat(lambda: attempt.get() < ATTEMPTS):
        u, v = units.pair(attempt.get())
        attempt.set(attempt.get() + 1)
        u = u - 0.5
        near = k.constant(0.5, "f64") - k.call("abs", u)
        real = (a * 2.0 / near + b) * u + rate + 0.43
        number = k.choose((real >= 0.0) & (real < 2.0 ** 63), k.call("floor", real), -1.0)
        at_once = (near >= 0.07) & (v <= certain)
        out = (number < 0.0) | ((near < 0.013) & (v > near))
        taken = k.variable(at_once)
        with k.when(~at_once & ~out):
            chance = _log(k, v * inverse_alpha / (a / (near * near) + b))
            taken.set(chance <= number * _log(k, rate) - rate - _log_gamma(k, number + 1.0))
        with k.when(taken.get()):
            result.set(number)
            attempt.set(ATTEMPTS)


def _log_gamma(k: KernelBuilder, given: Value) -> Value:
    """Of x >= 1."""
    x, shift = k.variable(given), k.variable(0.0, "f64")
    with k.repeat(lambda: x.get() < 8.0):
        shift.set(shift.get() + _log(k, x.get()))
        x.set(x.get() + 1.0)
    end = x.get()
    y, series = _over(k, 1.0, end * end), k.constant(1.0 / 1680.0, "f64")
    series = series - y / 1188.0
    for number in (1.0 / 1260.0, 1.0 / 360.0, 1.0 / 12.0):
        series = k.constant(number, "f64") - y * series
    return (end - 0.5) * _log(k, end) - end + 0.91893853320467274178 + series / end - shift.get()


def _digamma(k: KernelBuilder, given: Value) -> Value:
    x, shift = k.variable(given), k.variable(0.0, "f64")
    with k.repeat(lambda: x.get() < 8.0):
        shift.set(shift.get() + _over(k, 1.0, x.get()))
        x.set(x.get() + 1.0)
    end = x.get()
    y, series = _over(k, 1.0, end * end), k.constant(1.0 / 240.0, "f64")
    series = series - y * (1.0 / 132.0)
    for number in (1.0 / 252.0, 1.0 / 120.0, 1.0 / 12.0):
        series = k.constant(number, "f64") - y * series
    return _log(k, end) - _over(k, 0.5, end) - y * series - shift.get()


def gamma_gradient() -> KernelBuilder:
    """gc_gamma_gradient(alpha, sample, out, count): d sample / d alpha."""
    k = KernelBuilder("gc_gamma_gradient")
    alpha, sample, out = (k.array(name, "f64") for name in ("alpha", "sample", "out"))
    i = k.thread(k.number("count"))
    a, x = alpha[i], sample[i]
    result, good = k.variable(NAN, "f64"), (a > 0.0) & (x >= 0.0)
    by_fraction = (x > 1.0) & (x > a)
    with k.when(good & by_fraction):
        result.set(_slope_of_fraction(k, a, x))
    with k.when(good & ~by_fraction):
        result.set(k.choose(x.equals(0.0), 0.0, _slope_of_series(k, a, x)))
    out[i] = result.get()
    return k


def _slope_of_series(k: KernelBuilder, a: Value, x: Value) -> Value:
    r, c, total = k.variable(a), k.variable(1.0, "f64"), k.variable(1.0, "f64")
    dc, dtotal, number = k.variable(0.0, "f64"), k.variable(0.0, "f64"), k.variable(0)
    with k.repeat(lambda: number.get() < TERMS):
        number.set(number.get() + 1)
        r.set(r.get() + 1.0)
        below = r.get()
        term = x / below
        dc.set(term * dc.get() - x / (below * below) * c.get())
        dtotal.set(dtotal.get() + dc.get())
        c.set(c.get() * term)
        total.set(total.get() + c.get())
        with k.when(k.call("abs", dc.get()) <= k.call("abs", dtotal.get()) * 1e-16):
            number.set(TERMS)
    logarithm = _log(k, x) - _digamma(k, a + 1.0)
    return -(dtotal.get() + total.get() * logarithm) * x / a


def _slope_of_fraction(k: KernelBuilder, a: Value, x: Value) -> Value:
    """p and q: of the continued fraction and of the one before, then their slopes."""
    one, zero = k.constant(1.0, "f64"), k.constant(0.0, "f64")
    y, z, c, number = k.variable(one - a), k.variable(x + 2.0 - a), k.variable(0.0, "f64"), k.variable(0)
    p2, q2, p1, q1 = (k.variable(v) for v in (one, x, x + 1.0, (x + 2.0 - a) * x))
    dp2, dq2, dp1, dq1 = (k.variable(v) for v in (zero, zero, zero, -x))
    value = k.variable(p1.get() / q1.get())
    slope = k.variable((dp1.get() - value.get() * dq1.get()) / q1.get())
    with k.repeat(lambda: number.get() < TERMS):
        number.set(number.get() + 1)
        for variable, more in ((c, 1.0), (y, 1.0), (z, 2.0)):
            variable.set(variable.get() + more)
        count, wide, product = c.get(), z.get(), y.get() * c.get()
        p, q = p1.get() * wide - p2.get() * product, q1.get() * wide - q2.get() * product
        dp = dp1.get() * wide - p1.get() - dp2.get() * product + p2.get() * count
        dq = dq1.get() * wide - q1.get() - dq2.get() * product + q2.get() * count
        ends = k.variable(0)
        with k.when(q.differs(0.0)):
            value.set(p / q)
            before = slope.get()
            slope.set((dp - value.get() * dq) / q)
            ends.set((k.call("abs", slope.get() - before) <= k.call("abs", slope.get()) * 1e-16).to("i64"))
        scale = k.choose(k.call("abs", p) > 1e100, k.constant(1e-100, "f64"), 1.0)
        for old, last, new in ((p2, p1, p), (q2, q1, q), (dp2, dp1, dp), (dq2, dq1, dq)):
            old.set(last.get() * scale)
            last.set(new * scale)
        number.set(k.choose(ends.get().differs(0), TERMS, number.get()))
    return (slope.get() + value.get() * (_log(k, x) - _digamma(k, a))) * x
