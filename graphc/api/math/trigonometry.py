"""Trigonometric and hyperbolic functions, and erf."""
from __future__ import annotations

from graphc.api.public import public
from graphc.api.sparse.tensor import takes_sparse
from graphc.ir.apply import apply
from graphc.ops.math.trigonometry import Acos, Asin, Atan, Atan2, Cos, Cosh, Erf, Sin, Sinh, Tan


@public("sin", "math.sin")
def sin(x, name=None):
    """The sine. As `tf.sin`."""
    return apply(Sin, x, name=name)


@public("cos", "math.cos")
def cos(x, name=None):
    """The cosine. As `tf.cos`."""
    return apply(Cos, x, name=name)


@public("tan", "math.tan")
def tan(x, name=None):
    """The tangent. As `tf.tan`."""
    return apply(Tan, x, name=name)


@public("asin", "math.asin")
def asin(x, name=None):
    """The angle whose sine is x, in radians. As `tf.asin`."""
    return apply(Asin, x, name=name)


@public("acos", "math.acos")
def acos(x, name=None):
    """The angle whose cosine is x, in radians. As `tf.acos`."""
    return apply(Acos, x, name=name)


@public("atan", "math.atan")
def atan(x, name=None):
    """The angle whose tangent is x, in radians. As `tf.atan`."""
    return apply(Atan, x, name=name)


@public("sinh", "math.sinh")
def sinh(x, name=None):
    """The hyperbolic sine. As `tf.sinh`."""
    return apply(Sinh, x, name=name)


@public("cosh", "math.cosh")
def cosh(x, name=None):
    """The hyperbolic cosine. As `tf.cosh`."""
    return apply(Cosh, x, name=name)


@public("erf", "math.erf")
@takes_sparse
def erf(x, name=None):
    """The error function. As `tf.erf`."""
    return apply(Erf, x, name=name)


@public("atan2", "math.atan2")
def atan2(y, x, name=None):
    """The angle of the point (x, y) in radians. As `tf.atan2`."""
    return apply(Atan2, y, x, name=name)
