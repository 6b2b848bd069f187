"""Convolutions in groups over NHWC and their gradients for the input, one kernel for all groups.

Job: y[p, i, j, (g, o)] = sum over taps (u, v) and the channels k of group g of x[p, i * stride_h - pad_top + u *
dilation_h, j * ..., (g, k)] w[u, v, k, (g, o)]; what lies outside of the picture takes no part. The gradient for the
input is the same of dy with taps from the last to the first, for each remainder by the stride (residues.py). Ways:
    ROWS      a vector holds two groups or more, and x is permuted in registers (group_sums.py); float32
    PRODUCTS  products of each group on the micro-kernel, whose table of addresses serves all groups
No channel is copied. The filter is packed by units, a vector of ROWS or a panel of a group: beforehand if it is a
constant, for the gradient always by phase 0; for the gradient with its taps turned and its channels exchanged.
Invariants: pixels are checked against the picture before they are read; the way and the tiles follow from sizes alone;
every sum is in the order of taps and channels. Vectors and tables read zeros outside, so an infinite weight may make a
NaN there: NaNs of pixels at the edges are computed again (grouped_ways.py).
"""
from __future__ import annotations

from ..convolution.conv_tiles import PACK_PANELS, SHAPE, TILE_LINES, TILE_PANELS, bind_tiles, by_isa, tile_part
from ..convolution.residues import common_divisor, meeting_taps, taps_of
from ..memory import ITEM_SIZES, address, ceil_div, compact, helper, pointer_to, round_up, zero_bytes
from ..pooling.channel_windows import end_tap, first_tap
from ..pooling.pooling import filled
from ..products.micro import shapes
from ..products.panels import packing
from ..ways import takes
from ..words import FORMAT, OK, PERSISTENT, SCRATCH_BYTES, TILE_ELEMENTS, VARIANT
from .group_sums import WIDE
from .grouped_ways import (
    GROUP_UNITS,
    INDEX_BYTES,
    PIECE_WORDS,
    PIECES,
    SEGMENT_BYTES,
    TAPS,
    UNIT_GROUPS,
    WIDTH,
    make_index,
    make_mend,
    make_products,
    make_rows,
)

ROWS, PRODUCTS = 0, 1


def widest(dtype, isa):
    """Lanes of a vector that ROWS can permute; 0: it is no way."""
    return WIDE.get(isa, 0) if dtype == "f32" else 0


def make_bind(dtype, isa):
    """bind of both kernels. sg, tg: channels of a group that are read and written."""
    size, sizes = ITEM_SIZES[dtype], shapes(isa, dtype)
    main, narrow, wide = sizes.main, sizes.narrow, widest(dtype, isa)
    width_main, width_narrow, rows_main, rows_narrow = main.width, narrow.width, main.rows, narrow.rows

    @helper
    def bind(lines, pixels, kh, kw, sg, tg, groups, stride_w, dilation_w, packed_before, choice):
        compact()
        if 2 * max(sg, tg, 1) <= wide and takes(choice, ROWS, True):
            choice[VARIANT], choice[WIDTH] = ROWS, wide
            choice[UNIT_GROUPS] = wide // max(sg, tg, 1)
            choice[GROUP_UNITS] = 1
            choice[TAPS] = 3 if kw % 3 == 0 and stride_w * dilation_w == 1 else 1
            choice[SCRATCH_BYTES] = INDEX_BYTES
        else:
            choice[VARIANT], choice[UNIT_GROUPS], choice[TAPS] = PRODUCTS, 1, 1
            choice[WIDTH] = width_narrow if tg <= width_narrow else width_main
            choice[GROUP_UNITS] = max(ceil_div(tg, choice[WIDTH]), 1)
            choice[SCRATCH_BYTES] = (round_up(groups * sg * size, 64)
                                     + PIECES * (PIECE_WORDS * 8 + kh * kw * SEGMENT_BYTES))
        units, width = ceil_div(groups, choice[UNIT_GROUPS]) * choice[GROUP_UNITS], choice[WIDTH]
        choice[SHAPE] = choice[VARIANT] + 1
        bind_tiles(lines, pixels, kh * kw * sg, units * width, width,
                   rows_narrow if width == width_narrow else rows_main, size, packed_before, choice)
        choice[TILE_ELEMENTS] = (choice[TILE_LINES] * pixels * groups * tg if choice[TILE_PANELS] == units else 0)
    return bind


