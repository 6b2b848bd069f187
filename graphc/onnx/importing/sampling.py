"""Elements read between the places of a grid, or written to many of them: GridSample, AffineGrid, RoiAlign, DeformConv,
Col2Im."""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.importing.convolutions import with_bias
from graphc.onnx.importing.rules import Node, full_like, onnx_op, shape_vector, sizes_of, static_sizes


def _number(value: Any, like: Any) -> Any:
    """A size as a scalar of the dtype of `like`."""
    return gc.cast(value, like.dtype) if isinstance(value, gc.Tensor) else full_like(like, value)


def _product(sizes: Sequence[Any]) -> Any:
    result: Any = 1
    for n in sizes:
        result = result * n
    return result


def _reflected(x: Any, low: Any, high: Any) -> Any:
    """x between low and high, turned back at both as often as needed."""
    length = high - low
    twice = gc.maximum(length + length, full_like(x, 1e-30))
    distance = gc.floormod(gc.abs(x - low), twice)
    return low + gc.minimum(distance, twice - distance)


class Sampler:
    """Reads x [batch, channels, spatial...] at float places, one tensor [batch, points] an axis.

    padding: what stands outside, "zeros", "border" or "reflection"; align_corners: whether the borders go through the
    middles of the outermost elements; by_taps: each tap comes inside by itself, as of cubic ones, not their middle.
    """

    def __init__(self, x: Any, padding: str, align_corners: bool, by_taps: bool = False) -> None:
        sizes = sizes_of(x)
        self.by_taps = by_taps
        self.padding, self.batch, self.channels, self.sizes = padding, sizes[0], sizes[1], sizes[2:]
        rank = len(sizes)
        flat = gc.transpose(x, [0, *range(2, rank), 1])
        self.rows = gc.reshape(flat, shape_vector([self.batch, _product(self.sizes), self.channels]))
        edge = 0.0 if align_corners else 0.5
        self.borders = [(-edge, edge)] * len(self.sizes)

    def read(self, places: list[Any], weights: Any) -> Any:
        """[batch, points, channels]: the sum over all taps. weights(place) gives (offset, weight) pairs of one axis."""
        taps = [list(weights(self._inside(place, axis))) for axis, place in enumerate(places)]
        total = None
        for chosen in itertools.product(*taps):
            index: Any = None
            weight = None
            for axis, (at, w) in enumerate(chosen):
                number, w = self._element(at, w, axis)
                index = number if index is None else index * _number(self.sizes[axis], number) + number
                weight = w if weight is None else weight * w
            part = gc.gather(self.rows, gc.cast(index, gc.int64), axis=1, batch_dims=1)
            part = part * gc.cast(gc.expand_dims(weight, -1), part.dtype)
            total = part if total is None else total + part
        return total

    def _limits(self, axis: int, like: Any) -> tuple[Any, Any]:
        low, high = self.borders[axis]
        return full_like(like, low), _number(self.sizes[axis], like) - full_like(like, 1) + full_like(like, high)

    def _inside(self, place: Any, axis: int) -> Any:
        top = _number(self.sizes[axis], place) - full_like(place, 1)
        if self.padding == "border" and not self.by_taps:
            return gc.clip_by_value(place, full_like(place, 0), top)
        return _reflected(place, *self._limits(axis, place)) if self.padding == "reflection" else place

    def _element(self, at: Any, weight: Any, axis: int) -> tuple[Any, Any]:
        """The element that stands at a whole place, and its weight: 0 outside, if there are zeros."""
        zero, top = full_like(at, 0), _number(self.sizes[axis], at) - full_like(at, 1)
        if self.padding == "reflection":
            return gc.clip_by_value(gc.round(_reflected(at, *self._limits(axis, at))), zero, top), weight
        if self.padding == "zeros":
            outside = gc.logical_or(gc.less(at, zero), gc.greater(at, top))
            weight = gc.where_v2(outside, gc.zeros_like(weight), weight)
        return gc.clip_by_value(at, zero, top), weight


