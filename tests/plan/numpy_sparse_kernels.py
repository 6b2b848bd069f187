"""The kernels on index tuples of sparse tensors, in NumPy and plain Python: see numpy_kernels.py."""
from __future__ import annotations

import itertools

import numpy as np

from numpy_kernels import Arrays, KernelError, kernel


def _rows(x: np.ndarray, n: int, depth: int) -> list[tuple[int, ...]]:
    return [tuple(row) for row in x[:n * depth].reshape(n, depth).tolist()]


@kernel
def row_order(x: Arrays, d: list[int], attrs: list[int]) -> None:
    rows = _rows(x[0], *d)
    x[1][...] = sorted(range(d[0]), key=lambda i: rows[i])


@kernel
def row_groups(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, depth, width = d
    rows = [row[:width] for row in _rows(x[0], n, depth)]
    found, before = -1, None
    for at in x[1].tolist():
        found += int(rows[at] != before)
        x[2][at], before = found, rows[at]
    x[3][0] = found + 1


@kernel
def find_rows(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, m, depth = d
    known: dict[tuple[int, ...], int] = {}
    table = _rows(x[1], m, depth)
    for at in x[2].tolist():
        known.setdefault(table[at], at)
    x[3][...] = [known.get(row, -1) for row in _rows(x[0], n, depth)]


@kernel
def check_rows(x: Arrays, d: list[int], attrs: list[int]) -> None:
    rows, sizes = _rows(x[0], *d), x[1].tolist()
    if any(not 0 <= i < n for row in rows for i, n in zip(row, sizes, strict=True)):
        raise KernelError("index out of range")
    if attrs[0] and any(a >= b for a, b in itertools.pairwise(rows)):
        raise KernelError("rows do not ascend")
    x[2][...] = x[0]


@kernel
def sparse_matmul(x: Arrays, d: list[int], attrs: list[int]) -> None:
    n, m, k, p = d
    indices, b, out = x[0].reshape(n, 2), x[2].reshape(k, p), x[3].reshape(m, p)
    left, right = (indices[:, 1], indices[:, 0]) if attrs[0] else (indices[:, 0], indices[:, 1])
    if np.any((left < 0) | (left >= m) | (right < 0) | (right >= k)):
        raise KernelError("index out of range")
    out[...] = 0
    np.add.at(out, left, x[1][:, None] * b[right])


@kernel
def edit_distance(x: Arrays, d: list[int], attrs: list[int]) -> None:
    for group in range(d[2]):
        found, truth = x[0][x[1] == group], x[2][x[3] == group]
        table = np.add.outer(np.arange(len(found) + 1), np.arange(len(truth) + 1))
        for i, a in enumerate(found):
            for j, b in enumerate(truth):
                table[i + 1, j + 1] = min(table[i, j] + (a != b), table[i, j + 1] + 1, table[i + 1, j] + 1)
        steps = float(table[-1, -1])
        if attrs[0] and steps:
            steps = steps / len(truth) if len(truth) else np.inf
        x[4][group] = steps
