"""Rarer forms of joining, and shapes of several tensors: Concat (TF's first one), ParallelConcat, ConcatOffset, ShapeN,
BroadcastArgs."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, bool_, float64, int32, int64
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.op import (
    OPS,
    Composite,
    Op,
    Permuted,
    Sample,
    attr,
    normalise_axis,
    operand_field,
    register,
    same_dtypes,
)
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.array.refuse import require_none


@register
class Concat(Composite):
    """The values one after the other along `concat_dim`: ConcatV2 with the axis in front."""

    operands = ("concat_dim", "values*")
    results = ("output",)
    types: ClassVar = {"T": "values*"}
    concat_dim: int = operand_field("int")
    samples: ClassVar = [Sample({"concat_dim": a}, s, (d,) * len(s)) for a, s, d in (
        (0, ((2, 3), (5, 3)), None), (2, ((2, 3, 5), (2, 3, 1), (2, 3, 7)), float64), (1, ((4, 0), (4, 17)), None),
        (0, ((7,),), int32))] + [
        Sample({"concat_dim": 0}, (np.array([True, False]), np.array([False])), (bool_, bool_), gradient=False)]

    def infer(self, *values: Spec) -> Spec:
        made: Spec = OPS.make("ConcatV2", axis=self.concat_dim).infer(*values)  # type: ignore[assignment]
        return made

    def reference(self, *values: np.ndarray) -> np.ndarray:
        return np.concatenate(values, axis=self.concat_dim)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        values = node.inputs[1:]
        if len(values) == 1:
            return [None, dy]
        sizes = g.pack([g.shape(v)[self.concat_dim] for v in values])
        return [None, *g.split_v(dy, sizes, self.concat_dim, num_split=len(values))]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        moved = replace(self, concat_dim=perm.index(normalise_axis(self.concat_dim, len(perm))))
        return Permuted(moved, (perm,) * len(ranks), (perm,))

    def expand(self, emit: Any, *values: Any) -> Any:
        return emit(OPS.make("ConcatV2", axis=self.concat_dim), *values)


@register
class ParallelConcat(Composite):
    """Values whose first axis has size 1, one after the other along it; `shape` is that of the result."""

    operands = ("values*",)
    results = ("output",)
    types: ClassVar = {"T": "values*"}
    shape: Shape = attr("shape")
    samples: ClassVar = [Sample({"shape": w}, (s,) * w[0], (d,) * w[0], gradient=False) for w, s, d in (
        ((2, 3), (1, 3), None), ((3, 2, 5), (1, 2, 5), float64), ((1,), (1,), int64), ((2, 0), (1, 0), None))]

    def infer(self, *values: Spec) -> Spec:
        if not values:
            raise ValueError("at least one value is needed")
        same_dtypes(self, values)
        if self.shape is None or not all(isinstance(s, int) for s in self.shape):
            raise ValueError(f"the shape {text(self.shape)} must be fully known")
        if not self.shape or self.shape[0] != len(values):
            raise ValueError(f"the shape {text(self.shape)} must begin with {len(values)}, the number of values")
        for i, value in enumerate(values):
            wanted = (1, *self.shape[1:])
            message = f"value {i} of shape {text(value.shape)} must have shape {text(wanted)}"
            if value.shape is None:
                continue
            if len(value.shape) != len(wanted):
                raise ValueError(message)
            for have, want in zip(value.shape, wanted, strict=True):
                require_equal(have, want, message)
        return Spec(values[0].dtype, self.shape)

    def reference(self, *values: np.ndarray) -> np.ndarray:
        return np.concatenate(values, axis=0)

    def expand(self, emit: Any, *values: Any) -> Any:
        joined = emit(OPS.make("ConcatV2", axis=0), *values)
        return emit(OPS.make("Reshape", shape=self.shape), joined)


@register
class ConcatOffset(Op):
    """Where each of the tensors of these shapes begins in their concatenation along concat_dim."""

    operands = ("concat_dim", "shape*")
    results = ("offset*",)
    types: ClassVar = {"shape_type": "shape*"}
    concat_dim: int = operand_field("int")
    samples: ClassVar = [Sample({"concat_dim": a}, tuple(np.array(s, d.numpy) for s in shapes), gradient=False)
                         for a, shapes, d in ((1, ([2, 2, 7], [2, 3, 7], [2, 5, 7]), int32), (0, ([4], [1]), int64),
                                              (-1, ([3, 0], [3, 5]), int32), (0, ([3, 4],), int32))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return tuple(x.dtype for x in inputs)

    def infer(self, *shapes: Spec) -> tuple[Spec, ...]:
        if not shapes:
            raise ValueError("at least one shape is needed")
        same_dtypes(self, shapes)
        for shape in shapes:
            check_dtype(self, "shape", shape.dtype, "index")
            check_rank("shape", shape, 1)
        known = [s.shape[0] for s in shapes if s.shape is not None]
        for size in known[1:]:
            require_equal(known[0], size, "the shapes must be of one length")
        if known and isinstance(known[0], int):
            normalise_axis(self.concat_dim, known[0])
        made = [Spec(s.dtype, s.shape) for s in shapes]
        values = [s.value for s in shapes]
        if any(v is None for v in values):
            return tuple(made)
        axis, begin = normalise_axis(self.concat_dim, len(values[0] or ())), 0
        offsets: list[Spec] = []
        for spec, value in zip(made, values, strict=True):
            assert value is not None and values[0] is not None
            for i, (a, b) in enumerate(zip(values[0], value, strict=True)):
                if i != axis:
                    require_equal(a, b, f"axis {i} of the shapes, all but axis {axis} must be equal")
            offsets.append(spec.with_value([begin if i == axis else 0 for i in range(len(value))]))
            begin = begin + value[axis]  # type: ignore[assignment]
        return tuple(offsets)

    def reference(self, *shapes: np.ndarray) -> tuple[np.ndarray, ...]:
        begins = np.cumsum([0, *(s[self.concat_dim] for s in shapes[:-1])])
        made = [np.zeros_like(s) for s in shapes]
        for offset, begin in zip(made, begins, strict=True):
            offset[self.concat_dim] = begin
        return tuple(made)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        axis: Any = normalise_axis(self.concat_dim, inputs[0].shape[0]) if isinstance(inputs[0].shape[0], int) else (
            self.concat_dim + inputs[0].shape[0] if self.concat_dim < 0 else self.concat_dim)
        for i, y in enumerate(outputs):
            b.fill(y, 0)
            if i:
                before = [x.part(0, axis, 1) for x in (outputs[i - 1], inputs[i - 1])]
                b.map(lambda s, begin, size: s("add", begin, size), before, [y.part(0, axis, 1)])


@register
class ShapeN(Op):
    """The shapes of the inputs."""

    moves = True
    operands = ("input*",)
    results = ("output*",)
    types: ClassVar = {"T": "input*"}
    out_type: DType = attr("type", int32)
    samples: ClassVar = [Sample({"out_type": d}, s, gradient=False) for d in (int32, int64)
                         for s in (((2, 3), (5,)), ((), (0, 3), (7, 1, 2)), ((4,),))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.out_type,) * len(inputs)

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        same_dtypes(self, inputs)
        shape = OPS.make("Shape", out_type=self.out_type)
        return tuple(shape.infer(x) for x in inputs)  # type: ignore[misc]

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(np.array(x.shape, self.out_type.numpy) for x in inputs)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        for x, y in zip(inputs, outputs, strict=True):
            OPS.make("Shape", out_type=self.out_type).lower(b, [x], [y])


@register
class BroadcastArgs(Op):
    """The shape that tensors of the shapes s0 and s1 have together, by NumPy's rules."""

    checks_data = True
    operands = ("s0", "s1")
    results = ("r0",)
    types: ClassVar = {"T": "s0"}
    samples: ClassVar = [Sample({}, (np.array(a, d.numpy), np.array(b, d.numpy)), gradient=False) for a, b, d in (
        ([3, 3], [3], int32), ([1, 1, 1], [7, 7, 7], int64), ([], [4], int32), ([0], [1], int32), ([], [], int64),
        ([4, 4], [1, 1, 1], int32))]      # equal sizes: any order of them and any part fits as well

    def infer(self, a: Spec, b: Spec) -> Spec:
        same_dtypes(self, (a, b))
        for name, spec in (("s0", a), ("s1", b)):
            check_dtype(self, name, spec.dtype, "index")
            check_rank(name, spec, 1)
        if a.shape is None or b.shape is None:
            return Spec(a.dtype, (dims.symbol("rank", ("rank",)),))
        made = Spec(a.dtype, (dims.maximum(a.shape[0], b.shape[0]),))
        if a.value is None or b.value is None:
            return made
        length = max(len(a.value), len(b.value))
        pairs = zip((*((1,) * (length - len(a.value))), *a.value), (*((1,) * (length - len(b.value))), *b.value),
                    strict=True)
        return made.with_value([dims.broadcast(x, y) for x, y in pairs])

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        length = max(len(a), len(b))
        left, right = (np.concatenate([np.ones(length - len(x), x.dtype), x]) for x in (a, b))
        if np.any((left != right) & (left != 1) & (right != 1)):
            raise InvalidArgumentError(f"shapes {a} and {b} do not broadcast")
        return np.where(left == 1, right, left).astype(a.dtype)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        padded = []
        for x in inputs:
            full = b.temporary(x.dtype, y.shape)
            b.fill(full, 1)
            b.copy(x, full.part(0, y.shape[0] - x.shape[0], x.shape[0]))
            padded.append(full)

        def clashes(s: Any, m: Any, n: Any) -> Any:
            one = s.constant(1, y.dtype)
            unlike = s("and", s("not_equal", m, one), s("not_equal", n, one))
            return s("and", unlike, s("not_equal", m, n))

        require_none(b, clashes, padded, y.shape, "the shapes s0 and s1 do not broadcast: sizes differ and are not 1")
        b.map(lambda s, m, n: s("select", s("equal", m, s.constant(1, y.dtype)), n, m), padded, [y])
