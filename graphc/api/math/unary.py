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
    """-x, elementwise. `gc.neg` is the older name.

    x: a number tensor or SparseTensor; unsigned integers wrap, and so does the least signed one. The operator - of
    tensors is this function. The result has the shape and dtype of x. Raises TypeError for strings and bools. As
    `tf.negative`.

    >>> gc.negative([1., -2., 0.5]).eval()
    array([-1. ,  2. , -0.5], dtype=float32)
    >>> (-gc.constant([3, -4])).eval()
    array([-3,  4], dtype=int32)
    """
    return apply(Neg, x, name=name)


@public("abs", "math.abs")
@takes_sparse
def abs(x, name=None):
    """|x|, elementwise.

    x: a number tensor or SparseTensor; of complex numbers the result is real (complex64 gives float32). The least
    signed integer is its own absolute value. The gradient is sign(x), so 0 at 0. Raises TypeError for strings and
    bools. As `tf.abs`.

    >>> gc.abs([-2., 0., 3.]).eval()
    array([2., 0., 3.], dtype=float32)
    >>> gc.abs(gc.constant([3. + 4.j], gc.complex64)).eval()
    array([5.], dtype=float32)
    """
    x = convert_to_tensor(x, name="x")
    if x.dtype.is_complex:
        return apply(ComplexAbs, x, Tout=x.dtype.real_dtype, name=name or "Abs")
    return apply(Abs, x, name=name)


@public("sign", "math.sign")
@takes_sparse
def sign(x, name=None):
    """-1, 0 or 1 as x is negative, zero or positive, elementwise.

    x: a number tensor or SparseTensor; of complex numbers x / |x|, and 0 for 0. NaN stays NaN. The gradient is 0. The
    result has the shape and dtype of x. Raises TypeError for strings and bools. As `tf.sign`.

    >>> gc.sign([-2.5, 0., 7.]).eval()
    array([-1.,  0.,  1.], dtype=float32)
    """
    return apply(Sign, x, name=name)


@public("square", "math.square")
@takes_sparse
def square(x, name=None):
    """x * x, elementwise.

    x: a number tensor or SparseTensor; integers wrap. The gradient is 2 x. The result has the shape and dtype of x.
    Raises TypeError for strings and bools. As `tf.square`.

    >>> x = gc.constant([1., -3.])
    >>> gc.square(x).eval()
    array([1., 9.], dtype=float32)
    >>> gc.gradients(gc.square(x), x)[0].eval()
    array([ 2., -6.], dtype=float32)
    """
    return apply(Square, x, name=name)


@public("exp", "math.exp")
def exp(x, name=None):
    """e ** x, elementwise.

    x: floating point or complex; other dtypes are a TypeError. Overflow gives inf, underflow 0. The result has the
    shape and dtype of x. As `tf.exp`.

    >>> gc.exp([0., 1., -1., 1000.]).eval()
    array([1.    , 2.7183, 0.3679,    inf], dtype=float32)
    """
    return apply(Exp, x, name=name)


@public("expm1", "math.expm1")
def expm1(x, name=None):
    """e ** x - 1, exact near 0, where exp(x) - 1 would lose its digits.

    x: floating point or complex. The result has the shape and dtype of x. Raises TypeError for other dtypes. As
    `tf.expm1`.

    >>> gc.expm1(gc.constant([1e-10])).eval() * 1e10
    array([1.], dtype=float32)
    >>> ((gc.exp(gc.constant([1e-10])) - 1.) * 1e10).eval()
    array([0.], dtype=float32)
    """
    return apply(Expm1, x, name=name)


@public("log", "math.log")
def log(x, name=None):
    """The natural logarithm, elementwise.

    x: floating point or complex. log(0) is -inf, and of a negative number NaN, without an error. For probabilities that
    may be 0 see `gc.math.xlogy`. The result has the shape and dtype of x. Raises TypeError for other dtypes. As
    `tf.log`.

    >>> gc.log([1., np.e, 0., -1.]).eval()
    array([  0.,   1., -inf,  nan], dtype=float32)
    """
    return apply(Log, x, name=name)


