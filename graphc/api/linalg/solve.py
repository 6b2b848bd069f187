"""Systems of linear equations, inverses and determinants: by kernels of real numbers, of complex ones by NumPy, in
Python only."""
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
    """x with matrix @ x = rhs, for each matrix: [..., n, k].

    matrix: float32, float64 or complex [..., n, n]; rhs: [..., n, k] of the same front axes: a vector needs an axis
    after it. adjoint: of the conjugated transpose. A singular matrix ends the run with InvalidArgumentError. Raises
    TypeError for other or different dtypes, ValueError for shapes that are known not to fit. As `tf.matrix_solve`.

    >>> gc.matrix_solve([[2., 1.], [1., 3.]], [[5.], [10.]]).eval()
    array([[1.],
           [3.]], dtype=float32)
    """
    made: Tensor = apply(MatrixSolve, matrix, rhs, adjoint=bool(adjoint), name=name)
    return made


@public("matrix_triangular_solve", "linalg.triangular_solve")
def matrix_triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False,
                            name: str | None = None) -> Tensor:
    """x with matrix @ x = rhs, where only the lower (or upper) triangle of each matrix is read: [..., n, k].

    Arguments, dtypes and errors as of `gc.matrix_solve`; lower: which triangle. A 0 on the diagonal ends the run with
    InvalidArgumentError. As `tf.matrix_triangular_solve`.

    >>> gc.matrix_triangular_solve([[2., 9.], [1., 4.]], [[4.], [10.]]).eval()
    array([[2.],
           [2.]], dtype=float32)
    """
    made: Tensor = apply(MatrixTriangularSolve, matrix, rhs, is_lower=bool(lower), adjoint=bool(adjoint), name=name)
    return made


@public("matrix_solve_ls", "linalg.lstsq")
def matrix_solve_ls(matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True,
                    name: str | None = None) -> Tensor:
    """The x of least squares, which minimises |matrix @ x - rhs| ** 2 + l2_regularizer * |x| ** 2: [..., n, k].

    matrix: float32, float64 or complex [..., m, n]; rhs: [..., m, k], of the same dtype; l2_regularizer: a number or a
    float64 scalar. fast: by the normal equations and Cholesky, else by a complete orthogonal decomposition, which takes
    any rank, leaves the regularizer out, and has no gradient. Of less than full rank fast ends the run with
    InvalidArgumentError. Raises TypeError for other dtypes, ValueError for shapes that are known not to fit. As
    `tf.matrix_solve_ls`.

    >>> x = gc.constant([[1., 0.], [1., 1.], [1., 2.]])
    >>> gc.matrix_solve_ls(x, [[1.], [3.], [5.]]).eval()          # the line 1 + 2 t
    array([[1.],
           [2.]], dtype=float32)
    """
    if not is_tensor_like(matrix):       # or both would take the dtype of the regularizer
        matrix = convert_to_tensor(matrix, rhs.dtype if is_tensor_like(rhs) else None, name="matrix")
    if not is_tensor_like(rhs):
        rhs = convert_to_tensor(rhs, convert_to_tensor(matrix).dtype, name="rhs")
    if not is_tensor_like(l2_regularizer):
        l2_regularizer = np.float64(l2_regularizer)
    made: Tensor = apply(MatrixSolveLs, matrix, rhs, convert_to_tensor(l2_regularizer, float64), fast=bool(fast),
                         name=name)
    return made


