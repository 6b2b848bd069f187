"""The public convolutions, with the deprecated names of their arguments."""
from __future__ import annotations

from typing import Any

from graphc.api.math.reduce import deprecated
from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.nn.convolution import (
    Conv2D,
    Conv2DBackpropFilter,
    Conv2DBackpropInput,
    padding_attributes,
    spatial_list,
)


def attributes(strides: Any, padding: Any, data_format: str | None, dilations: Any) -> dict[str, Any]:
    """The attributes of an op on pictures from the public arguments."""
    data_format = data_format or "NHWC"
    word, pads = padding_attributes(padding)
    return {"strides": spatial_list(strides, data_format, "strides"), "padding": word, "explicit_paddings": pads,
            "data_format": data_format, "dilations": spatial_list(dilations, data_format, "dilations")}


@public("nn.conv2d")
def conv2d(
    input,
    filter=None,
    strides=None,
    padding=None,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=(1, 1, 1, 1),
    name=None,
    filters=None,
):
    """The convolution of pictures [batch, height, width, in] with filters [height, width, in, out]. As `tf.nn.conv2d`.

    strides, dilations: an int or 1, 2 or 4 numbers; padding: "SAME", "VALID" or four pairs. Raises ValueError if the
    depths differ or a window does not fit.
    """
    filter = deprecated(filter, filters, "filter", "filters")
    return apply(Conv2D, input, filter, use_cudnn_on_gpu=bool(use_cudnn_on_gpu), name=name,
                 **attributes(strides, padding, data_format, dilations))


@public("nn.conv2d_backprop_input")
def conv2d_backprop_input(
    input_sizes,
    filter=None,
    out_backprop=None,
    strides=None,
    padding=None,
    use_cudnn_on_gpu=True,
    data_format="NHWC",
    dilations=(1, 1, 1, 1),
    name=None,
    filters=None,
):
    """The gradient of `conv2d` by its input, of shape input_sizes. As `tf.nn.conv2d_backprop_input`."""
    filter = deprecated(filter, filters, "filter", "filters")
    return apply(
        Conv2DBackpropInput,
        input_sizes,
        filter,
        out_backprop,
        use_cudnn_on_gpu=bool(use_cudnn_on_gpu),
        name=name,
        **attributes(strides, padding, data_format, dilations),
    )


@public("nn.conv2d_backprop_filter")
def conv2d_backprop_filter(input, filter_sizes, out_backprop, strides=None, padding=None, use_cudnn_on_gpu=True,
                           data_format="NHWC", dilations=(1, 1, 1, 1), name=None):
    """The gradient of `conv2d` by its filter, of shape filter_sizes. As `tf.nn.conv2d_backprop_filter`."""
    return apply(
        Conv2DBackpropFilter,
        input,
        filter_sizes,
        out_backprop,
        use_cudnn_on_gpu=bool(use_cudnn_on_gpu),
        name=name,
        **attributes(strides, padding, data_format, dilations),
    )


@public("nn.conv2d_transpose")
def conv2d_transpose(
    value=None,
    filter=None,
    output_shape=None,
    strides=None,
    padding="SAME",
    data_format="NHWC",
    name=None,
    input=None,
    filters=None,
    dilations=None,
):
    """The transposed convolution: filters are [height, width, out, in]. As `tf.nn.conv2d_transpose`."""
    value = deprecated(value, input, "value", "input")
    filter = deprecated(filter, filters, "filter", "filters")
    return conv2d_backprop_input(
        output_shape,
        filter,
        value,
        strides,
        padding,
        data_format=data_format,
        dilations=dilations,
        name=name or "conv2d_transpose",
    )


@public("nn.atrous_conv2d")
def atrous_conv2d(value, filters, rate, padding, name=None):
    """A convolution whose filter has rate - 1 holes between its taps. As `tf.nn.atrous_conv2d`."""
    return conv2d(value, filters, [1, 1, 1, 1], padding, dilations=rate, name=name)
