"""Fused batch normalisation."""
from __future__ import annotations

from graphc.api.array.source import constant
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ops.nn.batch_norm import (
    FusedBatchNormV3,
)


@public("nn.fused_batch_norm")
def fused_batch_norm(x, scale, offset, mean=None, variance=None, epsilon=0.001, data_format="NHWC", is_training=True,
                     name=None):
    """(y, mean, variance): pictures normalised channel by channel, (x - mean) / sqrt(variance + epsilon) * scale +
    offset.

    x: float16, bfloat16 or float32 of rank 4, channels last (data_format "NHWC") or on axis 1 ("NCHW"); the others:
    float32[channels]. With is_training mean and variance are those of this batch, over all axes but the channels, and
    the returned variance is the unbiased one, sum of squares / (N - 1), for a moving average; mean and variance must
    not be given. Without, they must be, and are what is returned. Raises ValueError otherwise. An epsilon below
    1.001e-5 counts as that. As `tf.nn.fused_batch_norm`.

    >>> x = gc.reshape([1., 2., 3., 6.], [2, 2, 1, 1])
    >>> y, mean, variance = gc.nn.fused_batch_norm(x, scale=[1.], offset=[0.])
    >>> y[:, :, 0, 0].eval()
    array([[-1.0689, -0.5344],
           [ 0.    ,  1.6033]], dtype=float32)
    >>> mean.eval(), variance.eval()
    (array([3.], dtype=float32), array([4.6667], dtype=float32))
    >>> y, _, _ = gc.nn.fused_batch_norm(x, [1.], [0.], mean=[2.], variance=[4.], is_training=False)
    >>> y[:, :, 0, 0].eval()
    array([[-0.4999,  0.    ],
           [ 0.4999,  1.9998]], dtype=float32)
    """
    if is_training and (mean is not None or variance is not None):
        raise ValueError("Both 'mean' and 'variance' must be None if is_training is True.")
    if not is_training and (mean is None or variance is None):
        raise ValueError("Both 'mean' and 'variance' must be a 1D tensor when is_training is False.")
    x = convert_to_tensor(x)
    scale, offset = convert_to_tensor(scale, name="scale"), convert_to_tensor(offset, name="offset")
    if mean is None:
        mean, variance = constant([], float32), constant([], float32)
    # A smaller epsilon is not numerically safe: TF's own limit.
    epsilon = max(float(epsilon), 1.001e-5)
    y, batch_mean, batch_variance, *_ = apply(FusedBatchNormV3, x, scale, offset, mean, variance, epsilon=epsilon,
                                              data_format=data_format, is_training=bool(is_training), name=name)
    return y, batch_mean, batch_variance
