"""conv2d over NHWC pictures and HWIO filters, as matrix products on the micro-kernel.

Job: y[p, i, j, :] = sum over taps (u, v) of x[p, i * stride_h - pad_top + u * dilation_h, j * ..., :] w[u, v]; what
lies outside counts as 0. bind picks how A, the pixels, reaches the micro-kernel:
    DIRECT    1 x 1 without stride: x itself is A
    LINES     lines of x are copied with zeros around them, rows of the filter are multiplied (lines.py): few channels
    TAPS      one segment a tap, nothing is copied (taps.py)
    PLANES    the lanes are pixels, and the filter is A (planes.py): few channels of the result, no stride along lines
    WINOGRAD  transformed patches (winograd.py), where a filter of 3 x 3, 5 x 5 or 3 taps makes that faster
    ROUNDED   operands rounded to bfloat16 (rounded.py), if that is asked for and the processor multiplies them
The filter is B: packed beforehand if it is a constant, else by phase 0 into the workspace.
Where zeros stand for what is outside, NaNs that they make of infinite weights are computed again (borders.py).
Invariants: pixels are checked against the picture before they are read; sums are in a fixed order, so no result depends
on tiles (conv_tiles.py) or threads.
"""
from __future__ import annotations

from ..memory import ITEM_SIZES, address, ceil_div, helper
from ..products.blocks import blocks
from ..products.micro import shapes
from ..products.panels import packing
from ..ways import takes
from ..winograd.winograd import make_winograd
from ..winograd.winograd_cost import DTYPES as WINOGRAD_DTYPES
from ..winograd.winograd_cost import FEWEST, fits, fits_line, spacing_of
from ..words import FORMAT, NO_WINOGRAD, OK, PERSISTENT, SCRATCH_BYTES, VARIANT
from .borders import make_mend, meets_outside
from .conv_tiles import (
    DIRECT,
    GROUP_LINES,
    LINES,
    MAIN,
    NARROW,
    PACK_PANELS,
    PLANAR,
    PLANES,
    ROUNDED,
    SHAPE,
    TAPS,
    TILE_LINES,
    WINOGRAD,
    bind_packed,
    bind_planes,
    bind_tiles,
    by_isa,
    planes_fit,
    tile_part,
)
from .lines import SCRATCH_BYTES as LINES_BYTES
from .lines import buffer_bytes, group_lines, line_elements, make_lines
from .planes import make_planes
from .rounded_way import make_rounded_way
from .taps import make_taps

# What is quicker was measured on pictures of 7 to 224 pixels and filters of 1 to 11 (docs/performance.md): LINES
# copies x and computes products with padding to the left and right, but has longer segments and tables that are quickly
# made; it wins by 21% at 16 channels and loses 3% from 64 on. With strides, which TAPS reads memory with, it still wins
# by 4 to 10% at 128.
LINES_CHANNELS, STRIDED_LINES_CHANNELS = 63, 128


@helper
def units(n, oh, ow, choice):
    """What tiles are cut from: pixels of the result, or its lines where those of x are copied as lines."""
    return n * oh if choice[VARIANT] == LINES else n * oh * ow


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
        first, some, first_panel, panels = tile_part(tile, units(n, oh, ow, choice), ceil_div(oc, width), choice)
        if choice[VARIANT] == TAPS:
            convolve(x, f, y, h, w, c, oh, ow, oc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                     pad_left, first, some, first_panel, panels, scratch)
            return
        if choice[VARIANT] == LINES:
            convolve_lines(x, f, k * width * size, y + first * ow * oc * size, ow * oc * size, h, w, c, oh, ow, oc,
                           1, kh, kw, stride_h, stride_w, dilation_h, dilation_w, -pad_top, -pad_left, first, some,
                           choice[GROUP_LINES], first_panel, panels, scratch)
            return
        column = first_panel * width
        multiply(x + first * c * size, c * size, size, some, c, f + column * c * size, c * width * size,
                 width * size, min(panels * width, oc - column), y + (first * oc + column) * size, oc * size, scratch)
    return pack, compute


def make_borders(dtype, sizes):
    """The function that mends a tile."""
    size, mend = ITEM_SIZES[dtype], make_mend(dtype, False)
    width_main, width_narrow = sizes.main.width, sizes.narrow.width

    @helper
    def mend_tile(x, f, y, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                  pad_left, choice, tile):
        if choice[VARIANT] == DIRECT or not (meets_outside(kh, stride_h, dilation_h, pad_top, oh, h)
                                             or meets_outside(kw, stride_w, dilation_w, pad_left, ow, w)):
            return
        k = kh * kw * c
        if choice[SHAPE] == PLANAR:
            tap, channel = (c, 1) if c > kw else (1, kw)
            first_line = tile * choice[TILE_LINES]
            mend(x, f, f, oc * k, k, 1, kw * c, tap, channel, y, h, w, c, oh, ow, oc, kh, kw, stride_h, stride_w,
                 dilation_h, dilation_w, pad_top, pad_left, first_line * ow,
                 min(choice[TILE_LINES], n * oh - first_line) * ow, 0, oc)
            return
        width = width_main if choice[SHAPE] == MAIN else width_narrow
        begin, some, first, panels = tile_part(tile, units(n, oh, ow, choice), ceil_div(oc, width), choice)
        length = ow if choice[VARIANT] == LINES else 1     # pixels of what tiles are cut from
        mend(x, f, f + first * k * width * size, panels * k * width, k * width, width, kw * c * width, c * width, width,
             y, h, w, c, oh, ow, oc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
             begin * length, some * length, first * width, min((first + panels) * width, oc))
    return mend_tile


