"""Arithmetic, comparisons, bits and casts, element by element."""
from __future__ import annotations

import functools
from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.element_types import dtype_of
from graphc.onnx.importing.rules import Node, full_like, onnx_op
from graphc.onnx.narrow import FORMATS, Narrow, to_narrow

_UNARY = {"Abs": gc.abs, "Neg": gc.negative, "Ceil": gc.ceil, "Floor": gc.floor, "Round": gc.round, "Sqrt": gc.sqrt,
          "Exp": gc.exp, "Log": gc.log, "Sin": gc.sin, "Cos": gc.cos, "Tan": gc.tan, "Asin": gc.asin, "Acos": gc.acos,
          "Atan": gc.atan, "Sinh": gc.sinh, "Cosh": gc.cosh, "Tanh": gc.tanh, "Asinh": gc.asinh, "Acosh": gc.acosh,
          "Atanh": gc.atanh, "Erf": gc.erf, "Reciprocal": gc.reciprocal, "Sign": gc.sign, "Not": gc.logical_not,
          "IsNaN": gc.is_nan, "BitwiseNot": gc.bitwise.invert}
_BINARY = {"Add": gc.add, "Sub": gc.subtract, "Mul": gc.multiply, "And": gc.logical_and, "Or": gc.logical_or,
           "Xor": gc.logical_xor, "Equal": gc.equal, "Greater": gc.greater, "Less": gc.less,
           "GreaterOrEqual": gc.greater_equal, "LessOrEqual": gc.less_equal, "BitwiseAnd": gc.bitwise.bitwise_and,
           "BitwiseOr": gc.bitwise.bitwise_or, "BitwiseXor": gc.bitwise.bitwise_xor}
_SEVERAL = {"Max": gc.maximum, "Min": gc.minimum, "Sum": gc.add}


@onnx_op(*_UNARY)
def unary(node: Node, x: Any) -> Any:
    return _UNARY[node.op](x)


@onnx_op("IsInf")
def is_infinite(node: Node, x: Any) -> Any:
    found = gc.is_inf(x)
    if not node.attr("detect_negative", 1):
        found = gc.logical_and(found, gc.greater(x, full_like(x, 0)))
    if not node.attr("detect_positive", 1):
        found = gc.logical_and(found, gc.less(x, full_like(x, 0)))
    return found


def placed(node: Node, a: Any, b: Any) -> Any:
    """b as it broadcasts against a: before version 7, its axes start at the attribute `axis` of a."""
    if node.version < 7 and node.attr("broadcast", 0) and node.attr("axis") is not None and node.rank(b):
        behind = node.rank(a) - node.axis(a, node.attr("axis")) - node.rank(b)
        for _ in range(behind):
            b = gc.expand_dims(b, -1)
    return b


@onnx_op(*_BINARY)
def binary(node: Node, a: Any, b: Any) -> Any:
    return _BINARY[node.op](a, placed(node, a, b))


@onnx_op("Div")
def divide(node: Node, a: Any, b: Any) -> Any:
    """Of integers rounded towards 0."""
    b = placed(node, a, b)
    if a.dtype.is_floating or a.dtype.is_complex:
        return gc.realdiv(a, b)
    return gc.floordiv(a, b) if a.dtype.is_unsigned else truncated_quotient(a, b)


def truncated_quotient(a: Any, b: Any) -> Any:
    """a / b of signed integers, rounded towards 0."""
    if a.dtype in (gc.int32, gc.int64):
        return gc.truncatediv(a, b)
    return gc.cast(gc.truncatediv(gc.cast(a, gc.int32), gc.cast(b, gc.int32)), a.dtype)


@onnx_op("Pow")
def power(node: Node, a: Any, b: Any) -> Any:
    """The result has the dtype of the base."""
    b = placed(node, a, b)
    if a.dtype == b.dtype and not (a.dtype.is_integer and a.dtype not in (gc.int32, gc.int64)):
        return gc.pow(a, b)
    wide = gc.float64 if b.dtype == gc.float64 or not b.dtype.is_floating or a.dtype.is_integer else gc.float32
    return gc.cast(gc.pow(gc.cast(a, wide), gc.cast(b, wide)), a.dtype)


