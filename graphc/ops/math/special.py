"""Special functions: the gamma function's logarithm and derivatives, zeta, incomplete gamma and beta, Bessel functions.

The primitives (kernels/scalars/gamma.py, incomplete.py, bessel.py) are computed in float64: float32 results are right
to the last place; of float64 ones erfc, digamma and the Bessel functions to 4 units of it, lgamma to 7, zeta to 6,
igamma, igammac, igamma_grad_a and betainc to a relative 1e-12.
"""
from __future__ import annotations

import math

import numpy as np

from graphc.ir.elementwise import Binary, InDouble, Unary, binary_samples, unary_samples
from graphc.ir.op import Elementwise, Sample, register
from graphc.ir.spec import Spec, text
from graphc.ops.math import special_reference


@register
class Lgamma(InDouble, Unary):
    """log |gamma x|"""

    primitive = "lgamma"
    function = staticmethod(special_reference.lgamma)
    samples = [*unary_samples(0.3, 6), Sample({}, (np.array([-2.5, -0.3, 1, 2, 30, 1e5], np.float32),))]

    def grad(self, g, node, dy):
        return [dy * g.digamma(node.inputs[0])]


@register
class Digamma(InDouble, Unary):
    """The derivative of lgamma"""

    primitive = "digamma"
    function = staticmethod(special_reference.digamma)
    samples = [*unary_samples(0.3, 6), Sample({}, (np.array([-2.5, -0.3, 1, 2, 30, 1e5], np.float32),))]

    def grad(self, g, node, dy):
        x = node.inputs[0]
        return [dy * g.polygamma(g.ones_like(x), x)]


class _OfPair(InDouble, Binary):
    kind = "floating"


@register
class Polygamma(_OfPair):
    """The derivative of digamma of order a, a whole number; a has no gradient"""

    operands = ("a", "x")
    primitive = "polygamma"
    inexact = ("infinite or NaN beyond order 170: the factorial is infinite", lambda a, x: a > 170)
    function = staticmethod(special_reference.polygamma)
    samples = [
        *(
            Sample({}, (np.array(a, np.float32), shape), low=0.3, high=6)
            for a, shape in ((0, (17,)), (1, (2, 3, 5)), (3, ()), (2, (0, 3)))
        ),
        Sample({}, (np.arange(5, dtype=np.float32)[:, None], (5, 3)), low=0.3, high=6),
    ]

    def grad(self, g, node, dy):
        a, x = node.inputs
        return [None, g.sum_like(dy * g.polygamma(a + 1, x), x, node.outputs[0])]


@register
class Zeta(_OfPair):
    """Hurwitz' zeta function, the sum of (q + k)**-x over k >= 0; x has no gradient"""

    operands = ("x", "q")
    primitive = "zeta"
    function = staticmethod(special_reference.zeta)
    samples = binary_samples(1.2, 5, integers=False)

    def grad(self, g, node, dy):
        x, q = node.inputs
        return [None, g.sum_like(dy * (g.neg(x) * g.zeta(x + 1, q)), q, node.outputs[0])]


def _density(g, a, x):
    """The derivative of igamma by x."""
    return g.exp(g.neg(x) + (a - 1) * g.log(x) - g.lgamma(a))


@register
class Igamma(_OfPair):
    """The regularised lower incomplete gamma function P(a, x)"""

    operands = ("a", "x")
    primitive = "igamma"
    function = staticmethod(lambda a, x: special_reference.gamma_parts(a, x)[0])
    # By a there is a first derivative only, as in TensorFlow: tests/ops/math/test_special_functions.py.
    samples = binary_samples(0.3, 6, integers=False, gradient=False)

    def grad(self, g, node, dy):
        a, x = node.inputs
        z = node.outputs[0]
        return [g.sum_like(dy * g.igamma_grad_a(a, x), a, z), g.sum_like(dy * _density(g, a, x), x, z)]


@register
class Igammac(_OfPair):
    """The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x)"""

    operands = ("a", "x")
    primitive = "igammac"
    function = staticmethod(lambda a, x: special_reference.gamma_parts(a, x)[1])
    samples = binary_samples(0.3, 6, integers=False, gradient=False)

    def grad(self, g, node, dy):
        a, x = node.inputs
        z = node.outputs[0]
        down = g.neg(dy)
        return [g.sum_like(down * g.igamma_grad_a(a, x), a, z), g.sum_like(down * _density(g, a, x), x, z)]


