"""Systems of linear equations, inverses and determinants. Computed by NumPy: such a graph runs in Python only."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from graphc.api.array.transpose import matrix_transpose
from graphc.api.math.complex_numbers import conj, real
from graphc.api.math.reduce import reduce_sum
from graphc.api.math.unary import log
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import float64
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.linalg.cholesky import Cholesky
from graphc.ops.linalg.determinant import LogMatrixDeterminant, MatrixDeterminant
from graphc.ops.linalg.least_squares import MatrixSolveLs
from graphc.ops.linalg.matrices import _Band, _MatrixTranspose
from graphc.ops.linalg.solve import MatrixInverse, MatrixSolve, MatrixTriangularSolve


@public("matrix_solve", "linalg.solve")
def matrix_solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """x with matrix @ x = rhs, for each matrix. As `tf.matrix_solve`."""
    made: Tensor = apply(MatrixSolve, matrix, rhs, adjoint=bool(adjoint), name=name)
    return made


@public("matrix_triangular_solve", "linalg.triangular_solve")
def matrix_triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False,
                            name: str | None = None) -> Tensor:
    """x with matrix @ x = rhs, where only one triangle of each matrix is read. As `tf.matrix_triangular_solve`."""
    made: Tensor = apply(MatrixTriangularSolve, matrix, rhs, is_lower=bool(lower), adjoint=bool(adjoint), name=name)
    return made


@public("matrix_solve_ls", "linalg.lstsq")
def matrix_solve_ls(matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True,
                    name: str | None = None) -> Tensor:
    """The x of least squares, as `tf.matrix_solve_ls`. It has a gradient with fast=True only."""
    if not is_tensor_like(l2_regularizer):
        l2_regularizer = np.float64(l2_regularizer)
    made: Tensor = apply(MatrixSolveLs, matrix, rhs, convert_to_tensor(l2_regularizer, float64), fast=bool(fast),
                         name=name)
    return made


@public("matrix_inverse", "linalg.inv")
def matrix_inverse(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """The inverse of each matrix, as `tf.matrix_inverse`. matrix_solve is quicker and more exact than a product with
    it."""
    made: Tensor = apply(MatrixInverse, input, adjoint=bool(adjoint), name=name)
    return made


@public("matrix_determinant", "linalg.det")
def matrix_determinant(input: Any, name: str | None = None) -> Tensor:
    """The determinant of each matrix, as `tf.matrix_determinant`."""
    made: Tensor = apply(MatrixDeterminant, input, name=name)
    return made


class LogDeterminant(NamedTuple):
    sign: Tensor
    log_abs_determinant: Tensor


@public("linalg.slogdet")
def slogdet(input: Any, name: str | None = None) -> Any:
    """(sign, log_abs_determinant) of each matrix, as `tf.linalg.slogdet`."""
    return LogDeterminant(*apply(LogMatrixDeterminant, input, name=name))


@public("linalg.logdet")
def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """The logarithm of the determinant of symmetric positive definite matrices, as `tf.linalg.logdet`."""
    with get_default_graph().name_scope(name or "logdet"):
        factor = apply(Cholesky, matrix)
        return 2.0 * reduce_sum(log(real(diagonal_part(factor))), [-1])


@public("cholesky_solve", "linalg.cholesky_solve")
def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """x with A @ x = rhs, given chol = cholesky(A). As `tf.cholesky_solve`."""
    with get_default_graph().name_scope(name or "cholesky_solve"):
        half = matrix_triangular_solve(chol, rhs, adjoint=False, lower=True)
        return matrix_triangular_solve(chol, half, adjoint=True, lower=True)


@public("linalg.adjoint")
def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The last two axes exchanged, and complex numbers conjugated. As `tf.linalg.adjoint`."""
    matrix = convert_to_tensor(matrix, name="matrix")
    if matrix.spec.rank is not None:
        return matrix_transpose(matrix, name=name or "adjoint", conjugate=True)
    made: Tensor = conj(apply(_MatrixTranspose, matrix, name=name or "adjoint"))
    return made


def diagonal_part(x: Tensor) -> Tensor:
    """The diagonals of square matrices."""
    return reduce_sum(apply(_Band, x, below=0, above=0), [-1])
