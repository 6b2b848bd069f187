"""Poolings: the largest, the mean, the p-norm of windows, and the way back of the largest."""
from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op, shape_vector, sizes_of, static_sizes
from graphc.onnx.importing.windows import Window, combined, padded, slices, window_of

_FORMATS = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def _pooled(pool: Any, x: Any, window: Window) -> Any:
    """A pooling without pads, by graphc's op."""
    return pool(x, [1, 1, *window.kernel], [1, 1, *window.strides], "VALID", data_format=_FORMATS[window.rank])


def _fits_op(x: Any, window: Window) -> bool:
    return x.dtype.is_floating and window.rank in _FORMATS and max(window.dilations) == 1


@onnx_op("MaxPool")
def max_pool(node: Node, x: Any) -> Any:
    window = window_of(node, x, node.need("kernel_shape"))
    lowest = -math.inf if x.dtype.is_floating else x.dtype.min
    filled = padded(x, window, lowest)
    if node.wants(1):
        return _with_places(node, x, window, filled)
    if _fits_op(x, window):
        return _pooled(gc.nn.max_pool_v2, filled, window)
    return combined(filled, window, gc.maximum)


def _with_places(node: Node, x: Any, window: Window, filled: Any) -> Any:
    """(the largest, its place in x as a flat index), the first one in a tie."""
    numbers = _numbers(node, x, window)
    best = places = None
    for (_, part), (_, number) in zip(slices(filled, window), slices(numbers, window), strict=True):
        if best is None:
            best, places = part, number
            continue
        better = gc.logical_or(gc.greater(part, best), gc.less(places, gc.constant(0, gc.int64)))
        better = gc.logical_and(better, gc.greater_equal(number, gc.constant(0, gc.int64)))
        best, places = gc.where_v2(better, part, best), gc.where_v2(better, number, places)
    return best, places


def _numbers(node: Node, x: Any, window: Window) -> Any:
    """The flat index of each element of x, padded with -1."""
    sizes = sizes_of(x)
    if node.attr("storage_order", 0):                               # the first spatial axis runs fastest
        order = [0, 1, *reversed(range(2, len(sizes)))]
    else:
        order = list(range(len(sizes)))
    count: Any = 1
    for n in sizes:
        count = count * n
    flat = gc.reshape(gc.range(gc.cast(count, gc.int64)), shape_vector([sizes[i] for i in order]))
    return padded(gc.transpose(flat, order), window, -1)


@onnx_op("AveragePool")
def average_pool(node: Node, x: Any) -> Any:
    window = window_of(node, x, node.need("kernel_shape"))
    return _mean(x, window, bool(node.attr("count_include_pad", 0)))


def _mean(x: Any, window: Window, counts_pads: bool) -> Any:
    if not window.is_padded or (counts_pads and not window.is_extended):
        return _sum(padded(x, window, 0), window, mean=True)
    # How many elements each window has: where the mask is 1.
    sizes = static_sizes(x)[2:]
    ones = gc.ones([1, 1, *sizes], x.dtype) if None not in sizes else gc.ones_like(x[:1, :1])
    if counts_pads:
        ones = padded(ones, replace(window, extra=[0] * window.rank), 1)
        mask = padded(ones, window, 0, with_pads=False)
    else:
        mask = padded(ones, window, 0)
    return _sum(padded(x, window, 0), window, mean=False) / _sum(mask, window, mean=False)


def _sum(x: Any, window: Window, mean: bool) -> Any:
    """The sum, or mean, of windows of x that is padded already."""
    count = math.prod(window.kernel)
    if _fits_op(x, window):
        y = _pooled(gc.nn.avg_pool_v2, x, window)
        return y if mean else y * full_like(y, count)
    total = combined(x, window, gc.add)
    return total / full_like(total, count) if mean else total


@onnx_op("LpPool")
def p_pool(node: Node, x: Any) -> Any:
    window, p = window_of(node, x, node.need("kernel_shape")), node.attr("p", 2)
    powers = gc.square(x) if p == 2 else gc.abs(x) if p == 1 else gc.pow(gc.abs(x), full_like(x, p))
    total = _sum(padded(powers, window, 0), window, mean=False)
    return gc.sqrt(total) if p == 2 else total if p == 1 else gc.pow(total, full_like(x, 1 / p))


@onnx_op("GlobalAveragePool")
def global_average(node: Node, x: Any) -> Any:
    return gc.reduce_mean(x, list(range(2, node.rank(x))), keepdims=True)


@onnx_op("GlobalMaxPool")
def global_max(node: Node, x: Any) -> Any:
    return gc.reduce_max(x, list(range(2, node.rank(x))), keepdims=True)


@onnx_op("GlobalLpPool")
def global_p(node: Node, x: Any) -> Any:
    p = node.attr("p", 2)
    total = gc.reduce_sum(gc.pow(gc.abs(x), full_like(x, p)), list(range(2, node.rank(x))), keepdims=True)
    return gc.pow(total, full_like(x, 1 / p))


@onnx_op("MaxUnpool")
def max_unpool(node: Node, x: Any, places: Any, shape: Any = None) -> Any:
    """Zeros with each element of x at its place, a flat index into the result."""
    kernel = node.need("kernel_shape")
    rank = len(kernel)
    strides, pads = node.attr("strides") or [1] * rank, node.attr("pads") or [0] * 2 * rank
    sizes = sizes_of(x)
    natural = [*sizes[:2], *((n - 1) * step + k - a - b for n, step, k, a, b in
                             zip(sizes[2:], strides, kernel, pads[:rank], pads[rank:], strict=True))]
    given = [int(n) for n in node.known_list(shape, "output_shape")] if shape is not None else None
    count: Any = 1
    for n in natural:
        count = count * n
    flat = gc.scatter_nd(gc.reshape(places, [-1, 1]), gc.reshape(x, [-1]), shape_vector([count]))
    y = gc.reshape(flat, shape_vector(natural))
    if given is None or given == natural:
        return y
    added = [new - old for new, old in zip(given, natural, strict=True)]
    if any(isinstance(n, int) and n < 0 for n in added):
        raise node.invalid(f"output_shape {given} is smaller than {natural}")
    return gc.pad(y, gc.stack([shape_vector([0] * len(added)), shape_vector(added)], 1))
