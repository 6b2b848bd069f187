"""The inverse hyperbolic functions."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.math.hyperbolic import Acosh, Asinh, Atanh


@public("asinh", "math.asinh")
def asinh(x, name=None):
    """The number whose hyperbolic sine is x. As `tf.asinh`."""
    return apply(Asinh, x, name=name)


@public("acosh", "math.acosh")
def acosh(x, name=None):
    """The number of at least 0 whose hyperbolic cosine is x. As `tf.acosh`."""
    return apply(Acosh, x, name=name)


@public("atanh", "math.atanh")
def atanh(x, name=None):
    """The number whose hyperbolic tangent is x. As `tf.atanh`."""
    return apply(Atanh, x, name=name)
