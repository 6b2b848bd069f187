"""Numbers rounded to the levels of an integer of a few bits and back: QuantizeAndDequantize, V2, V3.

The scale is the largest one with which the range [min, max] fits the levels, while 0 stays 0. The gradient passes
through as it is.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import UnimplementedError
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import float32, float64, int32
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.op import OPS, Composite, Elementwise, Op, Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ir.tensor import Operation

_VALUES = [-1.7, -1, -0.5, -0.1, 0, 0.3, 0.77, 1.2, 2.6]


def _check(op: Op, x: Spec, others: dict[str, Spec]) -> Spec:
    check_dtype(op, "input", x.dtype, "floating")
    for name, spec in others.items():
        check_rank(name, spec, 0)
        if spec.dtype != x.dtype:
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but 'input' has {x.dtype.name}; cast "
                            f"one of "
                            "them (gc.cast)")
    return Spec(x.dtype, x.shape)


def _check_bits(op: Any) -> None:
    if not 0 < op.num_bits < 63:
        raise ValueError(f"num_bits must be greater than 0 and less than 63, but is {op.num_bits}")
    if getattr(op, "round_mode", "HALF_TO_EVEN") not in ("HALF_TO_EVEN", "HALF_UP"):
        raise ValueError(f"round_mode must be HALF_TO_EVEN or HALF_UP, not {op.round_mode!r}")
    if getattr(op, "axis", -1) != -1:
        raise UnimplementedError(f"{op.type} with axis {op.axis}, a range for each channel, is not supported (it is "
                                 f"no part "
                                 "of TensorFlow 1.15); split the channels")
    given = getattr(op, "range_given", False) and getattr(op, "input_min", 0.0) > getattr(op, "input_max", 0.0)
    if given:
        raise ValueError(f"input_min {op.input_min} must not be greater than input_max {op.input_max}")


def _reference(x: np.ndarray, low: Any, high: Any, bits: int, signed: bool, given: bool, narrow: bool,
               mode: str) -> np.ndarray:
    kind, most = x.dtype.type, np.finfo(x.dtype).max
    first = -(2**(bits - 1)) + int(narrow) if signed else 0
    last = 2**(bits - 1) - 1 if signed else 2**bits - 1
    if not x.size:
        return x
    with np.errstate(all="ignore"):
        low, high, first_, last_ = (kind(v) for v in ((low, high) if given else (x.min(), x.max())) + (first, last))
        by_low = first_ / low if first_ * low > 0 else most
        by_high = last_ / high if last_ * high > 0 else most
        if by_low < by_high:
            scale, inverse = by_low, low / first_
            high = last_ * inverse
        else:
            scale, inverse = by_high, high / last_
            low = first_ * inverse
        clipped = np.maximum(np.minimum(x, high), low) if given else x
        level = clipped * kind(scale)
        level = np.floor(level + kind(0.5)) if mode == "HALF_UP" else np.rint(level)
        return np.asarray(level * kind(inverse), x.dtype)


@register
class _QuantizedWithin(Elementwise):
    """x rounded to the levels first to last, whose scale fits low to high (all scalars of x's dtype)."""

    operands = ("x", "low", "high", "first", "last")
    types: ClassVar = {"T": "x"}
    clip: bool = attr("bool")
    half_up: bool = attr("bool", False)
    samples: ClassVar = [Sample({"clip": c, "half_up": h}, tuple(np.array(v, d.numpy) for v in (
        _VALUES, -1, 2, -128, 127)), gradient=False) for c in (True, False) for h in (True, False)
        for d in (float32, float64)]

    def infer(self, *inputs: Spec) -> Spec:
        for spec in inputs:
            check_dtype(self, "x", spec.dtype, "floating")
        return super().infer(*inputs)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, low, high, first, last = inputs
        with np.errstate(all="ignore"):
            most = np.finfo(x.dtype).max
            by_low = np.where(first * low > 0, first / low, most).astype(x.dtype)
            by_high = np.where(last * high > 0, last / high, most).astype(x.dtype)
            lower = by_low < by_high
            inverse = np.where(lower, low / first, high / last).astype(x.dtype)
            top, bottom = np.where(lower, last * inverse, high), np.where(lower, low, first * inverse)
            level = (np.maximum(np.minimum(x, top), bottom) if self.clip else x) * np.where(lower, by_low, by_high)
            level = np.floor(level + x.dtype.type(0.5)) if self.half_up else np.rint(level)
            return np.asarray(level * inverse).astype(x.dtype)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [dy, None, None, None, None]

    def scalar(self, s: Any, *x: Any) -> Any:
        value, low, high, first, last = x
        dtype = s.dtype(value)
        zero, most = s.constant(0, dtype), s.constant(float(np.finfo(dtype.numpy).max), dtype)

        def side(level: Any, end: Any) -> Any:
            return s("select", s("less", zero, s("mul", level, end)), s("div", level, end), most)

        by_low, by_high = side(first, low), side(last, high)
        lower = s("less", by_low, by_high)
        inverse = s("select", lower, s("div", low, first), s("div", high, last))
        if self.clip:
            top = s("select", lower, s("mul", last, inverse), high)
            bottom = s("select", lower, low, s("mul", first, inverse))
            value = s("max", s("min", value, top), bottom)
        level = s("mul", value, s("select", lower, by_low, by_high))
        level = s("floor", s("add", level, s.constant(0.5, dtype))) if self.half_up else s("round", level)
        return s("mul", level, inverse)


def _emit(emit: Callable[..., Any], op: Any, x: Any, low: Any, high: Any, first: Any, last: Any) -> Any:
    """The levels are scalars of x's dtype; the range is that of x unless it is given."""
    if not op.range_given:
        axes = tuple(range(len(x.spec.shape)))
        low, high = (emit(OPS.make(kind, axis=axes, keep_dims=False), x) for kind in ("Min", "Max"))
    half_up = getattr(op, "round_mode", "HALF_TO_EVEN") == "HALF_UP"
    return emit(_QuantizedWithin(clip=op.range_given, half_up=half_up), x, low, high, first, last)


def _constant(emit: Callable[..., Any], value: float, x: Any) -> Any:
    dtype = x.spec.dtype
    return emit(OPS.make("Const", value=np.array(value, dtype.numpy), dtype=dtype))


def _known_levels(emit: Callable[..., Any], op: Any, x: Any) -> tuple[Any, Any]:
    first = -(2**(op.num_bits - 1)) + int(getattr(op, "narrow_range", False)) if op.signed_input else 0
    last = 2**(op.num_bits - 1) - 1 if op.signed_input else 2**op.num_bits - 1
    return _constant(emit, first, x), _constant(emit, last, x)


_FORMS: list[tuple[dict[str, Any], float, float, Any]] = [
    ({"range_given": True}, -1, 2, float32), ({"signed_input": False, "range_given": True}, -1, 2, float64),
    ({"range_given": False}, 0, 0, float32), ({"range_given": True, "num_bits": 4}, -3, 2, float32),
    ({"signed_input": False, "range_given": False, "num_bits": 3}, 0, 0, float32)]


@register
class QuantizeAndDequantize(Composite):
    """input rounded to levels whose range is given by attributes, or its own."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    signed_input: bool = attr("bool", True)
    num_bits: int = attr("int", 8)
    range_given: bool = attr("bool", False)
    input_min: float = attr("float", 0.0)
    input_max: float = attr("float", 0.0)
    samples: ClassVar = [Sample({**a, "input_min": float(m), "input_max": float(n)}, (np.array(_VALUES, d.numpy),),
                                gradient=False) for a, m, n, d in _FORMS]

    def infer(self, x: Spec) -> Spec:
        _check_bits(self)
        return _check(self, x, {})

    def reference(self, x: np.ndarray) -> np.ndarray:
        return _reference(x, self.input_min, self.input_max, self.num_bits, self.signed_input, self.range_given, False,
                          "HALF_TO_EVEN")

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [dy]

    def expand(self, emit: Callable[..., Any], x: Any) -> Any:
        ends = [_constant(emit, end, x) for end in (self.input_min, self.input_max)]
        return _emit(emit, self, x, *ends, *_known_levels(emit, self, x))


@register
class QuantizeAndDequantizeV2(Composite):
    """input rounded to levels whose range is [input_min, input_max] if that is given, or its own."""

    operands = ("input", "input_min", "input_max")
    results = ("output",)
    types: ClassVar = {"T": "input"}
    signed_input: bool = attr("bool", True)
    num_bits: int = attr("int", 8)
    range_given: bool = attr("bool", False)
    round_mode: str = attr("string", "HALF_TO_EVEN")
    narrow_range: bool = attr("bool", False)
    axis: int = attr("int", -1)
    samples: ClassVar = [Sample(a, (np.array(_VALUES, d.numpy), np.array(m, d.numpy), np.array(n, d.numpy)),
                                gradient=False) for a, m, n, d in (
        *_FORMS, ({"range_given": True, "narrow_range": True}, -1, 0.5, float32),
        ({"range_given": True, "round_mode": "HALF_UP"}, -1, 2, float32))] + [
        Sample({}, ((0, 2), (), ()), gradient=False)]

    def infer(self, x: Spec, low: Spec, high: Spec) -> Spec:
        _check_bits(self)
        return _check(self, x, {"input_min": low, "input_max": high})

    def reference(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return _reference(x, low, high, self.num_bits, self.signed_input, self.range_given, self.narrow_range,
                          self.round_mode)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [dy, None, None]

    def expand(self, emit: Callable[..., Any], x: Any, low: Any, high: Any) -> Any:
        return _emit(emit, self, x, low, high, *_known_levels(emit, self, x))


@register
class QuantizeAndDequantizeV3(Composite):
    """QuantizeAndDequantizeV2 whose number of bits is an operand."""

    operands = ("input", "input_min", "input_max", "num_bits")
    results = ("output",)
    types: ClassVar = {"T": "input"}
    signed_input: bool = attr("bool", True)
    range_given: bool = attr("bool", True)
    narrow_range: bool = attr("bool", False)
    axis: int = attr("int", -1)
    samples: ClassVar = [Sample({k: v for k, v in a.items() if k != "num_bits"}, (
        np.array(_VALUES, d.numpy), np.array(m, d.numpy), np.array(n, d.numpy), np.array(a.get("num_bits", 8),
                                                                                         np.int32)),
        gradient=False) for a, m, n, d in _FORMS]

    def infer(self, x: Spec, low: Spec, high: Spec, bits: Spec) -> Spec:
        if bits.dtype != int32:
            raise TypeError(f"argument 'num_bits' must be int32, but is {bits.dtype.name}")
        check_rank("num_bits", bits, 0)
        if self.axis != -1:
            raise UnimplementedError(f"QuantizeAndDequantizeV3 with axis {self.axis}, a range for each channel, is not "
                                     "supported (it is no part of TensorFlow 1.15); split the channels")
        return _check(self, x, {"input_min": low, "input_max": high})

    def reference(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, bits: np.ndarray) -> np.ndarray:
        return _reference(x, low, high, int(bits), self.signed_input, self.range_given, self.narrow_range,
                          "HALF_TO_EVEN")

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [dy, None, None, None]

    def expand(self, emit: Callable[..., Any], x: Any, low: Any, high: Any, bits: Any) -> Any:
        dtype = x.spec.dtype
        count, one = emit(OPS.make("Cast", DstT=dtype), bits), _constant(emit, 1, x)
        power = emit(OPS.make("Sub"), count, one) if self.signed_input else count
        levels = emit(OPS.make("Pow"), _constant(emit, 2, x), power)
        last = emit(OPS.make("Sub"), levels, one)
        first = emit(OPS.make("Neg"), last if self.narrow_range else levels) if self.signed_input else _constant(emit,
                                                                                                                 0, x)
        return _emit(emit, self, x, low, high, first, last)
