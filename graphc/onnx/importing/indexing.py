"""Parts of tensors by position: slices, gathers, scatters, pads, sorted and distinct elements."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op, shape_vector, sizes_of, static_sizes

_FAR = 2**31 - 1


def from_front(node: Node, indices: Any, size: Any) -> Any:
    """Indices that may count from the end (negative), as such from the front."""
    known = node.maybe_known(indices)
    if known is not None and (known >= 0).all():
        return indices
    if known is not None and isinstance(size, int):
        return gc.constant(np.where(known < 0, known + size, known), indices.dtype)
    wide = gc.cast(indices, gc.int64)
    return gc.where_v2(gc.less(wide, gc.constant(0, gc.int64)), wide + size, wide)


def index_type(indices: Any) -> Any:
    """Indices as int32 or int64, which gathers take."""
    return indices if indices.dtype in (gc.int32, gc.int64) else gc.cast(indices, gc.int64)


@onnx_op("Slice")
def slice_of_attributes(node: Node, x: Any) -> Any:
    starts = node.need("starts")
    return _slice(node, x, starts, node.need("ends"), node.attr("axes") or list(range(len(starts))), [1] * len(starts))


@onnx_op("Slice", since=10)
def slice_of_inputs(node: Node, x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    count = static_sizes(starts)[0]
    if count is None:
        count = len(node.known_list(starts, "the number of its starts"))
    places = node.known_list(axes, "axes") if axes is not None else list(range(count))
    strides = node.known_list(steps, "steps") if steps is not None else [1] * count
    first, last = (node.known_list(v, "") if node.maybe_known(v) is not None else
                   [gc.cast(v[i], gc.int64) for i in range(count)] for v in (starts, ends))
    return _slice(node, x, first, last, places, strides)


def _slice(node: Node, x: Any, starts: list[Any], ends: list[Any], axes: list[int], steps: list[int]) -> Any:
    key: list[Any] = [slice(None)] * node.rank(x)
    for first, last, axis, step in zip(starts, ends, axes, steps, strict=True):
        key[node.axis(x, axis)] = slice(_bound(first), _end(last, step), step)
    return x[tuple(key)] if key else gc.identity(x)


def _bound(value: Any) -> Any:
    """Numbers beyond every axis as numbers that fit into 32 bits."""
    if isinstance(value, int):
        return min(max(value, -_FAR), _FAR)
    return gc.clip_by_value(value, gc.constant(-_FAR, gc.int64), gc.constant(_FAR, gc.int64))


def _end(value: Any, step: int) -> Any:
    """Going backwards, everything before the first element means: the first one included."""
    if isinstance(value, int) and value <= -_FAR and step < 0:
        return None
    return _bound(value)


@onnx_op("Gather")
def gather(node: Node, x: Any, indices: Any) -> Any:
    axis = node.axis(x, node.attr("axis", 0))
    return gc.gather(x, index_type(from_front(node, indices, sizes_of(x)[axis])), axis=axis)


def tuples_along(node: Node, indices: Any, axis: int, size: Any) -> Any:
    """The index tuples [..., rank] of elements whose place along `axis` is in indices, and their own one elsewhere."""
    node.rank(indices)
    own = sizes_of(indices)
    places = gc.cast(from_front(node, indices, size), gc.int64)
    parts = []
    for i, n in enumerate(own):
        if i == axis:
            parts.append(places)
        else:
            row = gc.reshape(gc.range(gc.cast(n, gc.int64)), [-1 if j == i else 1 for j in range(len(own))])
            parts.append(gc.broadcast_to(row, gc.shape(indices)))
    return gc.stack(parts, axis=-1)


@onnx_op("GatherElements")
def gather_elements(node: Node, x: Any, indices: Any) -> Any:
    axis = node.axis(x, node.attr("axis", 0))
    return gc.gather_nd(x, tuples_along(node, indices, axis, sizes_of(x)[axis]))


@onnx_op("GatherND")
def gather_nd(node: Node, x: Any, indices: Any) -> Any:
    first, count = node.attr("batch_dims", 0), static_sizes(indices)[-1]
    if count is None:
        raise node.refuse("the length of an index tuple must be known while the graph is built")
    return gc.gather_nd(x, from_front(node, indices, shape_vector(sizes_of(x)[first:first + count])), batch_dims=first)


@onnx_op("ScatterElements", "Scatter")
def scatter_elements(node: Node, x: Any, indices: Any, updates: Any) -> Any:
    axis = node.axis(x, node.attr("axis", 0))
    return scattered(node, x, tuples_along(node, indices, axis, sizes_of(x)[axis]), updates)


@onnx_op("ScatterND")
def scatter_nd(node: Node, x: Any, indices: Any, updates: Any) -> Any:
    count = static_sizes(indices)[-1]
    if count is None:
        raise node.refuse("the length of an index tuple must be known while the graph is built")
    return scattered(node, x, from_front(node, indices, shape_vector(sizes_of(x)[:count])), updates)


def scattered(node: Node, x: Any, places: Any, updates: Any) -> Any:
    """x with updates at the index tuples, or what the attribute `reduction` makes of both."""
    reduction = node.attr("reduction", "none")
    if reduction == "none":
        return gc.tensor_scatter_nd_update(x, places, updates)
    if reduction == "add":
        return gc.tensor_scatter_nd_add(x, places, updates)
    combine = {"mul": (gc.unsorted_segment_prod, gc.multiply), "max": (gc.unsorted_segment_max, gc.maximum),
               "min": (gc.unsorted_segment_min, gc.minimum)}.get(reduction)
    if combine is None:
        raise node.refuse(f"reduction {reduction!r} is not supported")
    return _combined(x, places, updates, *combine)


def _combined(x: Any, places: Any, updates: Any, of_segments: Any, combine: Any) -> Any:
    """Updates of one place are reduced to one, as segments of the flat tensor, and combined with what stands there."""
    sizes, count = sizes_of(x), static_sizes(places)[-1]
    flat: Any = gc.constant(0, gc.int64)
    rows: Any = 1
    for i in range(count):
        flat = flat * sizes[i] + places[..., i]
        rows = rows * sizes[i]
    slices = gc.concat([gc.constant([-1], gc.int64), shape_vector(sizes[count:])], 0) if sizes[count:] else [-1]
    reduced = of_segments(gc.reshape(updates, slices), gc.reshape(flat, [-1]), gc.cast(rows, gc.int64))
    return combine(x, gc.reshape(reduced, gc.shape(x)))


@onnx_op("TensorScatter")
def tensor_scatter(node: Node, past: Any, update: Any, write_indices: Any = None) -> Any:
    """Rows of a cache [batch, ..., time, ...], written from each batch element's index on; circular: modulo its
    length."""
    axis = node.axis(past, node.attr("axis", -2))
    if axis == 0:
        raise node.invalid("the axis must not be that of the batch")
    limit, count = sizes_of(past)[axis], sizes_of(update)[axis]
    batch = sizes_of(past)[0]
    start = gc.zeros(shape_vector([batch]), gc.int64) if write_indices is None else write_indices
    places = gc.expand_dims(start, 1) + gc.expand_dims(gc.range(gc.cast(count, gc.int64)), 0)
    if node.attr("mode", "linear") == "circular":
        places = gc.floormod(places, gc.cast(limit, gc.int64))
    shape = [-1 if i in (0, axis) else 1 for i in range(node.rank(update))]
    places = gc.reshape(places, shape_vector([sizes_of(update)[i] if n == -1 else 1 for i, n in enumerate(shape)]))
    places = gc.broadcast_to(places, gc.shape(update))
    return gc.tensor_scatter_nd_update(past, tuples_along(node, places, axis, limit), update)


@onnx_op("Pad")
def pad_of_attributes(node: Node, x: Any) -> Any:
    pads = node.attr("pads") or node.need("paddings")
    return _pad(node, x, gc.constant(np.array(pads, np.int64)), full_like(x, node.attr("value", 0.0)), None)


@onnx_op("Pad", since=11)
def pad_of_inputs(node: Node, x: Any, pads: Any, value: Any = None, axes: Any = None) -> Any:
    fill = full_like(x, b"" if x.dtype == gc.string else 0) if value is None else gc.reshape(value, [])
    return _pad(node, x, pads, fill, node.known_list(axes, "axes") if axes is not None else None)


def _pad(node: Node, x: Any, pads: Any, value: Any, axes: list[int] | None) -> Any:
    """pads: all befores, then all behinds. Negative ones cut."""
    rank = node.rank(x)
    places = list(range(rank)) if axes is None else [node.axis(x, a) for a in axes]
    known = node.maybe_known(pads)
    mode = node.attr("mode", "constant")
    if known is None:
        if mode != "constant" or places != list(range(rank)):
            node.known(pads, "pads")
        return gc.pad(x, gc.transpose(gc.reshape(pads, [2, rank])), constant_values=value)
    borders = np.zeros((rank, 2), np.int64)
    borders[places] = known.reshape(2, -1).T
    if (borders < 0).any():
        x = x[tuple(slice(-min(a, 0), None if b >= 0 else b) for a, b in borders.tolist())]
        borders = np.maximum(borders, 0)
    if mode == "constant":
        return gc.pad(x, borders, constant_values=value)
    if mode == "reflect":
        return _reflected(node, x, borders)
    for axis, (before, behind) in enumerate(borders.tolist()):
        if before or behind:
            x = gc.gather(x, _outside(node, x, axis, before, behind, mode), axis=axis)
    return x


def _reflected(node: Node, x: Any, borders: np.ndarray) -> Any:
    sizes = static_sizes(x)
    if all(n is None or max(border) < n for n, border in zip(sizes, borders.tolist(), strict=True)):
        return gc.pad(x, borders, "REFLECT")
    for axis, (before, behind) in enumerate(borders.tolist()):
        if before or behind:
            x = gc.gather(x, _outside(node, x, axis, before, behind, "reflect"), axis=axis)
    return x


def _outside(node: Node, x: Any, axis: int, before: int, behind: int, mode: str) -> Any:
    """Which element stands at each place from -before to size + behind."""
    size = sizes_of(x)[axis]
    if isinstance(size, int):
        places = np.arange(-before, size + behind)
        if mode == "edge":
            return np.clip(places, 0, size - 1)
        if mode == "wrap":
            return places % size
        turn = max(2 * size - 2, 1)
        return size - 1 - np.abs(places % turn - (size - 1))
    line = gc.range(gc.constant(-before, gc.int64), size + behind, gc.constant(1, gc.int64))
    if mode == "edge":
        return gc.clip_by_value(line, gc.constant(0, gc.int64), size - 1)
    if mode == "wrap":
        return gc.floormod(line, size)
    raise node.refuse(f"mode {mode!r} needs the size of the axis while the graph is built")


@onnx_op("OneHot")
def one_hot(node: Node, indices: Any, depth: Any, values: Any) -> Any:
    count = gc.cast(gc.reshape(depth, []), gc.int32)
    places = gc.cast(indices, gc.int64)
    places = gc.where_v2(gc.less(places, gc.constant(0, gc.int64)), places + gc.cast(count, gc.int64), places)
    axis = node.axis(indices, node.attr("axis", -1), extra=1)
    return gc.one_hot(places, count, values[1], values[0], axis=axis)


@onnx_op("NonZero")
def non_zero(node: Node, x: Any) -> Any:
    return gc.transpose(gc.where(x if x.dtype == gc.bool else gc.not_equal(x, full_like(x, 0))))


@onnx_op("Compress")
def compress(node: Node, x: Any, condition: Any) -> Any:
    axis = node.attr("axis")
    if axis is None:
        x, axis = gc.reshape(x, [-1]), 0
    places = gc.squeeze(gc.where(condition), [1])
    return gc.gather(x, places, axis=node.axis(x, axis))


@onnx_op("TopK")
def top_k(node: Node, x: Any, k: Any = None) -> Any:
    count = gc.cast(gc.reshape(k, []), gc.int32) if k is not None else node.need("k")
    axis, last = node.axis(x, node.attr("axis", -1)), node.rank(x) - 1
    perm = list(range(last + 1))
    perm[axis], perm[last] = perm[last], perm[axis]
    row = gc.transpose(x, perm)
    if not node.attr("largest", 1):
        row = gc.bitwise.invert(row) if row.dtype.is_integer else gc.negative(row)
    values, places = gc.nn.top_k(row, count)
    if not node.attr("largest", 1):
        values = gc.bitwise.invert(values) if row.dtype.is_integer else gc.negative(values)
    return gc.transpose(values, perm), gc.cast(gc.transpose(places, perm), gc.int64)
