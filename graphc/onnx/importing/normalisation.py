"""Normalisations: by stored moments, or by those of the input."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op, sizes_of


def _channels(x: Any, rank: int) -> Any:
    return gc.reshape(x, [1, -1] + [1] * (rank - 2))


@onnx_op("BatchNormalization")
def batch_normalization(node: Node, x: Any, scale: Any, bias: Any, mean: Any, variance: Any) -> Any:
    rank, epsilon, dtype = node.rank(x), node.attr("epsilon", 1e-5), x.dtype
    training = bool(node.attr("training_mode", 0)) or (node.version < 7 and not node.attr("is_test", 0))
    if not training:
        if node.wants(1) and node.version >= 14:
            raise node.refuse("running moments are outputs of training_mode=1 only")
        return _normalised(x, scale, bias, mean, variance, epsilon, rank)
    momentum = node.attr("momentum", 0.9)
    axes = [0, *range(2, rank)]
    own_mean = gc.reduce_mean(gc.cast(x, mean.dtype), axes)
    centred = gc.cast(x, mean.dtype) - _channels(own_mean, rank)
    own_variance = gc.reduce_mean(gc.square(centred), axes)
    y = gc.cast(_normalised(x, scale, bias, own_mean, own_variance, epsilon, rank), dtype)
    old, new = full_like(mean, momentum), full_like(mean, 1 - momentum)
    return y, mean * old + own_mean * new, variance * old + own_variance * new


def _normalised(x: Any, scale: Any, bias: Any, mean: Any, variance: Any, epsilon: float, rank: int) -> Any:
    factor = gc.cast(scale, variance.dtype) * gc.rsqrt(variance + full_like(variance, epsilon))
    shift = gc.cast(bias, variance.dtype) - mean * factor
    return gc.cast(gc.cast(x, variance.dtype) * _channels(factor, rank) + _channels(shift, rank), x.dtype)


@onnx_op("InstanceNormalization")
def instance_normalization(node: Node, x: Any, scale: Any, bias: Any) -> Any:
    rank = node.rank(x)
    axes = list(range(2, rank))
    centred = x - gc.reduce_mean(x, axes, keepdims=True)
    variance = gc.reduce_mean(gc.square(centred), axes, keepdims=True)
    normal = centred * gc.rsqrt(variance + full_like(x, node.attr("epsilon", 1e-5)))
    return normal * _channels(scale, rank) + _channels(bias, rank)


@onnx_op("LayerNormalization")
def layer_normalization(node: Node, x: Any, scale: Any, bias: Any = None) -> Any:
    """(y, mean, 1 / deviation), the moments in float32 at least."""
    axis = node.axis(x, node.attr("axis", -1))
    axes = list(range(axis, node.rank(x)))
    wide = gc.cast(x, gc.float32) if x.dtype in (gc.float16, gc.bfloat16) else x
    mean = gc.reduce_mean(wide, axes, keepdims=True)
    centred = wide - mean
    inverse = gc.rsqrt(gc.reduce_mean(gc.square(centred), axes, keepdims=True)
                       + full_like(wide, node.attr("epsilon", 1e-5)))
    y = gc.cast(centred * inverse, x.dtype) * scale
    return y if bias is None else y + bias, mean, inverse


@onnx_op("LpNormalization")
def p_normalization(node: Node, x: Any) -> Any:
    """By the norm along an axis; 0 where that is 0."""
    axis = [node.axis(x, node.attr("axis", -1))]
    if node.attr("p", 2) == 1:
        norm = gc.reduce_sum(gc.abs(x), axis, keepdims=True)
    else:
        norm = gc.sqrt(gc.reduce_sum(gc.square(x), axis, keepdims=True))
    return gc.div_no_nan(x, norm)


@onnx_op("LRN")
def local_response(node: Node, x: Any) -> Any:
    """x / (bias + alpha / size * the sum of squares over `size` channels) ^ beta."""
    size, rank = node.need("size"), node.rank(x)
    before = (size - 1) // 2
    borders = np.zeros((rank, 2), np.int64)
    borders[1] = before, size - 1 - before
    squares = gc.pad(gc.square(x), borders)
    count = sizes_of(x)[1]
    total = None
    for i in range(size):
        part = squares[:, i:i + count]
        total = part if total is None else total + part
    inner = full_like(x, node.attr("bias", 1.0)) + full_like(x, node.attr("alpha", 1e-4) / size) * total
    return x / gc.pow(inner, full_like(x, node.attr("beta", 0.75)))


@onnx_op("Dropout")
def dropout_of_test(node: Node, x: Any) -> Any:
    return gc.identity(x), gc.ones_like(x, gc.bool if node.version >= 10 else x.dtype)


@onnx_op("Dropout", since=12)
def dropout(node: Node, x: Any, ratio: Any = None, training: Any = None) -> Any:
    """(y, the mask of what is kept)."""
    if training is None or not bool(node.known(training, "training_mode").reshape(())):
        return gc.identity(x), gc.ones_like(x, gc.bool)
    rate = full_like(x, 0.5) if ratio is None else gc.cast(gc.reshape(ratio, []), x.dtype)
    wide = gc.float32 if x.dtype in (gc.float16, gc.bfloat16) else x.dtype
    draws = gc.random_uniform(gc.shape(x), dtype=wide, seed=node.attr("seed"))
    kept = gc.greater_equal(draws, gc.cast(rate, wide))
    return gc.where_v2(kept, x / (full_like(x, 1) - rate), gc.zeros_like(x)), kept
