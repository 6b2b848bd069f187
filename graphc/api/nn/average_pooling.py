"""Average pooling."""
from __future__ import annotations

from graphc.api.math.reduce import deprecated
from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.nn.average_pooling import AvgPool
from graphc.ops.nn.pooling import public_attributes


@public("nn.avg_pool", "nn.avg_pool2d")
def avg_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The mean of each window; padding is not counted. As `tf.nn.avg_pool`."""
    value = deprecated(value, input, "value", "input")
    return apply(AvgPool, value, name=name, **public_attributes(ksize, strides, padding, data_format))
