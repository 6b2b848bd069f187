"""A bias for each channel, and the layers made of it."""
from __future__ import annotations

from graphc.api.math.matmul import matmul
from graphc.api.nn.activations import relu
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.graph import get_default_graph
from graphc.ops.nn.bias import BiasAdd


@public("nn.bias_add")
def bias_add(value, bias, data_format=None, name=None):
    """value + bias, one bias a channel: of the last axis (NHWC), or of axis 1 (NCHW). As `tf.nn.bias_add`."""
    if not is_tensor_like(value) and is_tensor_like(bias):
        value = convert_to_tensor(value, dtype=bias.dtype.base_dtype)
    data_format = data_format or "NHWC"
    data_format = "NCHW" if data_format.startswith("NC") else "NHWC"
    return apply(BiasAdd, value, bias, data_format=data_format, name=name or "BiasAdd")


@public("nn.xw_plus_b")
def xw_plus_b(x, weights, biases, name=None):
    """x weights + biases. As `tf.nn.xw_plus_b`."""
    with get_default_graph().name_scope(name or "xw_plus_b") as scope:
        return bias_add(matmul(x, weights), biases, name=scope)


@public("nn.relu_layer")
def relu_layer(x, weights, biases, name=None):
    """relu(x weights + biases). As `tf.nn.relu_layer`."""
    with get_default_graph().name_scope(name or "relu_layer") as scope:
        return relu(bias_add(matmul(x, weights), biases), name=scope)
