"""Tensors put together and taken apart along an axis: ConcatV2, Pack, Unpack, Split, SplitV."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import nonnegative
from graphc.ir.dtypes import DType, bool_, float64, int32, int64
from graphc.ir.known import known_ints, require_nonnegative, with_moved_value
from graphc.ir.op import Op, Permuted, Sample, attr, normalise_axis, operand_field, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_equal, require_less_equal, text
from graphc.ir.tensor import Operation, Tensor


@register
class ConcatV2(Op):
    """The values one after the other along `axis`."""

    operands = ("values*", "axis")
    results = ("output",)
    types: ClassVar = {"T": "values*", "Tidx": "axis"}
    moves = True
    axis: int = operand_field("int")
    samples: ClassVar = [Sample({"axis": a}, s, (d,) * len(s)) for a, s, d in (
        (0, ((2, 3), (5, 3)), None), (-1, ((2, 3, 5), (2, 3, 1), (2, 3, 7)), float64), (1, ((4, 0), (4, 17)), None),
        (1, ((3, 2, 2), (3, 5, 2)), int64), (0, ((7,),), int32))] + [
        Sample({"axis": 0}, (np.array([True, False]), np.array([False])), (bool_, bool_))]

    def infer(self, *values: Spec) -> Spec:
        if not values:
            raise ValueError("at least one value is needed")
        same_dtypes(self, values)
        known = [v.shape for v in values if v.shape is not None]
        if not known:
            return Spec(values[0].dtype, None)
        axis = normalise_axis(self.axis, len(known[0]))
        result = list(known[0])
        for i, shape_ in enumerate(known[1:], 1):
            if len(shape_) != len(result):
                raise ValueError(
                    f"values must have the same rank, but value 0 has shape {text(known[0])} and value {i} "
                    f"{text(shape_)}"
                )
            for j, size in enumerate(shape_):
                if j == axis:
                    result[j] = result[j] + size
                else:
                    result[j] = require_equal(
                        result[j],
                        size,
                        f"axis {j} of value {i} of shape {text(shape_)} does not fit "
                        f"that of value 0 of shape {text(known[0])}",
                    )
        if len(known) != len(values):
            result[axis] = dims.symbol("concat", ("runtime", "concat"))
        return with_moved_value(self, Spec(values[0].dtype, tuple(result)), *values)

    def reference(self, *values: np.ndarray) -> np.ndarray:
        return np.concatenate(values, axis=self.axis)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        values = node.inputs[:-1]
        if len(values) == 1:
            return [dy, None]
        # The axis may count from the end: the rank need not be known yet.
        sizes = g.pack([g.shape(v)[self.axis] for v in values])
        return [*g.split_v(dy, sizes, self.axis, num_split=len(values)), None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        moved = replace(self, axis=perm.index(normalise_axis(self.axis, len(perm))))
        return Permuted(moved, (perm,) * len(ranks), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        axis = normalise_axis(self.axis, y.rank)
        begin: dims.Size = 0
        for x in inputs:
            b.copy(x, y.part(axis, begin, x.shape[axis]))
            begin = begin + x.shape[axis]


@register
class Pack(Op):
    """The values, all of one shape, stacked along a new axis."""

    operands = ("values*",)
    results = ("output",)
    types: ClassVar = {"T": "values*"}
    moves = True
    axis: int = attr("int", 0)
    samples: ClassVar = [Sample({"axis": a}, (s,) * n, (d,) * n) for a, s, n, d in (
        (0, (3,), 2, None), (-1, (2, 3), 5, float64), (1, (2, 3, 5), 3, int64), (0, (), 4, None), (1, (3, 0), 2, None))]

    def infer(self, *values: Spec) -> Spec:
        if not values:
            raise ValueError("at least one value is needed")
        same_dtypes(self, values)
        known = [v.shape for v in values if v.shape is not None]
        if not known:
            return Spec(values[0].dtype, None)
        one: Shape = known[0]
        for i, other in enumerate(known[1:], 1):
            if len(other) != len(one):
                raise ValueError(
                    f"values must have one shape, but value 0 has {text(known[0])} and value {i} {text(other)}"
                )
            one = tuple(require_equal(a, b, f"shapes {text(known[0])} of value 0 and {text(other)} of value {i} differ")
                        for a, b in zip(one, other, strict=True))
        axis = normalise_axis(self.axis, len(one) + 1)
        return with_moved_value(self, Spec(values[0].dtype, (*one[:axis], len(values), *one[axis:])), *values)

    def reference(self, *values: np.ndarray) -> np.ndarray:
        return np.stack(values, axis=self.axis)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return list(g.unpack(dy, num=len(node.inputs), axis=self.axis))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        axis = normalise_axis(self.axis, outputs[0].rank)
        for i, x in enumerate(inputs):
            b.copy(x, outputs[0].select(axis, i))


@register
class Unpack(Op):
    """The slices of value along `axis`, each without it."""

    operands = ("value",)
    results = ("output*",)
    types: ClassVar = {"T": "value"}
    moves = True
    num: int = attr("int")
    axis: int = attr("int", 0)
    samples: ClassVar = [Sample({"num": n, "axis": a}, (s,), (d,)) for n, a, s, d in (
        (2, 0, (2, 3), None), (5, -1, (2, 3, 5), float64), (3, 1, (2, 3, 5), int64), (3, 0, (3,), None))]

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        if x.shape is None:
            return (Spec(x.dtype, None),) * self.num
        axis = normalise_axis(self.axis, len(x.shape))
        require_equal(
            x.shape[axis], self.num, f"the size of axis {axis} of a value of shape {text(x.shape)} must be num"
        )
        made = Spec(x.dtype, x.shape[:axis] + x.shape[axis + 1:])
        if x.value is None:
            return (made,) * self.num
        return tuple(with_moved_value(_Part(self, i), made, x) for i in range(self.num))  # type: ignore[arg-type]

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(np.moveaxis(x, self.axis, 0))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        given = [g.zeros_like(y) if dy is None else dy for dy, y in zip(dys, node.outputs, strict=True)]
        return [g.pack(given, axis=self.axis)]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        axis = normalise_axis(self.axis, inputs[0].rank)
        for i, y in enumerate(outputs):
            b.copy(inputs[0].select(axis, i), y)


class _Part:
    """One result of an op, for `with_moved_value`."""

    def __init__(self, op: Op, index: int) -> None:
        self.op, self.index = op, index

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.op.reference(x)[self.index], dtype=object)


def _lower_split(b: Any, x: Any, outputs: Any, axis: int) -> None:
    begin: dims.Size = 0
    for y in outputs:
        b.copy(x.part(axis, begin, y.shape[axis]), y)
        begin = begin + y.shape[axis]


def _split_grad(g: GradientBuilder, node: Operation, axis: int, dys: Sequence[Any]) -> Tensor:
    return g.concat_v2([g.zeros_like(y) if dy is None else dy for dy, y in zip(dys, node.outputs, strict=True)], axis)


@register
class Split(Op):
    """num_split equal parts of value along `split_dim`."""

    operands = ("split_dim", "value")
    results = ("output*",)
    types: ClassVar = {"T": "value"}
    moves = True
    split_dim: int = operand_field("int")
    num_split: int = attr("int")
    samples: ClassVar = [Sample({"split_dim": a, "num_split": n}, (s,), (d,)) for a, n, s, d in (
        (0, 2, (4, 3), None), (-1, 5, (2, 3, 5), float64), (1, 3, (2, 9), int64), (0, 1, (3,), None))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[0].dtype,) * self.num_split

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        if x.shape is None:
            return (Spec(x.dtype, None),) * self.num_split
        axis = normalise_axis(self.split_dim, len(x.shape))
        require_equal(
            dims.mod(x.shape[axis], self.num_split),
            0,
            f"axis {axis} of a value of shape {text(x.shape)} must be a multiple of num_split {self.num_split}",
        )
        made = Spec(x.dtype, (*x.shape[:axis], dims.floordiv(x.shape[axis], self.num_split), *x.shape[axis + 1:]))
        if x.value is None:
            return (made,) * self.num_split
        return tuple(with_moved_value(_Part(self, i), made, x) for i in range(self.num_split))  # type: ignore[arg-type]

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(np.split(x, self.num_split, axis=self.split_dim))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [None, _split_grad(g, node, self.split_dim, dys)]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        moved = replace(self, split_dim=perm.index(normalise_axis(self.split_dim, len(perm))))
        return Permuted(moved, (perm,), (perm,) * self.num_split)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        _lower_split(b, inputs[0], outputs, normalise_axis(self.split_dim, inputs[0].rank))


@register
class SplitV(Op):
    """Parts of value of the sizes `size_splits` along `split_dim`; one size may be -1: what is left."""

    operands = ("value", "size_splits", "split_dim")
    results = ("output*",)
    types: ClassVar = {"T": "value", "Tlen": "size_splits"}
    moves = True
    size_splits: tuple[dims.Size, ...] = operand_field("ints")
    split_dim: int = operand_field("int")
    num_split: int = attr("int")
    samples: ClassVar = [Sample({"size_splits": z, "split_dim": a, "num_split": len(z)}, (s,), (d,)) for z, a, s, d in (
        ((1, 3), 0, (4, 3), None), ((2, -1, 1), -1, (2, 3, 5), float64), ((0, 9), 1, (2, 9), int64))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[0].dtype,) * self.num_split

    def infer(self, x: Spec) -> tuple[Spec, ...]:
        if len(self.size_splits) != self.num_split:
            raise ValueError(f"num_split is {self.num_split}, but there are {len(self.size_splits)} sizes")
        if x.shape is None:
            return (Spec(x.dtype, None),) * self.num_split
        axis = normalise_axis(self.split_dim, len(x.shape))
        rest = [i for i, s in enumerate(self.size_splits) if isinstance(s, int) and s == -1]
        if len(rest) > 1:
            raise ValueError(f"only one of the sizes may be -1, but they are {text(self.size_splits)}")
        # One that is known only while running may be -1 too, if no other is.
        inferred = [int(i in rest) if nonnegative(s) or rest else dims.equal(s, -1)
                    for i, s in enumerate(self.size_splits)]
        given = [dims.select(flag, 0, s) for flag, s in zip(inferred, self.size_splits, strict=True)]
        left = x.shape[axis] - sum(given)
        sizes = [dims.select(flag, left, s) for flag, s in zip(inferred, given, strict=True)]
        if isinstance(left, int) and left < 0 and rest:
            raise ValueError(f"sizes {text(self.size_splits)} are more than axis {axis} of shape {text(x.shape)} has")
        message = f"the sizes {text(self.size_splits)} must add up to axis {axis} of a value of shape {text(x.shape)}"
        require_less_equal(sum(inferred), 1, f"{message}: only one may be -1")
        require_nonnegative(sizes, f"{message}: none may be negative")
        require_equal(sum(sizes), x.shape[axis], message)
        made = tuple(Spec(x.dtype, (*x.shape[:axis], size, *x.shape[axis + 1:])) for size in sizes)
        if x.value is None or not all(isinstance(s, int) for s in sizes):
            return made
        whole = replace(self, size_splits=tuple(sizes))
        return tuple(with_moved_value(_Part(whole, i), m, x) for i, m in enumerate(made))  # type: ignore[arg-type]

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        sizes = list(known_ints(self.size_splits, "size_splits"))
        if -1 in sizes:
            sizes[sizes.index(-1)] = x.shape[self.split_dim] - sum(s for s in sizes if s != -1)
        return tuple(np.split(x, np.cumsum(sizes)[:-1], axis=self.split_dim))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [_split_grad(g, node, self.split_dim, dys), None, None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        moved = replace(self, split_dim=perm.index(normalise_axis(self.split_dim, len(perm))))
        return Permuted(moved, (perm,), (perm,) * self.num_split)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        _lower_split(b, inputs[0], outputs, normalise_axis(self.split_dim, inputs[0].rank))
