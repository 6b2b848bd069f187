"""Ops of kind Host say what they mean once, in `compute`: their results must have the properties that define them.

So `reference`, which is `compute`, may be the oracle of all that lies between an op and its results: inference, plans,
gradients, files.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphc.exec.reference import apply_reference
from graphc.ir.host import Host
from graphc.ir.op import OPS, Op, Sample
from graphc.ops.summary.base import SummaryOp

from example_properties import EXAMPLES
from picture_properties import PICTURES
from samples import arrays, definition, each_sample, registered

Equations = Iterator[tuple[Any, Any]]     # what must be equal
REGISTERED = registered()
ANSWERS = json.loads((Path(__file__).parent / "strings" / "string_answers.json").read_text())


def adjoint(x: np.ndarray) -> np.ndarray:
    return np.conj(np.swapaxes(x, -1, -2))


def hermitian(x: np.ndarray) -> np.ndarray:
    """What the lower triangle of x says; of the diagonal the real part."""
    lower = np.tril(x, -1)
    return lower + adjoint(lower) + eye(x) * x.real


def eye(x: np.ndarray) -> np.ndarray:
    """The unit matrices of the shape of x."""
    return np.broadcast_to(np.eye(x.shape[-1]), x.shape)


def by_minors(x: np.ndarray) -> Any:
    """The determinant by its definition: the first row times its minors."""
    if x.shape[-1] == 0:
        return np.ones(x.shape[:-2])
    rest = [by_minors(np.delete(x[..., 1:, :], i, -1)) for i in range(x.shape[-1])]
    return sum((-1.0) ** i * x[..., 0, i] * minor for i, minor in enumerate(rest))


def cholesky(op: Any, a: np.ndarray, factor: np.ndarray) -> Equations:
    yield factor, np.tril(factor)
    yield factor @ adjoint(factor), hermitian(a)
    assert (np.diagonal(factor, axis1=-2, axis2=-1).real > 0).all()


def cholesky_grad(op: Any, factor: np.ndarray, dy: np.ndarray, found: np.ndarray) -> Equations:
    """The derivative in each symmetric direction, by differences."""
    yield found, adjoint(found)
    a, step = factor @ adjoint(factor), 1e-6
    for i, j in np.ndindex(a.shape[-2:]):
        direction = np.zeros(a.shape[-2:])
        direction[i, j] = direction[j, i] = 1
        moved = (np.linalg.cholesky(a + step * direction) - np.linalg.cholesky(a - step * direction)) / (2 * step)
        yield (found * direction).sum((-1, -2)), (np.tril(dy) * moved).sum((-1, -2))


def solve(op: Any, matrix: np.ndarray, rhs: np.ndarray, x: np.ndarray) -> Equations:
    yield (adjoint(matrix) if op.adjoint else matrix) @ x, rhs


def triangular_solve(op: Any, matrix: np.ndarray, rhs: np.ndarray, x: np.ndarray) -> Equations:
    triangle = np.tril(matrix) if op.is_lower else np.triu(matrix)
    yield (adjoint(triangle) if op.adjoint else triangle) @ x, rhs


def least_squares(op: Any, matrix: np.ndarray, rhs: np.ndarray, l2: np.ndarray, x: np.ndarray) -> Equations:
    """The normal equations; x has no part that `matrix` does not see."""
    rest = rhs - matrix @ x
    yield adjoint(matrix) @ rest, (float(l2) if op.fast else 0.0) * x
    yield adjoint(matrix) @ np.linalg.pinv(adjoint(matrix)) @ x, x


def inverse(op: Any, a: np.ndarray, x: np.ndarray) -> Equations:
    yield (adjoint(a) if op.adjoint else a) @ x, eye(x)


def log_determinant(op: Any, a: np.ndarray, sign: np.ndarray, logarithm: np.ndarray) -> Equations:
    yield sign * np.exp(logarithm), by_minors(a)
    yield np.abs(sign), by_minors(a) != 0
    yield logarithm.imag, np.zeros_like(logarithm.real)


def qr(op: Any, a: np.ndarray, q: np.ndarray, r: np.ndarray) -> Equations:
    yield q @ r, a
    yield r, np.triu(r)
    yield adjoint(q) @ q, eye(adjoint(q) @ q)
    if op.full_matrices:
        assert q.shape[-1] == q.shape[-2]


def lu(op: Any, a: np.ndarray, factors: np.ndarray, order: np.ndarray) -> Equations:
    lower = np.tril(factors, -1) + eye(factors)
    yield lower @ np.triu(factors), np.take_along_axis(a, order[..., None].astype(np.int64), -2)
    # The largest pivot was taken; LAPACK compares the sum of both parts.
    assert (np.abs(np.tril(factors, -1)) <= (np.sqrt(2) if np.iscomplexobj(a) else 1)).all()


def svd(op: Any, a: np.ndarray, s: np.ndarray, u: np.ndarray, v: np.ndarray) -> Equations:
    yield s.imag, np.zeros_like(s.real)
    assert (s.real >= 0).all() and (np.diff(s.real, axis=-1) <= 0).all()
    if op.compute_uv:
        count = s.shape[-1]
        yield u[..., :count] * s[..., None, :] @ adjoint(v[..., :count]), a
        for x in (u, v):
            yield adjoint(x) @ x, eye(adjoint(x) @ x)
    else:
        for power in (2, 4):
            yield (s ** power).sum(-1), np.trace(np.linalg.matrix_power(adjoint(a) @ a, power // 2), axis1=-2, axis2=-1)


def eigen(op: Any, a: np.ndarray, e: np.ndarray, v: np.ndarray) -> Equations:
    a = hermitian(a)
    yield e.imag, np.zeros_like(e.real)
    assert (np.diff(e.real, axis=-1) >= 0).all()
    if op.compute_v:
        yield a @ v, v * e[..., None, :]
        yield adjoint(v) @ v, eye(v)
    else:
        for power in (1, 2, 3):
            yield (e ** power).sum(-1), np.trace(np.linalg.matrix_power(a, power), axis1=-2, axis2=-1)


def tridiagonal(op: Any, diagonals: np.ndarray, rhs: np.ndarray, x: np.ndarray) -> Equations:
    """Row by row."""
    for i in range(rhs.shape[-2]):
        row = diagonals[..., 1, i, None] * x[..., i, :]
        if i + 1 < rhs.shape[-2]:
            row = row + diagonals[..., 0, i, None] * x[..., i + 1, :]
        if i:
            row = row + diagonals[..., 2, i, None] * x[..., i - 1, :]
        yield row, rhs[..., i, :]


def square_root(op: Any, a: np.ndarray, x: np.ndarray) -> Equations:
    yield x @ x, a
    assert not x.size or (np.linalg.eigvals(x).real > 0).all()


def logarithm(op: Any, a: np.ndarray, x: np.ndarray) -> Equations:
    """Its exponential, by the series of a small part of it, squared."""
    power, term = eye(x) + 0 * x, eye(x) + 0 * x
    for i in range(1, 20):
        term = term @ (x / 1024) / i
        power = power + term
    for _ in range(10):
        power = power @ power
    yield power, a
    assert not x.size or (np.abs(np.linalg.eigvals(x).imag) <= np.pi + 1e-6).all()


PROPERTIES: dict[str, Callable[..., Equations]] = {
    "Cholesky": cholesky, "CholeskyGrad": cholesky_grad, "MatrixSolve": solve,
    "MatrixTriangularSolve": triangular_solve,
    "MatrixSolveLs": least_squares, "MatrixInverse": inverse, "LogMatrixDeterminant": log_determinant,
    "MatrixDeterminant": lambda op, a, found: iter([(found, by_minors(a))]), "Qr": qr, "Lu": lu, "Svd": svd,
    "SelfAdjointEigV2": eigen, "MatrixSquareRoot": square_root, "MatrixLogarithm": logarithm,
    "TridiagonalSolve": tridiagonal, **PICTURES, **EXAMPLES,
}


def test_every_such_op_is_held_to_something() -> None:
    """Summaries are, in tests/summary, to TensorFlow's bytes."""
    kind = {name for name in REGISTERED if issubclass(OPS[name], Host) and OPS[name].samples
            and not issubclass(OPS[name], SummaryOp)}
    own = {name for name in kind if OPS[name].reference is not Host.reference}
    assert set(PROPERTIES) == kind - own - set(ANSWERS)


