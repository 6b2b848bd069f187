"""Kernels that go through the taps of windows: depthwise convolutions, the depth of volumes, grey-scale dilation.

A thread makes one element and adds in the order of the CPU's kernels, products with fused multiply-adds. A tap that
lies outside of the picture is passed over.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from graphc.exec.cuda.code.builder import KernelBuilder, Value
from graphc.exec.cuda.code.short_floats import rounded_to

SIZES = ("h", "w", "c", "kh", "kw", "oh", "ow", "pad_top", "pad_left")
STEPS = ("stride_h", "stride_w", "rate_h", "rate_w")


@dataclass(frozen=True)
class Axis:
    """One axis of windows: taps `rate` apart, windows `stride`, the first one `pad` before the picture."""

    k: KernelBuilder
    size: Value
    taps: Value
    windows: Value
    pad: Value
    stride: Value
    rate: Value

    @contextmanager
    def seen(self, window: Value) -> Iterator[tuple[Value, Value]]:
        """Each tap of a window that lies in the picture, and where."""
        with self.k.loop(0, self.taps) as tap:
            place = window * self.stride - self.pad + tap * self.rate
            with self.k.when(place.inside(0, self.size)):
                yield tap, place

    @contextmanager
    def seers(self, place: Value) -> Iterator[tuple[Value, Value]]:
        """Each tap that sees a place from some window, and the window."""
        with self.k.loop(0, self.taps) as tap:
            shift = place + self.pad - tap * self.rate
            safe = self.k.greatest(shift, 0)
            window = safe // self.stride
            with self.k.when((shift >= 0) & safe.equals(window * self.stride) & (window < self.windows)):
                yield tap, window


    @contextmanager
    def viewers(self, place: Value, dense: bool) -> Iterator[tuple[Value, Value]]:
        """Each window that sees a place, and by which tap, in the order of windows. dense: taps are neighbours."""
        k, at = self.k, place + self.pad
        early = k.greatest(at - (self.taps - 1) * self.rate, 0)
        first = k.parts(early + self.stride - 1, self.stride)[0]
        last = k.parts(k.greatest(at, 0), self.stride)[0]
        end = k.choose(at < 0, 0, k.least(last + 1, self.windows))
        with k.loop(first, end) as window:
            shift = at - window * self.stride
            if dense:
                yield shift, window
                return
            tap, rest = k.parts(shift, self.rate)
            with k.when(rest.equals(0)):
                yield tap, window


@dataclass(frozen=True)
class Picture:
    """The parameters of windows over NHWC."""

    elements: Value
    h: Value
    w: Value
    c: Value
    kw: Value
    kh: Value
    oh: Value
    ow: Value
    rows: Axis
    columns: Axis

    def at(self, picture: Value, row: Value, column: Value, channel: Value) -> Value:
        return ((picture * self.h + row) * self.w + column) * self.c + channel

    def window_at(self, picture: Value, row: Value, column: Value, channel: Value) -> Value:
        return ((picture * self.oh + row) * self.ow + column) * self.c + channel


def picture_of(k: KernelBuilder) -> Picture:
    """Parameters: elements, SIZES, STEPS."""
    elements, h, w, c, kh, kw, oh, ow, top, left, *steps = k.numbers("elements", *SIZES, *STEPS)
    stride_h, stride_w, rate_h, rate_w = steps
    return Picture(elements, h, w, c, kw, kh, oh, ow, Axis(k, h, kh, oh, top, stride_h, rate_h),
                   Axis(k, w, kw, ow, left, stride_w, rate_w))


def depthwise(dtype: str, flip: bool, narrow: bool) -> KernelBuilder:
    """gc_depthwise(x, f, y, picture): flip: the filter's taps from the last to the first."""
    k = KernelBuilder("gc_depthwise", narrow)
    x, f, y = (k.array(name, dtype) for name in "xfy")
    p = picture_of(k)
    element = k.thread(p.elements)
    picture, i, j, channel = k.parts(element, p.oh, p.ow, p.c)
    total = k.variable(0, dtype)
    with p.rows.seen(i) as (u, row), p.columns.seen(j) as (v, column):
        tap = u * p.kw + v
        tap = p.kh * p.kw - 1 - tap if flip else tap
        total.set(k.multiply_add(x[p.at(picture, row, column, channel)], f[tap * p.c + channel], total.get()))
    y[element] = total.get()
    return k


