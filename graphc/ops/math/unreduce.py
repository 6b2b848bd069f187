"""What gradients of reductions need of an input whose rank is known only when the run is compiled.

  _Spread   a reduction's result with the reduced axes back at size 1
  _Rows     a tensor as a matrix: one row for each index of the axes that stay, along it those that are reduced
  _Unrows   the way back; each is the other's gradient
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import float64
from graphc.ir.op import OPS, Alias, Composite, Sample, normalise_axes, operand_field, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.array.shapes import Reshape

_ROWS = (((2, 3, 5), (1,)), ((2, 3, 5), (0, -1)), ((2, 3), ()), ((), ()), ((4,), (0,)), ((0, 3), (1,)), ((0, 3), (0,)))


@register
class _Spread(Alias):
    """value, reduced from a tensor of shape `shape` along `axis`, with those axes at size 1."""

    operands = ("value", "shape", "axis")
    types: ClassVar = {"T": "value", "Tidx": "shape"}
    shape: tuple[Size, ...] = operand_field("ints")
    axis: tuple[int, ...] = operand_field("int_or_ints")
    samples: ClassVar = [
        Sample({"shape": (2, 3, 5), "axis": (1,)}, ((2, 5),)), Sample({"shape": (2, 3), "axis": (-1, 0)}, ((),)),
        Sample({"shape": (2, 3), "axis": (-1,)}, ((2, 1),), (float64,)), Sample({"shape": (), "axis": ()}, ((),))]

    def target(self) -> tuple[Size, ...]:
        axes = normalise_axes(self.axis, len(self.shape))
        return tuple(1 if i in axes else size for i, size in enumerate(self.shape))

    def infer(self, value: Spec) -> Spec:
        target = self.target()
        if value.shape is not None:
            require_equal(dims.product(value.shape), dims.product(target),
                          f"value of shape {text(value.shape)} is no reduction along {self.axis} of {text(self.shape)}")
        return Spec(value.dtype, target)

    def reference(self, value: np.ndarray) -> np.ndarray:
        return value.reshape(self.target())  # type: ignore[arg-type]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.reshape(dy, g.shape(node.inputs[0])), None, None]


@register
class _Rows(Composite):
    """x as a matrix: the axes that stay, those in `axis`."""

    operands = ("x", "axis")
    types: ClassVar = {"T": "x", "Tidx": "axis"}
    axis: tuple[int, ...] = operand_field("int_or_ints")
    samples: ClassVar = [Sample({"axis": axis}, (of,)) for of, axis in _ROWS]

    def infer(self, x: Spec) -> Spec:
        if x.shape is None:
            return Spec(x.dtype, (dims.symbol("rows"), dims.symbol("columns")))
        return Spec(x.dtype, _matrix(x.shape, self.axis))

    def reference(self, x: np.ndarray) -> np.ndarray:
        axes = [a % x.ndim for a in self.axis]
        back = np.moveaxis(x, sorted(axes), range(x.ndim - len(axes), x.ndim)) if axes else x
        columns = int(np.prod([x.shape[a] for a in axes]))
        return back.reshape(int(np.prod([n for i, n in enumerate(x.shape) if i not in axes])), columns)

    def expand(self, emit: Callable[..., Any], x: Any) -> Any:
        turned = emit(OPS.make("Transpose", perm=_order(self.axis, len(x.spec.shape))), x)
        return emit(Reshape(shape=_matrix(x.spec.shape, self.axis)), turned)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.unrows(dy, g.shape(node.inputs[0]), node.inputs[1]), None]


@register
class _Unrows(Composite):
    """The tensor of shape `shape` of which x is the matrix."""

    operands = ("x", "shape", "axis")
    types: ClassVar = {"T": "x", "Tidx": "shape"}
    shape: tuple[Size, ...] = operand_field("ints")
    axis: tuple[int, ...] = operand_field("int_or_ints")
    samples: ClassVar = [Sample({"shape": of, "axis": axis}, (
        tuple(int(np.prod([s for i, s in enumerate(of) if (i in [a % max(len(of), 1) for a in axis]) == reduced]))
              for reduced in (False, True)),)) for of, axis in _ROWS]

    def infer(self, x: Spec) -> Spec:
        if x.shape is not None:
            message = f"x of shape {text(x.shape)} is not the matrix of a tensor of shape {text(self.shape)}"
            for have, want in zip(x.shape, _matrix(self.shape, self.axis), strict=True):
                require_equal(have, want, message)
        return Spec(x.dtype, self.shape)

    def reference(self, x: np.ndarray) -> np.ndarray:
        rank = len(self.shape)
        axes = sorted(a % rank for a in self.axis)
        sizes = [n for i, n in enumerate(self.shape) if i not in axes] + [self.shape[a] for a in axes]
        return np.moveaxis(x.reshape(sizes), range(rank - len(axes), rank), axes)  # type: ignore[arg-type]

    def expand(self, emit: Callable[..., Any], x: Any) -> Any:
        order = _order(self.axis, len(self.shape))
        whole = emit(Reshape(shape=tuple(self.shape[i] for i in order)), x)
        back = tuple(order.index(i) for i in range(len(order)))
        return emit(OPS.make("Transpose", perm=back), whole)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.rows(dy, node.inputs[2]), None, None]


def _order(axis: Sequence[int], rank: int) -> tuple[int, ...]:
    axes = normalise_axes(axis, rank)
    return (*(i for i in range(rank) if i not in axes), *axes)


def _matrix(sizes: Sequence[Size], axis: Sequence[int]) -> tuple[Size, Size]:
    axes = normalise_axes(axis, len(sizes))
    kept = dims.product(size for i, size in enumerate(sizes) if i not in axes)
    return kept, dims.product(sizes[i] for i in axes)
