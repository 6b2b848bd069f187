"""contrib.layers.separable_conv2d, on gc.layers.SeparableConv2D; without num_outputs the depthwise part alone."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope
from graphc.compat.layers.convolution import format_of
from graphc.compat.layers.utils import (
    add_to_collections_of,
    channel_dimension,
    finished,
    get_variable_collections,
    model_variables,
    two_element_tuple,
)

_RENAMED = {"bias": "biases", "depthwise_kernel": "depthwise_weights", "pointwise_kernel": "pointwise_weights"}


@public("contrib.layers.separable_conv2d", "contrib.layers.separable_convolution2d")
@add_arg_scope
def separable_convolution2d(inputs: Any, num_outputs: int | None, kernel_size: Any, depth_multiplier: int = 1,
                            stride: Any = 1, padding: str = "SAME", data_format: str = "NHWC", rate: Any = 1,
                            activation_fn: Any = gc.nn.relu, normalizer_fn: Any = None,
                            normalizer_params: dict[str, Any] | None = None,
                            weights_initializer: Any = gc.contrib.layers.xavier_initializer(),
                            pointwise_initializer: Any = None, weights_regularizer: Any = None,
                            biases_initializer: Any = gc.zeros_initializer(), biases_regularizer: Any = None,
                            reuse: Any = None, variables_collections: Any = None, outputs_collections: Any = None,
                            trainable: bool = True, scope: Any = None) -> Any:
    """Each channel convolved by itself, then single points that mix them; num_outputs None leaves out the second part.

    Inputs [batch, height, width, channels] ("NHWC") or [batch, channels, height, width] ("NCHW"), floating point; the
    result has num_outputs channels, without it channels * depth_multiplier. Raises ValueError for another or unknown
    rank, unknown channels, or a data_format, kernel_size or rate that does not fit; TypeError for other dtypes. As
    `tf.contrib.layers.separable_conv2d`.

    >>> x = gc.placeholder(gc.float32, [None, 28, 28, 16])
    >>> gc.contrib.layers.separable_conv2d(x, num_outputs=32, kernel_size=3).shape.as_list()
    [None, 28, 28, 32]
    >>> for v in gc.trainable_variables():
    ...     print(v.op.name, v.shape)
    SeparableConv2d/depthwise_weights (3, 3, 16, 1)
    SeparableConv2d/pointwise_weights (1, 1, 16, 32)
    SeparableConv2d/biases (32,)
    """
    layout = format_of(data_format)
    with gc.variable_scope(scope, "SeparableConv2d", [inputs], reuse=reuse,
                           custom_getter=model_variables(_RENAMED)) as entered:
        inputs = gc.convert_to_tensor(inputs)
        if num_outputs is None:
            outputs = _depthwise(inputs, kernel_size, depth_multiplier, stride, padding, layout, rate, normalizer_fn,
                                 normalizer_params, weights_initializer, weights_regularizer, biases_initializer,
                                 biases_regularizer, variables_collections, trainable)
            return finished(outputs, activation_fn, outputs_collections, entered.name)
        layer = gc.layers.SeparableConv2D(
            num_outputs, kernel_size, stride, padding, layout, two_element_tuple(rate), depth_multiplier,
            use_bias=not normalizer_fn and biases_initializer is not None, depthwise_initializer=weights_initializer,
            pointwise_initializer=pointwise_initializer or weights_initializer, bias_initializer=biases_initializer,
            depthwise_regularizer=weights_regularizer, pointwise_regularizer=weights_regularizer,
            bias_regularizer=biases_regularizer, trainable=trainable, name=entered.name,
            dtype=inputs.dtype.base_dtype, _scope=entered, _reuse=reuse)
        outputs = layer(inputs)
        add_to_collections_of(layer.depthwise_kernel, variables_collections, "weights")
        add_to_collections_of(layer.pointwise_kernel, variables_collections, "weights")
        if layer.bias is not None:
            add_to_collections_of(layer.bias, variables_collections, "biases")
        if normalizer_fn is not None:
            outputs = normalizer_fn(outputs, **(normalizer_params or {}))
        return finished(outputs, activation_fn, outputs_collections, entered.name)


def _depthwise(inputs: Any, kernel_size: Any, depth_multiplier: int, stride: Any, padding: str, layout: str, rate: Any,
               normalizer_fn: Any, normalizer_params: dict[str, Any] | None, weights_initializer: Any,
               weights_regularizer: Any, biases_initializer: Any, biases_regularizer: Any, variables_collections: Any,
               trainable: bool) -> Any:
    model_variable = gc.contrib.framework.model_variable
    channels = channel_dimension(inputs.get_shape(), layout, min_rank=4)
    weights = model_variable("depthwise_weights", [*two_element_tuple(kernel_size), channels, depth_multiplier],
                             inputs.dtype.base_dtype, weights_initializer, weights_regularizer, trainable,
                             get_variable_collections(variables_collections, "weights"))
    first, spatial = layout == "channels_first", two_element_tuple(stride)
    letters = "NCHW" if first else "NHWC"
    outputs = gc.nn.depthwise_conv2d(inputs, weights, [1, 1, *spatial] if first else [1, *spatial, 1], padding,
                                     rate=list(two_element_tuple(rate)), data_format=letters)
    if normalizer_fn is not None:
        return normalizer_fn(outputs, **(normalizer_params or {}))
    if biases_initializer is None:
        return outputs
    biases = model_variable("biases", [channels * depth_multiplier], inputs.dtype.base_dtype, biases_initializer,
                            biases_regularizer, trainable, get_variable_collections(variables_collections, "biases"))
    return gc.nn.bias_add(outputs, biases, data_format=letters)
