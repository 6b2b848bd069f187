"""RoiAlign: regions of a picture, each read at points between its elements, and pooled."""
from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc.onnx.importing.rules import Node, full_like, onnx_op, shape_vector, sizes_of

Pair = tuple[Any, Any]             # of the rows and of the columns


@dataclass(frozen=True)
class Pictures:
    """rows [all places of all pictures, channels]; size: (height, width); cells: of each region; half: whether places
    are counted from the middles of elements; is_mean: else the maximum."""

    rows: Any
    size: Pair
    cells: tuple[int, int]
    half: bool
    is_mean: bool


@onnx_op("RoiAlign")
def roi_align(node: Node, x: Any, rois: Any, batch_indices: Any) -> Any:
    """Regions [x1, y1, x2, y2] of x, each as output_height x output_width means (or maxima) of sampled points."""
    mode = node.attr("coordinate_transformation_mode", "half_pixel" if node.version >= 16 else "output_half_pixel")
    half = mode == "half_pixel"
    corners = rois * full_like(rois, node.attr("spatial_scale", 1.0)) - full_like(rois, 0.5 if half else 0.0)
    channels, height, width = sizes_of(x)[1:]
    rows = gc.reshape(gc.transpose(x, [0, 2, 3, 1]), shape_vector([-1, channels]))
    cells = node.attr("output_height", 1), node.attr("output_width", 1)
    pictures = Pictures(rows, (height, width), cells, half, node.attr("mode", "avg") == "avg")
    first = gc.reshape(gc.cast(batch_indices, gc.int64) * gc.cast(height * width, gc.int64), [-1, 1])
    count = node.attr("sampling_ratio", 0)
    pooled = _pooled(pictures, corners, first, (count, count)) if count else _one_by_one(pictures, corners, first)
    return gc.transpose(pooled, [0, 3, 1, 2])


def _one_by_one(pictures: Pictures, corners: Any, first: Any) -> Any:
    """Each region with a number of points of its own: one for each element that a cell covers."""
    def region(i: Any) -> Any:
        own = corners[i:i + 1]
        counts = [gc.cast(gc.ceil(_length(pictures, own, axis)[0, 0] / full_like(own, pictures.cells[axis])), gc.int64)
                  for axis in (0, 1)]
        return _pooled(pictures, own, first[i:i + 1], (counts[0], counts[1]))[0]

    indices = gc.range(gc.shape(corners)[0])
    made = gc.map_fn(region, indices, dtype=corners.dtype)
    return gc.reshape(made, shape_vector([sizes_of(corners)[0], *pictures.cells, sizes_of(pictures.rows)[1]]))


def _length(pictures: Pictures, corners: Any, axis: int) -> Any:
    """[regions, 1]: of the rows (axis 0) or columns."""
    start, end = corners[:, 1 - axis:2 - axis], corners[:, 3 - axis:4 - axis]
    return end - start if pictures.half else gc.maximum(end - start, full_like(corners, 1))


def _pooled(pictures: Pictures, corners: Any, first: Any, counts: Pair) -> Any:
    """[regions, cells, cells, channels]; counts: of points of a cell; first [regions, 1]: where each picture begins."""
    y_taps, x_taps = (_taps(pictures, corners, axis, counts[axis]) for axis in (0, 1))
    width = gc.cast(pictures.size[1], gc.int64)
    parts = []
    for (y, wy), (at, wx) in itertools.product(y_taps, x_taps):
        index = gc.expand_dims(first + y * width, 2) + gc.expand_dims(at, 1)
        weight = gc.expand_dims(gc.expand_dims(wy, 2) * gc.expand_dims(wx, 1), -1)
        parts.append(gc.gather(pictures.rows, index) * weight)
    (high, wide), channels = pictures.cells, sizes_of(pictures.rows)[1]
    shape = shape_vector([sizes_of(corners)[0], high, counts[0], wide, counts[1], channels])
    if pictures.is_mean:
        total = gc.reduce_sum(gc.reshape(gc.add_n(parts), shape), [2, 4])
        points = gc.cast(counts[0] * counts[1], corners.dtype)
        return total / gc.maximum(points, full_like(corners, 1))
    value = parts[0]
    for part in parts[1:]:
        value = gc.maximum(value, part)
    found = gc.reduce_max(gc.reshape(value, shape), [2, 4])
    return gc.where_v2(gc.is_inf(found), gc.zeros_like(found), found)            # of a region without points


def _taps(pictures: Pictures, corners: Any, axis: int, count: Any) -> list[Pair]:
    """(whole place, weight) of the two taps of each point of one axis: [regions, cells * count]."""
    points = gc.cast(pictures.cells[axis] * count, gc.int64)
    half, one, zero = (full_like(corners, value) for value in (0.5, 1, 0))
    at = (gc.cast(gc.range(points), corners.dtype) + half) / gc.cast(points, corners.dtype)
    place = corners[:, 1 - axis:2 - axis] + _length(pictures, corners, axis) * gc.expand_dims(at, 0)
    limit = gc.cast(pictures.size[axis], corners.dtype)
    outside = gc.logical_or(gc.less(place, -one), gc.greater(place, limit))
    inside = gc.clip_by_value(place, zero, limit - one)
    low = gc.floor(inside)
    ratio = inside - low
    high = gc.minimum(low + one, limit - one)
    return [(gc.cast(whole, gc.int64), gc.where_v2(outside, gc.zeros_like(w), w))
            for whole, w in ((low, one - ratio), (high, ratio))]
