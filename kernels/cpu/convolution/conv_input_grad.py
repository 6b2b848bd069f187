"""conv2d_input_grad: the gradient of conv2d for its pictures, as matrix products on the micro-kernel.

Job: dx[p, i, j, :] = sum over the taps (u, v) and pixels of dy that (i, j) went into, of dy[p, ...] w[u, v] transposed.
bind picks the way:
    TAPS      one segment a tap, nothing is copied (taps.py)
    LINES     lines of dy are copied with zeros around them, for each residue of the stride (residues.py): few channels
    PLANES    the lanes are pixels (planes.py): few channels of dx, no stride
    SPREAD    products of dy's pixels, which are added to dx (spread.py): strides, few columns of dy, or few channels
    WINOGRAD  transformed patches (winograd.py), where a filter of 3 x 3, 5 x 5 or 3 taps makes that faster
    ROUNDED   operands rounded to bfloat16 (rounded.py), without strides, if that is asked for and the processor has it
The filter is B, packed by phase 0 into the workspace; by SPREAD, the way of most transposed convolutions, beforehand if
it is a constant. NaNs that zeros for what is outside make are computed again (borders.py).
Invariants: pixels are checked against the picture before they are read; sums are in a fixed order, so no result depends
on tiles (conv_tiles.py) or threads.
"""
from __future__ import annotations

from ..memory import ITEM_SIZES, address, ceil_div, compact, helper, round_up
from ..products.micro import shapes
from ..products.panels import packing
from ..ways import takes
from ..winograd.winograd import make_winograd
from ..winograd.winograd_cost import DTYPES as WINOGRAD_DTYPES
from ..winograd.winograd_cost import FEWEST, fits, fits_line, spacing_of
from ..words import (
    FORMAT,
    NO_WINOGRAD,
    OK,
    PERSISTENT,
    SCRATCH_BYTES,
    TILE_ELEMENTS,
    TILES,
    TILES_1,
    VARIANT,
    WORK_BYTES,
)
from .borders import make_mend
from .conv_tiles import (
    GROUP_LINES,
    LINES,
    MAIN,
    NARROW,
    PACK_PANELS,
    PLANAR,
    PLANES,
    ROUNDED,
    SHAPE,
    SPREAD,
    SPREAD_ROWS,
    TAPS,
    TILE_LINES,
    WINOGRAD,
    bind_packed,
    bind_planes,
    bind_tiles,
    by_isa,
    pack_panels_of,
    planes_fit,
    tile_lines,
    tile_part,
)
from .lines import SCRATCH_BYTES as LINES_BYTES
from .planes import make_planes
from .residues import make_residues, residue_group
from .rounded_way import make_rounded_way
from .spread import make_spread
from .taps import make_taps

LINES_CHANNELS = 128                   # a tap costs TAPS twice as much as forward, so it meets LINES here, not at 64
SPREAD_CHANNELS = 8                    # up to so many, the gradient for the input goes by SPREAD
SPREAD_BYTES = 64 * 1024               # of a buffer of products, about
# What an addition of SPREAD takes, in products, and what a product of a narrow panel takes, times a hundred, measured.
SPREAD_ADDITION, NARROW_PERCENT = 6, 120


def make_backward_shape(dtype, sizes, wide):
    """(pack_spread, run) of the gradient for the input, for one shape of the micro-kernel; by TAPS, B of a tap is the
    filter's tap transposed."""
    size, shape = ITEM_SIZES[dtype], sizes.main if wide else sizes.narrow
    width, pack_transposed = shape.width, packing(dtype, shape).pack_transposed
    residues = make_residues(dtype, sizes, wide)
    pack_lines, convolve_lines = residues.pack, residues.convolve
    spreading = make_spread(dtype, shape)
    pack_rows, spread = spreading.pack, spreading.spread

    @helper
    def pack_spread(target, f, c, oc, kh, kw, choice, tile):
        compact()
        first = tile * choice[PACK_PANELS]
        pack_rows(target, f, c, oc, kw, first, min(first + choice[PACK_PANELS], kh * ceil_div(kw * c, width)))

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
            if phase == 0 and choice[FORMAT] == 0:
                pack_spread(work, f, c, oc, kh, kw, choice, tile)
                return
            first_line = tile * choice[TILE_LINES]
            spread(dy, work if choice[FORMAT] == 0 else f, dx, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w,
                   dilation_h, dilation_w, pad_top, pad_left, first_line, min(choice[TILE_LINES], n * h - first_line),
                   choice[SPREAD_ROWS], scratch)
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
    return pack_spread, run


