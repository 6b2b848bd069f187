"""The public convolutions of any number of spatial axes, one to three."""
from __future__ import annotations

from typing import Any

from graphc.api.math.reduce import deprecated
from graphc.api.nn.convolve import conv2d, conv2d_backprop_input, conv2d_transpose
from graphc.api.nn.convolve1d import conv1d, conv1d_transpose
from graphc.api.nn.convolve3d import conv3d, conv3d_transpose
from graphc.api.nn.ranks import CHANNELS_FIRST, CHANNELS_LAST, full_list, is_channels_first
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.graph import get_default_graph


def _spatial_rank(name: str, *tensors: Any) -> int:
    """The number of spatial axes. Raises ValueError if no rank is known, or it is not 1, 2 or 3."""
    known = [len(t.spec.shape) for t in tensors if t.spec.shape is not None]
    if not known:
        raise ValueError(f"{name}: the rank of the input or of the filter must be known while the graph is built")
    if not 3 <= known[0] <= 5:
        raise ValueError(f"{name}: input must have 1, 2 or 3 spatial axes, but its rank is {known[0]}")
    return known[0] - 2


@public("nn.convolution")
def convolution(input, filter=None, padding=None, strides=None, dilation_rate=None, name=None, data_format=None,
                filters=None, dilations=None):
    """The convolution of [batch, spatial..., in] with filters [spatial..., in, out], of one to three spatial axes.

    strides, dilation_rate: one number a spatial axis; ones by default. data_format: channels are axis 1 if it starts
    with "NC". The rank of input or filter must be known. Raises TypeError for integers, ValueError for other ranks, if
    the depths differ or a window does not fit. As `tf.nn.convolution`.

    >>> x = gc.reshape(gc.range(5.), [1, 5, 1])
    >>> gc.nn.convolution(x, gc.ones([2, 1, 1]), padding="VALID", dilation_rate=[2])[0, :, 0].eval()
    array([2., 4., 6.], dtype=float32)
    """
    filter = deprecated(filter, filters, "filter", "filters")
    dilation_rate = deprecated(dilation_rate, dilations, "dilation_rate", "dilations")
    with get_default_graph().name_scope(name or "convolution") as scope:
        input, filter = convert_to_tensor(input, name="input"), convert_to_tensor(filter, name="filter")
        rank, first = _spatial_rank("convolution", input, filter), is_channels_first(data_format)
        layout = (CHANNELS_FIRST if first else CHANNELS_LAST)[rank]
        strides = full_list(strides, "strides", rank, first)
        rates = full_list(dilation_rate, "dilation_rate", rank, first)
        function: Any = {1: conv1d, 2: conv2d, 3: conv3d}[rank]
        return function(input, filter, strides, padding, data_format=layout, dilations=rates, name=scope)


@public("nn.conv_transpose")
def conv_transpose(input, filters, output_shape, strides, padding="SAME", data_format=None, dilations=None, name=None):
    """The transposed convolution of one to three spatial axes: filters are [spatial..., out, in].

    output_shape: that of the result, batch and channels included. Raises TypeError for integers, ValueError for other
    ranks and if a convolution of output_shape would not have the input's shape. As `tf.nn.conv_transpose`.

    >>> x = gc.reshape([1., 2.], [1, 2, 1])
    >>> gc.nn.conv_transpose(x, gc.ones([2, 1, 1]), [1, 4, 1], strides=2)[0, :, 0].eval()
    array([1., 1., 2., 2.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "conv_transpose") as scope:
        input = input if is_tensor_like(input) else convert_to_tensor(input)
        filters = filters if is_tensor_like(filters) else convert_to_tensor(filters)
        rank, first = _spatial_rank("conv_transpose", convert_to_tensor(input), convert_to_tensor(filters)), \
            is_channels_first(data_format)
        layout = (CHANNELS_FIRST if first else CHANNELS_LAST)[rank]
        function: Any = {1: conv1d_transpose, 2: conv2d_transpose, 3: conv3d_transpose}[rank]
        return function(input, filters, output_shape, strides, padding, data_format=layout, dilations=dilations,
                        name=scope)


@public("nn.atrous_conv2d_transpose")
def atrous_conv2d_transpose(value, filters, output_shape, rate, padding, name=None):
    """The transpose of `atrous_conv2d`: the filter [height, width, out, in] has rate - 1 holes between its taps.

    output_shape: [batch, height, width, out]. value: floats [batch, height, width, in]. Raises TypeError for integers,
    ValueError if a convolution of output_shape would not have value's shape. As `tf.nn.atrous_conv2d_transpose`.

    >>> x = gc.ones([1, 1, 1, 1])
    >>> y = gc.nn.atrous_conv2d_transpose(x, gc.ones([2, 2, 1, 1]), [1, 3, 3, 1], rate=2, padding="VALID")
    >>> y[0, :, :, 0].eval()
    array([[1., 0., 1.],
           [0., 0., 0.],
           [1., 0., 1.]], dtype=float32)
    """
    return conv2d_backprop_input(output_shape, filters, value, [1, 1, 1, 1], padding, dilations=int(rate),
                                 name=name or "atrous_conv2d_transpose")
