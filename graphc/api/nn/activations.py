"""Activation functions."""
from __future__ import annotations

from graphc.api.array.cast import cast
from graphc.api.math.binary import multiply
from graphc.api.math.unary import negative
from graphc.api.public import public
from graphc.api.sparse.tensor import takes_sparse
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ir.graph import get_default_graph
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
    """The hyperbolic tangent, elementwise: between -1 and 1, 0 at 0.

    x: of a floating point or complex dtype, which y has, too; of a SparseTensor the values. Raises TypeError for
    integers. As `tf.tanh`.

    >>> gc.tanh([-1., 0., 1.]).eval()
    array([-0.7616,  0.    ,  0.7616], dtype=float32)
    """
    return apply(Tanh, x, name=name)


@public("sigmoid", "nn.sigmoid", "math.sigmoid")
def sigmoid(x, name=None):
    """1 / (1 + exp(-x)), elementwise: between 0 and 1, 0.5 at 0.

    x: of a floating point or complex dtype, which y has, too. Raises TypeError for integers. For a loss after it use
    `gc.nn.sigmoid_cross_entropy_with_logits`, which takes x itself and is exact for large ones. As `tf.sigmoid`.

    >>> gc.sigmoid([-2., 0., 2.]).eval()
    array([0.1192, 0.5   , 0.8808], dtype=float32)
    """
    return apply(Sigmoid, x, name=name)


@public("softplus", "nn.softplus", "math.softplus")
def softplus(features, name=None):
    """log(1 + exp(x)), elementwise: a smooth `relu` that is above 0 everywhere; its derivative is `sigmoid`.

    features: floats, of any shape; TypeError for other dtypes. It neither overflows for large x (the result is x) nor
    loses small ones. As `tf.nn.softplus`.

    >>> gc.nn.softplus([-100., 0., 1., 100.]).eval()
    array([  0.    ,   0.6931,   1.3133, 100.    ], dtype=float32)
    """
    return apply(Softplus, features, name=name)


@public("softsign", "nn.softsign", "math.softsign")
def softsign(features, name=None):
    """x / (1 + |x|), elementwise: like `tanh` between -1 and 1, but slower to get there.

    features: floats, of any shape; TypeError for other dtypes. As `tf.nn.softsign`.

    >>> gc.nn.softsign([-3., 0., 1.]).eval()
    array([-0.75,  0.  ,  0.5 ], dtype=float32)
    """
    return apply(Softsign, features, name=name)


@public("nn.relu")
def relu(features, name=None):
    """max(x, 0), elementwise. Its gradient at 0 is 0.

    features: of any real dtype, integers too, which the result has. Raises TypeError for bool and complex. As
    `tf.nn.relu`.

    >>> x = gc.constant([-1., 0., 2.])
    >>> y = gc.nn.relu(x)
    >>> y.eval()
    array([0., 0., 2.], dtype=float32)
    >>> gc.gradients(y, x)[0].eval()
    array([0., 0., 1.], dtype=float32)
    """
    return apply(Relu, features, name=name)


@public("nn.relu6")
def relu6(features, name=None):
    """min(max(x, 0), 6), elementwise: `relu` with a ceiling, which keeps values within the range of 8-bit numbers.

    features: of any real dtype, which the result has; TypeError for others. As `tf.nn.relu6`.

    >>> gc.nn.relu6([-1., 3., 8.]).eval()
    array([0., 3., 6.], dtype=float32)
    """
    return apply(Relu6, features, name=name)


@public("nn.elu")
def elu(features, name=None):
    """x where x > 0, else exp(x) - 1, elementwise: it goes to -1 smoothly.

    features: floats, of any shape; TypeError for other dtypes. As `tf.nn.elu`.

    >>> gc.nn.elu([-10., -1., 2.]).eval()
    array([-1.    , -0.6321,  2.    ], dtype=float32)
    """
    return apply(Elu, features, name=name)


@public("nn.selu")
def selu(features, name=None):
    """1.0507 x where x > 0, else 1.7581 (exp(x) - 1): these two numbers keep mean 0 and variance 1 from layer to layer.

    features: floats, of any shape; TypeError for other dtypes. Initial weights should be drawn with
    `gc.variance_scaling_initializer(1.0)`. As `tf.nn.selu`.

    >>> gc.nn.selu([-1., 0., 1.]).eval()
    array([-1.1113,  0.    ,  1.0507], dtype=float32)
    """
    return apply(Selu, features, name=name)


@public("nn.leaky_relu")
def leaky_relu(features, alpha=0.2, name=None):
    """x where x > 0, else alpha x, elementwise: a `relu` whose gradient is never 0.

    features: floats, or integers, which become float32; alpha: a Python number. Raises TypeError for other dtypes and
    for an alpha that is a tensor. As `tf.nn.leaky_relu`.

    >>> gc.nn.leaky_relu([-10., 3.], alpha=0.1).eval()
    array([-1.,  3.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "LeakyRelu") as scope:
        features = convert_to_tensor(features, name="features")
        if features.dtype.is_integer:
            features = cast(features, float32)
        return apply(LeakyRelu, features, alpha=alpha, name=scope)


@public("nn.swish")
def swish(features, name="Swish"):
    """x sigmoid(x), elementwise.

    features: floating point or complex; TypeError for other dtypes. As `tf.nn.swish`.

    >>> gc.nn.swish([-1., 0., 3.]).eval()
    array([-0.2689,  0.    ,  2.8577], dtype=float32)
    """
    features = convert_to_tensor(features)
    return multiply(features, sigmoid(features), name=name)


@public("log_sigmoid", "nn.log_sigmoid", "math.log_sigmoid")
def log_sigmoid(x, name="LogSigmoid"):
    """log(sigmoid(x)) = -softplus(-x), elementwise: below 0 everywhere, and finite where sigmoid(x) has become 0.

    x: floats; TypeError for other dtypes. As `tf.log_sigmoid`.

    >>> gc.log_sigmoid([-200., 0., 3.]).eval()
    array([-200.    ,   -0.6931,   -0.0486], dtype=float32)
    """
    return negative(softplus(negative(x)), name=name)
