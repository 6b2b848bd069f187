"""Steps that transform axes of complex numbers, by the kernel fft (kernels/cpu/signal).

Its tables depend on the length alone, so that must be known when compiling. A length with a large prime divisor is
transformed by Bluestein's way: as a product of polynomials, through transforms of a power of 2.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.kernels.contracts.signal import LONGEST

# Steps of a prime number cost its square: of many rows Bluestein's way, three transforms of twice the length and more,
# is quicker only from about 400 on, of a single one from 80 on.
LARGEST_PRIME = 127
# Longer rows are transformed as matrices: of many the planes outgrow the cache.
LONGEST_ROW = 256


def known(sizes: Sequence[Any]) -> bool:
    """Whether all sizes are known when compiling."""
    return all(isinstance(size, int) for size in sizes)


def transform(b: Any, x: Any, axes: Sequence[int], inverse: bool) -> Any:
    """A temporary with the transform of x, or the inverse one, over `axes`, the last one first; their sizes are known,
    and not 0."""
    for axis in reversed(axes):
        axis %= x.rank
        if axis < x.rank - 1 and is_side_by_side(x.shape[axis]):
            made = b.temporary(x.dtype, x.shape)
            _call(b, b.contiguous(x), made, [dims.product(x.shape[:axis]), x.shape[axis], 1,
                                             dims.product(x.shape[axis + 1:])], inverse)
            x = made
            continue
        order = list(range(x.rank))
        order[axis], order[-1] = order[-1], order[axis]
        moved = x if axis == x.rank - 1 else x.transpose(order)
        made = b.temporary(x.dtype, moved.shape)
        _last_axis(b, b.contiguous(moved), made, inverse)
        x = made if moved is x else made.transpose(order)
    return x


def transform_real(b: Any, x: Any, y: Any, n: int, inverse: bool) -> None:
    """y = the transform of 2 n real numbers along the last axis, n + 1 complex ones; or the inverse. Both are
    contiguous, and n is_side_by_side."""
    _call(b, x, y, [dims.product(x.shape[:-1]), n, 1, 1], inverse, real=True)


def is_side_by_side(n: int) -> bool:
    """Whether several transforms of n numbers are computed at once."""
    return n <= LONGEST and max(_primes(n), default=1) <= LARGEST_PRIME


def _last_axis(b: Any, x: Any, y: Any, inverse: bool) -> None:
    n = x.shape[-1]
    if max(_primes(n), default=1) <= LARGEST_PRIME:
        _by_kernel(b, x, y, inverse)
        return
    # X[k] = c[k] sum_j (x[j] c[j]) conj(c[k - j]) with c[k] = exp(-pi i k^2 / n), for k^2 + j^2 - (k - j)^2 = 2 j k.
    chirp, spectrum = (part.astype(x.dtype.numpy) for part in _bluestein(n, inverse))
    outer, size = x.shape[:-1], len(spectrum)
    a, transformed = (b.temporary(x.dtype, (*outer, size)) for _ in range(2))
    start, factors = [0] * x.rank, b.constant(chirp)
    b.map(lambda s: s.constant(0, x.dtype), [], [a.slice([*start[:-1], n], [*outer, size - n])])
    b.elementwise(_product, [x, factors], [a.slice(start, x.shape)])
    _by_kernel(b, a, transformed, False)
    b.elementwise(_product, [transformed, b.constant(spectrum)], [a])
    _by_kernel(b, a, transformed, True)
    last = b.constant((chirp / n if inverse else chirp).astype(x.dtype.numpy))
    b.elementwise(_product, [transformed.slice(start, x.shape), last], [y])


def _product(s: Any, x: Any, y: Any) -> Any:
    return s("mul", x, y)


def _by_kernel(b: Any, x: Any, y: Any, inverse: bool) -> None:
    _call(b, x, y, [dims.product(x.shape[:-1]), *_factors(x.shape[-1]), 1], inverse)


def _call(b: Any, x: Any, y: Any, sizes: Sequence[Any], inverse: bool, real: bool = False) -> None:
    """The kernel, of complex numbers as pairs; of real ones two are a pair."""
    given, made = (value if not value.dtype.is_complex else b.bitcast(value, value.dtype.real_dtype, (*value.shape, 2))
                   for value in (x, y))
    roots = _roots(sizes[1] * sizes[2] * (2 if real else 1)).astype(given.dtype.numpy)
    b.call("fft", [given, b.constant(roots), made], dims=sizes, attrs=[int(inverse), int(real)])


def _primes(n: int) -> list[int]:
    found, divisor = [], 2
    while divisor * divisor <= n:
        while n % divisor == 0:
            found.append(divisor)
            n //= divisor
        divisor += 1
    return [*found, n] if n > 1 else found


def _factors(n: int) -> tuple[int, int]:
    """What a row of n numbers is transformed as: as it is, or as a matrix whose sides are as near to each other as can
    be, the longer one first."""
    if n <= LONGEST_ROW:
        return n, 1
    small = max(d for d in range(1, math.isqrt(n) + 1) if n % d == 0)
    return n // small, small


@lru_cache(maxsize=64)
def _roots(n: int) -> np.ndarray:
    """What the kernel takes: exp(-2 pi i k / n) for k < n, real parts before imaginary ones."""
    roots = np.exp(-2j * np.pi * (np.arange(n) / n))
    return np.concatenate([roots.real, roots.imag])


@lru_cache(maxsize=16)
def _bluestein(n: int, inverse: bool) -> tuple[np.ndarray, np.ndarray]:
    """c, and the transform of conj(c[k]) at k and -k, of a power of 2 of numbers."""
    k = np.arange(n)
    chirp = np.exp((1j if inverse else -1j) * np.pi * (k * k % (2 * n) / n))
    around = np.zeros(1 << (2 * n - 2).bit_length(), np.complex128)
    around[:n] = np.conj(chirp)
    around[len(around) - n + 1:] = np.conj(chirp[:0:-1])
    return chirp, np.fft.fft(around)
