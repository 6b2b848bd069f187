"""Quantized numbers, by their definitions: integers, a scale and a zero point."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.onnx.element_types import dtype_of, held_dtype_of
from graphc.onnx.importing.convolutions import convolved, with_bias
from graphc.onnx.importing.matrices import product
from graphc.onnx.importing.rules import Node, full_like, onnx_op, shape_vector, sizes_of, static_sizes
from graphc.onnx.narrow import FORMATS, to_narrow


def along(node: Node, x: Any, parameter: Any, axis: int) -> Any:
    """A scale or zero point as it broadcasts against x: one number, or one a place of an axis, or one a block."""
    rank = node.rank(parameter)
    if rank == 0 or static_sizes(parameter) == [1]:
        return gc.reshape(parameter, [])
    if rank == 1:
        return gc.reshape(parameter, [-1 if i == axis else 1 for i in range(node.rank(x))])
    block = node.attr("block_size", 0)
    if not block:
        return parameter
    sizes = sizes_of(parameter)
    spread = gc.tile(gc.expand_dims(parameter, axis + 1), [block if i == axis + 1 else 1 for i in range(rank + 1)])
    whole = gc.reshape(spread, shape_vector([n * block if i == axis else n for i, n in enumerate(sizes)]))
    wanted = sizes_of(x)[axis]
    return whole[tuple(slice(0, wanted) if i == axis else slice(None) for i in range(rank))]


def quantized(x: Any, zero_point: Any, dtype: Any, limits: tuple[int, int] | None = None) -> Any:
    """Numbers in units of the scale as integers: rounded to even, shifted, saturated. Computed in float64: exact."""
    whole = gc.cast(gc.round(x), gc.float64)
    if zero_point is not None:
        whole = whole + gc.cast(zero_point, gc.float64)
    low, high = limits or dtype.limits
    return gc.cast(gc.clip_by_value(whole, gc.constant(float(low), gc.float64), gc.constant(float(high), gc.float64)),
                   dtype)


def _axis(node: Node, x: Any, scale: Any) -> int:
    """The axis along which scales lie; one number lies along none, and the attribute says nothing then."""
    return node.axis(x, node.attr("axis", 1)) if node.rank(scale) and static_sizes(scale) != [1] else 0


@onnx_op("QuantizeLinear")
def quantize(node: Node, x: Any, scale: Any, zero_point: Any = None) -> Any:
    narrow = FORMATS.get(node.attr("output_dtype", 0)) if zero_point is None else node.build.narrow.get(zero_point)
    dtype = held_dtype_of(node.attr("output_dtype", 0) or 2, str(node)) if zero_point is None else zero_point.dtype
    if narrow is not None and narrow.is_float:
        axis = _axis(node, x, scale)
        made = to_narrow(_scaled(node, x, scale, axis), narrow, bool(node.attr("saturate", 1)))
        return node.build.marked(made, narrow.number)
    if not dtype.is_integer:
        raise node.refuse(f"quantized numbers of {dtype.name} are not supported")
    axis = _axis(node, x, scale)
    units = _scaled(node, x, scale, axis)
    point = None if zero_point is None else along(node, x, zero_point, axis)
    if narrow is None:
        return quantized(units, point, dtype)
    return node.build.marked(quantized(units, point, dtype, narrow.limits), narrow.number)


def _scaled(node: Node, x: Any, scale: Any, axis: int) -> Any:
    dtype = scale.dtype
    if node.attr("precision"):
        dtype = dtype_of(node.attr("precision"), str(node))
    return gc.cast(x, dtype) / gc.cast(along(node, x, scale, axis), dtype)


@onnx_op("DequantizeLinear")
def dequantize(node: Node, x: Any, scale: Any, zero_point: Any = None) -> Any:
    axis = _axis(node, x, scale)
    made = dtype_of(node.attr("output_dtype", 0), str(node)) if node.attr("output_dtype", 0) else scale.dtype
    units = shifted(node, x, zero_point, axis)
    return gc.cast(gc.cast(units, scale.dtype) * along(node, x, scale, axis), made)


def shifted(node: Node, x: Any, zero_point: Any, axis: int) -> Any:
    """x - zero_point as int32; floats as they are."""
    if x.dtype.is_floating:
        return x
    wide = gc.cast(x, gc.int32)
    return wide if zero_point is None else wide - gc.cast(along(node, x, zero_point, axis), gc.int32)


@onnx_op("DynamicQuantizeLinear")
def dynamic_quantize(node: Node, x: Any) -> Any:
    """(uint8 numbers, scale, zero point) by the least and the greatest number, 0 included."""
    zero, top = full_like(x, 0), full_like(x, 255)
    low, high = gc.minimum(gc.reduce_min(x), zero), gc.maximum(gc.reduce_max(x), zero)
    scale = (high - low) / top
    point = gc.cast(gc.round(gc.clip_by_value(zero - low / scale, zero, top)), gc.uint8)
    return quantized(x / scale, point, gc.uint8), scale, point


@onnx_op("MatMulInteger")
def matmul_integer(node: Node, a: Any, b: Any, a_zero: Any = None, b_zero: Any = None) -> Any:
    return product(node, _row_shifted(node, a, a_zero), _column_shifted(node, b, b_zero))


def _row_shifted(node: Node, a: Any, zero: Any) -> Any:
    """One zero point, or one a row."""
    wide = gc.cast(a, gc.int32)
    if zero is None:
        return wide
    zero = gc.cast(zero, gc.int32)
    return wide - (gc.expand_dims(zero, -1) if node.rank(zero) == 1 and node.rank(a) > 1 and
                   static_sizes(zero) != [1] else zero)


def _column_shifted(node: Node, b: Any, zero: Any) -> Any:
    wide = gc.cast(b, gc.int32)
    return wide if zero is None else wide - gc.cast(zero, gc.int32)


@onnx_op("QLinearMatMul")
def qlinear_matmul(node: Node, a: Any, a_scale: Any, a_zero: Any, b: Any, b_scale: Any, b_zero: Any, y_scale: Any,
                   y_zero: Any) -> Any:
    whole = product(node, _row_shifted(node, a, a_zero), _column_shifted(node, b, b_zero))
    a_scale = gc.expand_dims(a_scale, -1) if node.rank(a_scale) == 1 and static_sizes(a_scale) != [1] else a_scale
    factor = gc.cast(a_scale, gc.float32) * gc.cast(b_scale, gc.float32) / gc.cast(y_scale, gc.float32)
    return quantized(gc.cast(whole, gc.float32) * factor, y_zero, y_zero.dtype)


@onnx_op("ConvInteger")
def conv_integer(node: Node, x: Any, w: Any, x_zero: Any = None, w_zero: Any = None) -> Any:
    return gc.cast(gc.round(_convolved(node, x, w, x_zero, w_zero)), gc.int32)


def _convolved(node: Node, x: Any, w: Any, x_zero: Any, w_zero: Any) -> Any:
    """The convolution of the shifted numbers in float64: sums of products of 8 bits are exact in it."""
    wide = gc.cast(shifted(node, x, x_zero, 1), gc.float64)
    filters = gc.cast(shifted(node, w, w_zero, 0), gc.float64)
    return convolved(node, wide, filters)


@onnx_op("QLinearConv")
def qlinear_conv(node: Node, x: Any, x_scale: Any, x_zero: Any, w: Any, w_scale: Any, w_zero: Any, y_scale: Any,
                 y_zero: Any, bias: Any = None) -> Any:
    whole = _convolved(node, x, w, x_zero, w_zero)
    if bias is not None:
        whole = with_bias(whole, gc.cast(bias, gc.float64), node.rank(x))
    factor = gc.cast(x_scale * w_scale / y_scale, gc.float32)
    return quantized(gc.cast(whole, gc.float32) * along(node, whole, factor, 1), y_zero, y_zero.dtype)
