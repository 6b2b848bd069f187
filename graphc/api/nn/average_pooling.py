"""Average pooling."""
from __future__ import annotations

from graphc.api.math.reduce import deprecated
from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.nn.average_pooling import AvgPool
from graphc.ops.nn.pooling import public_attributes


@public("nn.avg_pool")
def avg_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The mean of each window of pictures [batch, height, width, channels], channel by channel; padding is not counted.

    ksize, strides: an int, or 1, 2 or 4 numbers. padding: "VALID" for windows that lie inside, so that a size n becomes
    (n - k) // s + 1, or "SAME" for ceil(n / s). data_format: "NHWC", or "NCHW" for [batch, channels, height, width].
    Raises TypeError for integers, ValueError for another rank and if a window does not fit. As `tf.nn.avg_pool`;
    `input` is a later name of value.

    >>> x = gc.reshape(gc.range(9.), [1, 3, 3, 1])
    >>> gc.nn.avg_pool(x, ksize=2, strides=2, padding="SAME")[0, :, :, 0].eval()
    array([[2. , 3.5],
           [6.5, 8. ]], dtype=float32)
    >>> gc.nn.avg_pool(x, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="VALID")[0, :, :, 0].eval()
    array([[2., 3.],
           [5., 6.]], dtype=float32)
    """
    value = deprecated(value, input, "value", "input")
    return apply(AvgPool, value, name=name, **public_attributes(ksize, strides, padding, data_format))


@public("nn.avg_pool2d")
def avg_pool2d(input, ksize, strides, padding, data_format="NHWC", name=None):
    """`gc.nn.avg_pool` under the name, and with the arguments, of its later form. As `tf.nn.avg_pool2d`.

    >>> x = gc.reshape([1., 5., 2.], [1, 1, 3, 1])
    >>> gc.nn.avg_pool2d(input=x, ksize=[1, 1, 2, 1], strides=1, padding="VALID")[0, 0, :, 0].eval()
    array([3., 3.5], dtype=float32)
    """
    return avg_pool(input, ksize, strides, padding, data_format, name)
