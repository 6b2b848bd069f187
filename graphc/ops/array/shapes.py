"""Shapes as tensors (Shape, Size, Rank) and other shapes of the same elements (Reshape, ExpandDims, Squeeze)."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims, spec
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import nonnegative
from graphc.ir.dtypes import DType, float64, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.known import require_nonnegative, with_moved_value
from graphc.ir.op import Alias, Op, Sample, attr, normalise_axes, normalise_axis, operand_field, register
from graphc.ir.spec import Spec, require_equal, require_less_equal, text
from graphc.ir.tensor import Operation


@register
class Shape(Op):
    """The shape of input, as a tensor of rank 1."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    moves = True
    out_type: DType = attr("type", int32)
    samples: ClassVar = [Sample({"out_type": d}, (s,), gradient=False) for d in (int32, int64)
                         for s in ((2, 3, 5), (), (0, 3), (1,), (17, 1, 2, 3))]

    def infer(self, x: Spec) -> Spec:
        check_dtype(self, "out_type", self.out_type, "index")
        if x.shape is None:
            return Spec(self.out_type, (dims.symbol("rank", ("rank",)),))
        return Spec(self.out_type, (len(x.shape),)).with_value(x.shape)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.array(x.shape, dtype=self.out_type.numpy)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        if inputs[0].shape:
            b.store_sizes(inputs[0].shape, outputs[0])
        else:
            b.fill(outputs[0], 0)    # no elements, but every result is written


@register
class Size(Op):
    """The number of elements of input."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    moves = True
    out_type: DType = attr("type", int32)
    samples: ClassVar = [Sample({"out_type": int64}, (s,), gradient=False) for s in ((2, 3, 5), (), (0, 3))]

    def infer(self, x: Spec) -> Spec:
        check_dtype(self, "out_type", self.out_type, "index")
        made = Spec(self.out_type, ())
        return made if x.shape is None else made.with_value([dims.product(x.shape)])

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.array(x.size, dtype=self.out_type.numpy)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.store_sizes([dims.product(inputs[0].shape)], outputs[0])


@register
class Rank(Op):
    """The number of axes of input."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    moves = True
    samples: ClassVar = [Sample({}, (s,), gradient=False) for s in ((2, 3, 5), (), (0, 3))]

    def infer(self, x: Spec) -> Spec:
        made = Spec(int32, ())
        return made if x.shape is None else made.with_value([len(x.shape)])

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.array(x.ndim, dtype=np.int32)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        b.store_sizes([len(inputs[0].shape)], outputs[0])


@register
class Reshape(Alias):
    """The elements of tensor, row-major, under another shape; one size may be -1: what is left."""

    operands = ("tensor", "shape")
    results = ("output",)
    types: ClassVar = {"T": "tensor", "Tshape": "shape"}
    shape: tuple[dims.Size, ...] = operand_field("ints")
    samples: ClassVar = [Sample({"shape": to}, (of,), (d,)) for to, of, d in (
        ((6, 5), (2, 3, 5), None), ((-1,), (2, 3, 5), float64), ((3, -1, 1), (2, 3, 5), int64), ((), (1, 1), None),
        ((1,), (), None), ((4, 0), (0, 3), None), ((5, 1, 7), (7, 5), int32))]

    def infer(self, x: Spec) -> Spec:
        if x.shape is None:
            return Spec(x.dtype, self._without_input())
        total = dims.product(x.shape)
        unknown = [i for i, s in enumerate(self.shape) if isinstance(s, int) and s == -1]
        if len(unknown) > 1:
            raise ValueError(f"only one size may be -1, but the shape is {text(self.shape)}")
        if any(isinstance(s, int) and s < -1 for s in self.shape):
            raise ValueError(f"sizes must be -1 or more, but the shape is {text(self.shape)}")
        count = total if isinstance(total, int) else "?"
        message = f"cannot reshape a tensor of shape {text(x.shape)} ({count} elements) to shape {text(self.shape)}"
        shape = list(self.shape)
        rest = dims.product(s for i, s in enumerate(shape) if i not in unknown)
        if unknown:
            if isinstance(rest, int) and rest == 0:
                raise ValueError(f"{message}: -1 is not determined, as the other sizes give 0")
            require_nonnegative([s for s in shape if s is not shape[unknown[0]]], f"{message}: {_ONE}")
            if isinstance(total, int) and isinstance(rest, int) and total % rest:
                raise ValueError(f"{message}: {total} elements do not divide by {rest}, which the other sizes make")
            if not dims.same(dims.mod(total, rest), 0):        # else it divides, whatever the sizes
                require_less_equal(1, rest, f"{message}: -1 is not determined, as the other sizes give 0")
                rest = dims.maximum(rest, 1)
                require_equal(dims.mod(total, rest), 0,
                              f"{message}: the other sizes must divide the number of elements")
            shape[unknown[0]] = dims.floordiv(total, rest)
        elif all(map(nonnegative, shape)):
            require_equal(total, rest, message)
        else:
            shape = _resolved(shape, total, message)
        return with_moved_value(self, Spec(x.dtype, tuple(shape)), x)

    def _without_input(self) -> spec.Shape:
        return tuple(dims.symbol("reshape", ("runtime", "reshape")) if isinstance(s, int) and s == -1 else s
                     for s in self.shape)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(self.shape)  # type: ignore[arg-type]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.reshape(dy, g.shape(node.inputs[0])), None]


