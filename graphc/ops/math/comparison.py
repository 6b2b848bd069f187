"""Comparisons, logic and tests of floating point numbers: elementwise ops with bool results. None has a gradient."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.dtypes import bool_, float32, float64, int32, int64
from graphc.ir.elementwise import PAIRS, SHAPES, Binary, Unary
from graphc.ir.op import Sample, Scalars, attr, register
from graphc.ir.spec import Spec, require_equal, text

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

    def grad(self, g, node, dy):
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
    kind = "element"
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


@register
class ApproximateEqual(_Comparison):
    """Whether x and y, of one shape, differ by `tolerance` at most"""

    kind = "floating"
    tolerance: float = attr("float", 1e-5)
    samples = [Sample({"tolerance": t}, (shape, shape), (d, d), gradient=False, low=-3, high=3)
               for d, t, shape in ((float32, 1.5, (17,)), (float32, 0.5, (2, 3, 5)), (float64, 2.0, (31,)),
                                   (float32, 0.5, (0, 3)))] + [Sample({}, (_SPECIAL, _SPECIAL), gradient=False)]

    def infer(self, *inputs: Spec) -> Spec:
        spec, shapes = super().infer(*inputs), [x.shape for x in inputs]
        if shapes[0] is None or shapes[1] is None:
            return spec
        message = "x and y must have the same shape"
        if len(shapes[0]) != len(shapes[1]):
            raise ValueError(f"{message}, but have {text(shapes[0])} and {text(shapes[1])}")
        return Spec(spec.dtype, tuple(require_equal(a, b, message) for a, b in zip(*shapes, strict=True)))

    def scalar(self, s: Scalars, *x: Any) -> Any:
        bound = s.constant(float(np.float32(self.tolerance)), s.dtype(x[0]))
        return s("less_equal", s("abs", s("sub", *x)), bound)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, y = inputs
        with np.errstate(all="ignore"):
            return np.asarray(np.abs(x - y) <= x.dtype.type(np.float32(self.tolerance)))


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

    self_inverse = True
    types = {}
    kind = "bool"
    output_dtype = bool_
    primitive = "not"
    function = np.logical_not
    samples = [Sample({}, (shape,), (bool_,), gradient=False) for shape in SHAPES]

    def grad(self, g, node, dy):
        return [None]


class _FloatTest(Unary):
    output_dtype = bool_
    samples = [Sample({}, (_SPECIAL,), gradient=False), Sample({}, (_SPECIAL.astype(np.float64),), gradient=False),
               *(Sample({}, (shape,), gradient=False) for shape in SHAPES)]

    def grad(self, g, node, dy):
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
