"""Products and quotients that are 0 where one factor is, whatever the other; and the next number."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.elementwise import Binary, binary_samples
from graphc.ir.op import Sample, Scalars, register

_HARD = Sample(
    {},
    (np.array([np.nan, np.inf, 1, 0, 0, -3], np.float32), np.array([0, 0, np.nan, np.nan, 2, 0], np.float32)),
    gradient=False,
)


class _OfFloats(Binary):
    kind = "floating"
    samples = [*binary_samples(0.5, 3, integers=False), _HARD]


@register
class DivNoNan(_OfFloats):
    """x / y, and 0 where y is 0"""

    primitive = "div_no_nan"
    function = staticmethod(lambda x, y: np.where(y == 0, 0, x / y))

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        by_y = dy * g.div_no_nan(g.div_no_nan(g.neg(x), y), y)
        return [g.sum_like(g.div_no_nan(dy, y), x, z), g.sum_like(by_y, y, z)]


@register
class MulNoNan(_OfFloats):
    """x * y, and 0 where y is 0"""

    primitive = "mul_no_nan"
    function = staticmethod(lambda x, y: np.where(y == 0, 0, x * y))

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [g.sum_like(g.mul_no_nan(dy, y), x, z), g.sum_like(g.mul_no_nan(x, dy), y, z)]


class _WhereNotZero(_OfFloats):
    """Something of x and y, and 0 where x is 0."""

    @staticmethod
    def ordinary(s: Scalars, x: Any, y: Any) -> Any:
        raise NotImplementedError

    def scalar(self, s: Scalars, *x: Any) -> Any:
        zero = s.constant(0, s.dtype(x[0]))
        return s("select", s("equal", x[0], zero), zero, self.ordinary(s, *x))


def _present(g, x):
    """1 where x is not 0, else 0."""
    return g.cast(g.not_equal(x, 0), x.dtype)


@register
class Xlogy(_WhereNotZero):
    """x * log(y), and 0 where x is 0"""

    function = staticmethod(lambda x, y: np.where(x == 0, 0, x * np.log(y)))

    @staticmethod
    def ordinary(s: Scalars, x: Any, y: Any) -> Any:
        return s("mul", x, s("log", y))

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [g.sum_like(dy * g.xlogy(_present(g, x), y), x, z), g.sum_like(dy * g.xdivy(x, y), y, z)]


@register
class Xdivy(_WhereNotZero):
    """x / y, and 0 where x is 0"""

    function = staticmethod(lambda x, y: np.where(x == 0, 0, x / y))

    @staticmethod
    def ordinary(s: Scalars, x: Any, y: Any) -> Any:
        return s("div", x, y)

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [
            g.sum_like(dy * g.xdivy(_present(g, x), y), x, z),
            g.sum_like(dy * g.xdivy(g.neg(x), g.square(y)), y, z),
        ]


@register
class NextAfter(Binary):
    """The number that follows x1 in the direction of x2"""

    operands = ("x1", "x2")
    results = ("output",)
    kind = "float32_or_float64"
    primitive = "next_after"
    function = np.nextafter
    samples = binary_samples(integers=False, gradient=False)

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [g.sum_like(dy, x, z), g.sum_like(g.zeros_like(dy), y, z)]
