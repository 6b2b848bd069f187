"""Simulated quantization: fake_quant_with_min_max_* and quantize_and_dequantize."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ir.tensor import Tensor
from graphc.ops.quantization.fake_quant import (
    FakeQuantWithMinMaxArgs,
    FakeQuantWithMinMaxVars,
    FakeQuantWithMinMaxVarsPerChannel,
)
from graphc.ops.quantization.fake_quant_gradients import (
    FakeQuantWithMinMaxArgsGradient,
    FakeQuantWithMinMaxVarsGradient,
    FakeQuantWithMinMaxVarsPerChannelGradient,
)
from graphc.ops.quantization.quantize_and_dequantize import QuantizeAndDequantizeV2


def _float32(*values: Any) -> list[Tensor]:
    return [convert_to_tensor(v, float32) for v in values]


@public("quantization.fake_quant_with_min_max_args", "fake_quant_with_min_max_args")
def fake_quant_with_min_max_args(inputs: Any, min: float = -6, max: float = 6, num_bits: int = 8,
                                 narrow_range: bool = False, name: str | None = None) -> Tensor:
    """inputs rounded to the levels between min and max, as `tf.quantization.fake_quant_with_min_max_args`."""
    result: Tensor = apply(FakeQuantWithMinMaxArgs, *_float32(inputs), name=name, min=float(min), max=float(max),
                           num_bits=num_bits, narrow_range=narrow_range)
    return result


@public("quantization.fake_quant_with_min_max_args_gradient", "fake_quant_with_min_max_args_gradient")
def fake_quant_with_min_max_args_gradient(gradients: Any, inputs: Any, min: float = -6, max: float = 6,
                                          num_bits: int = 8, narrow_range: bool = False,
                                          name: str | None = None) -> Tensor:
    """gradients where inputs lie in the range, as `tf.quantization.fake_quant_with_min_max_args_gradient`."""
    result: Tensor = apply(FakeQuantWithMinMaxArgsGradient, *_float32(gradients, inputs), name=name, min=float(min),
                           max=float(max), num_bits=num_bits, narrow_range=narrow_range)
    return result


@public("quantization.fake_quant_with_min_max_vars", "fake_quant_with_min_max_vars")
def fake_quant_with_min_max_vars(inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False,
                                 name: str | None = None) -> Tensor:
    """inputs rounded to the levels between the scalars min and max, as
    `tf.quantization.fake_quant_with_min_max_vars`."""
    result: Tensor = apply(FakeQuantWithMinMaxVars, *_float32(inputs, min, max), name=name, num_bits=num_bits,
                           narrow_range=narrow_range)
    return result


@public("quantization.fake_quant_with_min_max_vars_gradient", "fake_quant_with_min_max_vars_gradient")
def fake_quant_with_min_max_vars_gradient(gradients: Any, inputs: Any, min: Any, max: Any, num_bits: int = 8,
                                          narrow_range: bool = False, name: str | None = None) -> tuple[Tensor, ...]:
    """The gradients of inputs, min and max, as `tf.quantization.fake_quant_with_min_max_vars_gradient`."""
    result: tuple[Tensor, ...] = apply(FakeQuantWithMinMaxVarsGradient, *_float32(gradients, inputs, min, max),
                                       name=name, num_bits=num_bits, narrow_range=narrow_range)
    return result


@public("quantization.fake_quant_with_min_max_vars_per_channel", "fake_quant_with_min_max_vars_per_channel")
def fake_quant_with_min_max_vars_per_channel(inputs: Any, min: Any, max: Any, num_bits: int = 8,
                                             narrow_range: bool = False, name: str | None = None) -> Tensor:
    """inputs rounded to the levels between min[c] and max[c] of each channel, the last axis, as
    `tf.quantization.fake_quant_with_min_max_vars_per_channel`."""
    result: Tensor = apply(FakeQuantWithMinMaxVarsPerChannel, *_float32(inputs, min, max), name=name,
                           num_bits=num_bits, narrow_range=narrow_range)
    return result


@public("quantization.fake_quant_with_min_max_vars_per_channel_gradient",
        "fake_quant_with_min_max_vars_per_channel_gradient")
def fake_quant_with_min_max_vars_per_channel_gradient(gradients: Any, inputs: Any, min: Any, max: Any,
                                                      num_bits: int = 8, narrow_range: bool = False,
                                                      name: str | None = None) -> tuple[Tensor, ...]:
    """The gradients of inputs, min and max, as
    `tf.quantization.fake_quant_with_min_max_vars_per_channel_gradient`."""
    result: tuple[Tensor, ...] = apply(FakeQuantWithMinMaxVarsPerChannelGradient,
                                       *_float32(gradients, inputs, min, max), name=name, num_bits=num_bits,
                                       narrow_range=narrow_range)
    return result


@public("quantization.quantize_and_dequantize")
def quantize_and_dequantize(input: Any, input_min: Any, input_max: Any, signed_input: bool = True, num_bits: int = 8,
                            range_given: bool = False, round_mode: str = "HALF_TO_EVEN", name: str | None = None,
                            narrow_range: bool = False) -> Tensor:
    """input rounded to the levels of an integer of num_bits, as `tf.quantization.quantize_and_dequantize`."""
    x = convert_to_tensor(input, name="input")
    low, high = (convert_to_tensor(end, x.dtype) for end in (input_min, input_max))
    result: Tensor = apply(QuantizeAndDequantizeV2, x, low, high, name=name, signed_input=signed_input,
                           num_bits=num_bits, range_given=range_given, round_mode=round_mode, narrow_range=narrow_range)
    return result
