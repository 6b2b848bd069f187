"""Elementwise division in all its kinds.

RealDiv and Div divide floats; Div on integers and TruncateDiv round towards 0; FloorDiv and FloorMod round down, so
that x == y * (x // y) + x % y. What Python's operators and TF's functions make of which op: `truediv`, `div`,
`floordiv` below.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import int32, int64
from graphc.ir.elementwise import Binary, binary_samples
from graphc.ir.op import Sample, Scalars, register


class _Quotient(Binary):
    """x / y, whose gradient all divisions of floating point numbers share"""

    primitive = "div"

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        of_x, of_y = x, y
        x, y = g.conj(x), g.conj(y)
        by_y = g.mul(dy, g.real_div(g.real_div(g.neg(x), y), y))
        return [g.sum_like(g.real_div(dy, y), of_x, z), g.sum_like(by_y, of_y, z)]


@register
class RealDiv(_Quotient):
    """x / y of floating point numbers"""

    neutral_operand = 1, (1,)
    kind = "analytic"
    function = np.true_divide
    samples = binary_samples(0.5, 3, integers=False)


def _truncated(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x / y rounded towards 0; the smallest integer has no absolute value, so the quotient rounded down is moved."""
    quotient = x // y
    return quotient + ((quotient * y != x) & ((x < 0) != (y < 0))).astype(x.dtype)


def _floored(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x / y rounded down. Of floats it is TensorFlow's floor(x / y), which for infinities is not NumPy's."""
    return np.floor(x / y) if x.dtype.kind == "f" else x // y


@register
class TruncateDiv(Binary):
    """x / y of integers, rounded towards 0"""

    refused = "zero"
    kind = "integer"
    primitive = "truncdiv"
    sizes_function = staticmethod(dims.truncdiv)
    function = staticmethod(_truncated)
    samples = [Sample({}, pair, (d, d), gradient=False, low=1, high=9) for d in (int32, int64)
               for pair in (((17,), (17,)), ((2, 3), (3,)))] + [
               Sample({}, (np.array([-7, 7, -7, 7], np.int32), np.array([2, -2, -2, 2], np.int32)), gradient=False)]

    def grad(self, g, node, dy):
        return [None, None]


@register
class Div(_Quotient):
    """x / y; integers round towards 0"""

    neutral_operand = 1, (1,)
    refused = "zero"
    kind = "numeric"
    function = staticmethod(lambda x, y: _truncated(x, y) if x.dtype.kind in "iu" else x / y)
    samples = binary_samples(0.5, 3)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("truncdiv" if s.dtype(x[0]).is_integer else "div", *x)


@register
class FloorDiv(Binary):
    """x / y rounded down"""

    refused = "zero"
    primitive = "floordiv"
    sizes_function = staticmethod(dims.floordiv)
    function = staticmethod(_floored)
    samples = [
        *binary_samples(0.5, 3, gradient=False),
        Sample({}, (np.array([-7, 7, -7, 7], np.int32), np.array([2, -2, -2, 2], np.int32)), gradient=False),
        Sample({}, (np.array([-7, 7, -7, 7.5], np.float32), np.array([2, -2, -2, 2], np.float32)), gradient=False),
    ]

    def grad(self, g, node, dy):
        return [None, None]


@register
class FloorMod(Binary):
    """x - y * floor(x / y): it has the sign of y"""

    refused = "zero"
    primitive = "mod"
    sizes_function = staticmethod(dims.mod)
    function = np.mod
    samples = [*binary_samples(0.5, 3), Sample({}, (np.array([-7, 7, -7, 7], np.int64), np.array([2, -2, -2, 2])),
                                               gradient=False)]

    def grad(self, g, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [g.sum_like(dy, x, z), g.sum_like(g.mul(dy, g.neg(g.floor_div(x, y))), y, z)]


class _TruncatedRest(Binary):
    """x - y * (x / y rounded towards 0): it has the sign of x"""

    refused = "zero"
    kind = "wide"
    primitive = "truncmod"
    function = np.fmod
    samples = [*binary_samples(0.5, 3, gradient=False),
               Sample({}, (np.array([-7, 7, -7, 7], np.int64), np.array([2, -2, -2, 2])), gradient=False)]


@register
class TruncateMod(_TruncatedRest):
    """x - y * (x / y rounded towards 0): it has the sign of x. No gradient, as in TensorFlow."""


@register
class Mod(_TruncatedRest):
    """TruncateMod under the name that it has in old graphs; gc.mod makes FloorMod"""
