"""cholesky, lu, lu_solve, triangular_solve, qr: what is left over is a few roundings, as LAPACK's."""
from __future__ import annotations

import numpy as np
import pytest

from kernel_harness import NUMPY, backwards, filled, load, normal

SIZES = (0, 1, 3, 17, 31, 65, 129)
BATCH = 3
NAMES = ("cholesky", "lu", "lu_solve", "qr", "triangular_solve")      # one unit: compiled once
OK, NOT_DEFINITE, NOT_INVERTIBLE, INDEX_OUT_OF_RANGE = 0, 7, 8, 1


def left_over(found: np.ndarray, wanted: np.ndarray, scale: float, n: int) -> None:
    """The difference is below 10 roundings of numbers of size `scale` for each of n."""
    if found.size:
        epsilon = np.finfo(found.dtype).eps
        error = np.abs(found.astype(np.float64) - wanted).max() / (n * epsilon * scale)
        assert error < 10, error


def greatest(x: np.ndarray) -> float:
    return float(np.abs(x).max()) if x.size else 1.0


def turned(x: np.ndarray) -> np.ndarray:
    return np.swapaxes(x, -1, -2).astype(np.float64)


def product(a: np.ndarray, b: np.ndarray, dtype: str) -> np.ndarray:
    """In float64, as the dtype whose roundings are counted."""
    return (a.astype(np.float64) @ b.astype(np.float64)).astype(NUMPY[dtype])


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_cholesky(dtype: str) -> None:
    kernel = load(*NAMES)[f"cholesky.{dtype}"]
    for n in SIZES:
        x = normal((BATCH, n, n), dtype, n)
        a = (x @ np.swapaxes(x, 1, 2) + n * np.eye(n)).astype(x.dtype)
        lower_only = np.where(np.tri(n, dtype=bool), a, np.nan).astype(a.dtype)
        factor = filled(a.shape, dtype)
        assert kernel(lower_only, factor, dims=[BATCH, n], order=backwards) == OK
        assert (np.triu(factor, 1) == 0).all()
        left_over(product(factor, turned(factor), dtype), a, greatest(a), n)
        if n:
            for row in {0, n // 2, n - 1}:
                bad = a.copy()
                bad[1, row, row] = -1
                assert kernel(bad, factor, dims=[BATCH, n]) == NOT_DEFINITE
            a[:, 0, 0] = np.nan
            assert kernel(a, factor, dims=[BATCH, n]) == OK
            assert np.isnan(factor[:, :, 0]).all()


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_lu_and_its_solutions(dtype: str) -> None:
    kernels = load(*NAMES)
    factor, solve = kernels[f"lu.{dtype}"], kernels[f"lu_solve.{dtype}"]
    for n in SIZES:
        a = normal((BATCH, n, n), dtype, n)
        lu, order, facts = filled(a.shape, dtype), filled((BATCH, n), "i32"), filled((BATCH, 3), dtype)
        assert factor(a, lu, order, facts, dims=[BATCH, n], attrs=[1], order=backwards) == OK
        lower, upper = np.tril(lu, -1) + np.eye(n, dtype=a.dtype), np.triu(lu)
        assert greatest(lower) <= 1
        assert (np.sort(order, -1) == np.arange(n)).all()
        left_over(product(lower, upper, dtype), np.take_along_axis(a, order[..., None].astype(np.int64), 1),
                  greatest(upper), n)
        sign, logarithm = np.linalg.slogdet(a.astype(np.float64))
        np.testing.assert_array_equal(facts[:, 1], sign)
        np.testing.assert_allclose(facts[:, 2], logarithm, rtol=2e-4, atol=2e-4)
        with np.errstate(over="ignore"):
            determinant = (sign * np.exp(logarithm)).astype(a.dtype)
        np.testing.assert_allclose(facts[:, 0], determinant, rtol=1e-3)
        for columns in (0, 1, 17, 33):
            for adjoint in (0, 1):
                rhs = normal((BATCH, n, columns), dtype, 7)
                shared = columns == 17
                x = filled(rhs.shape, dtype)
                sizes = [BATCH, n, columns, 0 if shared else n * columns]
                assert solve(lu, order, rhs[0] if shared else rhs, x, dims=sizes, attrs=[adjoint]) == OK
                left_over(product(turned(a) if adjoint else a, x, dtype), rhs[:1] if shared else rhs,
                          greatest(a) * greatest(x), max(n, 1))
        if n:
            order[1, n // 2] = n
            x = filled((BATCH, n, 1), dtype)
            assert solve(lu, order, x, filled(x.shape, dtype), dims=[BATCH, n, 1, n], attrs=[0]) == INDEX_OUT_OF_RANGE
            for value in (0, np.nan):
                a[2, :, n // 2] = value
                assert factor(a, lu, order, facts, dims=[BATCH, n], attrs=[1]) == NOT_INVERTIBLE
                assert factor(a, lu, order, facts, dims=[BATCH, n], attrs=[0]) == OK
                np.testing.assert_array_equal(facts[2, :2], [value, value])


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_triangular_solve(dtype: str) -> None:
    kernel = load(*NAMES)[f"triangular_solve.{dtype}"]
    for n in SIZES:
        a = normal((BATCH, n, n), dtype, n)
        a[:, range(n), range(n)] += n
        for lower in (0, 1):
            triangle = np.tril(a) if lower else np.triu(a)
            only = np.where(np.tri(n, dtype=bool) if lower else np.tri(n, dtype=bool).T, a, np.nan).astype(a.dtype)
            for adjoint in (0, 1):
                for columns in (1, 3, 33):
                    rhs = normal((BATCH, n, columns), dtype, 7)
                    x = filled(rhs.shape, dtype)
                    sizes, attrs = [BATCH, n, columns, n * columns], [lower, adjoint]
                    assert kernel(only, rhs, x, dims=sizes, attrs=attrs, order=backwards) == OK
                    left_over(product(turned(triangle) if adjoint else triangle, x, dtype), rhs,
                              greatest(triangle) * greatest(x), max(n, 1))
        if n:
            a[1, n - 1, n - 1] = 0
            rhs = normal((BATCH, n, 2), dtype, 7)
            assert kernel(a, rhs, filled(rhs.shape, dtype), dims=[BATCH, n, 2, n * 2], attrs=[1, 0]) == NOT_INVERTIBLE


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("scale", [1, 1e30, 1e-30])
def test_qr(dtype: str, scale: float) -> None:
    kernel = load(*NAMES)[f"qr.{dtype}"]
    for m, n in ((0, 0), (0, 3), (3, 0), (1, 1), (1, 5), (5, 1), (31, 31), (65, 65), (100, 40), (40, 100), (5, 64)):
        for inner in {min(m, n), m}:
            a = (normal((BATCH, m, n), dtype, 3) * scale).astype(NUMPY[dtype])
            q, r = filled((BATCH, m, inner), dtype), filled((BATCH, inner, n), dtype)
            assert kernel(a, q, r, dims=[BATCH, m, n, inner], order=backwards) == OK
            assert (np.tril(r, -1) == 0).all()
            left_over(product(turned(q), q, dtype), np.eye(inner), 1.0, max(m, n))
            left_over(product(q, r, dtype), a, greatest(a), max(m, n)) if n else None
            if inner == min(m, n) and inner:      # the signs are LAPACK's
                np.testing.assert_array_equal(np.sign(np.diagonal(r, axis1=1, axis2=2)),
                                              np.sign(np.diagonal(np.linalg.qr(a)[1], axis1=1, axis2=2)))
