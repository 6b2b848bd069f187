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
    """value + bias, one number a channel: of the last axis ("NHWC", the default), or of axis 1 ("NCHW").

    value: any number dtype, rank 2 or more; bias: [channels] of the same dtype. Raises TypeError for strings,
    ValueError if they do not fit: unlike `+` it never stretches an axis of size 1. As `tf.nn.bias_add`.

    >>> x = gc.zeros([1, 2, 3])
    >>> gc.nn.bias_add(x, [1., 2., 3.]).eval()
    array([[[1., 2., 3.],
            [1., 2., 3.]]], dtype=float32)
    >>> gc.nn.bias_add(x, [1., 2.], data_format="NCHW").eval()
    array([[[1., 1., 1.],
            [2., 2., 2.]]], dtype=float32)
    """
    if not is_tensor_like(value) and is_tensor_like(bias):
        value = convert_to_tensor(value, dtype=bias.dtype.base_dtype)
    data_format = data_format or "NHWC"
    data_format = "NCHW" if data_format.startswith("NC") else "NHWC"
    return apply(BiasAdd, value, bias, data_format=data_format, name=name or "BiasAdd")


@public("nn.xw_plus_b")
def xw_plus_b(x, weights, biases, name=None):
    """matmul(x, weights) + biases.

    x: [batch, in], weights: [in, out], biases: [out]. All are of one dtype, floating point, complex, int32 or int64:
    TypeError otherwise; ValueError if shapes do not fit. As `tf.nn.xw_plus_b`.

    >>> gc.nn.xw_plus_b([[1., 2.]], weights=[[1., 0.], [0., 10.]], biases=[0.5, 0.5]).eval()
    array([[ 1.5, 20.5]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "xw_plus_b") as scope:
        return bias_add(matmul(x, weights), biases, name=scope)


@public("nn.relu_layer")
def relu_layer(x, weights, biases, name=None):
    """relu(matmul(x, weights) + biases): a dense layer.

    x: [batch, in], weights: [in, out], biases: [out]. All are of one dtype, floating point, int32 or int64: TypeError
    otherwise; ValueError if shapes do not fit. As `tf.nn.relu_layer`.

    >>> gc.nn.relu_layer([[1., 2.]], weights=[[1., -1.], [1., -1.]], biases=[0., 1.]).eval()
    array([[3., 0.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "relu_layer") as scope:
        return relu(bias_add(matmul(x, weights), biases), name=scope)
