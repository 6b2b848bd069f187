"""3 x 3 convolutions without stride, and their gradients for the input, by Winograd's F(4 x 4, 3 x 3).

Job: 36 products of matrices take the place of 9 taps for 16 pixels, a quarter of the multiplications. Rows of A are
tiles of the source, B is the filter, both transformed (winograd_forms.py); the products' results are transformed back
into the target. Forwards, source is x, target y; backwards, source is dy, target dx, the filter turned around and its
channels exchanged.
Order: blocks of tiles, whose transformed pictures stay in the second cache; panels; chunks of channels, whose part of
the filter is transformed anew for each block (that costs less than to read a filter that has become four times as
large); the 36 products. Where few tiles make few blocks, phase 0 transforms all pictures into the workspace, and
panels are divided among tiles of work.
Invariants: pixels are checked against the picture before they are read, what is outside is a row of zeros in scratch;
channels of the last vector that are left over are transformed twice, to the same numbers; the order of all sums follows
from the sizes. Results differ from direct ones by roundings (docs/adr/0042): a NaN or infinity reaches whole tiles.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, ceil_div, copy_bytes, helper, int64_at, round_up, zero_bytes
from ..products.micro import TABLE_WORDS, Shape, micro_kernel
from ..products.panels import packing
from ..words import FORMAT, NO_WINOGRAD, SCRATCH_BYTES, TILE_ELEMENTS, TILES, TILES_1, USER, WORK_BYTES
from .winograd_forms import F4, transforms

FORM = F4
SIDE, OUT = FORM.inputs, FORM.outputs
POINTS = SIDE * SIDE
TAPS = 9
LINE = 64                              # bytes of a line of the cache
CHUNK = 128                            # channels whose filter is transformed at once
BLOCK = 84                             # tiles of a block, about
SHARED_BYTES = 8 << 20                 # of all transformed pictures, at most, where phase 0 transforms them
MOST_TILES = 64
PRODUCTS = 1 << 20                     # multiplications of a tile, at least
# Words of choice: lines of tiles and panels of a tile of work; lines of a tile of phase 0, 0 if there is no such phase.
TILE_LINES, TILE_PANELS, PICTURE_LINES = USER + 1, USER + 2, USER + 5
_POINTS_BYTES = round_up.py_func(POINTS * 8, LINE)


@dataclass(frozen=True)
class Winograd:
    """pays(n, sc, th, tw, tc, kh, kw, ..., choice): whether it may be taken and is the fastest way.
    bind(n, sc, th, tw, tc, choice) says how. run(source, f, target, n, sh, sw, sc, th, tw, tc, top, left, choice, work, scratch,
    phase, tile) runs a tile; top, left: how far the first pixel that a target's first one depends on is before the source.
    """

    bind: Any
    run: Any


@helper
def blocks_of(tiles):
    return max((tiles + BLOCK // 2) // BLOCK, 1)


@helper
def odd_lines(bytes_):
    """An odd number of lines of the cache: what is that far apart does not collide there."""
    return (bytes_ + LINE - 1) // LINE // 2 * 2 * LINE + LINE


@cache
def make_pictures(dtype, shape):
    """The functions (row_bytes(sc), point_bytes(count, sc), transform) of transformed pictures: 36 points, each a matrix
    of tiles by channels."""
    size, lanes = ITEM_SIZES[dtype], shape.lanes
    transform_picture = transforms(dtype, lanes, FORM).picture

    @helper
    def row_bytes(sc):
        return odd_lines(sc * size)

    @helper
    def point_bytes(count, sc):
        return odd_lines(count * row_bytes(sc))

    @helper
    def locate(table, picture, row, column, sh, sw, sc, zeros):
        """The addresses of a tile's pixels."""
        for i in range(SIDE):
            line = picture + ((row + i) * sw + column) * sc * size
            inside = 0 <= row + i < sh
            for j in range(SIDE):
                table[i * SIDE + j] = line + j * sc * size if inside and 0 <= column + j < sw else zeros

    @helper
    def transform(target, step, source, sh, sw, sc, down, across, top, left, first, count, zeros, table):
        """Tiles first to first + count; down, across: tiles of a picture."""
        for number in range(count):
            line, column = (first + number) // across, (first + number) % across
            picture, row = line // down, line % down
            locate(int64_at(table), source + picture * sh * sw * sc * size, row * OUT - top, column * OUT - left, sh, sw,
                   sc, zeros)
            goal = target + number * row_bytes(sc)
            for channel in range(0, sc, lanes):
                at = min(channel, sc - lanes) * size
                transform_picture(table, at, goal + at, step)
    return row_bytes, point_bytes, transform


