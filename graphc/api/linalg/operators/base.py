"""LinearOperator: a matrix, or a batch of them, by what it does to vectors. As `tf.linalg.LinearOperator`.

Subclasses give `_shape`, `_shape_tensor` and `_matmul`, and what they know better of `_solve`, `_to_dense` and the
others, which stand here by dense matrices.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.diagonal import eye, matrix_diag_part
from graphc.api.array.shapes import expand_dims, shape, squeeze
from graphc.api.array.source import constant
from graphc.api.control.asserts import assert_equal, assert_less, assert_positive
from graphc.api.linalg.decompose import cholesky, svd
from graphc.api.linalg.operators.broadcast import with_one_batch
from graphc.api.linalg.solve import adjoint as adjoint_of
from graphc.api.linalg.solve import cholesky_solve, matrix_determinant, matrix_solve, slogdet
from graphc.api.math.binary import maximum
from graphc.api.math.reduce import reduce_max, reduce_min, reduce_sum
from graphc.api.math.unary import exp, log
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import DType, as_dtype, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.late_imports import load
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import Dimension, TensorShape

_HERE = "graphc.api.linalg.operators"


@public("linalg.LinearOperator")
class LinearOperator:
    """A [batch..., rows, columns] matrix by what it does to vectors: subclasses know how without making it.

    The hints is_non_singular, is_self_adjoint, is_positive_definite and is_square say what is known of it, None:
    nothing; they are not checked (`assert_*` do), choose the method of `solve`, and raise ValueError where they
    contradict each other. A subclass of one's own gives `_shape`, `_shape_tensor` and `_matmul`; the rest is then
    computed by the dense matrix. dtype: float32 or float64. As `tf.linalg.LinearOperator`.

    >>> hints = {"is_self_adjoint": True, "is_positive_definite": True}
    >>> operator = gc.linalg.LinearOperatorFullMatrix([[2., 1.], [1., 3.]], **hints)
    >>> operator.matvec([1., 10.]).eval()
    array([12., 31.], dtype=float32)
    >>> operator.solvevec([12., 31.]).eval().round(4)
    array([ 1., 10.], dtype=float32)
    >>> operator.shape.as_list(), bool(operator.is_square)
    ([2, 2], True)
    """

    def __init__(self, dtype: Any, graph_parents: Any = None, is_non_singular: bool | None = None,
                 is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None,
                 is_square: bool | None = None, name: str | None = None) -> None:
        if is_positive_definite:
            is_non_singular = _implied(is_non_singular, "A positive definite matrix is always non-singular.")
        if is_non_singular:
            is_square = _implied(is_square, "A non-singular matrix is always square.")
        if is_self_adjoint:
            is_square = _implied(is_square, "A self-adjoint matrix is always square.")
        self._dtype = as_dtype(dtype)
        self._graph_parents = list(graph_parents or [])
        self._is_non_singular, self._is_self_adjoint = is_non_singular, is_self_adjoint
        self._is_positive_definite, self._is_square = is_positive_definite, is_square
        self._name = name or type(self).__name__

    # What it is

    @property
    def dtype(self) -> DType:
        """That of the matrix, float32 or float64."""
        return self._dtype

    @property
    def name(self) -> str:
        """What its ops' scopes begin with."""
        return self._name

    @property
    def graph_parents(self) -> list[Any]:
        """The tensors of which it is made."""
        return list(self._graph_parents)

    @property
    def is_non_singular(self) -> bool | None:
        """The hint: whether it can be inverted."""
        return self._is_non_singular

    @property
    def is_self_adjoint(self) -> bool | None:
        """The hint: whether it is its own transpose."""
        return self._is_self_adjoint

    @property
    def is_positive_definite(self) -> bool | None:
        """The hint: whether x @ A @ x > 0 of all x but 0."""
        return self._is_positive_definite

    @property
    def is_square(self) -> bool | None:
        """The hint, or whether the known sizes are equal.

        Raises ValueError if the hint is False, but the sizes are known to be equal.
        """
        known = self.shape[-2].value, self.shape[-1].value
        equal = known[0] == known[1] if None not in known else None
        if self._is_square is False and equal:
            raise ValueError("User set is_square hint to False, but the operator was square.")
        return self._is_square if self._is_square is not None else equal

    @property
    def shape(self) -> TensorShape:
        """[batch..., rows, columns], as far as it is known."""
        return self._shape()

    @property
    def batch_shape(self) -> TensorShape:
        """[batch...], as far as it is known."""
        return self.shape[:-2]

    @property
    def tensor_rank(self) -> int | None:
        """The number of axes, those of the batch too; None if unknown."""
        return self.shape.ndims

    @property
    def domain_dimension(self) -> Dimension:
        """The number of columns, a Dimension."""
        return self.shape[-1] if self.shape.ndims is not None else Dimension(None)

    @property
    def range_dimension(self) -> Dimension:
        """The number of rows, a Dimension."""
        return self.shape[-2] if self.shape.ndims is not None else Dimension(None)

    def shape_tensor(self, name: str = "shape_tensor") -> Tensor:
        """[batch..., rows, columns] as an int32 vector."""
        with self._scope(name):
            known = self.shape
            return constant(known.as_list(), int32) if known.is_fully_defined() else self._shape_tensor()

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """[batch...] as an int32 vector."""
        return self.shape_tensor(name)[:-2]

    def tensor_rank_tensor(self, name: str = "tensor_rank_tensor") -> Tensor:
        """The number of axes as an int32 scalar."""
        return shape(self.shape_tensor(name))[0]

    def domain_dimension_tensor(self, name: str = "domain_dimension_tensor") -> Tensor:
        """The number of columns as an int32 scalar."""
        return self.shape_tensor(name)[-1]

    def range_dimension_tensor(self, name: str = "range_dimension_tensor") -> Tensor:
        """The number of rows as an int32 scalar."""
        return self.shape_tensor(name)[-2]

    # What it does

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """The product with x, matrices [..., columns, k] (adjoint_arg: [..., k, columns]), or another operator: then an
        operator.

        adjoint: of the transposed matrix. Raises ValueError for sizes that are known not to fit.
        """
        if isinstance(x, LinearOperator):
            left, right = self.adjoint() if adjoint else self, x.adjoint() if adjoint_arg else x
            _check_sizes(left.domain_dimension, right.range_dimension)
            return load(f"{_HERE}.made").product(left, right)
        with self._scope(name):
            x = self._operand(x, adjoint, -1 if adjoint_arg else -2)
            return self._matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Tensor:
        """The product with vectors: x [..., columns] gives [..., rows].

        x: of the matrix' dtype. Raises ValueError for sizes that are known not to fit.
        """
        with self._scope(name):
            return self._matvec(self._operand(x, adjoint, -1), adjoint=adjoint)

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """x with operator @ x = rhs, matrices [..., rows, k] or another operator: then an operator.

        By Cholesky if it is hinted to be self-adjoint and positive definite. Raises NotImplementedError if it is hinted
        to be singular or not square, or its sizes are known to differ, ValueError if those of rhs do not fit.
        """
        self._refuse_unsolvable()
        if isinstance(rhs, LinearOperator):
            left, right = self.adjoint() if adjoint else self, rhs.adjoint() if adjoint_arg else rhs
            _check_sizes(left.range_dimension, right.range_dimension)
            return left.inverse().matmul(right)
        with self._scope(name):
            rhs = self._operand(rhs, not adjoint, -1 if adjoint_arg else -2)
            return self._solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Tensor:
        """x with operator @ x = rhs, vectors: rhs [..., rows] gives [..., columns].

        Dtypes and errors as of `solve`.
        """
        self._refuse_unsolvable()
        with self._scope(name):
            return self._solvevec(self._operand(rhs, not adjoint, -1), adjoint=adjoint)

    def adjoint(self, name: str = "adjoint") -> LinearOperator:
        """The operator whose matrix is this one's transpose; itself if it is hinted to be self-adjoint."""
        if self.is_self_adjoint:
            return self
        made: LinearOperator = self._adjoint()
        return made

    H = property(lambda self: self.adjoint(), doc="As `adjoint`.")

    def inverse(self, name: str = "inverse") -> LinearOperator:
        """The operator that undoes this one: its matmul is this one's solve.

        Raises NotImplementedError if it is hinted to be singular or not square, or its sizes are known to differ.
        """
        self._refuse_unsolvable()
        made: LinearOperator = self._inverse()
        return made

    def cholesky(self, name: str = "cholesky") -> LinearOperator:
        """The lower triangular operator whose product with its adjoint is this one.

        Raises ValueError unless it is hinted to be self-adjoint and positive definite.
        """
        if not self._can_use_cholesky():
            raise ValueError("Cannot take the Cholesky decomposition: Not a positive definite self adjoint matrix.")
        with self._scope(name):
            made: LinearOperator = self._cholesky()
            return made

    def determinant(self, name: str = "det") -> Tensor:
        """The determinant of each matrix: [batch...].

        Raises NotImplementedError if it is hinted not to be square, or its sizes are known to differ.
        """
        self._refuse_rectangular("Determinant")
        with self._scope(name):
            return self._determinant()

    def log_abs_determinant(self, name: str = "log_abs_det") -> Tensor:
        """The logarithm of the absolute value of each determinant: [batch...].

        Raises NotImplementedError as `determinant` does.
        """
        self._refuse_rectangular("Determinant")
        with self._scope(name):
            return self._log_abs_determinant()

    def to_dense(self, name: str = "to_dense") -> Tensor:
        """The matrix, [batch..., rows, columns]."""
        with self._scope(name):
            return self._to_dense()

    def diag_part(self, name: str = "diag_part") -> Tensor:
        """The main diagonals, [batch..., min(rows, columns)]."""
        with self._scope(name):
            return self._diag_part()

    def trace(self, name: str = "trace") -> Tensor:
        """The sum of each main diagonal: [batch...]."""
        with self._scope(name):
            return self._trace()

    def add_to_tensor(self, x: Any, name: str = "add_to_tensor") -> Tensor:
        """The matrix plus x, [batch..., rows, columns]."""
        with self._scope(name):
            return self._add_to_tensor(convert_to_tensor(x, dtype=self.dtype, name="x"))

    def assert_non_singular(self, name: str = "assert_non_singular") -> Any:
        """An operation that ends a run with InvalidArgumentError if a matrix is singular, or nearly so."""
        with self._scope(name):
            return self._assert_non_singular()

    def assert_positive_definite(self, name: str = "assert_positive_definite") -> Any:
        """An operation that ends a run with InvalidArgumentError if a matrix is not positive definite.

        Raises NotImplementedError unless it is hinted to be self-adjoint.
        """
        with self._scope(name):
            return self._assert_positive_definite()

    def assert_self_adjoint(self, name: str = "assert_self_adjoint") -> Any:
        """An operation that ends a run with InvalidArgumentError if a matrix is not its own transpose."""
        with self._scope(name):
            return self._assert_self_adjoint()

    # How, unless a subclass knows better

    def _shape(self) -> TensorShape:
        raise NotImplementedError("_shape is not implemented.")

    def _shape_tensor(self) -> Tensor:
        raise NotImplementedError("_shape_tensor is not implemented.")

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        raise NotImplementedError("_matmul is not implemented.")

    def _matvec(self, x: Tensor, adjoint: bool = False) -> Tensor:
        return squeeze(self._matmul(expand_dims(x, -1), adjoint=adjoint), [-1])

    def _solvevec(self, rhs: Tensor, adjoint: bool = False) -> Tensor:
        return squeeze(self._solve(expand_dims(rhs, -1), adjoint=adjoint), [-1])

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        rhs = adjoint_of(rhs) if adjoint_arg else rhs
        if self._can_use_cholesky():
            return cholesky_solve(*with_one_batch(cholesky(self._to_dense()), rhs))
        return matrix_solve(*with_one_batch(self._to_dense(), rhs), adjoint=adjoint)

    def _to_dense(self) -> Tensor:
        columns = self.domain_dimension.value
        batch: Any = self.batch_shape
        batch = batch.as_list() if batch.is_fully_defined() else self.batch_shape_tensor()
        return self._matmul(eye(self.domain_dimension_tensor() if columns is None else columns, batch_shape=batch,
                                dtype=self.dtype))

    def _adjoint(self) -> Any:
        return load(f"{_HERE}.made").LinearOperatorAdjoint(self)

    def _inverse(self) -> Any:
        return load(f"{_HERE}.made").LinearOperatorInversion(self)

    def _cholesky(self) -> Any:
        return load(f"{_HERE}.dense").LinearOperatorLowerTriangular(cholesky(self._to_dense()), is_non_singular=True,
                                                                    is_self_adjoint=False, is_square=True)

    def _determinant(self) -> Tensor:
        if self._can_use_cholesky():
            return exp(self._log_abs_determinant())
        return matrix_determinant(self._to_dense())

    def _log_abs_determinant(self) -> Tensor:
        if self._can_use_cholesky():
            return 2.0 * reduce_sum(log(matrix_diag_part(cholesky(self._to_dense()))), [-1])
        made: Tensor = slogdet(self._to_dense())[1]
        return made

    def _diag_part(self) -> Tensor:
        return matrix_diag_part(self._to_dense())

    def _trace(self) -> Tensor:
        return reduce_sum(self._diag_part(), -1)

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return self._to_dense() + x

    def _assert_non_singular(self) -> Any:
        if self._can_use_cholesky():
            return self._assert_positive_definite()
        values = svd(self._to_dense(), compute_uv=False)
        sizes = maximum(reduce_max(self.shape_tensor()[-2:]), 100)
        limit = 1.0 / (cast(sizes, self.dtype) * np.finfo(self.dtype.as_numpy_dtype).eps)
        return assert_less(reduce_max(values, -1) / reduce_min(values, -1), limit,
                           message="Singular matrix up to precision epsilon.")

    def _assert_positive_definite(self) -> Any:
        if not self.is_self_adjoint:
            raise NotImplementedError("assert_positive_definite is not implemented.")
        return assert_positive(matrix_diag_part(cholesky(self._to_dense())),
                               message="Matrix was not positive definite.")

    def _assert_self_adjoint(self) -> Any:
        dense = self._to_dense()
        return assert_equal(dense, adjoint_of(dense), message="Matrix was not equal to its adjoint.")

    # Shared

    def _scope(self, name: str) -> Any:
        return get_default_graph().name_scope(f"{self.name}/{name}")

    def _can_use_cholesky(self) -> bool:
        return bool(self.is_self_adjoint and self.is_positive_definite)

    def _operand(self, x: Any, adjoint: bool, axis: int) -> Tensor:
        x = convert_to_tensor(x, dtype=self.dtype, name="x")
        if x.shape.ndims is not None:
            _check_sizes(self.range_dimension if adjoint else self.domain_dimension, x.shape[axis])
        return x

    def _refuse_unsolvable(self) -> None:
        if self.is_non_singular is False:
            raise NotImplementedError("Exact solve not implemented for an operator that is expected to be singular.")
        self._refuse_rectangular("Exact solve")

    def _refuse_rectangular(self, what: str) -> None:
        if self.is_square is False:
            raise NotImplementedError(f"{what} not implemented for an operator that is expected to not be square.")


def _implied(hint: bool | None, message: str) -> bool:
    if hint is False:
        raise ValueError(message)
    return True


def _check_sizes(a: Dimension, b: Dimension) -> None:
    if not a.is_compatible_with(b):
        raise ValueError(f"Operators are incompatible. Expected `x` to have dimension {a} but got {b}.")
