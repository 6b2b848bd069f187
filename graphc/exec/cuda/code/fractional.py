"""Kernels of pooling over windows of several sizes, and of the edges of such windows: the CPU's numbers, order and bits
(kernels/cpu/pooling/fractional_pool.py).

Window i takes rows edges[i] to edges[i + 1], with the last one if `overlapping`; columns likewise. Edges come from
data: what they say is cut to the picture, so a kernel that has bad ones touches nothing else. Good ones ascend.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from graphc.exec.cuda.code.builder import Array, KernelBuilder, Value
from graphc.exec.cuda.code.indices import refuse

SIZES = ("h", "w", "c", "oh", "ow", "overlapping")


def edges(pseudo: bool) -> KernelBuilder:
    """gc_edges(counter, out, length, n, odd, key): running sums of n sizes that are length // n or one more."""
    k = KernelBuilder("gc_edges")
    counter, out = k.array("counter", "i64"), k.array("out", "i64")
    length, n, odd, key = k.numbers("length", "n", "odd", "key")
    k.go_on_if(k.index("tid.x").equals(0))
    draws = _Draws(k, key, counter[0], counter[1], odd)
    out[0] = 0
    (_by_graham if pseudo else _shuffled)(draws, out, length, n)
    return k


@dataclass(frozen=True)
class _Draws:
    """Numbers in [0, 1): every second one of a stream, from `odd` on."""

    k: KernelBuilder
    key: Value
    run: Value
    iteration: Value
    odd: Value

    def number(self, i: Value) -> Value:
        return self.k.call("philox", self.key, self.run, self.iteration, i * 2 + self.odd, dtype="f64")


def _by_graham(draws: _Draws, out: Array, length: Value, n: Value) -> None:
    """ceil(alpha (i + u)), u small enough for sizes of length // n or one more."""
    k = draws.k
    u, alpha, least = draws.number(k.constant(0, "i64")), length.to("f64") / n.to("f64"), length // n
    most = k.least((least + 2).to("f64") / alpha - 1.0,
                   (length + 1 - least).to("f64") / alpha - (n - 1).to("f64"))
    with k.loop(1, n) as i:
        place = k.call("ceil", alpha * (i.to("f64") + u * most))
        out[i] = k.made(f"fptosi double {place} to i64", "i64") - 1
    out[n] = length


def _shuffled(draws: _Draws, out: Array, length: Value, n: Value) -> None:
    k = draws.k
    with k.loop(0, n) as i:
        out[i + 1] = length // n + (i < length % n).to("i64")
    with k.loop(0, n - 1) as i:
        step = draws.number(i) * (n - i).to("f64")
        j = i + k.made(f"fptosi double {step} to i64", "i64")
        size, other = out[i + 1], out[j + 1]
        out[i + 1] = other
        out[j + 1] = size
    with k.loop(0, n) as i:
        out[i + 1] = out[i + 1] + out[i]


@dataclass(frozen=True)
class _Axis:
    """Rows or columns: `count` windows on a picture of `size`."""

    k: KernelBuilder
    edges: Array
    count: Value
    size: Value
    overlapping: Value

    def bounds(self, window: Value) -> tuple[Value, Value]:
        """The first place of a window, and the one after the last: at least one, all in the picture."""
        k = self.k
        first = k.greatest(k.least(self.edges[window], self.size - 1), 0)
        end = k.least(self.edges[window + 1] + self.overlapping, self.size)
        return first, k.greatest(end, first + 1)

    @contextmanager
    def seers(self, place: Value) -> Iterator[Value]:
        """The windows that see a place, in their order: from the first that ends after it on."""
        k = self.k
        low, high = k.variable(0), k.variable(self.count)
        with k.repeat(lambda: low.get() < high.get()):
            middle = (low.get() + high.get()) >> 1
            ends_behind = self.edges[middle + 1] + self.overlapping > place
            high.set(k.choose(ends_behind, middle, high.get()))
            low.set(k.choose(ends_behind, low.get(), middle + 1))
        at = k.variable(low.get())
        with k.repeat(lambda: at.get() < self.count):
            window = at.get()
            at.set(k.choose(self.edges[window] > place, self.count, window + 1))
            with k.when(self.edges[window] <= place):
                yield window

    def refused(self) -> Value:
        """Whether a window is empty or not inside."""
        k, bad = self.k, self.k.variable(False, "bool")
        with k.loop(0, self.count) as i:
            first, behind = self.edges[i], self.edges[i + 1]
            end = k.least(behind + self.overlapping, self.size)
            bad.set(bad.get() | (first < 0) | (behind > self.size) | (first >= end))
        return bad.get()