def depthwise_input(dtype: str, narrow: bool) -> KernelBuilder:
    """gc_depthwise_input(dy, f, dx, picture)."""
    k = KernelBuilder("gc_depthwise_input", narrow)
    dy, f, dx = k.array("dy", dtype), k.array("f", dtype), k.array("dx", dtype)
    p = picture_of(k)
    element = k.thread(p.elements)
    picture, row, column, channel = k.parts(element, p.h, p.w, p.c)
    total = k.variable(0, dtype)
    with p.rows.seers(row) as (u, i), p.columns.seers(column) as (v, j):
        weight = f[(u * p.kw + v) * p.c + channel]
        total.set(k.multiply_add(dy[p.window_at(picture, i, j, channel)], weight, total.get()))
    dx[element] = total.get()
    return k


def fold(dtype: str, result: str, dense: bool, in_groups: bool, narrow: bool) -> KernelBuilder:
    """gc_fold(columns, dx, picture): what each window hands to its taps, [windows, taps, channels], added up; in
    groups [windows, groups, taps, channels], and how many groups, and channels of one, comes after. result: of dx in
    memory, to which sums are rounded."""
    k = KernelBuilder("gc_fold", narrow)
    columns, dx = k.array("columns", dtype), k.array("dx", result)
    p = picture_of(k)
    element = k.thread(p.elements)
    picture, row, column, channel = k.parts(element, p.h, p.w, p.c)
    total, channels = k.variable(0, dtype), p.c
    if in_groups:
        groups, channels = k.numbers("groups", "channels")
        group, channel = k.parts(channel, channels)
    with p.rows.viewers(row, dense) as (u, i), p.columns.viewers(column, dense) as (v, j):
        window = (picture * p.oh + i) * p.ow + j
        window = window * groups + group if in_groups else window
        total.set(total.get() + columns[((window * p.kh + u) * p.kw + v) * channels + channel])
    dx[element] = rounded_to(k, total.get(), result)
    return k


def dilation(dtype: str, lowest: float, narrow: bool) -> KernelBuilder:
    """gc_dilation(x, f, y, picture): the greatest x + f of each window; lowest: where nothing is."""
    k = KernelBuilder("gc_dilation", narrow)
    x, f, y = (k.array(name, dtype) for name in "xfy")
    p = picture_of(k)
    element = k.thread(p.elements)
    picture, i, j, channel = k.parts(element, p.oh, p.ow, p.c)
    best = k.variable(lowest, dtype)
    with p.rows.seen(i) as (u, row), p.columns.seen(j) as (v, column):
        value = x[p.at(picture, row, column, channel)] + f[(u * p.kw + v) * p.c + channel]
        best.set(k.greatest(value, best.get()))
    y[element] = best.get()
    return k


def dilation_places(dtype: str, of_filter: bool, narrow: bool) -> KernelBuilder:
    """gc_dilation_places(x, f, keys, picture): of each window and channel where in its picture the greatest x + f
    comes from, the first one; of_filter: which element of the filter; -1 where there is nothing."""
    k = KernelBuilder("gc_dilation_places", narrow)
    x, f, keys = k.array("x", dtype), k.array("f", dtype), k.array("keys", "i64")
    p = picture_of(k)
    element = k.thread(p.elements)
    picture, i, j, channel = k.parts(element, p.oh, p.ow, p.c)
    best, found = k.variable(0, dtype), k.variable(-1)
    with p.rows.seen(i) as (u, row), p.columns.seen(j) as (v, column):
        tap = (u * p.kw + v) * p.c + channel
        value = x[p.at(picture, row, column, channel)] + f[tap]
        better = (value > best.get()) | found.get().equals(-1)
        place = tap if of_filter else (row * p.w + column) * p.c + channel
        found.set(k.choose(better, place, found.get()))
        best.set(k.choose(better, value, best.get()))
    keys[element] = found.get()
    return k


# The depth of volumes: [n, d, m, c], m pixels a frame