def _nearest(place: Any) -> list[tuple[Any, Any]]:
    return [(gc.round(place), gc.ones_like(place))]


def _linear(place: Any) -> list[tuple[Any, Any]]:
    first = gc.floor(place)
    ratio, one = place - first, full_like(place, 1)
    return [(first, one - ratio), (first + one, ratio)]


def _cubic(place: Any) -> list[tuple[Any, Any]]:
    """Keys' cubic convolution with a = -0.75."""
    first, a = gc.floor(place), -0.75
    made = []
    for offset in (-1, 0, 1, 2):
        d = gc.abs(place - first - full_like(place, offset))
        c = [full_like(place, v) for v in (a, 5 * a, 8 * a, 4 * a, a + 2, a + 3, 1)]
        near = (c[4] * d - c[5]) * d * d + c[6]
        far = ((c[0] * d - c[1]) * d + c[2]) * d - c[3]
        made.append((first + full_like(place, offset), near if offset in (0, 1) else far))
    return made


_TAPS = {"nearest": _nearest, "linear": _linear, "bilinear": _linear, "cubic": _cubic, "bicubic": _cubic}


@onnx_op("GridSample")
def grid_sample(node: Node, x: Any, grid: Any) -> Any:
    """grid [batch, points..., axes]: places from -1 to 1, the last axis of x first."""
    mode, aligned = node.attr("mode", "linear"), bool(node.attr("align_corners", 0))
    rank = node.rank(x) - 2
    if mode not in _TAPS or node.rank(grid) != rank + 2:
        raise node.refuse(f"mode {mode!r} with a grid of rank {node.rank(grid)} is not supported")
    sampler = Sampler(x, node.attr("padding_mode", "zeros"), aligned, by_taps="cubic" in mode)
    points = sizes_of(grid)[1:-1]
    flat = gc.reshape(grid, shape_vector([sizes_of(grid)[0], _product(points), rank]))
    places = []
    for axis, size in enumerate(sampler.sizes):
        at, length = flat[..., rank - 1 - axis] + full_like(grid, 1), _number(size, grid)
        one, half = full_like(grid, 1), full_like(grid, 0.5)
        places.append(at * half * (length - one) if aligned else (at * length - one) * half)
    y = gc.transpose(sampler.read(places, _TAPS[mode]), [0, 2, 1])
    return gc.reshape(y, shape_vector([sampler.batch, sampler.channels, *points]))


@onnx_op("AffineGrid")
def affine_grid(node: Node, theta: Any, size: Any) -> Any:
    """Places from -1 to 1 under an affine map, for a picture or volume of size [batch, channels, spatial...]."""
    count = static_sizes(size)[0] or len(node.known_list(size, "the length of `size`"))
    if count not in (4, 5):
        raise node.refuse("the length of `size` must be known to be 4 or 5")
    rank = count - 2
    known = node.maybe_known(size)
    sizes = [int(n) for n in known] if known is not None else [size[i] for i in range(count)]
    lines = []
    for axis, n in enumerate(sizes[2:]):
        at, length = gc.cast(gc.range(gc.cast(n, gc.int64)), theta.dtype), _number(n, theta)
        one, two = full_like(theta, 1), full_like(theta, 2)
        line = at * two / gc.maximum(length - one, one) - one if node.attr("align_corners", 0) \
            else (at * two + one) / length - one
        shaped = gc.reshape(line, [-1 if i == axis else 1 for i in range(rank)])
        lines.append(gc.broadcast_to(shaped, shape_vector(sizes[2:])))
    whole = gc.stack([*reversed(lines), gc.ones_like(lines[0])], -1)
    flat = gc.reshape(whole, [1, -1, rank + 1])
    made = gc.matmul(flat, gc.transpose(theta, [0, 2, 1]))
    return gc.reshape(made, shape_vector([sizes[0], *sizes[2:], rank]))