def make_backward(dtype, isa):
    """bind, run and pack of conv2d_input_grad for one ISA."""
    size, sizes = ITEM_SIZES[dtype], shapes(isa, dtype)
    width_main, rows_main = sizes.main.width, sizes.main.rows
    width_narrow, rows_narrow = sizes.narrow.width, sizes.narrow.rows
    taps_scratch = make_taps(dtype, sizes.main, True).scratch_bytes
    spread_scratch = max(make_spread(dtype, sizes.main).scratch_bytes, make_spread(dtype, sizes.narrow).scratch_bytes)
    pack_main, run_main = make_backward_shape(dtype, sizes, True)
    pack_narrow, run_narrow = make_backward_shape(dtype, sizes, False)
    winograd = make_winograd(dtype, sizes.main)
    pays_winograd, bind_winograd, run_winograd = winograd.pays, winograd.bind, winograd.run
    has_winograd = dtype in WINOGRAD_DTYPES
    planes, mend = make_planes(dtype, sizes), make_mend(dtype, True)
    planes_scratch, most_planes, pack_planes, convolve_planes = (planes.scratch_bytes, planes.most_channels,
                                                                 planes.pack, planes.convolve)
    rounded = make_rounded_way(dtype, isa, True)
    fits_rounded, pays_rounded, bind_rounded, pack_rounded, run_rounded = (rounded.fits, rounded.pays, rounded.bind,
                                                                           rounded.pack, rounded.run)

    @helper
    def spread_pays(w, c, kw, oc, ow, stride_w):
        """Whether SPREAD, whose products are none in vain but are added up in memory, is quicker than whole lines."""
        narrow = c <= width_narrow
        others = ceil_div(w, stride_w) * kw * (width_narrow if narrow else round_up(c, width_main)) * oc
        return ow * round_up(kw * c, width_narrow) * (oc + SPREAD_ADDITION) * 100 < others * (
            NARROW_PERCENT if narrow else 100)

    @helper
    def bind_spread(lines, line_pixels, out_pixels, kh, row, oc, width, height, choice):
        """Tiles of SPREAD. row: numbers of one row of the filter, kw * c."""
        panels = kh * ceil_div(row, width)
        panel_bytes = oc * width * size
        choice[VARIANT] = SPREAD
        choice[TILE_LINES] = tile_lines(lines, out_pixels, kh * oc, row, height, size)
        choice[SPREAD_ROWS] = max(SPREAD_BYTES // (row * size) // height, 1) * height
        choice[SCRATCH_BYTES] = spread_scratch + round_up(choice[SPREAD_ROWS] * row * size, 64)
        tiles = ceil_div(lines, choice[TILE_LINES])
        if choice[PERSISTENT] != 0:
            bind_packed(panels, panel_bytes, choice)
            choice[TILES] = tiles
        else:
            choice[PACK_PANELS] = pack_panels_of(panels, panel_bytes)
            choice[WORK_BYTES], choice[TILES] = panels * panel_bytes, ceil_div(panels, choice[PACK_PANELS])
            choice[TILES_1] = tiles
        choice[TILE_ELEMENTS] = choice[TILE_LINES] * line_pixels

    def bind(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        if n * h * w * c == 0:
            return
        spacing = spacing_of(kh, dilation_h, dilation_w)
        may_transform = has_winograd and choice[NO_WINOGRAD] == 0 and (
            fits(kh, kw, stride_h, stride_w, dilation_h, dilation_w) or fits_line(kh, kw, stride_h, stride_w))
        if stride_h * stride_w == 1 and fits_rounded(oc, kh, kw, w, 1, 1, dilation_h, dilation_w, choice) and takes(
                choice, ROUNDED, pays_rounded(n, oc, kh, kw, c, h, w, 1, 1, dilation_h, dilation_w,
                                              choice[PERSISTENT] != 0, may_transform)):
            bind_rounded(n, oh, ow, oc, kh, kw, c, h, w, 1, 1, dilation_h, dilation_w, pad_top - (kh - 1) * dilation_h,
                         pad_left - (kw - 1) * dilation_w, choice[PERSISTENT] != 0, choice)
            return
        if may_transform and (
                oc >= FEWEST and takes(choice, WINOGRAD, c > SPREAD_CHANNELS and pays_winograd(
                    kh, kw, n, oh, ow, oc, h, w, c, spacing, (kh - 1) * dilation_h - pad_top,
                    (kw - 1) * dilation_w - pad_left, False))):
            choice[VARIANT] = WINOGRAD
            bind_winograd(kh, kw, n, oc, h, w, c, spacing, choice)
            return
        group, bytes_ = residue_group(h, w, oc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, n * h, size)
        group, choice[GROUP_LINES] = (group if kh * kw * oc > 0 else 0), group
        few_columns = 2 * ow * stride_w <= w
        if c <= most_planes and group > 0 and planes_fit(kh, kw, stride_h * stride_w, w) and (
                takes(choice, PLANES, not few_columns)):
            choice[SCRATCH_BYTES] = planes_scratch(group, oc, h, w, c, kh, kw, 1, dilation_h, dilation_w)
            bind_planes(n * h, w, kh * kw * oc, c, size, False, choice)
            return
        # TAPS multiplies `width` channels, and every tap with pixels that it does not reach, with strides short runs of
        # pixels: spreading costs an addition a product instead, which is little where a product is the sum of many.
        strided = stride_h * stride_w > 1 and (oc > LINES_CHANNELS or (kh <= stride_h and kw <= stride_w))
        spreads = kh * kw * oc * oh * ow > 0 and (kw > 1 or strided) and takes(
            choice, SPREAD, c <= SPREAD_CHANNELS or few_columns or strided or spread_pays(w, c, kw, oc, ow, stride_w))
        columns = kw * c if spreads else c
        narrow = columns <= width_narrow
        choice[SHAPE] = NARROW if narrow else MAIN
        width, height = (width_narrow, rows_narrow) if narrow else (width_main, rows_main)
        if spreads:
            bind_spread(n * h, w * c, ow, kh, kw * c, oc, width, height, choice)
            return
        choice[VARIANT], choice[SCRATCH_BYTES] = TAPS, taps_scratch(oc, kh, kw)
        if group > 0 and kh * kw > 1 and takes(choice, LINES, oc <= LINES_CHANNELS):
            choice[VARIANT], choice[SCRATCH_BYTES] = LINES, LINES_BYTES + bytes_
        bind_tiles(n * h, w, kh * kw * oc, c, width, height, size, False, choice)

    @helper
    def mend_tile(dy, f, dx, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                  pad_left, choice, tile):
        if choice[VARIANT] == SPREAD or kh * kw == 1:
            return
        width = c if choice[SHAPE] == PLANAR else width_main if choice[SHAPE] == MAIN else width_narrow
        first_line, lines, first, panels = tile_part(tile, n * h, ceil_div(c, width), choice)
        mend(dy, f, f, kh * kw * c * oc, oc, 1, kw * c * oc, c * oc, 1, dx, oh, ow, oc, h, w, c, kh, kw, stride_h,
             stride_w, dilation_h, dilation_w, pad_top, pad_left, first_line * w, lines * w, first * width,
             min((first + panels) * width, c))

    def run(dy, f, dx, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
            choice, work, scratch, phase, tile):
        source, right, target = address(dy), address(f), address(dx)
        if choice[VARIANT] == WINOGRAD:
            run_winograd(kh, kw, source, right, target, True, n, oh, ow, oc, h, w, c,
                         spacing_of(kh, dilation_h, dilation_w), (kh - 1) * dilation_h - pad_top,
                         (kw - 1) * dilation_w - pad_left, choice, work, scratch, phase, tile)
            return OK
        if choice[VARIANT] == ROUNDED:
            run_rounded(source, right, target, n, oh, ow, oc, kh, kw, c, h, w, 1, 1, dilation_h, dilation_w,
                        pad_top - (kh - 1) * dilation_h, pad_left - (kw - 1) * dilation_w, choice, work, scratch,
                        phase, tile)
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
        if phase == 1:
            mend_tile(source, right, target, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w,
                      pad_top, pad_left, choice, tile)
        return OK

    def pack(f, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice,
             target, tile):
        if choice[VARIANT] == ROUNDED:
            pack_rounded(target, address(f), oc, kh, kw, c, dilation_w, choice, tile)
        elif choice[SHAPE] == MAIN:
            pack_main(target, address(f), c, oc, kh, kw, choice, tile)
        else:
            pack_narrow(target, address(f), c, oc, kh, kw, choice, tile)
        return OK
    return bind, run, pack


def make_conv2d_input_grad(types):
    return by_isa(make_backward, types["T"])
