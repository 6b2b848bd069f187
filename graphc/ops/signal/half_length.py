"""Transforms of an even number n of real numbers, by complex ones of n / 2.

Neighbours are taken as one complex number: z = x[0::2] + i x[1::2], which is how they lie in memory. With Z its
transform, that of the even places is E[k] = (Z[k] + conj Z[n/2 - k]) / 2, that of the odd ones
O[k] = (Z[k] - conj Z[n/2 - k]) / 2i, and X[k] = E[k] + exp(-2 pi i k / n) O[k]; for k = 0 and k = n/2, which have no
opposite, that is the sum and the difference of Z[0]'s parts. The inverse goes the same way back.
The kernel does so by itself where transforms stand side by side; of others it is a map after, or in front of, it.
"""
from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from graphc.ops.signal.by_kernel import is_side_by_side, transform, transform_real

FEWEST = 4                             # numbers, below which nothing is saved


def is_halved(n: int) -> bool:
    return n % 2 == 0 and n >= FEWEST


@lru_cache(maxsize=64)
def _turns(n: int, inverse: bool, dtype: Any) -> np.ndarray:
    """What Z[k] - conj Z[n/2 - k] is multiplied by, for k from 1 to n/2 - 1; of the inverse X[k] - conj X[n/2 - k]."""
    sign = 1 if inverse else -1
    return (sign * 0.5j * np.exp(sign * 2j * np.pi * np.arange(1, n // 2) / n)).astype(dtype)


def _inner(b: Any, x: Any, y: Any, n: int, inverse: bool) -> None:
    """y[k] for k from 1 to n/2 - 1, of x[k] and x[n/2 - k]."""
    def mixed(s: Any, here: Any, opposite: Any, turn: Any) -> Any:
        opposite = s("conj", opposite)
        half = s.constant(0.5, x.dtype)
        return s("add", s("mul", s("add", here, opposite), half), s("mul", s("sub", here, opposite), turn))

    last = x.rank - 1
    here = x.part(last, 1, n // 2 - 1)
    turns = b.constant(_turns(n, inverse, x.dtype.numpy))
    b.elementwise(mixed, [here, here.reverse([last]), turns], [y.part(last, 1, n // 2 - 1)])


def from_real(b: Any, x: Any, y: Any) -> None:
    """y[..., n/2 + 1] = the transform of x[..., n]."""
    n, real, last = x.shape[-1], x.dtype, x.rank - 1
    if is_side_by_side(n // 2):
        transform_real(b, b.contiguous(x), y, n // 2, False)
        return
    pairs = b.bitcast(b.contiguous(x), y.dtype, (*x.shape[:-1], n // 2))
    made = transform(b, pairs, [last], False)
    _inner(b, made, y, n, False)
    first = b.bitcast(made, real, (*made.shape, 2)).select(last, 0)

    def ends(s: Any, even: Any, odd: Any) -> Any:
        return s.cast(s("add", even, odd), y.dtype), s.cast(s("sub", even, odd), y.dtype)

    b.map(ends, [first.select(last, i) for i in range(2)], [y.select(last, k) for k in (0, n // 2)])


def to_real(b: Any, x: Any, y: Any) -> None:
    """y[..., n] = the inverse transform of x[..., n/2 + 1], of whose first and last numbers the real parts count."""
    n, real, last = y.shape[-1], y.dtype, y.rank - 1
    if is_side_by_side(n // 2):
        transform_real(b, b.contiguous(x), y, n // 2, True)
        return
    pairs = b.temporary(x.dtype, (*y.shape[:-1], n // 2))
    _inner(b, x, pairs, n, True)

    def first(s: Any, low: Any, high: Any) -> Any:
        low, high, half = s("real", low), s("real", high), s.constant(0.5, real)
        return s("mul", s("add", low, high), half), s("mul", s("sub", low, high), half)

    target = b.bitcast(pairs, real, (*pairs.shape, 2)).select(last, 0)
    b.map(first, [x.select(last, k) for k in (0, n // 2)], [target.select(last, i) for i in range(2)])
    b.copy(b.bitcast(transform(b, pairs, [last], True), real, y.shape), y)
