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
    """x < y, broadcast; bool. As `tf.less`."""
    return apply(Less, x, y, name=name)


@public("less_equal", "math.less_equal")
def less_equal(x, y, name=None):
    """x <= y, broadcast; bool. As `tf.less_equal`."""
    return apply(LessEqual, x, y, name=name)


@public("greater", "math.greater")
def greater(x, y, name=None):
    """x > y, broadcast; bool. As `tf.greater`."""
    return apply(Greater, x, y, name=name)


@public("greater_equal", "math.greater_equal")
def greater_equal(x, y, name=None):
    """x >= y, broadcast; bool. As `tf.greater_equal`."""
    return apply(GreaterEqual, x, y, name=name)


@public("equal", "math.equal")
def equal(x, y, name=None):
    """x == y elementwise, broadcast; bool. As `tf.equal` (the operator == compares identity, as in TF 1)."""
    return apply(Equal, x, y, name=name)


@public("not_equal", "math.not_equal")
def not_equal(x, y, name=None):
    """x != y elementwise, broadcast; bool. As `tf.not_equal`."""
    return apply(NotEqual, x, y, name=name)


@public("logical_and", "math.logical_and")
def logical_and(x, y, name=None):
    """x and y, of bool tensors, broadcast. As `tf.logical_and`."""
    return apply(LogicalAnd, x, y, name=name)


@public("logical_or", "math.logical_or")
def logical_or(x, y, name=None):
    """x or y, of bool tensors, broadcast. As `tf.logical_or`."""
    return apply(LogicalOr, x, y, name=name)


@public("logical_not", "math.logical_not")
def logical_not(x, name=None):
    """not x, of a bool tensor. As `tf.logical_not`."""
    return apply(LogicalNot, x, name=name)


@public("logical_xor", "math.logical_xor")
def logical_xor(x, y, name="LogicalXor"):
    """Whether exactly one of x and y is true. As `tf.logical_xor`."""
    return logical_and(logical_or(x, y), logical_not(logical_and(x, y)), name=name)


@public("is_nan", "math.is_nan", "debugging.is_nan")
def is_nan(x, name=None):
    """Whether x is no number; bool. As `tf.is_nan` and `tf.math.is_nan`."""
    return apply(IsNan, x, name=name)


@public("is_inf", "math.is_inf", "debugging.is_inf")
def is_inf(x, name=None):
    """Whether x is infinite; bool. As `tf.is_inf`."""
    return apply(IsInf, x, name=name)


@public("is_finite", "math.is_finite", "debugging.is_finite")
def is_finite(x, name=None):
    """Whether x is neither infinite nor NaN; bool. As `tf.is_finite`."""
    return apply(IsFinite, x, name=name)
