"""Trigonometric and hyperbolic functions, and the error function."""
from __future__ import annotations

import math

import numpy as np

from graphc.ir.op import register
from graphc.ops.build import apply
from graphc.ops.elementwise import Binary, Unary, binary_samples, scale, sum_like, unary_samples
from graphc.ops.unary import exp, negative, reciprocal, rsqrt, square

# The argument is reduced by multiples of pi / 2 of some 160 bits: kernels/scalars/trigonometric.py.
_REDUCED = ("NaN where the argument is 2**50 or more: its multiple of pi / 2 is not known to the last digit",
            lambda x: np.abs(x) >= 2.0**50)


@register
class Sin(Unary):
    """The sine"""

    primitive = "sin"
    inexact = _REDUCED
    function = np.sin
    samples = unary_samples()

    def grad(self, node, dy):
        x = node.inputs[0]
        return [dy * cos(x)]


@register
class Cos(Unary):
    """The cosine"""

    primitive = "cos"
    inexact = _REDUCED
    function = np.cos
    samples = unary_samples()

    def grad(self, node, dy):
        x = node.inputs[0]
        return [negative(dy) * sin(x)]


@register
class Tan(Unary):
    """The tangent"""

    primitive = "tan"
    inexact = _REDUCED
    function = np.tan
    samples = unary_samples(-1.2, 1.2)

    def grad(self, node, dy):
        x = node.inputs[0]
        return [dy * square(reciprocal(cos(x)))]


@register
class Asin(Unary):
    """The angle whose sine is x"""

    primitive = "asin"
    function = np.arcsin
    samples = unary_samples(-0.8, 0.8)

    def grad(self, node, dy):
        x = node.inputs[0]
        return [dy * rsqrt(1 - square(x))]


@register
class Acos(Unary):
    """The angle whose cosine is x"""

    primitive = "acos"
    function = np.arccos
    samples = unary_samples(-0.8, 0.8)

    def grad(self, node, dy):
        x = node.inputs[0]
        return [negative(dy) * rsqrt(1 - square(x))]


@register
class Atan(Unary):
    """The angle whose tangent is x"""

    primitive = "atan"
    function = np.arctan
    samples = unary_samples()

    def grad(self, node, dy):
        x = node.inputs[0]
        return [dy * reciprocal(1 + square(x))]


@register
class Sinh(Unary):
    """The hyperbolic sine"""

    primitive = "sinh"
    function = np.sinh
    samples = unary_samples()

    def grad(self, node, dy):
        x = node.inputs[0]
        return [dy * cosh(x)]


@register
class Cosh(Unary):
    """The hyperbolic cosine"""

    primitive = "cosh"
    function = np.cosh
    samples = unary_samples()

    def grad(self, node, dy):
        x = node.inputs[0]
        return [dy * sinh(x)]


def _erf(x: np.ndarray) -> np.ndarray:
    return np.array([math.erf(v) for v in x.ravel()], np.float64).reshape(x.shape)


@register
class Erf(Unary):
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x"""

    primitive = "erf"
    function = staticmethod(_erf)
    samples = unary_samples()

    def grad(self, node, dy):
        x = node.inputs[0]
        return [dy * scale(2 / math.sqrt(math.pi), exp(negative(square(x))))]


@register
class Atan2(Binary):
    """The angle of the point (x, y): operands are y, x"""

    operands = ("y", "x")
    kind = "floating"
    primitive = "atan2"
    function = np.arctan2
    samples = binary_samples(0.2, 2, integers=False)

    def grad(self, node, dy):
        y, x = node.inputs
        z = node.outputs[0]
        over = dy / (x * x + y * y)
        return [sum_like(x * over, y, z), sum_like(negative(y) * over, x, z)]


def sin(x, name=None):
    """The sine. As `tf.sin`."""
    return apply(Sin, x, name=name)


def cos(x, name=None):
    """The cosine. As `tf.cos`."""
    return apply(Cos, x, name=name)


def tan(x, name=None):
    """The tangent. As `tf.tan`."""
    return apply(Tan, x, name=name)


def asin(x, name=None):
    """The angle whose sine is x, in radians. As `tf.asin`."""
    return apply(Asin, x, name=name)


def acos(x, name=None):
    """The angle whose cosine is x, in radians. As `tf.acos`."""
    return apply(Acos, x, name=name)


def atan(x, name=None):
    """The angle whose tangent is x, in radians. As `tf.atan`."""
    return apply(Atan, x, name=name)


def sinh(x, name=None):
    """The hyperbolic sine. As `tf.sinh`."""
    return apply(Sinh, x, name=name)


def cosh(x, name=None):
    """The hyperbolic cosine. As `tf.cosh`."""
    return apply(Cosh, x, name=name)


def erf(x, name=None):
    """The error function. As `tf.erf`."""
    return apply(Erf, x, name=name)


def atan2(y, x, name=None):
    """The angle of the point (x, y) in radians. As `tf.atan2`."""
    return apply(Atan2, y, x, name=name)
