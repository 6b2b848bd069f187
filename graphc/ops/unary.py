"""Elementwise arithmetic of one argument: signs, powers, exponentials and rounding.

The gradients of sqrt, rsqrt and reciprocal are ops of their own in TF (SqrtGrad: of y and dy), which graphs therefore
hold.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.op import Sample, Scalars, register
from graphc.ops.build import apply
from graphc.ops.elementwise import Unary, UnaryGrad, gradient_samples, scale, unary_samples


@register
class Neg(Unary):
    """-x"""

    kind = "number"
    primitive = "neg"
    function = np.negative
    samples = unary_samples(integers=True)

    def grad(self, node, dy):
        return [negative(dy)]


@register
class Abs(Unary):
    """|x|; its gradient at 0 is 0."""

    kind = "number"
    primitive = "abs"
    function = np.abs
    samples = unary_samples(integers=True)

    def grad(self, node, dy):
        return [dy * sign(node.inputs[0])]


@register
class Sign(Unary):
    """-1, 0 or 1"""

    kind = "number"
    primitive = "sign"
    function = np.sign
    samples = unary_samples(integers=True)

    def grad(self, node, dy):
        return [_zeros_like(node.inputs[0])]


@register
class Square(Unary):
    """x * x"""

    kind = "number"
    primitive = "square"
    function = np.square
    samples = unary_samples(integers=True)

    def grad(self, node, dy):
        return [dy * scale(2, node.inputs[0])]


@register
class Exp(Unary):
    """e ** x"""

    primitive = "exp"
    function = np.exp
    samples = unary_samples(-4, 4)

    def grad(self, node, dy):
        return [dy * node.outputs[0]]


@register
class Expm1(Unary):
    """e ** x - 1, exact near 0"""

    primitive = "expm1"
    function = np.expm1
    samples = unary_samples()

    def grad(self, node, dy):
        return [dy * exp(node.inputs[0])]


@register
class Log(Unary):
    """The natural logarithm: -inf at 0, NaN below."""

    primitive = "log"
    function = np.log
    samples = unary_samples(0.1, 4)

    def grad(self, node, dy):
        return [dy * reciprocal(node.inputs[0])]


@register
class Log1p(Unary):
    """log(1 + x), exact near 0"""

    primitive = "log1p"
    function = np.log1p
    samples = unary_samples(-0.8, 4)

    def grad(self, node, dy):
        return [dy * reciprocal(1 + node.inputs[0])]


@register
class Sqrt(Unary):
    """The square root; NaN below 0"""

    primitive = "sqrt"
    function = np.sqrt
    samples = unary_samples(0.1, 4)

    def grad(self, node, dy):
        return [apply(SqrtGrad, node.outputs[0], dy)]


@register
class Rsqrt(Unary):
    """1 / sqrt(x)"""

    primitive = "rsqrt"
    function = staticmethod(lambda x: 1 / np.sqrt(x))
    samples = unary_samples(0.1, 4)

    def grad(self, node, dy):
        return [apply(RsqrtGrad, node.outputs[0], dy)]


@register
class Reciprocal(Unary):
    """1 / x"""

    primitive = "reciprocal"
    function = staticmethod(lambda x: 1 / x)
    samples = unary_samples(0.2, 3)

    def grad(self, node, dy):
        return [apply(ReciprocalGrad, node.outputs[0], dy)]


@register
class Inv(Reciprocal):
    """1 / x under its name before TF 1.0"""

    samples = unary_samples(0.2, 3)

    def grad(self, node, dy):
        return [apply(InvGrad, node.outputs[0], dy)]


class _GradientOfY(UnaryGrad):
    """dx from the op's own result y and dy."""

    operands = ("y", "dy")


