"""Operators of diagonal matrices: LinearOperatorDiag, LinearOperatorIdentity and LinearOperatorScaledIdentity."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.diagonal import eye, matrix_diag, matrix_diag_part, matrix_set_diag
from graphc.api.array.fill import ones, zeros
from graphc.api.array.identity import no_op
from graphc.api.array.join import concat, stack
from graphc.api.array.shapes import expand_dims, shape
from graphc.api.control.asserts import assert_none_equal, assert_positive
from graphc.api.linalg.operators.base import LinearOperator
from graphc.api.linalg.operators.dense import matrix_of
from graphc.api.linalg.solve import adjoint as adjoint_of
from graphc.api.math.binary import pow
from graphc.api.math.reduce import reduce_prod, reduce_sum
from graphc.api.math.unary import abs, log, sqrt
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import as_dtype, float32, int32
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import Dimension, TensorShape, as_shape


@public("linalg.LinearOperatorDiag")
class LinearOperatorDiag(LinearOperator):
    """The operator of a diagonal matrix, in n numbers and n multiplications.

    diag: float32 or float64 [..., n]. Raises TypeError for other dtypes, ValueError for a scalar, or if it is hinted
    not to be self-adjoint or square. As `tf.linalg.LinearOperatorDiag`.

    >>> operator = gc.linalg.LinearOperatorDiag([2., 5.])
    >>> operator.matvec([1., 10.]).eval()
    array([ 2., 50.], dtype=float32)
    >>> operator.inverse().to_dense().eval()
    array([[0.5, 0. ],
           [0. , 0.2]], dtype=float32)
    """

    def __init__(self, diag: Any, is_non_singular: bool | None = None, is_self_adjoint: bool | None = None,
                 is_positive_definite: bool | None = None, is_square: bool | None = None,
                 name: str = "LinearOperatorDiag") -> None:
        self._diag = matrix_of(diag, "diag", rank=1)
        if is_self_adjoint is False:
            raise ValueError("A real diagonal operator is always self adjoint.")
        if is_square is False:
            raise ValueError("Only square diagonal operators currently supported.")
        super().__init__(self._diag.dtype, [self._diag], is_non_singular, True, is_positive_definite, True, name)

    @property
    def diag(self) -> Tensor:
        """The diagonals, [batch..., n]."""
        return self._diag

    def _shape(self) -> TensorShape:
        known = self._diag.shape
        return known.concatenate(known[-1:]) if known.ndims is not None else known

    def _shape_tensor(self) -> Tensor:
        sizes = shape(self._diag)
        return concat([sizes, sizes[-1:]], 0)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return expand_dims(self._diag, -1) * (adjoint_of(x) if adjoint_arg else x)

    def _matvec(self, x: Tensor, adjoint: bool = False) -> Tensor:
        return self._diag * x

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return (adjoint_of(rhs) if adjoint_arg else rhs) * expand_dims(1.0 / self._diag, -1)

    def _determinant(self) -> Tensor:
        return reduce_prod(self._diag, [-1])

    def _log_abs_determinant(self) -> Tensor:
        return reduce_sum(log(abs(self._diag)), [-1])

    def _to_dense(self) -> Tensor:
        return matrix_diag(self._diag)

    def _diag_part(self) -> Tensor:
        return self._diag

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return matrix_set_diag(x, self._diag + matrix_diag_part(x))

    def _inverse(self) -> Any:
        return LinearOperatorDiag(1.0 / self._diag, self.is_non_singular, True, self.is_positive_definite, True)

    def _cholesky(self) -> Any:
        return LinearOperatorDiag(sqrt(self._diag), is_self_adjoint=True, is_positive_definite=True, is_square=True)

    def _assert_non_singular(self) -> Any:
        return assert_none_equal(self._diag, 0, message="Singular operator: Diagonal contained zero values.")

    def _assert_positive_definite(self) -> Any:
        return assert_positive(self._diag, message="Matrix was not positive definite.")

    def _assert_self_adjoint(self) -> Any:
        return no_op("assert_self_adjoint")


class _Scaled(LinearOperator):
    """What operators of multiples of the identity share: `_factor`, a number a matrix, or None: 1 for all."""

    _factor: Tensor | None
    _rows: Any
    _batch: Any

    def _shape(self) -> TensorShape:
        size = None if is_tensor_like(self._rows) else int(self._rows)
        if self._factor is not None:
            batch = self._factor.shape
        elif self._batch is None:
            batch = as_shape([])
        else:
            batch = as_shape(None) if is_tensor_like(self._batch) else as_shape(self._batch)
        return batch.concatenate(as_shape([size, size]))

    def _shape_tensor(self) -> Tensor:
        rows = stack([self._rows, self._rows])
        if self._factor is not None:
            return concat([shape(self._factor), rows], 0)
        return rows if self._batch is None else concat([convert_to_tensor(self._batch, int32), rows], 0)

    def _scaled(self, x: Tensor, inverted: bool = False) -> Tensor:
        if self._factor is not None:
            factor = self._factor[..., None, None]
            return x / factor if inverted else x * factor
        if self._batch is None:
            return x
        return x + zeros(concat([convert_to_tensor(self._batch, int32), [1, 1]], 0), self.dtype)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._scaled(adjoint_of(x) if adjoint_arg else x)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._scaled(adjoint_of(rhs) if adjoint_arg else rhs, inverted=True)

    def _size(self) -> Any:
        """The number of rows, as a number of the operator's dtype."""
        return cast(self.range_dimension_tensor(), self.dtype)

    def _ones(self) -> Tensor:
        """1 for each matrix."""
        return ones(self.batch_shape_tensor(), self.dtype)

    def _determinant(self) -> Tensor:
        return self._ones() if self._factor is None else pow(self._factor, self._size())

    def _log_abs_determinant(self) -> Tensor:
        return 0.0 * self._ones() if self._factor is None else self._size() * log(abs(self._factor))

    def _diag_part(self) -> Tensor:
        sizes = concat([self.batch_shape_tensor(), [self.range_dimension_tensor()]], 0)
        whole = ones(sizes, self.dtype)
        return whole if self._factor is None else self._factor[..., None] * whole

    def _to_dense(self) -> Tensor:
        return matrix_diag(self._diag_part())

    def _trace(self) -> Tensor:
        return self._size() * (self._ones() if self._factor is None else self._factor)

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return matrix_set_diag(x, self._diag_part() + matrix_diag_part(x))

    def _assert_non_singular(self) -> Any:
        if self._factor is None:
            return no_op("assert_non_singular")
        return assert_none_equal(self._factor, 0, message="LinearOperator was singular")

    def _assert_positive_definite(self) -> Any:
        if self._factor is None:
            return no_op("assert_positive_definite")
        return assert_positive(self._factor, message="LinearOperator was not positive definite.")

    def _assert_self_adjoint(self) -> Any:
        return no_op("assert_self_adjoint")


