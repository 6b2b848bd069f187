"""kernels/cpu/pooling/fractional_pool.py in NumPy, by what the ops' references say of windows and edges."""
from __future__ import annotations

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dtypes import float64
from graphc.ops.nn.fractional_pool import FractionalAvgPoolGrad, FractionalMaxPoolGrad, drawn_edges, windows
from graphc.ops.random.philox import uniform

from numpy_kernels import Arrays, KernelError, kernel


@kernel
def pooling_edges(x: Arrays, d: list[int], attrs: list[int]) -> None:
    (counter, out), (length, n), (pseudo, odd, key) = x, d, attrs
    if not 1 <= n <= length:
        raise KernelError("nothing left")
    u = uniform(key, int(counter[0]), int(counter[1]), 2 * n + 2, float64)[odd::2]
    out[...] = drawn_edges(length, n, bool(pseudo), u)


def _windows(rows: np.ndarray, columns: np.ndarray, d: list[int], overlapping: int) -> list[list[slice]]:
    try:
        return [windows(edges, size, bool(overlapping)) for edges, size in ((rows, d[1]), (columns, d[2]))]
    except InvalidArgumentError as error:
        raise KernelError(str(error)) from None


def _pooled(x: Arrays, d: list[int], attrs: list[int], mean: bool) -> None:
    rows, columns = _windows(x[1], x[2], d, attrs[0])
    picture, y = x[0].reshape(d[:4]), x[3].reshape(d[0], d[4], d[5], d[3])
    for i, r in enumerate(rows):
        for j, c in enumerate(columns):
            window = picture[:, r, c]
            if not mean:
                y[:, i, j] = window.max((1, 2))
            else:
                total = window.sum((1, 2), dtype=np.float64) / (window.shape[1] * window.shape[2])
                y[:, i, j] = total if y.dtype.kind == "f" else np.trunc(total)


@kernel
def fractional_max_pool(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _pooled(x, d, attrs, mean=False)


@kernel
def fractional_mean_pool(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _pooled(x, d, attrs, mean=True)


@kernel
def fractional_max_pool_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _windows(x[2], x[3], d, attrs[0])
    dy = x[1].reshape(d[0], d[4], d[5], d[3])
    op = FractionalMaxPoolGrad(overlapping=bool(attrs[0]))
    x[4][...] = op.reference(x[0].reshape(d[:4]), dy, dy, x[2], x[3]).ravel()


@kernel
def fractional_mean_pool_grad(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _windows(x[1], x[2], d, attrs[0])
    dy = x[0].reshape(d[0], d[4], d[5], d[3]).astype(np.float64)
    op = FractionalAvgPoolGrad(tuple(d[:4]), overlapping=bool(attrs[0]))
    x[3][...] = op.reference(dy, x[1], x[2]).ravel()
