"""Repeated elements: BroadcastTo, Tile; and what undoes broadcasting, _SumTo."""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Dim, Size, nonnegative
from graphc.ir.dtypes import float64, int32, int64
from graphc.ir.elementwise import check_kind
from graphc.ir.known import regrouped, require_nonnegative, with_moved_value
from graphc.ir.op import OPS, Composite, Op, Permuted, Sample, View, operand_field, permute_shape, register
from graphc.ir.spec import Spec, broadcast_sizes, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.array.shapes import Reshape

RANK_LIMIT = 8      # of what a Plan computes with


@register
class BroadcastTo(View):
    """input repeated to the shape `shape` by NumPy's rules."""

    keeps_order: ClassVar = True
    operands = ("input", "shape")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tidx": "shape"}
    shape: tuple[Size, ...] = operand_field("ints")
    samples: ClassVar = [
        Sample({"shape": to}, (of,), (d,))
        for to, of, d in (
            ((2, 3, 5), (3, 1), None),
            ((7, 17), (17,), float64),
            ((4,), (), int64),
            ((0, 3), (1, 3), None),
            ((2, 3), (2, 3), None),
        )
    ]

    def infer(self, x: Spec) -> Spec:
        require_nonnegative(self.shape, f"the shape {text(self.shape)} must not be negative")
        if x.shape is not None:
            if len(x.shape) > len(self.shape):
                raise ValueError(f"a tensor of shape {text(x.shape)} does not broadcast to shape {text(self.shape)}")
            for have, want in zip(reversed(x.shape), reversed(self.shape), strict=False):
                try:
                    together = broadcast_sizes(have, want)
                except ValueError:
                    together = have
                require_equal(
                    together, want, f"a tensor of shape {text(x.shape)} must broadcast to shape {text(self.shape)}"
                )
        return with_moved_value(self, Spec(x.dtype, self.shape), x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.broadcast_to(x, self.shape)  # type: ignore[arg-type]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.sum_to(dy, g.shape(node.inputs[0])), None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        if len(perm) != len(self.shape) or ranks[0] not in (0, len(perm)):
            return None
        return Permuted(dataclasses.replace(self, shape=permute_shape(self.shape, perm)),
                        (perm if ranks[0] else None,), (perm,))

    def view(self, b: Any, x: Any) -> Any:
        return x.broadcast(self.shape)


@register
class _SumTo(Composite):
    """x summed over the axes along which a tensor of shape `shape` had been broadcast to the shape of x.

    Where the sizes do not tell, an axis of size n that is to have size d is split into d and n if d is 1, else 1, and
    the second part is summed: one form for both cases.
    """

    expands_early: ClassVar = True
    operands = ("x", "shape")
    results = ("output",)         # as Reshape calls it, which it becomes in files (serial/broadcast_gradients.py)
    types: ClassVar = {"T": "x", "Tidx": "shape"}
    shape: tuple[Size, ...] = operand_field("ints")
    samples: ClassVar = [Sample({"shape": to}, (of,), (d,)) for to, of, d in (
        ((3, 1), (2, 3, 5), None), ((17,), (7, 17), float64), ((), (4, 31), None), ((1, 3), (0, 3), None),
        ((2, 3), (2, 3), None), ((1, 1, 5), (2, 3, 5), int32), ((2, 1, 5), (2, 3, 5), int64),
        ((0, 1), (0, 3), None), ((1, 3, 1, 4, 1), (2, 3, 2, 4, 2), None))]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "numeric")
        if x.shape is not None:
            missing = len(x.shape) - len(self.shape)
            message = f"x of shape {text(x.shape)} must have been broadcast from shape {text(self.shape)}"
            if missing < 0:
                raise ValueError(message)
            for have, want in zip(x.shape[missing:], self.shape, strict=True):
                if isinstance(want, int) and want != 1:
                    require_equal(have, want, message)
                elif isinstance(want, Dim):
                    require_nonnegative([want], message)
                    require_equal(broadcast_sizes(have, want), have, message)
        return Spec(x.dtype, self.shape)

    def reference(self, x: np.ndarray) -> np.ndarray:
        wanted = (1,) * (x.ndim - len(self.shape)) + tuple(self.shape)
        axes = tuple(i for i, size in enumerate(wanted) if size == 1)
        # dtype: NumPy would add up small integers in int64.
        return x.sum(axis=axes, dtype=x.dtype, keepdims=True).reshape(self.shape)  # type: ignore[arg-type]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.broadcast_to(dy, g.shape(node.inputs[0])), None]

    def expand(self, emit: Any, x: Any) -> Any:
        missing = len(x.spec.shape) - len(self.shape)
        sizes = tuple(map(_guarded, self.shape))
        wanted = (*((1,) * missing), *sizes)
        while open_axes := _open_axes(x.spec.shape, wanted):
            if len(wanted) + len(open_axes) <= RANK_LIMIT:
                x = _sum_open(emit, x, wanted, open_axes)
            else:
                x = _sum_first(emit, x, wanted, open_axes[0])
        axes = [i for i, (have, want) in enumerate(zip(x.spec.shape, wanted, strict=True))
                if dims.same(want, 1) and not dims.same(have, 1)]
        if axes:
            x = emit(OPS.make("Sum", axis=tuple(axes), keep_dims=True), x)
        return emit(Reshape(shape=sizes), x)