def make_forward(dtype, isa):
    """bind, run and pack of conv2d for one ISA."""
    size, sizes = ITEM_SIZES[dtype], shapes(isa, dtype)
    width_main, rows_main, scratch_main = sizes.main.width, sizes.main.rows, blocks(dtype, sizes.main).scratch_bytes
    width_narrow, rows_narrow, scratch_narrow = sizes.narrow.width, sizes.narrow.rows, blocks(dtype,
                                                                                              sizes.narrow).scratch_bytes
    taps_scratch, winograd = make_taps(dtype, sizes.main, False).scratch_bytes, make_winograd(dtype, sizes.main)
    pays_winograd, bind_winograd, run_winograd = winograd.pays, winograd.bind, winograd.run
    has_winograd = dtype in WINOGRAD_DTYPES
    pack_main, compute_main = make_forward_shape(dtype, sizes, True)
    pack_narrow, compute_narrow = make_forward_shape(dtype, sizes, False)
    planes, mend_tile = make_planes(dtype, sizes), make_borders(dtype, sizes)
    planes_scratch, most_planes, pack_planes, convolve_planes = (planes.scratch_bytes, planes.most_channels,
                                                                 planes.pack, planes.convolve)
    rounded = make_rounded_way(dtype, isa, False)
    fits_rounded, pays_rounded, bind_rounded, pack_rounded, run_rounded = (rounded.fits, rounded.pays, rounded.bind,
                                                                           rounded.pack, rounded.run)

    def bind(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        if n * oh * ow * oc == 0:
            return
        line_bytes = line_elements(ow, kw, stride_w, dilation_w, c) * size
        group = group_lines(n * oh, oh, kh, stride_h, dilation_h, line_bytes) if kh * kw * c > 0 else 0
        planar = oc <= most_planes and group > 0 and planes_fit(kh, kw, stride_w, ow)
        spacing = spacing_of(kh, dilation_h, dilation_w)
        may_transform = has_winograd and choice[NO_WINOGRAD] == 0 and (
            fits(kh, kw, stride_h, stride_w, dilation_h, dilation_w) or fits_line(kh, kw, stride_h, stride_w))
        if fits_rounded(c, kh, kw, ow, stride_h, stride_w, dilation_h, dilation_w, choice) and takes(
                choice, ROUNDED, pays_rounded(n, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w,
                                              choice[PERSISTENT] != 0, may_transform)):
            bind_rounded(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, -pad_top,
                         -pad_left, choice[PERSISTENT] != 0, choice)
            return
        if may_transform and (
                c >= FEWEST and takes(choice, WINOGRAD, not planar and pays_winograd(
                    kh, kw, n, h, w, c, oh, ow, oc, spacing, pad_top, pad_left, choice[PERSISTENT] != 0))):
            choice[VARIANT], choice[SHAPE] = WINOGRAD, MAIN
            bind_winograd(kh, kw, n, c, oh, ow, oc, spacing, choice)
            if choice[PERSISTENT] != 0:
                bind_packed(ceil_div(oc, width_main), kh * kw * c * width_main * size, choice)
            return
        k = kh * kw * c
        narrow = oc <= width_narrow
        choice[SHAPE] = NARROW if narrow else MAIN
        width, height = (width_narrow, rows_narrow) if narrow else (width_main, rows_main)
        scratch = scratch_narrow if narrow else scratch_main
        choice[GROUP_LINES] = group
        if planar and takes(choice, PLANES, True):
            choice[SCRATCH_BYTES] = planes_scratch(group, c, oh, ow, oc, kh, kw, stride_h, dilation_h, dilation_w)
            bind_planes(n * oh, ow, k, oc, size, choice[PERSISTENT] != 0, choice)
            return
        if kh * kw == 1 and stride_h * stride_w == 1 and oh == h and ow == w and pad_top + pad_left == 0 and (
                takes(choice, DIRECT, True)):
            choice[VARIANT] = DIRECT
        elif choice[GROUP_LINES] > 0 and takes(choice, LINES, c <= (
                LINES_CHANNELS if stride_w == 1 else STRIDED_LINES_CHANNELS)):
            choice[VARIANT] = LINES
            scratch = LINES_BYTES + buffer_bytes(choice[GROUP_LINES], oh, kh, stride_h, dilation_h, line_bytes)
        else:
            choice[VARIANT] = TAPS
            scratch = taps_scratch(c, kh, kw)
        choice[SCRATCH_BYTES] = scratch
        if choice[VARIANT] == LINES:
            bind_tiles(n * oh, ow, k, oc, width, height, size, choice[PERSISTENT] != 0, choice)
        else:
            bind_tiles(n * oh * ow, 1, k, oc, width, height, size, choice[PERSISTENT] != 0, choice)

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
            run_winograd(kh, kw, source, right, target, False, n, h, w, c, oh, ow, oc,
                         spacing_of(kh, dilation_h, dilation_w), pad_top, pad_left, choice, work, scratch, phase, tile)
            return OK
        if choice[VARIANT] == ROUNDED:
            run_rounded(source, right, target, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h,
                        dilation_w, -pad_top, -pad_left, choice, work, scratch, phase, tile)
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
        mend_tile(source, right, target, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w,
                  pad_top, pad_left, choice, tile)
        return OK

    def pack(f, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice,
             target, tile):
        if choice[VARIANT] == ROUNDED:
            pack_rounded(target, address(f), c, kh, kw, oc, dilation_w, choice, tile)
        else:
            pack_any(target, address(f), kh, kw, c, oc, choice, tile)
        return OK
    return bind, run, pack


def make_conv2d(types):
    return by_isa(make_forward, types["T"])