_ONE = "only one size may be -1, none less"


def _resolved(shape: Sequence[dims.Size], total: dims.Size, message: str) -> list[dims.Size]:
    """The sizes of a shape that is known only while running, where one of them may turn out to be -1."""
    inferred = [0 if nonnegative(s) else dims.equal(s, -1) for s in shape]
    require_less_equal(sum(inferred), 1, f"{message}: {_ONE}")
    for size in shape:
        if not nonnegative(size):
            require_less_equal(-1, size, f"{message}: {_ONE}")
    given = dims.product(dims.select(flag, 1, s) for flag, s in zip(inferred, shape, strict=True))
    require_less_equal(sum(inferred), given, f"{message}: -1 is not determined, as the other sizes give 0")
    left = dims.floordiv(total, dims.maximum(given, 1))
    made = [s if nonnegative(s) else dims.select(flag, left, dims.maximum(s, 0))
            for flag, s in zip(inferred, shape, strict=True)]
    require_equal(total, dims.product(made), message)
    return made


@register
class ExpandDims(Alias):
    """input with a new axis of size 1 before axis `dim`."""

    operands = ("input", "dim")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tdim": "dim"}
    dim: int = operand_field("int")
    samples: ClassVar = [Sample({"dim": a}, (s,), (d,)) for a, s, d in (
        (0, (2, 3, 5), None), (-1, (2, 3, 5), float64), (1, (3,), int64), (0, (), None), (2, (0, 3), None))]

    def infer(self, x: Spec) -> Spec:
        if x.shape is None:
            return x
        axis = normalise_axis(self.dim, len(x.shape) + 1)
        return with_moved_value(self, Spec(x.dtype, (*x.shape[:axis], 1, *x.shape[axis:])), x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.expand_dims(x, self.dim)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.reshape(dy, g.shape(node.inputs[0])), None]


@register
class Squeeze(Alias):
    """input without the axes `squeeze_dims`, which must have size 1; (): without all axes of size 1.

    The rank of the result must be known when a run is compiled. In the form () a Session compiles for the feeds' sizes
    that are 1; an axis whose size comes from elsewhere stays, and a run in which it is 1 ends with an error that says
    what to do.
    """

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    squeeze_dims: tuple[int, ...] = attr("list(int)", ())
    samples: ClassVar = [Sample({"squeeze_dims": a}, (s,), (d,)) for a, s, d in (
        ((), (1, 3, 1, 5), None), ((0, -2), (1, 3, 1, 5), float64), ((), (1,), int64), ((), (2, 3), None),
        ((1,), (0, 1), None))]

    @property
    def drops_ones(self) -> bool:  # type: ignore[override]
        return not self.squeeze_dims

    def infer(self, x: Spec) -> Spec:
        if x.shape is None:
            return Spec(x.dtype, None)
        if self.squeeze_dims:
            axes = normalise_axes(self.squeeze_dims, len(x.shape))
            for axis in axes:
                require_equal(x.shape[axis], 1, f"axis {axis} of a tensor of shape {text(x.shape)} cannot be squeezed")
        else:
            axes = tuple(i for i, s in enumerate(x.shape) if isinstance(s, int) and s == 1)
            for axis, size in enumerate(x.shape):
                if not isinstance(size, int):
                    require_less_equal(
                        2, dims.select(dims.equal(size, 0), 2, size),
                        f"squeeze without axis would drop axis {axis} of a tensor of shape {text(x.shape)}, whose size "
                        "is 1 in this run only, and so change the rank; say which axes to drop (axis=...), or the "
                        "size by set_shape")
        kept = tuple(s for i, s in enumerate(x.shape) if i not in axes)
        return with_moved_value(self, Spec(x.dtype, kept), x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.squeeze(x, axis=self.squeeze_dims) if self.squeeze_dims else np.squeeze(x)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.reshape(dy, g.shape(node.inputs[0]))]
