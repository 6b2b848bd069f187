"""The public convolutions along one axis: those of pictures of height 1."""
from __future__ import annotations

from typing import Any

from graphc.api.array.join import concat
from graphc.api.array.shapes import expand_dims
from graphc.api.math.reduce import deprecated
from graphc.api.nn.convolve import conv2d, conv2d_backprop_input
from graphc.api.nn.ranks import check_format, full_list, is_channels_first, with_height, without_height
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


@public("nn.conv1d")
def conv1d(value=None, filters=None, stride=None, padding=None, use_cudnn_on_gpu=None, data_format=None, name=None,
           input=None, dilations=None):
    """The convolution of rows [batch, width, in] with filters [width, in, out].

    stride, dilations: an int, or 1 or 3 numbers. padding: "VALID" or "SAME". data_format: "NWC", or "NCW" for [batch,
    in, width]. Rows and filters are of one floating point dtype. Raises TypeError for integers, ValueError if the
    depths differ or a window does not fit. As `tf.nn.conv1d`.

    >>> x = gc.reshape([1., 2., 4., 8.], [1, 4, 1])
    >>> difference = gc.reshape([-1., 1.], [2, 1, 1])
    >>> gc.nn.conv1d(x, difference, stride=1, padding="VALID")[0, :, 0].eval()
    array([1., 2., 4.], dtype=float32)
    """
    value = deprecated(value, input, "value", "input")
    first = is_channels_first(check_format(data_format, 1, "NHWC", "NCHW"))
    with get_default_graph().name_scope(name or "conv1d") as scope:
        value, filters = convert_to_tensor(value), convert_to_tensor(filters)
        y = conv2d(with_height(value, first), expand_dims(filters, 0), _flat(stride, "stride", first), padding,
                   use_cudnn_on_gpu is None or bool(use_cudnn_on_gpu), "NCHW" if first else "NHWC",
                   _flat(dilations, "dilations", first), name=scope)
        return without_height(y, first)


@public("nn.conv1d_transpose")
def conv1d_transpose(input, filters, output_shape, strides, padding="SAME", data_format="NWC", dilations=None,
                     name=None):
    """The transposed convolution along one axis: rows grow by the stride.

    input: [batch, width, in]; filters: [width, out, in]; output_shape: [batch, width, out]. Rows and filters are of one
    floating point dtype. Raises TypeError for integers, ValueError if a convolution of output_shape would not have the
    input's shape. As `tf.nn.conv1d_transpose`.

    >>> x = gc.reshape([1., 2.], [1, 2, 1])
    >>> gc.nn.conv1d_transpose(x, gc.ones([3, 1, 1]), [1, 5, 1], strides=2, padding="VALID")[0, :, 0].eval()
    array([1., 1., 3., 2., 2.], dtype=float32)
    """
    first = is_channels_first(check_format(data_format, 1, "NHWC", "NCHW"))
    with get_default_graph().name_scope(name or "conv1d_transpose") as scope:
        input, filters = convert_to_tensor(input), convert_to_tensor(filters)
        y = conv2d_backprop_input(_sizes(output_shape, first), expand_dims(filters, 0), with_height(input, first),
                                  _flat(strides, "strides", first), padding,
                                  data_format="NCHW" if first else "NHWC",
                                  dilations=_flat(dilations, "dilations", first))
        return without_height(y, first, name=scope)


def _flat(values: Any, name: str, first: bool) -> list[int]:
    """Values for rows as values for pictures."""
    listed = list(full_list(values, name, 1, first))
    return [*listed[:2], 1, listed[2]] if first else [listed[0], 1, *listed[1:]]


def _sizes(shape: Any, first: bool) -> Any:
    """output_shape with the height."""
    at = 2 if first else 1
    if isinstance(shape, Tensor) or is_tensor_like(shape):
        return concat([shape[:at], [1], shape[at:]], 0)
    listed = list(shape)
    return [*listed[:at], 1, *listed[at:]]
