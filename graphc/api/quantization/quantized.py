"""Numbers of quantized dtypes: quantize, dequantize, quantized_concat. Fetched, they are integers."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, float32, int32
from graphc.ir.tensor import Tensor
from graphc.ops.quantization.dequantize import Dequantize, QuantizedConcat
from graphc.ops.quantization.quantize import QuantizeV2


class Quantized(NamedTuple):
    """Quantized numbers, and the floats that the lowest and the highest of them stand for."""

    output: Tensor
    output_min: Tensor
    output_max: Tensor


def _axis(axis: int | None, x: Tensor) -> int:
    """-1: one range for all."""
    if axis is None or axis >= 0:
        return -1 if axis is None else axis
    if x.shape.ndims is None:
        raise ValueError("input should have known rank to use negative axis.")
    return axis % x.shape.ndims


@public("quantize_v2")
def quantize_v2(input: Any, min_range: Any, max_range: Any, T: Any, mode: str = "MIN_COMBINED",
                name: str | None = None, round_mode: str = "HALF_AWAY_FROM_ZERO", narrow_range: bool = False,
                axis: int | None = None, ensure_minimum_range: float = 0.01) -> Quantized:
    """`tf.quantization.quantize` with its arguments in another order, as `tf.quantize_v2`."""
    x, low, high = (convert_to_tensor(v, float32) for v in (input, min_range, max_range))
    made = apply(QuantizeV2, x, low, high, name=name, T=as_dtype(T), mode=mode, round_mode=round_mode,
                 narrow_range=narrow_range, axis=_axis(axis, x), ensure_minimum_range=ensure_minimum_range)
    return Quantized(*made)


@public("quantization.quantize", "quantize")
def quantize(input: Any, min_range: Any, max_range: Any, T: Any, mode: str = "MIN_COMBINED",
             round_mode: str = "HALF_AWAY_FROM_ZERO", name: str | None = None, narrow_range: bool = False,
             axis: int | None = None, ensure_minimum_range: float = 0.01) -> Quantized:
    """input as numbers of T, a quantized dtype, whose lowest and highest stand for min_range and max_range; as
    `tf.quantization.quantize`. axis: min_range and max_range have a number for each of its slices."""
    return quantize_v2(input, min_range, max_range, T, mode, name, round_mode, narrow_range, axis, ensure_minimum_range)


@public("quantization.dequantize", "dequantize")
def dequantize(input: Any, min_range: Any, max_range: Any, mode: str = "MIN_COMBINED", name: str | None = None,
               axis: int | None = None, narrow_range: bool = False, dtype: Any = float32) -> Tensor:
    """The floats that input, of a quantized dtype, stands for, as `tf.quantization.dequantize`."""
    x = convert_to_tensor(input)
    low, high = (convert_to_tensor(v, float32) for v in (min_range, max_range))
    result: Tensor = apply(Dequantize, x, low, high, name=name, mode=mode, axis=_axis(axis, x),
                           narrow_range=narrow_range, dtype=as_dtype(dtype))
    return result


@public("quantization.quantized_concat", "quantized_concat")
def quantized_concat(concat_dim: Any, values: Sequence[Any], input_mins: Sequence[Any], input_maxes: Sequence[Any],
                     name: str | None = None) -> Quantized:
    """values, quint8 or qint32, one behind the other along concat_dim in one range, as
    `tf.quantization.quantized_concat`."""
    parts = [convert_to_tensor(v) for v in values]
    lows, highs = ([convert_to_tensor(v, float32) for v in ends] for ends in (input_mins, input_maxes))
    for what, ends in (("input_mins", lows), ("input_maxes", highs)):
        if len(ends) != len(parts):
            raise ValueError(f"argument '{what}' has length {len(ends)}, but 'values' has {len(parts)}")
    made = apply(QuantizedConcat, convert_to_tensor(concat_dim, int32), parts, lows, highs, name=name, N=len(parts))
    return Quantized(*made)
