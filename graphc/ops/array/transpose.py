"""Axes in another order (Transpose) or direction (ReverseV2), and permutations of them (InvertPermutation)."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import float64, int32, int64
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.known import known_ints, with_moved_value
from graphc.ir.op import (
    Op,
    Permuted,
    Sample,
    View,
    normalise_axes,
    normalise_axis,
    operand_field,
    permute_shape,
    register,
)
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation


@register
class Transpose(View):
    """Axis i of y is axis perm[i] of x."""

    operands = ("x", "perm")
    types: ClassVar = {"T": "x", "Tperm": "perm"}
    perm: tuple[int, ...] = operand_field("ints")
    samples: ClassVar = [Sample({"perm": p}, (s,), (d,)) for p, s, d in (
        ((2, 0, 1), (2, 3, 5), None), ((0, 2, 1), (7, 3, 17), float64), ((0, 2, 3, 1), (2, 3, 5, 7), int64),
        ((1, 0), (31, 65), None), ((0,), (3,), None), ((), (), None), ((1, 0), (0, 3), None))]

    def infer(self, x: Spec) -> Spec:
        perm = known_ints(self.perm, "perm")
        if x.shape is None:
            return Spec(x.dtype, None)
        if sorted(p % len(perm) if perm else p for p in perm) != list(range(len(x.shape))):
            raise ValueError(f"perm {perm} is no permutation of the {len(x.shape)} axes of x")
        return with_moved_value(self, Spec(x.dtype, permute_shape(x.shape, perm)), x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.transpose(x, self.perm)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        if self.perm is None:       # of a tensor of unknown rank
            return [g.transpose(dy, g.invert_permutation(node.inputs[1])), None]
        return [g.transpose(dy, inverse(tuple(p % len(self.perm) for p in self.perm))), None]

    def permutation(self) -> tuple[int, ...]:
        return tuple(p % len(self.perm) for p in self.perm)

    def view(self, b: Any, x: Any) -> Any:
        return x.transpose(self.permutation())


def inverse(perm: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes `perm`."""
    return tuple(int(i) for i in np.argsort(np.array(perm, dtype=np.int64)))


@register
class InvertPermutation(Op):
    """y[x[i]] = i."""

    operands = ("x",)
    types: ClassVar = {"T": "x"}
    checks_data: ClassVar = True
    refusal: ClassVar = "{0} is duplicated in the input."
    samples: ClassVar = [Sample({}, (np.array(p, d.numpy),), gradient=False) for d in (int32, int64)
                         for p in ([2, 0, 1], [0], [], [3, 4, 0, 2, 1])]

    def infer(self, x: Spec) -> Spec:
        check_dtype(self, "x", x.dtype, "index")
        check_rank("x", x, 1)
        made = Spec(x.dtype, x.shape)
        if x.value is None or not all(isinstance(v, int) for v in x.value):
            return made
        if sorted(x.value) != list(range(len(x.value))):
            raise ValueError(f"{x.value} is no permutation of the numbers below {len(x.value)}")
        return made.with_value(inverse(x.value))  # type: ignore[arg-type]

    def reference(self, x: np.ndarray) -> np.ndarray:
        result = np.zeros_like(x)
        result[x] = np.arange(len(x))
        return result

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.call("invert_permutation", [inputs[0], outputs[0]], dims=[inputs[0].shape[0]])


@register
class ReverseV2(View):
    """tensor with the order of elements reversed along `axis`."""

    self_inverse: ClassVar = True
    operands = ("tensor", "axis")
    results = ("output",)
    types: ClassVar = {"T": "tensor", "Tidx": "axis"}
    axis: tuple[int, ...] = operand_field("ints")
    samples: ClassVar = [
        Sample({"axis": a}, (s,), (d,))
        for a, s, d in (
            ((0,), (7,), None),
            ((0, -1), (2, 3, 5), float64),
            ((1,), (4, 17), int64),
            ((), (3,), None),
            ((1,), (0, 3), None),
        )
    ]

    def infer(self, x: Spec) -> Spec:
        axes = known_ints(self.axis, "axis")
        if x.shape is not None:
            normalise_axes(axes, len(x.shape))
        return with_moved_value(self, Spec(x.dtype, x.shape), x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.flip(x, self.axis)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.reverse_v2(dy, list(self.axis)), None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        axes = tuple(perm.index(normalise_axis(a, len(perm))) for a in self.axis)
        return Permuted(replace(self, axis=axes), (perm,), (perm,))

    def view(self, b: Any, x: Any) -> Any:
        return x.reverse(normalise_axes(self.axis, x.rank))
