"""Activation functions. Their gradients are ops of their own, as in TF's graphs: of the result y, or of the features x.

Each gradient op is elementwise (no broadcasting in practice) and has a gradient itself, so that second order works.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.op import Sample, Scalars, attr, register
from graphc.ops.binary import multiply
from graphc.ops.build import apply
from graphc.ops.comparison import less
from graphc.ops.elementwise import SHAPES, Unary, UnaryGrad, gradient_samples, scale, unary_samples
from graphc.ops.unary import negative

SELU_SCALE = 1.0507009873554804934193349852946
SELU_SCALE_ALPHA = 1.7580993408473768599402175208123



class _OfResult(UnaryGrad):
    """dx from the result y and dy."""

    operands = ("y", "dy")
    results = ("z",)
    samples = gradient_samples(-0.9, 0.9)


class _OfFeatures(UnaryGrad):
    """dx from dy and the features x (or, for Elu and Selu, the result)."""

    operands = ("gradients", "features")
    results = ("backprops",)
    samples = gradient_samples()


class _Activation(Unary):
    operands = ("features",)
    results = ("activations",)
    samples = unary_samples(-4, 4)


def _zeros_like(x):
    from graphc.ops.fill import zeros_like

    return zeros_like(x)


def _where(condition, x, y):
    from graphc.ops.gather import where

    return where(condition, x, y)


@register
class Tanh(Unary):
    """The hyperbolic tangent"""

    primitive = "tanh"
    function = np.tanh
    samples = unary_samples(-4, 4)

    def grad(self, node, dy):
        return [apply(TanhGrad, node.outputs[0], dy)]


@register
class TanhGrad(_OfResult):
    """dy (1 - y^2)"""

    function = staticmethod(lambda y, dy: dy * (1 - y * y))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        y, dy = x
        return s("mul", dy, s("sub", s.constant(1, s.dtype(y)), s("mul", y, y)))

    def grad(self, node, g):
        y, dy = node.inputs
        return [scale(-2, g) * dy * y, apply(TanhGrad, y, g)]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


@register
class Sigmoid(Unary):
    """1 / (1 + exp(-x))"""

    primitive = "sigmoid"
    function = staticmethod(_sigmoid)
    samples = [*unary_samples(-4, 4), Sample({}, (np.array([-100, -20, 0, 20, 100], np.float32),), gradient=False)]

    def grad(self, node, dy):
        return [apply(SigmoidGrad, node.outputs[0], dy)]


@register
class SigmoidGrad(_OfResult):
    """dy y (1 - y)"""

    function = staticmethod(lambda y, dy: dy * y * (1 - y))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        y, dy = x
        return s("mul", s("mul", dy, y), s("sub", s.constant(1, s.dtype(y)), y))

    def grad(self, node, g):
        y, dy = node.inputs
        gb = g * dy
        return [gb - scale(2, gb) * y, apply(SigmoidGrad, y, g)]


@register
class Softplus(_Activation):
    """log(1 + exp(x))"""

    primitive = "softplus"
    function = staticmethod(lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))
    samples = [*unary_samples(-4, 4), Sample({}, (np.array([-100, -20, 0, 20, 100], np.float32),), gradient=False)]

    def grad(self, node, dy):
        return [apply(SoftplusGrad, dy, node.inputs[0])]


@register
class SoftplusGrad(_OfFeatures):
    """dy sigmoid(x)"""

    function = staticmethod(lambda dy, x: dy * _sigmoid(x))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("mul", x[0], s("sigmoid", x[1]))

    def grad(self, node, g):
        dy, x = node.inputs
        return [apply(SoftplusGrad, g, x), g * dy * sigmoid(x) * sigmoid(negative(x))]


@register
class Softsign(_Activation):
    """x / (1 + |x|)"""

    function = staticmethod(lambda x: x / (1 + np.abs(x)))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("div", x[0], s("add", s.constant(1, s.dtype(x[0])), s("abs", x[0])))

    def grad(self, node, dy):
        return [apply(SoftsignGrad, dy, node.inputs[0])]


@register
class SoftsignGrad(_OfFeatures):
    """dy / (1 + |x|)^2"""

    function = staticmethod(lambda dy, x: dy / np.square(1 + np.abs(x)))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("div", x[0], s("square", s("add", s.constant(1, s.dtype(x[0])), s("abs", x[1]))))

    def grad(self, node, g):
        from graphc.ops.unary import abs, sign

        dy, x = node.inputs
        return [apply(SoftsignGrad, g, x), apply(SoftsignGrad, scale(-2, g) * dy, x) * sign(x) / (1 + abs(x))]


@register
class Relu(_Activation):
    """max(x, 0)"""

    kind = "number"
    function = staticmethod(lambda x: np.maximum(x, 0))
    samples = unary_samples(integers=True)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("max", x[0], s.constant(0, s.dtype(x[0])))

    def grad(self, node, dy):
        return [apply(ReluGrad, dy, node.outputs[0])]


@register
class ReluGrad(_OfFeatures):
    """dy where x > 0, else 0"""

    kind = "number"
    function = staticmethod(lambda dy, x: np.where(x > 0, dy, 0))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        zero = s.constant(0, s.dtype(x[0]))
        return s("select", s("greater", x[1], zero), x[0], zero)

    def grad(self, node, g):
        x = node.inputs[1]
        return [apply(ReluGrad, g, x), _zeros_like(x)]


@register
class Relu6(_Activation):
    """min(max(x, 0), 6)"""

    kind = "number"
    function = staticmethod(lambda x: np.minimum(np.maximum(x, 0), 6))
    samples = unary_samples(-9, 9, integers=True)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        d = s.dtype(x[0])
        return s("min", s("max", x[0], s.constant(0, d)), s.constant(6, d))

    def grad(self, node, dy):
        return [apply(Relu6Grad, dy, node.outputs[0])]


@register
class Relu6Grad(_OfFeatures):
    """dy where 0 < x < 6, else 0"""

    kind = "number"
    function = staticmethod(lambda dy, x: np.where((x > 0) & (x < 6), dy, 0))
    samples = gradient_samples(-9, 9)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        d = s.dtype(x[0])
        inside = s("and", s("greater", x[1], s.constant(0, d)), s("less", x[1], s.constant(6, d)))
        return s("select", inside, x[0], s.constant(0, d))

    def grad(self, node, g):
        x = node.inputs[1]
        return [apply(Relu6Grad, g, x), _zeros_like(x)]


@register
class Elu(_Activation):
    """x where x > 0, else exp(x) - 1"""

    function = staticmethod(lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        zero = s.constant(0, s.dtype(x[0]))
        return s("select", s("greater", x[0], zero), x[0], s("expm1", s("min", x[0], zero)))

    def grad(self, node, dy):
        return [apply(EluGrad, dy, node.outputs[0])]


@register
class EluGrad(_OfFeatures):
    """dy where y > 0, else dy (y + 1); of the result y"""

    operands = ("gradients", "outputs")
    function = staticmethod(lambda dy, y: np.where(y < 0, dy * (y + 1), dy))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        dy, y = x
        d = s.dtype(dy)
        return s("select", s("less", y, s.constant(0, d)), s("mul", dy, s("add", y, s.constant(1, d))), dy)

    def grad(self, node, g):
        dy, y = node.inputs
        return [apply(EluGrad, g, y), _where(less(y, 0), g * dy, _zeros_like(y))]


@register
class Selu(_Activation):
    """scale x where x > 0, else scale alpha (exp(x) - 1): self-normalising (Klambauer et al. 2017)"""

    function = staticmethod(lambda x: np.where(x > 0, SELU_SCALE * x, SELU_SCALE_ALPHA * np.expm1(np.minimum(x, 0))))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        d = s.dtype(x[0])
        zero = s.constant(0, d)
        below = s("mul", s.constant(SELU_SCALE_ALPHA, d), s("expm1", s("min", x[0], zero)))
        return s("select", s("greater", x[0], zero), s("mul", s.constant(SELU_SCALE, d), x[0]), below)

    def grad(self, node, dy):
        return [apply(SeluGrad, dy, node.outputs[0])]


@register
class SeluGrad(_OfFeatures):
    """scale dy where y > 0, else dy (y + scale alpha); of the result y"""

    operands = ("gradients", "outputs")
    function = staticmethod(lambda dy, y: np.where(y < 0, dy * (y + SELU_SCALE_ALPHA), dy * SELU_SCALE))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        dy, y = x
        d = s.dtype(dy)
        below = s("mul", dy, s("add", y, s.constant(SELU_SCALE_ALPHA, d)))
        return s("select", s("less", y, s.constant(0, d)), below, s("mul", dy, s.constant(SELU_SCALE, d)))

    def grad(self, node, g):
        dy, y = node.inputs
        return [apply(SeluGrad, g, y), _where(less(y, 0), g * dy, _zeros_like(y))]


@register
class LeakyRelu(_Activation):
    """x where x > 0, else alpha x"""

    alpha: float = attr("float", 0.2)
    samples = [*(Sample({"alpha": a}, (shape,)) for a in (0.2, 0.01) for shape in SHAPES)]

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        return np.where(x > 0, x, x * x.dtype.type(self.alpha))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        d = s.dtype(x[0])
        return s("select", s("greater", x[0], s.constant(0, d)), x[0], s("mul", x[0], s.constant(self.alpha, d)))

    def grad(self, node, dy):
        return [apply(LeakyReluGrad, dy, node.inputs[0], alpha=self.alpha)]


@register
class LeakyReluGrad(_OfFeatures):
    """dy where x > 0, else alpha dy"""

    alpha: float = attr("float", 0.2)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        dy, x = inputs
        return np.where(x > 0, dy, dy * dy.dtype.type(self.alpha))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        dy, features = x
        d = s.dtype(dy)
        return s("select", s("greater", features, s.constant(0, d)), dy, s("mul", dy, s.constant(self.alpha, d)))

    def grad(self, node, g):
        x = node.inputs[1]
        return [apply(LeakyReluGrad, g, x, alpha=self.alpha), _zeros_like(x)]


def tanh(x, name=None):
    """The hyperbolic tangent. As `tf.tanh`."""
    return apply(Tanh, x, name=name)


def sigmoid(x, name=None):
    """1 / (1 + exp(-x)). As `tf.sigmoid`."""
    return apply(Sigmoid, x, name=name)


def softplus(features, name=None):
    """log(1 + exp(x)). As `tf.nn.softplus`."""
    return apply(Softplus, features, name=name)


def softsign(features, name=None):
    """x / (1 + |x|). As `tf.nn.softsign`."""
    return apply(Softsign, features, name=name)


def relu(features, name=None):
    """max(x, 0). As `tf.nn.relu`."""
    return apply(Relu, features, name=name)


def relu6(features, name=None):
    """min(max(x, 0), 6). As `tf.nn.relu6`."""
    return apply(Relu6, features, name=name)


def elu(features, name=None):
    """x where x > 0, else exp(x) - 1. As `tf.nn.elu`."""
    return apply(Elu, features, name=name)


def selu(features, name=None):
    """The scaled exponential linear unit. As `tf.nn.selu`."""
    return apply(Selu, features, name=name)


def leaky_relu(features, alpha=0.2, name=None):
    """x where x > 0, else alpha x. As `tf.nn.leaky_relu`."""
    return apply(LeakyRelu, features, alpha=alpha, name=name or "LeakyRelu")


def swish(features, name="Swish"):
    """x sigmoid(x). As `tf.nn.swish`."""
    from graphc.ops.build import convert_to_tensor

    features = convert_to_tensor(features)
    return multiply(features, sigmoid(features), name=name)


def log_sigmoid(x, name="LogSigmoid"):
    """log(sigmoid(x)). As `tf.log_sigmoid`."""
    return negative(softplus(negative(x)), name=name)
