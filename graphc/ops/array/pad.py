"""Borders around a tensor: Pad (zeros), PadV2 (a given value), MirrorPad (the tensor's own elements)."""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import COMPUTED, float64, int64
from graphc.ir.elementwise import check_kind
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Op, Permuted, Sample, attr, operand_field, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_less_equal, text
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.values import zeros

KERNEL_AXES = 3          # axes with a border that the kernel knows
_PADS = [(((1, 2), (0, 3)), (2, 5), None), (((0, 0), (1, 1), (2, 0)), (2, 3, 5), float64), (((3, 0),), (17,), int64),
         (((1, 1), (0, 0)), (0, 3), None), ((), (), None)]


def _padded(op: Any, x: Spec) -> Spec:
    if x.shape is None:
        return Spec(x.dtype, None)
    if len(op.paddings) != len(x.shape):
        raise ValueError(f"paddings must have one row for each of the {len(x.shape)} axes, but has {len(op.paddings)}")
    if any(isinstance(p, int) and p < 0 for pair in op.paddings for p in pair):
        raise ValueError(f"paddings must not be negative, but are {op.paddings}")
    require_nonnegative([p for pair in op.paddings for p in pair], "paddings must not be negative")
    return Spec(x.dtype, tuple(before + s + after for s, (before, after) in zip(x.shape, op.paddings, strict=True)))


def lower_pad(b: Any, x: Any, value: Any, y: Any, paddings: Sequence[tuple[Size, Size]]) -> None:
    """y = x with a border of `value`, an access of one element, None: zero. By the kernel, which writes y once, if it
    knows the dtype and three axes at most have a border; else a fill and a copy."""
    outer, axes = _padded_axes(x.shape, paddings)
    if not axes:
        b.copy(x, y)
    elif len(axes) <= KERNEL_AXES and x.dtype in COMPUTED:
        value = b.constant(np.zeros((), x.dtype.numpy)) if value is None else value
        if len(axes) < KERNEL_AXES:                    # the kernel copies all rows of its middle axis at once
            outer, axes = 1, [(outer, 0, 0), *axes]
        axes = [(1, 0, 0)] * (KERNEL_AXES - len(axes)) + axes
        b.call("pad", [x, value, y], [outer, *itertools.chain(*axes), 1])
    else:
        if value is None:
            b.fill(y, 0)
        else:
            b.copy(value.broadcast(y.shape), y)
        b.copy(x, y.slice([before for before, _ in paddings], x.shape))


def _padded_axes(shape: Shape, paddings: Sequence[tuple[Size, Size]]) -> tuple[Size, list[tuple[Size, Size, Size]]]:
    """The elements of the axes in front of the first with a border, and (size, before, after) of each that has one,
    those without behind it being part of it."""
    outer: Size = 1
    axes: list[tuple[Size, Size, Size]] = []
    for size, (before, after) in zip(shape, paddings, strict=True):
        if dims.same(before, 0) and dims.same(after, 0):
            if axes:
                axes[-1] = tuple(n * size for n in axes[-1])  # type: ignore[assignment]
            else:
                outer = outer * size
        else:
            axes.append((size, before, after))
    return outer, axes


def _cropped(g: GradientBuilder, node: Operation, op: Any, dy: Any) -> Tensor:
    before: Any = None if op.paddings is None else [p for p, _ in op.paddings]
    if before is None or not all(isinstance(p, int) for p in before):
        before = g.reshape(g.slice(node.inputs[1], [0, 0], [-1, 1]), [-1])
    return g.slice(dy, before, g.shape(node.inputs[0]))


