"""Quantized numbers as floats, and put together: Dequantize, QuantizedConcat (ranges.py says what the modes are)."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType, bfloat16, float32, qint8, qint16, qint32, quint8, quint16
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.op import OPS, Composite, Elementwise, Sample, attr, operand_field, register
from graphc.ir.spec import Spec
from graphc.ops.array.join import ConcatV2
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
    dequantized,
    quantized,
)

_NUMBERS = ((qint8, [-128, -5, 0, 127]), (quint8, [0, 1, 77, 255]), (qint16, [-32768, 3, 900, 32767]),
            (quint16, [0, 65535, 9, 8]), (qint32, [-2**31, 0, 5, 2**31 - 1]))


@register
class _Dequantized(Elementwise):
    """The floats that quantized numbers of T stand for."""

    operands = ("x", "low", "high")
    types: ClassVar = {}
    T: DType = attr("type")
    mode: str = attr("string")
    narrow_range: bool = attr("bool")
    samples: ClassVar = [Sample({"T": t, "mode": m, "narrow_range": m == "SCALED"}, (t.array(v), MINUS_ONE, TWO),
                                gradient=False) for (t, v), m in zip(_NUMBERS, (*MODES, *MODES), strict=False)]

    def infer(self, *inputs: Spec) -> Spec:
        if inputs[0].dtype != self.T:
            raise TypeError(f"argument 'x' must be {self.T.name}, but is {inputs[0].dtype.name}")
        return Spec(float32, super().infer(Spec(float32, inputs[0].shape), *inputs[1:]).shape)

    def scalar(self, s: Any, *x: Any) -> Any:
        return dequantized(Formula(s), self, *x)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return arrays.dequantized(self, self.T, *inputs)


@register
class Dequantize(Composite):
    """The floats that quantized numbers stand for."""

    operands = ("input", "min_range", "max_range")
    results = ("output",)
    types: ClassVar = {"T": "input"}
    mode: str = attr("string", "MIN_COMBINED")
    narrow_range: bool = attr("bool", False)
    axis: int = attr("int", -1)
    dtype: DType = attr("type", float32)
    samples: ClassVar = [
        *(Sample({"mode": m}, (t.array(v), MINUS_ONE, TWO), gradient=False) for t, v in _NUMBERS for m in MODES),
        Sample({"dtype": bfloat16}, (quint8.array([0, 43, 255]), MINUS_ONE, TWO), gradient=False),
        Sample({"mode": "SCALED", "narrow_range": True, "axis": 0}, (qint8.array([[1, -127], [127, 3]]), LOWS, HIGHS),
               gradient=False)]

    def infer(self, x: Spec, low: Spec, high: Spec) -> Spec:
        check_mode(self)
        check_dtype(self, "input", x.dtype, "quantized")
        if self.dtype not in (float32, bfloat16):
            raise TypeError(f"Output type must be bfloat16 or float, is '{self.dtype.name}'")
        if self.dtype == bfloat16 and self.mode != "MIN_COMBINED":
            raise ValueError(f"When output type is bfloat16, Mode string must be 'MIN_COMBINED', is '{self.mode}'")
        check_range(self, x, {"min_range": low, "max_range": high})
        if self.axis >= 0 and self.mode == "MIN_FIRST":
            raise ValueError("MIN_FIRST mode is not implemented for Dequantize with axis != -1.")
        return Spec(self.dtype, x.shape)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.dtype,)

    def reference(self, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        ends = (arrays.along_axis(self, end, x.ndim) for end in (low, high))
        made = arrays.dequantized(self, arrays.QUANTIZED_AS[x.dtype], x, *ends)
        return self.dtype.array(made)

    def expand(self, emit: Callable[..., Any], x: Any, low: Any, high: Any) -> Any:
        ends = (along_axis(emit, self, end, len(x.spec.shape)) for end in (low, high))
        made = emit(_Dequantized(T=x.spec.dtype, mode=self.mode, narrow_range=self.narrow_range), x, *ends)
        return made if self.dtype == float32 else emit(OPS.make("Cast", DstT=self.dtype), made)


@register
class _Requantized(Elementwise):
    """x, quantized numbers of the range [low, high], as those of the range [least, most]."""

    operands = ("x", "low", "high", "least", "most")
    types: ClassVar = {}
    T: DType = attr("type")
    samples: ClassVar = [Sample({"T": t}, (t.array([0, 1, 77, 127]), *map(np.float32, ends)), gradient=False)
                         for t in (quint8, qint32) for ends in ((-1, 2, -2, 2), (-1, 2, -1, 2))]
    mode: ClassVar[str] = "MIN_FIRST"
    narrow_range: ClassVar[bool] = False

    def infer(self, *inputs: Spec) -> Spec:
        if inputs[0].dtype != self.T:
            raise TypeError(f"argument 'x' must be {self.T.name}, but is {inputs[0].dtype.name}")
        return Spec(self.T, super().infer(Spec(float32, inputs[0].shape), *inputs[1:]).shape)

    def scalar(self, s: Any, *operands: Any) -> Any:
        x, low, high, least, most = operands
        f = Formula(s)
        made = quantized(f, self, dequantized(f, self, x, low, high), least, most)
        return s("select", s("and", s("equal", low, least), s("equal", high, most)), x, made)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, low, high, least, most = inputs
        made = arrays.quantized(self, False, arrays.dequantized(self, self.T, x, low, high), least, most)
        return np.where((low == least) & (high == most), x, made)


@register
class QuantizedConcat(Composite):
    """Quantized numbers one after the other, all in the range that holds theirs."""

    operands = ("concat_dim", "values*", "input_mins*", "input_maxes*")
    results = ("output", "output_min", "output_max")
    types: ClassVar = {"T": "values*"}
    concat_dim: int = operand_field("int")
    N: int = attr("int")
    samples: ClassVar = [
        Sample({"concat_dim": axis, "N": 2}, (t.array([[0, 1], [77, 127]]), t.array([[5, 9], [100, 3]]),
                                              *map(np.float32, ends)), gradient=False)
        for t, axis, ends in ((quint8, 0, (-1, -2, 2, 1)), (qint32, 1, (-5, -2, 3, 1)), (qint32, 0, (-1, -2, 3, 7)),
                              (quint8, 1, (0.5, 0.25, 2, 3)))]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        if self.N < 2 or len(inputs) != 3 * self.N:
            raise ValueError(f"{self.N} values, input_mins and input_maxes are needed (two at least), but "
                             f"{len(inputs)} tensors are given")
        values = inputs[:self.N]
        if values[0].dtype not in (quint8, qint32):
            raise TypeError(f"argument 'values' has dtype {values[0].dtype.name}, but QuantizedConcat takes quint8 and "
                            "qint32 only")
        for i, end in enumerate(inputs[self.N:]):
            name = f"{'input_mins' if i < self.N else 'input_maxes'}[{i % self.N}]"
            if end.dtype != float32:
                raise TypeError(f"argument '{name}' must be float32, but is {end.dtype.name}")
            check_rank(name, end, 0)
        return ConcatV2(axis=self.concat_dim).infer(*values), Spec(float32, ()), Spec(float32, ())

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return inputs[0].dtype, float32, float32

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        values, lows, highs = (inputs[i * self.N:(i + 1) * self.N] for i in range(3))
        dtype = arrays.QUANTIZED_AS[values[0].dtype]
        least, most = min(*lows, np.float32(0)), max(highs)
        if dtype == qint32:
            most = max(abs(least), abs(most))
            least = -most
        made = [_Requantized(dtype).reference(x, low, high, least, most)
                for x, low, high in zip(values, lows, highs, strict=True)]
        return np.concatenate(made, self.concat_dim), np.asarray(least), np.asarray(most)

    def expand(self, emit: Callable[..., Any], *operands: Any) -> Sequence[Any]:
        values, lows, highs = (operands[i * self.N:(i + 1) * self.N] for i in range(3))
        dtype = values[0].spec.dtype
        least: Any = emit(OPS.make("Const", value=np.float32(0), dtype=float32))
        most = highs[0]
        for low in lows:
            least = emit(OPS.make("Minimum"), least, low)
        for high in highs[1:]:
            most = emit(OPS.make("Maximum"), most, high)
        if dtype == qint32:                # what is signed gets a range with 0 in its middle
            most = emit(OPS.make("Maximum"), *(emit(OPS.make("Abs"), end) for end in (least, most)))
            least = emit(OPS.make("Neg"), most)
        made = [emit(_Requantized(T=dtype), x, low, high, least, most)
                for x, low, high in zip(values, lows, highs, strict=True)]
        return emit(ConcatV2(axis=self.concat_dim), *made), least, most
