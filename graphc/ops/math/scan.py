"""Running sums and products along one axis."""
from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float64, int32, int64
from graphc.ir.elementwise import check_kind
from graphc.ir.op import Op, Permuted, Sample, attr, normalise_axis, operand_field, register
from graphc.ir.spec import Spec

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
    kind: ClassVar[str]
    kernel: ClassVar[str]
    function: ClassVar[Any]
    neutral: ClassVar[int]
    samples = _CASES

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, self.kind)
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
        axis, kernel, operands = normalise_axis(self.axis, x.rank), self.kernel, [x, outputs[0]]
        if x.dtype.is_complex:
            kernel = f"{kernel}_complex"
            operands = [b.seen_as(b.contiguous(v), v.dtype.real_dtype) for v in operands]
        b.call(kernel, operands,
               dims=[dims.product(x.shape[:axis]), x.shape[axis], dims.product(x.shape[axis + 1:])],
               attrs=[int(self.exclusive), int(self.reverse)])


@register
class Cumsum(_Scan):
    """The sums of the elements up to each one; exclusive: without it; reverse: from the end."""

    kind = "product"
    of_complex = "linear"
    kernel = "cumsum"
    function = np.cumsum
    neutral = 0
    axis: int = operand_field("int")
    exclusive: bool = attr("bool", False)
    reverse: bool = attr("bool", False)

    def grad(self, g, node, dy):
        return [g.cumsum(dy, self.axis, exclusive=self.exclusive, reverse=not self.reverse), None]


@register
class Cumprod(_Scan):
    """The products of the elements up to each one; exclusive: without it; reverse: from the end."""

    kind = "product"
    of_complex = "itself"
    kernel = "cumprod"
    function = np.cumprod
    neutral = 1
    axis: int = operand_field("int")
    exclusive: bool = attr("bool", False)
    reverse: bool = attr("bool", False)

    def grad(self, g, node, dy):
        """Products with an element, summed and divided by it. The first 0 counts as 1 for its own derivative; after it
        only products that hold it are left, which are 0."""

        x, y = g.conj(node.inputs[0]), g.conj(node.outputs[0])
        zero, one = g.equal(x, 0), g.ones_like(x)
        earlier = g.cumsum(g.cast(zero, x.dtype), self.axis, exclusive=True, reverse=self.reverse)
        first = g.logical_and(zero, g.equal(earlier, 0))

        def summed(products):
            return g.cumsum(products * dy, self.axis, exclusive=self.exclusive, reverse=not self.reverse)

        others = summed(g.cumprod(g.select(first, one, x), self.axis, exclusive=self.exclusive, reverse=self.reverse))
        usual = summed(y) / g.select(zero, one, x)
        return [g.select(first, others, g.select(zero, g.zeros_like(x), usual)), None]
