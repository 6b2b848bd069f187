"""The kernels of kernels/cpu/random/draws.py in NumPy, by what the ops' references say of single numbers and groups of
words."""
from __future__ import annotations

from itertools import islice

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dtypes import as_dtype
from graphc.ops.random import draws, stateless, truncated
from graphc.ops.random.philox import groups

from numpy_kernels import Arrays, KernelError, kernel


def _per_number(op: type, x: Arrays, d: list[int], key: int) -> None:
    parameter, counter, out = x
    for i in range(d[0]):
        attempts = draws.Attempts(key, int(counter[0]), int(counter[1]), i)
        out[i] = op(shape=()).one(float(parameter[i % d[1]]), attempts)


@kernel
def random_gamma(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _per_number(draws.RandomGamma, x, d, attrs[0])


@kernel
def random_poisson(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _per_number(draws.RandomPoissonV2, x, d, attrs[0])


@kernel
def random_gamma_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    for i in range(d[0]):
        x[2][i] = draws._slope(float(x[0][i]), float(x[1][i]))


@kernel
def permutation(x: Arrays, d: list[int], attrs: list[int]) -> None:
    order = list(range(d[0]))
    for i in range(d[0] - 1, 0, -1):
        j = int(x[0][i]) * (i + 1) // 2**32
        order[i], order[j] = order[j], order[i]
    x[1][:d[0]] = order


@kernel
def search_sums(x: Arrays, d: list[int], attrs: list[int]) -> None:
    rows, cols, count = d
    if cols == 0 and count > 0:
        raise KernelError("no classes")
    for row in range(rows):
        sums = x[0][row * cols:(row + 1) * cols]
        for i in range(row * count, (row + 1) * count):
            x[2][i] = min(np.searchsorted(sums, x[1][i] * sums[-1], "right"), cols - 1)


@kernel
def mixed_seeds(x: Arrays, d: list[int], attrs: list[int]) -> None:
    a, b, c, d3 = (int(w) for w in groups(stateless.KEY, int(x[0][1]), 0, 1, int(x[0][0]))[0])
    x[1][:] = np.array([a | b << 32, c | d3 << 32], np.uint64).view(np.int64)


def _words(mixed: np.ndarray, count: int, first: int = 0) -> np.ndarray:
    return groups(int(mixed[0]), int(mixed[1]), 0, count, first)


@kernel
def stateless_uniform(x: Arrays, d: list[int], attrs: list[int]) -> None:
    found = [v for w in _words(x[0], d[0] // 2 + 1) for v in stateless.uniforms(w, as_dtype(x[1].dtype))]
    x[1][:d[0]] = found[:d[0]]


@kernel
def stateless_normal(x: Arrays, d: list[int], attrs: list[int]) -> None:
    found = [v for w in _words(x[0], d[0] // 2 + 1) for v in stateless.normals(w, as_dtype(x[1].dtype))]
    x[1][:d[0]] = found[:d[0]]


@kernel
def stateless_truncated_normal(x: Arrays, d: list[int], attrs: list[int]) -> None:
    dtype = as_dtype(x[1].dtype)
    width = 4 if x[1].itemsize == 4 else 2
    found: list[float] = []
    for group in range(-(-d[0] // width)):
        numbers = (v for w in _words(x[0], 64, group * width * 64) for v in stateless.normals(w, dtype) if abs(v) < 2)
        found += islice(numbers, width)
    x[1][:d[0]] = found[:d[0]]


@kernel
def stateless_int(x: Arrays, d: list[int], attrs: list[int]) -> None:
    low, high = int(x[1][0]), int(x[2][0])
    if low >= high:
        raise KernelError("no number is between the bounds")
    words = [int(w) for w in _words(x[0], d[0]).ravel()]
    bits = words if x[3].itemsize == 4 else [a + b * 2**32 for a, b in zip(words[::2], words[1::2], strict=True)]
    x[3][:d[0]] = [low + b % (high - low) for b in bits[:d[0]]]


@kernel
def random_truncated(x: Arrays, d: list[int], attrs: list[int]) -> None:
    op = truncated.ParameterizedTruncatedNormal(shape=tuple(d), key=attrs[0])
    try:
        made = op.reference(*x[1:5], run=int(x[0][0]), iteration=int(x[0][1]))
    except InvalidArgumentError as error:
        raise KernelError(str(error)) from None
    x[5][...] = made.ravel()
