"""Numbers rounded to those that a few bits can say: FakeQuantWithMinMaxArgs, ...Vars, ...VarsPerChannel, their
gradients.

The range [min, max] is moved so that 0 is one of the levels ("nudged"): scale = (max - min) / (levels - 1), and the
level of 0 is rounded. A range [0, 0] gives 0.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import float32
from graphc.ir.elementwise import check_rank
from graphc.ir.op import Composite, Elementwise, Sample, attr, register
from graphc.ir.spec import Spec, require_equal, text
from graphc.ir.tensor import Operation

F = np.float32
VALUES = np.array([-20, -6.1, -6, -1.3, -0.02, 0, 0.01, 0.5, 1, 5.99, 6, 7], F)
_ROWS = np.array([[-1.5, 0.3, 2], [0.7, -3, 9]], F)


def levels_of(op: Any) -> tuple[int, int]:
    """The lowest and the highest level."""
    return int(op.narrow_range), (1 << op.num_bits) - 1


def check(op: Any, *inputs: Spec) -> None:
    for name, spec in zip(op.operands, inputs, strict=True):
        if spec.dtype != float32:
            raise TypeError(f"argument '{name}' must be float32, but is {spec.dtype.name}; cast it (gc.cast)")
    if not 2 <= op.num_bits <= 16:
        raise ValueError(f"num_bits must be between 2 and 16, inclusive, but is {op.num_bits}")


def check_range(op: Any, inputs: Spec, low: Spec, high: Spec, channels: bool) -> None:
    check(op, *([inputs, low, high] if len(op.operands) == 3 else [inputs, inputs, low, high]))
    for name, spec in (("min", low), ("max", high)):
        check_rank(name, spec, int(channels))
        if channels and inputs.shape is not None and spec.shape is not None:
            if not inputs.shape:
                raise ValueError("argument 'inputs' must have at least one axis, that of the channels")
            require_equal(spec.shape[0], inputs.shape[-1], f"argument '{name}' must have an element for each channel, "
                          f"the last axis of inputs of shape {text(inputs.shape)}")


def nudged(low: np.ndarray, high: np.ndarray, first: int, last: int) -> tuple[Any, Any, Any]:
    """NumPy: the scale and the nudged range, in float32."""
    with np.errstate(all="ignore"):
        scale = ((high - low) / F(last - first)).astype(F)
        zero = (F(first) - low / scale).astype(F)
        zero = np.where(zero < F(first), F(first), np.where(zero > F(last), F(last), np.floor(zero + F(0.5))))
        return scale, ((F(first) - zero) * scale).astype(F), ((F(last) - zero) * scale).astype(F)


def _quantized(x: np.ndarray, low: Any, high: Any, first: int, last: int) -> np.ndarray:
    low, high = np.asarray(low, F), np.asarray(high, F)
    scale, bottom, top = nudged(low, high, first, last)
    with np.errstate(all="ignore"):
        inverse = F(1) / scale
        zero = np.floor(-bottom * inverse + F(0.5))
        clipped = np.maximum(np.minimum(x, top), bottom)
        made = np.floor((clipped - bottom) * inverse - zero + F(0.5)) * scale
    return np.where((low == 0) & (high == 0), F(0), made).astype(F)


def scalar_nudged(s: Any, low: Any, high: Any, first: int, last: int) -> tuple[Any, Any, Any]:
    def number(value: float) -> Any:
        return s.constant(value, float32)

    scale = s("div", s("sub", high, low), number(last - first))
    zero = s("sub", number(first), s("div", low, scale))
    rounded = s("floor", s("add", zero, number(0.5)))
    above = s("select", s("less", number(last), zero), number(last), rounded)
    zero = s("select", s("less", zero, number(first)), number(first), above)
    return scale, s("mul", s("sub", number(first), zero), scale), s("mul", s("sub", number(last), zero), scale)


def is_nothing(s: Any, low: Any, high: Any) -> Any:
    zero = s.constant(0, float32)
    return s("and", s("equal", low, zero), s("equal", high, zero))


def _scalar_quantized(s: Any, x: Any, low: Any, high: Any, levels: tuple[int, int]) -> Any:
    scale, bottom, top = scalar_nudged(s, low, high, *levels)
    half, zero = s.constant(0.5, float32), s.constant(0, float32)
    inverse = s("div", s.constant(1, float32), scale)
    level = s("floor", s("add", s("mul", s("neg", bottom), inverse), half))
    clipped = s("max", s("min", x, top), bottom)
    made = s("add", s("sub", s("mul", s("sub", clipped, bottom), inverse), level), half)
    return s("select", is_nothing(s, low, high), zero, s("mul", s("floor", made), scale))


@register
class FakeQuantWithMinMaxArgs(Elementwise):
    """inputs rounded to 2^num_bits levels between min and max (one less if narrow_range)."""

    operands = ("inputs",)
    results = ("outputs",)
    min: float = attr("float", -6.0)
    max: float = attr("float", 6.0)
    num_bits: int = attr("int", 8)
    narrow_range: bool = attr("bool", False)
    samples: ClassVar = [Sample(a, (VALUES,), gradient=False) for a in (
        {}, {"narrow_range": True}, {"min": 0.125, "max": 1.0, "num_bits": 4}, {"min": -3.0, "max": -1.0},
        {"min": -0.125, "max": 0.75, "num_bits": 2})] + [Sample({}, ((0, 3),), gradient=False)]

    def infer(self, *inputs: Spec) -> Spec:
        check(self, *inputs)
        if not self.min < self.max:
            raise ValueError(f"min {self.min} has to be smaller than max {self.max}")
        return Spec(inputs[0].dtype, inputs[0].shape)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return _quantized(x, self.min, self.max, int(self.narrow_range), 2**self.num_bits - 1)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.fake_quant_with_min_max_args_gradient(dy, node.inputs[0], min=self.min, max=self.max,
                                                        num_bits=self.num_bits, narrow_range=self.narrow_range)]

    def scalar(self, s: Any, x: Any) -> Any:
        low, high = s.constant(self.min, float32), s.constant(self.max, float32)
        return _scalar_quantized(s, x, low, high, levels_of(self))


class _Vars(Composite):
    """inputs rounded to 2^num_bits levels between min and max: what both forms share."""

    operands = ("inputs", "min", "max")
    results = ("outputs",)
    channels: ClassVar[bool]
    gradient: ClassVar[str]

    def infer(self, *inputs: Spec) -> Spec:
        check_range(self, *inputs, self.channels)  # type: ignore[misc]
        return Spec(inputs[0].dtype, inputs[0].shape)

    def reference(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        made: Any = self
        return _quantized(x, low, high, int(made.narrow_range), 2**made.num_bits - 1)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        made: Any = self
        return list(getattr(g, self.gradient)(dy, *node.inputs, num_bits=made.num_bits,
                                              narrow_range=made.narrow_range))

    def expand(self, emit: Callable[..., Any], x: Any, low: Any, high: Any) -> Any:
        made: Any = self
        return emit(_FakeQuantized(made.num_bits, made.narrow_range), x, low, high)


SCALARS = [Sample({}, (VALUES, np.array(a, F), np.array(b, F)), gradient=False) for a, b in (
    (-1, 2), (0, 0), (0.25, 0.875), (-2, -1))] + [
    Sample({"num_bits": 3, "narrow_range": True}, ((2, 3, 5), np.array(-1, F), np.array(1, F)), gradient=False)]
CHANNELS = [Sample({}, (_ROWS, np.array([-1, 0, 1], F), np.array([1, 2, 3], F)), gradient=False),
             Sample({"num_bits": 4, "narrow_range": True}, ((2, 2, 2), np.array([0, -0.5], F), np.array([0, 0.75], F)),
                    gradient=False), Sample({}, (_ROWS[0], np.zeros(3, F), np.ones(3, F)), gradient=False)]


@register
class _FakeQuantized(Elementwise):
    """inputs rounded to 2^num_bits levels between min and max, all broadcast."""

    operands = ("inputs", "min", "max")
    num_bits: int = attr("int", 8)
    narrow_range: bool = attr("bool", False)
    samples: ClassVar = [*SCALARS, *CHANNELS]

    def infer(self, *inputs: Spec) -> Spec:
        check(self, *inputs)
        return super().infer(*inputs)

    def reference(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return _quantized(x, low, high, int(self.narrow_range), 2**self.num_bits - 1)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None, None, None]

    def scalar(self, s: Any, x: Any, low: Any, high: Any) -> Any:
        return _scalar_quantized(s, x, low, high, levels_of(self))


@register
class FakeQuantWithMinMaxVars(_Vars):
    """inputs rounded to 2^num_bits levels between the scalars min and max (one less if narrow_range)."""

    channels: ClassVar[bool] = False
    gradient: ClassVar[str] = "fake_quant_with_min_max_vars_gradient"
    num_bits: int = attr("int", 8)
    narrow_range: bool = attr("bool", False)
    samples: ClassVar = SCALARS


@register
class FakeQuantWithMinMaxVarsPerChannel(_Vars):
    """inputs rounded to 2^num_bits levels between min[c] and max[c] of each channel, the last axis."""

    channels: ClassVar[bool] = True
    gradient: ClassVar[str] = "fake_quant_with_min_max_vars_per_channel_gradient"
    num_bits: int = attr("int", 8)
    narrow_range: bool = attr("bool", False)
    samples: ClassVar = CHANNELS
