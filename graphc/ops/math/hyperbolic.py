"""The inverse hyperbolic functions."""
from __future__ import annotations

import numpy as np

from graphc.ir.elementwise import InDouble, Unary, unary_samples
from graphc.ir.op import register


@register
class Asinh(InDouble, Unary):
    """The number whose hyperbolic sine is x"""

    primitive = "asinh"
    function = np.arcsinh
    samples = unary_samples()

    def grad(self, g, node, dy):
        return [dy / g.cosh(node.outputs[0])]


@register
class Acosh(InDouble, Unary):
    """The number of at least 0 whose hyperbolic cosine is x; NaN below 1"""

    primitive = "acosh"
    function = np.arccosh
    samples = unary_samples(1.2, 4)

    def grad(self, g, node, dy):
        return [dy / g.sinh(node.outputs[0])]


@register
class Atanh(InDouble, Unary):
    """The number whose hyperbolic tangent is x; NaN beyond -1 and 1"""

    primitive = "atanh"
    function = np.arctanh
    samples = unary_samples(-0.8, 0.8)

    def grad(self, g, node, dy):
        return [dy * g.reciprocal(1 - g.square(node.inputs[0]))]