def _rows_of(num_rows: Any) -> Any:
    rows = int(num_rows) if isinstance(num_rows, Dimension) else num_rows
    if is_tensor_like(rows):
        return convert_to_tensor(rows)
    if int(rows) != rows or rows < 0:
        raise ValueError(f"Argument num_rows must be a non-negative integer. Found: {rows}")
    return int(rows)


@public("linalg.LinearOperatorIdentity")
class LinearOperatorIdentity(_Scaled):
    """The identity: [*batch_shape, num_rows, num_rows] with ones on the diagonal.

    num_rows: an int or an integer scalar. dtype: float32 by default. Raises ValueError for a negative num_rows and for
    hints that are not true of it; assert_proper_shapes changes nothing, shapes are always checked. As
    `tf.linalg.LinearOperatorIdentity`.

    >>> gc.linalg.LinearOperatorIdentity(2).matvec([3., 4.]).eval()
    array([3., 4.], dtype=float32)
    """

    def __init__(self, num_rows: Any, batch_shape: Any = None, dtype: Any = None, is_non_singular: bool = True,
                 is_self_adjoint: bool = True, is_positive_definite: bool = True, is_square: bool = True,
                 assert_proper_shapes: bool = False, name: str = "LinearOperatorIdentity") -> None:
        for hint, what in ((is_self_adjoint, "self adjoint"), (is_non_singular, "non-singular"),
                           (is_positive_definite, "positive-definite"), (is_square, "square")):
            if not hint:
                raise ValueError(f"An identity operator is always {what}.")
        self._rows, self._factor = _rows_of(num_rows), None
        self._batch = None if batch_shape is None else batch_shape if is_tensor_like(batch_shape) else [
            int(n) for n in batch_shape]
        super().__init__(float32 if dtype is None else as_dtype(dtype), None, True, True, True, True, name)

    def _to_dense(self) -> Tensor:
        return eye(self._rows, batch_shape=self._batch, dtype=self.dtype)

    def _inverse(self) -> Any:
        return self

    def _cholesky(self) -> Any:
        return self


@public("linalg.LinearOperatorScaledIdentity")
class LinearOperatorScaledIdentity(_Scaled):
    """multiplier, a number for each matrix of the batch, times the identity.

    num_rows: an int or an integer scalar; multiplier: float32 or float64 [batch...]. Raises TypeError for other dtypes,
    ValueError for a negative num_rows, or if it is hinted not to be self-adjoint or square. As
    `tf.linalg.LinearOperatorScaledIdentity`.

    >>> operator = gc.linalg.LinearOperatorScaledIdentity(2, multiplier=5.)
    >>> operator.solvevec([10., 20.]).eval()
    array([2., 4.], dtype=float32)
    >>> operator.determinant().eval()
    np.float32(25.0)
    """

    def __init__(self, num_rows: Any, multiplier: Any, is_non_singular: bool | None = None,
                 is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None, is_square: bool = True,
                 assert_proper_shapes: bool = False, name: str = "LinearOperatorScaledIdentity") -> None:
        if not is_square:
            raise ValueError("A ScaledIdentity operator is always square.")
        if is_self_adjoint is False:
            raise ValueError("A real scaled identity is always self adjoint.")
        self._rows, self._factor, self._batch = _rows_of(num_rows), matrix_of(multiplier, "multiplier", rank=0), None
        super().__init__(self._factor.dtype, [self._factor], is_non_singular, True, is_positive_definite, True, name)

    @property
    def multiplier(self) -> Tensor:
        """The number of each matrix, [batch...]."""
        assert self._factor is not None
        return self._factor

    def _inverse(self) -> Any:
        return LinearOperatorScaledIdentity(self._rows, 1.0 / self.multiplier, self.is_non_singular, True,
                                            self.is_positive_definite)

    def _cholesky(self) -> Any:
        return LinearOperatorScaledIdentity(self._rows, sqrt(self.multiplier), is_positive_definite=True)
