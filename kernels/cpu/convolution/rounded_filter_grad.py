"""The gradient of a convolution for its filter of operands rounded to bfloat16, by AMX: the way ROUNDED.

Job: dw[u, v, channel, :] = sum over pixels of dy of x[the pixel moved by the tap, channel] dy[pixel, :]. Groups of
lines of dy, or of whole small pictures, are runs of pixels as in rounded_planes.py, zeros at the ends of lines: k of a
product are such a run's pixels. Phase 0 packs dy in pairs of pixels; a tile of phase 1 is some channels of x and some
panels of dw: group by group it turns its channels, so that each is a row of pixels, and multiplies for each tap from
another pixel on, adding to dw.
Invariants: each element of dw is written by one tile, which adds groups in their order. Zeros outside of x, and at the
ends of dy's lines, are multiplied: what is not finite in dy makes NaN of its column of all taps that meet the outside,
what is not finite in x of its channel of all taps.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ceil_div, compact, copy_bytes, helper, int64_at, part, round_up, zero_bytes
from ..products.bfloat16_blocks import convert_lines, copy_part
from ..products.bfloat16_tiles import (
    LINE_BYTES,
    PAIRS,
    SQUARE_BYTES,
    STEP,
    TILE,
    TURNED,
    begin_tiles,
    end_tiles,
    multiply_tiles,
)
from .lines import reach
from .rounded import STEP_BYTES, SUM_BYTES, WIDTH
from .rounded_planes import SIZE, lines_of, pitch_of, remainders

HALF = 2                               # bytes of a bfloat16
GROUP_PIXELS = 512                     # of a group, about: a tile's channels of them stay in the first cache
TABLE_BYTES = 64


@dataclass(frozen=True)
class RoundedFilterGrad:
    """pack(target, buffer, dy, sizes, group): the pairs of one group. multiply(x, pairs, dw, sizes, first channel,
    first panel, panels, scratch): a tile of phase 1. sizes: n, h, w, c, kh, kw, oc, oh, ow, steps, dilations, pads."""

    pack: Any
    multiply: Any


@helper
def one_run(h, w, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left):
    """Whether each pixel of dy meets the pixel of x of its place, and no other."""
    return kh * kw == 1 and stride_h * stride_w == 1 and oh == h and ow == w and pad_top + pad_left == 0


@helper
def runs(n, oh, ow, kh, kw, stride_h, stride_w, dilation_h, dilation_w, joined):
    """Units, which are lines of one picture, and groups of them: pixels from one line to the next; units of a picture;
    lines of dy of a unit; lines that it takes, with those that taps reach beyond; units of a group; groups. joined:
    all pixels are one line, cut into units of one pixel each."""
    if joined:
        return 1, 1, 1, 1, GROUP_PIXELS, ceil_div(n * oh * ow, GROUP_PIXELS)
    pitch = pitch_of(ow, kw, stride_w, dilation_w)
    unit = ceil_div(oh, ceil_div(oh, max(GROUP_PIXELS // pitch, 1)))
    parts, high = ceil_div(oh, unit), lines_of(unit, kh, stride_h, dilation_h)
    some = min(max(GROUP_PIXELS // (high * pitch), 1), n) if parts == 1 else 1
    return pitch, parts, unit, high, some, ceil_div(n * parts, some)


@helper
def group_steps(some, high, pitch):
    return ceil_div(some * high * pitch, STEP)


@helper
def row_bytes_of(some, high, pitch, kh, kw, stride_h, stride_w, dilation_h, dilation_w):
    """Of a channel of x: its planes, and what is read after them. An odd number of lines of the caches."""
    planes = remainders(kh, stride_h, dilation_h) * remainders(kw, stride_w, dilation_w)
    after = (reach(kh, dilation_h) // stride_h + 1) * pitch + reach(kw, dilation_w) + 2 * STEP
    return (planes * some * high * pitch + after) * HALF // (2 * LINE_BYTES) * (2 * LINE_BYTES) + LINE_BYTES * 3


@helper
def buffer_bytes(some, high, pitch):
    """Of a panel of dy in a group, as float32."""
    return group_steps(some, high, pitch) * STEP * WIDTH * SIZE


@helper
def turn_lines(place, row_bytes, source, h, w, c, channel, kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top,
               pad_left, pitch, parts, unit, high, first, some):
    """TILE channels of the units `first` to first + some, of zeros so far. Squares write zeros after a line, so lines
    are written in their order."""
    across = remainders(kw, stride_w, dilation_w)
    for plane in range(remainders(kh, stride_h, dilation_h) * across):
        start = plane % across - pad_left
        before = min(max(ceil_div(-start, stride_w), 0), pitch)
        inside = max(min(ceil_div(w - start, stride_w), pitch) - before, 0)
        for number in range(some if inside > 0 else 0):
            picture, line = (first + number) // parts, (first + number) % parts * unit
            for i in range(high):
                row = (line + i) * stride_h + plane // across - pad_top
                if 0 <= row < h:
                    at = ((plane * some + number) * high + i) * pitch + before
                    convert_lines(PAIRS + TURNED, place + at * HALF, row_bytes, LINE_BYTES,
                                  source + (((picture * h + row) * w + start + before * stride_w) * c + channel) * SIZE,
                                  stride_w * c * SIZE, c - channel, inside)


@helper
def gather_lines(buffer, gradient, oc, oh, ow, columns, pitch, parts, unit, high, first, some):
    """Columns of dy in a group, from the address of their first one on, with zeros where there is no pixel."""
    zero_bytes(buffer, buffer_bytes(some, high, pitch))
    for number in range(some):
        picture, line = (first + number) // parts, (first + number) % parts * unit
        for i in range(min(unit, oh - line)):
            source = gradient + (picture * oh + line + i) * ow * oc * SIZE
            goal = buffer + (number * high + i) * pitch * WIDTH * SIZE
            for pixel in range(ow):
                copy_bytes(goal + pixel * WIDTH * SIZE, source + pixel * oc * SIZE, columns * SIZE)


@helper
def multiply_sums(steps, left, row_bytes, right, target, oc, rows, columns, onto, table, sums):
    """Up to WIDTH channels and columns of dw for a tap."""
    words = int64_at(table)
    words[0], words[1], words[2] = 0, left, left + TILE * row_bytes
    shape = (2 if rows > TILE else 0) + (1 if columns > TILE else 0)
    if rows % TILE == 0 and columns % TILE == 0:
        multiply_tiles(shape, 1, steps, row_bytes, LINE_BYTES, right, table, target, oc * SIZE, onto, 0)
        return
    if onto > 0:
        copy_part(sums, WIDTH * SIZE, target, oc * SIZE, rows, columns)
    multiply_tiles(shape, 1, steps, row_bytes, LINE_BYTES, right, table, sums, WIDTH * SIZE, onto, 0)
    copy_part(target, oc * SIZE, sums, WIDTH * SIZE, rows, columns)


@cache
def make_rounded_filter_grad() -> RoundedFilterGrad:
    @part("rounded_pixels")
    def pack(target, buffer, dy, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
             pad_left, group):
        compact()
        joined = one_run(h, w, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left)
        pitch, parts, unit, high, some, _ = runs(n, oh, ow, kh, kw, stride_h, stride_w, dilation_h, dilation_w, joined)
        units, steps, goal = n * oh * ow if joined else n * parts, group_steps(some, high, pitch), target
        there = min(some, units - group * some)
        for column in range(0, oc, WIDTH):
            columns = min(oc - column, WIDTH)
            source, row = dy + (group * some * oc + column) * SIZE, oc * SIZE
            if not joined:
                gather_lines(buffer, dy + column * SIZE, oc, oh, ow, columns, pitch, parts, unit, high, group * some,
                             there)
                source, row = buffer, WIDTH * SIZE
            for half in range(ceil_div(columns, TILE)):
                convert_lines(PAIRS, goal + half * SQUARE_BYTES, LINE_BYTES, STEP_BYTES, source + half * TILE * SIZE,
                              row, columns - half * TILE, there * high * pitch)
            goal += steps * STEP_BYTES

    @part("rounded_filter")
    def multiply(x, pairs, dw, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                 pad_left, channel, first_panel, panels, scratch):
        compact()
        begin_tiles()
        joined = one_run(h, w, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left)
        pitch, parts, unit, high, some, groups = runs(n, oh, ow, kh, kw, stride_h, stride_w, dilation_h, dilation_w,
                                                      joined)
        units, steps = n * oh * ow if joined else n * parts, group_steps(some, high, pitch)
        row_bytes = row_bytes_of(some, high, pitch, kh, kw, stride_h, stride_w, dilation_h, dilation_w)
        sums = scratch + TABLE_BYTES
        rows, across, channels = sums + SUM_BYTES, remainders(kw, stride_w, dilation_w), min(c - channel, WIDTH)
        for group in range(groups):
            there = min(some, units - group * some)
            zero_bytes(rows, WIDTH * row_bytes)
            for half in range(ceil_div(channels, TILE)):
                place, first = rows + half * TILE * row_bytes, channel + half * TILE
                if joined:
                    convert_lines(PAIRS + TURNED, place, row_bytes, LINE_BYTES, x + (group * some * c + first) * SIZE,
                                  c * SIZE, c - first, there)
                else:
                    turn_lines(place, row_bytes, x, h, w, c, first, kh, kw, stride_h, stride_w, dilation_h, dilation_w,
                               pad_top, pad_left, pitch, parts, unit, high, group * some, there)
            for panel in range(first_panel, first_panel + panels):
                right = pairs + (group * ceil_div(oc, WIDTH) + panel) * steps * STEP_BYTES
                for tap in range(kh * kw):
                    u, v = tap // kw * dilation_h, tap % kw * dilation_w
                    pixel = ((u % stride_h * across + v % stride_w) * there * high + u // stride_h) * pitch + (
                        v // stride_w)
                    multiply_sums(group_steps(there, high, pitch), rows + pixel * HALF, row_bytes, right,
                                  dw + ((tap * c + channel) * oc + panel * WIDTH) * SIZE, oc, channels,
                                  min(oc - panel * WIDTH, WIDTH), min(group, 1), scratch, sums)
        end_tiles()
    return RoundedFilterGrad(pack, multiply)


@helper
def scratch_bytes(some, high, pitch, kh, kw, stride_h, stride_w, dilation_h, dilation_w):
    """Of a tile of either phase."""
    rows = WIDTH * row_bytes_of(some, high, pitch, kh, kw, stride_h, stride_w, dilation_h, dilation_w)
    return round_up(TABLE_BYTES + SUM_BYTES + max(rows, buffer_bytes(some, high, pitch)), 64)
