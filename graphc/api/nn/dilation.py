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
    """The greatest sum of picture and filter in each window: max over p, q of x[b, i s + p r, j s + q r, c] + filter[p,
    q, c].

    input: [batch, height, width, channels]; filter: [height, width, channels]. strides, rates: four numbers, [1, s, s,
    1]; rates are the distances within a window. padding: "SAME" or "VALID". Of any real dtype but uint64. Raises
    TypeError for others, ValueError for another rank or padding, if the depths differ, or if a window does not fit. As
    `tf.nn.dilation2d`.

    >>> x = gc.reshape([0., 5., 1., 2.], [1, 1, 4, 1])
    >>> gc.nn.dilation2d(x, gc.zeros([1, 3, 1]), [1, 1, 1, 1], [1, 1, 1, 1], "SAME")[0, 0, :, 0].eval()
    array([5., 5., 5., 2.], dtype=float32)
    """
    filter, rates = deprecated(filter, filters, "filter", "filters"), deprecated(rates, dilations, "rates", "dilations")
    return apply(Dilation2D, input, filter, name=name, **_attributes(strides, rates, padding))


@public("nn.erosion2d")
def erosion2d(value, kernel, strides, rates, padding, name=None):
    """The least difference of picture and kernel in each window, the kernel turned round: -dilation2d(-x, reversed
    kernel).

    value: [batch, height, width, channels]; kernel: [height, width, channels]; strides, rates: four numbers. Of any
    real dtype but uint64, else TypeError; ValueError as of `dilation2d`. As `tf.nn.erosion2d`.

    >>> x = gc.reshape([4., 5., 1., 2.], [1, 1, 4, 1])
    >>> gc.nn.erosion2d(x, gc.zeros([1, 3, 1]), [1, 1, 1, 1], [1, 1, 1, 1], "SAME")[0, 0, :, 0].eval()
    array([4., 1., 1., 1.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "erosion2d") as scope:
        value, kernel = convert_to_tensor(value, name="value"), convert_to_tensor(kernel, name="kernel")
        return negative(apply(Dilation2D, negative(value), reverse(kernel, [0, 1]),
                              **_attributes(strides, rates, padding)), name=scope)
