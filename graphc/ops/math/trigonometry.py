"""Trigonometric and hyperbolic functions, and the error function."""
from __future__ import annotations

import math

import numpy as np

from graphc.ir.elementwise import Binary, Unary, binary_samples, unary_samples
from graphc.ir.op import register

# The argument is reduced by multiples of pi / 2 of some 160 bits: kernels/scalars/trigonometric.py.
_REDUCED = ("NaN where the argument is 2**50 or more: its multiple of pi / 2 is not known to the last digit",
            lambda x: np.abs(x) >= 2.0**50)


@register
class Sin(Unary):
    """The sine"""

    kind = "analytic"
    primitive = "sin"
    inexact = _REDUCED
    function = np.sin
    samples = unary_samples()

    def grad(self, g, node, dy):
        x = g.conj(node.inputs[0])
        return [dy * g.cos(x)]


@register
class Cos(Unary):
    """The cosine"""

    kind = "analytic"
    primitive = "cos"
    inexact = _REDUCED
    function = np.cos
    samples = unary_samples()

    def grad(self, g, node, dy):
        x = g.conj(node.inputs[0])
        return [g.neg(dy) * g.sin(x)]


@register
class Tan(Unary):
    """The tangent"""

    kind = "analytic"
    primitive = "tan"
    inexact = _REDUCED
    function = np.tan
    samples = unary_samples(-1.2, 1.2)

    def grad(self, g, node, dy):
        x = g.conj(node.inputs[0])
        return [dy * g.square(g.reciprocal(g.cos(x)))]


@register
class Asin(Unary):
    """The angle whose sine is x"""

    primitive = "asin"
    function = np.arcsin
    samples = unary_samples(-0.8, 0.8)

    def grad(self, g, node, dy):
        x = node.inputs[0]
        return [dy * g.rsqrt(1 - g.square(x))]


@register
class Acos(Unary):
    """The angle whose cosine is x"""

    primitive = "acos"
    function = np.arccos
    samples = unary_samples(-0.8, 0.8)

    def grad(self, g, node, dy):
        x = node.inputs[0]
        return [g.neg(dy) * g.rsqrt(1 - g.square(x))]


@register
class Atan(Unary):
    """The angle whose tangent is x"""

    primitive = "atan"
    function = np.arctan
    samples = unary_samples()

    def grad(self, g, node, dy):
        x = node.inputs[0]
        return [dy * g.reciprocal(1 + g.square(x))]


@register
class Sinh(Unary):
    """The hyperbolic sine"""

    kind = "analytic"
    primitive = "sinh"
    function = np.sinh
    samples = unary_samples()

    def grad(self, g, node, dy):
        x = g.conj(node.inputs[0])
        return [dy * g.cosh(x)]


@register
class Cosh(Unary):
    """The hyperbolic cosine"""

    kind = "analytic"
    primitive = "cosh"
    function = np.cosh
    samples = unary_samples()

    def grad(self, g, node, dy):
        x = g.conj(node.inputs[0])
        return [dy * g.sinh(x)]


def _erf(x: np.ndarray) -> np.ndarray:
    return np.array([math.erf(v) for v in x.ravel()], np.float64).reshape(x.shape)


@register
class Erf(Unary):
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x"""

    primitive = "erf"
    function = staticmethod(_erf)
    samples = unary_samples()

    def grad(self, g, node, dy):
        x = node.inputs[0]
        return [dy * g.scale(2 / math.sqrt(math.pi), g.exp(g.neg(g.square(x))))]


@register
class Atan2(Binary):
    """The angle of the point (x, y): operands are y, x"""

    operands = ("y", "x")
    kind = "floating"
    primitive = "atan2"
    function = np.arctan2
    samples = binary_samples(0.2, 2, integers=False)

    def grad(self, g, node, dy):
        y, x = node.inputs
        z = node.outputs[0]
        over = dy / (x * x + y * y)
        return [g.sum_like(x * over, y, z), g.sum_like(g.neg(y) * over, x, z)]
