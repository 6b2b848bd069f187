"""Comparisons, logic and tests of floating point numbers: elementwise ops with bool results. None has a gradient."""
from __future__ import annotations

import numpy as np

from graphc.ir.dtypes import bool_, float32, float64, int32, int64
from graphc.ir.op import Sample, register
from graphc.ops.build import apply
from graphc.ops.elementwise import PAIRS, SHAPES, Binary, Unary

_SPECIAL = np.array([0.0, -0.0, 1.5, np.inf, -np.inf, np.nan], np.float32)
_COMPARED = (
    [Sample({}, pair, (d, d), gradient=False, low=-3, high=3) for d in (float32, int32) for pair in PAIRS]
    + [Sample({}, ((17,), (17,)), (d, d), gradient=False, low=-3, high=3) for d in (float64, int64)]
    + [Sample({}, (_SPECIAL, _SPECIAL[::-1].copy()), gradient=False), Sample({}, (_SPECIAL, _SPECIAL), gradient=False)]
)
_BOOLS = [Sample({}, pair, (bool_, bool_), gradient=False) for pair in PAIRS]


class _Comparison(Binary):
    output_dtype = bool_
    samples = _COMPARED

    def grad(self, node, dy):
        return [None, None]


@register
class Less(_Comparison):
    """x < y"""

    primitive = "less"
    function = np.less


@register
class LessEqual(_Comparison):
    """x <= y"""

    primitive = "less_equal"
    function = np.less_equal


@register
class Greater(_Comparison):
    """x > y"""

    primitive = "greater"
    function = np.greater


@register
class GreaterEqual(_Comparison):
    """x >= y"""

    primitive = "greater_equal"
    function = np.greater_equal


class _Equality(_Comparison):
    kind = "any"
    samples = [*_COMPARED, *_BOOLS]


@register
class Equal(_Equality):
    """x == y; false for NaN"""

    primitive = "equal"
    function = np.equal


@register
class NotEqual(_Equality):
    """x != y; true for NaN"""

    primitive = "not_equal"
    function = np.not_equal


class _Logical(_Comparison):
    types = {}
    kind = "bool"
    samples = _BOOLS


@register
class LogicalAnd(_Logical):
    """x and y"""

    primitive = "and"
    function = np.logical_and


@register
class LogicalOr(_Logical):
    """x or y"""

    primitive = "or"
    function = np.logical_or


@register
class LogicalNot(Unary):
    """not x"""

    types = {}
    kind = "bool"
    output_dtype = bool_
    primitive = "not"
    function = np.logical_not
    samples = [Sample({}, (shape,), (bool_,), gradient=False) for shape in SHAPES]

    def grad(self, node, dy):
        return [None]


class _FloatTest(Unary):
    output_dtype = bool_
    samples = [Sample({}, (_SPECIAL,), gradient=False), Sample({}, (_SPECIAL.astype(np.float64),), gradient=False),
               *(Sample({}, (shape,), gradient=False) for shape in SHAPES)]

    def grad(self, node, dy):
        return [None]


@register
class IsNan(_FloatTest):
    """Whether x is no number"""

    primitive = "is_nan"
    function = np.isnan


@register
class IsInf(_FloatTest):
    """Whether x is infinite"""

    primitive = "is_inf"
    function = np.isinf


@register
class IsFinite(_FloatTest):
    """Whether x is neither infinite nor NaN"""

    primitive = "is_finite"
    function = np.isfinite


def less(x, y, name=None):
    """x < y, broadcast; bool. As `tf.less`."""
    return apply(Less, x, y, name=name)


def less_equal(x, y, name=None):
    """x <= y, broadcast; bool. As `tf.less_equal`."""
    return apply(LessEqual, x, y, name=name)


def greater(x, y, name=None):
    """x > y, broadcast; bool. As `tf.greater`."""
    return apply(Greater, x, y, name=name)


def greater_equal(x, y, name=None):
    """x >= y, broadcast; bool. As `tf.greater_equal`."""
    return apply(GreaterEqual, x, y, name=name)


def equal(x, y, name=None):
    """x == y elementwise, broadcast; bool. As `tf.equal` (the operator == compares identity, as in TF 1)."""
    return apply(Equal, x, y, name=name)


def not_equal(x, y, name=None):
    """x != y elementwise, broadcast; bool. As `tf.not_equal`."""
    return apply(NotEqual, x, y, name=name)


def logical_and(x, y, name=None):
    """x and y, of bool tensors, broadcast. As `tf.logical_and`."""
    return apply(LogicalAnd, x, y, name=name)


def logical_or(x, y, name=None):
    """x or y, of bool tensors, broadcast. As `tf.logical_or`."""
    return apply(LogicalOr, x, y, name=name)


def logical_not(x, name=None):
    """not x, of a bool tensor. As `tf.logical_not`."""
    return apply(LogicalNot, x, name=name)


def logical_xor(x, y, name="LogicalXor"):
    """Whether exactly one of x and y is true. As `tf.logical_xor`."""
    return logical_and(logical_or(x, y), logical_not(logical_and(x, y)), name=name)


def is_nan(x, name=None):
    """Whether x is no number; bool. As `tf.is_nan` and `tf.math.is_nan`."""
    return apply(IsNan, x, name=name)


def is_inf(x, name=None):
    """Whether x is infinite; bool. As `tf.is_inf`."""
    return apply(IsInf, x, name=name)


def is_finite(x, name=None):
    """Whether x is neither infinite nor NaN; bool. As `tf.is_finite`."""
    return apply(IsFinite, x, name=name)
