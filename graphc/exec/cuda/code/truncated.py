"""Normal numbers between bounds: a thread a number, with the words, the operations and so the bits of
kernels/cpu/random/truncated.py, where the method is named.
"""
from __future__ import annotations

from collections.abc import Callable

from graphc.exec.cuda.code.builder import KernelBuilder, Value
from graphc.exec.cuda.code.draws import ATTEMPTS
from graphc.exec.cuda.code.rejection import STEP_OF_KEY, Units

WIDE = 2.5066282746310002              # sqrt(2 pi)
Try = Callable[[Value, Value], tuple[Value, Value]]


def truncated() -> KernelBuilder:
    """gc_truncated(counter, mean, deviation, low, high, out, count, each, key): `each` numbers of each row."""
    k = KernelBuilder("gc_truncated")
    counter = k.array("counter", "i64")
    mean, deviation, low, high, out = (k.array(name, "f64") for name in ("mean", "deviation", "low", "high", "out"))
    count, each, key = k.numbers("count", "each", "key")
    i = k.thread(count)
    row, units = i // each, Units(k, key + counter[1] * STEP_OF_KEY, counter[0], i)
    center, spread = mean[row], deviation[row]
    a, b = (low[row] - center) / spread, (high[row] - center) / spread
    above, below = a >= 0.0, b <= 0.0
    z = k.variable(0.0, "f64")
    with k.when(above | (~above & below)):     # a tail; that on the left is the other one's mirror
        near, far = k.choose(above, a, -b), k.choose(above, b, -a)
        found = _tail(k, units, near, far)
        z.set(k.choose(above, found, -found))
    with k.when(~above & ~below):
        z.set(_around(k, units, a, b))
    out[i] = center + spread * z.get()
    return k


def _first(k: KernelBuilder, units: Units, otherwise: Value, tried: Try) -> Value:
    """The first attempt that is taken. tried: (what it gives, whether it is taken)."""
    result, attempt = k.variable(otherwise), k.variable(0)
    with k.repeat(lambda: attempt.get() < ATTEMPTS):
        z, taken = tried(*units.pair(attempt.get()))
        attempt.set(k.choose(taken, ATTEMPTS, attempt.get() + 1))
        result.set(k.choose(taken, z, result.get()))
    return result.get()


def _around(k: KernelBuilder, units: Units, low: Value, high: Value) -> Value:
    """Of bounds on both sides of 0."""
    wide = high - low > WIDE

    def tried(first: Value, second: Value) -> tuple[Value, Value]:
        normal = k.call("erfinv", first * 2.0 - 1.0) * 1.4142135623730951
        even = low + first * (high - low)
        good = second <= k.call("exp", even * -0.5 * even)
        return k.choose(wide, normal, even), k.choose(wide, (low <= normal) & (normal <= high), good)

    return _first(k, units, low, tried)


def _tail(k: KernelBuilder, units: Units, low: Value, high: Value) -> Value:
    """Of bounds from 0 on."""
    rate = (low + k.call("sqrt", low * low + 4.0)) * 0.5
    short = (high - low) * rate < 1.0

    def tried(first: Value, second: Value) -> tuple[Value, Value]:
        even = low + first * (high - low)
        exponential = low - k.call("log", first) / rate
        limit = k.choose(short, (low - even) * 0.5 * (low + even), (exponential - rate) * -0.5 * (exponential - rate))
        good = second <= k.call("exp", limit)
        return k.choose(short, even, exponential), good & (short | (exponential <= high))

    return _first(k, units, low, tried)
