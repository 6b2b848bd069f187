"""Elementwise division in all its kinds.

RealDiv and Div divide floats; Div on integers and TruncateDiv round towards 0; FloorDiv and FloorMod round down, so
that x == y * (x // y) + x % y. What Python's operators and TF's functions make of which op: `truediv`, `div`,
`floordiv` below.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dtypes import float32, float64, int32, int64
from graphc.ir.op import Sample, Scalars, register
from graphc.ops.binary import multiply
from graphc.ops.build import apply, convert_to_tensor
from graphc.ops.elementwise import Binary, binary_samples, sum_like
from graphc.ops.unary import negative


class _Quotient(Binary):
    """x / y, whose gradient all divisions of floating point numbers share"""

    primitive = "div"

    def grad(self, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [sum_like(_real_div(dy, y), x, z), sum_like(multiply(dy, _real_div(_real_div(negative(x), y), y)), y, z)]


@register
class RealDiv(_Quotient):
    """x / y of floating point numbers"""

    kind = "floating"
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
    function = staticmethod(_truncated)
    samples = [Sample({}, pair, (d, d), gradient=False, low=1, high=9) for d in (int32, int64)
               for pair in (((17,), (17,)), ((2, 3), (3,)))] + [
               Sample({}, (np.array([-7, 7, -7, 7], np.int32), np.array([2, -2, -2, 2], np.int32)), gradient=False)]

    def grad(self, node, dy):
        return [None, None]


@register
class Div(_Quotient):
    """x / y; integers round towards 0"""

    refused = "zero"
    function = staticmethod(lambda x, y: x / y if x.dtype.kind == "f" else _truncated(x, y))
    samples = binary_samples(0.5, 3)

    def scalar(self, s: Scalars, *x: Any) -> Any:
        return s("div" if s.dtype(x[0]).is_floating else "truncdiv", *x)


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

    def grad(self, node, dy):
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

    def grad(self, node, dy):
        x, y = node.inputs
        z = node.outputs[0]
        return [sum_like(dy, x, z), sum_like(multiply(dy, negative(floordiv(x, y))), y, z)]


def _real_div(x, y, name=None):
    return apply(RealDiv, x, y, name=name)


def _pair(x, y):
    """Both as tensors; a Python value takes the dtype of the tensor operand."""
    from graphc.ir.graph import Tensor

    if isinstance(y, Tensor) and not isinstance(x, Tensor):
        return convert_to_tensor(x, dtype=y.dtype), y
    x = convert_to_tensor(x)
    return x, convert_to_tensor(y, dtype=x.dtype)


TRUE_DIVISION = {
    "int8": float32,
    "uint8": float32,
    "int16": float32,
    "uint16": float32,
    "int32": float64,
    "int64": float64,
}


def truediv(x, y, name=None):
    """x / y as Python 3 has it: int32 and int64 are divided as float64, shorter integers as float32.

    As `tf.truediv`.
    """
    from graphc.ops.cast import cast

    x, y = _pair(x, y)
    if x.dtype != y.dtype:
        raise TypeError(f"truediv: x and y must have the same dtype, got {x.dtype.name} and {y.dtype.name}")
    wide = TRUE_DIVISION.get(x.dtype.name)
    if wide is not None:
        x, y = cast(x, wide), cast(y, wide)
    return _real_div(x, y, name=name or "truediv")


def divide(x, y, name=None):
    """x / y by Python 3's rules. As `tf.divide`."""
    return truediv(x, y, name=name)


def div(x, y, name=None):
    """x / y by Python 2's rules: integers are rounded down. As `tf.div`."""
    x, y = _pair(x, y)
    return apply(RealDiv if x.dtype.is_floating else FloorDiv, x, y, name=name or "div")


realdiv = _real_div


def div_no_nan(x, y, name=None):
    """x / y, and 0 where y is 0. As `tf.div_no_nan`."""
    from graphc.ops.comparison import equal
    from graphc.ops.fill import zeros_like
    from graphc.ops.gather import where

    x, y = _pair(x, y)
    zero = equal(y, 0)
    quotient = _real_div(x, where(zero, zeros_like(y) + 1, y))
    return where(equal(y + zeros_like(quotient), 0), zeros_like(quotient), quotient, name=name or "div_no_nan")


def floordiv(x, y, name=None):
    """x / y rounded down. As `tf.floordiv`."""
    return apply(FloorDiv, x, y, name=name or "floordiv")


def floor_div(x, y, name=None):
    """x / y rounded down. As `tf.floor_div`."""
    return apply(FloorDiv, x, y, name=name)


def truncatediv(x, y, name=None):
    """x / y of integers, rounded towards 0. As `tf.truncatediv`."""
    return apply(TruncateDiv, x, y, name=name)


def floormod(x, y, name=None):
    """x - y * floor(x / y). As `tf.floormod` and `tf.mod`."""
    return apply(FloorMod, x, y, name=name)


mod = floormod
