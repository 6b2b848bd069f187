"""MatrixSolveLs: solutions that are best in the sense of least squares."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import float64
from graphc.ir.elementwise import check_rank
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.linalg.matrices import adjoint, adjoint_of, check_matrix, check_numbers, product, same_batch
from graphc.ops.linalg.solve import numbers, regular, substituted

_L2 = {True: np.float64(0.5), False: np.float64(0.0)}


@register
class MatrixSolveLs(Host):
    """x with the least |matrix @ x - rhs|^2 + l2_regularizer * |x|^2; of several the shortest.

    fast: the matrix has full rank; its gradient exists. Otherwise l2_regularizer is ignored, as by TF.
    """

    operands = ("matrix", "rhs", "l2_regularizer")
    results = ("output",)
    types: ClassVar = {"T": "matrix"}
    fast: bool = attr("bool", True)
    samples: ClassVar = [
        Sample({"fast": f}, (regular(*m).astype(d), numbers(*r).astype(d), _L2[l2]), gradient=f and n > 0)
        for f, m, r, d, l2, n in (
            (True, (5, 3), (5, 2), np.float32, False, 1), (True, (5, 3), (5, 2), np.float64, True, 1),
            (True, (3, 5), (3, 2), np.float32, False, 1), (True, (2, 3, 5), (2, 3, 1), np.float64, True, 1),
            (True, (4, 4), (4, 2), np.float32, False, 1), (False, (5, 3), (5, 2), np.float32, False, 1),
            (False, (2, 3, 5), (2, 3, 2), np.float64, True, 1), (True, (0, 3), (0, 2), np.float32, True, 0),
            (True, (3, 0), (3, 2), np.float32, False, 0), (True, (0, 4, 3), (0, 4, 2), np.float32, False, 0),
            (False, (0, 3), (0, 2), np.float32, False, 0))]

    def infer(self, matrix: Spec, rhs: Spec, l2_regularizer: Spec) -> Spec:
        check_numbers(self, matrix=matrix, rhs=rhs)
        if l2_regularizer.dtype != float64:
            raise TypeError(f"argument 'l2_regularizer' must be float64, but has dtype {l2_regularizer.dtype.name}; "
                            "cast it (gc.cast)")
        check_rank("l2_regularizer", l2_regularizer, 0)
        check_matrix("matrix", matrix)
        check_matrix("rhs", rhs)
        batch = same_batch(matrix, rhs, "'matrix' and 'rhs'")
        if batch is None:
            return Spec(rhs.dtype, None)
        assert matrix.shape is not None and rhs.shape is not None
        require_equal(matrix.shape[-2], rhs.shape[-2], "'matrix' and 'rhs' must have as many rows, but their shapes "
                                                       f"are {text(matrix.shape)} and {text(rhs.shape)}")
        return Spec(rhs.dtype, (*batch, matrix.shape[-1], rhs.shape[-1]))

    def compute(self, matrix: np.ndarray, rhs: np.ndarray, l2_regularizer: np.ndarray) -> np.ndarray:
        if l2_regularizer < 0:
            raise ValueError(f"l2_regularizer must be >= 0, but is {float(l2_regularizer)}.")
        *batch, _, columns = matrix.shape
        if 0 in matrix.shape or 0 in rhs.shape:
            return np.zeros((*batch, columns, rhs.shape[-1]), rhs.dtype)
        if not self.fast:
            return _shortest(matrix, rhs)
        if l2_regularizer > 0:                       # the same as without it, of matrix and rhs with rows below
            root = np.sqrt(l2_regularizer).astype(matrix.dtype)
            more = np.broadcast_to(root * np.eye(columns, dtype=matrix.dtype), (*batch, columns, columns))
            matrix = np.concatenate([matrix, more], -2)
            rhs = np.concatenate([rhs, np.zeros((*batch, columns, rhs.shape[-1]), rhs.dtype)], -2)
        if matrix.shape[-2] >= columns:
            q, r = _full_rank(matrix)
            return substituted(r, adjoint_of(q) @ rhs, False)
        q, r = _full_rank(adjoint_of(matrix))
        return q @ substituted(adjoint_of(r), rhs, True)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        if not self.fast:
            raise ValueError("Gradient not defined for fast=False")
        shape = node.inputs[0].spec.shape
        if shape is not None and all(isinstance(n, int) for n in shape[-2:]):
            tall = bool(shape[-2] >= shape[-1])  # type: ignore[operator]
        elif shape is not None and dims.same(shape[-2], shape[-1]):
            tall = True
        else:
            sizes = g.shape(node.inputs[0])
            return [*g.cond(g.greater_equal(sizes[-2], sizes[-1]), lambda: _tall(g, node, dy),
                            lambda: _wide(g, node, dy)), None]
        return [*(_tall if tall else _wide)(g, node, dy), None]


def _full_rank(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    q, r = np.linalg.qr(matrix)
    diagonal = np.abs(np.diagonal(r, axis1=-2, axis2=-1))
    least = np.finfo(matrix.dtype).eps * max(matrix.shape[-2:]) * diagonal.max(-1)
    if not (diagonal.min(-1) > least).all() and np.isfinite(diagonal).all():
        raise ValueError("Input matrix was rank deficient or ill-conditioned. Try setting fast=False or provide a "
                         "larger l2_regularizer > 0.")
    return q, r


def _shortest(matrix: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    result = np.empty((*matrix.shape[:-2], matrix.shape[-1], rhs.shape[-1]), rhs.dtype)
    for index in np.ndindex(matrix.shape[:-2]):
        result[index] = np.linalg.lstsq(matrix[index], rhs[index], rcond=None)[0]
    return result


def _gramian(g: GradientBuilder, node: Operation, tall: bool) -> Any:
    """The Cholesky factor of A^H A + l2 I (or A A^H + l2 I)."""
    matrix = node.inputs[0]
    square = product(g, matrix, matrix, adjoint_a=tall, adjoint_b=not tall)
    ones = g.ones_like(g.sum(matrix, [-2 if tall else -1]))
    return g.cholesky(g.add(square, g.mul(g.diagonal(ones), g.cast(node.inputs[2], matrix.dtype))))


def _solved(g: GradientBuilder, factor: Any, rhs: Any) -> Any:
    half = g.matrix_triangular_solve(factor, rhs, is_lower=True, adjoint=False)
    return g.matrix_triangular_solve(factor, half, is_lower=True, adjoint=True)


def _tall(g: GradientBuilder, node: Operation, dy: Any) -> list[Any]:
    (matrix, rhs, _), x = node.inputs, node.outputs[0]
    z = _solved(g, _gramian(g, node, True), dy)
    both = product(g, x, z, adjoint_b=True)
    by_matrix = g.sub(product(g, rhs, z, adjoint_b=True), product(g, matrix, g.add(both, adjoint(g, both))))
    return [by_matrix, product(g, matrix, z)]


def _wide(g: GradientBuilder, node: Operation, dy: Any) -> list[Any]:
    matrix, rhs, _ = node.inputs
    factor = _gramian(g, node, False)
    by_rhs = _solved(g, factor, product(g, matrix, dy))
    inner = _solved(g, factor, rhs)
    left = product(g, by_rhs, product(g, inner, matrix, adjoint_a=True))
    right = product(g, inner, g.sub(dy, product(g, matrix, by_rhs, adjoint_a=True)), adjoint_b=True)
    return [g.sub(right, left), by_rhs]
