"""Activation functions."""
from __future__ import annotations

import math
from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op, sizes_of

_PLAIN = {"Relu": gc.nn.relu, "Sigmoid": gc.sigmoid, "Softplus": gc.nn.softplus, "Softsign": gc.nn.softsign}


@onnx_op(*_PLAIN)
def plain(node: Node, x: Any) -> Any:
    return _PLAIN[node.op](x)


@onnx_op("LeakyRelu")
def leaky_relu(node: Node, x: Any) -> Any:
    return gc.nn.leaky_relu(x, node.attr("alpha", 0.01))


@onnx_op("PRelu")
def parametric_relu(node: Node, x: Any, slope: Any) -> Any:
    if node.version < 7 and node.rank(slope) == 1 and node.rank(x) > 1:          # one slope a channel
        for _ in range(node.rank(x) - 2):
            slope = gc.expand_dims(slope, -1)
    zero = full_like(x, 0)
    return gc.where_v2(gc.less(x, zero), x * slope, x)


@onnx_op("Elu")
def elu(node: Node, x: Any) -> Any:
    alpha = node.attr("alpha", 1.0)
    if alpha == 1.0:
        return gc.nn.elu(x)
    zero = full_like(x, 0)
    return gc.where_v2(gc.less(x, zero), full_like(x, alpha) * gc.expm1(gc.minimum(x, zero)), x)


@onnx_op("Selu")
def selu(node: Node, x: Any) -> Any:
    alpha, gamma = node.attr("alpha", 1.67326319217681884765625), node.attr("gamma", 1.05070102214813232421875)
    zero = full_like(x, 0)
    below = full_like(x, alpha) * gc.expm1(gc.minimum(x, zero))
    return full_like(x, gamma) * gc.where_v2(gc.less_equal(x, zero), below, x)


@onnx_op("Celu")
def celu(node: Node, x: Any) -> Any:
    alpha, zero = full_like(x, node.attr("alpha", 1.0)), full_like(x, 0)
    return gc.maximum(x, zero) + alpha * gc.expm1(gc.minimum(x, zero) / alpha)


@onnx_op("ThresholdedRelu")
def thresholded_relu(node: Node, x: Any) -> Any:
    return gc.where_v2(gc.greater(x, full_like(x, node.attr("alpha", 1.0))), x, full_like(x, 0))


@onnx_op("HardSigmoid")
def hard_sigmoid(node: Node, x: Any) -> Any:
    line = full_like(x, node.attr("alpha", 0.2)) * x + full_like(x, node.attr("beta", 0.5))
    return gc.clip_by_value(line, full_like(x, 0), full_like(x, 1))


@onnx_op("HardSwish")
def hard_swish(node: Node, x: Any) -> Any:
    return x * gc.clip_by_value(x / full_like(x, 6) + full_like(x, 0.5), full_like(x, 0), full_like(x, 1))


@onnx_op("Mish")
def mish(node: Node, x: Any) -> Any:
    return x * gc.tanh(gc.nn.softplus(x))


@onnx_op("Swish")
def swish(node: Node, x: Any) -> Any:
    return x * gc.sigmoid(full_like(x, node.attr("alpha", 1.0)) * x)


@onnx_op("Gelu")
def gelu(node: Node, x: Any) -> Any:
    half, one = full_like(x, 0.5), full_like(x, 1)
    if node.attr("approximate", "none") == "tanh":
        inner = full_like(x, math.sqrt(2 / math.pi)) * (x + full_like(x, 0.044715) * x * x * x)
        return half * x * (one + gc.tanh(inner))
    return half * x * (one + gc.erf(x * full_like(x, math.sqrt(0.5))))


@onnx_op("Shrink")
def shrink(node: Node, x: Any) -> Any:
    bias, limit = node.attr("bias", 0.0), node.attr("lambd", 0.5)
    wide = x if x.dtype.is_floating else gc.cast(x, gc.float64)
    low, high, shift = (full_like(wide, v) for v in (-limit, limit, bias))
    made = gc.where_v2(gc.less(wide, low), wide + shift,
                       gc.where_v2(gc.greater(wide, high), wide - shift, full_like(wide, 0)))
    return made if wide is x else gc.cast(made, x.dtype)


def _over_rest(node: Node, x: Any, function: Any) -> Any:
    """Before version 13: over all axes from `axis` (1) on, as one."""
    axis = node.axis(x, node.attr("axis", 1))
    sizes = sizes_of(x)
    rows = 1
    for size in sizes[:axis]:
        rows = rows * size
    return gc.reshape(function(gc.reshape(x, gc.stack([gc.cast(rows, gc.int64), -1])), -1), gc.shape(x))


@onnx_op("Softmax")
def softmax_of_rest(node: Node, x: Any) -> Any:
    return _over_rest(node, x, gc.nn.softmax)


@onnx_op("LogSoftmax")
def log_softmax_of_rest(node: Node, x: Any) -> Any:
    return _over_rest(node, x, gc.nn.log_softmax)


@onnx_op("Softmax", since=13)
def softmax(node: Node, x: Any) -> Any:
    return gc.nn.softmax(x, node.axis(x, node.attr("axis", -1)))


@onnx_op("LogSoftmax", since=13)
def log_softmax(node: Node, x: Any) -> Any:
    return gc.nn.log_softmax(x, node.axis(x, node.attr("axis", -1)))


@onnx_op("Hardmax")
def hardmax_of_rest(node: Node, x: Any) -> Any:
    return _over_rest(node, x, _hardmax)


@onnx_op("Hardmax", since=13)
def hardmax(node: Node, x: Any) -> Any:
    return _hardmax(x, node.axis(x, node.attr("axis", -1)))


def _hardmax(x: Any, axis: int) -> Any:
    size = gc.shape(x)[axis]
    return gc.one_hot(gc.argmax(x, axis), size, full_like(x, 1), full_like(x, 0), axis=axis)
