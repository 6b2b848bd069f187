"""How attention's matrices may lie in memory, for the tests of its kernels: whole, or among what is not theirs."""
from __future__ import annotations

import numpy as np


def whole(x: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """x[outer, inner, rows, length] as it is, and the dims that say so."""
    _, inner, rows, length = x.shape
    return x, [0, inner * rows * length, rows * length, length]


def apart(x: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """The same rows with the inner axis behind the outer one and the rows, NaN in front and between, in memory that
    ends with the last of them."""
    outer, inner, rows, length = x.shape
    memory = np.full((outer, rows, inner, 2, length + 3), np.nan, x.dtype)
    memory[:, :, :, 1, 3:] = x.transpose(0, 2, 1, 3)
    steps = [s // x.itemsize for s in memory.strides]
    return memory.reshape(-1), [memory.shape[-1] + 3, steps[0], steps[2], steps[1]]


def inside(x: np.ndarray) -> np.ndarray:
    """[outer, inner, rows, length] of memory in which the inner axis lies behind the rows."""
    outer, inner, rows, length = x.shape
    return x.reshape(outer, rows, inner, length).transpose(0, 2, 1, 3)
