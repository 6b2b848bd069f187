"""Batch normalisation as a composition of other ops, in TF's order of operations."""
from __future__ import annotations

from graphc.api.math.reduce import deprecated
from graphc.api.math.unary import negative, rsqrt
from graphc.api.public import public
from graphc.ir.graph import get_default_graph


@public("nn.batch_normalization")
def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    """(x - mean) / sqrt(variance + variance_epsilon) * scale + offset, broadcast. As `tf.nn.batch_normalization`.

    offset and scale may be None.
    """
    with get_default_graph().name_scope(name or "batchnorm"):
        inverse = rsqrt(variance + variance_epsilon)
        if scale is not None:
            inverse = inverse * scale
        shift = negative(mean * inverse) if offset is None else offset - mean * inverse
        return x * inverse + shift


@public("nn.batch_norm_with_global_normalization")
def batch_norm_with_global_normalization(t=None, m=None, v=None, beta=None, gamma=None, variance_epsilon=None,
                                         scale_after_normalization=None, name=None, input=None, mean=None,
                                         variance=None):
    """`batch_normalization` of pictures, by gamma only if scale_after_normalization. As
    `tf.nn.batch_norm_with_global_normalization`."""
    t, m = deprecated(t, input, "t", "input"), deprecated(m, mean, "m", "mean")
    v = deprecated(v, variance, "v", "variance")
    return batch_normalization(t, m, v, beta, gamma if scale_after_normalization else None, variance_epsilon, name)
