"""tf.linalg's functions: names, forms, what they refuse, and gradients that the samples do not reach."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

GENERATOR = np.random.default_rng(11)
A = GENERATOR.normal(size=(2, 4, 4))
B = GENERATOR.normal(size=(2, 4, 3))
SPD = A @ A.swapaxes(-1, -2) + np.eye(4)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def value(fetch: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetch, feeds)


@pytest.mark.parametrize("names", [
    "cholesky linalg.cholesky", "cholesky_solve linalg.cholesky_solve", "matrix_determinant linalg.det",
    "self_adjoint_eig linalg.eigh", "self_adjoint_eigvals linalg.eigvalsh", "matrix_inverse linalg.inv",
    "matrix_solve_ls linalg.lstsq", "qr linalg.qr", "matrix_solve linalg.solve", "svd linalg.svd",
    "matrix_square_root linalg.sqrtm", "matrix_triangular_solve linalg.triangular_solve"])
def test_names_of_one_function(names: str) -> None:
    first, second = names.split()
    assert getattr(gc, first) is getattr(gc.linalg, second.removeprefix("linalg."))


def test_against_numpy() -> None:
    found = value({
        "adjoint": gc.linalg.adjoint(B), "logdet": gc.linalg.logdet(SPD), "slogdet": gc.linalg.slogdet(A).sign,
        "solve": gc.cholesky_solve(gc.cholesky(SPD), B), "pinv": gc.linalg.pinv(B), "rank": gc.linalg.matrix_rank(B),
        "svd": gc.svd(B, compute_uv=False), "q": gc.qr(B).q, "eigh": gc.self_adjoint_eig(SPD)[0],
        "eigvals": gc.self_adjoint_eigvals(SPD), "lstsq": gc.matrix_solve_ls(B, A, fast=False)})
    expected = {
        "adjoint": B.swapaxes(-1, -2), "logdet": np.linalg.slogdet(SPD)[1], "slogdet": np.linalg.slogdet(A)[0],
        "solve": np.linalg.solve(SPD, B), "pinv": np.linalg.pinv(B), "rank": [3, 3],
        "svd": np.linalg.svd(B, compute_uv=False), "q": np.linalg.qr(B)[0], "eigh": np.linalg.eigvalsh(SPD),
        "eigvals": np.linalg.eigvalsh(SPD), "lstsq": np.linalg.pinv(B) @ A}
    for name, wanted in expected.items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-7, atol=1e-9, err_msg=name)


def test_lu() -> None:
    factors, order = gc.linalg.lu(A, output_idx_type=gc.int64)
    assert order.dtype == gc.int64 and order.shape.as_list() == [2, 4]
    again, x, inverse = value([gc.linalg.lu_reconstruct(factors, order), gc.linalg.lu_solve(factors, order, B),
                               gc.linalg.lu_matrix_inverse(factors, order)])
    np.testing.assert_allclose(again, A, atol=1e-12)
    np.testing.assert_allclose(A @ x, B, atol=1e-10)
    np.testing.assert_allclose(inverse, np.linalg.inv(A), rtol=1e-8)
    with pytest.raises(gc.errors.InvalidArgumentError, match="not invertible"):
        value(gc.linalg.lu(np.zeros((2, 2))))
    with pytest.raises(LookupError, match="No gradient defined"):
        gc.gradients(factors, factors.op.inputs[0])


def test_validate_args() -> None:
    """What is known to be wrong ends the building of the graph; what turns up later, the run."""
    factors, order = gc.linalg.lu(A)
    kept = value([gc.linalg.lu_solve(factors, order, B, validate_args=True),
                  gc.linalg.lu_matrix_inverse(factors, order, validate_args=True),
                  gc.linalg.pinv(A, validate_args=True), gc.linalg.matrix_rank(A, validate_args=True)])
    for found, wanted in zip(kept, (np.linalg.solve(A, B), np.linalg.inv(A), np.linalg.inv(A), [4, 4]), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7)
    unknown, rows = gc.placeholder(gc.float64), gc.placeholder(gc.int32)
    square = gc.placeholder(gc.float64, [None, None])
    again = gc.linalg.lu_reconstruct(unknown, rows, validate_args=True)
    x = gc.linalg.lu_solve(square, rows, B[0], validate_args=True)
    for y, fed, message in (
            (again, {unknown: np.ones((2, 3, 3)), rows: [0, 1, 2]}, r"must equal `rank\(perm\) \+ 1`"),
            (x, {square: np.ones((2, 3)), rows: [0, 1]}, r"shapes .*\(2, 3\)"),
            (x, {square: np.eye(2), rows: [0, 1]}, r"lu_solve"),
            (gc.linalg.matrix_rank(unknown, validate_args=True), {unknown: np.ones(3)}, "must have rank 2 or more")):
        with gc.Session() as session, pytest.raises((ValueError, gc.errors.InvalidArgumentError), match=message):
            session.run(y, fed)
    with pytest.raises(ValueError, match="must have rank 2 or more"):
        gc.linalg.pinv(np.ones(3), validate_args=True)


def test_rank_by_tolerance() -> None:
    x = np.diag([1.0, 1e-3, 0.0])
    assert value([gc.linalg.matrix_rank(x), gc.linalg.matrix_rank(x, tol=1e-2)]) == [2, 1]
    found = value(gc.linalg.pinv(x, rcond=1e-2))
    np.testing.assert_allclose(found, np.diag([1.0, 0, 0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0.0, 1e-3, 0.2, 0.9, 2.0, 4.0, 50.0])
def test_exponential(size: float, dtype: Any) -> None:
    """Of turnings, and of a matrix that squares to 0: both are known."""
    turning = size * np.array([[0.0, -1.0], [1.0, 0.0]])
    shear = size * np.array([[0.0, 1.0], [0.0, 0.0]])
    x = gc.placeholder(dtype, [None, 2, 2])
    found = value(gc.linalg.expm(x), {x: np.stack([turning, shear])})
    expected = [[[np.cos(size), -np.sin(size)], [np.sin(size), np.cos(size)]], [[1, size], [0, 1]]]
    np.testing.assert_allclose(found, expected, atol=(2e-5 if dtype is np.float32 else 1e-12) * max(1, size))
    assert found.dtype == dtype


def test_exponential_of_what_is_not_finite() -> None:
    x = gc.placeholder(gc.float64, [None, 2, 2])
    with gc.Session() as session:
        assert session.run(gc.linalg.expm(x), {x: np.zeros((0, 2, 2))}).shape == (0, 2, 2)
        mixed = np.stack([np.full((2, 2), np.nan), np.zeros((2, 2))])
        found = session.run(gc.linalg.expm(x), {x: mixed})
        assert np.isnan(found[0]).all()
        np.testing.assert_array_equal(found[1], np.eye(2))


def derivative_problem(function: Callable[[Any], Any], x: np.ndarray, order: int = 1) -> None:
    """Gradients against central differences, along a random direction, of what `function` makes of a tensor."""
    generator = np.random.default_rng(order)
    fed = gc.placeholder(gc.float64, x.shape)
    made = function(fed)
    total = gc.add_n([gc.reduce_sum(y * generator.normal(size=y.shape.as_list()))
                      for y in (made if isinstance(made, (tuple, list)) else [made])])
    if order == 2:
        first, = gc.gradients(total, [fed])
        total = gc.reduce_sum(first * generator.normal(size=x.shape))
    slope, = gc.gradients(total, [fed])
    direction, step = generator.normal(size=x.shape), 1e-5
    with gc.Session() as session:
        analytic = (session.run(slope, {fed: x}) * direction).sum()
        ahead, behind = (session.run(total, {fed: x + sign * step * direction}) for sign in (1, -1))
    numeric = (ahead - behind) / (2 * step)
    assert abs(analytic - numeric) <= 2e-5 * max(1.0, abs(numeric), abs(ahead))


def symmetric(x: Any) -> Any:
    return gc.matmul(x, x, transpose_b=True) + np.eye(x.shape.as_list()[-1])


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", ["cholesky", "logdet", "cholesky_solve", "expm", "pinv", "expm large"])
def test_gradients(name: str, order: int) -> None:
    function: Callable[[Any], Any] = {
        "cholesky": lambda x: gc.cholesky(symmetric(x)), "logdet": lambda x: gc.linalg.logdet(symmetric(x)),
        "cholesky_solve": lambda x: gc.cholesky_solve(gc.cholesky(symmetric(x)), B),
        "expm": lambda x: gc.linalg.expm(0.1 * x), "expm large": lambda x: gc.linalg.expm(3.0 * x),
        "pinv": lambda x: gc.linalg.pinv(x)}[name]
    derivative_problem(function, 0.5 * A, order)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (2, 3, 3)])
def test_gradient_of_all_singular_vectors(shape: tuple[int, ...], order: int) -> None:
    derivative_problem(lambda x: gc.svd(x, full_matrices=True), np.random.default_rng(1).normal(size=shape), order)


def test_gradients_that_do_not_exist() -> None:
    x = gc.placeholder(gc.float64, [5, 3])
    with pytest.raises(gc.errors.UnimplementedError, match=r"differ by at most 1.*\(5, 3\).*full_matrices=False"):
        gc.gradients(gc.svd(x, full_matrices=True)[1], x)
    assert gc.gradients(gc.svd(x, full_matrices=True)[0], x)[0].shape.as_list() == [5, 3]
    with pytest.raises(gc.errors.UnimplementedError, match=r"full_matrices=True.*\(5, 3\)"):
        gc.gradients(gc.qr(x, full_matrices=True).r, x)
    with pytest.raises(ValueError, match="Gradient not defined for fast=False"):
        gc.gradients(gc.matrix_solve_ls(x, x, fast=False), x)


def test_what_is_refused_while_building() -> None:
    with pytest.raises(ValueError, match=r"'input' must hold square matrices.*\(2, 4, 3\)"):
        gc.matrix_inverse(B)
    with pytest.raises(ValueError, match="must have rank 2 or more"):
        gc.qr(np.ones(3))
    with pytest.raises(TypeError, match="int32, but MatrixDeterminant takes float32, float64, complex64"):
        gc.matrix_determinant(np.ones((2, 2), np.int32))
    with pytest.raises(TypeError, match="'rhs' has dtype float32, but 'matrix' has float64"):
        gc.matrix_solve(gc.constant(A), gc.constant(B, gc.float32))
    with pytest.raises(ValueError, match=r"must have the same leading axes.*\(2, 4, 4\) and \(4, 3\)"):
        gc.matrix_solve(A, B[0])
    with pytest.raises(ValueError, match=r"as many rows.*\(2, 4, 4\) and \(2, 3, 3\)"):
        gc.matrix_triangular_solve(A, B[:, :3])
    with pytest.raises(TypeError, match="expm: argument 'input' has dtype int32"):
        gc.linalg.expm(np.ones((2, 2), np.int32))


def test_what_is_refused_when_run() -> None:
    x = gc.placeholder(gc.float64, [None, None])
    for y, fed, message in (
            (gc.matrix_solve(x, x), np.zeros((2, 2)), "Input matrix is not invertible"),
            (gc.matrix_triangular_solve(x, x), np.triu(np.ones((2, 2)), 1), "Input matrix is not invertible"),
            (gc.matrix_solve_ls(x, x), np.ones((3, 2)), "rank deficient"),
            (gc.matrix_solve_ls(x, x, l2_regularizer=-1.0), np.ones((3, 2)), "l2_regularizer must be >= 0"),
            (gc.linalg.sqrtm(x), -np.eye(2), "no real square root"),
            (gc.matrix_inverse(x), np.ones((2, 3)), "2 and 3")):
        with pytest.raises(gc.errors.InvalidArgumentError, match=message) as caught:
            value(y, {x: fed})
        assert "test_linalg.py" in str(caught.value)


def test_one_triangle_is_read() -> None:
    noise = np.triu(np.full((4, 4), np.nan), 1)
    lower = np.tril(SPD)
    np.testing.assert_allclose(value(gc.cholesky(lower + noise)), np.linalg.cholesky(SPD))
    np.testing.assert_allclose(value(gc.self_adjoint_eigvals(lower + 7 * np.triu(np.ones((4, 4)), 1))),
                               np.linalg.eigvalsh(SPD))
    np.testing.assert_allclose(value(gc.matrix_triangular_solve(lower + noise, B)), np.linalg.solve(lower, B))


def test_a_graph_without_known_ranks() -> None:
    x = gc.placeholder(gc.float64)
    y = gc.reduce_sum(gc.matrix_solve(x, gc.linalg.adjoint(x))) + gc.reduce_sum(gc.qr(x).r)
    slope, = gc.gradients(y, x)
    with gc.Session() as session:
        for fed in (A, A[0]):
            total, found = session.run([y, slope], {x: fed})
            expected = np.linalg.solve(fed, fed.swapaxes(-1, -2)).sum() + np.linalg.qr(fed)[1].sum()
            np.testing.assert_allclose(total, expected)
            assert found.shape == fed.shape


@pytest.mark.parametrize("form", ["compact", "sequence", "short sequence", "matrix"])
def test_three_diagonals(form: str) -> None:
    above, main, below = GENERATOR.normal(size=(3, 2, 4)) + np.array([0, 5, 0])[:, None, None]
    matrix = np.stack([np.diag(m) + np.diag(a[:-1], 1) + np.diag(b[1:], -1)
                       for a, m, b in zip(above, main, below, strict=True)])
    given: Any = {"compact": np.stack([above, main, below], -2), "sequence": (above, main, below),
                  "short sequence": (above[:, :-1], main, below[:, 1:]), "matrix": matrix}[form]
    form = form.removeprefix("short ")
    x, vector, turned, y = value([
        gc.linalg.tridiagonal_solve(given, B, form), gc.linalg.tridiagonal_solve(given, B[..., 0], form),
        gc.linalg.tridiagonal_solve(given, B.swapaxes(-1, -2), form, transpose_rhs=True, partial_pivoting=False),
        gc.linalg.tridiagonal_matmul(given, B, form)])
    np.testing.assert_allclose(matrix @ x, B, atol=1e-12)
    np.testing.assert_allclose(vector, x[..., 0], atol=1e-12)
    np.testing.assert_allclose(turned, x, atol=1e-12)
    np.testing.assert_allclose(y, matrix @ B, atol=1e-12)


def test_what_three_diagonals_refuse() -> None:
    with pytest.raises(ValueError, match="Unrecognized diagonals_format: rows"):
        gc.linalg.tridiagonal_solve(A, B, "rows")
    with pytest.raises(ValueError, match="must have three rows"):
        gc.linalg.tridiagonal_solve(A, B)
    with pytest.raises(gc.errors.InvalidArgumentError, match="not invertible"):
        value(gc.linalg.tridiagonal_solve(np.zeros((3, 2)), np.ones((2, 1))))
