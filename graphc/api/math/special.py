"""Special functions: gamma, zeta, beta, Bessel, and the complement of the error function."""
from __future__ import annotations

from graphc.api.array.fill import zeros_like
from graphc.api.math.binary import multiply
from graphc.api.math.reduce import reduce_sum
from graphc.api.math.unary import abs, exp
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ops.math.special import (
    BesselI0e,
    BesselI1e,
    Betainc,
    Digamma,
    Erfc,
    Igamma,
    Igammac,
    Lgamma,
    Polygamma,
    Zeta,
)


@public("lgamma", "math.lgamma")
def lgamma(x, name=None):
    """log |gamma x|. As `tf.lgamma`."""
    return apply(Lgamma, x, name=name)


@public("digamma", "math.digamma")
def digamma(x, name=None):
    """The derivative of `lgamma`. As `tf.digamma`."""
    return apply(Digamma, x, name=name)


@public("polygamma", "math.polygamma")
def polygamma(a, x, name=None):
    """The derivative of `digamma` of order a, a whole number. As `tf.polygamma`."""
    return apply(Polygamma, a, x, name=name)


@public("zeta", "math.zeta")
def zeta(x, q, name=None):
    """Hurwitz' zeta function: the sum of (q + k) ** -x over k >= 0. As `tf.zeta`."""
    return apply(Zeta, x, q, name=name)


@public("igamma", "math.igamma")
def igamma(a, x, name=None):
    """The regularised lower incomplete gamma function. As `tf.igamma`."""
    return apply(Igamma, a, x, name=name)


@public("igammac", "math.igammac")
def igammac(a, x, name=None):
    """The regularised upper incomplete gamma function, 1 - igamma. As `tf.igammac`."""
    return apply(Igammac, a, x, name=name)


@public("betainc", "math.betainc")
def betainc(a, b, x, name=None):
    """The regularised incomplete beta function; a, b and x of one shape, or scalars. As `tf.betainc`."""
    return apply(Betainc, a, b, x, name=name)


@public("erfc", "math.erfc")
def erfc(x, name=None):
    """1 - erf(x), exact where that is small. As `tf.erfc`."""
    return apply(Erfc, x, name=name)


@public("lbeta", "math.lbeta")
def lbeta(x, name=None):
    """log |beta| of the numbers along the last axis: the sum of their lgamma, less lgamma of their sum.

    As `tf.lbeta`.
    """
    with get_default_graph().name_scope(name or "lbeta"):
        x = convert_to_tensor(x, name="x")
        return reduce_sum(lgamma(x), [-1]) - lgamma(reduce_sum(x, [-1]))


@public("math.bessel_i0e")
def bessel_i0e(x, name=None):
    """The modified Bessel function of order 0, times e ** -|x|. As `tf.math.bessel_i0e`."""
    return apply(BesselI0e, x, name=name or "bessel_i0e")


@public("math.bessel_i1e")
def bessel_i1e(x, name=None):
    """The modified Bessel function of order 1, times e ** -|x|. As `tf.math.bessel_i1e`."""
    return apply(BesselI1e, x, name=name or "bessel_i1e")


@public("math.bessel_i0")
def bessel_i0(x, name=None):
    """The modified Bessel function of order 0. As `tf.math.bessel_i0`."""
    with get_default_graph().name_scope(name or "bessel_i0") as scope:
        x = convert_to_tensor(x, name="x")
        return multiply(exp(abs(x)), bessel_i0e(x), name=scope)


@public("math.bessel_i1")
def bessel_i1(x, name=None):
    """The modified Bessel function of order 1. As `tf.math.bessel_i1`."""
    with get_default_graph().name_scope(name or "bessel_i1") as scope:
        x = convert_to_tensor(x, name="x")
        return multiply(exp(abs(x)), bessel_i1e(x), name=scope)


@public("math.polyval")
def polyval(coeffs, x, name=None):
    """The polynomial with these coefficients, highest power first, at x. As `tf.math.polyval`."""
    with get_default_graph().name_scope(name or "polyval"):
        x = convert_to_tensor(x, name="x")
        if not coeffs:
            return zeros_like(x, name=name)
        total, *rest = (convert_to_tensor(c, dtype=x.dtype, name=f"coeff_{i}") for i, c in enumerate(coeffs))
        for coefficient in rest:
            total = coefficient + total * x
        return total