def make_pack(dtype, isa):
    """The function (target, f, kh, kw, sg, tg, groups, turned, choice, tile): a tile of units. turned: taps from the
    last to the first, channels exchanged."""
    size, at, sizes = ITEM_SIZES[dtype], pointer_to(dtype), shapes(isa, dtype)
    width_narrow = sizes.narrow.width
    kit_main, kit_narrow = packing(dtype, sizes.main), packing(dtype, sizes.narrow)
    pack_main, pack_narrow = kit_main.pack, kit_narrow.pack
    turn_main, turn_narrow = kit_main.pack_transposed, kit_narrow.pack_transposed

    @helper
    def pack_vector(target, f, taps, sg, tg, groups, turned, unit, choice):
        """A unit of ROWS, [taps][k][taps at once][lanes], zeros in the lanes of no channel."""
        lanes, some, first = choice[WIDTH], choice[TAPS], unit * choice[UNIT_GROUPS]
        goal, values = at(target), at(f)
        zero_bytes(target, taps * sg * lanes * size)
        for tap in range(taps):
            for lane in range(min(choice[UNIT_GROUPS], groups - first) * tg):
                group, t = first + lane // tg, lane % tg
                for k in range(sg):
                    place = ((tap // some * sg + k) * some + tap % some) * lanes + lane
                    if turned:
                        goal[place] = values[((taps - 1 - tap) * tg + t) * groups * sg + group * sg + k]
                    else:
                        goal[place] = values[(tap * sg + k) * groups * tg + group * tg + t]

    @helper
    def pack_panel(target, f, taps, sg, tg, groups, turned, unit, choice):
        """A unit of PRODUCTS, [taps][k][width]."""
        width, group = choice[WIDTH], unit // choice[GROUP_UNITS]
        column = unit % choice[GROUP_UNITS] * width
        if not turned:
            step, source = groups * tg * size, f + (group * tg + column) * size
            if width == width_narrow:
                pack_narrow(target, source, step, taps * sg, tg - column)
            else:
                pack_main(target, source, step, taps * sg, tg - column)
            return
        step = groups * sg * size
        for tap in range(taps):
            source = f + ((taps - 1 - tap) * tg + column) * step + group * sg * size
            if width == width_narrow:
                turn_narrow(target + tap * sg * width * size, source, step, sg, tg - column)
            else:
                turn_main(target + tap * sg * width * size, source, step, sg, tg - column)

    @helper
    def pack(target, f, kh, kw, sg, tg, groups, turned, choice, tile):
        compact()
        units, bytes_ = (ceil_div(groups, choice[UNIT_GROUPS]) * choice[GROUP_UNITS],
                         kh * kw * sg * choice[WIDTH] * size)
        first = tile * choice[PACK_PANELS]
        for unit in range(first, min(first + choice[PACK_PANELS], units)):
            if choice[VARIANT] == ROWS:
                pack_vector(target + unit * bytes_, f, kh * kw, sg, tg, groups, turned, unit, choice)
            else:
                pack_panel(target + unit * bytes_, f, kh * kw, sg, tg, groups, turned, unit, choice)
    return pack


@helper
def forward_line(line, residue, sh, sw, th, tw, kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
                 item, target_item, tap_bytes):
    """A line of y, as grouped_ways.py wants it: (source, x_line, lines, column, step, next_tap, taps, f, f_line, f_tap,
    target, y_step, pixels), where addresses are offsets."""
    row = line % th * stride_h - pad_top
    top, bottom = first_tap(row, dilation_h), end_tap(row, dilation_h, kh, filled(sh, sw))
    return ((line // th * sh + row + top * dilation_h) * sw * item, dilation_h * sw * item, bottom - top, -pad_left,
            stride_w, dilation_w, kw, top * kw * tap_bytes, kw * tap_bytes, tap_bytes, line * tw * target_item,
            target_item, tw)


@helper
def backward_line(line, residue, sh, sw, th, tw, kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
                  item, target_item, tap_bytes):
    """The pixels of one remainder of a line of dx, the same."""
    u, i, lines, u_step, fall_h = meeting_taps(line % th + pad_top, stride_h, dilation_h, kh, filled(sh, sw))
    v, taps, v_step = taps_of((residue + pad_left) % stride_w, stride_w, dilation_w, kw)
    fall_w = dilation_w // common_divisor(stride_w, dilation_w)
    last_u, last_v = u + (lines - 1) * u_step, v + (taps - 1) * v_step
    return ((line // th * sh + i - (lines - 1) * fall_h) * sw * item, fall_h * sw * item, lines,
            (residue + pad_left - v * dilation_w) // stride_w - (taps - 1) * fall_w, 1, fall_w, taps,
            ((kh - 1 - last_u) * kw + kw - 1 - last_v) * tap_bytes, u_step * kw * tap_bytes, v_step * tap_bytes,
            (line * tw + residue) * target_item, stride_w * target_item, ceil_div(tw - residue, stride_w))


def make_convolve(dtype, isa, backward):
    """The function that computes some units of some lines of the target."""
    size, describe, mend = ITEM_SIZES[dtype], backward_line if backward else forward_line, make_mend(dtype)
    index, rows = (make(isa if widest(dtype, isa) else "") for make in (make_index, make_rows))
    tile_rows, fill, products = make_products(dtype, isa)

    @helper
    def convolve(source, f, target, sh, sw, sg, th, tw, tg, groups, kh, kw, stride_h, stride_w, dilation_h, dilation_w,
                 pad_top, pad_left, first_line, line_count, first, last, choice, scratch):
        compact()
        item, target_item = groups * sg * size, groups * tg * size
        tap_bytes = sg * choice[WIDTH] * size
        unit_bytes, residues = kh * kw * tap_bytes, min(stride_w, tw) if backward else 1
        kept = scratch + round_up(item, 64)
        table = kept + PIECES * PIECE_WORDS * 8
        by_rows, count, y_step = choice[VARIANT] == ROWS, 0, (stride_w if backward else 1) * target_item
        if by_rows:
            index(sg, tg, scratch)
        else:
            zero_bytes(scratch, item)
        for number in range(2 * line_count * residues):        # all are computed, then mended
            place = number % (line_count * residues)
            x, x_line, lines, column, step, next_tap, taps, weights, f_line, f_tap, y, y_step, pixels = describe(
                first_line + place // residues, place % residues, sh, sw, th, tw, kh, kw, stride_h, stride_w,
                dilation_h, dilation_w, pad_top, pad_left, item, target_item, tap_bytes)
            if number >= line_count * residues:
                mend(source + x, x_line, lines, column, step, next_tap, taps, sw, f + weights, f_line, f_tap,
                     unit_bytes, target + y, y_step, pixels, sg, tg, groups, first, last, choice)
                continue
            if by_rows:
                rows(source + x, x_line, lines, column, step, next_tap, taps, sw, f + weights, f_line, f_tap,
                     unit_bytes, target + y, y_step, pixels, sg, tg, groups, first, last, choice, scratch)
                continue
            pieces = ceil_div(pixels, tile_rows(choice))
            for piece in range(pieces):
                if count == PIECES:
                    products(count, f, unit_bytes, y_step, sg, tg, first, last, kh * kw, table, kept, choice)
                    count = 0
                start = pixels * piece // pieces
                fill(source + x, x_line, lines, column + start * step, step, next_tap, taps, sw, item, weights,
                     f_line, f_tap, target + y + start * y_step, pixels * (piece + 1) // pieces - start, scratch,
                     table + count * kh * kw * SEGMENT_BYTES, kept + count * PIECE_WORDS * 8)
                count += 1
            if place + 1 == line_count * residues and count > 0:
                products(count, f, unit_bytes, y_step, sg, tg, first, last, kh * kw, table, kept, choice)
                count = 0
    return convolve


def make_forward(dtype, isa):
    """bind, run and pack of grouped_conv2d for one ISA."""
    bind_groups, pack_units, convolve = make_bind(dtype, isa), make_pack(dtype, isa), make_convolve(dtype, isa, False)

    def bind(n, h, w, groups, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
             choice):
        if n * oh * ow * groups * oc > 0:
            bind_groups(n * oh, ow, kh, kw, c, oc, groups, stride_w, dilation_w, choice[PERSISTENT] != 0, choice)

    def run(x, f, y, n, h, w, groups, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
            pad_left, choice, work, scratch, phase, tile):
        right = address(f)
        if choice[FORMAT] == 0:
            if phase == 0:
                pack_units(work, right, kh, kw, c, oc, groups, False, choice, tile)
                return OK
            right = work
        units = ceil_div(groups, choice[UNIT_GROUPS]) * choice[GROUP_UNITS]
        first_line, lines, first, count = tile_part(tile, n * oh, units, choice)
        convolve(address(x), right, address(y), h, w, c, oh, ow, oc, groups, kh, kw, stride_h, stride_w, dilation_h,
                 dilation_w, pad_top, pad_left, first_line, lines, first, first + count, choice, scratch)
        return OK

    def pack(f, n, h, w, groups, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
             choice, target, tile):
        pack_units(target, address(f), kh, kw, c, oc, groups, False, choice, tile)
        return OK
    return bind, run, pack


def make_backward(dtype, isa):
    """bind and run of grouped_conv2d_input_grad for one ISA."""
    bind_groups, pack_units, convolve = make_bind(dtype, isa), make_pack(dtype, isa), make_convolve(dtype, isa, True)

    def bind(n, h, w, groups, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
             choice):
        if n * h * w * groups * c > 0:
            bind_groups(n * h, w, kh, kw, oc, c, groups, stride_w, dilation_w, False, choice)

    def run(dy, f, dx, n, h, w, groups, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
            pad_left, choice, work, scratch, phase, tile):
        if phase == 0:
            pack_units(work, address(f), kh, kw, oc, c, groups, True, choice, tile)
            return OK
        units = ceil_div(groups, choice[UNIT_GROUPS]) * choice[GROUP_UNITS]
        first_line, lines, first, count = tile_part(tile, n * h, units, choice)
        convolve(address(dy), work, address(dx), oh, ow, oc, h, w, c, groups, kh, kw, stride_h, stride_w, dilation_h,
                 dilation_w, pad_top, pad_left, first_line, lines, first, first + count, choice, scratch)
        return OK
    return bind, run


def make_grouped_conv2d(types):
    return by_isa(make_forward, types["T"])


def make_grouped_conv2d_input_grad(types):
    return by_isa(make_backward, types["T"])
