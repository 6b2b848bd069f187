"""Resize, Upsample: each axis for itself, as a weighted sum of a few old elements for each new one.

Where a new element lies among the old ones is computed in the graph, in float64: with sizes that are known it is a
constant in the end, and with others it follows the sizes of each run. Pictures of float32 and of known height and width
that are resized linearly are left to ResizeBilinear, which has a kernel of its own.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.importing.rules import Node, onnx_op, sizes_of, static_sizes

Numbers = Any                      # float64 tensors or Python floats


@dataclass(frozen=True)
class Axis:
    """An axis that changes: old and new size (ints or int64 scalars), scale, and the region's (start, end), or None."""

    index: int
    old: Any
    new: Any
    scale: Numbers
    region: tuple[Numbers, Numbers] | None


def _f64(value: Any) -> Any:
    return gc.cast(value, gc.float64) if isinstance(value, gc.Tensor) else gc.constant(float(value), gc.float64)


@onnx_op("Upsample")
def upsample(node: Node, x: Any, scales: Any = None) -> Any:
    """Before version 11 places were asymmetric, and nearest ones below."""
    factors = node.known_list(scales, "scales") if scales is not None else node.need("scales")
    older = node.with_defaults(coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    return _resized(older, x, _by_scales(x, list(enumerate(factors)), {}))


@onnx_op("Resize")
def resize_10(node: Node, x: Any, scales: Any) -> Any:
    return upsample(node, x, scales)


@onnx_op("Resize", since=11)
def resize(node: Node, x: Any, roi: Any = None, scales: Any = None, sizes: Any = None) -> Any:
    places = [node.axis(x, a) for a in node.attr("axes") or range(node.rank(x))]
    regions = {}
    if node.attr("coordinate_transformation_mode") == "tf_crop_and_resize":
        given = node.known_list(roi, "roi")
        regions = {a: (given[i], given[i + len(places)]) for i, a in enumerate(places)}
    if sizes is None or static_sizes(sizes) == [0]:
        if scales is None:
            raise node.invalid("it has neither scales nor sizes")
        factors = node.known_list(scales, "scales")
        return _resized(node, x, _by_scales(x, list(zip(places, factors, strict=True)), regions))
    return _resized(node, x, _by_sizes(node, x, places, sizes, regions))


def _by_scales(x: Any, factors: list[tuple[int, float]], regions: dict[int, Any]) -> list[Axis]:
    made, old = [], sizes_of(x)
    for i, factor in factors:
        if i in regions:
            start, end = regions[i]
            length = _f64(old[i]) * gc.constant(factor * (end - start), gc.float64)
        else:
            length = _f64(old[i]) * gc.constant(factor, gc.float64)
        new: Any = int(np.floor(old[i] * factor * (1 if i not in regions else regions[i][1] - regions[i][0]))) \
            if isinstance(old[i], int) else gc.cast(gc.floor(length), gc.int64)
        if factor != 1.0 or i in regions:
            made.append(Axis(i, old[i], new, factor, regions.get(i)))
    return made


def _by_sizes(node: Node, x: Any, places: list[int], sizes: Any, regions: dict[int, Any]) -> list[Axis]:
    old = sizes_of(x)
    policy = node.attr("keep_aspect_ratio_policy", "stretch")
    known = node.maybe_known(sizes) if policy == "stretch" and not node.attr("antialias", 0) else \
        node.known(sizes, "sizes")
    new = [int(n) for n in known] if known is not None else [gc.cast(sizes[i], gc.int64) for i in range(len(places))]
    scales = [n / max(old[i], 1) if isinstance(n, int) and isinstance(old[i], int) else _f64(n) / _f64(old[i])
              for i, n in zip(places, new, strict=True)]
    if policy != "stretch":
        if not all(isinstance(s, float) for s in scales):
            raise node.refuse(f"keep_aspect_ratio_policy {policy!r} needs an input of known sizes")
        scale = min(scales) if policy == "not_larger" else max(scales)
        scales = [scale] * len(scales)
        new = [int(np.floor(scale * old[i] + 0.5)) for i in places]
    return [Axis(i, old[i], n, s, regions.get(i)) for i, n, s in zip(places, new, scales, strict=True)
            if i in regions or not (isinstance(n, int) and n == old[i])]


def _resized(node: Node, x: Any, axes: list[Axis]) -> Any:
    """Outside of the tensor (a region may reach there) stands extrapolation_value."""
    dtype = x.dtype
    mode = node.attr("mode", "nearest")
    if mode == "linear" and _is_bilinear(node, x, axes):
        return _bilinear(node, x, axes)
    wide = x if dtype in (gc.float32, gc.float64) or mode == "nearest" else gc.cast(x, gc.float32)
    for axis in axes:
        place = _places(node, axis)
        y = _nearest(node, wide, axis, place) if mode == "nearest" else _weighted(node, wide, axis, place)
        if axis.region is not None:
            outside = gc.logical_or(gc.less(place, _f64(0)), gc.greater(place, _f64(axis.old) - _f64(1)))
            fill = gc.constant(node.attr("extrapolation_value", 0.0), wide.dtype)
            y = gc.where_v2(_spread(outside, axis, node.rank(x)), fill, y)
        wide = y
    return gc.identity(wide) if wide.dtype == dtype else gc.cast(
        gc.round(wide) if dtype.is_integer else wide, dtype)


# The words for where elements lie, as ResizeBilinear has them.
_CENTERS = {"half_pixel": {"half_pixel_centers": True}, "pytorch_half_pixel": {"half_pixel_centers": True},
            "align_corners": {"align_corners": True}, "asymmetric": {}}


def _is_bilinear(node: Node, x: Any, axes: list[Axis]) -> bool:
    """Whether ResizeBilinear means the same: it takes its scales from the sizes, and some modes differ for size 1."""
    return (x.dtype == gc.float32 and node.rank(x) == 4 and [axis.index for axis in axes] == [2, 3]
            and not node.attr("antialias", 0) and not node.attr("exclude_outside", 0)
            and node.attr("coordinate_transformation_mode", "half_pixel") in _CENTERS
            and all(isinstance(a.old, int) and isinstance(a.new, int) and a.new > 1 and a.old * a.scale == a.new
                    for a in axes))


def _bilinear(node: Node, x: Any, axes: list[Axis]) -> Any:
    """The transposes meet those of the convolutions around it (passes/images/layout.py)."""
    centers = _CENTERS[node.attr("coordinate_transformation_mode", "half_pixel")]
    made = gc.image.resize_bilinear(gc.transpose(x, [0, 2, 3, 1]), [axis.new for axis in axes], **centers)
    return gc.transpose(made, [0, 3, 1, 2])


def _places(node: Node, axis: Axis) -> Any:
    """Where each new element lies among the old ones, float64."""
    at = gc.cast(gc.range(gc.cast(axis.new, gc.int64)), gc.float64)
    old, scale, half, one = _f64(axis.old), _f64(axis.scale), _f64(0.5), _f64(1)
    length = old * scale
    mode = node.attr("coordinate_transformation_mode", "half_pixel")
    if mode == "half_pixel":
        return (at + half) / scale - half
    if mode == "pytorch_half_pixel":
        return gc.where_v2(gc.equal(length, one), gc.fill(gc.shape(at), -half), (at + half) / scale - half)
    if mode == "half_pixel_symmetric":
        offset = old * half * (one - _f64(axis.new) / length)
        return offset + (at + half) / scale - half
    if mode == "asymmetric":
        return at / scale
    if mode == "align_corners":
        if node.build.model.producer_name == "pytorch":
            length = _f64(axis.new)      # whole, as torch itself has it; the standard's own tests mean old * scale
        return gc.div_no_nan(at * (old - one), gc.fill(gc.shape(at), length - one))
    if mode == "tf_crop_and_resize" and axis.region is not None:
        start, end = map(_f64, axis.region)
        inside = gc.where_v2(gc.equal(length, one), gc.fill(gc.shape(at), (end - start) * (old - one) * half),
                             gc.div_no_nan(at * (end - start) * (old - one), gc.fill(gc.shape(at), length - one)))
        return inside + start * (old - one)
    raise node.refuse(f"coordinate_transformation_mode {mode!r} is not known")


def _spread(row: Any, axis: Axis, rank: int) -> Any:
    """A vector along the axis as it broadcasts."""
    return gc.reshape(row, [-1 if i == axis.index else 1 for i in range(rank)])


def _taken(x: Any, axis: Axis, index: Any) -> Any:
    """The old elements at float64 places, those outside by the nearest one inside."""
    inside = gc.clip_by_value(index, _f64(0), _f64(axis.old) - _f64(1))
    return gc.gather(x, gc.cast(inside, gc.int64), axis=axis.index)


def _nearest(node: Node, x: Any, axis: Axis, place: Any) -> Any:
    mode, half = node.attr("nearest_mode", "round_prefer_floor"), _f64(0.5)
    rounded = {"round_prefer_floor": lambda: gc.ceil(place - half), "round_prefer_ceil": lambda: gc.floor(place + half),
               "floor": lambda: gc.floor(place), "ceil": lambda: gc.ceil(place)}.get(mode)
    if rounded is None:
        raise node.refuse(f"nearest_mode {mode!r} is not known")
    return _taken(x, axis, rounded())


def _weighted(node: Node, x: Any, axis: Axis, place: Any) -> Any:
    """The sum of weight * element over the taps around each place."""
    shrink = 1.0
    if node.attr("antialias", 0):
        if not isinstance(axis.scale, float):
            raise node.refuse("antialias needs a scale that is known while the graph is built")
        shrink = min(axis.scale, 1.0)
    reach, weight = {"linear": (1, _linear), "cubic": (2, _cubic(node.attr("cubic_coeff_a", -0.75)))}[
        node.attr("mode")]
    first = int(np.floor(-reach / shrink)) + 1
    base = gc.ceil(place) - _f64(1)                     # the taps at 0 and 1 lie around (base, base + 1]
    ratio = place - base
    taps = [(base + _f64(i), weight((_f64(i) - ratio) * _f64(shrink))) for i in range(first, 2 - first)]
    if node.attr("exclude_outside", 0):
        top = _f64(axis.old) - _f64(1)
        taps = [(at, gc.where_v2(gc.logical_or(gc.less(at, _f64(0)), gc.greater(at, top)), gc.zeros_like(w), w))
                for at, w in taps]
    if node.attr("exclude_outside", 0) or shrink < 1.0:
        total = gc.add_n([w for _, w in taps])
        taps = [(at, w / total) for at, w in taps]
    rank = node.rank(x)
    return gc.add_n([_taken(x, axis, at) * _spread(gc.cast(w, x.dtype), axis, rank) for at, w in taps])


def _linear(distance: Any) -> Any:
    return gc.maximum(_f64(1) - gc.abs(distance), _f64(0))


def _cubic(a: float) -> Any:
    def weight(distance: Any) -> Any:
        d = gc.abs(distance)
        near = ((_f64(a + 2) * d - _f64(a + 3)) * d) * d + _f64(1)
        far = ((_f64(a) * d - _f64(5 * a)) * d + _f64(8 * a)) * d - _f64(4 * a)
        return gc.where_v2(gc.less_equal(d, _f64(1)), near, gc.where_v2(gc.less(d, _f64(2)), far, gc.zeros_like(d)))
    return weight
