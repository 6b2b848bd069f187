"""Moments and batch normalisation as compositions of other ops, in TF's order of operations."""
from __future__ import annotations

from graphc.api.array.identity import stop_gradient
from graphc.api.array.shapes import squeeze
from graphc.api.math.binary import add, squared_difference
from graphc.api.math.reduce import deprecated, reduce_mean
from graphc.api.math.unary import negative, rsqrt
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.graph import get_default_graph


@public("nn.moments")
def moments(x, axes, shift=None, name=None, keep_dims=None, keepdims=None):
    """(mean, variance) of x along `axes`; the variance is the biased one. As `tf.nn.moments`.

    Shift changes no result.
    """
    keepdims = bool(deprecated(keepdims, keep_dims, "keepdims", "keep_dims"))
    with get_default_graph().name_scope(name or "moments"):
        x = convert_to_tensor(x, name="x")
        mean = reduce_mean(x, axes, keepdims=True, name="mean")
        variance = reduce_mean(squared_difference(x, stop_gradient(mean)), axes, keepdims=True, name="variance")
        if not keepdims:
            listed = [axes] if isinstance(axes, int) else list(axes)
            mean, variance = squeeze(mean, listed), squeeze(variance, listed)
        return mean, variance


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
