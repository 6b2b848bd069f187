"""The range of floats that all numbers of a quantized dtype are spread over: what QuantizeV2 and Dequantize share.

MIN_COMBINED and MIN_FIRST put the lower end on the lowest number (and differ in what they round), SCALED keeps 0 on 0:
there a range may become wider on one side. All is computed in float32 in the order in which TensorFlow does, as the
last digit decides what a number is rounded to. With axis >= 0 every slice has a range of its own.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, float64, int32
from graphc.ir.op import OPS
from graphc.ir.spec import Spec, require_equal, text

MODES = ("MIN_COMBINED", "MIN_FIRST", "SCALED")
MOST = float(np.finfo(np.float32).max)
INT32_MOST = 2147483520.0                             # the greatest float32 that is an int32
MINUS_ONE, TWO = np.float32(-1), np.float32(2)        # of samples
LOWS, HIGHS = np.array([-1, -2], np.float32), np.array([1, 2], np.float32)


def check_mode(op: Any) -> None:
    if op.mode not in MODES:
        raise ValueError(f"Mode string must be 'MIN_COMBINED', 'MIN_FIRST', or 'SCALED', is '{op.mode}'")


def check_range(op: Any, x: Spec, ends: dict[str, Spec]) -> tuple[Size, ...] | None:
    """The shape of the ends of a range: (), or (n,) for an axis of n slices. Raises TypeError, ValueError."""
    if x.shape is not None and not -1 <= op.axis < len(x.shape):
        raise ValueError(f"Axis must be less than input dimension({len(x.shape)}), got {op.axis}")
    shape: tuple[Size, ...] | None = () if op.axis < 0 else None if x.shape is None else (x.shape[op.axis],)
    for name, end in ends.items():
        if end.dtype != float32:
            raise TypeError(f"argument '{name}' must be float32, but is {end.dtype.name}")
        if end.shape is None or shape is None:
            continue
        if len(end.shape) != len(shape):
            wanted = "a scalar" if not shape else f"of rank 1, with a number for each slice of axis {op.axis}"
            raise ValueError(f"argument '{name}' must be {wanted}, but has shape {text(end.shape)}")
        for a, b in zip(end.shape, shape, strict=True):
            require_equal(a, b, f"argument '{name}' needs a number for each slice of axis {op.axis}")
    return shape


def along_axis(emit: Callable[..., Any], op: Any, end: Any, rank: int) -> Any:
    """An end of the range as it broadcasts against the input."""
    if op.axis < 0:
        return end
    return emit(OPS.make("Reshape", shape=tuple(end.spec.shape[0] if i == op.axis else 1 for i in range(rank))), end)


def bounds(dtype: DType) -> tuple[int, int]:
    """The lowest and the highest number of a quantized dtype."""
    return dtype.unquantized.min, dtype.unquantized.max


class Formula:
    """Scalar expressions of float32: f.add(x, 1.0) is s("add", x, the constant 1)."""

    def __init__(self, s: Any) -> None:
        self.s = s

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *x: self.s(name, *(self.s.constant(float(np.float32(v)), float32) if isinstance(v, float) else v
                                         for v in x))

    def wide(self, primitive: str, *x: Any) -> Any:
        """The same in float64, rounded to float32."""
        whole = (self.s.constant(v, float64) if isinstance(v, float) else self.s.cast(v, float64) for v in x)
        return self.s.cast(self.s(primitive, *whole), float32)

    def rounded(self, x: Any) -> Any:
        """To the nearest integer, halves away from 0."""
        size = self.abs(x)
        whole = self.floor(size)
        nearest = self.select(self.less(self.sub(size, whole), 0.5), whole, self.add(whole, 1.0))
        return self.select(self.less(x, 0.0), self.neg(nearest), nearest)


def with_zero(f: Formula, ensure: float, low: Any, high: Any) -> tuple[Any, Any]:
    """The range that quantizing makes of the user's: 0 is in it, and its ends are apart."""
    least = f.min(0.0, low)
    apart = f.mul(f.max(1.0, f.max(f.abs(low), f.abs(high))), ensure)
    return least, f.max(0.0, f.max(high, f.add(least, apart)))


def scale_of(f: Formula, dtype: DType, narrow: bool, low: Any, high: Any) -> tuple[Any, Any, Any]:
    """SCALED: numbers a unit, as many as fit at both ends; and the ends that the range has then."""
    first, last = (float(b) for b in bounds(dtype))
    first += narrow

    def side(number: float, end: Any) -> Any:
        return f.select(f.less(0.0, f.mul(number, end)), f.div(number, end), MOST)

    scale = f.min(side(first, low), side(last, high))
    return scale, f.div(first, scale), f.div(last, scale)


def quantized(f: Formula, op: Any, x: Any, low: Any, high: Any) -> Any:
    """x as a number of op.T, of a range with 0. op: T, mode, narrow_range, half_to_even."""
    first, last = (float(b) for b in bounds(op.T))
    if op.mode == "SCALED":
        scale, low, high = scale_of(f, op.T, op.narrow_range, low, high)
        level = f.mul(f.max(f.min(x, high), low), scale)
        made = f.round(level) if op.half_to_even else f.rounded(level)
    elif op.mode == "MIN_FIRST":
        scale = f.select(f.equal(low, high), 0.0, f.wide("div", last - first, f.sub(high, low)))
        level = f.sub(f.rounded(f.mul(x, scale)), f.sub(f.rounded(f.mul(low, scale)), first))
        made = f.min(f.max(level, first), min(last, INT32_MOST))
    else:
        level = f.mul(f.sub(f.max(f.min(x, high), low), low), f.wide("div", last - first, f.sub(high, low)))
        made = f.rounded(f.add(level, first)) if first else f.add(level, 0.5)
    # What no number of T is TensorFlow leaves to the machine; here it is as in a cast.
    return f.s.cast(f.s.cast(made, int32), op.T)


def dequantized(f: Formula, op: Any, x: Any, low: Any, high: Any) -> Any:
    """The float that x, of integers, stands for. op: T, mode, narrow_range."""
    first, last = (float(b) for b in bounds(op.T))
    number = f.s.cast(x, float32)
    if op.mode == "SCALED":
        scale = f.div(high, last)
        return f.mul(number, f.max(f.div(low, first + op.narrow_range), scale) if first else scale)
    if op.mode == "MIN_FIRST":
        scale = f.wide("div", f.sub(high, low), last - first)
        least = f.select(f.equal(low, high), low, f.mul(f.rounded(f.div(low, scale)), scale))
        return f.add(f.sub(least, f.mul(first, scale)), f.mul(number, scale))
    return f.add(f.mul(f.add(number, -first), f.div(f.sub(high, low), last - first)), low)
