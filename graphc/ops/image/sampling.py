"""Where a resized axis takes its elements from: places in the old axis for each place in the new one, as TF finds them.

All in float32, as TensorFlow: the scale is old size / new size (with align_corners, the sizes less 1), and the place
of the new i is i * scale, with half_pixel_centers (i + 0.5) * scale - 0.5. `Sampler` writes it into a plan; what
references do with NumPy stands in `places`.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, float64, int32, int64
from graphc.ir.records import dataclass

# (index, weights): int32 and float32 accesses along the new axis
Tap = tuple[Any, Any]


@dataclass(frozen=True)
class Sampler:
    """Writes the places of one axis. b: the plan's builder; old, new: the sizes."""

    b: Any
    old: Size
    new: Size
    align_corners: bool
    half_pixel_centers: bool

    def map(self, function: Callable[..., Any], dtypes: Sequence[DType]) -> list[Any]:
        """Vectors over the new axis: function(s, place, last) of the scalars of a place and of the last old index.

        place is float32, last an int64.
        """
        made = [self.b.temporary(dtype, (self.new,)) for dtype in dtypes]
        self._fill(function, made)
        return made

    def _fill(self, function: Callable[..., Any], made: Sequence[Any]) -> None:
        sizes = self.b.temporary(int64, (2,))
        self.b.store_sizes([self.old, self.new], sizes)

        def element(s: Any, old: Any, new: Any) -> Any:
            one = s.constant(1, int64)
            return function(s, self._place(s, old, new), s("sub", old, one))

        self.b.map(element, [sizes.select(0, i).broadcast((self.new,)) for i in range(2)], made)

    def scale(self, s: Any, old: Any, new: Any) -> Any:
        one = s.constant(1, int64)
        plain = s("div", s.cast(old, float32), s.cast(new, float32))
        if not self.align_corners:
            return plain
        corners = s("div", s.cast(s("sub", old, one), float32), s.cast(s("sub", new, one), float32))
        return s("select", s("less", one, new), corners, plain)

    def _place(self, s: Any, old: Any, new: Any) -> Any:
        index, scale = s.cast(s.index(0), float32), self.scale(s, old, new)
        if not self.half_pixel_centers:
            return s("mul", index, scale)
        half = s.constant(0.5, float32)
        return s("sub", s("mul", s("add", index, half), scale), half)

    def nearest(self) -> Any:
        """The old index for each new one."""
        def found(s: Any, place: Any, last: Any) -> Any:
            half = s.constant(0.5, float32)
            if self.half_pixel_centers:
                place = s("add", place, half)
            low = s("floor", place)
            if self.align_corners:             # rounded, halves away from 0
                up = s("less_equal", half, s("sub", place, low))
                low = s("select", up, s("add", low, s.constant(1, float32)), low)
            return _within(s, low, last)

        return self.map(found, [int32])[0]

    def linear(self) -> tuple[Any, Any, Any]:
        """The old indices below and above each place, and how far it is from the one below."""
        def found(s: Any, place: Any, last: Any) -> Any:
            low = s("floor", place)
            return (_within(s, low, last), _within(s, s("add", low, s.constant(1, float32)), last),
                    s("sub", place, low))

        low, high, part = self.map(found, [int32, int32, float32])
        return low, high, part

    def cubic(self) -> list[Tap]:
        """Four old indices for each place, and their weights by bicubic convolution."""
        return list(zip(self.map(self._cubic_indices, [int32] * 4), self.map(self._cubic_weights, [float32] * 4),
                        strict=True))

    def cubic_table(self) -> Tap:
        """The same as matrices with a row for each place."""
        index, weight = (self.b.temporary(dtype, (self.new, 4)) for dtype in (int32, float32))
        for function, made in ((self._cubic_indices, index), (self._cubic_weights, weight)):
            self._fill(function, [made.select(1, k) for k in range(4)])
        return index, weight

    def _cubic_indices(self, s: Any, place: Any, last: Any) -> Any:
        low = s.cast(s("floor", place), int64)
        return tuple(_within(s, s("add", low, s.constant(k, int64)), last) for k in (-1, 0, 1, 2))

    def _cubic_weights(self, s: Any, place: Any, last: Any) -> Any:
        low = s("floor", place)
        # TF takes the weights from a table of 1024 steps.
        steps = s.cast(s("round", s("mul", s("sub", place, low), s.constant(1024.0, float32))), float64)
        found = []
        for k in (-1, 0, 1, 2):
            near = s("mul", s("sub", steps, s.constant(1024.0 * k, float64)), s.constant(1 / 1024, float64))
            weight = _cubic(s, s("abs", near), k in (0, 1), -0.5 if self.half_pixel_centers else -0.75)
            if self.half_pixel_centers:        # places outside of the picture count nothing
                index = s("add", s.cast(low, int64), s.constant(k, int64))
                inside = s("and", s("less_equal", s.constant(0, int64), index), s("less_equal", index, last))
                weight = s("select", inside, weight, s.constant(0.0, float32))
            found.append(weight)
        if self.half_pixel_centers:
            total = s("add", s("add", s("add", found[0], found[1]), found[2]), found[3])
            factor = s("div", s.constant(1.0, float32), total)
            found = [s("mul", w, factor) for w in found]
        return tuple(found)

    def areas(self) -> Any:
        """A matrix: how much of each old place (column) lies in the cell of each new one (row), a row's sum is 1."""
        made = self.b.temporary(float32, (self.new, self.old))
        sizes = self.b.temporary(int64, (2,))
        self.b.store_sizes([self.old, self.new], sizes)

        def element(s: Any, old: Any, new: Any) -> Any:
            scale, one, zero = self.scale(s, old, new), s.constant(1.0, float32), s.constant(0.0, float32)
            row, column = s.cast(s.index(0), float32), s.cast(s.index(1), float32)
            begin, end = s("mul", row, scale), s("mul", s("add", row, one), scale)
            # The last old place counts for what lies after it, too.
            is_last = s("equal", s("add", s.index(1), s.constant(1, int64)), old)
            right = s("select", is_last, s("max", end, s("add", column, one)), s("add", column, one))
            part = s("sub", s("min", end, right), s("max", begin, column))
            return s("div", s("max", part, zero), scale)

        self.b.map(element, [sizes.select(0, i).broadcast(made.shape) for i in range(2)], [made])
        return made


