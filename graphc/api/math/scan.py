"""Running sums and products along one axis."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.math.scan import Cumprod, Cumsum


@public("cumsum", "math.cumsum")
def cumsum(x, axis=0, exclusive=False, reverse=False, name=None):
    """The running sum along `axis`. exclusive: each element is left out of its own sum. As `tf.cumsum`."""
    return apply(Cumsum, x, axis, exclusive=bool(exclusive), reverse=bool(reverse), name=name)


@public("cumprod", "math.cumprod")
def cumprod(x, axis=0, exclusive=False, reverse=False, name=None):
    """The running product along `axis`. As `tf.cumprod`."""
    return apply(Cumprod, x, axis, exclusive=bool(exclusive), reverse=bool(reverse), name=name)
