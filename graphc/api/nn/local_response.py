"""The public local response normalisation."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.nn.local_response import LRN


@public("nn.local_response_normalization", "nn.lrn")
def local_response_normalization(input, depth_radius=5, bias=1, alpha=1, beta=0.5, name=None):
    """input / (bias + alpha * the sum of squares of the channels at most depth_radius away) ** beta.

    input: pictures, channels last. As `tf.nn.local_response_normalization`.
    """
    return apply(LRN, input, depth_radius=int(depth_radius), bias=float(bias), alpha=float(alpha), beta=float(beta),
                 name=name)
