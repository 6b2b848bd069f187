"""Floats as quantized numbers: QuantizeV2 (ranges.py says what the modes are)."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dtypes import QUANTIZED, DType, float32, qint8, qint32, quint8, quint16
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import Composite, Elementwise, Op, Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ops.array.refuse import require_none
from graphc.ops.quantization import arrays
from graphc.ops.quantization.ranges import (
    HIGHS,
    LOWS,
    MINUS_ONE,
    MODES,
    TWO,
    Formula,
    along_axis,
    check_mode,
    check_range,
    quantized,
    scale_of,
    with_zero,
)

_X = np.array([-1.5, -1, -0.5, 0, 0.3, 0.7, 1.2, 2.5], np.float32)
_INSIDE = _X[:-1]       # what casts to int32: its greatest number is no float32


@register
class _QuantizationEnd(Elementwise):
    """The end of the range that numbers are quantized to; upper: the greater one."""

    operands = ("low", "high")
    types: ClassVar = {}
    T: DType = attr("type")
    mode: str = attr("string")
    narrow_range: bool = attr("bool")
    ensure_minimum_range: float = attr("float")
    upper: bool = attr("bool")
    samples: ClassVar = [Sample({"T": t, "mode": m, "narrow_range": n, "ensure_minimum_range": 0.01, "upper": u},
                                (LOWS, HIGHS), gradient=False)
                         for t, m, n, u in ((qint8, "SCALED", True, False), (quint8, "MIN_FIRST", False, True))]

    def infer(self, *inputs: Spec) -> Spec:
        _check_floats(self, inputs)
        return super().infer(*inputs)

    def scalar(self, s: Any, *x: Any) -> Any:
        f = Formula(s)
        ends = with_zero(f, self.ensure_minimum_range, *x)
        if self.mode == "SCALED":
            ends = scale_of(f, self.T, self.narrow_range, *ends)[1:]
        return ends[self.upper]

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        ends = arrays.with_zero(self.ensure_minimum_range, *inputs)
        return np.asarray((arrays.scale_of(self, *ends)[1:] if self.mode == "SCALED" else ends)[self.upper])


@register
class _Quantized(Elementwise):
    """x as numbers of T, given the range [low, high] as the user said it."""

    operands = ("x", "low", "high")
    types: ClassVar = {}
    T: DType = attr("type")
    mode: str = attr("string")
    narrow_range: bool = attr("bool")
    ensure_minimum_range: float = attr("float")
    half_to_even: bool = attr("bool")
    samples: ClassVar = [Sample({"T": t, "mode": m, "narrow_range": False, "ensure_minimum_range": 0.01,
                                 "half_to_even": m == "SCALED"}, (x, MINUS_ONE, TWO), gradient=False)
                         for t, x in ((qint8, _X), (quint16, _X), (qint32, _INSIDE)) for m in MODES]

    def infer(self, *inputs: Spec) -> Spec:
        _check_floats(self, inputs)
        return Spec(self.T, super().infer(*inputs).shape)

    def scalar(self, s: Any, *operands: Any) -> Any:
        f = Formula(s)
        return quantized(f, self, operands[0], *with_zero(f, self.ensure_minimum_range, *operands[1:]))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        ends = arrays.with_zero(self.ensure_minimum_range, *inputs[1:])
        return arrays.quantized(self, self.half_to_even, inputs[0], *ends)


def _check_floats(op: Op, inputs: Sequence[Spec]) -> None:
    for name, spec in zip(op.operands, inputs, strict=True):
        if spec.dtype != float32:
            raise TypeError(f"argument '{name}' must be float32, but is {spec.dtype.name}; cast it (gc.cast)")


@register
class _OrderedRange(Op):
    """low and high, which is not less."""

    operands = ("low", "high")
    results = ("least", "most")
    types: ClassVar = {}
    checks_data = True
    refusal = "input_max_range must be larger than input_min_range."
    samples: ClassVar = [Sample({}, (LOWS, HIGHS), gradient=False)]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        _check_floats(self, inputs)
        return inputs

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        if np.any(inputs[1] < inputs[0]):
            raise InvalidArgumentError(self.refusal)
        return inputs

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        require_none(b, lambda s, low, high: s("less", high, low), inputs, inputs[0].shape, self.refusal)
        for given, result in zip(inputs, outputs, strict=True):
            b.copy(given, result)


@register
class QuantizeV2(Composite):
    """input as numbers of T, and the range that they stand for."""

    operands = ("input", "min_range", "max_range")
    results = ("output", "output_min", "output_max")
    types: ClassVar = {}
    T: DType = attr("type")
    mode: str = attr("string", "MIN_COMBINED")
    round_mode: str = attr("string", "HALF_AWAY_FROM_ZERO")
    narrow_range: bool = attr("bool", False)
    axis: int = attr("int", -1)
    ensure_minimum_range: float = attr("float", 0.01)
    samples: ClassVar = [
        *(Sample({"T": t, "mode": m}, (_INSIDE if t == qint32 else _X, MINUS_ONE, TWO), gradient=False)
          for t in QUANTIZED for m in MODES),
        Sample({"T": qint8, "mode": "SCALED", "round_mode": "HALF_TO_EVEN", "narrow_range": True},
               (_X, MINUS_ONE, TWO), gradient=False),
        Sample({"T": qint8, "mode": "SCALED", "axis": 0}, (_X.reshape(2, 4), LOWS, HIGHS), gradient=False),
        Sample({"T": quint8, "axis": 1, "ensure_minimum_range": 3.0}, (_X.reshape(4, 2), LOWS, HIGHS), gradient=False),
        Sample({"T": quint8}, (np.zeros((0, 3), np.float32), MINUS_ONE, TWO), gradient=False)]

    def infer(self, x: Spec, low: Spec, high: Spec) -> tuple[Spec, ...]:
        check_mode(self)
        check_dtype(self, "T", self.T, "quantized")
        if self.round_mode not in ("HALF_AWAY_FROM_ZERO", "HALF_TO_EVEN"):
            raise ValueError(f"Round mode string must be 'HALF_AWAY_FROM_ZERO' or 'HALF_TO_EVEN', is "
                             f"'{self.round_mode}'")
        if self.round_mode == "HALF_TO_EVEN" and self.mode != "SCALED":
            raise ValueError(f"Round mode 'HALF_TO_EVEN' only supported for mode 'SCALED', but mode is '{self.mode}'")
        if x.dtype != float32:
            raise TypeError(f"argument 'input' must be float32, but is {x.dtype.name}; cast it (gc.cast)")
        shape = check_range(self, x, {"min_range": low, "max_range": high})
        return Spec(self.T, x.shape), Spec(float32, shape), Spec(float32, shape)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return self.T, float32, float32

    def reference(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, ...]:
        if np.any(high < low):
            raise InvalidArgumentError(_OrderedRange.refusal)
        ends = arrays.with_zero(self.ensure_minimum_range, low, high)
        wide = (arrays.along_axis(self, np.asarray(end), x.ndim) for end in ends)
        made = arrays.quantized(self, self.round_mode == "HALF_TO_EVEN", x, *wide)
        return made, *map(np.asarray, arrays.scale_of(self, *ends)[1:] if self.mode == "SCALED" else ends)

    def expand(self, emit: Callable[..., Any], x: Any, low: Any, high: Any) -> Sequence[Any]:
        low, high = emit(_OrderedRange(), low, high)
        common: dict[str, Any] = {"T": self.T, "mode": self.mode, "narrow_range": self.narrow_range,
                                  "ensure_minimum_range": self.ensure_minimum_range}
        wide = (along_axis(emit, self, end, len(x.spec.shape)) for end in (low, high))
        made = emit(_Quantized(half_to_even=self.round_mode == "HALF_TO_EVEN", **common), x, *wide)
        return made, *(emit(_QuantizationEnd(upper=upper, **common), low, high) for upper in (False, True))