@register
class IgammaGradA(_OfPair):
    """The derivative of igamma by a; it has none itself, as in TensorFlow"""

    operands = ("a", "x")
    primitive = "igamma_grad_a"
    function = staticmethod(lambda a, x: special_reference.gamma_parts(a, x, slope=True)[0])
    samples = binary_samples(0.3, 6, integers=False, gradient=False)


@register
class Betainc(InDouble, Elementwise):
    """The regularised incomplete beta function; a, b and x have one shape, or are scalars; a and b have no gradient"""

    operands = ("a", "b", "x")
    results = ("z",)
    types = {"T": "a"}
    primitive = "betainc"
    inexact = (
        "a or b beyond 1,000,000: the fraction may be cut short; below 0.001: the absolute error only is small",
        lambda a, b, x: (np.maximum(a, b) > 1e6) | (np.minimum(a, b) < 1e-3),
    )
    samples = [
        Sample({}, shapes, low=0.1, high=0.9)
        for shapes in (
            ((), (), ()),
            ((17,), (17,), (17,)),
            ((2, 3, 5), (), (2, 3, 5)),
            ((), (), (31,)),
            ((3,), (3,), ()),
            ((0, 3), (), (0, 3)),
        )
    ] + [Sample({}, (np.array([0.5, 2, 30, 200]), np.array([3, 0.2, 40, 7.5]), np.array([0.01, 0.3, 0.5, 0.97])))]

    def infer(self, *inputs: Spec) -> Spec:
        if inputs[0].dtype.name not in ("float32", "float64"):
            raise TypeError(
                f"argument 'a' has dtype {inputs[0].dtype.name}, but Betainc takes float32 and float64 "
                "only; cast it (gc.cast)"
            )
        ranks = {len(x.shape) for x in inputs if x.shape}
        if len(ranks) > 1:
            raise ValueError(
                "a, b and x must have one shape or be scalars, but have "
                f"{', '.join(text(x.shape or ()) for x in inputs)}"
            )
        return super().infer(*inputs)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(special_reference.beta(*inputs)).astype(inputs[0].dtype)

    def grad(self, g, node, dy):
        a, b, x = node.inputs
        log_beta = g.lgamma(a) + g.lgamma(b) - g.lgamma(a + b)
        slope = g.exp((b - 1) * g.log(1 - x) + (a - 1) * g.log(x) - log_beta)
        return [None, None, g.sum_like(dy * slope, x, node.outputs[0])]


@register
class BesselI0e(InDouble, Unary):
    """The modified Bessel function of order 0, times e**-|x|"""

    primitive = "bessel_i0e"
    function = staticmethod(lambda x: special_reference.bessel(0, x))
    samples = [
        *unary_samples(0.1, 3),
        Sample({}, (np.array([-9, 30, 7.9, 8.1], np.float32),)),
        Sample({}, (np.zeros(1, np.float32),), gradient=False),
    ]

    def grad(self, g, node, dy):
        x, y = node.inputs[0], node.outputs[0]
        return [dy * (g.bessel_i1e(x) - g.sign(x) * y)]


@register
class BesselI1e(InDouble, Unary):
    """The modified Bessel function of order 1, times e**-|x|"""

    primitive = "bessel_i1e"
    function = staticmethod(lambda x: special_reference.bessel(1, x))
    samples = [*unary_samples(0.1, 3), Sample({}, (np.array([-9, 30, 7.9, 8.1], np.float32),))]

    def grad(self, g, node, dy):
        """At 0 the limit 1 / 2: the quotient there is 0 / 0."""
        x, y = node.inputs[0], node.outputs[0]
        zero = g.equal(x, 0)
        by = g.select(zero, g.ones_like(x), x)
        slope = g.bessel_i0e(x) - y * (g.sign(by) + g.reciprocal(by))
        return [dy * g.select(zero, g.scale(0.5, g.ones_like(x)), slope)]


def _erfc(x: np.ndarray) -> np.ndarray:
    return np.array([math.erfc(v) for v in x.ravel()], np.float64).reshape(x.shape)


@register
class Erfc(InDouble, Unary):
    """1 - erf(x), exact where that is small"""

    primitive = "erfc"
    function = staticmethod(_erfc)
    samples = [*unary_samples(), Sample({}, (np.array([-7, 5, 9], np.float32),), gradient=False)]

    def grad(self, g, node, dy):
        x = node.inputs[0]
        return [dy * g.scale(-2 / math.sqrt(math.pi), g.exp(g.neg(g.square(x))))]
