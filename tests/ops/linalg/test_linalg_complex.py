"""Linear algebra of complex matrices: results against NumPy, gradients against differences, the dtypes of functions."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

GENERATOR = np.random.default_rng(21)


def numbers(*shape: int) -> np.ndarray:
    parts = GENERATOR.normal(size=(2, *shape))
    return parts[0] + 1j * parts[1]


A, B = numbers(2, 3, 3) + 2 * np.eye(3), numbers(2, 3, 2)
ADJOINT = np.conj(A.swapaxes(-1, -2))
HERMITIAN = A @ ADJOINT + np.eye(3)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def value(fetch: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetch, feeds)


def exponential(x: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eig(x)
    return vectors * np.exp(values)[..., None, :] @ np.linalg.inv(vectors)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_against_numpy(dtype: Any) -> None:
    a, b, h = (x.astype(dtype) for x in (A, B, HERMITIAN))
    order, real = gc.linalg.lu(a), np.float32 if dtype is np.complex64 else np.float64
    cases = {
        "adjoint": (gc.linalg.adjoint(b), np.conj(B.swapaxes(-1, -2)), dtype),
        "transpose": (gc.matrix_transpose(b), B.swapaxes(-1, -2), dtype),
        "cholesky": (gc.cholesky(h), np.linalg.cholesky(HERMITIAN), dtype),
        "inverse": (gc.matrix_inverse(a, adjoint=True), np.linalg.inv(ADJOINT), dtype),
        "solve": (gc.matrix_solve(a, b, adjoint=True), np.linalg.solve(ADJOINT, B), dtype),
        "triangular": (gc.matrix_triangular_solve(a, b, lower=False, adjoint=True),
                       np.linalg.solve(np.conj(np.triu(A).swapaxes(-1, -2)), B), dtype),
        "least squares": (gc.matrix_solve_ls(gc.linalg.adjoint(b), gc.linalg.adjoint(b)),
                          np.linalg.pinv(np.conj(B.swapaxes(-1, -2))) @ np.conj(B.swapaxes(-1, -2)), dtype),
        "determinant": (gc.matrix_determinant(a), np.linalg.det(A), dtype),
        "sign": (gc.linalg.slogdet(a).sign, np.linalg.slogdet(A)[0], dtype),
        "slogdet": (gc.linalg.slogdet(a).log_abs_determinant, np.linalg.slogdet(A)[1], dtype),
        "logdet": (gc.linalg.logdet(h), np.linalg.slogdet(HERMITIAN)[1], real),
        "cholesky solve": (gc.cholesky_solve(gc.cholesky(h), b), np.linalg.solve(HERMITIAN, B), dtype),
        "singular values": (gc.svd(a, compute_uv=False), np.linalg.svd(A, compute_uv=False), real),
        "eigenvalues": (gc.self_adjoint_eigvals(h), np.linalg.eigvalsh(HERMITIAN), dtype),
        "rank": (gc.linalg.matrix_rank(b), [2, 2], np.int32),
        "lu": (gc.linalg.lu_reconstruct(*order), A, dtype),
        "lu solve": (gc.linalg.lu_solve(*order, b), np.linalg.solve(A, B), dtype),
        "lu inverse": (gc.linalg.lu_matrix_inverse(*order), np.linalg.inv(A), dtype),
        "expm": (gc.linalg.expm(a), exponential(A), dtype),
        "logm": (gc.linalg.expm(gc.linalg.logm(a)), A, dtype),
        "sqrtm": (gc.matmul(gc.linalg.sqrtm(a), gc.linalg.sqrtm(a)), A, dtype),
        "product": (gc.matmul(a, b, adjoint_a=True), ADJOINT @ B, dtype),
        "einsum": (gc.einsum("bij,bkj->bik", a, gc.conj(gc.matrix_transpose(b))),
                   np.einsum("bij,bjk->bik", A, np.conj(B)), dtype),
        "tensordot": (gc.tensordot(a, b, [[0, 1], [0, 1]]), np.tensordot(A, B, [[0, 1], [0, 1]]), dtype),
        "norm": (gc.norm(a, axis=[-2, -1]), np.linalg.norm(A, axis=(-2, -1)), dtype),
        "trace": (gc.trace(a), np.trace(A, axis1=-2, axis2=-1), dtype),
    }
    found = value({name: fetch for name, (fetch, _, _) in cases.items()})
    for name, (_, wanted, kind) in cases.items():
        assert found[name].dtype == kind, name
        size = np.abs(wanted).max()
        np.testing.assert_allclose(found[name], wanted, rtol=0, atol=(2e-5 if dtype is np.complex64 else 1e-10) * size,
                                   err_msg=name)


def test_factors() -> None:
    s, u, v = gc.svd(B)
    assert (s.dtype, u.dtype, v.dtype) == (gc.float64, gc.complex128, gc.complex128)
    q, r = gc.qr(B)
    e, w = gc.self_adjoint_eig(HERMITIAN)
    again = [gc.matmul(u * gc.cast(gc.expand_dims(s, -2), u.dtype), v, adjoint_b=True), gc.matmul(q, r),
             gc.matmul(w * gc.expand_dims(e, -2), w, adjoint_b=True)]
    for found, wanted in zip(value(again), (B, B, HERMITIAN), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-10)


def slope_problem(function: Callable[[Any], Any], x: np.ndarray, order: int) -> None:
    """The direction of ascent of a real loss against central differences."""
    def loss(made: Any) -> Any:
        total = []
        for y in made if isinstance(made, (tuple, list)) else [made]:
            weights = GENERATOR.normal(size=(3, *y.shape.as_list()))
            total += [gc.reduce_sum(weights[0] * gc.real(y)), gc.reduce_sum(weights[1] * gc.imag(y)),
                      gc.reduce_sum(weights[2] * gc.real(y * gc.conj(y)))]
        return gc.add_n(total)

    fed = gc.placeholder(gc.complex128, x.shape)
    total = loss(function(fed))
    if order == 2:
        total = loss(gc.gradients(total, fed))
    slope, = gc.gradients(total, fed)
    direction, step = numbers(*x.shape), 1e-5
    with gc.Session() as session:
        analytic = np.sum(np.conj(session.run(slope, {fed: x})) * direction).real
        ahead, behind = (session.run(total, {fed: x + sign * step * direction}) for sign in (1, -1))
    numeric = (ahead - behind) / (2 * step)
    assert abs(analytic - numeric) <= 2e-5 * max(1.0, abs(numeric), abs(ahead))


def positive(x: Any) -> Any:
    return gc.matmul(x, x, adjoint_b=True) + np.eye(3)


def vectors(factors: Any) -> Any:
    """What does not depend on the phases of singular or eigenvectors."""
    return [x * gc.conj(x) for x in factors if x.dtype.is_complex]


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "cholesky": lambda x: gc.cholesky(positive(x)), "logdet": lambda x: gc.linalg.logdet(positive(x)),
    "cholesky solve": lambda x: gc.cholesky_solve(gc.cholesky(positive(x)), B),
    "inverse": gc.matrix_inverse, "adjoint inverse": lambda x: gc.matrix_inverse(x, adjoint=True),
    "solve": lambda x: gc.matrix_solve(x, gc.matrix_transpose(x)),
    "adjoint solve": lambda x: gc.matrix_solve(x, gc.matrix_transpose(x), adjoint=True),
    "triangular": lambda x: gc.matrix_triangular_solve(x, gc.matrix_transpose(x)),
    "adjoint triangular": lambda x: gc.matrix_triangular_solve(x, x, lower=False, adjoint=True),
    "tall least squares": lambda x: gc.matrix_solve_ls(x[..., :2], x[..., 2:], l2_regularizer=0.5),
    "wide least squares": lambda x: gc.matrix_solve_ls(x[..., :2, :], x[..., :2, :1]),
    "determinant": gc.matrix_determinant, "slogdet": lambda x: list(gc.linalg.slogdet(x)),
    "qr": lambda x: list(gc.qr(x)), "tall qr": lambda x: list(gc.qr(x[..., :2])),
    "wide qr": lambda x: list(gc.qr(x[..., :2, :])),
    "singular values": lambda x: gc.cast(gc.svd(x, compute_uv=False), gc.complex128),
    "singular vectors": lambda x: vectors(gc.svd(x)), "tall singular vectors": lambda x: vectors(gc.svd(x[..., :2])),
    "wide singular vectors": lambda x: vectors(gc.svd(x[..., :2, :])),
    "eigenvalues": gc.self_adjoint_eigvals, "eigenvectors": lambda x: vectors(gc.self_adjoint_eig(x)),
    "square root": gc.linalg.sqrtm, "expm": gc.linalg.expm, "adjoint": lambda x: gc.matmul(gc.linalg.adjoint(x), x),
    "einsum": lambda x: gc.einsum("bij,bkj->bik", x, gc.conj(x)),
    "tridiagonal": lambda x: gc.linalg.tridiagonal_solve(x + np.array([[0], [5], [0]]), gc.matrix_transpose(x)),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name: str, order: int) -> None:
    slope_problem(FUNCTIONS[name], A, order)


def test_a_product_of_factors_has_the_gradient_of_the_matrix() -> None:
    """Phases cancel: the loss does not see which ones LAPACK chose."""
    def again(x: Any) -> Any:
        s, u, v = gc.svd(x)
        return gc.matmul(u * gc.cast(gc.expand_dims(s, -2), u.dtype), v, adjoint_b=True)

    x = gc.placeholder(gc.complex128, A.shape)
    weights = numbers(*A.shape)
    slopes = [gc.gradients(gc.reduce_sum(gc.real(gc.conj(weights) * y)), x)[0] for y in (again(x), x)]
    np.testing.assert_allclose(*value(slopes, {x: A}), atol=1e-9)


def test_adjoint_of_unknown_rank() -> None:
    x = gc.placeholder(gc.complex64)
    y = gc.linalg.adjoint(x)
    slope, = gc.gradients(gc.reduce_sum(gc.imag(y)), x)
    with gc.Session() as session:
        for fed in (B, B[0]):
            found, by = session.run([y, slope], {x: fed})
            np.testing.assert_allclose(found, np.conj(fed.swapaxes(-1, -2)), rtol=1e-6)
            np.testing.assert_allclose(by, np.full(fed.shape, -1j))


def test_what_complex_matrices_have_not() -> None:
    with pytest.raises(TypeError, match="MatrixLogarithm takes complex64 and complex128 only"):
        gc.linalg.logm(np.eye(2))
    with pytest.raises(LookupError, match="No gradient defined"):
        x = gc.placeholder(gc.complex64, [2, 2])
        gc.gradients(gc.real(gc.linalg.logm(x)), x)
    with pytest.raises(TypeError, match="pinv: argument 'a' must be of floating point numbers"):
        gc.linalg.pinv(A)
