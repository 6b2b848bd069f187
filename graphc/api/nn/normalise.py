"""Batch normalisation as a composition of other ops, in TF's order of operations."""
from __future__ import annotations

from graphc.api.math.reduce import deprecated
from graphc.api.math.unary import negative, rsqrt
from graphc.api.public import public
from graphc.ir.graph import get_default_graph


@public("nn.batch_normalization")
def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    """(x - mean) / sqrt(variance + variance_epsilon) * scale + offset, broadcast; offset and scale may be None.

    mean, variance: as `gc.nn.moments` gives them. For pictures `fused_batch_norm` computes both. All are floats of one
    dtype: TypeError for integers or if they differ, ValueError if shapes do not broadcast. As
    `tf.nn.batch_normalization`.

    >>> x = gc.constant([[1., 10.], [3., 30.]])
    >>> mean, variance = gc.nn.moments(x, [0])
    >>> gc.nn.batch_normalization(x, mean, variance, offset=[0., 1.], scale=None, variance_epsilon=0.).eval()
    array([[-1.,  0.],
           [ 1.,  2.]], dtype=float32)
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
    """`batch_normalization` of pictures, by gamma only if scale_after_normalization.

    t: [batch, height, width, channels]; m, v, beta, gamma: [channels]. All are floats of one dtype: TypeError for
    integers or if they differ, ValueError if shapes do not broadcast. As `tf.nn.batch_norm_with_global_normalization`.

    >>> t = gc.constant([[[[1.]], [[3.]]]])
    >>> mean, variance = gc.constant([2.]), gc.constant([1.])
    >>> y = gc.nn.batch_norm_with_global_normalization(t, mean, variance, beta=[5.], gamma=[10.], variance_epsilon=0.,
    ...                                                scale_after_normalization=True)
    >>> y[0, :, 0, 0].eval()
    array([-5., 15.], dtype=float32)
    """
    t, m = deprecated(t, input, "t", "input"), deprecated(m, mean, "m", "mean")
    v = deprecated(v, variance, "v", "variance")
    return batch_normalization(t, m, v, beta, gamma if scale_after_normalization else None, variance_epsilon, name)
