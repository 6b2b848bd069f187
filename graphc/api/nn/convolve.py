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
    """The convolution of pictures [batch, height, width, in] with filters [height, width, in, out]; no flipping.

    y[b, i, j, o] = sum over p, q, c of x[b, i s + p, j s + q, c] filter[p, q, c, o].

    Args:
        input: float16, bfloat16, float32 or float64; in "NCHW" [batch, in, height, width].
        filter: of the same dtype, its layout the same for both formats. `filters` is a later name. A filter of depth
            in / g sees the channels in g groups: the first out / g filters those of the first, and so on. Both depths
            must be known.
        strides, dilations: an int, or 1, 2 or 4 numbers; a dilation d leaves d - 1 holes between taps.
        padding: "VALID": only whole windows; "SAME": ceil(size / stride) results, zeros around, the odd one after; or
            four pairs of numbers, one an axis.
        data_format: "NHWC" or "NCHW"; both are equally fast.
        use_cudnn_on_gpu: changes nothing.

    As `tf.nn.conv2d`. Raises ValueError if the filter's depth does not divide that of the input, the groups do not
    divide the number of filters, or a window does not fit, TypeError for integers.

    >>> x = gc.reshape(gc.range(9.), [1, 3, 3, 1])
    >>> box = gc.ones([2, 2, 1, 1])
    >>> gc.nn.conv2d(x, box, strides=[1, 1, 1, 1], padding="VALID")[0, :, :, 0].eval()
    array([[ 8., 12.],
           [20., 24.]], dtype=float32)
    >>> gc.nn.conv2d(x, box, strides=2, padding="SAME")[0, :, :, 0].eval()
    array([[ 8.,  7.],
           [13.,  8.]], dtype=float32)
    >>> pairs = gc.ones([1, 1, 2, 2])                            # two groups of two channels
    >>> gc.nn.conv2d(gc.reshape(gc.range(4.), [1, 1, 1, 4]), pairs, strides=1, padding="VALID").eval()
    array([[[[1., 5.]]]], dtype=float32)
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
    """The gradient of `conv2d` by its input: out_backprop through the filter backwards, of shape input_sizes.

    input_sizes: int32[4]; filter: [height, width, in, out]; out_backprop: the gradient of the result. As
    `tf.nn.conv2d_backprop_input`. Raises TypeError for integers, ValueError if out_backprop has not the shape of that
    convolution's result.

    >>> dy = gc.reshape([1., 2., 3., 4.], [1, 2, 2, 1])
    >>> gc.nn.conv2d_backprop_input([1, 3, 3, 1], gc.ones([2, 2, 1, 1]), dy, 1, "VALID")[0, :, :, 0].eval()
    array([[ 1.,  3.,  2.],
           [ 4., 10.,  6.],
           [ 3.,  7.,  4.]], dtype=float32)
    """
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
    """The gradient of `conv2d` by its filter: the sum of the products of all windows of the input with out_backprop.

    filter_sizes: int32[4], the shape of the result. input, out_backprop: floats. Raises TypeError for integers,
    ValueError if out_backprop has not the shape of that convolution's result. As `tf.nn.conv2d_backprop_filter`.

    >>> x, dy = gc.reshape(gc.range(9.), [1, 3, 3, 1]), gc.ones([1, 2, 2, 1])
    >>> gc.nn.conv2d_backprop_filter(x, [2, 2, 1, 1], dy, 1, "VALID")[:, :, 0, 0].eval()
    array([[ 8., 12.],
           [20., 24.]], dtype=float32)
    """
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
    """The transposed convolution, by which pictures grow: each element adds itself times the filter to its window.

    value: [batch, height, width, in]; filter: [height, width, out, in], the other way round than that of `conv2d`;
    output_shape: [batch, height, width, out], a list or an int32 tensor (with a batch size that the run knows). With
    "SAME" a stride s gives s * size. As `tf.nn.conv2d_transpose`. Raises TypeError for integers, ValueError if a
    convolution of output_shape would not have value's shape.

    >>> x = gc.reshape([1., 2., 3., 4.], [1, 2, 2, 1])
    >>> y = gc.nn.conv2d_transpose(x, gc.ones([2, 2, 1, 1]), [1, 4, 4, 1], strides=2, padding="SAME")
    >>> y[0, :, :, 0].eval()
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.],
           [3., 3., 4., 4.],
           [3., 3., 4., 4.]], dtype=float32)
    """
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
    """A convolution whose filter has rate - 1 holes between its taps: `conv2d` with dilations=rate and strides of 1.

    value: [batch, height, width, in]; filters: [height, width, in, out]. Raises as `conv2d`, and ValueError for a rate
    below 1. As `tf.nn.atrous_conv2d`.

    >>> x = gc.reshape(gc.range(9.), [1, 3, 3, 1])
    >>> gc.nn.atrous_conv2d(x, gc.ones([2, 2, 1, 1]), rate=2, padding="VALID")[0, :, :, 0].eval()
    array([[16.]], dtype=float32)
    """
    return conv2d(value, filters, [1, 1, 1, 1], padding, dilations=rate, name=name)
