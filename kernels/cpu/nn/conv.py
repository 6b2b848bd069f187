"""conv2d and conv2d_input_grad over NHWC pictures and HWIO filters, as matrix products on the micro-kernel.

Job: y[p, i, j, :] = sum over taps (u, v) of x[p, i * stride_h - pad_top + u * dilation_h, j * ..., :] w[u, v]; what
lies outside counts as 0. bind picks how A, the pixels, reaches the micro-kernel:
    DIRECT    1 x 1 without stride: x itself is A
    LINES     lines of x are copied with zeros around them, rows of the filter are multiplied (lines.py): few channels
    TAPS      one segment a tap, nothing is copied (taps.py)
    PLANES    the lanes are pixels, and the filter is A (planes.py): few channels of the result, no stride along lines
The gradient for the input goes by TAPS, PLANES, or LINES (residues.py) as well, or
    SPREAD    products of dy's pixels, which are added to dx (spread.py): few columns of dy, or few channels and strides
Both go by WINOGRAD (winograd.py) where a 3 x 3 filter makes that faster.
The filter is B: packed beforehand if it is a constant, else by phase 0 into the workspace.
Invariants: a tile is a number of rows of output pictures, or some panels of all of them if there are few; pixels are
checked against the picture before they are read; sums are in a fixed order, so no result depends on tiles or threads.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, address, ceil_div, helper, round_up
from ..products.blocks import blocks
from ..products.micro import ISAS, shapes
from ..products.panels import packing
from ..words import (
    FORMAT,
    NO_WINOGRAD,
    OK,
    PACK_TILES,
    PACKED_BYTES,
    PERSISTENT,
    SCRATCH_BYTES,
    TILE_ELEMENTS,
    TILES,
    TILES_1,
    USER,
    VARIANT,
    WORK_BYTES,
)
from .lines import SCRATCH_BYTES as LINES_BYTES
from .lines import buffer_bytes, group_lines, line_elements, make_lines
from .planes import MOST_TAPS, make_planes
from .residues import make_residues, residue_group
from .spread import make_spread
from .taps import make_taps
from .winograd import make_winograd
from .winograd_cost import fits

DIRECT, LINES, TAPS, SPREAD, PLANES, WINOGRAD = range(6)
MAIN, NARROW, PLANAR = 1, 2, 3
# Words of choice: shape of the micro-kernel, or PLANAR; lines and panels of a tile; panels of a tile of packing; pixels
# of a buffer of SPREAD; lines of a group of LINES and PLANES. WINOGRAD has its own from TILE_LINES on.
SHAPE, TILE_LINES, TILE_PANELS, PACK_PANELS, SPREAD_ROWS, GROUP_LINES = range(USER, USER + 6)
# What is quicker was measured on pictures of 7 to 224 pixels and filters of 1 to 11 (docs/performance.md): LINES
# copies x and computes products with padding to the left and right, but has longer segments and tables that are quickly
# made; it wins by 21% at 16 channels and loses 3% from 64 on. Backwards a tap costs TAPS twice as much, so the two meet
# at 128. PLANES fills half of the lanes or more from 8 pixels on.
LINES_CHANNELS, LINES_CHANNELS_BACK = 63, 128
FEW_PIXELS = 8
SPREAD_CHANNELS = 8                    # up to so many, the gradient for the input goes by SPREAD
PRODUCTS = 1 << 20                     # multiplications of a tile, at least
MOST_TILES = 64
PACK_BYTES = 128 * 1024
SPREAD_BYTES = 64 * 1024               # of a buffer of products, about


@helper
def tile_lines(lines, line_pixels, k, columns, height):
    """Rows of pictures of a tile: enough work, few enough tiles, and pixels enough for eight register tiles."""
    enough = ceil_div(PRODUCTS, max(line_pixels * k * columns, 1))
    full = ceil_div(8 * height, max(line_pixels, 1))
    return min(max(enough, full, ceil_div(lines, MOST_TILES), 1), lines)


@helper
def pack_panels_of(panels, panel_bytes):
    """Panels of a tile of packing."""
    return min(max(PACK_BYTES // max(panel_bytes, 1), 1), panels)


@helper
def bind_packed(panels, panel_bytes, choice):
    """Has the filter packed beforehand."""
    choice[FORMAT], choice[PACKED_BYTES] = choice[SHAPE], panels * panel_bytes
    choice[PACK_PANELS] = pack_panels_of(panels, panel_bytes)
    choice[PACK_TILES] = ceil_div(panels, choice[PACK_PANELS])


@helper
def bind_tiles(lines, line_pixels, k, columns, width, height, size, packed_before, choice):
    """Tiles of computing and of packing; returns nothing. k: of the whole filter."""
    panels = ceil_div(columns, width)
    panel_bytes = k * width * size
    choice[TILE_LINES], choice[TILE_PANELS] = tile_lines(lines, line_pixels, k, columns, height), panels
    if lines * line_pixels <= 8 * height:
        choice[TILE_LINES] = lines
        enough = ceil_div(PRODUCTS, max(lines * line_pixels * k * width, 1))
        choice[TILE_PANELS] = min(max(enough, ceil_div(panels, MOST_TILES)), panels)
    choice[PACK_PANELS] = pack_panels_of(panels, panel_bytes)
    pack_tiles = ceil_div(panels, choice[PACK_PANELS])
    tiles = ceil_div(lines, choice[TILE_LINES]) * ceil_div(panels, choice[TILE_PANELS])
    if packed_before:
        bind_packed(panels, panel_bytes, choice)
        choice[TILES] = tiles
    else:
        choice[WORK_BYTES], choice[TILES], choice[TILES_1] = max(panels * panel_bytes, 64), pack_tiles, tiles
    if choice[TILE_PANELS] == panels:
        choice[TILE_ELEMENTS] = choice[TILE_LINES] * line_pixels * columns


@helper
def planes_fit(kh, kw, stride, pixels):
    """Whether PLANES can be the way for lines of so many pixels of the result."""
    return stride == 1 and kh * kw <= MOST_TAPS and pixels >= FEW_PIXELS


@helper
def bind_planes(lines, line_pixels, k, columns, size, packed_before, choice):
    """Tiles of PLANES: the filter is packed as one."""
    choice[VARIANT], choice[SHAPE], choice[TILE_PANELS] = PLANES, PLANAR, 1
    choice[TILE_LINES] = tile_lines(lines, line_pixels, k, columns, 1)
    tiles, bytes_ = ceil_div(lines, choice[TILE_LINES]), max(k * columns * size, 64)
    if packed_before:
        choice[FORMAT], choice[PACKED_BYTES], choice[PACK_TILES], choice[TILES] = PLANAR, bytes_, 1, tiles
    else:
        choice[WORK_BYTES], choice[TILES], choice[TILES_1] = bytes_, 1, tiles
    choice[TILE_ELEMENTS] = choice[TILE_LINES] * line_pixels * columns


@helper
def tile_part(tile, lines, panels, choice):
    """First line, lines, first panel and panels of a tile."""
    across = ceil_div(panels, choice[TILE_PANELS])
    first_line, first_panel = tile // across * choice[TILE_LINES], tile % across * choice[TILE_PANELS]
    return (first_line, min(choice[TILE_LINES], lines - first_line), first_panel, min(choice[TILE_PANELS],
                                                                                      panels - first_panel))


def make_forward_shape(dtype, sizes, wide):
    """(pack, compute) for panels of the shape `main` of the micro-kernel, or of `narrow`."""
    size, shape = ITEM_SIZES[dtype], sizes.main if wide else sizes.narrow
    width, multiply, pack_panels = shape.width, blocks(dtype, shape).multiply, packing(dtype, shape).pack_panels
    convolve, convolve_lines = make_taps(dtype, shape, False).convolve, make_lines(dtype, sizes, wide).convolve

    @helper
    def pack(target, f, k, oc, choice, tile):
        first = tile * choice[PACK_PANELS]
        pack_panels(target + first * k * width * size, f, oc, k, 0, first, min(first + choice[PACK_PANELS],
                                                                               ceil_div(oc, width)))

    @helper
    def compute(x, f, y, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
                choice, scratch, tile):
        k = kh * kw * c
        first_line, lines, first_panel, panels = tile_part(tile, n * oh, ceil_div(oc, width), choice)
        if choice[VARIANT] == TAPS:
            convolve(x, f, y, h, w, c, oh, ow, oc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                     pad_left, first_line, lines, first_panel, panels, scratch)
            return
        if choice[VARIANT] == LINES:
            convolve_lines(x, f, k * width * size, y + first_line * ow * oc * size, ow * oc * size, h, w, c, oh, ow, oc,
                           1, kh, kw, stride_h, stride_w, dilation_h, dilation_w, -pad_top, -pad_left, first_line,
                           lines, choice[GROUP_LINES], first_panel, panels, scratch)
            return
        pixel, column = first_line * ow, first_panel * width
        multiply(x + pixel * c * size, c * size, size, lines * ow, c, f + column * c * size, c * width * size,
                 width * size, min(panels * width, oc - column), y + (pixel * oc + column) * size, oc * size, scratch)
    return pack, compute


def make_forward(dtype, isa):
    """bind, run and pack of conv2d for one ISA."""
    size, sizes = ITEM_SIZES[dtype], shapes(isa, dtype)
    width_main, rows_main, scratch_main = sizes.main.width, sizes.main.rows, blocks(dtype, sizes.main).scratch_bytes
    width_narrow, rows_narrow, scratch_narrow = sizes.narrow.width, sizes.narrow.rows, blocks(dtype,
                                                                                              sizes.narrow).scratch_bytes
    taps_scratch, winograd = make_taps(dtype, sizes.main, False).scratch_bytes, make_winograd(dtype, sizes.main)
    pays_winograd, bind_winograd, run_winograd = winograd.pays, winograd.bind, winograd.run
    pack_main, compute_main = make_forward_shape(dtype, sizes, True)
    pack_narrow, compute_narrow = make_forward_shape(dtype, sizes, False)
    planes = make_planes(dtype, sizes)
    planes_scratch, most_planes, pack_planes, convolve_planes = (planes.scratch_bytes, planes.most_channels,
                                                                 planes.pack, planes.convolve)

    def bind(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        if n * oh * ow * oc == 0:
            return
        if fits(kh, kw, stride_h, stride_w, dilation_h, dilation_w) and choice[NO_WINOGRAD] == 0 and pays_winograd(
                n, c, oh, ow, oc, choice[PERSISTENT] != 0):
            choice[VARIANT], choice[SHAPE] = WINOGRAD, MAIN
            bind_winograd(n, c, oh, ow, oc, choice)
            if choice[PERSISTENT] != 0:
                bind_packed(ceil_div(oc, width_main), 9 * c * width_main * size, choice)
            return
        k = kh * kw * c
        narrow = oc <= width_narrow
        choice[SHAPE] = NARROW if narrow else MAIN
        width, height = (width_narrow, rows_narrow) if narrow else (width_main, rows_main)
        scratch = scratch_narrow if narrow else scratch_main
        line_bytes = line_elements(ow, kw, stride_w, dilation_w, c) * size
        choice[GROUP_LINES] = group_lines(n * oh, oh, kh, stride_h, dilation_h, line_bytes) if kh * kw * c > 0 else 0
        if oc <= most_planes and choice[GROUP_LINES] > 0 and planes_fit(kh, kw, stride_w, ow):
            choice[SCRATCH_BYTES] = planes_scratch(choice[GROUP_LINES], c, oh, ow, oc, kh, kw, stride_h, dilation_h,
                                                   dilation_w)
            bind_planes(n * oh, ow, k, oc, size, choice[PERSISTENT] != 0, choice)
            return
        if kh * kw == 1 and stride_h * stride_w == 1 and oh == h and ow == w and pad_top + pad_left == 0:
            choice[VARIANT] = DIRECT
        elif choice[GROUP_LINES] > 0 and c <= LINES_CHANNELS:
            choice[VARIANT] = LINES
            scratch = LINES_BYTES + buffer_bytes(choice[GROUP_LINES], oh, kh, stride_h, dilation_h, line_bytes)
        else:
            choice[VARIANT] = TAPS
            scratch = taps_scratch(c, kh, kw)
        choice[SCRATCH_BYTES] = scratch
        bind_tiles(n * oh, ow, k, oc, width, height, size, choice[PERSISTENT] != 0, choice)

    @helper
    def pack_any(target, f, kh, kw, c, oc, choice, tile):
        k = kh * kw * c
        if choice[SHAPE] == PLANAR:
            pack_planes(target, f, kh, kw, c, oc, c * oc, oc, 1, False)
        elif choice[SHAPE] == MAIN:
            pack_main(target, f, k, oc, choice, tile)
        else:
            pack_narrow(target, f, k, oc, choice, tile)

    def run(x, f, y, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
            choice, work, scratch, phase, tile):
        source, right, target = address(x), address(f), address(y)
        if choice[VARIANT] == WINOGRAD:
            run_winograd(source, right, target, False, n, h, w, c, oh, ow, oc, pad_top, pad_left, choice, work,
                         scratch, phase, tile)
            return OK
        if choice[FORMAT] == 0:
            if phase == 0:
                pack_any(work, right, kh, kw, c, oc, choice, tile)
                return OK
            right = work
        if choice[SHAPE] == PLANAR:
            first_line = tile * choice[TILE_LINES]
            convolve_planes(source, right, target + first_line * ow * oc * size, h, w, c, oh, ow, oc, kh, kw, stride_h,
                            dilation_h, dilation_w, -pad_top, -pad_left, first_line,
                            min(choice[TILE_LINES], n * oh - first_line), choice[GROUP_LINES], scratch)
        elif choice[SHAPE] == MAIN:
            compute_main(source, right, target, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h,
                         dilation_w, pad_top, pad_left, choice, scratch, tile)
        else:
            compute_narrow(source, right, target, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h,
                           dilation_w, pad_top, pad_left, choice, scratch, tile)
        return OK

    def pack(f, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice,
             target, tile):
        pack_any(target, address(f), kh, kw, c, oc, choice, tile)
        return OK
    return bind, run, pack


def make_backward_shape(dtype, sizes, wide):
    """run of the gradient for the input, for one shape of the micro-kernel; by TAPS, B of a tap is the filter's tap
    transposed."""
    size, shape = ITEM_SIZES[dtype], sizes.main if wide else sizes.narrow
    width, pack_transposed = shape.width, packing(dtype, shape).pack_transposed
    residues = make_residues(dtype, sizes, wide)
    pack_lines, convolve_lines = residues.pack, residues.convolve
    spreading = make_spread(dtype, shape)
    pack_spread, spread = spreading.pack, spreading.spread

    @helper
    def pack(target, f, c, oc, taps, choice, tile):
        first = tile * choice[PACK_PANELS]
        for panel in range(first, min(first + choice[PACK_PANELS], ceil_div(c, width))):
            for tap in range(taps):
                pack_transposed(target + (panel * taps + tap) * oc * width * size,
                                f + (tap * c + panel * width) * oc * size,
                                oc * size, oc, c - panel * width)

    convolve = make_taps(dtype, shape, True).convolve

    @helper
    def run(dy, f, dx, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
            choice, work, scratch, phase, tile):
        if choice[VARIANT] == SPREAD:
            if phase == 0:
                first, panels = tile * choice[PACK_PANELS], kh * ceil_div(kw * c, width)
                pack_spread(work, f, c, oc, kw, first, min(first + choice[PACK_PANELS], panels))
                return
            first_line = tile * choice[TILE_LINES]
            spread(dy, work, dx, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                   pad_left, first_line, min(choice[TILE_LINES], n * h - first_line), choice[SPREAD_ROWS], scratch)
            return
        if phase == 0 and choice[VARIANT] == LINES:
            first = tile * choice[PACK_PANELS]
            pack_lines(work, f, c, oc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, first,
                       min(first + choice[PACK_PANELS], ceil_div(c, width)))
            return
        if phase == 0:
            pack(work, f, c, oc, kh * kw, choice, tile)
            return
        first_line, lines, first_panel, panels = tile_part(tile, n * h, ceil_div(c, width), choice)
        if choice[VARIANT] == LINES:
            convolve_lines(dy, work, dx, h, w, c, oc, oh, ow, kh, kw, stride_h, stride_w, dilation_h, dilation_w,
                           pad_top, pad_left, first_line, lines, choice[GROUP_LINES], first_panel, panels, scratch)
        else:
            convolve(dy, work, dx, oh, ow, oc, h, w, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                     pad_left, first_line, lines, first_panel, panels, scratch)
    return run


def make_backward(dtype, isa):
    """bind and run of conv2d_input_grad for one ISA."""
    size, sizes = ITEM_SIZES[dtype], shapes(isa, dtype)
    width_main, rows_main = sizes.main.width, sizes.main.rows
    width_narrow, rows_narrow = sizes.narrow.width, sizes.narrow.rows
    taps_scratch = make_taps(dtype, sizes.main, True).scratch_bytes
    spread_scratch = max(make_spread(dtype, sizes.main).scratch_bytes, make_spread(dtype, sizes.narrow).scratch_bytes)
    run_main, run_narrow = make_backward_shape(dtype, sizes, True), make_backward_shape(dtype, sizes, False)
    winograd = make_winograd(dtype, sizes.main)
    pays_winograd, bind_winograd, run_winograd = winograd.pays, winograd.bind, winograd.run
    planes = make_planes(dtype, sizes)
    planes_scratch, most_planes, pack_planes, convolve_planes = (planes.scratch_bytes, planes.most_channels,
                                                                 planes.pack, planes.convolve)

    @helper
    def bind_spread(lines, line_pixels, out_pixels, kh, row, oc, width, height, choice):
        """Tiles of SPREAD. row: numbers of one row of the filter, kw * c."""
        panels = kh * ceil_div(row, width)
        panel_bytes = oc * width * size
        choice[VARIANT] = SPREAD
        choice[TILE_LINES] = tile_lines(lines, out_pixels, kh * oc, row, height)
        choice[SPREAD_ROWS] = max(SPREAD_BYTES // (row * size) // height, 1) * height
        choice[SCRATCH_BYTES] = spread_scratch + round_up(choice[SPREAD_ROWS] * row * size, 64)
        choice[PACK_PANELS] = min(max(PACK_BYTES // panel_bytes, 1), panels)
        choice[WORK_BYTES], choice[TILES] = panels * panel_bytes, ceil_div(panels, choice[PACK_PANELS])
        choice[TILES_1] = ceil_div(lines, choice[TILE_LINES])
        choice[TILE_ELEMENTS] = choice[TILE_LINES] * line_pixels

    def bind(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        if n * h * w * c == 0:
            return
        if fits(kh, kw, stride_h, stride_w, dilation_h, dilation_w) and choice[NO_WINOGRAD] == 0 and (
                c > SPREAD_CHANNELS and pays_winograd(n, oc, h, w, c, False)):
            choice[VARIANT] = WINOGRAD
            bind_winograd(n, oc, h, w, c, choice)
            return
        group, bytes_ = residue_group(h, w, oc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, n * h, size)
        group, choice[GROUP_LINES] = (group if kh * kw * oc > 0 else 0), group
        few_columns = 2 * ow * stride_w <= w
        if c <= most_planes and group > 0 and not few_columns and planes_fit(kh, kw, stride_h * stride_w, w):
            choice[SCRATCH_BYTES] = planes_scratch(group, oc, h, w, c, kh, kw, 1, dilation_h, dilation_w)
            bind_planes(n * h, w, kh * kw * oc, c, size, False, choice)
            return
        # TAPS multiplies `width` channels, and every tap with pixels that it does not reach: spreading costs an
        # addition a product instead.
        spreads = (c <= SPREAD_CHANNELS or few_columns) and kw > 1 and kh * oc * oh * ow > 0
        columns = kw * c if spreads else c
        narrow = columns <= width_narrow
        choice[SHAPE] = NARROW if narrow else MAIN
        width, height = (width_narrow, rows_narrow) if narrow else (width_main, rows_main)
        if spreads:
            bind_spread(n * h, w * c, ow, kh, kw * c, oc, width, height, choice)
            return
        choice[VARIANT], choice[SCRATCH_BYTES] = TAPS, taps_scratch(oc, kh, kw)
        if group > 0 and kh * kw > 1 and oc <= LINES_CHANNELS_BACK:
            choice[VARIANT], choice[SCRATCH_BYTES] = LINES, LINES_BYTES + bytes_
        bind_tiles(n * h, w, kh * kw * oc, c, width, height, size, False, choice)

    def run(dy, f, dx, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
            choice, work, scratch, phase, tile):
        source, right, target = address(dy), address(f), address(dx)
        if choice[VARIANT] == WINOGRAD:
            run_winograd(source, right, target, True, n, oh, ow, oc, h, w, c, 2 - pad_top, 2 - pad_left, choice, work,
                         scratch, phase, tile)
            return OK
        if choice[SHAPE] == PLANAR and phase == 0:
            pack_planes(work, right, kh, kw, oc, c, c * oc, 1, oc, True)
        elif choice[SHAPE] == PLANAR:
            first_line = tile * choice[TILE_LINES]
            convolve_planes(source, work, target + first_line * w * c * size, oh, ow, oc, h, w, c, kh, kw, 1,
                            dilation_h, dilation_w, pad_top - (kh - 1) * dilation_h,
                            pad_left - (kw - 1) * dilation_w, first_line, min(choice[TILE_LINES], n * h - first_line),
                            choice[GROUP_LINES], scratch)
        elif choice[SHAPE] == MAIN:
            run_main(source, right, target, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w,
                     pad_top, pad_left, choice, work, scratch, phase, tile)
        else:
            run_narrow(source, right, target, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h,
                       dilation_w, pad_top, pad_left, choice, work, scratch, phase, tile)
        return OK
    return bind, run


def by_isa(make_one, dtype):
    """A Functions of what make_one(dtype, isa) gives for every ISA: bind, run and maybe pack."""
    made = {isa: make_one(dtype, isa) for isa in ISAS}
    return Functions(*({isa: functions[role] for isa, functions in made.items()}
                       for role in range(len(made[ISAS[0]]))))


def make_conv2d(types):
    return by_isa(make_forward, types["T"])


def make_conv2d_input_grad(types):
    return by_isa(make_backward, types["T"])
