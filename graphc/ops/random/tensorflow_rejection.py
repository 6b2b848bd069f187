"""TensorFlow's gamma and Poisson numbers, in NumPy: by rejection, all numbers of a draw side by side.

Each number has EACH groups of the stream for itself, and takes from them as long as it is rejected: `Attempts` keeps
where each of them stands. Which number is made of which words is TensorFlow's, as in tensorflow_numbers.py.
"""
from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from graphc.ops.random.philox import numbered_groups
from graphc.ops.random.tensorflow_numbers import EACH, Stream, doubles_of, normals

AT_ONCE = 1 << 16       # numbers: what is drawn side by side stays in the cache


class Attempts:
    """What numbers first to last of a draw are made of. Methods take the positions of those that need another one.

    A group of words gives two uniform or two normal numbers; the second one is used first, the first one is kept.
    """

    def __init__(self, stream: Stream, first: int, last: int) -> None:
        self._seeds = stream.seed, stream.seed2
        self._next = (np.arange(first, last) * EACH + stream.first).astype(np.uint64)      # each number's next group
        self._uniforms, self._normals = _Kept(last - first), _Kept(last - first)

    def uniforms(self, which: np.ndarray) -> np.ndarray:
        return self._uniforms.take(which, lambda rows: doubles_of(self._groups(rows)).reshape(-1, 2))

    def normals(self, which: np.ndarray) -> np.ndarray:
        return self._normals.take(which, lambda rows: normals(self._groups(rows), True))

    def _groups(self, rows: np.ndarray) -> np.ndarray:
        found = numbered_groups(*self._seeds, 0, self._next[rows])
        self._next[rows] += np.uint64(1)
        return found


class _Kept:
    """The numbers that are left over of the last pair, NaN where there is none."""

    def __init__(self, count: int) -> None:
        self._left = np.full(count, np.nan)

    def take(self, which: np.ndarray, pairs: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        found = self._left[which]
        self._left[which] = np.nan
        lacking = np.flatnonzero(np.isnan(found))
        if len(lacking):
            made = pairs(which[lacking])
            found[lacking], self._left[which[lacking]] = made[:, 1], made[:, 0]
        return found


def gamma(stream: Stream, samples: int, alphas: np.ndarray) -> np.ndarray:
    """[samples, alphas]"""
    return _drawn(_gamma, stream, samples, alphas)


def poisson(stream: Stream, samples: int, rates: np.ndarray) -> np.ndarray:
    """[samples, rates]"""
    return _drawn(_poisson, stream, samples, rates)


def _drawn(draw: Callable[[np.ndarray, Attempts], np.ndarray], stream: Stream, samples: int,
           parameters: np.ndarray) -> np.ndarray:
    """The numbers stand parameter by parameter in the stream."""
    count = samples * len(parameters)
    found = np.empty(count)
    for first in range(0, count, AT_ONCE):
        last = min(first + AT_ONCE, count)
        of_each = parameters[np.arange(first, last) // samples]
        found[first:last] = draw(of_each, Attempts(stream, first, last))
    return found.reshape(len(parameters), samples).T


def _gamma(alpha: np.ndarray, attempts: Attempts) -> np.ndarray:
    """Marsaglia and Tsang 2000. One number for each alpha; NaN if that is not positive."""
    found = np.full(len(alpha), np.nan)
    simple = np.flatnonzero(alpha == 1)
    found[simple] = -_exactly(math.log1p, -attempts.uniforms(simple))
    d = alpha + np.where(alpha < 1, 2 / 3, -1 / 3)
    left = np.flatnonzero((alpha > 0) & (alpha != 1))
    while len(left):
        x = attempts.normals(left)
        v = 1 + 1 / 3 / np.sqrt(d[left]) * x
        usable = v > 0
        tried, x, v = left[usable], x[usable], v[usable]
        v = v * v * v
        u = attempts.uniforms(tried)
        with np.errstate(divide="ignore", invalid="ignore"):              # u may be 0, alpha infinite
            taken = (u < 1 - 0.0331 * (x * x) * (x * x)) | (np.log(u) < 0.5 * x * x + d[tried] * (1 - v + np.log(v)))
        found[tried[taken]] = (d[tried] * v)[taken]
        left = left[np.isnan(found[left])]
    small = np.flatnonzero((alpha > 0) & (alpha < 1))
    found[small] *= _exactly(math.pow, attempts.uniforms(small), 1 / alpha[small])
    return found


def _exactly(function: Callable[..., float], *arguments: np.ndarray) -> np.ndarray:
    """The function of the C library, as TensorFlow's kernels have it: NumPy's own may differ in the last bit."""
    return np.array(list(map(function, *(x.tolist() for x in arguments))), np.float64)


def _poisson(rate: np.ndarray, attempts: Attempts) -> np.ndarray:
    """One number for each rate; NaN if that is negative or infinite."""
    found = np.full(len(rate), np.nan)
    _multiply(rate, np.flatnonzero((rate >= 0) & (rate < 10)), attempts, found)
    _transform(rate, np.flatnonzero((rate >= 10) & (rate < math.inf)), attempts, found)
    return found


def _multiply(rate: np.ndarray, left: np.ndarray, attempts: Attempts, found: np.ndarray) -> None:
    """Knuth: how many uniform numbers have a product above exp(-rate)."""
    limit, product = np.exp(-rate), np.ones(len(rate))
    found[left] = -1.0
    while len(left):
        product[left] *= attempts.uniforms(left)
        found[left] += 1
        left = left[product[left] > limit[left]]


def _transform(rate: np.ndarray, left: np.ndarray, attempts: Attempts, found: np.ndarray) -> None:
    """Hoermann 1993: rejection of a transformed uniform number."""
    while len(left):
        mean = rate[left]
        b = 0.931 + 2.53 * np.sqrt(mean)
        a = -0.059 + 0.02483 * b
        u, v = attempts.uniforms(left) - 0.5, attempts.uniforms(left)
        distance = 0.5 - np.abs(u)
        with np.errstate(divide="ignore"):
            k = np.floor((2 * a / distance + b) * u + mean + 0.43)
        taken = (distance >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2))
        close = np.flatnonzero(~taken & (k >= 0) & ((distance >= 0.013) | (v <= distance)))
        taken[close] = _below_density(k[close], mean[close], v[close], distance[close], a[close], b[close])
        found[left[taken]] = k[taken]
        left = left[~taken]


def _below_density(k: np.ndarray, mean: np.ndarray, v: np.ndarray, distance: np.ndarray, a: np.ndarray,
                   b: np.ndarray) -> np.ndarray:
    """Whether the point (k, v) lies below the probability of k."""
    height = v * (1.1239 + 1.1328 / (b - 3.4)) / (a / distance**2 + b)
    with np.errstate(divide="ignore"):
        return np.log(height) <= k * np.log(mean) - mean - _exactly(math.lgamma, k + 1)
