"""Max pooling."""
from __future__ import annotations

from graphc.api.math.reduce import deprecated
from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.nn.max_pooling import MaxPool
from graphc.ops.nn.pooling import (
    public_attributes,
)


@public("nn.max_pool", "nn.max_pool2d")
def max_pool(value, ksize, strides, padding, data_format="NHWC", name=None, input=None):
    """The largest element of each window. As `tf.nn.max_pool`; ksize, strides: an int or 1, 2 or 4 numbers."""
    value = deprecated(value, input, "value", "input")
    return apply(MaxPool, value, name=name, **public_attributes(ksize, strides, padding, data_format))
