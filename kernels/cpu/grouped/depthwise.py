"""depthwise_conv2d and its gradients over NHWC: each channel has a filter of its own.

Job: y[p, i, j, k] = sum over taps (u, v) of x[p, i * stride_h - pad_top + u * dilation_h, j * ..., k] f[u, v, k]; what
lies outside of the picture counts as 0. With `flip` the taps are taken from the last to the first: the gradient for the
input of a convolution without stride. The one with stride does so for each remainder of the pixels, which meet the same
taps (residues.py). Rows of 3, 5 or 7 taps go by channel_rows.py. The gradient for the filter sums parts of the output
in phase 0, and the parts in phase 1.
Invariants: taps are cut to the picture before it is read; sums are in a fixed order, whatever the tiles and threads.
"""
from __future__ import annotations

from ..convolution.conv_tiles import by_isa
from ..convolution.residues import common_divisor, meeting_taps, taps_of
from ..memory import ITEM_SIZES, address, ceil_div, helper, offset, pointer_to, zero_bytes
from ..pooling.channel_sums import PRODUCTS, SumShape, lanes_of, tap_sums
from ..pooling.channel_windows import end_tap, first_tap, make_line
from ..pooling.pooling import bind_lines, filled
from ..tiles import shared_evenly
from ..words import OK, TILE_ELEMENTS, TILES, TILES_1, USER, WORK_BYTES
from .channel_rows import goes_by_rows, make_channels_at_once, make_row_lines

PARTS = 32                             # parts of the output at most, whose sums make the gradient for the filter
PART_ELEMENTS = 32768                  # of a part, at least
SUM_ELEMENTS = 4096                    # of a tile of phase 1
TAPS = 3                               # of the filter at once
TILE = 32768                           # elements of a tile of y, about: neighbouring lines share those of x
FEWEST_TILES = 4                       # if there are so many lines
NEAR_BYTES = 6 << 20                   # of x and y that are near: from memory, all channels of a pixel come at once


