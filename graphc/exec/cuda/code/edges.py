"""Convolutions at the edges of pictures: sums that zeros have made NaN are computed again, without the zeros.

A product of windows multiplies the zeros around a picture, too, and those between pixels that strides put apart. By a
factor that is infinite or NaN they give NaN, where the CPU leaves them out. These kernels look at the results that such
zeros may be in, and only where one is NaN they add up what lies in the picture. A sum that is NaN stays NaN, so nothing
is read any more: where everything is NaN, that is after one term.

Parameters after the arrays: those of a picture (taps.py), whose `elements` are the results to look at; `depth` and
`made`, the channels of a group in x and in y; of the first two kernels `around`, pixels to look at of each picture, and
INNER, the rectangle of pixels that no zeros are in.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.builder import THREADS, Array, KernelBuilder, Value, Variable
from graphc.exec.cuda.code.short_floats import rounded_to, widened
from graphc.exec.cuda.code.taps import Picture, picture_of
from graphc.exec.cuda.code.warps import DECLARATIONS, WARPS, joined_among

INNER = ("top", "bottom", "left", "right")     # its first row and the one behind its last; columns likewise


@dataclass(frozen=True)
class Types:
    """sums: what is added up; others: what the arrays are in memory, that or 16-bit floats."""

    sums: str
    first: str
    second: str
    result: str


def _is_nan(value: Value) -> Value:
    return value.differs(value)


def _pixel(k: KernelBuilder, element: Value, channels: Value, rows: Value,
           columns: Value) -> tuple[Value, Value, Value, Value]:
    """Picture, row, column and channel of a result to look at: of each picture first those in whole rows above and
    below the inner rectangle, then those left and right of it."""
    around, top, bottom, left, right = k.numbers("around", *INNER)
    picture, number, channel = k.parts(element, around, channels)
    whole = (rows - (bottom - top)) * columns
    row, column = k.parts(number, columns)
    row = k.choose(row < top, row, row + (bottom - top))
    line, beside = k.parts(k.greatest(number - whole, 0), k.greatest(columns - (right - left), 1))
    beside = k.choose(beside < left, beside, beside + (right - left))
    in_rows = number < whole
    return picture, k.choose(in_rows, row, top + line), k.choose(in_rows, column, beside), channel


def _add(k: KernelBuilder, total: Variable, count: Value, a: Array, b: Array, a_step: Value, b_step: Value) -> None:
    """total += a b, of so many factors as far apart as that, until it is NaN."""
    at = k.variable(0)
    with k.repeat(lambda: (at.get() < count) & ~_is_nan(total.get())):
        i = at.get()
        total.set(k.multiply_add(widened(k, a[i * a_step]), widened(k, b[i * b_step]), total.get()))
        at.set(i + 1)


def results(types: Types, narrow: bool) -> KernelBuilder:
    """gc_edge_results(x, f, y, ...): y = x convolved by f."""
    k = KernelBuilder("gc_edge_results", narrow)
    x, f, y = k.array("x", types.first), k.array("f", types.second), k.array("y", types.result)
    p, depth, made, one = picture_of(k), *k.numbers("depth", "made"), k.constant(1, "i64")
    channels = p.c // depth * made
    picture, i, j, channel = _pixel(k, k.thread(p.elements), channels, p.oh, p.ow)
    place = ((picture * p.oh + i) * p.ow + j) * channels + channel
    k.go_on_if(_is_nan(widened(k, y[place])))
    total = k.variable(0, types.sums)
    with p.rows.seen(i) as (u, row), p.columns.seen(j) as (v, column):
        start = p.at(picture, row, column, channel // made * depth)
        _add(k, total, depth, x.at(start), f.at((u * p.kw + v) * depth * channels + channel), one, channels)
    y[place] = rounded_to(k, total.get(), types.result)
    return k


def inputs(types: Types, narrow: bool) -> KernelBuilder:
    """gc_edge_inputs(dy, f, dx, ...): dx = the gradient for x."""
    k = KernelBuilder("gc_edge_inputs", narrow)
    dy, f, dx = k.array("dy", types.first), k.array("f", types.second), k.array("dx", types.result)
    p, depth, made, one = picture_of(k), *k.numbers("depth", "made"), k.constant(1, "i64")
    channels = p.c // depth * made
    picture, row, column, channel = _pixel(k, k.thread(p.elements), p.c, p.h, p.w)
    place = p.at(picture, row, column, channel)
    k.go_on_if(_is_nan(widened(k, dx[place])))
    total, first = k.variable(0, types.sums), channel // depth * made
    with p.rows.seers(row) as (u, i), p.columns.seers(column) as (v, j):
        window = ((picture * p.oh + i) * p.ow + j) * channels + first
        weights = ((u * p.kw + v) * depth + channel % depth) * channels + first
        _add(k, total, made, dy.at(window), f.at(weights), one, one)
    dx[place] = rounded_to(k, total.get(), types.result)
    return k


def filters(types: Types, narrow: bool) -> KernelBuilder:
    """gc_edge_filters(x, dy, df, ..., pictures): df = the gradient for the filter. The threads of a block look at an
    element each, and compute those that are NaN together, one after the other."""
    k = KernelBuilder("gc_edge_filters", narrow, before=DECLARATIONS)
    x, dy, df = k.array("x", types.first), k.array("dy", types.second), k.array("df", types.result)
    p, depth, made, pictures = picture_of(k), *k.numbers("depth", "made", "pictures")
    bad, found, sums = (k.shared(*room) for room in (("bad", "i32", THREADS), ("found", "i32", WARPS),
                                                     ("sums", types.sums, WARPS)))
    thread, first = k.index("tid.x"), k.index("ctaid.x") * THREADS
    mine = k.least(first + thread, p.elements - 1)
    is_bad = (_is_nan(widened(k, df[mine])) & (first + thread < p.elements)).to("i32")
    bad[thread] = is_bad
    some = joined_among(k, is_bad, THREADS, lambda a, b: a | b, found)
    k.go_on_if(some.differs(0))                    # all threads of the block go the same way
    with k.loop(0, THREADS) as number, k.when(bad[number].differs(0)):
        total = _of_filter(k, p, types.sums, x, dy, first + number, depth, made, pictures)
        k.barrier()                                # together again, whenever each was done
        joined = joined_among(k, total, THREADS, lambda a, b: a + b, sums)
        with k.when(thread.equals(0)):
            df[first + number] = rounded_to(k, joined, types.result)
    return k


def _of_filter(k: KernelBuilder, p: Picture, sums: str, x: Array, dy: Array, element: Value, depth: Value,
               made: Value, pictures: Value) -> Value:
    """What this thread's windows, every THREADS-th of them, add to an element of the filter."""
    channels, total = p.c // depth * made, k.variable(0, sums)
    u, v, inner, channel = k.parts(element, p.kw, depth, channels)
    with k.loop(k.index("tid.x"), pictures * p.oh * p.ow, THREADS) as window:
        picture, i, j = k.parts(window, p.oh, p.ow)
        row = i * p.rows.stride - p.rows.pad + u * p.rows.rate
        column = j * p.columns.stride - p.columns.pad + v * p.columns.rate
        with k.when(row.inside(0, p.h) & column.inside(0, p.w) & ~_is_nan(total.get())):
            value = widened(k, x[p.at(picture, row, column, channel // made * depth + inner)])
            total.set(k.multiply_add(value, widened(k, dy[window * channels + channel]), total.get()))
    return total.get()