@dataclass(frozen=True)
class _Pool:
    """The parameters after arrays: rows, columns, elements, SIZES."""

    elements: Value
    c: Value
    rows: _Axis
    columns: _Axis

    @classmethod
    def of(cls, k: KernelBuilder) -> _Pool:
        rows, columns = k.array("rows", "i64"), k.array("columns", "i64")
        elements, h, w, c, oh, ow, overlapping = k.numbers("elements", *SIZES)
        return cls(elements, c, _Axis(k, rows, oh, h, overlapping), _Axis(k, columns, ow, w, overlapping))

    def pixel(self, picture: Value, row: Value, column: Value, channel: Value) -> Value:
        return ((picture * self.rows.size + row) * self.columns.size + column) * self.c + channel

    def window(self, picture: Value, i: Value, j: Value, channel: Value) -> Value:
        return ((picture * self.rows.count + i) * self.columns.count + j) * self.c + channel


def refused_edges() -> KernelBuilder:
    """gc_refused_edges(record, pool): a check's record (calls/checks.py) of edges that make no windows."""
    k = KernelBuilder("gc_refused_edges")
    record, pool = k.array("record", "i64"), _Pool.of(k)
    k.go_on_if(k.index("tid.x").equals(0))
    refuse(k, record, pool.rows.refused() | pool.columns.refused())
    return k


def largest(dtype: str, narrow: bool, places: bool) -> KernelBuilder:
    """gc_largest(x, out, pool): the greatest element of each window, a NaN if there is one; or with `places` where in
    its picture the first such stands, as int64."""
    k = KernelBuilder("gc_largest", narrow)
    x, out, pool = k.array("x", dtype), k.array("out", "i64" if places else dtype), _Pool.of(k)
    element = k.thread(pool.elements)
    picture, i, j, channel = k.parts(element, pool.rows.count, pool.columns.count, pool.c)
    (top, bottom), (left, right) = pool.rows.bounds(i), pool.columns.bounds(j)
    first = pool.pixel(picture, top, left, channel)
    best, place = k.variable(x[first]), k.variable(first)
    with k.loop(top, bottom) as row, k.loop(left, right) as column:
        at = pool.pixel(picture, row, column, channel)
        value, so_far = x[at], best.get()
        is_nan = value.differs(value)
        better = (value > so_far) | (is_nan & so_far.equals(so_far) if places else is_nan)
        best.set(k.choose(better, value, so_far))
        place.set(k.choose(better, at, place.get()))
    out[element] = place.get() if places else best.get()
    return k


def mean(dtype: str, narrow: bool) -> KernelBuilder:
    """gc_mean(x, y, pool): of integers cut towards zero."""
    k = KernelBuilder("gc_mean", narrow)
    x, y, pool = k.array("x", dtype), k.array("y", dtype), _Pool.of(k)
    element = k.thread(pool.elements)
    picture, i, j, channel = k.parts(element, pool.rows.count, pool.columns.count, pool.c)
    (top, bottom), (left, right) = pool.rows.bounds(i), pool.columns.bounds(j)
    total = k.variable(0, dtype)
    with k.loop(top, bottom) as row, k.loop(left, right) as column:
        total.set(total.get() + x[pool.pixel(picture, row, column, channel)])
    count = ((bottom - top) * (right - left)).to(dtype)
    y[element] = total.get() / count if count.floating else total.get() // count
    return k


def largest_gradient(dtype: str, narrow: bool) -> KernelBuilder:
    """gc_largest_gradient(places, dy, dx, pool): what windows hand to the element that `places` says."""
    k = KernelBuilder("gc_largest_gradient", narrow)
    places, dy, dx, pool = k.array("places", "i64"), k.array("dy", dtype), k.array("dx", dtype), _Pool.of(k)
    element = k.thread(pool.elements)
    total = k.variable(0, dtype)
    with _seers(k, pool, element) as (at, _):
        with k.when(places[at].equals(element)):
            total.set(total.get() + dy[at])
    dx[element] = total.get()
    return k


def mean_gradient(dtype: str, narrow: bool) -> KernelBuilder:
    """gc_mean_gradient(dy, dx, pool): dx is float64."""
    k = KernelBuilder("gc_mean_gradient", narrow)
    dy, dx, pool = k.array("dy", dtype), k.array("dx", "f64"), _Pool.of(k)
    element = k.thread(pool.elements)
    total = k.variable(0.0, "f64")
    with _seers(k, pool, element) as (at, count):
        total.set(total.get() + dy[at].to("f64") / count.to("f64"))
    dx[element] = total.get()
    return k


@contextmanager
def _seers(k: KernelBuilder, pool: _Pool, element: Value) -> Iterator[tuple[Value, Value]]:
    """Each window that sees an element of x, row by row: where it stands in y, and how many elements it sees."""
    picture, row, column, channel = k.parts(element, pool.rows.size, pool.columns.size, pool.c)
    with pool.rows.seers(row) as i, pool.columns.seers(column) as j:
        (top, bottom), (left, right) = pool.rows.bounds(i), pool.columns.bounds(j)
        yield pool.window(picture, i, j, channel), (bottom - top) * (right - left)
