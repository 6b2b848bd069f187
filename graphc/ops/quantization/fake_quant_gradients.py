"""Gradients of simulated quantization: to inputs inside of the nudged range, to min of those below, to max of those
above."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import bool_, float32
from graphc.ir.op import OPS, Composite, Elementwise, Sample, attr, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.quantization.fake_quant import (
    CHANNELS,
    SCALARS,
    VALUES,
    F,
    FakeQuantWithMinMaxArgs,
    check,
    check_range,
    is_nothing,
    levels_of,
    nudged,
    scalar_nudged,
)


def _scalar_inside(s: Any, x: Any, low: Any, high: Any, levels: tuple[int, int]) -> Any:
    _, bottom, top = scalar_nudged(s, low, high, *levels)
    inside = s("and", s("less_equal", bottom, x), s("less_equal", x, top))
    return s("or", is_nothing(s, low, high), inside)


@register
class FakeQuantWithMinMaxArgsGradient(Elementwise):
    """gradients where inputs lie in the nudged range, else 0."""

    operands = ("gradients", "inputs")
    results = ("backprops",)
    min: float = attr("float", -6.0)
    max: float = attr("float", 6.0)
    num_bits: int = attr("int", 8)
    narrow_range: bool = attr("bool", False)
    samples: ClassVar = [Sample(s.attributes, ((12,), VALUES), gradient=False) for s in
                         FakeQuantWithMinMaxArgs.samples[:5]]

    def infer(self, *inputs: Spec) -> Spec:
        check(self, *inputs)
        if not self.min < self.max:
            raise ValueError(f"min {self.min} has to be smaller than max {self.max}")
        return _same_shape(*inputs)

    def reference(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        _, bottom, top = nudged(np.asarray(self.min, F), np.asarray(self.max, F), int(self.narrow_range),
                                 2**self.num_bits - 1)
        return np.where((x >= bottom) & (x <= top), dy, F(0))

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None, None]

    def scalar(self, s: Any, dy: Any, x: Any) -> Any:
        low, high = s.constant(self.min, float32), s.constant(self.max, float32)
        return s("select", _scalar_inside(s, x, low, high, levels_of(self)), dy, s.constant(0, float32))


def _same_shape(dy: Spec, x: Spec) -> Spec:
    if dy.shape is None or x.shape is None:
        return Spec(x.dtype, x.shape if dy.shape is None else dy.shape)
    message = f"gradients of shape {text(dy.shape)} and inputs of shape {text(x.shape)} must have one shape"
    if len(dy.shape) != len(x.shape):
        raise ValueError(message)
    return Spec(x.dtype, tuple(require_equal(a, b, message) for a, b in zip(dy.shape, x.shape, strict=True)))


@register
class _FakeQuantSide(Elementwise):
    """Whether inputs lie below (-1), in (0) or above (1) the nudged range."""

    operands = ("inputs", "min", "max")
    results = ("y",)
    output_dtype = bool_
    side: int = attr("int")
    num_bits: int = attr("int", 8)
    narrow_range: bool = attr("bool", False)
    samples: ClassVar = [Sample({**s.attributes, "side": n}, s.inputs, gradient=False) for s in SCALARS for n in (-1,
                                                                                                                   0,
                                                                                                                   1)]

    def infer(self, *inputs: Spec) -> Spec:
        check(self, *inputs)
        return Spec(bool_, super().infer(*inputs).shape)

    def reference(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        _, bottom, top = nudged(low, high, int(self.narrow_range), 2**self.num_bits - 1)
        nothing = (low == 0) & (high == 0)
        if self.side == 0:
            return nothing | ((x >= bottom) & (x <= top))
        return ~nothing & (x < bottom if self.side < 0 else x > top)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None, None, None]

    def scalar(self, s: Any, x: Any, low: Any, high: Any) -> Any:
        if self.side == 0:
            return _scalar_inside(s, x, low, high, levels_of(self))
        _, bottom, top = scalar_nudged(s, low, high, *levels_of(self))
        outside = s("less", x, bottom) if self.side < 0 else s("less", top, x)
        return s("and", s("not", is_nothing(s, low, high)), outside)


class _VarsGradient(Composite):
    """The gradients of inputs, min and max: what both forms share."""

    operands = ("gradients", "inputs", "min", "max")
    results = ("backprops_wrt_input", "backprop_wrt_min", "backprop_wrt_max")
    channels: ClassVar[bool]

    def infer(self, dy: Spec, x: Spec, low: Spec, high: Spec) -> tuple[Spec, ...]:
        check(self, dy, x, low, high)
        check_range(self, x, low, high, self.channels)
        return _same_shape(dy, x), low, high

    def reference(self, dy: np.ndarray, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, ...]:
        made: Any = self
        _, bottom, top = nudged(low, high, int(made.narrow_range), 2**made.num_bits - 1)
        nothing = (low == 0) & (high == 0)
        axes = tuple(range(x.ndim - int(self.channels)))
        inside = nothing | ((x >= bottom) & (x <= top))
        sums = [np.where(~nothing & outside, dy, F(0)).sum(axis=axes, dtype=np.float64).astype(F)
                for outside in (x < bottom, x > top)]
        return (np.where(inside, dy, F(0)), *(np.asarray(total) for total in sums))

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [None] * 4

    def expand(self, emit: Callable[..., Any], dy: Any, x: Any, low: Any, high: Any) -> Any:
        made: Any = self
        zero = emit(OPS.make("Const", value=np.zeros((), F), dtype=float32))
        axes = tuple(range(len(x.spec.shape) - int(self.channels)))
        parts = []
        for side in (0, -1, 1):
            where = emit(_FakeQuantSide(side, made.num_bits, made.narrow_range), x, low, high)
            part = emit(OPS.make("SelectV2"), where, dy, zero)
            parts.append(part if side == 0 else emit(OPS.make("Sum", axis=axes, keep_dims=False), part))
        return tuple(parts)


def _with_gradients(samples: Sequence[Sample]) -> list[Sample]:
    return [Sample(s.attributes, (np.shape(s.inputs[0]) if isinstance(s.inputs[0], np.ndarray) else s.inputs[0],
                                  *s.inputs), gradient=False) for s in samples]


@register
class FakeQuantWithMinMaxVarsGradient(_VarsGradient):
    """The gradients of FakeQuantWithMinMaxVars: to inputs inside, to min of those below, to max of those above."""

    channels: ClassVar[bool] = False
    num_bits: int = attr("int", 8)
    narrow_range: bool = attr("bool", False)
    samples: ClassVar = _with_gradients(SCALARS)


@register
class FakeQuantWithMinMaxVarsPerChannelGradient(_VarsGradient):
    """The gradients of FakeQuantWithMinMaxVarsPerChannel."""

    channels: ClassVar[bool] = True
    num_bits: int = attr("int", 8)
    narrow_range: bool = attr("bool", False)
    samples: ClassVar = _with_gradients(CHANNELS)