@public("matrix_inverse", "linalg.inv")
def matrix_inverse(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """The inverse of each matrix: [..., n, n].

    input: float32, float64 or complex; adjoint: of the conjugated transpose. A singular matrix ends the run with
    InvalidArgumentError. To solve equations, `gc.matrix_solve` is quicker and more exact. Raises TypeError for other
    dtypes, ValueError for shapes that are known not to be square. As `tf.matrix_inverse`.

    >>> gc.matrix_inverse([[2., 1.], [1., 1.]]).eval()
    array([[ 1., -1.],
           [-1.,  2.]], dtype=float32)
    """
    made: Tensor = apply(MatrixInverse, input, adjoint=bool(adjoint), name=name)
    return made


@public("matrix_determinant", "linalg.det")
def matrix_determinant(input: Any, name: str | None = None) -> Tensor:
    """The determinant of each matrix: [..., n, n] gives [...].

    input: float32, float64 or complex. For its logarithm, which does not overflow, see `gc.linalg.slogdet`. Raises
    TypeError for other dtypes, ValueError for shapes that are known not to be square. As `tf.matrix_determinant`.

    >>> gc.matrix_determinant([[1., 2.], [3., 4.]]).eval().round(4)
    np.float32(-2.0)
    """
    made: Tensor = apply(MatrixDeterminant, input, name=name)
    return made


class LogDeterminant(NamedTuple):
    sign: Tensor
    log_abs_determinant: Tensor


@public("linalg.slogdet")
def slogdet(input: Any, name: str | None = None) -> Any:
    """(sign, log_abs_determinant) of each matrix, so that det = sign * exp(log_abs_determinant); [..., n, n] gives
    [...].

    input: float32, float64 or complex, which both results are, too. Of a singular matrix (0, -inf). Raises TypeError
    for other dtypes, ValueError for shapes that are known not to be square. As `tf.linalg.slogdet`.

    >>> sign, log = gc.linalg.slogdet([[1., 2.], [3., 2.]])
    >>> sign.eval(), gc.exp(log).eval().round(4)
    (np.float32(-1.0), np.float32(4.0))
    """
    return LogDeterminant(*apply(LogMatrixDeterminant, input, name=name))


@public("linalg.logdet")
def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """The logarithm of the determinant of symmetric positive definite matrices, by Cholesky: [..., n, n] gives [...].

    matrix: float32, float64 or complex. Raises TypeError for other dtypes, ValueError for shapes that are known not to
    be square. A matrix that is not positive definite ends the run with InvalidArgumentError. As `tf.linalg.logdet`.

    >>> gc.linalg.logdet([[np.e, 0.], [0., np.e]]).eval().round(4)
    np.float32(2.0)
    """
    with get_default_graph().name_scope(name or "logdet"):
        factor = apply(Cholesky, matrix)
        return 2.0 * reduce_sum(log(real(diagonal_part(factor))), [-1])


@public("cholesky_solve", "linalg.cholesky_solve")
def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """x with A @ x = rhs, given chol = cholesky(A): [..., n, k].

    chol: [..., n, n], of which the lower triangle is read; rhs: [..., n, k]. Both are float32, float64 or complex, of
    one dtype. Raises TypeError for other or different dtypes, ValueError for shapes that are known not to fit. As
    `tf.cholesky_solve`.

    >>> chol = gc.cholesky([[4., 2.], [2., 5.]])
    >>> gc.cholesky_solve(chol, [[8.], [12.]]).eval()
    array([[1.],
           [2.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "cholesky_solve"):
        half = matrix_triangular_solve(chol, rhs, adjoint=False, lower=True)
        return matrix_triangular_solve(chol, half, adjoint=True, lower=True)


@public("linalg.adjoint")
def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The last two axes exchanged, and complex numbers conjugated: [..., m, n] gives [..., n, m]. As
    `tf.linalg.adjoint`.

    matrix: of any dtype, which the result has. Raises ValueError for a rank below 2.

    >>> gc.linalg.adjoint(gc.constant([[1. + 2.j, 3.]], gc.complex64)).eval()
    array([[1.-2.j],
           [3.-0.j]], dtype=complex64)
    """
    matrix = convert_to_tensor(matrix, name="matrix")
    if matrix.spec.rank is not None:
        return matrix_transpose(matrix, name=name or "adjoint", conjugate=True)
    made: Tensor = conj(apply(_MatrixTranspose, matrix, name=name or "adjoint"))
    return made


def diagonal_part(x: Tensor) -> Tensor:
    """The diagonals of square matrices."""
    return reduce_sum(apply(_Band, x, below=0, above=0), [-1])
