"""The public convolutions of volumes."""
from __future__ import annotations

from typing import Any

from graphc.api.math.reduce import deprecated
from graphc.api.nn.ranks import check_format, full_list, is_channels_first, padding_word
from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.nn.convolution3d import Conv3D, Conv3DBackpropFilterV2, Conv3DBackpropInputV2


def _attributes(strides: Any, padding: Any, data_format: str | None, dilations: Any) -> dict[str, Any]:
    data_format = check_format(data_format, 3)
    first = is_channels_first(data_format)
    return {"strides": full_list(strides, "strides", 3, first), "padding": padding_word(padding),
            "data_format": data_format, "dilations": full_list(dilations, "dilations", 3, first)}


@public("nn.conv3d")
def conv3d(input, filter=None, strides=None, padding=None, data_format="NDHWC", dilations=(1, 1, 1, 1, 1), name=None,
           filters=None):
    """The convolution of volumes [batch, depth, height, width, in] with filters [depth, height, width, in, out].

    strides, dilations: an int or 1, 3 or 5 numbers. data_format: "NDHWC", or "NCDHW" with channels on axis 1. As
    `tf.nn.conv3d`. Volumes and filters are of one floating point dtype. Raises TypeError for integers, ValueError if
    the depths differ or a window does not fit.

    >>> x = gc.ones([1, 2, 3, 3, 1])
    >>> gc.nn.conv3d(x, gc.ones([2, 2, 2, 1, 1]), strides=1, padding="SAME")[0, :, :, :, 0].eval()
    array([[[8., 8., 4.],
            [8., 8., 4.],
            [4., 4., 2.]],
    <BLANKLINE>
           [[4., 4., 2.],
            [4., 4., 2.],
            [2., 2., 1.]]], dtype=float32)
    """
    filter = deprecated(filter, filters, "filter", "filters")
    return apply(Conv3D, input, filter, name=name, **_attributes(strides, padding, data_format, dilations))


@public("nn.conv3d_backprop_filter", "nn.conv3d_backprop_filter_v2")
def conv3d_backprop_filter_v2(input, filter_sizes, out_backprop, strides, padding, data_format="NDHWC",
                              dilations=(1, 1, 1, 1, 1), name=None):
    """The gradient of `conv3d` by its filter, of shape filter_sizes (int32[5]). As `tf.nn.conv3d_backprop_filter`.

    Raises TypeError for integers, ValueError if out_backprop has not the shape of that convolution's result.

    >>> x, dy = gc.ones([1, 2, 2, 3, 1]), gc.ones([1, 1, 1, 2, 1])
    >>> gc.nn.conv3d_backprop_filter(x, [2, 2, 2, 1, 1], dy, [1] * 5, "VALID")[:, :, :, 0, 0].eval()
    array([[[2., 2.],
            [2., 2.]],
    <BLANKLINE>
           [[2., 2.],
            [2., 2.]]], dtype=float32)
    """
    return apply(Conv3DBackpropFilterV2, input, filter_sizes, out_backprop, name=name,
                 **_attributes(strides, padding, data_format, dilations))


@public("nn.conv3d_transpose")
def conv3d_transpose(value, filter=None, output_shape=None, strides=None, padding="SAME", data_format="NDHWC",
                     name=None, input=None, filters=None, dilations=None):
    """The transposed convolution of volumes [batch, depth, height, width, in]: filters are [depth, height, width, out,
    in].

    output_shape: five numbers, or an int32 tensor. Volumes and filters are of one floating point dtype. Raises
    TypeError for integers, ValueError if a convolution of output_shape would not have the input's shape. As
    `tf.nn.conv3d_transpose`.

    >>> x = gc.ones([1, 1, 1, 2, 1])
    >>> gc.nn.conv3d_transpose(x, gc.ones([1, 1, 3, 1, 1]), [1, 1, 1, 4, 1], [1, 1, 1, 2, 1])[0, 0, :, :, 0].eval()
    array([[1., 1., 2., 1.]], dtype=float32)
    """
    value = deprecated(value, input, "value", "input")
    filter = deprecated(filter, filters, "filter", "filters")
    return apply(Conv3DBackpropInputV2, output_shape, filter, value, name=name or "conv3d_transpose",
                 **_attributes(strides, padding, data_format, dilations))