@register
class Pad(Op):
    """input with paddings[i][0] zeros before and paddings[i][1] after it along axis i."""

    operands = ("input", "paddings")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tpaddings": "paddings"}
    moves = True
    paddings: tuple[tuple[Size, Size], ...] = operand_field("pairs")
    samples: ClassVar = [Sample({"paddings": p}, (s,), (d,)) for p, s, d in _PADS]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "element")
        return _padded(self, x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        nothing = zeros((), x.dtype)[()]
        return np.pad(x, self.paddings, constant_values=nothing) if self.paddings else x  # type: ignore[arg-type]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [_cropped(g, node, self, dy), None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(replace(self, paddings=tuple(self.paddings[p] for p in perm)), (perm,), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        lower_pad(b, inputs[0], None, outputs[0], self.paddings)


@register
class PadV2(Op):
    """input with borders of constant_values."""

    operands = ("input", "paddings", "constant_values")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tpaddings": "paddings"}
    moves = True
    paddings: tuple[tuple[Size, Size], ...] = operand_field("pairs")
    samples: ClassVar = [Sample({"paddings": p}, (s, ()), (d, d)) for p, s, d in _PADS]

    def infer(self, x: Spec, value: Spec) -> Spec:
        same_dtypes(replace_operands(self), (x, value))
        if value.shape not in (None, ()):
            raise ValueError(f"constant_values must be a scalar, but has shape {text(value.shape)}")
        return _padded(self, x)

    def reference(self, x: np.ndarray, value: np.ndarray) -> np.ndarray:
        return np.pad(x, self.paddings, constant_values=value) if self.paddings else x  # type: ignore[arg-type]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [_cropped(g, node, self, dy), None, None]      # as TF, which has none by the value either

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(replace(self, paddings=tuple(self.paddings[p] for p in perm)), (perm, None), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        lower_pad(b, inputs[0], inputs[1], outputs[0], self.paddings)


def replace_operands(op: Op) -> Any:
    """Stands for `op` in same_dtypes, whose messages name operands by position among those that are no fields."""
    return _Named(tuple(o for o in op.operands if o not in op.field_operands()))


class _Named:
    def __init__(self, operands: tuple[str, ...]) -> None:
        self.operands = operands


@register
class MirrorPad(Op):
    """input with borders that mirror it: with the edge (SYMMETRIC) or without (REFLECT)."""

    operands = ("input", "paddings")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tpaddings": "paddings"}
    moves = True
    paddings: tuple[tuple[Size, Size], ...] = operand_field("pairs")
    mode: str = attr("string")
    samples: ClassVar = [Sample({"paddings": p, "mode": m}, (s,), (d,)) for p, s, d in (
        (((1, 2), (0, 3)), (3, 5), None), (((0, 0), (1, 1), (2, 0)), (2, 3, 5), float64), (((3, 1),), (17,), int64))
        for m in ("REFLECT", "SYMMETRIC")]

    def infer(self, x: Spec) -> Spec:
        made = _padded(self, x)
        if self.mode not in ("REFLECT", "SYMMETRIC"):
            raise ValueError(f"mode must be REFLECT or SYMMETRIC, not {self.mode!r}")
        edge = 1 if self.mode == "REFLECT" else 0
        for axis, (size, pair) in enumerate(zip(x.shape or (), self.paddings, strict=False)):
            for p in pair:
                if isinstance(p, int) and p == 0:        # always holds, which `dims` does not see of unknown sizes
                    continue
                # p <= max(size - edge, 0): nothing can be mirrored, along an axis of size 0 too
                require_less_equal(p, dims.maximum(size - edge, 0), f"axis {axis} of a tensor of shape {text(x.shape)} "
                                   f"is too short to be mirrored by {p} ({self.mode})")
        return made

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.pad(x, self.paddings, mode=self.mode.lower())  # type: ignore[call-overload,no-any-return]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        sizes, fed, static = g.shape(node.inputs[0]), node.inputs[1], node.inputs[0].spec.static_shape
        if self.paddings is None and static is None:
            raise LookupError("neither the number of paddings nor the rank of what is padded is known; say one by "
                              "set_shape")
        paddings: Any = ((None, None),) * len(static or ()) if self.paddings is None else self.paddings
        rank = len(paddings)
        static = static or (None,) * rank
        for axis, pair in enumerate(paddings):
            before, after = (n if isinstance(n, int) else fed[axis, k] for k, n in enumerate(pair))
            size = sizes[axis] if static[axis] is None else static[axis]
            edge = _smaller(g, 1, size) if self.mode == "REFLECT" else 0      # an axis of size 0 has no edge
            middle = _along(g, dy, rank, axis, before, size)
            if not (isinstance(before, int) and before == 0):
                folded = g.reverse_v2(_along(g, dy, rank, axis, 0, before), [axis])
                middle = g.add(middle, _placed(g, folded, rank, axis, edge, size - before - edge))
            if not (isinstance(after, int) and after == 0):
                folded = g.reverse_v2(_along(g, dy, rank, axis, size + before, after), [axis])
                middle = g.add(middle, _placed(g, folded, rank, axis, size - after - edge, edge))
            dy = middle
        return [dy, None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(replace(self, paddings=tuple(self.paddings[p] for p in perm)), (perm,), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, y = inputs[0], outputs[0]
        edge = 1 if self.mode == "REFLECT" else 0
        # Along each axis: what lies before, inside and after; every combination is one copy.
        axes = [[(0, before, before - 1 + edge, -1), (before, size, 0, 1), (before + size, after, size - 1 - edge, -1)]
                for size, (before, after) in zip(x.shape, self.paddings, strict=True)]
        kept = [[r for r in regions if not (isinstance(r[1], int) and r[1] == 0)] for regions in axes]
        if not all(kept):
            b.fill(y, 0)         # no elements, but every result is written
        for regions in itertools.product(*kept):
            source = x.slice([r[2] for r in regions], [r[1] for r in regions], [r[3] for r in regions])
            b.copy(source, y.slice([r[0] for r in regions], [r[1] for r in regions]))


def _smaller(g: GradientBuilder, number: int, size: Any) -> Any:
    return min(number, size) if isinstance(size, int) else g.minimum(size, number)


def _along(g: GradientBuilder, x: Tensor, rank: int, axis: int, begin: Any, size: Any) -> Tensor:
    sizes = [size if i == axis else -1 for i in range(rank)]
    return g.slice(x, [begin if i == axis else 0 for i in range(rank)], sizes)


def _placed(g: GradientBuilder, x: Tensor, rank: int, axis: int, before: Any, after: Any) -> Tensor:
    return g.pad(x, [[before, after] if i == axis else [0, 0] for i in range(rank)])
