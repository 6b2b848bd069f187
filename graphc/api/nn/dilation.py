"""The public grey-scale dilation and erosion."""
from __future__ import annotations

from typing import Any

from graphc.api.array.transpose import reverse
from graphc.api.math.reduce import deprecated
from graphc.api.math.unary import negative
from graphc.api.nn.ranks import padding_word
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ops.nn.convolution import spatial_list
from graphc.ops.nn.dilation import Dilation2D


def _attributes(strides: Any, rates: Any, padding: Any) -> dict[str, Any]:
    return {"strides": spatial_list(strides, "NHWC", "strides"), "rates": spatial_list(rates, "NHWC", "rates"),
            "padding": padding_word(padding)}


@public("nn.dilation2d")
def dilation2d(input, filter=None, strides=None, rates=None, padding=None, name=None, filters=None, dilations=None):
    """The greatest sum of elements of a picture [batch, height, width, channels] and of the filter [height, width,
    channels] in each window. As `tf.nn.dilation2d`."""
    filter, rates = deprecated(filter, filters, "filter", "filters"), deprecated(rates, dilations, "rates", "dilations")
    return apply(Dilation2D, input, filter, name=name, **_attributes(strides, rates, padding))


@public("nn.erosion2d")
def erosion2d(value, kernel, strides, rates, padding, name=None):
    """The least difference of elements of a picture and of the kernel in each window. As `tf.nn.erosion2d`."""
    with get_default_graph().name_scope(name or "erosion2d") as scope:
        value, kernel = convert_to_tensor(value, name="value"), convert_to_tensor(kernel, name="kernel")
        return negative(apply(Dilation2D, negative(value), reverse(kernel, [0, 1]),
                              **_attributes(strides, rates, padding)), name=scope)
