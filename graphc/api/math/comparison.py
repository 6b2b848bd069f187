"""Comparisons, logic, and tests of floating point numbers."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.math.comparison import (
    Equal,
    Greater,
    GreaterEqual,
    IsFinite,
    IsInf,
    IsNan,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    NotEqual,
)


@public("less", "math.less")
def less(x, y, name=None):
    """x < y as bool, broadcast; the operator < is this function.

    x, y: real numbers of one dtype; comparisons with NaN are False. Raises TypeError for other or different dtypes,
    ValueError for shapes that are known not to broadcast. As `tf.less`.

    >>> gc.less([1., 2., 3.], 2.).eval()
    array([ True, False, False])
    """
    return apply(Less, x, y, name=name)


@public("less_equal", "math.less_equal")
def less_equal(x, y, name=None):
    """x <= y as bool, broadcast; the operator <= is this function.

    x, y: real numbers of one dtype; comparisons with NaN are False. Raises TypeError for other or different dtypes,
    ValueError for shapes that are known not to broadcast. As `tf.less_equal`.

    >>> gc.less_equal([1., 2., 3.], 2.).eval()
    array([ True,  True, False])
    """
    return apply(LessEqual, x, y, name=name)


@public("greater", "math.greater")
def greater(x, y, name=None):
    """x > y as bool, broadcast; the operator > is this function.

    x, y: real numbers of one dtype; comparisons with NaN are False. Raises TypeError for other or different dtypes,
    ValueError for shapes that are known not to broadcast. As `tf.greater`.

    >>> probability = gc.constant([0.2, 0.7, 0.5])
    >>> gc.greater(probability, 0.5).eval()
    array([False,  True, False])
    """
    return apply(Greater, x, y, name=name)


@public("greater_equal", "math.greater_equal")
def greater_equal(x, y, name=None):
    """x >= y as bool, broadcast; the operator >= is this function.

    x, y: real numbers of one dtype; comparisons with NaN are False. Raises TypeError for other or different dtypes,
    ValueError for shapes that are known not to broadcast. As `tf.greater_equal`.

    >>> gc.greater_equal([[1], [2]], [1, 2]).eval()
    array([[ True, False],
           [ True,  True]])
    """
    return apply(GreaterEqual, x, y, name=name)


@public("equal", "math.equal")
def equal(x, y, name=None):
    """x == y as bool, elementwise and broadcast.

    x, y: of one dtype, strings and bools too; NaN equals nothing. The operator == compares tensors by identity, as in
    TensorFlow 1: this function is needed. Raises TypeError for different dtypes, ValueError for shapes that are known
    not to broadcast. As `tf.equal`.

    >>> labels = gc.constant([0, 1, 2, 1])
    >>> predictions = gc.constant([0, 2, 2, 1])
    >>> gc.reduce_mean(gc.cast(gc.equal(labels, predictions), gc.float32)).eval()          # accuracy
    np.float32(0.75)
    """
    return apply(Equal, x, y, name=name)


@public("not_equal", "math.not_equal")
def not_equal(x, y, name=None):
    """x != y as bool, elementwise and broadcast.

    x, y: of one dtype, strings and bools too; NaN is unequal to itself. The operator != compares tensors by identity.
    Raises TypeError for different dtypes, ValueError for shapes that are known not to broadcast. As `tf.not_equal`.

    >>> gc.not_equal(["a", "b"], "a").eval()
    array([False,  True])
    """
    return apply(NotEqual, x, y, name=name)


@public("logical_and", "math.logical_and")
def logical_and(x, y, name=None):
    """x and y, of bool tensors, broadcast; the operator & is this function.

    Both are computed: for a branch that is not, see `gc.cond`. Raises TypeError for other dtypes than bool, ValueError
    for shapes that are known not to broadcast. As `tf.logical_and`.

    >>> x = gc.constant([-1., 0.5, 2.])
    >>> gc.logical_and(x > 0., x < 1.).eval()
    array([False,  True, False])
    """
    return apply(LogicalAnd, x, y, name=name)


@public("logical_or", "math.logical_or")
def logical_or(x, y, name=None):
    """x or y, of bool tensors, broadcast; the operator | is this function. As `tf.logical_or`.

    Raises TypeError for other dtypes than bool, ValueError for shapes that are known not to broadcast.

    >>> gc.logical_or([True, False, False], [True, True, False]).eval()
    array([ True,  True, False])
    """
    return apply(LogicalOr, x, y, name=name)


@public("logical_not", "math.logical_not")
def logical_not(x, name=None):
    """not x, of a bool tensor; the operator ~ is this function. As `tf.logical_not`.

    The result has the shape of x. Raises TypeError for other dtypes than bool.

    >>> gc.logical_not([True, False]).eval()
    array([False,  True])
    """
    return apply(LogicalNot, x, name=name)


@public("logical_xor", "math.logical_xor")
def logical_xor(x, y, name="LogicalXor"):
    """Whether exactly one of x and y is true, of bool tensors, broadcast; the operator ^ is this function. As
    `tf.logical_xor`.

    Raises TypeError for other dtypes than bool, ValueError for shapes that are known not to broadcast.

    >>> gc.logical_xor([True, True, False], [True, False, False]).eval()
    array([False,  True, False])
    """
    return logical_and(logical_or(x, y), logical_not(logical_and(x, y)), name=name)


@public("is_nan", "math.is_nan", "debugging.is_nan")
def is_nan(x, name=None):
    """Whether each element is NaN, as bool.

    x: floating point. The result has the shape of x. Raises TypeError for other dtypes. As `tf.is_nan` and
    `tf.math.is_nan`.

    >>> gc.is_nan([1., np.nan, np.inf]).eval()
    array([False,  True, False])
    """
    return apply(IsNan, x, name=name)


@public("is_inf", "math.is_inf", "debugging.is_inf")
def is_inf(x, name=None):
    """Whether each element is infinite, of either sign, as bool.

    x: floating point. The result has the shape of x. Raises TypeError for other dtypes. As `tf.is_inf` and
    `tf.math.is_inf`.

    >>> gc.is_inf([1., np.nan, -np.inf]).eval()
    array([False, False,  True])
    """
    return apply(IsInf, x, name=name)


@public("is_finite", "math.is_finite", "debugging.is_finite")
def is_finite(x, name=None):
    """Whether each element is neither infinite nor NaN, as bool.

    x: floating point. The result has the shape of x. Raises TypeError for other dtypes. As `tf.is_finite` and
    `tf.math.is_finite`.

    >>> loss = gc.placeholder(gc.float32, [None])
    >>> gc.boolean_mask(loss, gc.is_finite(loss)).eval({loss: [1., np.nan, 2., np.inf]})
    array([1., 2.], dtype=float32)
    """
    return apply(IsFinite, x, name=name)
