"""The public depthwise and separable convolutions."""
from __future__ import annotations

from typing import Any

from graphc.api.math.reduce import deprecated
from graphc.api.nn.convolve import attributes, conv2d
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ir.spec import text
from graphc.ops.nn.depthwise import (
    DepthwiseConv2dNative,
    DepthwiseConv2dNativeBackpropFilter,
    DepthwiseConv2dNativeBackpropInput,
)


@public("nn.depthwise_conv2d_native")
def depthwise_conv2d_native(input, filter, strides, padding, data_format="NHWC", dilations=(1, 1, 1, 1), name=None):
    """As `depthwise_conv2d`, with dilations instead of rate. As `tf.nn.depthwise_conv2d_native`.

    Raises as `depthwise_conv2d`.

    >>> x = gc.ones([1, 2, 2, 2])
    >>> gc.nn.depthwise_conv2d_native(x, [[[[1.], [10.]]]], [1, 1, 1, 1], "SAME")[0, 0].eval()
    array([[ 1., 10.],
           [ 1., 10.]], dtype=float32)
    """
    return apply(DepthwiseConv2dNative, input, filter, name=name,
                 **attributes(strides, padding, data_format, dilations))


@public("nn.depthwise_conv2d_native_backprop_input", "nn.depthwise_conv2d_backprop_input")
def depthwise_conv2d_native_backprop_input(input_sizes, filter, out_backprop, strides, padding, data_format="NHWC",
                                           dilations=(1, 1, 1, 1), name=None):
    """The gradient of the depthwise convolution by its input, of shape input_sizes (int32[4]).

    filter: [height, width, in, multiplier]; out_backprop: the gradient of the result. Raises TypeError for integers,
    ValueError if out_backprop has not the shape of that convolution's result. As
    `tf.nn.depthwise_conv2d_backprop_input`.

    >>> dy = gc.reshape([1., 2., 3., 4.], [1, 1, 2, 2])
    >>> gc.nn.depthwise_conv2d_backprop_input([1, 1, 2, 2], [[[[1.], [10.]]]], dy, [1, 1, 1, 1], "SAME")[0, 0].eval()
    array([[ 1., 20.],
           [ 3., 40.]], dtype=float32)
    """
    return apply(DepthwiseConv2dNativeBackpropInput, input_sizes, filter, out_backprop, name=name,
                 **attributes(strides, padding, data_format, dilations))


@public("nn.depthwise_conv2d_native_backprop_filter", "nn.depthwise_conv2d_backprop_filter")
def depthwise_conv2d_native_backprop_filter(input, filter_sizes, out_backprop, strides, padding, data_format="NHWC",
                                            dilations=(1, 1, 1, 1), name=None):
    """The gradient of the depthwise convolution by its filter, of shape filter_sizes (int32[4]).

    Raises TypeError for integers, ValueError if out_backprop has not the shape of that convolution's result. As
    `tf.nn.depthwise_conv2d_backprop_filter`.

    >>> x, dy = gc.reshape([1., 2., 3., 4.], [1, 1, 2, 2]), gc.ones([1, 1, 2, 2])
    >>> gc.nn.depthwise_conv2d_backprop_filter(x, [1, 1, 2, 1], dy, [1, 1, 1, 1], "SAME")[0, 0].eval()
    array([[4.],
           [6.]], dtype=float32)
    """
    return apply(DepthwiseConv2dNativeBackpropFilter, input, filter_sizes, out_backprop, name=name,
                 **attributes(strides, padding, data_format, dilations))


@public("nn.depthwise_conv2d")
def depthwise_conv2d(input, filter, strides, padding, rate=None, name=None, data_format=None, dilations=None):
    """Each channel of pictures [batch, height, width, in] convolved with its own filters [height, width, in,
    multiplier].

    The result has in * multiplier channels: c * multiplier + q is channel c through its filter q. strides, padding and
    data_format: as of `conv2d`. rate (dilations): the distance of the taps, one or two numbers. As
    `tf.nn.depthwise_conv2d`. Raises TypeError for integers, ValueError if the depths differ or a window does not fit.

    >>> x = gc.constant([[[[1., 2.]]]])                      # 1 x 1 pixel, 2 channels
    >>> filters = gc.constant([[[[1., 10.], [100., 1000.]]]])
    >>> gc.nn.depthwise_conv2d(x, filters, [1, 1, 1, 1], "SAME").eval()
    array([[[[   1.,   10.,  200., 2000.]]]], dtype=float32)
    """
    rate = deprecated(rate, dilations, "rate", "dilations")
    return depthwise_conv2d_native(input, filter, strides, padding, data_format=data_format or "NHWC", dilations=rate,
                                   name=name or "depthwise")


@public("nn.separable_conv2d")
def separable_conv2d(input, depthwise_filter, pointwise_filter, strides, padding, rate=None, name=None,
                     data_format=None, dilations=None):
    """A depthwise convolution, then a 1 x 1 one that mixes the channels: far fewer weights than `conv2d`.

    input: floats [batch, height, width, in]; depthwise_filter: [height, width, in, multiplier]; pointwise_filter: [1,
    1, in * multiplier, out]. strides and rate are those of the first. As `tf.nn.separable_conv2d`. Raises ValueError if
    the filters do not fit, TypeError for integers.

    >>> x = gc.constant([[[[1., 2.]]]])
    >>> depthwise, pointwise = [[[[1., 10.], [100., 1000.]]]], gc.ones([1, 1, 4, 1])
    >>> gc.nn.separable_conv2d(x, depthwise, pointwise, [1, 1, 1, 1], "SAME").eval()
    array([[[[2211.]]]], dtype=float32)
    """
    rate = deprecated(rate, dilations, "rate", "dilations")
    with get_default_graph().name_scope(name or "separable_conv2d") as scope:
        depthwise_filter = convert_to_tensor(depthwise_filter, name="depthwise_filter")
        pointwise_filter = convert_to_tensor(pointwise_filter, name="pointwise_filter")
        _check_pointwise(pointwise_filter)
        between = depthwise_conv2d(input, depthwise_filter, strides, padding, rate, data_format=data_format,
                                   name="depthwise")
        return conv2d(between, pointwise_filter, [1, 1, 1, 1], "VALID", data_format=data_format or "NHWC", name=scope)


def _check_pointwise(filter: Any) -> None:
    shape = filter.spec.shape
    if shape is not None and (len(shape) != 4 or any(isinstance(s, int) and s != 1 for s in shape[:2])):
        raise ValueError(f"pointwise_filter must have the shape [1, 1, in * multiplier, out], but has {text(shape)}")
