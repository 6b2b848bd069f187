"""Parts of a tensor: Slice, StridedSlice with all its masks, and their gradients. NumPy's notation: getitem.py."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size, nonnegative
from graphc.ir.dtypes import float64, int64
from graphc.ir.elementwise import check_kind
from graphc.ir.known import require_nonnegative, with_moved_value
from graphc.ir.op import Op, Permuted, Sample, View, attr, operand_field, register
from graphc.ir.spec import Shape, Spec, require_equal, require_less_equal, text
from graphc.ir.tensor import Operation
from graphc.ir.values import zeros
from graphc.ops.array.pad import lower_pad
from graphc.ops.array.strides import Dense, dense


@register
class Slice(View):
    """size elements of each axis of input from `begin` on; size -1: all that is left."""

    operands = ("input", "begin", "size")
    results = ("output",)
    types: ClassVar = {"T": "input", "Index": "begin"}
    begin: tuple[Size, ...] = operand_field("ints")
    size: tuple[Size, ...] = operand_field("ints")
    samples: ClassVar = [Sample({"begin": b, "size": z}, (s,), (d,)) for b, z, s, d in (
        ((0, 1, 2), (2, 2, -1), (2, 3, 5), None), ((3,), (4,), (17,), float64), ((1, 0), (0, 5), (4, 5), int64),
        ((), (), (), None))]

    def sizes_of(self, shape: Shape) -> Shape:
        if len(self.begin) != len(shape) or len(self.size) != len(shape):
            raise ValueError(
                f"begin and size must have one element for each of the {len(shape)} axes of input, but have "
                f"{len(self.begin)} and {len(self.size)}"
            )
        return tuple(size if nonnegative(size) else dims.select(dims.equal(size, -1), have - first, size)
                     for have, first, size in zip(shape, self.begin, self.size, strict=True))

    def infer(self, x: Spec) -> Spec:
        if x.shape is None:
            return Spec(x.dtype, None)
        sizes = self.sizes_of(x.shape)
        for axis, (first, size, have) in enumerate(zip(self.begin, sizes, x.shape, strict=True)):
            message = (
                f"axis {axis} of a tensor of shape {text(x.shape)} has no slice of {size} elements from {first} on"
            )
            require_nonnegative((first, size), message)
            require_less_equal(first + size, have, message)
        return with_moved_value(self, Spec(x.dtype, sizes), x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x[tuple(slice(b, None if s == -1 else b + s)  # type: ignore[misc]
                       for b, s in zip(self.begin, self.size, strict=True))]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        x, begin, _ = node.inputs
        ones = g.ones_like(begin) if self.begin is None else np.ones(len(self.begin), begin.dtype.numpy)
        # The slice as a strided slice: size[i] elements from begin[i] on; dy's shape says how many.
        return [g.strided_slice_grad(g.shape(x), begin, begin + g.shape(dy, out_type=begin.dtype),
                      ones, dy), None, None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        moved = replace(self, begin=tuple(self.begin[p] for p in perm), size=tuple(self.size[p] for p in perm))
        return Permuted(moved, (perm,), (perm,))

    def is_whole(self, shape: Shape) -> bool:
        return all(dims.same(size, have) for size, have in zip(self.sizes_of(shape), shape, strict=True))

    def view(self, b: Any, x: Any) -> Any:
        return x.slice(self.begin, self.sizes_of(x.shape))


_SLICES: list[tuple[dict[str, Any], tuple[int, ...], Any]] = [
    ({"begin": (1, 0), "end": (3, 4), "strides": (1, 2)}, (4, 5), None),
    ({"begin": (-1,), "end": (0,), "strides": (-1,), "end_mask": 1}, (17, 3), float64),
    ({"begin": (0, 2), "end": (0, 3), "strides": (1, 1), "ellipsis_mask": 1, "shrink_axis_mask": 2}, (2, 3, 5), None),
    ({"begin": (0, 0, 1), "end": (0, 0, 9), "strides": (1, 1, 3), "begin_mask": 2, "end_mask": 2, "new_axis_mask": 1},
     (7, 5), int64),
    ({"begin": (-2,), "end": (-1,), "strides": (1,), "shrink_axis_mask": 1}, (3,), None),
    ({"begin": (5,), "end": (2,), "strides": (1,)}, (7,), None),
    ({"begin": (1, 3), "end": (9, 9), "strides": (1, 1)}, (0, 2), None),
    ({"begin": (6, 4), "end": (1, 0), "strides": (-2, -1), "end_mask": 2}, (8, 5), None),
]


def _numpy_index(op: Any) -> tuple[Any, ...]:
    """A strided slice as NumPy's index: the references' reading of the masks."""
    index: list[Any] = []
    for i, (begin, end, stride) in enumerate(zip(op.begin, op.end, op.strides, strict=True)):
        ellipsis, new_axis, shrink, from_first, to_last = (mask >> i & 1 for mask in (
            op.ellipsis_mask, op.new_axis_mask, op.shrink_axis_mask, op.begin_mask, op.end_mask))
        part = slice(None if from_first else begin, None if to_last else end, stride)
        index.append(... if ellipsis else None if new_axis else begin if shrink else part)
    return tuple(index)


@register
class StridedSlice(View):
    """input[begin:end:strides] with TensorFlow's masks, one bit an entry (see strides.py)."""

    operands = ("input", "begin", "end", "strides")
    results = ("output",)
    types: ClassVar = {"T": "input", "Index": "begin"}
    begin: tuple[Size, ...] = operand_field("ints")
    end: tuple[Size, ...] = operand_field("ints")
    strides: tuple[Size, ...] = operand_field("ints")
    begin_mask: int = attr("int", 0)
    end_mask: int = attr("int", 0)
    ellipsis_mask: int = attr("int", 0)
    new_axis_mask: int = attr("int", 0)
    shrink_axis_mask: int = attr("int", 0)
    samples: ClassVar = [Sample(fields, (shape,), (dtype,)) for fields, shape, dtype in _SLICES]

    def infer(self, x: Spec) -> Spec:
        if x.shape is None:
            return Spec(x.dtype, None)
        return with_moved_value(self, Spec(x.dtype, dense(self, x.shape).result), x)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x[_numpy_index(self)]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        x, begin, end, strides = node.inputs
        return [g.strided_slice_grad(g.shape(x), begin, end, strides, dy, begin_mask=self.begin_mask,
                      end_mask=self.end_mask, ellipsis_mask=self.ellipsis_mask, new_axis_mask=self.new_axis_mask,
                      shrink_axis_mask=self.shrink_axis_mask), None, None, None]

    def is_whole(self, shape: Shape) -> bool:
        plan = dense(self, shape)
        return all(dims.same(size, have) and (dims.same(have, 1) or dims.same(stride, 1))
                   for size, have, stride in zip(plan.size, shape, plan.stride, strict=True))

    def view(self, b: Any, x: Any) -> Any:
        return _slice_access(x, dense(self, x.shape))


