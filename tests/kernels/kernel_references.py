"""What kernels compute, in plain NumPy in float64: the oracle of the tests."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """Sizes of a convolution or pooling."""

    n: int
    h: int
    w: int
    c: int
    kh: int
    kw: int
    oc: int = 1
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)      # top, bottom, left, right

    @property
    def oh(self) -> int:
        return max((self.h + self.pad[0] + self.pad[1] - (self.kh - 1) * self.dilation[0] - 1) // self.stride[0] + 1, 0)

    @property
    def ow(self) -> int:
        return max((self.w + self.pad[2] + self.pad[3] - (self.kw - 1) * self.dilation[1] - 1) // self.stride[1] + 1, 0)

    def taps(self) -> Iterator[tuple[int, int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """For each tap: u, v, the output rows and columns that it serves, and the rows and columns of x that they
        read."""
        rows, columns = np.arange(self.oh), np.arange(self.ow)
        for u in range(self.kh):
            for v in range(self.kw):
                i = rows * self.stride[0] - self.pad[0] + u * self.dilation[0]
                j = columns * self.stride[1] - self.pad[2] + v * self.dilation[1]
                inside_i, inside_j = (i >= 0) & (i < self.h), (j >= 0) & (j < self.w)
                yield u, v, rows[inside_i], columns[inside_j], i[inside_i], j[inside_j]


def conv2d(x: np.ndarray, f: np.ndarray, size: Window) -> np.ndarray:
    x, f = x.astype(np.float64), f.astype(np.float64)
    y = np.zeros((size.n, size.oh, size.ow, size.oc))
    for u, v, rows, columns, i, j in size.taps():
        y[:, rows[:, None], columns] += x[:, i[:, None], j] @ f[u, v]
    return y


def conv2d_input_grad(dy: np.ndarray, f: np.ndarray, size: Window) -> np.ndarray:
    dy, f = dy.astype(np.float64), f.astype(np.float64)
    dx = np.zeros((size.n, size.h, size.w, size.c))
    for u, v, rows, columns, i, j in size.taps():
        dx[:, i[:, None], j] += dy[:, rows[:, None], columns] @ f[u, v].T
    return dx


def conv2d_filter_grad(x: np.ndarray, dy: np.ndarray, size: Window) -> np.ndarray:
    x, dy = x.astype(np.float64), dy.astype(np.float64)
    df = np.zeros((size.kh, size.kw, size.c, size.oc))
    for u, v, rows, columns, i, j in size.taps():
        df[u, v] = np.einsum("nijc,nijo->co", x[:, i[:, None], j], dy[:, rows[:, None], columns])
    return df


def max_pool(x: np.ndarray, size: Window) -> tuple[np.ndarray, np.ndarray]:
    """The maxima, and for each the position (row * w + column) of the first element that has it."""
    best = np.full((size.n, size.oh, size.ow, size.c), -np.inf)
    where = np.zeros(best.shape, np.int64)
    for _, _, rows, columns, i, j in size.taps():
        at = (slice(None), rows[:, None], columns)
        value = x[:, i[:, None], j].astype(np.float64)
        better = value > best[at]
        where[at] = np.where(better, (i[:, None] * size.w + j)[None, :, :, None], where[at])
        best[at] = np.where(better, value, best[at])
    return best, where


def avg_pool_counts(size: Window) -> np.ndarray:
    counts = np.zeros((size.oh, size.ow))
    for _, _, rows, columns, _, _ in size.taps():
        counts[rows[:, None], columns] += 1
    return counts


def avg_pool(x: np.ndarray, size: Window) -> np.ndarray:
    y = np.zeros((size.n, size.oh, size.ow, size.c))
    for _, _, rows, columns, i, j in size.taps():
        y[:, rows[:, None], columns] += x[:, i[:, None], j]
    return y / avg_pool_counts(size)[None, :, :, None]


def avg_pool_grad(dy: np.ndarray, size: Window) -> np.ndarray:
    dx, share = np.zeros((size.n, size.h, size.w, size.c)), dy.astype(np.float64) / avg_pool_counts(size)[None, :, :,
                                                                                                          None]
    for _, _, rows, columns, i, j in size.taps():
        dx[:, i[:, None], j] += share[:, rows[:, None], columns]
    return dx
