"""Elementwise arithmetic of one argument."""
from __future__ import annotations

from graphc.api.public import public
from graphc.api.sparse.tensor import takes_sparse
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ops.math.complex_numbers import ComplexAbs
from graphc.ops.math.unary import (
    Abs,
    Ceil,
    Exp,
    Expm1,
    Floor,
    Inv,
    Log,
    Log1p,
    Neg,
    Reciprocal,
    Rint,
    Round,
    Rsqrt,
    Sign,
    Sqrt,
    Square,
)


@public("negative", "math.negative", "neg", "math.neg")
@takes_sparse
def negative(x, name=None):
    """-x. As `tf.negative`; also under the older name `neg`."""
    return apply(Neg, x, name=name)


@public("abs", "math.abs")
@takes_sparse
def abs(x, name=None):
    """|x|, a real number also of a complex one. As `tf.abs`."""
    x = convert_to_tensor(x, name="x")
    if x.dtype.is_complex:
        return apply(ComplexAbs, x, Tout=x.dtype.real_dtype, name=name or "Abs")
    return apply(Abs, x, name=name)


@public("sign", "math.sign")
@takes_sparse
def sign(x, name=None):
    """-1, 0 or 1 as x is negative, zero or positive. As `tf.sign`."""
    return apply(Sign, x, name=name)


@public("square", "math.square")
@takes_sparse
def square(x, name=None):
    """x * x. As `tf.square`."""
    return apply(Square, x, name=name)


@public("exp", "math.exp")
def exp(x, name=None):
    """e ** x of a floating point tensor. As `tf.exp`."""
    return apply(Exp, x, name=name)


@public("expm1", "math.expm1")
def expm1(x, name=None):
    """e ** x - 1, exact near 0. As `tf.expm1`."""
    return apply(Expm1, x, name=name)


@public("log", "math.log")
def log(x, name=None):
    """The natural logarithm. As `tf.log`."""
    return apply(Log, x, name=name)


@public("log1p", "math.log1p")
def log1p(x, name=None):
    """log(1 + x), exact near 0. As `tf.log1p`."""
    return apply(Log1p, x, name=name)


@public("sqrt", "math.sqrt")
@takes_sparse
def sqrt(x, name=None):
    """The square root. As `tf.sqrt`."""
    return apply(Sqrt, x, name=name)


@public("rsqrt", "math.rsqrt")
def rsqrt(x, name=None):
    """1 / sqrt(x). As `tf.rsqrt`."""
    return apply(Rsqrt, x, name=name)


@public("reciprocal", "math.reciprocal")
def reciprocal(x, name=None):
    """1 / x. As `tf.reciprocal`."""
    return apply(Reciprocal, x, name=name)


@public("inv", "math.inv")
def inv(x, name=None):
    """1 / x. As `tf.inv` of TF before 1.0."""
    return apply(Inv, x, name=name)


@public("floor", "math.floor")
def floor(x, name=None):
    """The largest whole number that is not above x. As `tf.floor`."""
    return apply(Floor, x, name=name)


@public("ceil", "math.ceil")
def ceil(x, name=None):
    """The smallest whole number that is not below x. As `tf.ceil`."""
    return apply(Ceil, x, name=name)


@public("rint", "math.rint")
def rint(x, name=None):
    """The nearest whole number, halves to the even one. As `tf.rint`."""
    return apply(Rint, x, name=name)


@public("round", "math.round")
def round(x, name=None):
    """The nearest whole number, halves to the even one; integers are given back. As `tf.round`."""
    x = convert_to_tensor(x)
    return x if x.dtype.is_integer else apply(Round, x, name=name)
