"""Running sums and products along one axis."""
from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float64, int32, int64
from graphc.ir.op import Op, Permuted, Sample, attr, normalise_axis, operand_field, register
from graphc.ir.spec import Spec
from graphc.ops.build import apply
from graphc.ops.elementwise import check_kind

_CASES = [Sample({"axis": axis, "exclusive": exclusive, "reverse": reverse}, (shape,), low=0.5, high=1.5)
          for exclusive in (False, True) for reverse in (False, True)
          for shape, axis in (((17,), 0), ((2, 3, 5), 1), ((2, 3, 5), -1), ((0, 3), 1))] + [
          Sample({"axis": 1}, ((3, 7),), (d,), gradient=d is float64, low=1, high=3)
          for d in (float64, int32, int64)] + [
          Sample({"axis": 1, "exclusive": exclusive, "reverse": reverse},
                 (np.array([[2, 0, 3, -1], [0, 0.5, 2, 3], [1, 3, 2, 0]], np.float32),))
          for exclusive in (False, True) for reverse in (False, True)]


class _Scan(Op):
    operands = ("x", "axis")
    results = ("out",)
    types = {"T": "x", "Tidx": "axis"}
    kernel: ClassVar[str]
    function: ClassVar[Any]
    neutral: ClassVar[int]
    samples = _CASES

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "wide")
        if inputs[0].shape is not None:
            normalise_axis(self.axis, len(inputs[0].shape))
        return Spec(inputs[0].dtype, inputs[0].shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = np.flip(inputs[0], self.axis) if self.reverse else inputs[0]
        result = type(self).function(x, axis=self.axis, dtype=x.dtype)
        if self.exclusive:
            result = np.roll(result, 1, axis=self.axis)
            first = [slice(None)] * x.ndim
            first[self.axis] = slice(0, 1)
            result[tuple(first)] = self.neutral
        return np.ascontiguousarray(np.flip(result, self.axis) if self.reverse else result)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        moved = dataclasses.replace(self, axis=perm.index(normalise_axis(self.axis, len(perm))))
        return Permuted(moved, (perm,), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x = inputs[0]
        axis = normalise_axis(self.axis, x.rank)
        b.call(self.kernel, [x, outputs[0]],
               dims=[dims.product(x.shape[:axis]), x.shape[axis], dims.product(x.shape[axis + 1:])],
               attrs=[int(self.exclusive), int(self.reverse)])


@register
class Cumsum(_Scan):
    """The sums of the elements up to each one; exclusive: without it; reverse: from the end."""

    kernel = "cumsum"
    function = np.cumsum
    neutral = 0
    axis: int = operand_field("int")
    exclusive: bool = attr("bool", False)
    reverse: bool = attr("bool", False)

    def grad(self, node, dy):
        return [cumsum(dy, self.axis, exclusive=self.exclusive, reverse=not self.reverse), None]


@register
class Cumprod(_Scan):
    """The products of the elements up to each one; exclusive: without it; reverse: from the end."""

    kernel = "cumprod"
    function = np.cumprod
    neutral = 1
    axis: int = operand_field("int")
    exclusive: bool = attr("bool", False)
    reverse: bool = attr("bool", False)

    def grad(self, node, dy):
        """Products with an element, summed and divided by it. The first 0 counts as 1 for its own derivative; behind it
        only products that hold it are left, which are 0."""
        from graphc.ops.cast import cast
        from graphc.ops.comparison import equal, logical_and
        from graphc.ops.fill import ones_like, zeros_like
        from graphc.ops.gather import where

        x = node.inputs[0]
        zero, one = equal(x, 0), ones_like(x)
        earlier = cumsum(cast(zero, x.dtype), self.axis, exclusive=True, reverse=self.reverse)
        first = logical_and(zero, equal(earlier, 0))

        def summed(products):
            return cumsum(products * dy, self.axis, exclusive=self.exclusive, reverse=not self.reverse)

        others = summed(cumprod(where(first, one, x), self.axis, self.exclusive, self.reverse))
        usual = summed(node.outputs[0]) / where(zero, one, x)
        return [where(first, others, where(zero, zeros_like(x), usual)), None]


def cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    """The running sum along `axis`. exclusive: each element is left out of its own sum. As `tf.cumsum`."""
    return apply(Cumsum, x, axis, exclusive=bool(exclusive), reverse=bool(reverse), name=name)


def cumprod(x, axis=0, exclusive=False, reverse=False, name=None):
    """The running product along `axis`. As `tf.cumprod`."""
    return apply(Cumprod, x, axis, exclusive=bool(exclusive), reverse=bool(reverse), name=name)
