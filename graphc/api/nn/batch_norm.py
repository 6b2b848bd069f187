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
    """Batch normalisation of pictures: (y, mean, variance of the batch). As `tf.nn.fused_batch_norm`.

    With is_training mean and variance are computed and must not be given, otherwise they must. Raises ValueError.
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
