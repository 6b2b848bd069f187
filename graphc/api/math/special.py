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
    """log |gamma(x)|; gamma(n + 1) is n! of whole numbers.

    x: floating point; at 0 and below at whole numbers inf. The gradient is `gc.digamma`. The result has the shape and
    dtype of x. Raises TypeError for other dtypes. As `tf.lgamma`.

    >>> gc.exp(gc.lgamma([5., 0.5, 1.])).eval()
    array([24.    ,  1.7725,  1.    ], dtype=float32)
    """
    return apply(Lgamma, x, name=name)


@public("digamma", "math.digamma")
def digamma(x, name=None):
    """The derivative of log gamma(x).

    x: floating point; NaN at 0 and at negative whole numbers. The result has the shape and dtype of x. Raises TypeError
    for other dtypes. As `tf.digamma`.

    >>> gc.digamma([1., 2., 0.5]).eval()
    array([-0.5772,  0.4228, -1.9635], dtype=float32)
    """
    return apply(Digamma, x, name=name)


@public("polygamma", "math.polygamma")
def polygamma(a, x, name=None):
    """The derivative of `gc.digamma` of order a, broadcast.

    a: a whole number of at least 0, x: both floating point of one dtype; a broken or negative a gives NaN. Raises
    TypeError for other or different dtypes, ValueError for shapes that are known not to broadcast. As `tf.polygamma`.

    >>> gc.polygamma([0., 1., 2.], [1., 1., 1.]).eval()
    array([-0.5772,  1.6449, -2.4041], dtype=float32)
    """
    return apply(Polygamma, a, x, name=name)


@public("zeta", "math.zeta")
def zeta(x, q, name=None):
    """Hurwitz' zeta function: the sum of (q + k) ** -x over k >= 0; q = 1 makes it Riemann's. Broadcast.

    x: above 1 (at 1 inf, below NaN), q: both floating point of one dtype. Raises TypeError for other or different
    dtypes, ValueError for shapes that are known not to broadcast. As `tf.zeta`.

    >>> gc.zeta([2., 4.], 1.).eval()
    array([1.6449, 1.0823], dtype=float32)
    """
    return apply(Zeta, x, q, name=name)


@public("igamma", "math.igamma")
def igamma(a, x, name=None):
    """The regularised lower incomplete gamma function: the integral of t ** (a - 1) e ** -t from 0 to x, over gamma(a).

    a, x: floating point of one dtype, broadcast; NaN unless a > 0 and x >= 0. It has gradients by both. Raises
    TypeError for other or different dtypes, ValueError for shapes that are known not to broadcast. As `tf.igamma`.

    >>> gc.igamma([1., 2.], [1., 1.]).eval()
    array([0.6321, 0.2642], dtype=float32)
    """
    return apply(Igamma, a, x, name=name)


@public("igammac", "math.igammac")
def igammac(a, x, name=None):
    """The regularised upper incomplete gamma function, 1 - `gc.igamma`, exact where that is near 1; arguments as of
    that.

    Errors as of `gc.igamma`, too. As `tf.igammac`.

    >>> gc.igammac([1., 2.], [1., 1.]).eval()
    array([0.3679, 0.7358], dtype=float32)
    """
    return apply(Igammac, a, x, name=name)


@public("betainc", "math.betainc")
def betainc(a, b, x, name=None):
    """The regularised incomplete beta function: the integral of t ** (a - 1) (1 - t) ** (b - 1) from 0 to x, over
    beta(a, b).

    a, b, x: float32 or float64, of one dtype, broadcast; NaN unless a, b > 0 and 0 <= x <= 1. It has a gradient by x
    only. Raises TypeError for other or different dtypes, ValueError for shapes that are known not to broadcast. As
    `tf.betainc`.

    >>> gc.betainc([1., 2.], [1., 3.], [0.25, 0.5]).eval()
    array([0.25  , 0.6875], dtype=float32)
    """
    return apply(Betainc, a, b, x, name=name)


