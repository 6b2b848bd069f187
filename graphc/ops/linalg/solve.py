"""Systems of linear equations, one for each matrix: by any square matrix, by a triangular one; inverses."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.linalg.by_kernel import ByKernel, batch_of, solve_factored
from graphc.ops.linalg.matrices import adjoint_of, check_matrix, check_numbers, check_square, product, same_batch

BLOCK = 64      # rows of a triangular system that are solved at once

SINGULAR = "Input matrix is not invertible."


def regular(*shape: int) -> np.ndarray:
    """Well-conditioned matrices for samples."""
    x = np.random.default_rng(3).uniform(-1, 1, shape)
    return (x + 2.0 * np.eye(shape[-2], shape[-1])).astype(np.float32)


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).uniform(-1, 1, shape).astype(np.float32)


def solved(matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.solve(matrix, rhs)
    except np.linalg.LinAlgError:
        raise ValueError(SINGULAR) from None


def infer_solution(op: Host, matrix: Spec, rhs: Spec) -> Spec:
    check_numbers(op, matrix=matrix, rhs=rhs)
    check_square("matrix", matrix)
    check_matrix("rhs", rhs)
    batch = same_batch(matrix, rhs, "'matrix' and 'rhs'")
    if batch is None:
        return Spec(rhs.dtype, rhs.shape)
    assert matrix.shape is not None and rhs.shape is not None
    require_equal(matrix.shape[-2], rhs.shape[-2], f"'matrix' and 'rhs' must have as many rows, but their shapes are "
                                                   f"{text(matrix.shape)} and {text(rhs.shape)}")
    return Spec(rhs.dtype, (*batch, *rhs.shape[-2:]))


_SOLVED = [Sample({"adjoint": a}, (regular(*m).astype(d), numbers(*r).astype(d))) for a, m, r, d in (
    (False, (4, 4), (4, 3), np.float32), (True, (4, 4), (4, 1), np.float64), (False, (2, 3, 3), (2, 3, 2), np.float64),
    (True, (2, 3, 3), (2, 3, 2), np.float32), (False, (1, 1), (1, 1), np.float32), (False, (0, 0), (0, 2), np.float32),
    (False, (0, 3, 3), (0, 3, 2), np.float32), (False, (3, 3), (3, 0), np.float32))]


@register
class MatrixSolve(ByKernel):
    """x with matrix @ x = rhs, or with the adjoint of the matrix."""

    operands = ("matrix", "rhs")
    results = ("output",)
    types: ClassVar = {"T": "matrix"}
    adjoint: bool = attr("bool", False)
    samples: ClassVar = _SOLVED

    def infer(self, matrix: Spec, rhs: Spec) -> Spec:
        return infer_solution(self, matrix, rhs)

    def compute(self, matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray:
        return solved(adjoint_of(matrix) if self.adjoint else matrix, rhs)

    def lower_real(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        solve_factored(b, *inputs, outputs[0], self.adjoint)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        matrix, x = node.inputs[0], node.outputs[0]
        by_rhs = g.matrix_solve(matrix, dy, adjoint=not self.adjoint)
        left, right = (x, by_rhs) if self.adjoint else (by_rhs, x)
        return [g.neg(product(g, left, right, adjoint_b=True)), by_rhs]


@register
class MatrixTriangularSolve(ByKernel):
    """x with matrix @ x = rhs (or with the adjoint), of a matrix of which only one triangle is read."""

    operands = ("matrix", "rhs")
    results = ("output",)
    types: ClassVar = {"T": "matrix"}
    is_lower: bool = attr("bool", True, name="lower")
    adjoint: bool = attr("bool", False)
    samples: ClassVar = [Sample({**s.attributes, "is_lower": low}, s.inputs) for s in _SOLVED
                                 for low in (True, False)] + [
        # One matrix of a batch: the matrix of tests rolls rows of given arrays, and solutions of that would overflow.
        Sample({"is_lower": True}, (regular(1, n, n) + 20 * np.eye(n, dtype=np.float32), numbers(1, n, 2)),
               gradient=False)
        for n in (2 * BLOCK + 1,)]

    def infer(self, matrix: Spec, rhs: Spec) -> Spec:
        return infer_solution(self, matrix, rhs)

    def compute(self, matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray:
        triangle = np.tril(matrix) if self.is_lower else np.triu(matrix)
        if self.adjoint:
            triangle = adjoint_of(triangle)
        if not np.diagonal(triangle, axis1=-2, axis2=-1).all():
            raise ValueError(SINGULAR)
        return substituted(triangle, rhs, self.is_lower != self.adjoint)

    def lower_real(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        matrix, rhs = inputs
        rows, columns = rhs.shape[-2:]
        b.call("triangular_solve", [matrix, rhs, outputs[0]], dims=[batch_of(matrix), rows, columns, rows * columns],
               attrs=[int(self.is_lower), int(self.adjoint)])

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        matrix, x = node.inputs[0], node.outputs[0]
        by_rhs = g.matrix_triangular_solve(matrix, dy, is_lower=self.is_lower, adjoint=not self.adjoint)
        left, right = (x, by_rhs) if self.adjoint else (by_rhs, x)
        full = g.neg(product(g, left, right, adjoint_b=True))
        return [g.band(full, below=-1, above=0) if self.is_lower else g.band(full, below=0, above=-1), by_rhs]


def substituted(triangle: np.ndarray, rhs: np.ndarray, lower: bool) -> np.ndarray:
    """Substitution, a block of rows at a time: those known already are subtracted by a product."""
    x, starts = np.empty_like(rhs), list(range(0, triangle.shape[-1], BLOCK))
    for start in starts if lower else reversed(starts):
        rows = slice(start, start + BLOCK)
        known = slice(0, start) if lower else slice(start + BLOCK, None)
        rest = rhs[..., rows, :] - triangle[..., rows, known] @ x[..., known, :]
        x[..., rows, :] = solved(triangle[..., rows, rows], rest)
    return x


@register
class MatrixInverse(ByKernel):
    """The inverse of each matrix, or its adjoint."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    adjoint: bool = attr("bool", False)
    samples: ClassVar = [Sample({"adjoint": a}, (regular(*s).astype(d),)) for a, s, d in (
        (False, (4, 4), np.float32), (True, (3, 3), np.float64), (False, (2, 3, 3), np.float64),
        (True, (2, 2, 2, 2), np.float32), (False, (1, 1), np.float32), (False, (0, 0), np.float32),
        (False, (0, 3, 3), np.float32))]

    def infer(self, x: Spec) -> Spec:
        check_numbers(self, input=x)
        check_square("input", x)
        return Spec(x.dtype, x.shape)

    def compute(self, x: np.ndarray) -> np.ndarray:
        try:
            return np.linalg.inv(adjoint_of(x) if self.adjoint else x)
        except np.linalg.LinAlgError:
            raise ValueError(SINGULAR) from None

    def lower_real(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        x = inputs[0]
        one = b.temporary(x.dtype, x.shape[-2:])
        b.map(lambda s: s.cast(s("equal", s.index(0), s.index(1)), x.dtype), [], [one])
        solve_factored(b, x, one, outputs[0], self.adjoint)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        inverse = node.outputs[0]
        if self.adjoint:           # d(A^-H) = -A^-H dA^H A^-H
            return [g.neg(product(g, product(g, inverse, dy, adjoint_b=True), inverse))]
        return [g.neg(product(g, inverse, product(g, dy, inverse, adjoint_b=True), adjoint_a=True))]
