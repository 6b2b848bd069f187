"""The inverse hyperbolic functions."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.math.hyperbolic import Acosh, Asinh, Atanh


@public("asinh", "math.asinh")
def asinh(x, name=None):
    """The number whose hyperbolic sine is x: log(x + sqrt(x * x + 1)).

    x: floating point. The result has the shape and dtype of x. Raises TypeError for other dtypes. As `tf.asinh`.

    >>> gc.asinh([0., 1., -10.]).eval()
    array([ 0.    ,  0.8814, -2.9982], dtype=float32)
    """
    return apply(Asinh, x, name=name)


@public("acosh", "math.acosh")
def acosh(x, name=None):
    """The number of at least 0 whose hyperbolic cosine is x; below 1 NaN.

    x: floating point. The result has the shape and dtype of x. Raises TypeError for other dtypes. As `tf.acosh`.

    >>> gc.acosh([1., 2., 0.5]).eval()
    array([0.   , 1.317,   nan], dtype=float32)
    """
    return apply(Acosh, x, name=name)


@public("atanh", "math.atanh")
def atanh(x, name=None):
    """The number whose hyperbolic tangent is x: 0.5 log((1 + x) / (1 - x)).

    x: floating point; -1 and 1 give infinities, what lies beyond NaN. The result has the shape and dtype of x. Raises
    TypeError for other dtypes. As `tf.atanh`.

    >>> gc.atanh([0., 0.5, 1., 2.]).eval()
    array([0.    , 0.5493,    inf,    nan], dtype=float32)
    """
    return apply(Atanh, x, name=name)