@public("erfc", "math.erfc")
def erfc(x, name=None):
    """1 - erf(x), exact where that is small.

    x: floating point. The result has the shape and dtype of x. Raises TypeError for other dtypes. As `tf.erfc`.

    >>> gc.erfc([0., 1., -2.]).eval()
    array([1.    , 0.1573, 1.9953], dtype=float32)
    >>> (gc.erfc([6.]) * 1e17).eval()
    array([2.152], dtype=float32)
    """
    return apply(Erfc, x, name=name)


@public("lbeta", "math.lbeta")
def lbeta(x, name=None):
    """log |beta(x)| of the numbers along the last axis: the sum of their lgamma, less lgamma of their sum.

    x: floating point [..., n]; the result is [...]. Raises TypeError for other dtypes, ValueError for a scalar. As
    `tf.lbeta`.

    >>> gc.exp(gc.lbeta([[2., 3.], [1., 1.]])).eval()
    array([0.0833, 1.    ], dtype=float32)
    """
    with get_default_graph().name_scope(name or "lbeta"):
        x = convert_to_tensor(x, name="x")
        return reduce_sum(lgamma(x), [-1]) - lgamma(reduce_sum(x, [-1]))


@public("math.bessel_i0e")
def bessel_i0e(x, name=None):
    """The modified Bessel function of order 0, times e ** -|x|: it does not overflow.

    x: floating point. The result has the shape and dtype of x. Raises TypeError for other dtypes. As
    `tf.math.bessel_i0e`.

    >>> gc.math.bessel_i0e([0., 1., 100.]).eval()
    array([1.    , 0.4658, 0.0399], dtype=float32)
    """
    return apply(BesselI0e, x, name=name or "bessel_i0e")


@public("math.bessel_i1e")
def bessel_i1e(x, name=None):
    """The modified Bessel function of order 1, times e ** -|x|: it does not overflow.

    x: floating point. The result has the shape and dtype of x. Raises TypeError for other dtypes. As
    `tf.math.bessel_i1e`.

    >>> gc.math.bessel_i1e([0., 1., 100.]).eval()
    array([0.    , 0.2079, 0.0397], dtype=float32)
    """
    return apply(BesselI1e, x, name=name or "bessel_i1e")


@public("math.bessel_i0")
def bessel_i0(x, name=None):
    """The modified Bessel function of order 0.

    x: floating point. For large x see `gc.math.bessel_i0e`. The result has the shape and dtype of x. Raises TypeError
    for other dtypes. As `tf.math.bessel_i0`.

    >>> gc.math.bessel_i0([0., 1., 3.]).eval()
    array([1.    , 1.2661, 4.8808], dtype=float32)
    """
    with get_default_graph().name_scope(name or "bessel_i0") as scope:
        x = convert_to_tensor(x, name="x")
        return multiply(exp(abs(x)), bessel_i0e(x), name=scope)


@public("math.bessel_i1")
def bessel_i1(x, name=None):
    """The modified Bessel function of order 1.

    x: floating point. For large x see `gc.math.bessel_i1e`. The result has the shape and dtype of x. Raises TypeError
    for other dtypes. As `tf.math.bessel_i1`.

    >>> gc.math.bessel_i1([0., 1., 3.]).eval()
    array([0.    , 0.5652, 3.9534], dtype=float32)
    """
    with get_default_graph().name_scope(name or "bessel_i1") as scope:
        x = convert_to_tensor(x, name="x")
        return multiply(exp(abs(x)), bessel_i1e(x), name=scope)


@public("math.polyval")
def polyval(coeffs, x, name=None):
    """The polynomial with these coefficients, the one of the highest power first, at x, by Horner's rule.

    coeffs: a list of numbers or tensors, which broadcast against x; an empty one gives 0. x: numbers of any shape,
    whose dtype the coefficients take. Raises ValueError for a coefficient that is a tensor of another dtype, or whose
    shape is known not to broadcast. As `tf.math.polyval`.

    >>> gc.math.polyval([2., 0., -1.], [0., 1., 3.]).eval()          # 2 x ** 2 - 1
    array([-1.,  1., 17.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "polyval"):
        x = convert_to_tensor(x, name="x")
        if not coeffs:
            return zeros_like(x, name=name)
        total, *rest = (convert_to_tensor(c, dtype=x.dtype, name=f"coeff_{i}") for i, c in enumerate(coeffs))
        for coefficient in rest:
            total = coefficient + total * x
        return total
