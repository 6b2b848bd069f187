"""Products, quotients and logarithms that are 0 where one factor is; and the next number."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ops.math.no_nan import DivNoNan, MulNoNan, NextAfter, Xdivy, Xlogy


@public("div_no_nan", "math.divide_no_nan", "math.div_no_nan")
def div_no_nan(x, y, name=None):
    """x / y, and 0 where y is 0. As `tf.div_no_nan`."""
    return apply(DivNoNan, x, y, name=name or "div_no_nan")


@public("math.reciprocal_no_nan")
def reciprocal_no_nan(x, name=None):
    """1 / x, and 0 where x is 0. As `tf.math.reciprocal_no_nan`."""
    with get_default_graph().name_scope(name or "reciprocal_no_nan") as scope:
        x = convert_to_tensor(x, name="x")
        return apply(DivNoNan, convert_to_tensor(1, dtype=x.dtype, name="one"), x, name=scope)


@public("math.multiply_no_nan")
def multiply_no_nan(x, y, name=None):
    """x * y, and 0 where y is 0, even if x is infinite or NaN. As `tf.math.multiply_no_nan`."""
    return apply(MulNoNan, x, y, name=name or "multiply_no_nan")


@public("math.xlogy")
def xlogy(x, y, name=None):
    """x * log(y), and 0 where x is 0. As `tf.math.xlogy`."""
    return apply(Xlogy, x, y, name=name)


@public("math.xdivy")
def xdivy(x, y, name=None):
    """x / y, and 0 where x is 0. As `tf.math.xdivy`."""
    with get_default_graph().name_scope(name or "xdivy"):
        return apply(Xdivy, x, y)


@public("math.nextafter")
def nextafter(x1, x2, name=None):
    """The number that follows x1 in the direction of x2. As `tf.math.nextafter`."""
    return apply(NextAfter, x1, x2, name=name)
