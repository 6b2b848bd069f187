"""3 x 3 and 5 x 5 convolutions without stride, and their gradients for the input, by Winograd's F(4 x 4, r x r); those
of 1 x 3 and 3 x 1 by F(4, 3).

Job: 36 products of matrices take the place of 9 taps for 16 pixels, a quarter of the multiplications, or 64 that of 25,
less than a sixth; along one axis 6 that of 3 taps for 4 pixels, half. Rows of A are tiles of the source, B is the
filter, both transformed (winograd_tiles.py); what the products give is transformed into the target. Forwards, source is
x, target y; backwards, source is dy, target dx, the filter turned around and its channels exchanged.
With dilations pixels so far apart are a part of the picture, which is convolved as one without them.
Order: blocks of tiles; panels; chunks of channels, whose part of the filter is transformed again for each block (that
costs less than to read a filter that has become several times as large); the products of each point. Where few tiles
make few blocks, phase 0 transforms all pictures into the workspace, and panels are divided among tiles of work.
Invariants: a tile of work is some lines of tiles (of tiles that lie along lines: some of those), or some panels of
them; the order of all sums follows from the sizes.
Results differ from direct ones by roundings, and a NaN or infinity reaches whole tiles (docs/adr/0042, 0054).
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, ceil_div, helper, int64_at, part, round_up, zero_bytes
from ..products.micro import TABLE_WORDS, Shape, micro_kernel
from ..tiles import shared_evenly
from ..words import FORMAT, SCRATCH_BYTES, TILE_ELEMENTS, TILES, TILES_1, USER, WORK_BYTES
from .winograd_cost import DTYPES, costs
from .winograd_forms import F4, F4_LINE, F4X5, Form
from .winograd_tiles import LINE, make_extents, make_filters, make_pictures, make_results, odd_lines, table_bytes

# Of a form with 36 points, of larger ones and of those along one axis, so that a block's sums and a chunk's filter stay
# in the second cache: channels whose filter is transformed at once, and tiles of a block, about.
CHUNK, CHUNK_OF_LARGE, CHUNK_OF_LINE = 128, 64, 512
BLOCK, BLOCK_OF_LARGE, BLOCK_OF_LINE = 84, 42, 126
SMALL = 36
PICTURE_BYTES = 8 << 20                # of a block's transformed pictures, about
SHARED_BYTES = 8 << 20                 # of all transformed pictures, at most, where phase 0 transforms them
SHARED_BLOCKS = 8                      # if there are fewer, phase 0 does so
PICTURE_TILES = 16                     # of work of phase 0, at most
MOST_TILES = 64
PRODUCTS = 1 << 20                     # multiplications of a tile, at least
# Words of choice: lines of tiles and panels of a tile of work; lines of a tile of phase 0, 0 if there is no such phase;
# tiles of a block.
TILE_LINES, TILE_PANELS, PICTURE_LINES, BLOCK_TILES = USER + 1, USER + 2, USER + 5, USER + 6


@dataclass(frozen=True)
class Winograd:
    """pays(kh, kw, n, sh, sw, sc, th, tw, tc, spacing, top, left, packed): whether it is faster than the direct way for
    filters of kh x kw taps; packed: whether the filter is packed before a run. bind(kh, kw, n, sc, th, tw, tc, spacing,
    choice). run(kh, kw, source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, top, left, choice, work,
    scratch, phase, tile); spacing: the dilation; turned: for the gradient; top, left: how far the first pixel that the
    target's first one depends on is before the source. A form has upright, whether its taps are a column, as the
    argument in place of kh and kw."""

    pays: Any
    bind: Any
    run: Any


@dataclass(frozen=True)
class Block:
    """bytes(sc, count): scratch for `count` tiles, without their pictures. pictures(target, step, source, sh, sw, sc,
    down, across, spacing, upright, top, left, first, count, distant, scratch) transforms tiles first to first + count;
    convolve(pictures, step, f, packed, turned, target, sc, th, tw, tc, down, across, spacing, upright, first, count,
    first_panel, panels, scratch) makes of them some panels of the target. down, across: tiles of a part of a picture.
    """

    bytes: Any
    pictures: Any
    convolve: Any


def chunk_of(form: Form) -> int:
    """Most channels whose filter is transformed at once."""
    if form.axes == 1:
        return CHUNK_OF_LINE
    return CHUNK if form.points <= SMALL else CHUNK_OF_LARGE


def block_of(form: Form) -> int:
    """Tiles of a block, about."""
    if form.axes == 1:
        return BLOCK_OF_LINE
    return BLOCK if form.points <= SMALL else BLOCK_OF_LARGE


@cache
def make_block(dtype: str, shape: Shape, form: Form) -> Block:
    size, width, most_rows = ITEM_SIZES[dtype], shape.width, shape.rows
    points, all_taps, most_channels = form.points, form.all_taps, chunk_of(form)
    micro, transform_results = micro_kernel(dtype, shape), make_results(dtype, shape, form)
    pictures_kit, filters_kit = make_pictures(dtype, shape, form), make_filters(dtype, shape, form)
    row_bytes, transform_pictures = pictures_kit.row_bytes, pictures_kit.transform
    chunk_bytes, transform_filters = filters_kit.chunk_bytes, filters_kit.transform
    tile_bytes, pixels_bytes = round_up.py_func(form.all_outputs * width * size, LINE), table_bytes(form)

    @helper
    def sum_bytes(count):
        return odd_lines(count * width * size)

    @helper
    def scratch_bytes(sc, count):
        chunk = min(sc, most_channels)
        tables = ceil_div(count, most_rows) * TABLE_WORDS * 8
        return (pixels_bytes + tile_bytes + round_up(sc * size, LINE) + (all_taps + points) * chunk_bytes(chunk)
                + points * sum_bytes(count) + tables + LINE)

    @helper
    def pictures(target, step, source, sh, sw, sc, down, across, spacing, upright, top, left, first, count, distant,
                 scratch):
        zeros = scratch + pixels_bytes + tile_bytes
        zero_bytes(zeros, sc * size)
        transform_pictures(target, step, source, sh, sw, sc, down, across, spacing, upright, top, left, first, count,
                           distant, zeros, scratch)

    @helper
    def products(pictures, step, filters, sums, tables, first_channel, channels, count):
        """The products of a chunk of channels."""
        tiles = ceil_div(count, most_rows)
        for point in range(points):
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
    def convolve(pictures, step, f, packed, turned, target, sc, th, tw, tc, down, across, spacing, upright, first,
                 count, first_panel, panels, scratch):
        """Tiles first to first + count by some panels."""
        tile, chunk = scratch + pixels_bytes, min(sc, most_channels)
        taps = tile + tile_bytes + round_up(sc * size, LINE)
        filters = taps + all_taps * chunk_bytes(chunk)
        sums = filters + points * chunk_bytes(chunk)
        tables = sums + points * sum_bytes(count)
        fill_tables(tables, pictures, sc, count)
        chunks = ceil_div(sc, chunk)
        for panel in range(first_panel, first_panel + panels):
            for number in range(chunks):
                channel = sc * number // chunks
                channels = sc * (number + 1) // chunks - channel
                transform_filters(filters, taps, f, packed, turned, sc, tc, channel, channels, panel * width)
                products(pictures, step, filters, sums, tables, channel, channels, count)
            transform_results(sums, sum_bytes(count), target, th, tw, tc, down, across, spacing, upright, first, count,
                              panel * width, tile, scratch)
    return Block(scratch_bytes, pictures, convolve)


def _nowhere() -> Winograd:
    """Of a dtype that is always computed directly."""
    @helper
    def pays(kh, kw, n, sh, sw, sc, th, tw, tc, spacing, top, left, packed):
        return False

    @helper
    def bind(kh, kw, n, sc, th, tw, tc, spacing, choice):
        pass

    @helper
    def run(kh, kw, source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, top, left, choice, work, scratch,
            phase, tile):
        pass
    return Winograd(pays, bind, run)


@cache
def make_form(dtype: str, shape: Shape, form: Form) -> Winograd:
    """Of one form, whose filters are no longer asked for their size."""
    size, width, lanes, most_rows = ITEM_SIZES[dtype], shape.width, shape.lanes, shape.rows
    points, taps, square, most_tiles, faster = (form.points, form.taps, form.axes == 2, block_of(form),
                                                costs(form).faster)
    kit, block_kit, extents = make_pictures(dtype, shape, form), make_block(dtype, shape, form), make_extents(form)
    outputs, apart_of = extents.outputs, extents.apart
    row_bytes, point_bytes = kit.row_bytes, kit.point_bytes
    scratch_bytes, pictures, convolve = block_kit.bytes, block_kit.pictures, block_kit.convolve

    @helper
    def blocks_of(tiles, sc):
        block = min(max(PICTURE_BYTES // (points * row_bytes(sc)), most_rows), most_tiles)
        return max((tiles + block // 2) // block, 1)

    @helper
    def layout(th, tw, spacing, upright):
        """Parts of a picture, tiles of a part, down and across, and tiles of what tiles of work are cut from: a line of
        tiles, or a tile, if all its pixels are neighbours."""
        extent, apart = outputs(upright), apart_of(spacing, upright)
        across = ceil_div(ceil_div(tw, apart[1]), extent[1])
        return (apart[0] * apart[1], ceil_div(ceil_div(th, apart[0]), extent[0]), across,
                across if square or upright else 1)

    @helper
    def met_pixels(source, target, spacing, before):
        """Of a line of the target, by taps: with dilations many of those are outside of the source."""
        if spacing == 1:
            return taps * target
        met = 0
        for tap in range(taps):
            met += max(min(target, source + before - tap * spacing) - max(before - tap * spacing, 0), 0)
        return met

    @helper
    def pays(n, sh, sw, sc, th, tw, tc, spacing, upright, top, left, packed):
        parts, down, across, _ = layout(th, tw, spacing, upright)
        tiles = n * parts * down * across
        met = met_pixels(sh, th, spacing, top) * tw if square or upright else met_pixels(sw, tw, spacing, left) * th
        return faster(tiles, blocks_of(tiles, sc), n * met * (taps if square else 1), sc, tc, packed, size, lanes,
                      width)

    @helper
    def bind(n, sc, th, tw, tc, spacing, upright, choice):
        parts, down, across, unit = layout(th, tw, spacing, upright)
        panels, picture = ceil_div(tc, width), parts * down * across // unit
        lines, blocks = n * picture, shared_evenly(blocks_of(n * parts * down * across, sc))
        choice[TILE_LINES], choice[TILE_PANELS] = ceil_div(lines, blocks), panels
        if parts * down * across <= most_tiles:
            choice[TILE_LINES] = ceil_div(n, blocks) * picture
        tiles = choice[TILE_LINES] * unit
        block = ceil_div(tiles, blocks_of(tiles, sc))
        choice[BLOCK_TILES] = block
        choice[SCRATCH_BYTES] = scratch_bytes(sc, block)
        shared = points * point_bytes(lines * unit, sc)
        if blocks < SHARED_BLOCKS and shared <= SHARED_BYTES:
            choice[WORK_BYTES] = shared
            choice[PICTURE_LINES] = ceil_div(lines, PICTURE_TILES)
            choice[TILES] = ceil_div(lines, choice[PICTURE_LINES])
            enough = ceil_div(PRODUCTS, tiles * points * sc * width)
            choice[TILE_PANELS] = min(max(enough, ceil_div(panels * blocks, MOST_TILES)), panels)
        else:
            choice[SCRATCH_BYTES] += points * point_bytes(block, sc)
        work = ceil_div(lines, choice[TILE_LINES]) * ceil_div(panels, choice[TILE_PANELS])
        if choice[PICTURE_LINES] > 0:
            choice[TILES_1] = work
        else:
            choice[TILES] = work
        if choice[TILE_PANELS] == panels:
            choice[TILE_ELEMENTS] = tile_pixels(choice[TILE_LINES], lines, picture, parts, th, tw, upright) * tc

    @helper
    def tile_pixels(tile, lines, picture, parts, th, tw, upright):
        """Pixels of a tile of work, if it is a run of them, as all others are but for the last; else 0."""
        extent = outputs(upright)
        if tile % picture == 0:
            return tile // picture * th * tw
        if parts > 1:
            return 0
        if square or upright:
            return tile * extent[0] * tw if th % extent[0] == 0 else 0
        return tile * extent[1] if tw % extent[1] == 0 or lines == ceil_div(tw, extent[1]) else 0

    @part("winograd", form.taps, *["line"] * (form.axes == 1))
    def run(source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, upright, top, left, choice, work, scratch,
            phase, tile):
        parts, down, across, unit = layout(th, tw, spacing, upright)
        lines, panels = n * parts * down * across // unit, ceil_div(tc, width)
        shared = choice[PICTURE_LINES] > 0
        transforms, multiplies = not shared or phase == 0, not shared or phase == 1
        groups = ceil_div(panels, choice[TILE_PANELS]) if multiplies else 1
        at_once = choice[TILE_LINES] if multiplies else choice[PICTURE_LINES]
        first_line, first_panel = tile // groups * at_once, tile % groups * choice[TILE_PANELS]
        first, count = first_line * unit, min(at_once, lines - first_line) * unit
        pieces = ceil_div(count, choice[BLOCK_TILES])
        for piece in range(pieces):
            begin = first + count * piece // pieces
            some = first + count * (piece + 1) // pieces - begin
            made, step = scratch + scratch_bytes(sc, some), point_bytes(some, sc)
            if shared:
                made, step = work + begin * row_bytes(sc), point_bytes(lines * unit, sc)
            if transforms:
                pictures(made, step, source, sh, sw, sc, down, across, spacing, upright, top, left, begin, some,
                         not shared, scratch)
            if multiplies:
                convolve(made, step, f, choice[FORMAT] != 0, turned, target, sc, th, tw, tc, down, across, spacing,
                         upright, begin, some, first_panel, min(choice[TILE_PANELS], panels - first_panel), scratch)
    return Winograd(pays, bind, run)


@cache
def make_winograd(dtype: str, shape: Shape) -> Winograd:
    if dtype not in DTYPES:
        return _nowhere()
    three, five, line = (make_form(dtype, shape, form) for form in (F4, F4X5, F4_LINE))
    pays_3, bind_3, run_3 = three.pays, three.bind, three.run
    pays_5, bind_5, run_5 = five.pays, five.bind, five.run
    pays_line, bind_line, run_line = line.pays, line.bind, line.run

    @helper
    def pays(kh, kw, n, sh, sw, sc, th, tw, tc, spacing, top, left, packed):
        if kh != kw:
            return pays_line(n, sh, sw, sc, th, tw, tc, spacing, kh > kw, top, left, packed)
        if kh == 3:
            return pays_3(n, sh, sw, sc, th, tw, tc, spacing, False, top, left, packed)
        return pays_5(n, sh, sw, sc, th, tw, tc, spacing, False, top, left, packed)

    @helper
    def bind(kh, kw, n, sc, th, tw, tc, spacing, choice):
        if kh != kw:
            bind_line(n, sc, th, tw, tc, spacing, kh > kw, choice)
        elif kh == 3:
            bind_3(n, sc, th, tw, tc, spacing, False, choice)
        else:
            bind_5(n, sc, th, tw, tc, spacing, False, choice)

    @helper
    def run(kh, kw, source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, top, left, choice, work, scratch,
            phase, tile):
        if kh != kw:
            run_line(source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, kh > kw, top, left, choice, work,
                     scratch, phase, tile)
        elif kh == 3:
            run_3(source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, False, top, left, choice, work,
                  scratch, phase, tile)
        else:
            run_5(source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, False, top, left, choice, work,
                  scratch, phase, tile)
    return Winograd(pays, bind, run)
