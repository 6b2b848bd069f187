"""Simulated quantization: fake_quant_with_min_max_* and quantize_and_dequantize."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
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
    """inputs rounded to the 2 ** num_bits levels from min to max, and cut to that range: float32, for training.

    min, max: Python numbers, moved a little so that 0 is a level. num_bits: 2 to 16. narrow_range: one level less, at
    the lower end. The gradient is that of inputs within the range, else 0. inputs: float32 of any shape, which the
    result has. As `tf.quantization.fake_quant_with_min_max_args`. Raises ValueError unless min < max, for other
    num_bits, and for tensors of other dtypes.

    >>> x = gc.constant([-3., 0.26, 0.5, 9.])
    >>> rounded = gc.quantization.fake_quant_with_min_max_args(x, min=-1., max=1., num_bits=3)
    >>> rounded.eval()
    array([-0.8571,  0.2857,  0.5714,  1.1429], dtype=float32)
    >>> gc.gradients(rounded, x)[0].eval()
    array([0., 1., 1., 0.], dtype=float32)
    """
    result: Tensor = apply(FakeQuantWithMinMaxArgs, *_float32(inputs), name=name, min=float(min), max=float(max),
                           num_bits=num_bits, narrow_range=narrow_range)
    return result


@public("quantization.fake_quant_with_min_max_args_gradient", "fake_quant_with_min_max_args_gradient")
def fake_quant_with_min_max_args_gradient(gradients: Any, inputs: Any, min: float = -6, max: float = 6,
                                          num_bits: int = 8, narrow_range: bool = False,
                                          name: str | None = None) -> Tensor:
    """gradients where inputs lie in the range, else 0; other arguments as of
    `gc.quantization.fake_quant_with_min_max_args`.

    All are float32, of one shape. As `tf.quantization.fake_quant_with_min_max_args_gradient`. Raises ValueError for
    shapes that differ, and other num_bits.

    >>> gc.quantization.fake_quant_with_min_max_args_gradient([1., 2., 3.], [-3., 0.5, 9.], min=-1., max=1.).eval()
    array([0., 2., 0.], dtype=float32)
    """
    result: Tensor = apply(FakeQuantWithMinMaxArgsGradient, *_float32(gradients, inputs), name=name, min=float(min),
                           max=float(max), num_bits=num_bits, narrow_range=narrow_range)
    return result


@public("quantization.fake_quant_with_min_max_vars", "fake_quant_with_min_max_vars")
def fake_quant_with_min_max_vars(inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False,
                                 name: str | None = None) -> Tensor:
    """inputs rounded to the 2 ** num_bits levels from min to max, and cut to that range; min and max may be learnt.

    min, max: float32 scalars, Variables say; else as `gc.quantization.fake_quant_with_min_max_args`. What is cut gives
    its gradient to the end at which it was. As `tf.quantization.fake_quant_with_min_max_vars`. Raises ValueError for a
    min or max that is no scalar, and other num_bits.

    >>> low, high = gc.constant(-1.), gc.constant(1.)
    >>> rounded = gc.quantization.fake_quant_with_min_max_vars([-3., 0.26, 9., 8.], low, high, num_bits=3)
    >>> rounded.eval()
    array([-0.8571,  0.2857,  1.1429,  1.1429], dtype=float32)
    >>> gc.get_default_session().run(gc.gradients(rounded, [low, high]))
    [np.float32(1.0), np.float32(2.0)]
    """
    result: Tensor = apply(FakeQuantWithMinMaxVars, *_float32(inputs, min, max), name=name, num_bits=num_bits,
                           narrow_range=narrow_range)
    return result


@public("quantization.fake_quant_with_min_max_vars_gradient", "fake_quant_with_min_max_vars_gradient")
def fake_quant_with_min_max_vars_gradient(gradients: Any, inputs: Any, min: Any, max: Any, num_bits: int = 8,
                                          narrow_range: bool = False, name: str | None = None) -> tuple[Tensor, ...]:
    """(gradient of inputs, of min, of max), given those of the result; other arguments as of
    `gc.quantization.fake_quant_with_min_max_vars`.

    All are float32. As `tf.quantization.fake_quant_with_min_max_vars_gradient`. Raises ValueError unless gradients and
    inputs have one shape, for a min or max that is no scalar, and other num_bits.

    >>> found = gc.quantization.fake_quant_with_min_max_vars_gradient([1., 2., 3.], [-3., 0.5, 9.], -1., 1.)
    >>> gc.get_default_session().run(list(found))
    [array([0., 2., 0.], dtype=float32), np.float32(1.0), np.float32(3.0)]
    """
    result: tuple[Tensor, ...] = apply(FakeQuantWithMinMaxVarsGradient, *_float32(gradients, inputs, min, max),
                                       name=name, num_bits=num_bits, narrow_range=narrow_range)
    return result


@public("quantization.fake_quant_with_min_max_vars_per_channel", "fake_quant_with_min_max_vars_per_channel")
def fake_quant_with_min_max_vars_per_channel(inputs: Any, min: Any, max: Any, num_bits: int = 8,
                                             narrow_range: bool = False, name: str | None = None) -> Tensor:
    """inputs rounded to the levels between min[c] and max[c] of each channel c, the last axis.

    inputs: float32 [..., channels]; min, max: float32 [channels]. Else as
    `gc.quantization.fake_quant_with_min_max_vars`. As `tf.quantization.fake_quant_with_min_max_vars_per_channel`.
    Raises ValueError for a scalar, other lengths of min and max, and other num_bits.

    >>> gc.quantization.fake_quant_with_min_max_vars_per_channel(
    ...     [[0.3, 0.3], [9., 9.]], min=[-1., -4.], max=[1., 4.], num_bits=3).eval()
    array([[0.2857, 0.    ],
           [1.1429, 4.5714]], dtype=float32)
    """
    result: Tensor = apply(FakeQuantWithMinMaxVarsPerChannel, *_float32(inputs, min, max), name=name,
                           num_bits=num_bits, narrow_range=narrow_range)
    return result


@public("quantization.fake_quant_with_min_max_vars_per_channel_gradient",
        "fake_quant_with_min_max_vars_per_channel_gradient")
def fake_quant_with_min_max_vars_per_channel_gradient(gradients: Any, inputs: Any, min: Any, max: Any,
                                                      num_bits: int = 8, narrow_range: bool = False,
                                                      name: str | None = None) -> tuple[Tensor, ...]:
    """(gradient of inputs, of min [channels], of max [channels]), given those of the result.

    gradients, inputs: float32 [..., channels]; min, max: float32 [channels], else ValueError. As
    `tf.quantization.fake_quant_with_min_max_vars_per_channel_gradient`.

    >>> found = gc.quantization.fake_quant_with_min_max_vars_per_channel_gradient(
    ...     [[1., 2.], [3., 4.]], [[0.3, 0.3], [9., 9.]], [-1., -4.], [1., 4.])
    >>> gc.get_default_session().run(list(found))[2]
    array([3., 4.], dtype=float32)
    """
    result: tuple[Tensor, ...] = apply(FakeQuantWithMinMaxVarsPerChannelGradient,
                                       *_float32(gradients, inputs, min, max), name=name, num_bits=num_bits,
                                       narrow_range=narrow_range)
    return result


@public("quantization.quantize_and_dequantize")
def quantize_and_dequantize(input: Any, input_min: Any, input_max: Any, signed_input: bool = True, num_bits: int = 8,
                            range_given: bool = False, round_mode: str = "HALF_TO_EVEN", name: str | None = None,
                            narrow_range: bool = False) -> Tensor:
    """input rounded to the levels of an integer of num_bits, as floating point numbers again. The gradient passes
    through.

    Args:
        input: floating point.
        input_min, input_max: scalars, looked at if range_given (ValueError if they are numbers the wrong way round);
            else the range is that of each run's input.
        signed_input: the integers are signed ones.
        num_bits: 1 to 62.
        round_mode: "HALF_TO_EVEN" or "HALF_UP".
        narrow_range: without the least signed integer, so that the levels are symmetric.

    As `tf.quantization.quantize_and_dequantize`.

    Raises ValueError for other num_bits, another round_mode, and ends that are no scalars, TypeError for integers.

    >>> gc.quantization.quantize_and_dequantize([-1., 0.3, 0.8], -1., 1., num_bits=3, range_given=True).eval()
    array([-1.    ,  0.3333,  0.6667], dtype=float32)
    """
    known = range_given and not is_tensor_like(input_min) and not is_tensor_like(input_max)
    if known and input_min > input_max:
        raise ValueError(f"quantize_and_dequantize: argument 'input_min' {input_min} must not be greater than "
                         f"'input_max' {input_max}")
    x = convert_to_tensor(input, name="input")
    low, high = (convert_to_tensor(end, x.dtype) for end in (input_min, input_max))
    result: Tensor = apply(QuantizeAndDequantizeV2, x, low, high, name=name, signed_input=signed_input,
                           num_bits=num_bits, range_given=range_given, round_mode=round_mode, narrow_range=narrow_range)
    return result
