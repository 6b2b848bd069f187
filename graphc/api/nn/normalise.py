"""Batch normalisation as a composition of other ops, in TF's order of operations."""
from __future__ import annotations

from graphc.api.math.binary import add
from graphc.api.math.unary import negative, rsqrt
from graphc.api.public import public
from graphc.ir.graph import get_default_graph


@public("nn.batch_normalization")
def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    """(x - mean) / sqrt(variance + variance_epsilon) * scale + offset, broadcast. As `tf.nn.batch_normalization`.

    offset and scale may be None.
    """
    with get_default_graph().name_scope(name or "batchnorm") as scope:
        inverse = rsqrt(variance + variance_epsilon)
        if scale is not None:
            inverse = inverse * scale
        shift = negative(mean * inverse) if offset is None else offset - mean * inverse
        return add(x * inverse, shift, name=scope)