def _guarded(size: Size) -> Size:
    """The size, provably 0 or more: infer guards elements of tensors, and a reshape must not take one for a -1."""
    return size if nonnegative(size) else dims.maximum(size, 0)


def _open_axes(given: Sequence[Size], wanted: Sequence[Size]) -> list[int]:
    """The axes of which it is not known whether they are summed."""
    return [i for i, (have, want) in enumerate(zip(given, wanted, strict=True))
            if isinstance(want, Dim) and not dims.same(_guarded(have), want) and not dims.same(have, 1)]


def _sum_open(emit: Any, x: Any, wanted: Sequence[Size], axes: Sequence[int]) -> Any:
    """x with the open axes as they are wanted."""
    split: list[Size] = []
    summed: list[int] = []
    for i, have in enumerate(x.spec.shape):
        split.append(wanted[i] if i in axes else have)
        if i in axes:
            summed.append(len(split))
            split.append(dims.select(dims.equal(wanted[i], 1), have, 1))
    return emit(OPS.make("Sum", axis=tuple(summed)), emit(Reshape(shape=tuple(split)), x))


def _sum_first(emit: Any, x: Any, wanted: Sequence[Size], axis: int) -> Any:
    """x with one of the open axes as it is wanted; the others are out of the way, as there are too many to split."""
    given = x.spec.shape
    ends = (dims.product(given[:axis]), given[axis], dims.product(given[axis + 1:]))
    x = _sum_open(emit, emit(Reshape(shape=ends), x), (ends[0], wanted[axis], ends[2]), (1,))
    return emit(Reshape(shape=(*given[:axis], wanted[axis], *given[axis + 1:])), x)


@register
class Tile(Op):
    """input repeated multiples[i] times along axis i."""

    keeps_order: ClassVar = True
    operands = ("input", "multiples")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tmultiples": "multiples"}
    moves = True
    multiples: tuple[Size, ...] = operand_field("ints")
    samples: ClassVar = [
        Sample({"multiples": m}, (s,), (d,))
        for m, s, d in (
            ((2, 1, 3), (2, 3, 5), None),
            ((5,), (7,), float64),
            ((3, 2), (1, 4), int64),
            ((2, 0), (3, 4), None),
            ((), (), None),
        )
    ]

    def infer(self, x: Spec) -> Spec:
        if x.shape is None:
            return Spec(x.dtype, None)
        if len(self.multiples) != len(x.shape):
            raise ValueError(
                f"multiples must have one element for each axis of a tensor of shape {text(x.shape)}, but is "
                f"{text(self.multiples)}"
            )
        if any(isinstance(m, int) and m < 0 for m in self.multiples):
            raise ValueError(f"multiples must not be negative, but is {text(self.multiples)}")
        require_nonnegative(self.multiples, "multiples must not be negative")
        result = tuple(s * m for s, m in zip(x.shape, self.multiples, strict=True))
        return with_moved_value(self, Spec(x.dtype, result), x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.tile(x, self.multiples)  # type: ignore[arg-type]

    def repeated(self) -> list[int]:
        """The axes that are repeated; each becomes two axes, (multiple, size)."""
        return [i for i, m in enumerate(self.multiples) if not (isinstance(m, int) and m == 1)]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        x, multiples = node.inputs
        if self.multiples is None:                   # their number neither: every axis becomes two
            parts = g.reshape(g.pack([multiples, g.shape(x, out_type=multiples.dtype)], axis=1), [-1])
            return [g.sum(g.reshape(dy, parts), g.range(0, g.size(parts), 2)), None]
        repeated = self.repeated()
        if not repeated:
            return [dy, None]
        sizes = g.shape(x, out_type=multiples.dtype)
        parts, axes = [], []
        for i in range(len(self.multiples)):
            if i in repeated:
                axes.append(len(parts))
                parts.append(multiples[i:i + 1])
            parts.append(sizes[i:i + 1])
        return [g.sum(g.reshape(dy, g.concat_v2(parts, 0)), axes), None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(Tile(tuple(self.multiples[p] for p in perm)), (perm,), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        source, sizes, repeated = inputs[0], [], self.repeated()
        for i, (size, times) in enumerate(zip(inputs[0].shape, self.multiples, strict=True)):
            if i in repeated:
                source = source.expand(len(sizes))
                sizes.append(times)
            sizes.append(size)
        b.copy(source.broadcast(sizes), regrouped(outputs[0], sizes))
