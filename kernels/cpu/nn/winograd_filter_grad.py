"""The gradient of a convolution without stride for its filter of 3 x 3 or 5 x 5, by Winograd's F(3 x 3, 4 x 4) and
F(5 x 5, 2 x 2).

Job: tiles of dy of 4 x 4 (2 x 2) pixels take the place of a filter that slides over the tile of 6 x 6 pixels of x that
they belong to, and the taps that of the result. Both are transformed (winograd_tiles.py); sums over tiles of the 36
products, rows of A being channels of x and B the columns of dy, are transformed into the filter's taps: 36 products for
144 (100).
Order: units of work are some channels by one panel of columns, whose 36 matrices of sums stay in the cache. Where there
are few tiles, phase 0 transforms them all into the workspace and phase 1 divides the units; else tiles fall into
parts, whose blocks are transformed into scratch: each part adds up a gradient of its own in the workspace, and phase 1
adds those in order (conv_filter_grad.py).
Invariants: parts, blocks and units follow from the sizes alone; what a row of dy has behind its last column is
multiplied with the last panel and never written.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, apart, ceil_div, helper, int64_at, pointer_to, round_up, zero_bytes
from ..products.micro import TABLE_WORDS, Shape, micro_kernel
from ..words import SCRATCH_BYTES, TILES, TILES_1, USER, WORK_BYTES
from .winograd_cost import filter_grad_faster
from .winograd_forms import PLACES, form_of, transforms
from .winograd_tiles import LINE, POINTS, SIDE, make_transform, odd_lines

CHUNK = 56                             # channels of a unit: whole register tiles of AVX-512
BLOCK = 112                            # tiles of a block, at most
BLOCK_BYTES = 8 << 20                  # of a block's transformed pixels, about
SHARED_TILES, SHARED_BYTES = 256, 16 << 20     # up to so many, phase 0 transforms them
TRANSFORM_TILES = 16                   # of work of phase 0
FEW_PARTS = 8                          # so few are divided by their units, too
PRODUCTS = 1 << 20                     # multiplications of a tile of work, at least
MOST_TILES = 64
WORK_LIMIT = 32 << 20                  # bytes of all parts
MOST_TAPS = 25
# Words of choice: parts (conv_filter_grad.py); tiles of a part, or of one of phase 0; tiles of a block; units of a tile
# of work; whether phase 0 transforms all.
PARTS, PART_TILES, BLOCK_TILES, UNITS, SHARED = USER + 1, USER + 2, USER + 3, USER + 4, USER + 5
_TABLE_BYTES = round_up.py_func(POINTS * 8, LINE)


@dataclass(frozen=True)
class FilterGrad:
    """pays(n, c, oh, ow, oc, k): whether it is faster than the direct way; k: of the filter, 3 or 5. bind(n, c, oh, ow,
    oc, k, choice). run(x, dy, dw, n, h, w, c, k, oc, oh, ow, pad_top, pad_left, choice, work, scratch, phase, tile)
    gives the gradient, or those of parts at `dw`; phase 1 of several parts is not its own."""

    pays: Any
    bind: Any
    run: Any


@dataclass(frozen=True)
class Steps:
    """Of one block. row_x(c), row_dy(oc): bytes from tile to tile; point_x(count, c), point_dy(count, oc): from matrix
    to matrix. bytes(c, oc): scratch without transformed pixels. transform(xs, step_x, dys, step_dy, x, dy, h, w, c, k,
    oc, oh, ow, pad_top, pad_left, first, count, scratch) of tiles; multiply(xs, step_x, dys, step_dy, dw, c, k, oc,
    count, first_unit, units, later, scratch) writes the gradient of some units, or adds to it."""

    row_x: Any
    row_dy: Any
    point_x: Any
    point_dy: Any
    bytes: Any
    transform: Any
    multiply: Any


@helper
def chunks_of(c):
    return ceil_div(c, CHUNK)


@cache
def make_results(dtype: str, shape: Shape) -> Any:
    """The function (sums, step, dw, c, k, oc, channel, channels, column, later, taps) that makes a unit's sums taps of
    dw, or adds them; taps: memory for a vector of each tap."""
    size, width, lanes, at = ITEM_SIZES[dtype], shape.width, shape.lanes, pointer_to(dtype)
    result_3, result_5 = (transforms(dtype, lanes, form_of(k, *PLACES)).result for k in (3, 5))

    @helper
    def spread(dw, step, taps, count, columns, later):
        """From `taps` to dw, `columns` of each of `count` taps."""
        for tap in range(count):
            target, source = at(dw + tap * step), at(taps + tap * lanes * size)
            for i in range(columns):
                target[i] = target[i] + source[i] if later else source[i]

    @helper
    def results(sums, step, dw, c, k, oc, channel, channels, column, later, taps):
        tap_step = c * oc * size
        for i in range(channels):
            for j in range(0, min(width, oc - column), lanes):
                source = sums + (i * width + j) * size
                goal = dw + ((channel + i) * oc + column + j) * size
                straight = column + j + lanes <= oc and not later
                target, target_step = (goal, tap_step) if straight else (taps, lanes * size)
                if k == 3:
                    result_3(source, step, target, 3 * target_step, target_step)
                else:
                    result_5(source, step, target, 5 * target_step, target_step)
                if not straight:
                    spread(goal, tap_step, taps, k * k, min(lanes, oc - column - j), later)
    return results


@cache
def make_steps(dtype: str, shape: Shape) -> Steps:
    size, width, lanes, most_rows = ITEM_SIZES[dtype], shape.width, shape.lanes, shape.rows
    micro, results = micro_kernel(dtype, shape), make_results(dtype, shape)
    kit_3, kit_5 = (transforms(dtype, lanes, form_of(k, *PLACES)) for k in (3, 5))
    transform_x = make_transform(dtype, shape, SIDE, kit_3.picture)
    transform_4, transform_2 = make_transform(dtype, shape, 4, kit_3.pixels), make_transform(dtype, shape, 2,
                                                                                             kit_5.pixels)
    taps_bytes, tables_bytes = MOST_TAPS * lanes * size, -(-CHUNK // most_rows) * TABLE_WORDS * 8

    @helper
    def row_x(c):
        return odd_lines(c * size)

    @helper
    def row_dy(oc):
        return odd_lines(round_up(oc, width) * size)

    @helper
    def point_x(count, c):
        return odd_lines(count * row_x(c))

    @helper
    def point_dy(count, oc):
        return odd_lines(count * row_dy(oc))

    @helper
    def sum_bytes(channels):
        return odd_lines(channels * width * size)

    @helper
    def scratch_bytes(c, oc):
        return (_TABLE_BYTES + taps_bytes + tables_bytes + POINTS * sum_bytes(min(c, CHUNK))
                + round_up(max(c, oc) * size, LINE))

    @helper
    def transform(xs, step_x, dys, step_dy, x, dy, h, w, c, k, oc, oh, ow, pad_top, pad_left, first, count, scratch):
        zeros = scratch + _TABLE_BYTES
        zero_bytes(zeros, max(c, oc) * size)
        out = 7 - k
        down, across = ceil_div(oh, out), ceil_div(ow, out)
        transform_x(xs, step_x, row_x(c), x, h, w, c, out, down, across, pad_top, pad_left, first, count, zeros,
                    scratch)
        if k == 3:
            transform_4(dys, step_dy, row_dy(oc), dy, oh, ow, oc, out, down, across, 0, 0, first, count, zeros, scratch)
        else:
            transform_2(dys, step_dy, row_dy(oc), dy, oh, ow, oc, out, down, across, 0, 0, first, count, zeros, scratch)

    @helper
    def products(xs, step_x, c, dys, step_dy, oc, sums, tables, channel, channels, count):
        """The 36 products of a unit, whose columns of dy begin at dys."""
        tiles = ceil_div(channels, most_rows)
        for tile in range(tiles):
            words, row = int64_at(tables + tile * TABLE_WORDS * 8), channels * tile // tiles
            words[0] = 0
            for i in range(channels * (tile + 1) // tiles - row):
                words[1 + i] = xs + (channel + row + i) * size
        for point in range(POINTS):
            for tile in range(tiles):
                row = channels * tile // tiles
                micro(channels * (tile + 1) // tiles - row, 1, count, point * step_x, row_x(c), dys + point * step_dy,
                      row_dy(oc), tables + tile * TABLE_WORDS * 8,
                      sums + point * sum_bytes(channels) + row * width * size, width * size, False, width)

    @helper
    def multiply(xs, step_x, dys, step_dy, dw, c, k, oc, count, first_unit, units, later, scratch):
        taps = scratch + _TABLE_BYTES
        tables = taps + taps_bytes
        sums, chunks = tables + tables_bytes, chunks_of(c)
        for unit in range(first_unit, first_unit + units):
            column, number = unit // chunks * width, unit % chunks
            channel = c * number // chunks
            channels = c * (number + 1) // chunks - channel
            products(xs, step_x, c, dys + column * size, step_dy, oc, sums, tables, channel, channels, count)
            results(sums, sum_bytes(channels), dw, c, k, oc, channel, channels, column, later, taps)
    return Steps(row_x, row_dy, point_x, point_dy, scratch_bytes, transform, multiply)


def _nowhere() -> FilterGrad:
    """Of a dtype that is always computed directly."""
    @helper
    def pays(n, c, oh, ow, oc, k):
        return False

    @helper
    def bind(n, c, oh, ow, oc, k, choice):
        pass

    @helper
    def run(x, dy, dw, n, h, w, c, k, oc, oh, ow, pad_top, pad_left, choice, work, scratch, phase, tile):
        pass
    return FilterGrad(pays, bind, run)


@cache
def make_filter_grad(dtype: str, shape: Shape) -> FilterGrad:
    if dtype != "f32":                 # who asks for float64 asks for its exactness
        return _nowhere()
    size, width, lanes, most_rows = ITEM_SIZES[dtype], shape.width, shape.lanes, shape.rows
    steps = make_steps(dtype, shape)
    row_x, row_dy, point_x, point_dy = steps.row_x, steps.row_dy, steps.point_x, steps.point_dy
    scratch_bytes, transform, multiply = steps.bytes, steps.transform, steps.multiply

    @helper
    def tiles_of(n, oh, ow, k):
        return n * ceil_div(oh, 7 - k) * ceil_div(ow, 7 - k)

    @helper
    def block_of(c, oc):
        return min(max(BLOCK_BYTES // (POINTS * (row_x(c) + row_dy(oc))), most_rows), BLOCK)

    @helper
    def pays(n, c, oh, ow, oc, k):
        tiles = tiles_of(n, oh, ow, k)
        blocks = ceil_div(tiles, block_of(c, oc))
        return filter_grad_faster(tiles, blocks, n * oh * ow, c, oc, k * k, size, lanes, width)

    @helper
    def bind(n, c, oh, ow, oc, k, choice):
        tiles, elements, units = tiles_of(n, oh, ow, k), k * k * c * oc, ceil_div(oc, width) * chunks_of(c)
        shared_bytes = POINTS * (point_x(tiles, c) + point_dy(tiles, oc))
        choice[SCRATCH_BYTES] = scratch_bytes(c, oc)
        choice[PARTS], parts, at_once = 1, 1, tiles
        if tiles <= SHARED_TILES and shared_bytes <= SHARED_BYTES:
            choice[SHARED], choice[WORK_BYTES], choice[BLOCK_TILES] = 1, shared_bytes, tiles
            choice[PART_TILES] = ceil_div(tiles, TRANSFORM_TILES)
            choice[TILES], groups = ceil_div(tiles, choice[PART_TILES]), units
        else:
            choice[BLOCK_TILES] = block_of(c, oc)
            parts = min(ceil_div(tiles, choice[BLOCK_TILES]), MOST_TILES, max(WORK_LIMIT // (elements * size), 1))
            choice[PART_TILES] = ceil_div(tiles, parts)
            choice[PARTS] = parts = ceil_div(tiles, choice[PART_TILES])
            choice[SCRATCH_BYTES] += POINTS * (point_x(choice[BLOCK_TILES], c) + point_dy(choice[BLOCK_TILES], oc))
            groups, at_once = ceil_div(FEW_PARTS, parts), choice[PART_TILES]
        enough = ceil_div(PRODUCTS, at_once * POINTS * min(c, CHUNK) * width)
        choice[UNITS] = min(max(enough, ceil_div(units, min(groups, MOST_TILES))), units)
        work = parts * ceil_div(units, choice[UNITS])
        if choice[SHARED] != 0:
            choice[TILES_1] = work
        else:
            choice[TILES] = work

    @helper
    def run(x, dy, dw, n, h, w, c, k, oc, oh, ow, pad_top, pad_left, choice, work, scratch, phase, tile):
        apart()
        shared, tiles, units = choice[SHARED] != 0, tiles_of(n, oh, ow, k), ceil_div(oc, width) * chunks_of(c)
        transforms_, multiplies = not shared or phase == 0, not shared or phase == 1
        groups = ceil_div(units, choice[UNITS]) if multiplies else 1
        first, count, target = 0, tiles, dw
        if transforms_:
            first = tile // groups * choice[PART_TILES]
            count = min(choice[PART_TILES], tiles - first)
            if choice[PARTS] > 1:
                target = work + tile // groups * k * k * c * oc * size
        first_unit = tile % groups * choice[UNITS]
        pieces = ceil_div(count, choice[BLOCK_TILES])
        for piece in range(pieces):
            begin = first + count * piece // pieces
            some = first + count * (piece + 1) // pieces - begin
            step_x, step_dy = point_x(some, c), point_dy(some, oc)
            xs = scratch + scratch_bytes(c, oc)
            dys = xs + POINTS * step_x
            if shared:
                step_x, step_dy = point_x(tiles, c), point_dy(tiles, oc)
                xs, dys = work + begin * row_x(c), work + POINTS * step_x + begin * row_dy(oc)
            if transforms_:
                transform(xs, step_x, dys, step_dy, x, dy, h, w, c, k, oc, oh, ow, pad_top, pad_left, begin, some,
                          scratch)
            if multiplies:
                multiply(xs, step_x, dys, step_dy, target, c, k, oc, some, first_unit,
                         min(choice[UNITS], units - first_unit), piece > 0, scratch)
    return FilterGrad(pays, bind, run)