def _depth(k: KernelBuilder) -> tuple[Value, Value, Value, Axis]:
    """(elements, m, c, the axis)."""
    elements, d, m, c, taps, outputs, pad, stride, rate = k.numbers(
        "elements", "d", "m", "c", "taps", "outputs", "pad", "stride", "rate")
    return elements, m, c, Axis(k, d, taps, outputs, pad, stride, rate)


def unfold_depth(dtype: str, narrow: bool) -> KernelBuilder:
    """gc_unfold_depth(x, y, elements, d, m, c, taps, outputs, pad, stride, rate): the frames of each window side by
    side in the channels, zeros outside."""
    k = KernelBuilder("gc_unfold_depth", narrow)
    x, y = k.array("x", dtype), k.array("y", dtype)
    elements, m, c, axis = _depth(k)
    element = k.thread(elements)
    volume, window, pixel, tap, channel = k.parts(element, axis.windows, m, axis.taps, c)
    place = window * axis.stride - axis.pad + tap * axis.rate
    inside = place.inside(0, axis.size)
    value = k.variable(0, dtype)
    with k.when(inside):
        value.set(x[((volume * axis.size + place) * m + pixel) * c + channel])
    y[element] = value.get()
    return k


def fold_depth(dtype: str, narrow: bool) -> KernelBuilder:
    """gc_fold_depth(y, x, ...): its transpose, parameters alike."""
    k = KernelBuilder("gc_fold_depth", narrow)
    y, x = k.array("y", dtype), k.array("x", dtype)
    elements, m, c, axis = _depth(k)
    element = k.thread(elements)
    volume, frame, pixel, channel = k.parts(element, axis.size, m, c)
    total = k.variable(0, dtype)
    with axis.seers(frame) as (tap, window):
        at = (((volume * axis.windows + window) * m + pixel) * axis.taps + tap) * c + channel
        total.set(total.get() + y[at])
    x[element] = total.get()
    return k


def window_sum(dtype: str, narrow: bool) -> KernelBuilder:
    """gc_window_sum(x, y, elements, cols, radius): neighbours in a row, the nearest first."""
    k = KernelBuilder("gc_window_sum", narrow)
    x, y = k.array("x", dtype), k.array("y", dtype)
    elements, cols, radius = k.numbers("elements", "cols", "radius")
    element = k.thread(elements)
    row, i = k.parts(element, cols)
    total, source = k.variable(x[element]), x.at(row * cols)
    with k.loop(1, k.least(radius, cols - 1) + 1) as distance:
        for place in (i + distance, i - distance):
            with k.when(place.inside(0, cols)):
                total.set(total.get() + source[place])
    y[element] = total.get()
    return k


# Max pooling: by the places of its results, and over volumes

def pool_places(dtype: str, narrow: bool) -> KernelBuilder:
    """gc_pool_places(x, y, where, picture, batched): the greatest element of each window, the first of equals, and its
    place in the picture (batched: in all of them); a NaN only if it comes first. 0 and 0 where a window is empty."""
    k = KernelBuilder("gc_pool_places", narrow)
    x, y, where = k.array("x", dtype), k.array("y", dtype), k.array("where", "i64")
    p = picture_of(k)
    batched = k.number("batched")
    element = k.thread(p.elements)
    picture, i, j, channel = k.parts(element, p.oh, p.ow, p.c)
    best, found = k.variable(0, dtype), k.variable(-1)
    with p.rows.seen(i) as (_, row), p.columns.seen(j) as (_, column):
        value = x[p.at(picture, row, column, channel)]
        better = (value > best.get()) | found.get().equals(-1)
        place = (row * p.w + column) * p.c + channel
        found.set(k.choose(better, place, found.get()))
        best.set(k.choose(better, value, best.get()))
    there = found.get() >= 0
    start = k.choose(batched.differs(0), picture * p.h * p.w * p.c, 0)
    y[element], where[element] = best.get(), k.choose(there, found.get() + start, 0)
    return k


VOLUME = ("d", "h", "w", "c", "kd", "kh", "kw", "od", "oh", "ow", "pad_d", "pad_h", "pad_w", "stride_d", "stride_h",
          "stride_w")


