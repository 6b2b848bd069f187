"""Tensors of one value or of a row of numbers: Fill, ZerosLike, OnesLike, Range; zeros and ones."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size, nonnegative
from graphc.ir.dtypes import DType, bool_, float64, int32, int64
from graphc.ir.elementwise import KINDS, check_kind
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Elementwise, Op, Sample, View, attr, operand_field, register
from graphc.ir.spec import VALUE_LIMIT, Spec, require_less_equal
from graphc.ir.tensor import Operation
from graphc.ir.values import zeros


@register
class Fill(View):
    """value everywhere, in the shape `dims`."""

    operands = ("dims", "value")
    results = ("output",)
    types: ClassVar = {"T": "value", "index_type": "dims"}
    dims: tuple[Size, ...] = operand_field("ints")
    samples: ClassVar = [Sample({"dims": s}, ((),), (d,)) for s, d in (
        ((2, 3, 5), None), ((), float64), ((0, 3), None), ((17,), int64))]

    def infer(self, value: Spec) -> Spec:
        if value.shape not in (None, ()):
            raise ValueError(f"value must be a scalar, but has rank {len(value.shape or ())}")
        if any(isinstance(s, int) and s < 0 for s in self.dims):
            raise ValueError(f"sizes must not be negative, but dims is {self.dims}")
        require_nonnegative(self.dims, "sizes must not be negative")
        made = Spec(value.dtype, self.dims)
        count = dims.product(self.dims)
        if value.value is not None and isinstance(count, int) and count <= VALUE_LIMIT:
            return made.with_value(value.value * count)
        return made

    def reference(self, value: np.ndarray) -> np.ndarray:
        return np.full(self.dims, value)  # type: ignore[arg-type]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None, g.sum_to(dy, np.zeros(0, np.int32))]

    def view(self, b: Any, x: Any) -> Any:
        return x.broadcast(self.dims)


def _like_samples() -> list[Sample]:
    return [Sample({}, (s,), (d,)) for s, d in (((2, 3, 5), None), ((), float64), ((0, 3), None), ((17,), int64),
                                               ((3,), bool_))]


@register
class ZerosLike(Elementwise):
    """Zeros of the shape and dtype of x."""

    fills: ClassVar = 0
    operands = ("x",)
    types: ClassVar = {"T": "x"}
    samples: ClassVar = _like_samples()

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "element")
        return super().infer(*inputs)

    def scalar(self, s: Any, x: Any) -> Any:
        return s.constant(0, s.dtype(x))

    def reference(self, x: np.ndarray) -> np.ndarray:
        return zeros(x.shape, x.dtype)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]


@register
class OnesLike(Elementwise):
    """Ones of the shape and dtype of x."""

    fills: ClassVar = 1
    operands = ("x",)
    types: ClassVar = {"T": "x"}
    samples: ClassVar = _like_samples()

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "any")
        return super().infer(*inputs)

    def scalar(self, s: Any, x: Any) -> Any:
        return s.constant(1, s.dtype(x))

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.ones_like(x)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None]


@register
class Range(Op):
    """start, start + delta, ... below limit (above it if delta is negative), for integers."""

    operands = ("start", "limit", "delta")
    results = ("output",)
    start: Size = operand_field("int")
    limit: Size = operand_field("int")
    delta: Size = operand_field("int")
    dtype: DType = attr("type", int32, name="Tidx")
    samples: ClassVar = [Sample({"start": a, "limit": b, "delta": c, "dtype": d}) for a, b, c, d in (
        (0, 17, 1, int32), (3, 31, 4, int64), (5, -6, -2, int32), (4, 4, 1, int32), (-3, 4, 1, int64))]

    def infer(self) -> Spec:
        if self.dtype not in KINDS["index"]:
            raise TypeError(
                f"a range of {self.dtype.name} is supported only if start, limit and delta are Python numbers; make "
                "one of int32 or int64 and cast it (gc.cast)"
            )
        if isinstance(self.delta, int) and self.delta == 0:
            raise ValueError("delta must not be 0")
        down = 0 if nonnegative(self.delta) else dims.less(self.delta, 0)
        span = dims.select(down, self.start - self.limit, self.limit - self.start)
        step = dims.select(down, self.delta * -1, self.delta)
        if not isinstance(step, int):
            require_less_equal(1, step, "delta must not be 0")
            step = dims.maximum(step, 1)
        count = span if isinstance(step, int) and step == 1 else dims.floordiv(span + (step - 1), step)
        if not nonnegative(count):
            count = dims.maximum(count, 0)
        made = Spec(self.dtype, (count,))
        if isinstance(count, int) and count <= VALUE_LIMIT:
            return made.with_value([self.start + i * self.delta for i in range(count)])
        return made

    def reference(self) -> np.ndarray:
        return np.arange(self.start, self.limit, self.delta, dtype=self.dtype.numpy)  # type: ignore[arg-type]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        y = outputs[0]
        numbers = (self.start, self.delta)
        unknown = [v for v in numbers if not isinstance(v, int)]
        stored = b.temporary(int64, (len(unknown),))
        if unknown:
            b.store_sizes(unknown, stored)

        def element(s: Any, *loaded: Any) -> Any:
            given = iter(loaded)
            first, delta = (s.constant(v, int64) if isinstance(v, int) else next(given) for v in numbers)
            return s.cast(s("add", first, s("mul", s.index(0), delta)), y.dtype)

        b.map(element, [stored.select(0, i).broadcast(y.shape) for i in range(len(unknown))], [y])

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None, None, None]
