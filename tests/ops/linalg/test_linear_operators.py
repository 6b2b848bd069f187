"""gc.linalg.LinearOperator...: every operator is its matrix, in batches that broadcast, of known and unknown sizes."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

R = np.random.default_rng(0)
A = R.normal(size=(2, 3, 3)) + 4 * np.eye(3)
S = A @ A.swapaxes(-1, -2)
V = R.normal(size=(2, 3))
B, C = R.normal(size=(3, 2)), R.normal(size=(2, 3, 2))
L = gc.linalg


def unknown(value: np.ndarray) -> gc.Tensor:
    return gc.placeholder_with_default(value, [None] * value.ndim)


def diagonal(v: np.ndarray) -> np.ndarray:
    return v[..., None] * np.eye(v.shape[-1])


OPERATORS: dict[str, tuple[Callable[[], Any], np.ndarray]] = {
    "full": (lambda: L.LinearOperatorFullMatrix(A), A),
    "one matrix": (lambda: L.LinearOperatorFullMatrix(A[0]), A[0]),
    "positive": (lambda: L.LinearOperatorFullMatrix(S, is_self_adjoint=True, is_positive_definite=True), S),
    "unknown": (lambda: L.LinearOperatorFullMatrix(unknown(A)), A),
    "triangular": (lambda: L.LinearOperatorLowerTriangular(A), np.tril(A)),
    "diagonal": (lambda: L.LinearOperatorDiag(V), diagonal(V)),
    "unknown diagonal": (lambda: L.LinearOperatorDiag(unknown(V)), diagonal(V)),
    "identity": (lambda: L.LinearOperatorIdentity(3, dtype=gc.float64), np.eye(3)),
    "identities": (lambda: L.LinearOperatorIdentity(3, [2], gc.float64), np.stack([np.eye(3)] * 2)),
    "unknown identities": (lambda: L.LinearOperatorIdentity(unknown(np.array(3, np.int32)),
                                                            unknown(np.array([2], np.int32)), gc.float64),
                           np.stack([np.eye(3)] * 2)),
    "scaled": (lambda: L.LinearOperatorScaledIdentity(3, np.array([2.0, -3.0])),
               np.array([2.0, -3.0])[:, None, None] * np.eye(3)),
    "product": (lambda: L.LinearOperatorFullMatrix(A[0]).matmul(L.LinearOperatorLowerTriangular(A)),
                A[0] @ np.tril(A)),
    "adjoint": (lambda: L.LinearOperatorLowerTriangular(A).adjoint(), np.tril(A).swapaxes(-1, -2)),
    "inverse": (lambda: L.LinearOperatorFullMatrix(A).inverse(), np.linalg.inv(A)),
    "inverse of a diagonal": (lambda: L.LinearOperatorDiag(V).inverse(), diagonal(1 / V)),
    "product of diagonals": (lambda: L.LinearOperatorDiag(V).matmul(L.LinearOperatorDiag(V)), diagonal(V * V)),
    "factor": (lambda: L.LinearOperatorFullMatrix(S, is_self_adjoint=True, is_positive_definite=True).cholesky(),
               np.linalg.cholesky(S)),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_is_its_matrix(name: str) -> None:
    make, matrix = OPERATORS[name]
    operator = make()
    wanted: list[tuple[Any, np.ndarray]] = []
    for adjoint in (False, True):
        m = matrix.swapaxes(-1, -2) if adjoint else matrix
        inverse = np.linalg.inv(m)
        wanted += [(operator.matmul(B, adjoint=adjoint), m @ B), (operator.matmul(C, adjoint=adjoint), m @ C),
                   (operator.matmul(C.swapaxes(-1, -2), adjoint=adjoint, adjoint_arg=True), m @ C),
                   (operator.matvec(V, adjoint=adjoint), (m @ V[..., None])[..., 0]),
                   (operator.solve(B, adjoint=adjoint), inverse @ B), (operator.solve(C, adjoint=adjoint), inverse @ C),
                   (operator.solve(C.swapaxes(-1, -2), adjoint=adjoint, adjoint_arg=True), inverse @ C),
                   (operator.solvevec(V[0], adjoint=adjoint), inverse @ V[0])]
    wanted += [(operator.to_dense(), matrix), (operator.determinant(), np.linalg.det(matrix)),
               (operator.log_abs_determinant(), np.linalg.slogdet(matrix)[1]),
               (operator.diag_part(), np.diagonal(matrix, axis1=-2, axis2=-1)),
               (operator.trace(), np.trace(matrix, axis1=-2, axis2=-1)),
               (operator.add_to_tensor(np.ones((2, 3, 3))), matrix + np.ones((2, 3, 3))),
               (operator.shape_tensor(), matrix.shape),
               (operator.batch_shape_tensor(), matrix.shape[:-2]), (operator.tensor_rank_tensor(), matrix.ndim),
               (operator.adjoint().to_dense(), matrix.swapaxes(-1, -2)),
               (operator.inverse().to_dense(), np.linalg.inv(matrix)), (operator.domain_dimension_tensor(), 3)]
    with gc.Session() as session:
        found = session.run([tensor for tensor, _ in wanted])
    for value, (_, expected) in zip(found, wanted, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-8)
    if "unknown" not in name:
        assert operator.shape.as_list() == list(matrix.shape)
        assert operator.batch_shape.as_list() == list(matrix.shape[:-2])
        assert operator.is_square is True


def test_gradients_through_operators() -> None:
    matrix = gc.constant(A)
    operator = L.LinearOperatorFullMatrix(matrix)
    slope = gc.gradients(gc.reduce_sum(operator.solve(C)), matrix)[0]
    inverse = np.linalg.inv(A)
    with gc.Session() as session:
        found = session.run(slope)
    expected = -(inverse.swapaxes(-1, -2) @ np.ones_like(C)) @ (inverse @ C).swapaxes(-1, -2)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_checks_that_run() -> None:
    good = L.LinearOperatorFullMatrix(S, is_self_adjoint=True, is_positive_definite=True)
    singular = L.LinearOperatorFullMatrix(np.ones((2, 2)))
    triangular = L.LinearOperatorLowerTriangular([[1.0, 0], [2, 0]])
    with gc.Session() as session:
        session.run([good.assert_non_singular(), good.assert_positive_definite(), good.assert_self_adjoint(),
                     L.LinearOperatorFullMatrix(A).assert_non_singular()])
        for check in (singular.assert_non_singular, triangular.assert_non_singular,
                      L.LinearOperatorFullMatrix(A).assert_self_adjoint,
                      L.LinearOperatorDiag([1.0, -1]).assert_positive_definite,
                      L.LinearOperatorScaledIdentity(2, 0.0).assert_non_singular):
            with pytest.raises(gc.errors.InvalidArgumentError):
                session.run(check())


def test_hints_and_shapes_are_held_to_one_another() -> None:
    full = L.LinearOperatorFullMatrix
    for make, message in (
            (lambda: full(A, is_non_singular=False, is_positive_definite=True), "always non-singular"),
            (lambda: full(A, is_square=False, is_self_adjoint=True), "always square"),
            (lambda: full(A, is_square=False).is_square, "the operator was square"),
            (lambda: full(np.ones(3)), "at least 2 dimensions"), (lambda: full(A).matmul(C[:, :2]), "incompatible"),
            (lambda: full(A).matmul(L.LinearOperatorIdentity(4, dtype=gc.float64)), "dimension 3 but got 4"),
            (lambda: L.LinearOperatorIdentity(3, is_square=False), "always square"),
            (lambda: L.LinearOperatorComposition([]), "non-empty"), (lambda: full(A).cholesky(), "Cholesky")):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(TypeError, match="float32 or float64, but has int32"):
        full(np.ones((3, 3), np.int32))
    for refused in (lambda: full(A[:, :2]).determinant(), lambda: full(A[:, :2]).solve(C[:, :2]),
                    lambda: full(A, is_non_singular=False).solve(B)):
        with pytest.raises(NotImplementedError, match=r"not be square|singular"):
            refused()
    hinted = L.LinearOperatorDiag(V, is_positive_definite=True)
    assert (hinted.is_non_singular, hinted.is_self_adjoint, hinted.is_square) == (True, True, True)
    assert hinted.H is hinted and full(A).H.H.shape.as_list() == [2, 3, 3]
