"""What Winograd's convolution does to a block of tiles: the three transforms, and how what they write lies in memory.

Job: pictures become a matrix of tiles by channels for each point of the form (36 or 64), a chunk of the filter as many
matrices of channels by a panel, and the sums of products tiles of the target.
Invariants: pixels are checked against the picture before they are read, what is outside is a row of zeros; channels of
the last vector that are left over are transformed twice, to the same numbers; of the target only its own elements are
written. Matrices and their rows are an odd number of lines of the cache apart, or those of all points would meet in one
set.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, ceil_div, compact, copy_bytes, helper, int64_at, prefetch, round_up
from ..products.micro import Shape
from ..products.panels import packing
from .winograd_forms import Form, transforms

LINE = 64                              # bytes of a line of the cache
AHEAD = 512                            # bytes of each of a filter's taps that are asked for before they are read


def table_bytes(form: Form) -> int:
    """Of the addresses of a tile's pixels, and of its place."""
    return int(round_up.py_func((form.points + 3) * 8, LINE))


@helper
def odd_lines(bytes_):
    """An odd number of lines of the cache: what is that far apart does not collide there."""
    return (bytes_ + LINE - 1) // LINE // 2 * 2 * LINE + LINE


@helper
def find_place(place, tile, down, across, extent, apart):
    """Writes picture, row and column of the first pixel of a tile of the target, and returns how many tiles its line
    has from it on; extent: pixels of a tile, down and across. With a dilation, pixels `apart` belong to one tile: a
    picture is so many parts, which are convolved as if they were pictures."""
    compact()
    line, column = tile // across, tile % across * extent[1]
    part, row = line // down, line % down * extent[0]
    parts = apart[0] * apart[1]
    place[0] = part // parts
    place[1] = part % parts // apart[1] + row * apart[0]
    place[2] = part % apart[1] + column * apart[1]
    return across - tile % across


@dataclass(frozen=True)
class Extents:
    """outputs(upright): pixels of a tile of the target, down and across. apart(spacing, upright): from one of them to
    the next. upright: whether the tiles of a form of one axis are columns; no matter for others."""

    outputs: Any
    apart: Any


@cache
def make_extents(form: Form) -> Extents:
    out, square = form.outputs, form.axes == 2

    @helper
    def outputs(upright):
        return out if square or upright else 1, out if square or not upright else 1

    @helper
    def apart(spacing, upright):
        return spacing if square or upright else 1, spacing if square or not upright else 1
    return Extents(outputs, apart)


@dataclass(frozen=True)
class Pictures:
    """row_bytes(sc): from one tile of a transformed picture to the next. point_bytes(count, sc): from one matrix to the
    next. transform(target, step, source, sh, sw, sc, down, across, spacing, upright, top, left, first, count, distant,
    zeros, table) writes the tiles first to first + count; down, across: tiles of a part of a picture; spacing: from one
    pixel of a tile to the next; top, left: how far the first tile begins before the picture; distant: whether pictures
    come from memory, so that it pays to ask for them; zeros: a pixel of zeros; table: table_bytes of memory."""

    row_bytes: Any
    point_bytes: Any
    transform: Any


@dataclass(frozen=True)
class Filters:
    """chunk_bytes(count): from one matrix of `count` channels to the next. transform(target, taps, f, packed, turned,
    sc, tc, first, count, column) writes those of channels first to first + count for a panel's columns; packed: whether
    f is in the micro-kernel's panels; turned: for the gradient, f is turned around and its channels are exchanged;
    taps: memory for a matrix of each tap."""

    chunk_bytes: Any
    transform: Any


def make_locate(dtype: str, side: int) -> Any:
    """The function (table, picture, row, column, spacing, sh, sw, sc, zeros) that writes the addresses of the pixels of
    a tile of side x side pixels into a table; zeros: the address of what is outside."""
    size = ITEM_SIZES[dtype]

    @helper
    def locate(table, picture, row, column, spacing, sh, sw, sc, zeros):
        compact()                          # as vectors it scatters, and loads wait for scattered stores
        for i in range(side):
            at = row + i * spacing
            line = picture + (at * sw + column) * sc * size
            inside = 0 <= at < sh
            for j in range(side):
                place = j * spacing
                table[i * side + j] = line + place * sc * size if inside and 0 <= column + place < sw else zeros
    return locate


def make_locate_line(dtype: str, side: int) -> Any:
    """The same for a tile of one line, with one more argument, `upright`: whether the line is a column."""
    size = ITEM_SIZES[dtype]

    @helper
    def locate(table, picture, row, column, spacing, sh, sw, sc, zeros, upright):
        compact()
        for i in range(side):
            table[i] = picture + (row * sw + column) * sc * size if 0 <= row < sh and 0 <= column < sw else zeros
            if upright:
                row += spacing
            else:
                column += spacing
    return locate


