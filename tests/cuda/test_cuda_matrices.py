"""Linear algebra on the device, against the CPU's, and what it refuses."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda.calls import matrices

from on_both import check_close, refused

RANDOM = np.random.default_rng(9)


@pytest.fixture
def small_panels(monkeypatch: Any) -> None:
    monkeypatch.setattr(matrices, "PANEL", 3)
    monkeypatch.setattr(matrices, "PIVOTED", 3)


def numbers(*shape: int, dtype: str = "float64") -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(dtype)


def definite(batch: int, n: int, dtype: str) -> np.ndarray:
    a = numbers(batch, n, n)
    return (a @ a.transpose(0, 2, 1) + n * np.eye(n)).astype(dtype)


@pytest.mark.parametrize(("batch", "n"), [(0, 3), (2, 0), (3, 1), (2, 8)])
def test_cholesky_and_its_gradient(device: Any, batch: int, n: int) -> None:
    check_cholesky(batch, n, "float64", 1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-12)])
@pytest.mark.usefixtures("small_panels")
def test_cholesky_by_panels(device: Any, dtype: str, tolerance: float) -> None:
    check_cholesky(2, 7, dtype, tolerance)


def check_cholesky(batch: int, n: int, dtype: str, tolerance: float) -> None:
    def build() -> Any:
        a = gc.placeholder(getattr(gc, dtype), [None, n, n])
        factor = gc.linalg.cholesky(a)
        return [factor, *gc.gradients(gc.reduce_sum(factor * factor * 0.5 + factor), a)]

    check_close(build, definite(batch, n, dtype), tolerance=tolerance)


@pytest.mark.parametrize(("lower", "adjoint"), [(True, False), (True, True), (False, False), (False, True)])
@pytest.mark.usefixtures("small_panels")
def test_triangular_solve_and_its_gradients(device: Any, lower: bool, adjoint: bool) -> None:
    check_triangular(7, 2, lower, adjoint)


@pytest.mark.parametrize(("n", "columns"), [(0, 2), (3, 0), (4, 35)])
def test_one_panel_of_strips(device: Any, n: int, columns: int) -> None:
    check_triangular(n, columns, True, False)


def check_triangular(n: int, columns: int, lower: bool, adjoint: bool) -> None:
    def build() -> Any:
        a = gc.placeholder(gc.float64, [None, n, n])
        b = gc.placeholder(gc.float64, [None, n, columns])
        x = gc.linalg.triangular_solve(a, b, lower=lower, adjoint=adjoint)
        return [x, *gc.gradients(gc.reduce_sum(x * x), [a, b])]

    check_close(build, numbers(2, n, n) / max(n, 1) + 2 * np.eye(n), numbers(2, n, columns), tolerance=1e-10)


@pytest.mark.usefixtures("small_panels")
def test_a_matrix_that_is_not_definite_is_the_cpus_error(device: Any) -> None:
    a = definite(4, 9, "float32")
    a[1, 7, 7], a[2, 3, 3] = -1, 0
    said = refused(lambda: [gc.linalg.cholesky(gc.placeholder(gc.float32, [None, 9, 9]), name="factor")], a)
    assert "Cholesky decomposition was not successful" in said and "factor" in said


@pytest.mark.usefixtures("small_panels")
def test_a_triangle_without_an_inverse_is_the_cpus_error(device: Any) -> None:
    def build() -> Any:
        a = gc.placeholder(gc.float32, [None, 7, 7])
        return [gc.linalg.triangular_solve(a, gc.ones([3, 7, 2]), name="solved")]

    a = numbers(3, 7, 7, dtype="float32")
    a[1, 6, 6], a[1, 4, 4], a[2, 0, 0] = 0, -0.0, 0
    assert "matrix 1: no pivot in column 4" in refused(build, a)


@pytest.mark.parametrize(("batch", "n", "adjoint"), [(0, 3, False), (2, 0, True), (3, 1, False), (2, 5, False),
                                                     (2, 5, True)])
@pytest.mark.usefixtures("small_panels")
def test_equations_determinants_and_gradients(device: Any, batch: int, n: int, adjoint: bool) -> None:
    def build() -> Any:
        a, b = gc.placeholder(gc.float64, [None, n, n]), gc.placeholder(gc.float64, [None, n, 3])
        x = gc.linalg.solve(a, b, adjoint=adjoint)
        return [x, gc.linalg.det(a), *gc.linalg.slogdet(a), *gc.gradients(gc.reduce_sum(x * x), [a, b])]

    check_close(build, numbers(batch, n, n) + np.eye(n), numbers(batch, n, 3), tolerance=1e-8)


@pytest.mark.parametrize("columns", [32, 3])
def test_pivots_are_the_cpus(device: Any, columns: int, monkeypatch: Any) -> None:
    """Among equal ones the first; columns of zeros, NaNs."""
    monkeypatch.setattr(matrices, "PIVOTED", columns)

    def build() -> Any:
        a, b = gc.placeholder(gc.float64, [None, 5, 5]), gc.placeholder(gc.float64, [None, 7, 7])
        sign, logarithm = gc.linalg.slogdet(b)
        return [*gc.linalg.lu(a), gc.linalg.det(b), sign, logarithm]

    ties = np.array([[1, 2, 0, 1, 1], [-1, 0, 2, 2, 1], [1, 1, 1, 0, -1], [0, 1, 2, 1, 1], [1, 0, 0, 1, 2]], np.float64)
    b = RANDOM.integers(-2, 3, (5, 7, 7)).astype(np.float64)
    b[1, :, 4], b[2, 5:, 2], b[3, 4, 4], b[4, 0, 0] = 0, np.nan, -0.0, np.nan
    check_close(build, np.stack([ties, -ties]), b, tolerance=1e-9)


@pytest.mark.usefixtures("small_panels")
def test_a_singular_matrix_is_the_cpus_error(device: Any) -> None:
    a = numbers(3, 8, 8, dtype="float32")
    a[1, :, 6], a[2, :, 0] = 0, 0
    said = refused(lambda: [gc.linalg.inv(gc.placeholder(gc.float32, [None, 8, 8]), name="turned")], a)
    assert "matrix 1: no pivot in column 6" in said


def test_numbers_that_are_none(device: Any) -> None:
    def build() -> Any:
        a = gc.placeholder(gc.float32, [None, 3, 3])
        return [gc.linalg.cholesky(a), gc.linalg.triangular_solve(a, gc.ones([2, 3, 1]))]

    a = definite(2, 3, "float32")
    a[0, 1, 1], a[1, 2, 0] = np.nan, np.nan
    check_close(build, a)


@pytest.mark.parametrize(("batch", "m", "n"), [(0, 3, 3), (2, 0, 3), (2, 3, 0), (3, 1, 1), (2, 5, 17), (2, 17, 5),
                                                (1, 34, 33)])
@pytest.mark.parametrize("full", [False, True])
def test_qr(device: Any, batch: int, m: int, n: int, full: bool) -> None:
    def build() -> Any:
        return list(gc.linalg.qr(gc.placeholder(gc.float64, [None, m, n]), full_matrices=full))

    before = device.work["launch"]
    check_close(build, numbers(batch, m, n), tolerance=1e-9)
    assert device.work["launch"] > before or not batch * m * n


def test_qr_of_numbers_that_are_large_small_or_zero(device: Any) -> None:
    def build() -> Any:
        q, r = gc.linalg.qr(gc.placeholder(gc.float32, [None, 6, 4]))
        return [q, r / gc.reduce_max(gc.abs(r), [-2, -1], keepdims=True)]

    a = numbers(5, 6, 4, dtype="float32")
    a[0] *= 1e25
    a[1] *= 1e-25
    a[2, :, 1], a[3, 3:] = 0, 0
    check_close(build, a, tolerance=1e-4)


def test_qr_and_its_gradient(device: Any) -> None:
    def build() -> Any:
        a = gc.placeholder(gc.float64, [None, 5, 5])
        q, r = gc.linalg.qr(a)
        return [*gc.gradients(gc.reduce_sum(q * 2.0 + r * r), a)]

    check_close(build, numbers(2, 5, 5), tolerance=1e-8)
