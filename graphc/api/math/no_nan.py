"""Products, quotients and logarithms that are 0 where one factor is; and the next number."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ops.math.no_nan import DivNoNan, MulNoNan, NextAfter, Xdivy, Xlogy


@public("div_no_nan", "math.divide_no_nan", "math.div_no_nan")
def div_no_nan(x, y, name=None):
    """x / y, and 0 where y is 0, broadcast.

    x, y: floating point, of one dtype. The gradients are 0 there, too. Raises TypeError for other or different dtypes,
    ValueError for shapes that are known not to broadcast. As `tf.div_no_nan` and `tf.math.divide_no_nan`.

    >>> gc.div_no_nan([1., 2., 0.], [2., 0., 0.]).eval()
    array([0.5, 0. , 0. ], dtype=float32)
    """
    return apply(DivNoNan, x, y, name=name or "div_no_nan")


@public("math.reciprocal_no_nan")
def reciprocal_no_nan(x, name=None):
    """1 / x, and 0 where x is 0.

    x: floating point. The result has the shape and dtype of x. Raises TypeError for other dtypes. As
    `tf.math.reciprocal_no_nan`.

    >>> gc.math.reciprocal_no_nan([2., 0., -4.]).eval()
    array([ 0.5 ,  0.  , -0.25], dtype=float32)
    """
    with get_default_graph().name_scope(name or "reciprocal_no_nan") as scope:
        x = convert_to_tensor(x, name="x")
        return apply(DivNoNan, convert_to_tensor(1, dtype=x.dtype, name="one"), x, name=scope)


@public("math.multiply_no_nan")
def multiply_no_nan(x, y, name=None):
    """x * y, and 0 where y is 0, even if x is infinite or NaN; broadcast.

    x, y: floating point, of one dtype: y is the mask. Raises TypeError for other or different dtypes, ValueError for
    shapes that are known not to broadcast. As `tf.math.multiply_no_nan`.

    >>> gc.math.multiply_no_nan([2., np.inf, np.nan], [3., 0., 0.]).eval()
    array([6., 0., 0.], dtype=float32)
    """
    return apply(MulNoNan, x, y, name=name or "multiply_no_nan")


@public("math.xlogy")
def xlogy(x, y, name=None):
    """x * log(y), and 0 where x is 0, whatever y; broadcast.

    x, y: floating point, of one dtype. Raises TypeError for other or different dtypes, ValueError for shapes that are
    known not to broadcast. As `tf.math.xlogy`. The terms of an entropy, without NaN:

    >>> p = gc.constant([0.5, 0.5, 0.])
    >>> gc.math.xlogy(p, p).eval()
    array([-0.3466, -0.3466,  0.    ], dtype=float32)
    """
    return apply(Xlogy, x, y, name=name)


@public("math.xdivy")
def xdivy(x, y, name=None):
    """x / y, and 0 where x is 0, even if y is; broadcast.

    x, y: floating point, of one dtype. Raises TypeError for other or different dtypes, ValueError for shapes that are
    known not to broadcast. As `tf.math.xdivy`.

    >>> gc.math.xdivy([1., 0., 1.], [2., 0., 0.]).eval()
    array([0.5, 0. , inf], dtype=float32)
    """
    with get_default_graph().name_scope(name or "xdivy"):
        return apply(Xdivy, x, y)


@public("math.nextafter")
def nextafter(x1, x2, name=None):
    """The floating point number that follows x1 in the direction of x2, broadcast.

    x1, x2: float32 or float64, of one dtype; if they are equal the result is x2. Raises TypeError for other or
    different dtypes, ValueError for shapes that are known not to broadcast. As `tf.math.nextafter`.

    >>> (gc.math.nextafter(gc.constant([1., 1.]), [2., 0.]) - 1.).eval() / np.finfo(np.float32).eps
    array([ 1. , -0.5], dtype=float32)
    """
    return apply(NextAfter, x1, x2, name=name)