@cache
def make_pictures(dtype: str, shape: Shape, form: Form) -> Pictures:
    size, lanes, side, out, square = ITEM_SIZES[dtype], shape.lanes, form.inputs, form.outputs, form.axes == 2
    transform_picture, points, extents = transforms(dtype, lanes, form).picture, form.points, make_extents(form)
    outputs, apart_of = extents.outputs, extents.apart
    locate_square, locate_line = make_locate(dtype, side), make_locate_line(dtype, side)

    @helper
    def locate(table, picture, row, column, spacing, sh, sw, sc, zeros, upright):
        if square:
            locate_square(table, picture, row, column, spacing, sh, sw, sc, zeros)
        else:
            locate_line(table, picture, row, column, spacing, sh, sw, sc, zeros, upright)

    @helper
    def row_bytes(sc):
        return odd_lines(sc * size)

    @helper
    def point_bytes(count, sc):
        return odd_lines(count * row_bytes(sc))

    @helper
    def ask_for_next(pixels, distance, upright):
        """Prefetches the pixels that the tile to the right does not share with this one."""
        shared = 0 if upright else side - out
        for line in range(0, points, side):
            for j in range(shared, side):
                prefetch(pixels[line + j] + distance)

    @helper
    def transform(target, step, source, sh, sw, sc, down, across, spacing, upright, top, left, first, count, distant,
                  zeros, table):
        pixels, place = int64_at(table), int64_at(table + points * 8)
        extent, apart = outputs(upright), apart_of(spacing, upright)
        left_over = 0                      # of a line of tiles
        for number in range(count):
            if left_over == 0:
                left_over = find_place(place, first + number, down, across, extent, apart)
            else:
                place[2] += extent[1] * apart[1]
            left_over -= 1
            locate(pixels, source + place[0] * sh * sw * sc * size, place[1] - top, place[2] - left, spacing, sh, sw,
                   sc, zeros, upright)
            goal = target + number * row_bytes(sc)
            for channel in range(0, sc, lanes):
                at = min(channel, sc - lanes) * size
                if distant:
                    ask_for_next(pixels, at + extent[1] * apart[1] * sc * size, upright)
                transform_picture(table, at, goal + at, step)
    return Pictures(row_bytes, point_bytes, transform)


@cache
def make_filters(dtype: str, shape: Shape, form: Form) -> Filters:
    size, width, lanes, all_taps = ITEM_SIZES[dtype], shape.width, shape.lanes, form.all_taps
    transform_filter = transforms(dtype, lanes, form).filter
    pack, pack_transposed = packing(dtype, shape).pack, packing(dtype, shape).pack_transposed

    @helper
    def chunk_bytes(count):
        return odd_lines(count * width * size)

    @helper
    def gather(taps, f, sc, tc, first, count, column):
        for tap in range(all_taps):
            pack(taps + tap * chunk_bytes(count), f + ((tap * sc + first) * tc + column) * size, tc * size, count,
                 tc - column)

    @helper
    def gather_turned(taps, f, sc, tc, first, count, column):
        for tap in range(all_taps):
            pack_transposed(taps + (all_taps - 1 - tap) * chunk_bytes(count),
                            f + ((tap * tc + column) * sc + first) * size, sc * size, count, tc - column)

    @helper
    def transform(target, taps, f, packed, turned, sc, tc, first, count, column):
        source, step = taps, chunk_bytes(count)
        if packed:
            source, step = f + (column * all_taps * sc + first * width) * size, sc * width * size
        elif turned:
            gather_turned(taps, f, sc, tc, first, count, column)
        else:
            gather(taps, f, sc, tc, first, count, column)
        for at in range(0, count * width * size, lanes * size):
            for tap in range(all_taps):
                prefetch(source + tap * step + at + AHEAD)
            transform_filter(source + at, step, target + at, chunk_bytes(count))
    return Filters(chunk_bytes, transform)


@cache
def make_results(dtype: str, shape: Shape, form: Form) -> Any:
    """The function (sums, step, target, th, tw, tc, down, across, spacing, upright, first, count, column, tile, table)
    that transforms the sums of a panel's products into the target; tile: memory for a tile; table: table_bytes of it.
    """
    size, width, lanes, words, square = ITEM_SIZES[dtype], shape.width, shape.lanes, form.points, form.axes == 2
    transform_result, extents = transforms(dtype, lanes, form).result, make_extents(form)
    outputs, apart_of = extents.outputs, extents.apart

    @helper
    def ask_for_next(goal, line, pixel, extent):
        """Prefetches what the tile to the right will be written to. line, pixel: bytes from one to the next."""
        for i in range(extent[0]):
            for j in range(extent[1], 2 * extent[1]):
                for at in range(0, width * size, LINE):
                    prefetch(goal + i * line + j * pixel + at)

    @helper
    def transform(sums, step, target, th, tw, tc, down, across, spacing, upright, first, count, column, tile, table):
        extent, apart = outputs(upright), apart_of(spacing, upright)
        line, pixel, place = apart[0] * tw * tc * size, apart[1] * tc * size, int64_at(table + words * 8)
        left_over = 0                      # of a line of tiles
        for number in range(count):
            if left_over == 0:
                left_over = find_place(place, first + number, down, across, extent, apart)
            else:
                place[2] += extent[1] * apart[1]
            left_over -= 1
            goal = target + (((place[0] * th + place[1]) * tw + place[2]) * tc + column) * size
            rows, columns = ceil_div(th - place[1], apart[0]), ceil_div(tw - place[2], apart[1])
            whole = rows >= extent[0] and columns >= extent[1] and column + width <= tc
            base, row_step, column_step = tile, extent[1] * width * size, width * size
            ask_for_next(goal, line, pixel, extent)
            if whole:
                # A form of one axis writes along its line, whichever way that lies.
                base, row_step, column_step = goal, line, pixel if square or not upright else line
            for at in range(0, width * size, lanes * size):
                transform_result(sums + number * width * size + at, step, base + at, row_step, column_step)
            if not whole:
                for i in range(min(extent[0], rows)):
                    for j in range(min(extent[1], columns)):
                        copy_bytes(goal + i * line + j * pixel, tile + (i * extent[1] + j) * width * size,
                                   min(width, tc - column) * size)
    return transform