@register
class SqrtGrad(_GradientOfY):
    """dy / (2 y)"""

    function = staticmethod(lambda y, dy: dy * y.dtype.type(0.5) / y)
    samples = gradient_samples(0.2, 2)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        y, dy = x
        return s("div", s("mul", dy, s.constant(0.5, s.dtype(y))), y)

    def grad(self, node, g):
        y = node.inputs[0]
        over_y = g / y
        return [-over_y * node.outputs[0], scale(0.5, over_y)]


@register
class RsqrtGrad(_GradientOfY):
    """-dy y^3 / 2"""

    function = staticmethod(lambda y, dy: y.dtype.type(-0.5) * (dy * y) * (y * y))
    samples = gradient_samples(0.2, 2)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        y, dy = x
        return s("mul", s("mul", s.constant(-0.5, s.dtype(y)), s("mul", dy, y)), s("mul", y, y))

    def grad(self, node, g):
        y, dy = node.inputs
        return [scale(-1.5, g) * dy * square(y), apply(RsqrtGrad, y, g)]


@register
class ReciprocalGrad(_GradientOfY):
    """-dy y^2"""

    function = staticmethod(lambda y, dy: -y * dy * y)
    samples = gradient_samples(0.2, 2)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        y, dy = x
        return s("mul", s("mul", s("neg", y), dy), y)

    def grad(self, node, g):
        y, dy = node.inputs
        return [scale(-2, g) * dy * y, apply(type(self), y, g)]


@register
class InvGrad(ReciprocalGrad):
    """-dy y^2, the gradient of Inv"""

    samples = gradient_samples(0.2, 2)


class _Rounding(Unary):
    """Piecewise constant: it has no gradient, as in TF."""

    def grad(self, node, dy):
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


def _zeros_like(x):
    from graphc.ops.fill import zeros_like

    return zeros_like(x)


def negative(x, name=None):
    """-x. As `tf.negative`; also under the older name `neg`."""
    return apply(Neg, x, name=name)


neg = negative


def abs(x, name=None):
    """|x|. As `tf.abs`."""
    return apply(Abs, x, name=name)


def sign(x, name=None):
    """-1, 0 or 1 as x is negative, zero or positive. As `tf.sign`."""
    return apply(Sign, x, name=name)


def square(x, name=None):
    """x * x. As `tf.square`."""
    return apply(Square, x, name=name)


def exp(x, name=None):
    """e ** x of a floating point tensor. As `tf.exp`."""
    return apply(Exp, x, name=name)


def expm1(x, name=None):
    """e ** x - 1, exact near 0. As `tf.expm1`."""
    return apply(Expm1, x, name=name)


def log(x, name=None):
    """The natural logarithm. As `tf.log`."""
    return apply(Log, x, name=name)


def log1p(x, name=None):
    """log(1 + x), exact near 0. As `tf.log1p`."""
    return apply(Log1p, x, name=name)


def sqrt(x, name=None):
    """The square root. As `tf.sqrt`."""
    return apply(Sqrt, x, name=name)


def rsqrt(x, name=None):
    """1 / sqrt(x). As `tf.rsqrt`."""
    return apply(Rsqrt, x, name=name)


def reciprocal(x, name=None):
    """1 / x. As `tf.reciprocal`."""
    return apply(Reciprocal, x, name=name)


def inv(x, name=None):
    """1 / x. As `tf.inv` of TF before 1.0."""
    return apply(Inv, x, name=name)


def floor(x, name=None):
    """The largest whole number that is not above x. As `tf.floor`."""
    return apply(Floor, x, name=name)


def ceil(x, name=None):
    """The smallest whole number that is not below x. As `tf.ceil`."""
    return apply(Ceil, x, name=name)


def rint(x, name=None):
    """The nearest whole number, halves to the even one. As `tf.rint`."""
    return apply(Rint, x, name=name)


def round(x, name=None):
    """The nearest whole number, halves to the even one; integers are given back. As `tf.round`."""
    from graphc.ops.build import convert_to_tensor

    x = convert_to_tensor(x)
    return x if x.dtype.is_integer else apply(Round, x, name=name)
