"""Activation functions."""
from __future__ import annotations

from graphc.api.math.binary import multiply
from graphc.api.math.unary import negative
from graphc.api.public import public
from graphc.api.sparse.tensor import takes_sparse
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ops.nn.activations import (
    Elu,
    LeakyRelu,
    Relu,
    Relu6,
    Selu,
    Sigmoid,
    Softplus,
    Softsign,
    Tanh,
)


@public("tanh", "nn.tanh", "math.tanh")
@takes_sparse
def tanh(x, name=None):
    """The hyperbolic tangent. As `tf.tanh`."""
    return apply(Tanh, x, name=name)


@public("sigmoid", "nn.sigmoid", "math.sigmoid")
def sigmoid(x, name=None):
    """1 / (1 + exp(-x)). As `tf.sigmoid`."""
    return apply(Sigmoid, x, name=name)


@public("softplus", "nn.softplus", "math.softplus")
def softplus(features, name=None):
    """log(1 + exp(x)). As `tf.nn.softplus`."""
    return apply(Softplus, features, name=name)


@public("softsign", "nn.softsign", "math.softsign")
def softsign(features, name=None):
    """x / (1 + |x|). As `tf.nn.softsign`."""
    return apply(Softsign, features, name=name)


@public("nn.relu")
def relu(features, name=None):
    """max(x, 0). As `tf.nn.relu`."""
    return apply(Relu, features, name=name)


@public("nn.relu6")
def relu6(features, name=None):
    """min(max(x, 0), 6). As `tf.nn.relu6`."""
    return apply(Relu6, features, name=name)


@public("nn.elu")
def elu(features, name=None):
    """x where x > 0, else exp(x) - 1. As `tf.nn.elu`."""
    return apply(Elu, features, name=name)


@public("nn.selu")
def selu(features, name=None):
    """The scaled exponential linear unit. As `tf.nn.selu`."""
    return apply(Selu, features, name=name)


@public("nn.leaky_relu")
def leaky_relu(features, alpha=0.2, name=None):
    """x where x > 0, else alpha x. As `tf.nn.leaky_relu`."""
    return apply(LeakyRelu, features, alpha=alpha, name=name or "LeakyRelu")


@public("nn.swish")
def swish(features, name="Swish"):
    """x sigmoid(x). As `tf.nn.swish`."""
    features = convert_to_tensor(features)
    return multiply(features, sigmoid(features), name=name)


@public("log_sigmoid", "nn.log_sigmoid", "math.log_sigmoid")
def log_sigmoid(x, name="LogSigmoid"):
    """log(sigmoid(x)). As `tf.log_sigmoid`."""
    return negative(softplus(negative(x)), name=name)