@dataclass(frozen=True)
class Volume:
    """The parameters of windows over NDHWC: axes d, h, w."""

    elements: Value
    c: Value
    axes: tuple[Axis, Axis, Axis]

    def at(self, volume: Value, a: Value, i: Value, j: Value, channel: Value, sizes: list[Value]) -> Value:
        return (((volume * sizes[0] + a) * sizes[1] + i) * sizes[2] + j) * self.c + channel

    @property
    def sizes(self) -> list[Value]:
        return [axis.size for axis in self.axes]

    @property
    def windows(self) -> list[Value]:
        return [axis.windows for axis in self.axes]


def _volume(k: KernelBuilder) -> Volume:
    """Parameters: elements, VOLUME."""
    elements, *rest = k.numbers("elements", *VOLUME)
    d, h, w, c, kd, kh, kw, od, oh, ow, *places = rest
    one = k.constant(1, "i64")
    axes = [Axis(k, size, taps, windows, pad, stride, one) for size, taps, windows, pad, stride in zip(
        (d, h, w), (kd, kh, kw), (od, oh, ow), places[:3], places[3:], strict=True)]
    return Volume(elements, c, (axes[0], axes[1], axes[2]))


def pool_gradient(dtype: str, narrow: bool) -> KernelBuilder:
    """gc_pool_gradient(x, y, dy, dx, volume): dy goes to every element that is its window's greatest."""
    k = KernelBuilder("gc_pool_gradient", narrow)
    x, y, dy, dx = (k.array(name, dtype) for name in ("x", "y", "dy", "dx"))
    v = _volume(k)
    element = k.thread(v.elements)
    volume, frame, row, column, channel = k.parts(element, *v.sizes, v.c)
    value, total = x[element], k.variable(0, dtype)

    def windows(axis: Axis, place: Value) -> tuple[Value, Value]:
        """The windows that see the place: the first, and the one after the last."""
        behind = k.greatest(place + axis.pad - axis.taps + axis.stride, 0)
        return behind // axis.stride, k.least((place + axis.pad) // axis.stride + 1, axis.windows)

    depth, high, wide = v.axes
    with k.loop(*windows(depth, frame)) as a, k.loop(*windows(high, row)) as i, k.loop(*windows(wide, column)) as j:
        at = v.at(volume, a, i, j, channel, v.windows)
        total.set(total.get() + k.choose(value.equals(y[at]), dy[at], 0))
    dx[element] = total.get()
    return k


def pool_second_gradient(dtype: str, nan_is_greatest: bool, narrow: bool) -> KernelBuilder:
    """gc_pool_second_gradient(x, y, ddx, ddy, volume): what ddx has at the first greatest element of each window."""
    k = KernelBuilder("gc_pool_second_gradient", narrow)
    x, y, ddx, ddy = (k.array(name, dtype) for name in ("x", "y", "ddx", "ddy"))
    v = _volume(k)
    element = k.thread(v.elements)
    volume, a, i, j, channel = k.parts(element, *v.windows, v.c)
    greatest, found, open_ = y[element], k.variable(0, dtype), k.variable(True, "bool")
    depth, high, wide = v.axes
    with depth.seen(a) as (_, frame), high.seen(i) as (_, row), wide.seen(j) as (_, column):
        at = v.at(volume, frame, row, column, channel, v.sizes)
        value = x[at]
        hit = value.equals(greatest)
        hit = hit | value.differs(value) if nan_is_greatest else hit
        with k.when(hit & open_.get()):
            found.set(ddx[at])
            open_.set(False)
    ddy[element] = found.get()
    return k


def place_keys(narrow: bool) -> KernelBuilder:
    """gc_place_keys(where, keys, elements, m, size, batched): places in the picture, -1 of one that is not there."""
    k = KernelBuilder("gc_place_keys", narrow)
    where, keys = k.array("where", "i64"), k.array("keys", "i64")
    elements, m, size, batched = k.numbers("elements", "m", "size", "batched")
    element = k.thread(elements)
    picture, _ = k.parts(element, m)
    place = where[element] - k.choose(batched.differs(0), picture * size, 0)
    keys[element] = k.choose(place.inside(0, size), place, -1)
    return k


