"""gc.nn: the ops of neural networks, as `tf.nn`."""
from __future__ import annotations

from graphc.ops.activations import (
    elu,
    leaky_relu,
    log_sigmoid,
    relu,
    relu6,
    selu,
    sigmoid,
    softplus,
    softsign,
    swish,
    tanh,
)
from graphc.ops.average_pooling import avg_pool
from graphc.ops.batch_norm import fused_batch_norm
from graphc.ops.bias import bias_add, relu_layer, xw_plus_b
from graphc.ops.convolve import (
    atrous_conv2d,
    conv2d,
    conv2d_backprop_filter,
    conv2d_backprop_input,
    conv2d_transpose,
)
from graphc.ops.dropout import dropout
from graphc.ops.losses import (
    l2_loss,
    l2_normalize,
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)
from graphc.ops.max_pooling import max_pool
from graphc.ops.normalise import batch_normalization, moments
from graphc.ops.softmax import log_softmax, softmax

avg_pool2d = avg_pool
max_pool2d = max_pool

__all__ = [
    "atrous_conv2d",
    "avg_pool",
    "avg_pool2d",
    "batch_normalization",
    "bias_add",
    "conv2d",
    "conv2d_backprop_filter",
    "conv2d_backprop_input",
    "conv2d_transpose",
    "dropout",
    "elu",
    "fused_batch_norm",
    "l2_loss",
    "l2_normalize",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "max_pool",
    "max_pool2d",
    "moments",
    "relu",
    "relu6",
    "relu_layer",
    "selu",
    "sigmoid",
    "sigmoid_cross_entropy_with_logits",
    "softmax",
    "softmax_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits_v2",
    "softplus",
    "softsign",
    "sparse_softmax_cross_entropy_with_logits",
    "swish",
    "tanh",
    "weighted_cross_entropy_with_logits",
    "xw_plus_b",
]


def __getattr__(name: str) -> object:
    from graphc.missing import missing

    raise missing("graphc.nn", name, globals())