@pytest.mark.parametrize("op_type", PROPERTIES)
@pytest.mark.parametrize("seed", [0, 1])
def test_results_have_the_properties_that_define_them(op_type: str, seed: int) -> None:
    def check(op: type[Op], sample: Sample) -> str | None:
        values = arrays(op, sample)
        numbers = values[0].size and values[0].dtype.kind in "fc"
        if seed and numbers and op_type not in ("Cholesky", "CholeskyGrad"):     # other matrices, less tame
            generator = np.random.default_rng(seed)
            noise = generator.normal(size=(2, *values[0].shape))
            noise = noise[0] + 1j * noise[1] if np.iscomplexobj(values[0]) else noise[0]
            values[0] = (values[0] + 0.5 * noise).astype(values[0].dtype)
        before = [v.copy() for v in values]
        instance = definition(op, sample)
        results = apply_reference(instance, values)
        for value, kept in zip(values, before, strict=True):
            np.testing.assert_array_equal(value, kept)
        single = any(v.dtype in (np.float32, np.complex64) for v in values)
        wide = {"f": np.float64, "c": np.complex128}
        doubles = [np.asarray(v, wide.get(v.dtype.kind, v.dtype)) for v in (*values, *results)]
        for found, expected in PROPERTIES[op_type](instance, *doubles):
            size = max(1.0, float(np.abs(expected).max(initial=0.0)))
            np.testing.assert_allclose(found, expected, rtol=0, atol=(2e-4 if single else 1e-8) * size)
        return None

    each_sample(op_type, check)
