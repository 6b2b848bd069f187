"""Operators that hold their matrix: LinearOperatorFullMatrix and LinearOperatorLowerTriangular."""
from __future__ import annotations

from typing import Any

from graphc.api.array.diagonal import matrix_band_part, matrix_diag_part
from graphc.api.array.shapes import shape
from graphc.api.control.asserts import assert_none_equal
from graphc.api.linalg.operators.base import LinearOperator
from graphc.api.linalg.operators.broadcast import with_one_batch
from graphc.api.linalg.solve import adjoint as adjoint_of
from graphc.api.linalg.solve import matrix_triangular_solve
from graphc.api.math.matmul import matmul
from graphc.api.math.reduce import reduce_prod, reduce_sum
from graphc.api.math.unary import abs, log
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import float32, float64
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape


def matrix_of(value: Any, name: str, rank: int = 2) -> Tensor:
    """The tensor. Raises TypeError or ValueError unless it is of floating point and of that rank at least."""
    made = convert_to_tensor(value, name=name)
    if made.dtype not in (float32, float64):
        raise TypeError(f"Argument {name} must have dtype float32 or float64, but has {made.dtype.name}")
    if made.shape.ndims is not None and made.shape.ndims < rank:
        raise ValueError(f"Argument {name} must have at least {rank} dimensions. Found: {made!r}")
    return made


@public("linalg.LinearOperatorFullMatrix")
class LinearOperatorFullMatrix(LinearOperator):
    """The operator of a matrix that is given whole.

    matrix: float32 or float64 [..., rows, columns]; else TypeError or ValueError. Methods and hints as of
    `gc.linalg.LinearOperator`. As `tf.linalg.LinearOperatorFullMatrix`.

    >>> operator = gc.linalg.LinearOperatorFullMatrix([[1., 2.], [3., 4.]])
    >>> operator.matmul([[1.], [10.]]).eval()
    array([[21.],
           [43.]], dtype=float32)
    >>> operator.solve([[21.], [43.]]).eval().round(4)
    array([[ 1.],
           [10.]], dtype=float32)
    """

    def __init__(self, matrix: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
                 is_positive_definite: bool | None = None, is_square: bool | None = None,
                 name: str = "LinearOperatorFullMatrix") -> None:
        self._matrix = matrix_of(matrix, "matrix")
        super().__init__(self._matrix.dtype, [self._matrix], is_non_singular, is_self_adjoint, is_positive_definite,
                         is_square, name)

    def _shape(self) -> TensorShape:
        return self._matrix.shape

    def _shape_tensor(self) -> Tensor:
        return shape(self._matrix)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        made: Tensor = matmul(self._matrix, x, adjoint_a=adjoint, adjoint_b=adjoint_arg)
        return made

    def _to_dense(self) -> Tensor:
        return self._matrix


@public("linalg.LinearOperatorLowerTriangular")
class LinearOperatorLowerTriangular(LinearOperator):
    """The operator of a matrix' lower triangle; it solves by substitution.

    tril: float32 or float64 [..., n, n], of which what lies above the diagonal is not read. Raises TypeError for other
    dtypes, ValueError for a lower rank, or if it is hinted not to be square. As
    `tf.linalg.LinearOperatorLowerTriangular`.

    >>> operator = gc.linalg.LinearOperatorLowerTriangular([[2., 9.], [1., 4.]])
    >>> operator.solvevec([4., 10.]).eval()
    array([2., 2.], dtype=float32)
    >>> operator.determinant().eval()
    np.float32(8.0)
    """

    def __init__(self, tril: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
                 is_positive_definite: bool | None = None, is_square: bool | None = None,
                 name: str = "LinearOperatorLowerTriangular") -> None:
        if is_square is False:
            raise ValueError("Only square lower triangular operators supported at this time.")
        self._tril = matrix_band_part(matrix_of(tril, "tril"), -1, 0)
        self._diagonal = matrix_diag_part(self._tril)
        super().__init__(self._tril.dtype, [self._tril], is_non_singular, is_self_adjoint, is_positive_definite, True,
                         name)

    @property
    def tril(self) -> Tensor:
        """The lower triangular matrix."""
        return self._tril

    def _shape(self) -> TensorShape:
        return self._tril.shape

    def _shape_tensor(self) -> Tensor:
        return shape(self._tril)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        made: Tensor = matmul(self._tril, x, adjoint_a=adjoint, adjoint_b=adjoint_arg)
        return made

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        rhs = adjoint_of(rhs) if adjoint_arg else rhs
        return matrix_triangular_solve(*with_one_batch(self._tril, rhs), lower=True, adjoint=adjoint)

    def _determinant(self) -> Tensor:
        return reduce_prod(self._diagonal, [-1])

    def _log_abs_determinant(self) -> Tensor:
        return reduce_sum(log(abs(self._diagonal)), [-1])

    def _to_dense(self) -> Tensor:
        return self._tril

    def _assert_non_singular(self) -> Any:
        return assert_none_equal(self._diagonal, 0, message="Singular operator: Diagonal contained zero values.")

    def _assert_positive_definite(self) -> Any:
        raise NotImplementedError("assert_positive_definite is not implemented.")
