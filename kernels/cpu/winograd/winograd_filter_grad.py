"""The gradient of a convolution without stride for its filter of 3 x 3 or 5 x 5, by Winograd's F(r x r, 4 x 4).

Job: tiles of dy of 4 x 4 pixels take the place of a filter that slides over the tile of 6 x 6, or 8 x 8, pixels of x
that they belong to, and the taps that of the result. Both are transformed (winograd_forms.py); sums over tiles of the
products, rows of A being channels of x and B the columns of dy, are transformed into the filter's taps: 36 products for
144, or 64 for 400.
Order: units of work are some channels by one panel of columns, whose matrices of sums stay in the cache. Where there
are few tiles, phase 0 transforms them all into the workspace and phase 1 divides the units; else tiles fall into
parts, whose blocks are transformed into scratch: each part adds up a gradient of its own in the workspace, and phase 1
adds those in order (conv_filter_grad.py).
Layout of the matrix of each point: x as [vector of channels][tile][channels of it], dy as [panel][tile][columns of it],
so that products read both in long runs.
Invariants: parts, blocks and units follow from the sizes alone. The last vector of channels, or columns, reaches back
over the one before where it would reach out of a pixel: what is computed twice becomes the same number.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, ceil_div, helper, int64_at, part, pointer_to, prefetch, round_up, zero_bytes
from ..products.micro import TABLE_WORDS, Shape, streaming_kernel
from ..words import SCRATCH_BYTES, TILES, TILES_1, USER, WORK_BYTES
from .winograd_cost import DTYPES, costs
from .winograd_forms import F4_GRAD, F4X5_GRAD, Form, transforms
from .winograd_tiles import LINE, make_locate, odd_lines, table_bytes

CHUNK = 56                             # channels of a unit: whole register tiles of AVX-512
BLOCK = 56                            # tiles of a block, at most
BLOCK_BYTES = 8 << 20                  # of a block's transformed pixels, about
SHARED_TILES, SHARED_BYTES = 256, 16 << 20     # up to so many, phase 0 transforms them
TRANSFORM_TILES = 16                   # of work of phase 0
FEW_PARTS = 8                          # so few are divided by their units, too
FAR_BYTES = 3 << 19                    # of transformed tiles: more may be beyond the second cache, and is asked for
PRODUCTS = 1 << 20                     # multiplications of a tile of work, at least
MOST_TILES, MOST_PARTS = 64, 16         # of work
WORK_LIMIT = 32 << 20                  # bytes of all parts
OUT = F4_GRAD.taps                     # pixels of a tile of dy, along an axis
# Words of choice: parts (conv_filter_grad.py); tiles of a part, or of one of phase 0; tiles of a block; units of a tile
# of work; whether phase 0 transforms all.
PARTS, PART_TILES, BLOCK_TILES, UNITS, SHARED = USER + 1, USER + 2, USER + 3, USER + 4, USER + 5


@dataclass(frozen=True)
class FilterGrad:
    """pays(k, n, c, oh, ow, oc): whether it is faster than the direct way for a filter of k x k taps. bind(k, n, c, oh,
    ow, oc, choice). run(k, x, dy, dw, n, h, w, c, oc, oh, ow, pad_top, pad_left, choice, work, scratch, phase, tile)
    gives the gradient, or those of parts in the workspace; phase 1 of several parts is not its own."""

    pays: Any
    bind: Any
    run: Any


@dataclass(frozen=True)
class Steps:
    """Of one block. point_x(count, c), point_dy(count, oc): bytes from matrix to matrix of `count` tiles. bytes(c, oc):
    scratch without transformed pixels. transform(xs, dys, total, at, x, dy, h, w, c, oc, oh, ow, pad_top, pad_left,
    first, count, scratch) of tiles first to first + count, which become those from `at` on of `total`; multiply(xs,
    dys, dw, c, oc, count, first_unit, units, later, scratch) writes the gradient of some units, or adds to it."""

    point_x: Any
    point_dy: Any
    bytes: Any
    transform: Any
    multiply: Any


@helper
def chunks_of(c):
    return ceil_div(c, CHUNK)


def make_transform(dtype: str, shape: Shape, side: int, vectors: int, transform_tile: Any) -> Any:
    """The function (target, step, total, at, source, sh, sw, sc, down, across, top, left, first, count, zeros, table)
    that transforms tiles of side x side pixels; transform_tile: picture or pixels of Transforms. Tiles are OUT pixels
    apart, `down` by `across` a picture; the first one begins `top` and `left` before it."""
    size, lanes, locate = ITEM_SIZES[dtype], shape.lanes, make_locate(dtype, side)
    addresses = round_up.py_func(side * side * 8, LINE)

    @helper
    def transform(target, step, total, at, source, sh, sw, sc, down, across, top, left, first, count, zeros, table):
        pixels, following = table, table + addresses
        for ahead in range(count + 1):
            # A tile's pixels are asked for while the one before is transformed.
            if ahead < count:
                line, column = (first + ahead) // across, (first + ahead) % across
                picture, row = line // down, line % down
                locate(int64_at(following), source + picture * sh * sw * sc * size, row * OUT - top,
                       column * OUT - left, 1, sh, sw, sc, zeros)
            if ahead > 0:
                next_pixels = int64_at(following)
                for vector in range(ceil_div(sc, lanes)):
                    place = (vector // vectors * total + at + ahead - 1) * vectors + vector % vectors
                    offset = min(vector * lanes, sc - lanes) * size
                    for i in range(side):
                        for j in range(side - OUT, side):
                            prefetch(next_pixels[i * side + j] + offset)
                    transform_tile(pixels, offset, target + place * lanes * size, step)
            pixels, following = following, pixels
    return transform


@cache
def make_results(dtype: str, shape: Shape, form: Form) -> Any:
    """The function (sums, step, dw, c, oc, channel, channels, column, later, taps) that makes a unit's sums taps of
    dw, or adds them; taps: memory for a vector of each tap."""
    size, width, lanes, at, edge = ITEM_SIZES[dtype], shape.width, shape.lanes, pointer_to(dtype), form.outputs
    transform_result = transforms(dtype, lanes, form).result

    @helper
    def add(dw, step, taps, begin):
        """To dw what stands in `taps` from element `begin` of each on."""
        for tap in range(edge * edge):
            target, source = at(dw + tap * step), at(taps + tap * lanes * size)
            for i in range(begin, lanes):
                target[i] += source[i]

    @helper
    def results(sums, step, dw, c, oc, channel, channels, column, later, taps):
        tap_step = c * oc * size
        for i in range(channels):
            for j in range(column, min(column + width, oc), lanes):
                first = min(j, oc - lanes)
                source, goal = sums + (i * width + j - column) * size, dw + ((channel + i) * oc + first) * size
                target, target_step = (taps, lanes * size) if later else (goal, tap_step)
                transform_result(source, step, target, edge * target_step, target_step)
                if later:
                    add(goal, tap_step, taps, j - first)
    return results


@cache
def make_steps(dtype: str, shape: Shape, form: Form) -> Steps:
    size, width, lanes, most_rows, points = ITEM_SIZES[dtype], shape.width, shape.lanes, shape.rows, form.points
    micro, results = streaming_kernel(dtype, shape), make_results(dtype, shape, form)
    kit, pixels_bytes = transforms(dtype, lanes, form), 2 * table_bytes(form)
    transform_x = make_transform(dtype, shape, form.inputs, 1, kit.picture)
    transform_dy = make_transform(dtype, shape, OUT, shape.vectors, kit.pixels)
    taps_bytes, tables_bytes = form.outputs ** 2 * lanes * size, -(-CHUNK // most_rows) * TABLE_WORDS * 8

    @helper
    def point_x(count, c):
        return odd_lines(count * round_up(c, lanes) * size)

    @helper
    def point_dy(count, oc):
        return odd_lines(count * round_up(oc, width) * size)

    @helper
    def sum_bytes(channels):
        return odd_lines(channels * width * size)

    @helper
    def scratch_bytes(c, oc):
        return (pixels_bytes + taps_bytes + tables_bytes + points * sum_bytes(min(c, CHUNK))
                + round_up(max(c, oc) * size, LINE))

    @helper
    def transform(xs, dys, total, at, x, dy, h, w, c, oc, oh, ow, pad_top, pad_left, first, count, scratch):
        zeros = scratch + pixels_bytes
        zero_bytes(zeros, max(c, oc) * size)
        down, across = ceil_div(oh, OUT), ceil_div(ow, OUT)
        transform_x(xs, point_x(total, c), total, at, x, h, w, c, down, across, pad_top, pad_left, first, count, zeros,
                    scratch)
        transform_dy(dys, point_dy(total, oc), total, at, dy, oh, ow, oc, down, across, 0, 0, first, count, zeros,
                     scratch)

    @helper
    def fill_tables(tables, xs, c, channel, channels, count):
        """Of the micro-kernel: one register tile each."""
        tiles = ceil_div(channels, most_rows)
        for tile in range(tiles):
            words, row = int64_at(tables + tile * TABLE_WORDS * 8), channels * tile // tiles
            words[0] = 0
            for i in range(channels * (tile + 1) // tiles - row):
                number = channel + row + i
                vector = number // lanes
                words[1 + i] = xs + (vector * count * lanes + number - min(vector * lanes, c - lanes)) * size

    @helper
    def products(xs, step_x, dys, step_dy, sums, tables, channels, count, run_bytes):
        """The products of a unit, whose panel of dy is at dys, and whose vectors of x are at xs. Those of the next
        point are asked for meanwhile: with the first register tile dy, with the others `run_bytes` of x, if not 0."""
        tiles, panel_bytes = ceil_div(channels, most_rows), count * width * size
        for point in range(points):
            for tile in range(tiles):
                row, line, place = channels * tile // tiles, dys + point * step_dy, (tile - 1) * panel_bytes
                ahead = min(run_bytes, step_dy)
                if tile > 0:
                    ahead = xs + (point + 1) * step_x + place - line if place < run_bytes else 0
                micro(channels * (tile + 1) // tiles - row, 1, count, point * step_x, lanes * size,
                      line, width * size, tables + tile * TABLE_WORDS * 8,
                      sums + point * sum_bytes(channels) + row * width * size, width * size, False, width, ahead,
                      width * size)

    @helper
    def multiply(xs, dys, dw, c, oc, count, first_unit, units, later, scratch):
        taps = scratch + pixels_bytes
        tables = taps + taps_bytes
        sums, chunks = tables + tables_bytes, chunks_of(c)
        for unit in range(first_unit, first_unit + units):
            panel, number = unit // chunks, unit % chunks
            channel = c * number // chunks
            channels = c * (number + 1) // chunks - channel
            fill_tables(tables, xs, c, channel, channels, count)
            first, last = channel // lanes, ceil_div(channel + channels, lanes)
            far = points * count * (c + oc) * size > FAR_BYTES
            products(xs + first * count * lanes * size, point_x(count, c), dys + panel * count * width * size,
                     point_dy(count, oc), sums, tables, channels, count,
                     (last - first) * count * lanes * size if far else 0)
            results(sums, sum_bytes(channels), dw, c, oc, channel, channels, panel * width, later, taps)
    return Steps(point_x, point_dy, scratch_bytes, transform, multiply)


def _nowhere() -> FilterGrad:
    """Of a dtype that is always computed directly."""
    @helper
    def pays(k, n, c, oh, ow, oc):
        return False

    @helper
    def bind(k, n, c, oh, ow, oc, choice):
        pass

    @helper
    def run(k, x, dy, dw, n, h, w, c, oc, oh, ow, pad_top, pad_left, choice, work, scratch, phase, tile):
        pass
    return FilterGrad(pays, bind, run)


@cache
def make_form(dtype: str, shape: Shape, form: Form) -> FilterGrad:
    """Of one form, which is no longer asked for the filter's size."""
    size, width, lanes, most_rows = ITEM_SIZES[dtype], shape.width, shape.lanes, shape.rows
    points, taps, filter_grad_faster = form.points, form.outputs ** 2, costs(form).filter_grad_faster
    steps = make_steps(dtype, shape, form)
    point_x, point_dy, scratch_bytes = steps.point_x, steps.point_dy, steps.bytes
    transform, multiply = steps.transform, steps.multiply

    @helper
    def tiles_of(n, oh, ow):
        return n * ceil_div(oh, OUT) * ceil_div(ow, OUT)

    @helper
    def block_of(c, oc):
        return min(max(BLOCK_BYTES // (points * (round_up(c, lanes) + round_up(oc, width)) * size), most_rows), BLOCK)

    @helper
    def pays(n, c, oh, ow, oc):
        tiles = tiles_of(n, oh, ow)
        blocks = ceil_div(tiles, block_of(c, oc))
        return filter_grad_faster(tiles, blocks, n * oh * ow, c, oc, size, lanes, width)

    @helper
    def bind(n, c, oh, ow, oc, choice):
        tiles, elements, units = tiles_of(n, oh, ow), taps * c * oc, ceil_div(oc, width) * chunks_of(c)
        shared_bytes = points * (point_x(tiles, c) + point_dy(tiles, oc))
        choice[SCRATCH_BYTES] = scratch_bytes(c, oc)
        choice[PARTS], parts, at_once = 1, 1, tiles
        if tiles <= SHARED_TILES and shared_bytes <= SHARED_BYTES:
            choice[SHARED], choice[WORK_BYTES], choice[BLOCK_TILES] = 1, shared_bytes, tiles
            choice[PART_TILES] = ceil_div(tiles, TRANSFORM_TILES)
            choice[TILES], groups = ceil_div(tiles, choice[PART_TILES]), units
        else:
            choice[BLOCK_TILES] = block_of(c, oc)
            parts = min(ceil_div(tiles, choice[BLOCK_TILES]), MOST_PARTS, max(WORK_LIMIT // (elements * size), 1))
            choice[PART_TILES] = ceil_div(tiles, parts)
            choice[PARTS] = parts = ceil_div(tiles, choice[PART_TILES])
            choice[SCRATCH_BYTES] += points * (point_x(choice[BLOCK_TILES], c) + point_dy(choice[BLOCK_TILES], oc))
            groups, at_once = ceil_div(FEW_PARTS, parts), choice[PART_TILES]
        enough = ceil_div(PRODUCTS, at_once * points * min(c, CHUNK) * width)
        choice[UNITS] = min(max(enough, ceil_div(units, min(groups, MOST_TILES))), units)
        work = parts * ceil_div(units, choice[UNITS])
        if choice[SHARED] != 0:
            choice[TILES_1] = work
        else:
            choice[TILES] = work

    @part("winograd_filter_grad", form.outputs)
    def run(x, dy, dw, n, h, w, c, oc, oh, ow, pad_top, pad_left, choice, work, scratch, phase, tile):
        shared, tiles, units = choice[SHARED] != 0, tiles_of(n, oh, ow), ceil_div(oc, width) * chunks_of(c)
        transforms_, multiplies = not shared or phase == 0, not shared or phase == 1
        groups = ceil_div(units, choice[UNITS]) if multiplies else 1
        first, count, target = 0, tiles, dw
        if transforms_:
            first = tile // groups * choice[PART_TILES]
            count = min(choice[PART_TILES], tiles - first)
            if choice[PARTS] > 1:
                target = work + tile // groups * taps * c * oc * size
        first_unit = tile % groups * choice[UNITS]
        pieces = ceil_div(count, choice[BLOCK_TILES])
        for piece in range(pieces):
            begin = first + count * piece // pieces
            some = first + count * (piece + 1) // pieces - begin
            total, at, xs = some, 0, scratch + scratch_bytes(c, oc)
            if shared:
                total, at, xs = tiles, begin, work
            dys = xs + points * point_x(total, c)
            if transforms_:
                transform(xs, dys, total, at, x, dy, h, w, c, oc, oh, ow, pad_top, pad_left, begin, some, scratch)
            if multiplies:
                multiply(xs, dys, target, c, oc, some, first_unit, min(choice[UNITS], units - first_unit), piece > 0,
                         scratch)
    return FilterGrad(pays, bind, run)


@cache
def make_filter_grad(dtype: str, shape: Shape) -> FilterGrad:
    if dtype not in DTYPES:
        return _nowhere()
    three, five = make_form(dtype, shape, F4_GRAD), make_form(dtype, shape, F4X5_GRAD)
    pays_3, bind_3, run_3 = three.pays, three.bind, three.run
    pays_5, bind_5, run_5 = five.pays, five.bind, five.run

    @helper
    def pays(k, n, c, oh, ow, oc):
        return pays_3(n, c, oh, ow, oc) if k == 3 else pays_5(n, c, oh, ow, oc)

    @helper
    def bind(k, n, c, oh, ow, oc, choice):
        if k == 3:
            bind_3(n, c, oh, ow, oc, choice)
        else:
            bind_5(n, c, oh, ow, oc, choice)

    @helper
    def run(k, x, dy, dw, n, h, w, c, oc, oh, ow, pad_top, pad_left, choice, work, scratch, phase, tile):
        if k == 3:
            run_3(x, dy, dw, n, h, w, c, oc, oh, ow, pad_top, pad_left, choice, work, scratch, phase, tile)
        else:
            run_5(x, dy, dw, n, h, w, c, oc, oh, ow, pad_top, pad_left, choice, work, scratch, phase, tile)
    return FilterGrad(pays, bind, run)