@onnx_op("Mod")
def modulo(node: Node, a: Any, b: Any) -> Any:
    """fmod=1: the sign is the dividend's, as in C; else the divisor's."""
    if not node.attr("fmod", 0):
        return gc.floormod(a, b)
    if a.dtype.is_unsigned:
        return gc.floormod(a, b)
    if a.dtype.is_integer and a.dtype not in (gc.int32, gc.int64):
        return gc.cast(gc.truncatemod(gc.cast(a, gc.int32), gc.cast(b, gc.int32)), a.dtype)
    return gc.truncatemod(a, b)


@onnx_op("BitShift")
def shift(node: Node, a: Any, b: Any) -> Any:
    """Shifted by less than nothing, or by all bits or more: what the sign alone makes."""
    left = node.need("direction") == "LEFT"
    y = gc.bitwise.left_shift(a, b) if left else gc.bitwise.right_shift(a, b)
    zero = full_like(a, 0)
    outside = gc.greater_equal(b, full_like(b, 8 * a.dtype.size))
    if not b.dtype.is_unsigned:
        outside = gc.logical_or(outside, gc.less(b, full_like(b, 0)))
    rest = zero if left or a.dtype.is_unsigned else gc.where_v2(gc.less(a, zero), full_like(a, -1), zero)
    return gc.where_v2(outside, rest, y)


@onnx_op(*_SEVERAL)
def of_several(node: Node, *inputs: Any) -> Any:
    return functools.reduce(_SEVERAL[node.op], inputs)


@onnx_op("Mean")
def mean(node: Node, *inputs: Any) -> Any:
    total = functools.reduce(gc.add, inputs)
    return gc.realdiv(total, full_like(total, len(inputs)))


@onnx_op("Where")
def where(node: Node, condition: Any, x: Any, y: Any) -> Any:
    return gc.where_v2(condition, x, y)


@onnx_op("Clip")
def clip(node: Node, x: Any, low: Any = None, high: Any = None) -> Any:
    """Where the limits cross, the upper one holds."""
    low = full_like(x, node.attr("min")) if low is None and node.attr("min") is not None else low
    high = full_like(x, node.attr("max")) if high is None and node.attr("max") is not None else high
    if low is not None:
        x = gc.maximum(x, low)
    return x if high is None else gc.minimum(x, high)


@onnx_op("Identity")
def identity(node: Node, x: Any) -> Any:
    return list(x) if isinstance(x, list) else x if x is None else gc.identity(x)


@onnx_op("Cast")
def cast(node: Node, x: Any) -> Any:
    if node.need("to") in FORMATS:
        return narrowed(node, x, FORMATS[node.need("to")])
    return converted(node, x, dtype_of(node.need("to"), str(node)))


@onnx_op("CastLike")
def cast_like(node: Node, x: Any, like: Any) -> Any:
    if like in node.build.narrow:
        return narrowed(node, x, node.build.narrow[like])
    return converted(node, x, like.dtype)


def narrowed(node: Node, x: Any, narrow: Narrow) -> Any:
    """x as narrow numbers."""
    if x.dtype == gc.string or x.dtype.is_complex:
        raise node.refuse(f"{x.dtype.name} as {narrow.name}")
    if node.build.narrow.get(x) == narrow:
        return node.build.marked(gc.identity(x), narrow.number)
    return node.build.marked(to_narrow(x, narrow, bool(node.attr("saturate", 1))), narrow.number)


def converted(node: Node, x: Any, dtype: Any) -> Any:
    """x in another dtype, strings included. From floats to bool: whether it is not 0."""
    if x.dtype == dtype:
        return gc.identity(x)
    if dtype == gc.string:
        return gc.as_string(x, shortest=True) if x.dtype.is_floating else gc.as_string(x)
    if x.dtype == gc.string:
        if dtype in (gc.float32, gc.float64, gc.int32, gc.int64):
            return gc.string_to_number(x, dtype)
        return gc.cast(gc.string_to_number(x, gc.float64 if dtype.is_floating else gc.int64), dtype)
    return gc.cast(x, dtype)


@onnx_op("BitCast")
def bit_cast(node: Node, x: Any) -> Any:
    dtype = dtype_of(node.need("to"), str(node))
    if np.dtype(dtype.as_numpy_dtype).itemsize != np.dtype(x.dtype.as_numpy_dtype).itemsize:
        raise node.invalid(f"{x.dtype.name} and {dtype.name} have different sizes")
    if gc.bool in (x.dtype, dtype):                      # one byte, 0 or 1
        return gc.cast(gc.cast(x, gc.uint8) if x.dtype == gc.bool else gc.bitcast(x, gc.uint8), dtype)
    return gc.bitcast(x, dtype)
