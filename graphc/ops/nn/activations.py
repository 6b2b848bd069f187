"""Activation functions. Their gradients are ops of their own, as in TF's graphs: of the result y, or of the features x.

Each gradient op is elementwise (no broadcasting in practice) and has a gradient itself, so that second order works.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.elementwise import SHAPES, Unary, UnaryGrad, conjugate, gradient_samples, unary_samples
from graphc.ir.op import Sample, Scalars, attr, register

SELU_SCALE = 1.0507009873554804934193349852946

SELU_SCALE_ALPHA = 1.7580993408473768599402175208123


class _OfResult(UnaryGrad):
    """dx from the result y and dy."""

    kind = "analytic"
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


@register
class Tanh(Unary):
    """The hyperbolic tangent"""

    kind = "analytic"
    primitive = "tanh"
    function = np.tanh
    samples = unary_samples(-4, 4)

    def grad(self, g, node, dy):
        return [g.tanh_grad(node.outputs[0], dy)]


@register
class TanhGrad(_OfResult):
    """dy (1 - y^2)"""

    function = staticmethod(lambda y, dy: dy * (1 - np.conj(y * y)))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        y, dy = conjugate(s, x[0]), x[1]
        return s("mul", dy, s("sub", s.constant(1, s.dtype(y)), s("mul", y, y)))

    def grad(self, g, node, ddx):
        y, dy = g.conj(node.inputs[0]), node.inputs[1]
        return [g.scale(-2, g.conj(ddx)) * dy * y, g.tanh_grad(y, ddx)]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "c":
        return 1 / (1 + np.exp(-x))
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


@register
class Sigmoid(Unary):
    """1 / (1 + exp(-x))"""

    kind = "analytic"
    primitive = "sigmoid"
    function = staticmethod(_sigmoid)
    samples = [*unary_samples(-4, 4), Sample({}, (np.array([-100, -20, 0, 20, 100], np.float32),), gradient=False)]

    def grad(self, g, node, dy):
        return [g.sigmoid_grad(node.outputs[0], dy)]


@register
class SigmoidGrad(_OfResult):
    """dy y (1 - y)"""

    function = staticmethod(lambda y, dy: dy * np.conj(y) * np.conj(1 - y))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        y, dy = conjugate(s, x[0]), x[1]
        return s("mul", s("mul", dy, y), s("sub", s.constant(1, s.dtype(y)), y))

    def grad(self, g, node, ddx):
        y, dy = g.conj(node.inputs[0]), node.inputs[1]
        gb = g.conj(ddx) * dy
        return [gb - g.scale(2, gb) * y, g.sigmoid_grad(y, ddx)]


@register
class Softplus(_Activation):
    """log(1 + exp(x))"""

    primitive = "softplus"
    function = staticmethod(lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))
    samples = [*unary_samples(-4, 4), Sample({}, (np.array([-100, -20, 0, 20, 100], np.float32),), gradient=False)]

    def grad(self, g, node, dy):
        return [g.softplus_grad(dy, node.inputs[0])]


@register
class SoftplusGrad(_OfFeatures):
    """dy sigmoid(x)"""

    function = staticmethod(lambda dy, x: dy * _sigmoid(x))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("mul", x[0], s("sigmoid", x[1]))

    def grad(self, g, node, ddx):
        dy, x = node.inputs
        return [g.softplus_grad(ddx, x), ddx * dy * g.sigmoid(x) * g.sigmoid(g.neg(x))]


@register
class Softsign(_Activation):
    """x / (1 + |x|)"""

    function = staticmethod(lambda x: x / (1 + np.abs(x)))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("div", x[0], s("add", s.constant(1, s.dtype(x[0])), s("abs", x[0])))

    def grad(self, g, node, dy):
        return [g.softsign_grad(dy, node.inputs[0])]


@register
class SoftsignGrad(_OfFeatures):
    """dy / (1 + |x|)^2"""

    function = staticmethod(lambda dy, x: dy / np.square(1 + np.abs(x)))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("div", x[0], s("square", s("add", s.constant(1, s.dtype(x[0])), s("abs", x[1]))))

    def grad(self, g, node, ddx):
        dy, x = node.inputs
        return [g.softsign_grad(ddx, x), g.softsign_grad(g.scale(-2, ddx) * dy, x) * g.sign(x) / (1 + g.abs(x))]


@register
class Relu(_Activation):
    """max(x, 0)"""

    kind = "number"
    function = staticmethod(lambda x: np.maximum(x, 0))
    samples = unary_samples(integers=True)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("max", x[0], s.constant(0, s.dtype(x[0])))

    def grad(self, g, node, dy):
        return [g.relu_grad(dy, node.outputs[0])]


@register
class ReluGrad(_OfFeatures):
    """dy where x > 0, else 0"""

    kind = "number"
    function = staticmethod(lambda dy, x: np.where(x > 0, dy, 0))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        zero = s.constant(0, s.dtype(x[0]))
        return s("select", s("greater", x[1], zero), x[0], zero)

    def grad(self, g, node, ddx):
        x = node.inputs[1]
        return [g.relu_grad(ddx, x), g.zeros_like(x)]


@register
class Relu6(_Activation):
    """min(max(x, 0), 6)"""

    kind = "number"
    function = staticmethod(lambda x: np.minimum(np.maximum(x, 0), 6))
    samples = unary_samples(-9, 9, integers=True)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        d = s.dtype(x[0])
        return s("min", s("max", x[0], s.constant(0, d)), s.constant(6, d))

    def grad(self, g, node, dy):
        return [g.relu6_grad(dy, node.outputs[0])]


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

    def grad(self, g, node, ddx):
        x = node.inputs[1]
        return [g.relu6_grad(ddx, x), g.zeros_like(x)]


@register
class Elu(_Activation):
    """x where x > 0, else exp(x) - 1"""

    function = staticmethod(lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        zero = s.constant(0, s.dtype(x[0]))
        return s("select", s("greater", x[0], zero), x[0], s("expm1", s("min", x[0], zero)))

    def grad(self, g, node, dy):
        return [g.elu_grad(dy, node.outputs[0])]


@register
class EluGrad(_OfFeatures):
    """dy where y > 0, else dy (y + 1); of the result y"""

    operands = ("gradients", "outputs")
    function = staticmethod(lambda dy, y: np.where(y < 0, dy * (y + 1), dy))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        dy, y = x
        d = s.dtype(dy)
        return s("select", s("less", y, s.constant(0, d)), s("mul", dy, s("add", y, s.constant(1, d))), dy)

    def grad(self, g, node, ddx):
        dy, y = node.inputs
        return [g.elu_grad(ddx, y), g.select(g.less(y, 0), ddx * dy, g.zeros_like(y))]


@register
class Selu(_Activation):
    """scale x where x > 0, else scale alpha (exp(x) - 1): self-normalising (Klambauer et al. 2017)"""

    function = staticmethod(lambda x: np.where(x > 0, SELU_SCALE * x, SELU_SCALE_ALPHA * np.expm1(np.minimum(x, 0))))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        d = s.dtype(x[0])
        zero = s.constant(0, d)
        below = s("mul", s.constant(SELU_SCALE_ALPHA, d), s("expm1", s("min", x[0], zero)))
        return s("select", s("greater", x[0], zero), s("mul", s.constant(SELU_SCALE, d), x[0]), below)

    def grad(self, g, node, dy):
        return [g.selu_grad(dy, node.outputs[0])]


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

    def grad(self, g, node, ddx):
        dy, y = node.inputs
        return [g.selu_grad(ddx, y), g.select(g.less(y, 0), ddx * dy, g.zeros_like(y))]


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

    def grad(self, g, node, dy):
        return [g.leaky_relu_grad(dy, node.inputs[0], alpha=self.alpha)]


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

    def grad(self, g, node, ddx):
        x = node.inputs[1]
        return [g.leaky_relu_grad(ddx, x, alpha=self.alpha), g.zeros_like(x)]
