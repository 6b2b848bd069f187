"""The public local response normalisation."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.values import whole
from graphc.ops.nn.local_response import LRN


@public("nn.local_response_normalization", "nn.lrn")
def local_response_normalization(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    """input / (bias + alpha * the sum of squares of the channels at most depth_radius away) ** beta.

    input: floats [batch, height, width, channels]; depth_radius counts on either side. Raises TypeError for other
    dtypes, ValueError for another rank. As `tf.nn.local_response_normalization`.

    >>> x = gc.reshape([1., 2., 3.], [1, 1, 1, 3])
    >>> gc.nn.local_response_normalization(x, depth_radius=1, bias=1., alpha=1., beta=1.).eval()
    array([[[[0.1667, 0.1333, 0.2143]]]], dtype=float32)
    """
    return apply(LRN, input, depth_radius=whole(depth_radius), bias=float(bias), alpha=float(alpha), beta=float(beta),
                 name=name)
