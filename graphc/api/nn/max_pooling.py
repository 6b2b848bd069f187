"""Max pooling."""
from __future__ import annotations

from graphc.api.math.reduce import deprecated
from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.nn.max_pooling import MaxPool
from graphc.ops.nn.pooling import (
    public_attributes,
)


@public("nn.max_pool")
def max_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The largest element of each window of pictures [batch, height, width, channels], channel by channel.

    ksize, strides: an int, or 1, 2 or 4 numbers. padding: "VALID" for windows that lie inside, so that a size n becomes
    (n - k) // s + 1, or "SAME" for ceil(n / s). data_format: "NHWC", or "NCHW" for [batch, channels, height, width]. Of
    equal elements the first has the gradient. Raises TypeError for integers, ValueError for another rank and if a
    window does not fit. As `tf.nn.max_pool`; `input` is a later name of value.

    >>> x = gc.reshape([1., 5., 2., 0., 3., 4.], [1, 2, 3, 1])
    >>> gc.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="VALID")[0, :, :, 0].eval()
    array([[5., 5.]], dtype=float32)
    >>> gc.nn.max_pool(x, ksize=2, strides=2, padding="SAME")[0, :, :, 0].eval()
    array([[5., 4.]], dtype=float32)
    """
    value = deprecated(value, input, "value", "input")
    return apply(MaxPool, value, name=name, **public_attributes(ksize, strides, padding, data_format))


@public("nn.max_pool2d")
def max_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """`gc.nn.max_pool` under the name, and with the arguments, of its later form. As `tf.nn.max_pool2d`.

    >>> x = gc.reshape([1., 5., 2.], [1, 1, 3, 1])
    >>> gc.nn.max_pool2d(input=x, ksize=[1, 1, 2, 1], strides=1, padding="VALID")[0, 0, :, 0].eval()
    array([5., 5.], dtype=float32)
    """
    return max_pool(input, ksize, strides, padding, data_format, name)