def _slice_access(x: Any, plan: Dense) -> Any:
    """The access of the slice's elements in the shape of the result."""
    part = x.slice(plan.begin, plan.size, plan.stride)
    part = part.squeeze([i for i, shrunk in enumerate(plan.shrink) if shrunk])
    for axis in plan.new_axes:
        part = part.expand(axis)
    return part


def _ends(have: Size, begin: Size, size: Size) -> tuple[Size, Size]:
    """What is in front of the slice and after it. A slice that begins after the end has no elements."""
    before = begin if dims.same(begin, 0) else dims.minimum(begin, have - size)
    return before, have - size - before


@register
class StridedSliceGrad(Op):
    """Zeros of shape `shape`, with dy where StridedSlice of that shape would read."""

    operands = ("shape", "begin", "end", "strides", "dy")
    results = ("output",)
    types: ClassVar = {"T": "dy", "Index": "begin"}
    moves = True
    shape: tuple[Size, ...] = operand_field("ints")
    begin: tuple[Size, ...] = operand_field("ints")
    end: tuple[Size, ...] = operand_field("ints")
    strides: tuple[Size, ...] = operand_field("ints")
    begin_mask: int = attr("int", 0)
    end_mask: int = attr("int", 0)
    ellipsis_mask: int = attr("int", 0)
    new_axis_mask: int = attr("int", 0)
    shrink_axis_mask: int = attr("int", 0)
    samples: ClassVar = [Sample({**fields, "shape": shape}, (np.ones(shape, np.float32)[
        _numpy_index(StridedSlice(**fields))].shape,)) for fields, shape, _ in _SLICES]

    def infer(self, dy: Spec) -> Spec:
        check_kind(self, (dy,), "element")
        if dy.shape is not None:
            wanted = dense(self, self.shape).result
            if len(wanted) != len(dy.shape):
                raise ValueError(f"dy has shape {text(dy.shape)}, but the slice has {text(wanted)}")
            for a, b in zip(wanted, dy.shape, strict=True):
                require_equal(a, b, f"dy of shape {text(dy.shape)} must have the slice's shape {text(wanted)}")
        return Spec(dy.dtype, self.shape)

    def reference(self, dy: np.ndarray) -> np.ndarray:
        result = zeros(self.shape, dy.dtype)  # type: ignore[arg-type]
        result[_numpy_index(self)] = dy
        return result

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        _, begin, end, strides, _ = node.inputs
        back = g.strided_slice(dy, begin, end, strides, begin_mask=self.begin_mask, end_mask=self.end_mask,
                     ellipsis_mask=self.ellipsis_mask, new_axis_mask=self.new_axis_mask,
                     shrink_axis_mask=self.shrink_axis_mask)
        return [None, None, None, None, back]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        (dy,), (y,), plan = inputs, outputs, dense(self, outputs[0].shape)
        if all(dims.same(stride, 1) for stride in plan.stride):
            ends = [_ends(*sizes) for sizes in zip(y.shape, plan.begin, plan.size, strict=True)]
            lower_pad(b, b.reshape(dy, plan.size), None, y, ends)
            return
        b.fill(y, 0)
        target = _slice_access(y, plan)
        b.copy(replace(dy, shape=target.shape), target)
