"""Trigonometric and hyperbolic functions, and erf."""
from __future__ import annotations

from graphc.api.public import public
from graphc.api.sparse.tensor import takes_sparse
from graphc.ir.apply import apply
from graphc.ops.math.trigonometry import Acos, Asin, Atan, Atan2, Cos, Cosh, Erf, Sin, Sinh, Tan


@public("sin", "math.sin")
def sin(x, name=None):
    """The sine of x in radians, elementwise.

    x: floating point or complex, also very large. The result has the shape and dtype of x. Raises TypeError for other
    dtypes. As `tf.sin`.

    >>> gc.sin([0., np.pi / 2, 1e6]).eval()
    array([ 0.  ,  1.  , -0.35], dtype=float32)
    """
    return apply(Sin, x, name=name)


@public("cos", "math.cos")
def cos(x, name=None):
    """The cosine of x in radians, elementwise.

    x: floating point or complex. The result has the shape and dtype of x. Raises TypeError for other dtypes. As
    `tf.cos`.

    >>> gc.cos([0., np.pi / 3, np.pi]).eval()
    array([ 1. ,  0.5, -1. ], dtype=float32)
    """
    return apply(Cos, x, name=name)


@public("tan", "math.tan")
def tan(x, name=None):
    """The tangent of x in radians, elementwise.

    x: floating point or complex. The result has the shape and dtype of x. Raises TypeError for other dtypes. As
    `tf.tan`.

    >>> gc.tan([0., np.pi / 4, -1.]).eval()
    array([ 0.    ,  1.    , -1.5574], dtype=float32)
    """
    return apply(Tan, x, name=name)


@public("asin", "math.asin")
def asin(x, name=None):
    """The angle whose sine is x, in radians from -pi/2 to pi/2; NaN beyond -1 and 1.

    x: floating point. The result has the shape and dtype of x. Raises TypeError for other dtypes. As `tf.asin`.

    >>> gc.asin([0., 0.5, 1., 2.]).eval()
    array([0.    , 0.5236, 1.5708,    nan], dtype=float32)
    """
    return apply(Asin, x, name=name)


@public("acos", "math.acos")
def acos(x, name=None):
    """The angle whose cosine is x, in radians from 0 to pi; NaN beyond -1 and 1.

    x: floating point. The result has the shape and dtype of x. Raises TypeError for other dtypes. As `tf.acos`.

    >>> gc.acos([1., 0.5, -1., 2.]).eval()
    array([0.    , 1.0472, 3.1416,    nan], dtype=float32)
    """
    return apply(Acos, x, name=name)


@public("atan", "math.atan")
def atan(x, name=None):
    """The angle whose tangent is x, in radians from -pi/2 to pi/2.

    x: floating point. With two sides of a triangle: `gc.atan2`. The result has the shape and dtype of x. Raises
    TypeError for other dtypes. As `tf.atan`.

    >>> gc.atan([0., 1., -np.inf]).eval()
    array([ 0.    ,  0.7854, -1.5708], dtype=float32)
    """
    return apply(Atan, x, name=name)


@public("sinh", "math.sinh")
def sinh(x, name=None):
    """The hyperbolic sine, (e ** x - e ** -x) / 2, elementwise.

    x: floating point or complex. The result has the shape and dtype of x. Raises TypeError for other dtypes. As
    `tf.sinh`.

    >>> gc.sinh([0., 1., -2.]).eval()
    array([ 0.    ,  1.1752, -3.6269], dtype=float32)
    """
    return apply(Sinh, x, name=name)


@public("cosh", "math.cosh")
def cosh(x, name=None):
    """The hyperbolic cosine, (e ** x + e ** -x) / 2, elementwise.

    x: floating point or complex. The result has the shape and dtype of x. Raises TypeError for other dtypes. As
    `tf.cosh`.

    >>> gc.cosh([0., 1., -2.]).eval()
    array([1.    , 1.5431, 3.7622], dtype=float32)
    """
    return apply(Cosh, x, name=name)


@public("erf", "math.erf")
@takes_sparse
def erf(x, name=None):
    """The error function: 2 / sqrt(pi) times the integral of e ** -t ** 2 from 0 to x.

    x: floating point, also a SparseTensor. Of a normal distribution the part below x is (1 + erf(x / sqrt(2))) / 2. The
    result has the shape and dtype of x. Raises TypeError for other dtypes. As `tf.erf`.

    >>> gc.erf([0., 0.5, -3.]).eval()
    array([ 0.    ,  0.5205, -1.    ], dtype=float32)
    """
    return apply(Erf, x, name=name)


@public("atan2", "math.atan2")
def atan2(y, x, name=None):
    """The angle of the point (x, y) from the positive x axis, in radians from -pi to pi, broadcast.

    y, x: floating point, of one dtype; y comes first. Raises TypeError for other or different dtypes, ValueError for
    shapes that are known not to broadcast. As `tf.atan2`.

    >>> gc.atan2([0., 1., 1., -1.], [1., 1., -1., -1.]).eval()
    array([ 0.    ,  0.7854,  2.3562, -2.3562], dtype=float32)
    """
    return apply(Atan2, y, x, name=name)
