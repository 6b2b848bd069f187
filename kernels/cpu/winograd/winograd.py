"""3 x 3 and 5 x 5 convolutions without stride, and their gradients for the input, by Winograd's F(4 x 4, r x r).

Job: 36 products of matrices take the place of 9 taps for 16 pixels, a quarter of the multiplications, or 64 that of 25,
less than a sixth. Rows of A are tiles of the source, B is the filter, both transformed (winograd_tiles.py); what the
products give is transformed into the target. Forwards, source is x, target y; backwards, source is dy, target dx, the
filter turned around and its channels exchanged.
With dilations pixels so far apart are a part of the picture, which is convolved as one without them.
Order: blocks of tiles; panels; chunks of channels, whose part of the filter is transformed again for each block (that
costs less than to read a filter that has become several times as large); the products of each point. Where few tiles
make few blocks, phase 0 transforms all pictures into the workspace, and panels are divided among tiles of work.
Invariants: a tile of work is some lines of tiles, or some panels of them; the order of all sums follows from the sizes.
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
from .winograd_forms import F4, F4X5, Form
from .winograd_tiles import LINE, make_filters, make_pictures, make_results, odd_lines, table_bytes

# Of a form with 36 points, and of larger ones, so that a block's sums and a chunk's filter stay in the second cache:
# channels whose filter is transformed at once, and tiles of a block, about.
CHUNK, CHUNK_OF_LARGE = 128, 64
BLOCK, BLOCK_OF_LARGE = 84, 42
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
    """pays(k, n, sh, sc, th, tw, tc, spacing, top, packed): whether it is faster than the direct way for filters of k x
    k taps; packed: whether the filter is packed before a run. bind(k, n, sc, th, tw, tc, spacing, choice). run(k,
    source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, top, left, choice, work, scratch, phase, tile);
    spacing: the dilation; turned: for the gradient; top, left: how far the first pixel that the target's first one
    depends on is before the source."""

    pays: Any
    bind: Any
    run: Any


@dataclass(frozen=True)
class Block:
    """bytes(sc, count): scratch for `count` tiles, without their pictures. pictures(target, step, source, sh, sw, sc,
    down, across, spacing, top, left, first, count, distant, scratch) transforms tiles first to first + count;
    convolve(pictures, step, f, packed, turned, target, sc, th, tw, tc, down, across, spacing, first, count,
    first_panel, panels, scratch) makes of them some panels of the target. down, across: tiles of a part of a picture.
    """

    bytes: Any
    pictures: Any
    convolve: Any


def chunk_of(form: Form) -> int:
    """Most channels whose filter is transformed at once."""
    return CHUNK if form.points <= SMALL else CHUNK_OF_LARGE


def block_of(form: Form) -> int:
    """Tiles of a block, about."""
    return BLOCK if form.points <= SMALL else BLOCK_OF_LARGE


@cache
def make_block(dtype: str, shape: Shape, form: Form) -> Block:
    size, width, most_rows = ITEM_SIZES[dtype], shape.width, shape.rows
    points, out, all_taps, most_channels = form.points, form.outputs, form.taps ** 2, chunk_of(form)
    micro, transform_results = micro_kernel(dtype, shape), make_results(dtype, shape, form)
    pictures_kit, filters_kit = make_pictures(dtype, shape, form), make_filters(dtype, shape, form)
    row_bytes, transform_pictures = pictures_kit.row_bytes, pictures_kit.transform
    chunk_bytes, transform_filters = filters_kit.chunk_bytes, filters_kit.transform
    tile_bytes, pixels_bytes = round_up.py_func(out * out * width * size, LINE), table_bytes(form)

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
    def pictures(target, step, source, sh, sw, sc, down, across, spacing, top, left, first, count, distant, scratch):
        zeros = scratch + pixels_bytes + tile_bytes
        zero_bytes(zeros, sc * size)
        transform_pictures(target, step, source, sh, sw, sc, down, across, spacing, top, left, first, count,
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
    def convolve(pictures, step, f, packed, turned, target, sc, th, tw, tc, down, across, spacing, first, count,
                 first_panel, panels, scratch):
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
            transform_results(sums, sum_bytes(count), target, th, tw, tc, down, across, spacing, first, count,
                              panel * width, tile, scratch)
    return Block(scratch_bytes, pictures, convolve)


def _nowhere() -> Winograd:
    """Of a dtype that is always computed directly."""
    @helper
    def pays(k, n, sh, sc, th, tw, tc, spacing, top, packed):
        return False

    @helper
    def bind(k, n, sc, th, tw, tc, spacing, choice):
        pass

    @helper
    def run(k, source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, top, left, choice, work, scratch, phase,
            tile):
        pass
    return Winograd(pays, bind, run)


@cache
def make_form(dtype: str, shape: Shape, form: Form) -> Winograd:
    """Of one form, whose filters are no longer asked for their size."""
    size, width, lanes, most_rows = ITEM_SIZES[dtype], shape.width, shape.lanes, shape.rows
    points, taps, out, most_tiles, faster = form.points, form.taps, form.outputs, block_of(form), costs(form).faster
    kit, block_kit = make_pictures(dtype, shape, form), make_block(dtype, shape, form)
    row_bytes, point_bytes = kit.row_bytes, kit.point_bytes
    scratch_bytes, pictures, convolve = block_kit.bytes, block_kit.pictures, block_kit.convolve

    @helper
    def blocks_of(tiles, sc):
        block = min(max(PICTURE_BYTES // (points * row_bytes(sc)), most_rows), most_tiles)
        return max((tiles + block // 2) // block, 1)

    @helper
    def tiles_of(pixels, step):
        """Tiles of a part of a picture, along one axis."""
        return ceil_div(ceil_div(pixels, step), out)

    @helper
    def pays(n, sh, sc, th, tw, tc, spacing, top, packed):
        tiles = n * spacing * spacing * tiles_of(th, spacing) * tiles_of(tw, spacing)
        met = taps * th                    # lines of the source by taps; with dilations many of those are outside
        if spacing > 1:
            met = 0
            for tap in range(taps):
                met += max(min(th, sh + top - tap * spacing) - max(top - tap * spacing, 0), 0)
        return faster(tiles, blocks_of(tiles, sc), n * met * taps * tw, sc, tc, packed, size, lanes, width)

    @helper
    def bind(n, sc, th, tw, tc, spacing, choice):
        down, across, panels = tiles_of(th, spacing), tiles_of(tw, spacing), ceil_div(tc, width)
        parts = spacing * spacing
        lines, blocks = n * parts * down, shared_evenly(blocks_of(n * parts * down * across, sc))
        choice[TILE_LINES], choice[TILE_PANELS] = ceil_div(lines, blocks), panels
        if parts * down * across <= most_tiles:
            choice[TILE_LINES] = ceil_div(n, blocks) * parts * down
        tiles = choice[TILE_LINES] * across
        block = ceil_div(tiles, blocks_of(tiles, sc))
        choice[BLOCK_TILES] = block
        choice[SCRATCH_BYTES] = scratch_bytes(sc, block)
        shared = points * point_bytes(lines * across, sc)
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
        whole, more = choice[TILE_LINES] // (parts * down), choice[TILE_LINES] % (parts * down)
        if choice[TILE_PANELS] == panels and (more == 0 or (parts == 1 and th % out == 0)):
            choice[TILE_ELEMENTS] = (whole * th if more == 0 else choice[TILE_LINES] * out) * tw * tc

    @part("winograd", form.taps)
    def run(source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, top, left, choice, work, scratch,
            phase, tile):
        down, across, panels = tiles_of(th, spacing), tiles_of(tw, spacing), ceil_div(tc, width)
        lines = n * spacing * spacing * down
        shared = choice[PICTURE_LINES] > 0
        transforms, multiplies = not shared or phase == 0, not shared or phase == 1
        groups = ceil_div(panels, choice[TILE_PANELS]) if multiplies else 1
        at_once = choice[TILE_LINES] if multiplies else choice[PICTURE_LINES]
        first_line, first_panel = tile // groups * at_once, tile % groups * choice[TILE_PANELS]
        first, count = first_line * across, min(at_once, lines - first_line) * across
        pieces = ceil_div(count, choice[BLOCK_TILES])
        for piece in range(pieces):
            begin = first + count * piece // pieces
            some = first + count * (piece + 1) // pieces - begin
            made, step = scratch + scratch_bytes(sc, some), point_bytes(some, sc)
            if shared:
                made, step = work + begin * row_bytes(sc), point_bytes(lines * across, sc)
            if transforms:
                pictures(made, step, source, sh, sw, sc, down, across, spacing, top, left, begin, some, not shared,
                         scratch)
            if multiplies:
                convolve(made, step, f, choice[FORMAT] != 0, turned, target, sc, th, tw, tc, down, across, spacing,
                         begin, some, first_panel, min(choice[TILE_PANELS], panels - first_panel), scratch)
    return Winograd(pays, bind, run)


@cache
def make_winograd(dtype: str, shape: Shape) -> Winograd:
    if dtype not in DTYPES:
        return _nowhere()
    three, five = make_form(dtype, shape, F4), make_form(dtype, shape, F4X5)
    pays_3, bind_3, run_3 = three.pays, three.bind, three.run
    pays_5, bind_5, run_5 = five.pays, five.bind, five.run

    @helper
    def pays(k, n, sh, sc, th, tw, tc, spacing, top, packed):
        if k == 3:
            return pays_3(n, sh, sc, th, tw, tc, spacing, top, packed)
        return pays_5(n, sh, sc, th, tw, tc, spacing, top, packed)

    @helper
    def bind(k, n, sc, th, tw, tc, spacing, choice):
        if k == 3:
            bind_3(n, sc, th, tw, tc, spacing, choice)
        else:
            bind_5(n, sc, th, tw, tc, spacing, choice)

    @helper
    def run(k, source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, top, left, choice, work, scratch,
            phase, tile):
        if k == 3:
            run_3(source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, top, left, choice, work,
                  scratch, phase, tile)
        else:
            run_5(source, f, target, turned, n, sh, sw, sc, th, tw, tc, spacing, top, left, choice, work,
                  scratch, phase, tile)
    return Winograd(pays, bind, run)