@onnx_op("DeformConv")
def deformable_conv(node: Node, x: Any, w: Any, offset: Any, bias: Any = None, mask: Any = None) -> Any:
    """A convolution of pictures whose taps are moved by offset [batch, groups * taps * 2, rows, columns]."""
    kernel = static_sizes(w)[2:]
    if len(kernel) != 2 or None in kernel:
        raise node.refuse(f"a kernel {kernel}: two axes of known sizes are supported")
    strides, dilations = node.attr("strides") or [1, 1], node.attr("dilations") or [1, 1]
    pads, own_groups, groups = node.attr("pads") or [0] * 4, node.attr("offset_group", 1), node.attr("group", 1)
    batch, channels = sizes_of(x)[:2]
    rows, columns = sizes_of(offset)[2:]
    taps = kernel[0] * kernel[1]
    moved = gc.reshape(offset, shape_vector([batch * own_groups, taps, 2, rows, columns]))
    sampler = Sampler(gc.reshape(x, shape_vector([batch * own_groups, channels // own_groups, *sizes_of(x)[2:]])),
                      "zeros", True)
    places = []
    for axis, n in enumerate((rows, columns)):
        count = gc.cast(gc.range(gc.cast(n, gc.int64)), x.dtype)
        first = count * full_like(x, strides[axis]) - full_like(x, pads[axis])
        tap = [i[axis] * dilations[axis] for i in np.ndindex(*kernel)]
        at = gc.reshape(gc.constant(tap, x.dtype), [1, taps, 1, 1]) + \
            gc.reshape(first, [1, 1, -1, 1] if axis == 0 else [1, 1, 1, -1])
        places.append(gc.reshape(moved[:, :, axis] + at, shape_vector([batch * own_groups, taps * rows * columns])))
    read = gc.transpose(sampler.read(places, _linear), [0, 2, 1])
    if mask is not None:
        read = read * gc.reshape(mask, shape_vector([batch * own_groups, 1, taps * rows * columns]))
    inputs = gc.reshape(read, shape_vector([batch, groups, channels // groups * taps, rows * columns]))
    filters = gc.reshape(w, shape_vector([1, groups, sizes_of(w)[0] // groups, sizes_of(w)[1] * taps]))
    y = gc.reshape(gc.matmul(filters, inputs), shape_vector([batch, sizes_of(w)[0], rows, columns]))
    return y if bias is None else with_bias(y, bias, 4)


@onnx_op("Col2Im")
def columns_to_image(node: Node, x: Any, image_shape: Any, block_shape: Any) -> Any:
    """The sum of blocks [batch, channels * taps, blocks] at their places in an image."""
    image = [int(n) for n in node.known_list(image_shape, "image_shape")]
    block = [int(n) for n in node.known_list(block_shape, "block_shape")]
    rank = len(image)
    strides, dilations = node.attr("strides") or [1] * rank, node.attr("dilations") or [1] * rank
    pads = node.attr("pads") or [0] * 2 * rank
    counts = [(n + a + b - (k - 1) * d - 1) // s + 1 for n, a, b, k, d, s in
              zip(image, pads[:rank], pads[rank:], block, dilations, strides, strict=True)]
    places = np.zeros((*block, *counts), np.int64)
    inside = np.ones_like(places, bool)
    grid = np.indices(places.shape)
    for axis in range(rank):
        at = grid[axis] * dilations[axis] + grid[rank + axis] * strides[axis] - pads[axis]
        inside &= (at >= 0) & (at < image[axis])
        places = places * image[axis] + at
    numbers = np.where(inside, places, -1).reshape(-1)
    batch = sizes_of(x)[0]
    taps = int(np.prod(block))
    rows = gc.reshape(x, shape_vector([-1, taps * int(np.prod(counts))]))
    summed = gc.unsorted_segment_sum(gc.transpose(rows), numbers, int(np.prod(image)))
    return gc.reshape(gc.transpose(summed), shape_vector([batch, -1, *image]))
