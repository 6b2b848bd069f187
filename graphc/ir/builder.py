"""The builder handed to `Op.grad`: how a gradient makes the ops it is of, without importing any.

`g.mul(dy, y)` makes a Mul: any registered op by its type in snake case (`op_name`), its TF inputs in TF's order, its
attributes by name. What else gradients need is spelled out here. The one implementation is api/gradients/builder.py.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from graphc.ir.dtypes import DType
    from graphc.ir.op import Op
    from graphc.ir.tensor import Tensor


class GradientBuilder(Protocol):
    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The function that makes the op of that name. Raises AttributeError if there is none."""

    def make(self, op: type[Op], *values: Any, **fields: Any) -> Any:
        """The op of a class that is known only while running: type(self)."""

    def constant(self, value: Any, dtype: DType) -> Tensor: ...

    def cast(self, x: Tensor, dtype: DType) -> Tensor:
        """x as dtype; x itself if it has it."""

    def conj(self, x: Tensor) -> Tensor:
        """The conjugate of a complex x; x itself if it is real."""

    def zeros_like(self, x: Tensor) -> Tensor:
        """Zeros of x's shape and dtype, a constant where the shape is known; of a list: the empty list."""

    def ones_like(self, x: Tensor) -> Tensor: ...

    def scale(self, value: float, x: Tensor) -> Tensor:
        """value * x, for an x of any numeric dtype."""

    def range(self, start: Any, limit: Any, delta: Any = 1) -> Tensor:
        """Integers of the dtype of whichever argument is a tensor."""

    def sum(self, x: Tensor, axis: Any = None, keep_dims: bool = False) -> Tensor:
        """The sum along `axis`; None: along every axis."""

    def mean(self, x: Tensor, axis: Any = None, keep_dims: bool = False) -> Tensor: ...

    def sum_like(self, dy: Tensor, x: Tensor, z: Tensor | None = None) -> Tensor:
        """dy summed to the shape of x, which had been broadcast to the shape of dy.

        Nothing is built if the shapes are equal. z: a tensor of dy's shape, whose sizes compare with x's where those
        of dy cannot: in a gradient of a body, which has symbols of its own.
        """

    def indexed_slices(self, values: Tensor, indices: Tensor, dense_shape: Tensor) -> Any:
        """IndexedSlices: the gradient of a table of that shape, of which only the rows at the indices are not 0."""

    def list_like(self, x: Tensor) -> Tensor:
        """An empty list for values such as x."""

    def cond(self, pred: Tensor, then: Callable[[], Sequence[Tensor]],
             otherwise: Callable[[], Sequence[Tensor]]) -> Sequence[Tensor]:
        """The results of the function that pred chooses."""


def op_name(op_type: str) -> str:
    """The name of an op type in snake case: Conv2DBackpropInput is conv2d_backprop_input, _SumTo sum_to."""
    name = re.sub(r"(\d)D(?![a-z])", r"\1d", op_type.lstrip("_"))
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