@helper
def bind_forward_lines(lines, line_elements, choice):
    """Tiles of whole rows, as many as threads share evenly."""
    least = max(min(TILE // max(line_elements, 1), ceil_div(lines, FEWEST_TILES)), 1)
    per_tile = max(ceil_div(lines, shared_evenly(max(lines // least, 1))), 1)
    choice[USER], choice[TILE_ELEMENTS] = per_tile, per_tile * line_elements
    choice[TILES] = ceil_div(lines, per_tile) if line_elements > 0 else 0


def make_forward_isa(dtype, isa):
    size, line_sums, row_line = ITEM_SIZES[dtype], make_line(dtype, isa, PRODUCTS), make_row_lines(dtype, isa)
    channels_at_once = make_channels_at_once(dtype, isa)

    def bind(n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w, flip, choice):
        bind_forward_lines(n * oh, ow * c, choice)

    def run(x, f, y, n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w, flip,
            choice, work, scratch, phase, tile):
        first, item = tile * choice[USER], c * size
        last = min(first + choice[USER], n * oh)
        f_tap = -item if flip != 0 else item
        by_rows = goes_by_rows(kw, stride_w, dilation_w, ow)
        near = n * (h * w + oh * ow) * item <= NEAR_BYTES
        some = channels_at_once(kh, w) if by_rows and near else c
        for k in range(0, c, some):
            for line in range(first, last):
                row = line % oh * stride_h - pad_top
                top, bottom = first_tap(row, dilation_h), end_tap(row, dilation_h, kh, filled(h, w))
                tap = kh * kw - 1 - top * kw if flip != 0 else top * kw
                source = address(x) + (line // oh * h + row + top * dilation_h) * w * item + k * size
                weights, target = address(f) + tap * item + k * size, address(y) + line * ow * item + k * size
                if by_rows:
                    row_line(kw, stride_w, source, dilation_h * w * item, -pad_left, w, weights, f_tap * kw, f_tap,
                             bottom - top, target, ow, item, min(some, c - k))
                else:
                    line_sums(source, dilation_h * w * item, -pad_left, stride_w, dilation_w, w, weights, f_tap * kw,
                              f_tap, bottom - top, kw, target, item, ow, c)
        return OK
    return bind, run


def make_input_grad_isa(dtype, isa):
    size, line_sums = ITEM_SIZES[dtype], make_line(dtype, isa, PRODUCTS)

    def bind(n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w, choice):
        bind_lines(n * h, w * c, choice)

    def run(dy, f, dx, n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w,
            choice, work, scratch, phase, tile):
        first, item = tile * choice[USER], c * size
        fall_w = dilation_w // common_divisor(stride_w, dilation_w)
        for line in range(first, min(first + choice[USER], n * h)):
            u, i, lines, u_step, fall_h = meeting_taps(line % h + pad_top, stride_h, dilation_h, kh, filled(oh, ow))
            for column in range(min(stride_w, w)):
                v, taps, v_step = taps_of((column + pad_left) % stride_w, stride_w, dilation_w, kw)
                start = (column + pad_left - v * dilation_w) // stride_w - (taps - 1) * fall_w
                line_sums(address(dy) + (line // h * oh + i) * ow * item, -fall_h * ow * item, start, 1, fall_w, ow,
                          address(f) + (u * kw + v + (taps - 1) * v_step) * item, u_step * kw * item, -v_step * item,
                          lines, taps, address(dx) + (line * w + column) * item, stride_w * item,
                          ceil_div(w - column, stride_w), c)
        return OK
    return bind, run


def make_tap_rows(dtype, isa):
    """The function (x, dy, sums, w, c, ow, kw, start, stride, dilation, k): what one line of dy adds to the sums of one
    row of the filter, for the channels of a block from k on; returns how many those are. x is where its line begins."""
    size, (lanes, vectors) = ITEM_SIZES[dtype], lanes_of(isa, dtype)
    wide, wide_one = (tap_sums(dtype, SumShape(count, vectors, lanes)) for count in (TAPS, 1))
    some, one = (tap_sums(dtype, SumShape(count, 1, lanes)) for count in (TAPS, 1))
    some_part, one_part = (tap_sums(dtype, SumShape(count, 1, lanes, True)) for count in (TAPS, 1))

    @helper
    def add(x, x_step, x_tap, dy, item, pixels, sums, c, several):
        if pixels <= 0:
            return
        if c >= vectors * lanes:
            if several:
                wide((x, x_step, x_tap, dy, item, pixels, sums, item, 0))
            else:
                wide_one((x, x_step, 0, dy, item, pixels, sums, 0, 0))
        elif c >= lanes:
            if several:
                some((x, x_step, x_tap, dy, item, pixels, sums, item, 0))
            else:
                one((x, x_step, 0, dy, item, pixels, sums, 0, 0))
        elif several:
            some_part((x, x_step, x_tap, dy, item, pixels, sums, item, c))
        else:
            one_part((x, x_step, 0, dy, item, pixels, sums, 0, c))

    @helper
    def tap_row(x, dy, sums, w, c, ow, kw, start, stride, dilation, k):
        item, v = c * size, 0
        while v < kw:
            several = v + TAPS <= kw
            count = TAPS if several else 1
            left, right = start + v * dilation, start + (v + count - 1) * dilation
            begin = min(first_tap(left, stride), ow)
            end = max(end_tap(right, stride, ow, w), begin)
            if several:
                for t in range(v, v + TAPS):
                    # The pixels that this tap meets, but not all of the group do.
                    at = start + t * dilation
                    low, high = min(first_tap(at, stride), ow), end_tap(at, stride, ow, w)
                    add(x + (low * stride + at) * item, stride * item, 0, dy + low * item, item,
                        min(high, begin) - low, sums + t * item, c - k, False)
                    later = max(end, low)
                    add(x + (later * stride + at) * item, stride * item, 0, dy + later * item, item, high - later,
                        sums + t * item, c - k, False)
            add(x + (begin * stride + left) * item, stride * item, dilation * item, dy + begin * item, item,
                end - begin, sums + v * item, c - k, several)
            v += count

    @helper
    def block(left):
        """Channels of a block, if so many are left."""
        return vectors * lanes if left >= vectors * lanes else min(lanes, left)
    return tap_row, block


def make_filter_grad_isa(dtype, isa):
    size, at = ITEM_SIZES[dtype], pointer_to(dtype)
    tap_row, block = make_tap_rows(dtype, isa)

    def bind(n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w, choice):
        lines = n * oh if ow * c > 0 else 0
        per_tile = max(ceil_div(PART_ELEMENTS, max(ow * c, 1)), ceil_div(lines, PARTS), 1)
        choice[USER], choice[TILES] = per_tile, max(ceil_div(lines, per_tile), 1)
        choice[WORK_BYTES] = max(choice[TILES] * kh * kw * c * size, 64)
        choice[TILES_1], choice[TILE_ELEMENTS] = ceil_div(kh * kw * c, SUM_ELEMENTS), SUM_ELEMENTS

    @helper
    def part_sums(x, dy, sums, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w,
                  first, last):
        """The sums of lines first to last of dy, block of channels by block."""
        zero_bytes(sums, kh * kw * c * size)
        k = 0
        while k < c:
            for line in range(first, last if w > 0 else first):
                start = line % oh * stride_h - pad_top
                for u in range(first_tap(start, dilation_h), end_tap(start, dilation_h, kh, h)):
                    row = line // oh * h + start + u * dilation_h
                    tap_row(x + (row * w * c + k) * size, dy + (line * ow * c + k) * size,
                            sums + (u * kw * c + k) * size, w, c, ow, kw, -pad_left, stride_w, dilation_w, k)
            k += block(c - k)

    def run(x, dy, df, n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w,
            choice, work, scratch, phase, tile):
        parts, taps = at(work), kh * kw * c
        if phase == 0:
            first = tile * choice[USER]
            last = min(first + choice[USER], n * oh) if ow * c > 0 else first
            part_sums(address(x), address(dy), work + tile * taps * size, h, w, c, kh, kw, oh, ow, pad_top, pad_left,
                      stride_h, stride_w, dilation_h, dilation_w, first, last)
            return OK
        for i in range(tile * SUM_ELEMENTS, min((tile + 1) * SUM_ELEMENTS, taps)):
            df[i] = parts[i]
        for part in range(1, choice[TILES]):
            source = offset(parts, part * taps)
            for i in range(tile * SUM_ELEMENTS, min((tile + 1) * SUM_ELEMENTS, taps)):
                df[i] += source[i]
        return OK
    return bind, run


def make_forward(types):
    return by_isa(make_forward_isa, types["T"])


def make_input_grad(types):
    return by_isa(make_input_grad_isa, types["T"])


def make_filter_grad(types):
    return by_isa(make_filter_grad_isa, types["T"])