def area_table(b: Any, old: Size, new: int) -> Tap:
    """Matrices with a row for each new place: which old places lie in its cell, and how much of each; a row's sum is
    1."""
    sampler = Sampler(b, old, new, align_corners=False, half_pixel_centers=False)
    taps = dims.floordiv(old, new) + 3       # one at either end may be cut, and places are rounded
    made = [b.temporary(dtype, (new, taps)) for dtype in (int32, float32)]
    sizes = b.temporary(int64, (2,))
    b.store_sizes([old, new], sizes)

    def element(s: Any, old: Any, new: Any) -> Any:
        scale, one, zero = sampler.scale(s, old, new), s.constant(1.0, float32), s.constant(0.0, float32)
        row, last = s.cast(s.index(0), float32), s("sub", old, s.constant(1, int64))
        begin, end = s("mul", row, scale), s("mul", s("add", row, one), scale)
        index = s("add", s("min", s.cast(s("floor", begin), int64), last), s.index(1))
        place = s.cast(index, float32)
        # The last old place counts for what lies after it, too.
        right = s("select", s("equal", index, last), s("max", end, s("add", place, one)), s("add", place, one))
        part = s("max", s("sub", s("min", end, right), s("max", begin, place)), zero)
        weight = s("select", s("less_equal", index, last), s("div", part, scale), zero)
        return s.cast(s("min", index, last), int32), weight

    b.map(element, [sizes.select(0, i).broadcast(made[0].shape) for i in range(2)], made)
    return made[0], made[1]


def _cubic(s: Any, x: Any, is_near: bool, a: float) -> Any:
    """The convolution's kernel at distance x >= 0: within 1 if it is near, else from 1 to 2."""
    def c(value: float) -> Any:
        return s.constant(value, float64)

    if is_near:
        inner = s("mul", s("mul", s("sub", s("mul", c(a + 2), x), c(a + 3)), x), x)
        return s.cast(s("add", inner, c(1.0)), float32)
    inner = s("add", s("mul", s("sub", s("mul", c(a), x), c(5 * a)), x), c(8 * a))
    return s.cast(s("sub", s("mul", inner, x), c(4 * a)), float32)


def _within(s: Any, index: Any, last: Any) -> Any:
    found = s("min", s("max", s.cast(index, int64), s.constant(0, int64)), last)
    return s.cast(found, int32)


def along(x: Any, axis: int) -> Any:
    """A vector as something that broadcasts along the axis of a picture (1: rows, 2: columns)."""
    for _ in range(3 - axis):
        x = x.expand(x.rank)
    return x


def gathered(b: Any, x: Any, index: Any, axis: int) -> Any:
    """The elements of x at `index` along an axis."""
    x = b.contiguous(x)
    made = b.temporary(x.dtype, (*x.shape[:axis], index.shape[0], *x.shape[axis + 1:]))
    b.call("gather", [x, index, made], axis_sizes(x.shape, axis, index.shape[0]))
    return made


def scattered(b: Any, x: Any, index: Any, axis: int, size: Size) -> Any:
    """Zeros to which the elements of x are added at `index` along an axis, that gets `size` places."""
    x = b.contiguous(x)
    shape = (*x.shape[:axis], size, *x.shape[axis + 1:])
    made = b.temporary(x.dtype, shape)
    b.call("scatter_add", [x, index, made], axis_sizes(shape, axis, index.shape[0]))
    return made


def axis_sizes(shape: Sequence[Size], axis: int, count: Size) -> list[Size]:
    """Of kernels that take an axis of x to one of `count` places: what is outside, the axis, what is inside, count."""
    return [dims.product(shape[:axis]), shape[axis], dims.product(shape[axis + 1:]), count]


# The same in NumPy, for references.

def scale(old: int, new: int, align_corners: bool) -> np.float32:
    if align_corners and new > 1:
        return np.float32(old - 1) / np.float32(new - 1)
    return np.float32(old) / np.float32(new)


def places(old: int, new: int, align_corners: bool, half_pixel_centers: bool) -> np.ndarray:
    index = np.arange(new, dtype=np.float32)
    if half_pixel_centers:
        return (index + np.float32(0.5)) * scale(old, new, align_corners) - np.float32(0.5)
    return index * scale(old, new, align_corners)


def check_centers(align_corners: bool, half_pixel_centers: bool) -> None:
    if align_corners and half_pixel_centers:
        raise ValueError("If half_pixel_centers is True, align_corners must be False.")
