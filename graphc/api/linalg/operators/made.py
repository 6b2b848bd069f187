"""Operators made of others: LinearOperatorAdjoint, LinearOperatorInversion and LinearOperatorComposition."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.join import concat
from graphc.api.array.shapes import broadcast_dynamic_shape
from graphc.api.linalg.operators.base import LinearOperator
from graphc.api.linalg.operators.diagonal import LinearOperatorDiag, LinearOperatorIdentity
from graphc.api.linalg.solve import adjoint as adjoint_of
from graphc.api.public import public
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape, as_shape


class _OfOne(LinearOperator):
    """What shares its hints with another operator."""

    def __init__(self, operator: LinearOperator, is_non_singular: bool | None = None,
                 is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None,
                 is_square: bool | None = None, name: str | None = None) -> None:
        self._operator = operator
        hints = {"is_non_singular": is_non_singular, "is_self_adjoint": is_self_adjoint,
                 "is_positive_definite": is_positive_definite, "is_square": is_square}
        for hint, given in hints.items():
            known = getattr(operator, hint)
            if given is not None and known is not None and given != known:
                raise ValueError(f"{hint} is {given}, but that of the operator is {known}")
            hints[hint] = known if given is None else given
        super().__init__(operator.dtype, operator.graph_parents, **hints,
                         name=name or f"{operator.name}_{type(self).__name__.removeprefix('LinearOperator').lower()}")

    @property
    def operator(self) -> LinearOperator:
        """The operator it is made of."""
        return self._operator


@public("linalg.LinearOperatorAdjoint")
class LinearOperatorAdjoint(_OfOne):
    """The operator of the transposed matrix, by the methods of the one it is made of.

    operator: a LinearOperator [..., m, n], whose dtype the result [..., n, m] has. Raises ValueError for hints that
    contradict those of operator. As `tf.linalg.LinearOperatorAdjoint`.

    >>> operator = gc.linalg.LinearOperatorFullMatrix([[1., 2.], [3., 4.]])
    >>> gc.linalg.LinearOperatorAdjoint(operator).to_dense().eval()
    array([[1., 3.],
           [2., 4.]], dtype=float32)
    """

    def _shape(self) -> TensorShape:
        known = self.operator.shape
        return known if known.ndims is None else known[:-2].concatenate(known[-1:]).concatenate(known[-2:-1])

    def _shape_tensor(self) -> Tensor:
        sizes = self.operator.shape_tensor()
        return concat([sizes[:-2], sizes[-1:], sizes[-2:-1]], 0)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self.operator._matmul(x, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self.operator._solve(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _to_dense(self) -> Tensor:
        return adjoint_of(self.operator._to_dense())

    def _determinant(self) -> Tensor:
        return self.operator._determinant()

    def _log_abs_determinant(self) -> Tensor:
        return self.operator._log_abs_determinant()

    def _adjoint(self) -> Any:
        return self.operator


@public("linalg.LinearOperatorInversion")
class LinearOperatorInversion(_OfOne):
    """The operator of the inverse matrix: its matmul solves by the one it is made of.

    operator: a LinearOperator [..., n, n], whose shape and dtype the result has. Raises ValueError if it is hinted to
    be singular. As `tf.linalg.LinearOperatorInversion`.

    >>> operator = gc.linalg.LinearOperatorDiag([2., 5.], is_non_singular=True)
    >>> gc.linalg.LinearOperatorInversion(operator).matvec([1., 1.]).eval()
    array([0.5, 0.2], dtype=float32)
    """

    def __init__(self, operator: LinearOperator, is_non_singular: bool | None = None, *hints: Any, **more: Any) -> None:
        if is_non_singular is False or operator.is_non_singular is False:
            raise ValueError("Inversion is only for non-singular operators, but is_non_singular is False")
        super().__init__(operator, is_non_singular, *hints, **more)

    def _shape(self) -> TensorShape:
        return self.operator.shape

    def _shape_tensor(self) -> Tensor:
        return self.operator.shape_tensor()

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self.operator._solve(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self.operator._matmul(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _determinant(self) -> Tensor:
        return 1.0 / self.operator._determinant()

    def _log_abs_determinant(self) -> Tensor:
        return -1.0 * self.operator._log_abs_determinant()

    def _inverse(self) -> Any:
        return self.operator


@public("linalg.LinearOperatorComposition")
class LinearOperatorComposition(LinearOperator):
    """The product of operators, the first one on the left; the products are never made.

    operators: a non-empty list of one dtype (TypeError) whose sizes fit (ValueError). It is non-singular if all are.
    [..., m, n] times [..., n, k] is [..., m, k]. As `tf.linalg.LinearOperatorComposition`.

    >>> scale, turn = gc.linalg.LinearOperatorDiag([2., 5.]), gc.linalg.LinearOperatorFullMatrix([[0., 1.], [1., 0.]])
    >>> gc.linalg.LinearOperatorComposition([scale, turn]).matvec([1., 10.]).eval()
    array([20.,  5.], dtype=float32)
    """

    def __init__(self, operators: Sequence[LinearOperator], is_non_singular: bool | None = None,
                 is_self_adjoint: bool | None = None, is_positive_definite: bool | None = None,
                 is_square: bool | None = None, name: str | None = None) -> None:
        self._operators = list(operators)
        if not self._operators:
            raise ValueError("Expected a non-empty list of operators. Found: []")
        for left, right in zip(self._operators[:-1], self._operators[1:], strict=True):
            if left.dtype != right.dtype:
                raise TypeError(f"Expected all operators to have the same dtype, but {left.name} has {left.dtype.name} "
                                f"and {right.name} {right.dtype.name}")
            if not left.domain_dimension.is_compatible_with(right.range_dimension):
                raise ValueError(f"Operators are incompatible: {left.name} of shape {left.shape} and {right.name} of "
                                 f"shape {right.shape}")
        if all(operator.is_non_singular for operator in self._operators):
            if is_non_singular is False:
                raise ValueError("The composition of non-singular operators is always non-singular.")
            is_non_singular = True
        parents = [p for operator in self._operators for p in operator.graph_parents]
        super().__init__(self._operators[0].dtype, parents, is_non_singular, is_self_adjoint, is_positive_definite,
                         is_square, name or "_o_".join(operator.name for operator in self._operators))

    @property
    def operators(self) -> list[LinearOperator]:
        """The operators, the leftmost first."""
        return list(self._operators)

    def _shape(self) -> TensorShape:
        first, last = self._operators[0], self._operators[-1]
        batch: Any = first.batch_shape
        for operator in self._operators[1:]:
            if batch.is_fully_defined() and operator.batch_shape.is_fully_defined():
                batch = as_shape(_broadcast(batch.as_list(), operator.batch_shape.as_list()))
            else:
                batch = as_shape(None)
        return batch.concatenate(as_shape([first.range_dimension.value, last.domain_dimension.value]))

    def _shape_tensor(self) -> Tensor:
        batch = self._operators[0].batch_shape_tensor()
        for operator in self._operators[1:]:
            batch = broadcast_dynamic_shape(batch, operator.batch_shape_tensor())
        ends = [self._operators[0].range_dimension_tensor(), self._operators[-1].domain_dimension_tensor()]
        return concat([batch, ends], 0)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        order = self._operators if adjoint else self._operators[::-1]
        for operator in order:
            x = operator._matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)
            adjoint_arg = False
        return x

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        order = self._operators[::-1] if adjoint else self._operators
        for operator in order:
            rhs = operator._solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)
            adjoint_arg = False
        return rhs

    def _determinant(self) -> Tensor:
        made = self._operators[0].determinant()
        for operator in self._operators[1:]:
            made = made * operator.determinant()
        return made

    def _log_abs_determinant(self) -> Tensor:
        made = self._operators[0].log_abs_determinant()
        for operator in self._operators[1:]:
            made = made + operator.log_abs_determinant()
        return made


def _broadcast(a: list[int], b: list[int]) -> list[int]:
    length = max(len(a), len(b))
    pairs = zip([1] * (length - len(a)) + a, [1] * (length - len(b)) + b, strict=True)
    return [m if n == 1 else n for m, n in pairs]


def product(left: LinearOperator, right: LinearOperator) -> LinearOperator:
    """left @ right."""
    if isinstance(left, LinearOperatorIdentity) and left._batch is None:
        return right
    if isinstance(right, LinearOperatorIdentity) and right._batch is None:
        return left
    if isinstance(left, LinearOperatorDiag) and isinstance(right, LinearOperatorDiag):
        both = bool(left.is_non_singular and right.is_non_singular)
        positive = bool(left.is_positive_definite and right.is_positive_definite)
        return LinearOperatorDiag(left.diag * right.diag, both or None, True, positive or None, True)
    return LinearOperatorComposition([left, right])