@cache
def make_filters(dtype, shape, backward):
    """The functions (chunk_bytes(count), transform(target, taps, f, packed, sc, tc, first, count, column)); this one transforms a chunk of channels of a panel: 36
    matrices of `count` x width; taps: memory for the chunk's nine taps."""
    size, width, lanes = ITEM_SIZES[dtype], shape.width, shape.lanes
    transform_filter = transforms(dtype, lanes, FORM).filter
    pack, pack_transposed = packing(dtype, shape).pack, packing(dtype, shape).pack_transposed

    @helper
    def chunk_bytes(count):
        """From one tap or point to the next."""
        return odd_lines(count * width * size)

    @helper
    def gather(taps, f, sc, tc, first, count, column):
        for tap in range(TAPS):
            pack(taps + tap * chunk_bytes(count), f + ((tap * sc + first) * tc + column) * size, tc * size, count,
                 tc - column)

    @helper
    def gather_turned(taps, f, sc, tc, first, count, column):
        for tap in range(TAPS):
            pack_transposed(taps + (TAPS - 1 - tap) * chunk_bytes(count),
                            f + ((tap * tc + column) * sc + first) * size, sc * size, count, tc - column)
    collect = gather_turned if backward else gather

    @helper
    def transform(target, taps, f, packed, sc, tc, first, count, column):
        source, step = taps, chunk_bytes(count)
        if packed:
            source, step = f + (column * TAPS * sc + first * width) * size, sc * width * size
        else:
            collect(taps, f, sc, tc, first, count, column)
        for at in range(0, count * width * size, lanes * size):
            transform_filter(source + at, step, target + at, chunk_bytes(count))
    return chunk_bytes, transform


@cache
def make_results(dtype, shape):
    """The function (sums, step, target, th, tw, tc, down, across, first, count, column, tile) that transforms the products
    of a panel into the target; tile: memory for a tile."""
    size, width, lanes = ITEM_SIZES[dtype], shape.width, shape.lanes
    transform_result = transforms(dtype, lanes, FORM).result

    @helper
    def transform(sums, step, target, th, tw, tc, down, across, first, count, column, tile):
        for number in range(count):
            line, place = (first + number) // across, (first + number) % across * OUT
            picture, row = line // down, line % down * OUT
            goal = target + (((picture * th + row) * tw + place) * tc + column) * size
            whole = row + OUT <= th and place + OUT <= tw and column + width <= tc
            base, row_step, column_step = tile, OUT * width * size, width * size
            if whole:
                base, row_step, column_step = goal, tw * tc * size, tc * size
            for at in range(0, width * size, lanes * size):
                transform_result(sums + number * width * size + at, step, base + at, row_step, column_step)
            if not whole:
                for i in range(min(OUT, th - row)):
                    for j in range(min(OUT, tw - place)):
                        copy_bytes(goal + (i * tw + j) * tc * size, tile + (i * OUT + j) * width * size,
                                   min(width, tc - column) * size)
    return transform


