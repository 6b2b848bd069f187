"""Elementwise arithmetic of one argument: signs, powers, exponentials and rounding.

The gradients of sqrt, rsqrt and reciprocal are ops of their own in TF (SqrtGrad: of y and dy), which graphs therefore
hold.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.elementwise import Unary, UnaryGrad, conjugate, gradient_samples, unary_samples
from graphc.ir.op import Sample, Scalars, register


@register
class Neg(Unary):
    """-x"""

    kind = "numeric"
    primitive = "neg"
    cheap = True
    self_inverse = True
    function = np.negative
    samples = unary_samples(integers=True)

    def grad(self, g, node, dy):
        return [g.neg(dy)]


@register
class Abs(Unary):
    """|x|; its gradient at 0 is 0."""

    kind = "number"
    primitive = "abs"
    function = np.abs
    samples = unary_samples(integers=True)

    def grad(self, g, node, dy):
        return [dy * g.sign(node.inputs[0])]


@register
class Sign(Unary):
    """-1, 0 or 1"""

    kind = "numeric"
    primitive = "sign"
    function = np.sign
    samples = unary_samples(integers=True)

    def grad(self, g, node, dy):
        return [g.zeros_like(node.inputs[0])]


@register
class Square(Unary):
    """x * x"""

    kind = "numeric"
    primitive = "square"
    cheap = True
    function = np.square
    samples = unary_samples(integers=True)

    def grad(self, g, node, dy):
        return [dy * g.scale(2, g.conj(node.inputs[0]))]


@register
class Exp(Unary):
    """e ** x"""

    kind = "analytic"
    primitive = "exp"
    function = np.exp
    samples = unary_samples(-4, 4)

    def grad(self, g, node, dy):
        return [dy * g.conj(node.outputs[0])]


@register
class Expm1(Unary):
    """e ** x - 1, exact near 0"""

    kind = "analytic"
    primitive = "expm1"
    function = np.expm1
    samples = unary_samples()

    def grad(self, g, node, dy):
        return [dy * g.exp(g.conj(node.inputs[0]))]


@register
class Log(Unary):
    """The natural logarithm: -inf at 0, NaN below."""

    kind = "analytic"
    primitive = "log"
    function = np.log
    samples = unary_samples(0.1, 4)

    def grad(self, g, node, dy):
        return [dy * g.reciprocal(g.conj(node.inputs[0]))]


@register
class Log1p(Unary):
    """log(1 + x), exact near 0"""

    kind = "analytic"
    primitive = "log1p"
    function = np.log1p
    samples = unary_samples(-0.8, 4)

    def grad(self, g, node, dy):
        return [dy * g.reciprocal(1 + g.conj(node.inputs[0]))]


@register
class Sqrt(Unary):
    """The square root; NaN below 0"""

    kind = "analytic"
    primitive = "sqrt"
    function = np.sqrt
    samples = unary_samples(0.1, 4)

    def grad(self, g, node, dy):
        return [g.sqrt_grad(node.outputs[0], dy)]


@register
class Rsqrt(Unary):
    """1 / sqrt(x)"""

    kind = "analytic"
    primitive = "rsqrt"
    function = staticmethod(lambda x: 1 / np.sqrt(x))
    samples = unary_samples(0.1, 4)

    def grad(self, g, node, dy):
        return [g.rsqrt_grad(node.outputs[0], dy)]


@register
class Reciprocal(Unary):
    """1 / x"""

    kind = "analytic"
    primitive = "reciprocal"
    function = staticmethod(lambda x: 1 / x)
    samples = unary_samples(0.2, 3)

    def grad(self, g, node, dy):
        return [g.reciprocal_grad(node.outputs[0], dy)]


@register
class Inv(Reciprocal):
    """1 / x under its name before TF 1.0"""

    samples = unary_samples(0.2, 3)

    def grad(self, g, node, dy):
        return [g.inv_grad(node.outputs[0], dy)]


_MASKED = Sample({}, (np.array([0, np.inf, np.nan, 2], np.float32), np.array([0, 0, 0, 3], np.float32)), gradient=False)


def _or_0(dy: np.ndarray, dx: np.ndarray) -> np.ndarray:
    return np.where(dy == 0, dx.dtype.type(0), dx)


class _GradientOfY(UnaryGrad):
    """dx from the op's own result y and dy; 0 where dy is, even if y is 0, infinite or NaN, as in TF: what a mask left
    out has no part in a gradient."""

    kind = "analytic"
    operands = ("y", "dy")

    def scalar(self, s: Scalars, *x: Any) -> Any:
        y, dy = conjugate(s, x[0]), x[1]
        zero = s.constant(0, s.dtype(dy))
        return s("select", s("equal", dy, zero), zero, self.ordinary(s, y, dy))

    @staticmethod
    def ordinary(s: Scalars, y: Any, dy: Any) -> Any:
        """dx of the conjugated y."""
        raise NotImplementedError


@register
class SqrtGrad(_GradientOfY):
    """dy / (2 y)"""

    function = staticmethod(lambda y, dy: _or_0(dy, dy * y.dtype.type(0.5) / np.conj(y)))
    samples = [*gradient_samples(0.2, 2), _MASKED]

    @staticmethod
    def ordinary(s: Scalars, y: Any, dy: Any) -> Any:
        return s("div", s("mul", dy, s.constant(0.5, s.dtype(y))), y)

    def grad(self, g, node, ddx):
        y = node.inputs[0]
        over_y = ddx / y
        return [-g.conj(over_y) * node.outputs[0], g.scale(0.5, over_y)]


@register
class RsqrtGrad(_GradientOfY):
    """-dy y^3 / 2"""

    function = staticmethod(lambda y, dy: _or_0(dy, y.dtype.type(-0.5) * (dy * np.conj(y)) * np.conj(y * y)))
    samples = [*gradient_samples(0.2, 2), _MASKED]

    @staticmethod
    def ordinary(s: Scalars, y: Any, dy: Any) -> Any:
        return s("mul", s("mul", s.constant(-0.5, s.dtype(y)), s("mul", dy, y)), s("mul", y, y))

    def grad(self, g, node, ddx):
        y, dy = node.inputs
        y = g.conj(y)
        return [g.scale(-1.5, g.conj(ddx)) * dy * g.square(y), g.rsqrt_grad(y, ddx)]


@register
class ReciprocalGrad(_GradientOfY):
    """-dy y^2"""

    function = staticmethod(lambda y, dy: _or_0(dy, -np.conj(y) * dy * np.conj(y)))
    samples = [*gradient_samples(0.2, 2), _MASKED]

    @staticmethod
    def ordinary(s: Scalars, y: Any, dy: Any) -> Any:
        return s("mul", s("mul", s("neg", y), dy), y)

    def grad(self, g, node, ddx):
        y, dy = node.inputs
        y = g.conj(y)
        return [g.scale(-2, g.conj(ddx)) * dy * y, g.make(type(self), y, ddx)]


@register
class InvGrad(ReciprocalGrad):
    """-dy y^2, the gradient of Inv"""

    samples = [*gradient_samples(0.2, 2), _MASKED]


class _Rounding(Unary):
    """Piecewise constant: it has no gradient, as in TF."""

    def grad(self, g, node, dy):
        return [None]


@register
class Floor(_Rounding):
    """The largest whole number that is not above x"""

    primitive = "floor"
    function = np.floor
    samples = unary_samples(-9, 9, gradient=False)


@register
class Ceil(_Rounding):
    """The smallest whole number that is not below x"""

    primitive = "ceil"
    function = np.ceil
    samples = unary_samples(-9, 9, gradient=False)


@register
class Rint(_Rounding):
    """The nearest whole number, halves to the even one"""

    primitive = "round"
    function = np.rint
    samples = [*unary_samples(-9, 9, gradient=False),
               Sample({}, (np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], np.float32),), gradient=False)]


@register
class Round(_Rounding):
    """The nearest whole number, halves to the even one; integers stay as they are"""

    kind = "number"
    function = staticmethod(lambda x: np.rint(x) if x.dtype.kind == "f" else x)
    samples = [*unary_samples(-9, 9, integers=True, gradient=False),
               Sample({}, (np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], np.float32),), gradient=False)]

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("round", x[0]) if s.dtype(x[0]).is_floating else x[0]