@public("log1p", "math.log1p")
def log1p(x, name=None):
    """log(1 + x), exact near 0, where 1 + x would be 1.

    x: floating point or complex; -1 gives -inf, less NaN. The result has the shape and dtype of x. Raises TypeError for
    other dtypes. As `tf.log1p`.

    >>> gc.log1p(gc.constant([1e-10])).eval() * 1e10
    array([1.], dtype=float32)
    >>> (gc.log(1. + gc.constant([1e-10])) * 1e10).eval()
    array([0.], dtype=float32)
    """
    return apply(Log1p, x, name=name)


@public("sqrt", "math.sqrt")
@takes_sparse
def sqrt(x, name=None):
    """The square root, elementwise.

    x: floating point or complex, also a SparseTensor; a negative real number gives NaN. The gradient 0.5 / sqrt(x) is
    infinite at 0, unless a mask made that from above 0: add a small number where x may be 0. The result has the shape
    and dtype of x. Raises TypeError for other dtypes. As `tf.sqrt`.

    >>> x = gc.constant([4., 2., 0.])
    >>> gc.sqrt(x).eval()
    array([2.    , 1.4142, 0.    ], dtype=float32)
    >>> gc.gradients(gc.sqrt(x), x)[0].eval()
    array([0.25  , 0.3536,    inf], dtype=float32)
    """
    return apply(Sqrt, x, name=name)


@public("rsqrt", "math.rsqrt")
def rsqrt(x, name=None):
    """1 / sqrt(x), elementwise.

    x: floating point or complex; 0 gives inf. The result has the shape and dtype of x. Raises TypeError for other
    dtypes. As `tf.rsqrt`.

    >>> gc.rsqrt([4., 0.25, 0.]).eval()
    array([0.5, 2. , inf], dtype=float32)
    """
    return apply(Rsqrt, x, name=name)


@public("reciprocal", "math.reciprocal")
def reciprocal(x, name=None):
    """1 / x, elementwise.

    x: floating point or complex; 0 gives inf. Without a division by 0: `gc.math.reciprocal_no_nan`. The result has the
    shape and dtype of x. Raises TypeError for other dtypes. As `tf.reciprocal`.

    >>> gc.reciprocal([2., -4., 0.]).eval()
    array([ 0.5 , -0.25,   inf], dtype=float32)
    """
    return apply(Reciprocal, x, name=name)


@public("inv", "math.inv")
def inv(x, name=None):
    """1 / x: `gc.reciprocal` under its name of before TensorFlow 1.0. As `tf.inv`.

    Dtypes, shape and errors as of `gc.reciprocal`.

    >>> gc.inv([2., -4.]).eval()
    array([ 0.5 , -0.25], dtype=float32)
    """
    return apply(Inv, x, name=name)


@public("floor", "math.floor")
def floor(x, name=None):
    """The largest whole number that is not above x, elementwise.

    x: floating point, and so is the result: cast it to an integer. The gradient is None. Raises TypeError for other
    dtypes. As `tf.floor`.

    >>> gc.floor([1.7, -1.2, 2.]).eval()
    array([ 1., -2.,  2.], dtype=float32)
    """
    return apply(Floor, x, name=name)


@public("ceil", "math.ceil")
def ceil(x, name=None):
    """The smallest whole number that is not below x, elementwise.

    x: floating point, and so is the result. The gradient is None. Raises TypeError for other dtypes. As `tf.ceil`.

    >>> gc.ceil([1.2, -1.7, 2.]).eval()
    array([ 2., -1.,  2.], dtype=float32)
    """
    return apply(Ceil, x, name=name)


@public("rint", "math.rint")
def rint(x, name=None):
    """The nearest whole number, halves to the even one, elementwise.

    x: floating point, and so is the result. `gc.round` does the same, and takes integers too. Raises TypeError for
    other dtypes. As `tf.rint`.

    >>> gc.rint([0.5, 1.5, -0.4, 2.7]).eval()
    array([ 0.,  2., -0.,  3.], dtype=float32)
    """
    return apply(Rint, x, name=name)


@public("round", "math.round")
def round(x, name=None):
    """The nearest whole number, halves to the even one ("banker's rounding"), elementwise.

    x: floating point, and so is the result; an integer tensor is given back as it is. The gradient is None. Raises
    TypeError for complex numbers, strings and bools. As `tf.round`.

    >>> gc.round([0.5, 1.5, 2.5, -1.2]).eval()
    array([ 0.,  2.,  2., -1.], dtype=float32)
    """
    x = convert_to_tensor(x)
    return x if x.dtype.is_integer else apply(Round, x, name=name)