@cache
def make_winograd(dtype: str, shape: Shape, backward: bool) -> Winograd:
    size, width, most_rows = ITEM_SIZES[dtype], shape.width, shape.rows
    micro = micro_kernel(dtype, shape)
    row_bytes, point_bytes, transform_pictures = make_pictures(dtype, shape)
    chunk_bytes, transform_filters = make_filters(dtype, shape, backward)
    transform_results = make_results(dtype, shape)
    tile_bytes = round_up.py_func(OUT * OUT * width * size, LINE)

    @helper
    def sum_bytes(count):
        return odd_lines(count * width * size)

    @helper
    def picture_bytes(count, sc):
        return POINTS * point_bytes(count, sc)

    @helper
    def scratch_bytes(sc, count):
        chunk = min(sc, CHUNK)
        tables = ceil_div(count, most_rows) * TABLE_WORDS * 8
        return (_POINTS_BYTES + tile_bytes + round_up(sc * size, LINE) + (TAPS + POINTS) * chunk_bytes(chunk)
                + POINTS * sum_bytes(count) + tables + LINE)

    @helper
    def pictures(target, step, source, sh, sw, sc, th, tw, top, left, first, count, scratch):
        zeros = scratch + _POINTS_BYTES + tile_bytes
        zero_bytes(zeros, sc * size)
        transform_pictures(target, step, source, sh, sw, sc, ceil_div(th, OUT), ceil_div(tw, OUT), top, left, first,
                           count, zeros, scratch)

    @helper
    def products(pictures, step, filters, sums, tables, first_channel, channels, count):
        """The 36 products of a chunk of channels."""
        tiles = ceil_div(count, most_rows)
        for point in range(POINTS):
            for tile in range(tiles):
                row = count * tile // tiles
                micro(count * (tile + 1) // tiles - row, 1, channels, point * step + first_channel * size, size,
                      filters + point * chunk_bytes(channels), width * size, tables + tile * TABLE_WORDS * 8,
                      sums + point * sum_bytes(count) + row * width * size, width * size, first_channel, width)

    @helper
    def fill_tables(tables, pictures, sc, count):
        """Of the micro-kernel: one register tile each."""
        tiles = ceil_div(count, most_rows)
        for tile in range(tiles):
            words, row = int64_at(tables + tile * TABLE_WORDS * 8), count * tile // tiles
            words[0] = 0
            for i in range(count * (tile + 1) // tiles - row):
                words[1 + i] = pictures + (row + i) * row_bytes(sc)

    @helper
    def convolve(pictures, step, f, packed, target, sc, th, tw, tc, first, count, first_panel, panels, scratch):
        """Tiles first to first + count by some panels."""
        tile, chunk = scratch + _POINTS_BYTES, min(sc, CHUNK)
        taps = tile + tile_bytes + round_up(sc * size, LINE)
        filters = taps + TAPS * chunk_bytes(chunk)
        sums = filters + POINTS * chunk_bytes(chunk)
        tables = sums + POINTS * sum_bytes(count)
        fill_tables(tables, pictures, sc, count)
        chunks = ceil_div(sc, chunk)
        for panel in range(first_panel, first_panel + panels):
            for number in range(chunks):
                channel = sc * number // chunks
                channels = sc * (number + 1) // chunks - channel
                transform_filters(filters, taps, f, packed, sc, tc, channel, channels, panel * width)
                products(pictures, step, filters, sums, tables, channel, channels, count)
            transform_results(sums, sum_bytes(count), target, th, tw, tc, ceil_div(th, OUT), ceil_div(tw, OUT), first,
                              count, panel * width, tile)

    @helper
    def bind(n, sc, th, tw, tc, choice):
        down, across, panels = ceil_div(th, OUT), ceil_div(tw, OUT), ceil_div(tc, width)
        lines, blocks = n * down, blocks_of(n * down * across)
        choice[TILE_LINES], choice[TILE_PANELS] = ceil_div(lines, blocks), panels
        if down * across <= BLOCK:
            choice[TILE_LINES] = ceil_div(n, blocks) * down
        tiles = choice[TILE_LINES] * across
        block = ceil_div(tiles, blocks_of(tiles))
        choice[SCRATCH_BYTES] = scratch_bytes(sc, block)
        shared = POINTS * point_bytes(lines * across, sc)
        if blocks < 8 and shared <= SHARED_BYTES:
            choice[WORK_BYTES] = shared
            choice[PICTURE_LINES] = ceil_div(lines, 16)
            choice[TILES] = ceil_div(lines, choice[PICTURE_LINES])
            enough = ceil_div(PRODUCTS, tiles * POINTS * sc * width)
            choice[TILE_PANELS] = min(max(enough, ceil_div(panels * blocks, MOST_TILES)), panels)
        else:
            choice[SCRATCH_BYTES] += POINTS * point_bytes(block, sc)
        work = ceil_div(lines, choice[TILE_LINES]) * ceil_div(panels, choice[TILE_PANELS])
        if choice[PICTURE_LINES] > 0:
            choice[TILES_1] = work
        else:
            choice[TILES] = work
        if choice[TILE_PANELS] == panels and (th % OUT == 0 or choice[TILE_LINES] % down == 0):
            pixels = choice[TILE_LINES] // down * th if choice[TILE_LINES] % down == 0 else choice[TILE_LINES] * OUT
            choice[TILE_ELEMENTS] = pixels * tw * tc

    @helper
    def run(source, f, target, n, sh, sw, sc, th, tw, tc, top, left, choice, work, scratch, phase, tile):
        down, across, panels = ceil_div(th, OUT), ceil_div(tw, OUT), ceil_div(tc, width)
        lines = n * down
        shared = choice[PICTURE_LINES] > 0
        if shared and phase == 0:
            first, count = tile * choice[PICTURE_LINES], choice[PICTURE_LINES]
            count = min(count, lines - first) * across
            first *= across
            pictures(work + first * row_bytes(sc), point_bytes(lines * across, sc), source, sh, sw, sc, th, tw, top,
                     left, first, count, scratch)
            return
        groups = ceil_div(panels, choice[TILE_PANELS])
        first_panel, first = tile % groups * choice[TILE_PANELS], tile // groups * choice[TILE_LINES]
        group, count = min(choice[TILE_PANELS], panels - first_panel), min(choice[TILE_LINES], lines - first) * across
        first *= across
        pieces = blocks_of(count)
        for piece in range(pieces):
            begin = count * piece // pieces
            some = count * (piece + 1) // pieces - begin
            made, step = work + (first + begin) * row_bytes(sc), point_bytes(lines * across, sc)
            if not shared:
                made, step = scratch + scratch_bytes(sc, some), point_bytes(some, sc)
                pictures(made, step, source, sh, sw, sc, th, tw, top, left, first + begin, some, scratch)
            convolve(made, step, f, choice[FORMAT] != 0, target, sc, th, tw, tc, first + begin, some, first_panel, group, scratch)
    return Winograd(bind, run)


@helper
def fits(kh, kw, stride_h, stride_w, dilation_h, dilation_w, choice):
    """Whether Winograd computes such a convolution, and may."""
    return (kh == 3 and kw == 3 and stride_h * stride_w * dilation_h * dilation_w == 1 and choice[NO_WINOGRAD] == 0)
