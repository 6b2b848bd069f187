"""The points at which an elementwise op goes wrong first: zeros of both signs, infinities, NaN, the bounds of the
element type, subnormal numbers, halves, whole numbers and where exponentials and argument reductions end."""
from __future__ import annotations

import itertools

import numpy as np

MOST = 4096     # combinations of points of several operands: beyond that, a random choice of them


def points(dtype: np.dtype) -> np.ndarray:
    """The hard points of one element type."""
    if dtype.names:                        # a quantized one
        return points(dtype[0]).view(dtype)
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        near = [v for v in (-3, -2, -1, 0, 1, 2, 3, 7, 31, 100) if v >= bounds.min]
        return np.array([*near, bounds.min, bounds.min + 1, bounds.max, bounds.max - 1, bounds.max // 2], dtype)
    info = np.finfo(dtype)
    positive = [0.0, info.smallest_subnormal, info.smallest_subnormal * 1000, info.smallest_normal, info.eps / 2, 1e-5,
                0.3, 0.5, 1 - info.epsneg, 1.0, 1 + info.eps, 1.5, np.pi, 2.5, 3.0, 12.0, 40.0, 88.5, 104.0, 710.0, 4e6,
                2.0**31, 1e16, 1e25, np.sqrt(info.max), info.max, np.inf]
    with np.errstate(all="ignore"):
        half = np.array(positive, dtype)
    return np.concatenate([half, -half, np.array([np.nan], dtype)])


def combinations(dtypes: list[np.dtype]) -> list[np.ndarray]:
    """One array an operand, all of one length: every combination of their points, or MOST of them."""
    each = [points(d) for d in dtypes]
    if np.prod([len(p) for p in each]) <= MOST:
        rows = np.array(list(itertools.product(*(range(len(p)) for p in each))))
    else:
        rows = np.random.default_rng(0).integers(0, [len(p) for p in each], (MOST, len(each)))
    return [p[rows[:, i]] for i, p in enumerate(each)]


def difference(found: np.ndarray, expected: np.ndarray, tolerance: float) -> np.ndarray:
    """Where two arrays differ: NaN, infinities and integers must be the same, other numbers within `tolerance` of
    each."""
    if found.dtype.kind == "c":
        return difference(found.real, expected.real, tolerance) | difference(found.imag, expected.imag, tolerance)
    if found.dtype.kind != "f":
        return np.asarray(found != expected)
    with np.errstate(all="ignore"):
        finite = np.isfinite(expected) & np.isfinite(found)
        wide = np.longdouble if found.dtype == np.float64 else np.float64
        error = np.abs(found.astype(wide) - expected.astype(wide))
        near = error <= tolerance * np.abs(expected.astype(wide)) + 2 * np.finfo(found.dtype).smallest_subnormal
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return np.asarray(~np.where(finite, near, same))
