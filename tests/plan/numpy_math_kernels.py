"""The kernels of places, orders, counts, segments and running sums, in NumPy: see numpy_kernels.py."""
from __future__ import annotations

from typing import Any

import numpy as np

from numpy_kernels import Arrays, KernelError, kernel


@kernel
def argmax(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[1][...] = _extreme(x[0], np.fmax, "min").reshape(d).argmax(1).ravel()


@kernel
def argmin(x: Arrays, d: list[int], attrs: list[int]) -> None:
    x[1][...] = _extreme(x[0], np.fmin, "max").reshape(d).argmin(1).ravel()


def _extreme(x: np.ndarray, of_two: Any, bound: str) -> np.ndarray:
    """x without NaNs, which no place is that of."""
    return of_two(x, getattr(np.finfo(x.dtype), bound)) if x.dtype.kind == "f" else x


@kernel
def top_k(x: Arrays, d: list[int], attrs: list[int]) -> None:
    rows, n, k = d
    row = x[0].reshape(rows, n)
    order = n - 1 - np.argsort(row[:, ::-1], axis=1, kind="stable")[:, ::-1][:, :k]
    x[1][...] = np.take_along_axis(row, order, 1).ravel()
    x[2][...] = order.ravel()


@kernel
def unique(x: Arrays, d: list[int], attrs: list[int]) -> None:
    first: list[int] = []
    for i, value in enumerate(x[0]):
        same = [place for place, j in enumerate(first) if x[0][j] == value]
        x[1][i] = same[0] if same else len(first)
        if not same:
            first.append(i)
    x[2][...] = 0
    x[2][:len(first)] = first
    x[3][0] = len(first)


@kernel
def bincount(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _, weighted, size = d
    if (x[0] < 0).any():
        raise KernelError("a value is refused")
    x[2][...] = 0
    inside = x[0] < size
    np.add.at(x[2], x[0][inside], x[1][inside] if weighted else 1)


@kernel
def search_sorted(x: Arrays, d: list[int], attrs: list[int]) -> None:
    rows, n, count = d
    for i, (row, values) in enumerate(zip(x[0].reshape(rows, n), x[1].reshape(rows, count), strict=True)):
        for j, value in enumerate(values):
            before = [not value < r for r in row] if attrs[0] else [r < value for r in row]
            x[2][i * count + j] = sum(before)


@kernel
def segment_count(x: Arrays, d: list[int], attrs: list[int]) -> None:
    if (np.diff(x[0]) < 0).any() or (x[0] < 0).any():
        raise KernelError("ids do not ascend")
    x[1][0] = x[0][-1] + 1 if d[0] else 0


@kernel
def segment(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, inner, rows = d
    how, ascending = attrs
    data, ids, out = x[0].reshape(n, inner), x[1], x[2].reshape(rows, inner)
    if (ids >= rows).any() or (ascending and ((np.diff(ids) < 0).any() or (ids < 0).any())):
        raise KernelError("an id is refused")
    bounds = (np.finfo if out.dtype.kind == "f" else np.iinfo)(out.dtype)
    neutral = {3: 1, 4: bounds.max, 5: bounds.min}.get(how, 0)
    out[...] = 0 if ascending and how != 3 else neutral
    for i in np.unique(ids[ids >= 0]):
        part = data[ids == i]
        function = {3: np.multiply, 4: np.minimum, 5: np.maximum}.get(how, np.add)
        total = function.reduce(part, 0, dtype=part.dtype)
        by = {1: len(part), 2: len(part) ** 0.5}.get(how, 1)
        out[i] = total if by == 1 else np.trunc(total / by) if out.dtype.kind != "f" else total / by


@kernel
def checked(x: Arrays, d: list[int], attrs: list[int]) -> None:
    if d[1] and np.any(x[0][:d[0]] < 0 if attrs[0] else x[0][:d[0]] == 0):
        raise KernelError("a value is refused")
    x[1][:d[0]] = x[0][:d[0]]


def _scan(x: Arrays, d: list[int], attrs: list[int], function: np.ufunc, neutral: int) -> None:
    exclusive, reverse = attrs
    a = x[0].reshape(d)
    a = a[:, ::-1] if reverse else a
    total = function.accumulate(a, 1, dtype=a.dtype)
    if exclusive and d[1]:
        total = np.concatenate([np.full_like(total[:, :1], neutral), total[:, :-1]], 1)
    x[1][...] = (total[:, ::-1] if reverse else total).ravel()


@kernel
def cumsum(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _scan(x, d, attrs, np.add, 0)


@kernel
def cumprod_complex(x: Arrays, d: list[int], attrs: list[int]) -> None:
    kind = np.complex64 if x[0].dtype == np.float32 else np.complex128
    _scan([v.view(kind) for v in x], d, attrs, np.multiply, 1)


@kernel
def cumprod(x: Arrays, d: list[int], attrs: list[int]) -> None:
    _scan(x, d, attrs, np.multiply, 1)
