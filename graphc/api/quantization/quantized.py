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
    """`gc.quantization.quantize` with its arguments in another order (name before round_mode). As `tf.quantize_v2`.

    input: float32 of any shape, which the output has, of dtype T. Errors as there.

    >>> output, low, high = gc.quantize_v2([0., 1., 2.], 0., 2., gc.quint8)
    >>> output.eval()
    array([  0, 128, 255], dtype=uint8)
    """
    x, low, high = (convert_to_tensor(v, float32) for v in (input, min_range, max_range))
    made = apply(QuantizeV2, x, low, high, name=name, T=as_dtype(T), mode=mode, round_mode=round_mode,
                 narrow_range=narrow_range, axis=_axis(axis, x), ensure_minimum_range=ensure_minimum_range)
    return Quantized(*made)


@public("quantization.quantize", "quantize")
def quantize(input: Any, min_range: Any, max_range: Any, T: Any, mode: str = "MIN_COMBINED",
             round_mode: str = "HALF_AWAY_FROM_ZERO", name: str | None = None, narrow_range: bool = False,
             axis: int | None = None, ensure_minimum_range: float = 0.01) -> Quantized:
    """(output, output_min, output_max): input as numbers of T, whose lowest and highest stand for output_min and
    output_max.

    Args:
        input: float32.
        min_range, max_range: float32 scalars, or with axis a number for each of its slices; made to hold 0, and
            ensure_minimum_range apart.
        T: quint8, qint8, quint16, qint16 or qint32; fetched, they are integers.
        mode: "MIN_COMBINED", "MIN_FIRST" or "SCALED" (symmetric around 0).
        round_mode: "HALF_AWAY_FROM_ZERO", or with SCALED "HALF_TO_EVEN".
        narrow_range: with SCALED: without the least integer.
        axis: an int: slices along it have ranges of their own.

    `gc.quantization.dequantize` is the way back. As `tf.quantization.quantize`. Raises TypeError for another T,
    ValueError for another mode, a round_mode that it does not have, ranges of other shapes, and an axis that is not
    there; a max_range below min_range is an InvalidArgumentError when run.

    >>> output, low, high = gc.quantization.quantize([-1., 0., 0.5, 1.], -1., 1., gc.qint8, mode="SCALED")
    >>> output.eval()
    array([-127,    0,   64,  127], dtype=int8)
    >>> gc.quantization.dequantize(output, low, high, mode="SCALED").eval()
    array([-1.    ,  0.    ,  0.5039,  1.    ], dtype=float32)
    """
    return quantize_v2(input, min_range, max_range, T, mode, name, round_mode, narrow_range, axis, ensure_minimum_range)


@public("quantization.dequantize", "dequantize")
def dequantize(input: Any, min_range: Any, max_range: Any, mode: str = "MIN_COMBINED", name: str | None = None,
               axis: int | None = None, narrow_range: bool = False, dtype: Any = float32) -> Tensor:
    """The floats that input, of a quantized dtype, stands for, given what its lowest and highest number stand for.

    mode, narrow_range and axis as of `gc.quantization.quantize`; dtype: of the result, which has the shape of input:
    float32 or bfloat16. As `tf.quantization.dequantize`. Raises TypeError for other dtypes, ValueError for another
    mode, and ranges of other shapes.

    >>> output, low, high = gc.quantization.quantize([0., 1., 2.], 0., 2., gc.quint8)
    >>> gc.quantization.dequantize(output, low, high).eval().round(2)
    array([0., 1., 2.], dtype=float32)
    """
    x = convert_to_tensor(input)
    low, high = (convert_to_tensor(v, float32) for v in (min_range, max_range))
    result: Tensor = apply(Dequantize, x, low, high, name=name, mode=mode, axis=_axis(axis, x),
                           narrow_range=narrow_range, dtype=as_dtype(dtype))
    return result


@public("quantization.quantized_concat", "quantized_concat")
def quantized_concat(concat_dim: Any, values: Sequence[Any], input_mins: Sequence[Any], input_maxes: Sequence[Any],
                     name: str | None = None) -> Quantized:
    """(output, output_min, output_max): quantized tensors one after the other along concat_dim, in one range that
    holds all.

    values: quint8 or qint32, of one dtype; input_mins, input_maxes: a float32 scalar for each of them (ValueError for
    other numbers of them). As `tf.quantization.quantized_concat`.

    >>> a, b = gc.quantize([0., 1.], 0., 1., gc.quint8), gc.quantize([0., 2.], 0., 2., gc.quint8)
    >>> joined = gc.quantized_concat(0, [a[0], b[0]], [a[1], b[1]], [a[2], b[2]])
    >>> joined[0].eval()
    array([  0, 128,   0, 255], dtype=uint8)
    >>> joined[2].eval()
    np.float32(2.0)
    """
    parts = [convert_to_tensor(v) for v in values]
    lows, highs = ([convert_to_tensor(v, float32) for v in ends] for ends in (input_mins, input_maxes))
    for what, ends in (("input_mins", lows), ("input_maxes", highs)):
        if len(ends) != len(parts):
            raise ValueError(f"argument '{what}' has length {len(ends)}, but 'values' has {len(parts)}")
    made = apply(QuantizedConcat, convert_to_tensor(concat_dim, int32), parts, lows, highs, name=name, N=len(parts))
    return Quantized(*made)
