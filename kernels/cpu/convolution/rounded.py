"""Convolutions of operands rounded to bfloat16, with sums of float32, by AMX: the way ROUNDED.

Job: lines of the source are rounded into planes (rounded_planes.py), the filter is packed in pairs; blocks of 32
pixels and 32 channels of the target are products of bfloat16_tiles.py, a segment each tap. A block's pixels are
neighbours in a plane, some of which lie behind the end of a line: such a block is computed into scratch, whence its
pixels are copied to the target.
Order: groups of lines; panels, all at once if they stay in the second cache; blocks of pixels.
The gradient for the input is the convolution of dy with the filter turned: taps from the last to the first, its
channels exchanged.
Invariants: all products of an element are added by one block, in the order of the filter, so no result depends on tiles
or threads. What is outside of a picture counts as zeros, which make NaNs of infinite weights.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ceil_div, compact, helper, int64_at, part, pointer_to, round_up
from ..products.bfloat16_blocks import convert_lines
from ..products.bfloat16_rows import round_rows
from ..products.bfloat16_tiles import (
    LINE_BYTES,
    PAIRS,
    ROWS,
    SQUARE_BYTES,
    STEP,
    TABLE_WORDS,
    TILE,
    TURNED,
    begin_tiles,
    end_tiles,
    multiply_tiles,
)
from ..vector import vectors
from .rounded_planes import (
    SIZE,
    across,
    lines_of,
    pitch_of,
    planes_at,
    planes_bytes,
    remainders,
    round_lines,
    step_bytes,
)

WIDTH = 2 * TILE                       # columns of a panel, and pixels of a block
STEP_BYTES = 2 * SQUARE_BYTES          # of a panel
SUM_BYTES = WIDTH * WIDTH * SIZE
_at, _kit = pointer_to("f32"), vectors("f32")
_load, _store, _store_some = _kit.load, _kit.store, _kit.store_some
PANELS_BYTES = 512 * 1024              # of panels that a block is multiplied with one after the other


@dataclass(frozen=True)
class Rounded:
    """pack(target, f, joins, sc, tc, kh, kw, first, last): panels of the filter. round_group(place, joins, source, sh,
    sw, sc, th, tw, kh, kw, steps and dilations, top, left, first, count, group): lines of the target, in a plane for
    `group` of them. convolve(source, packed, rounded_at, joins, target, the same sizes and tc, first, count, group,
    first_panel, panels, scratch): rounded_at: where all groups were rounded to, 0: each is rounded into scratch."""

    pack: Any
    round_group: Any
    convolve: Any


@helper
def panel_bytes(joins, c, kh, kw):
    """Of a packed filter."""
    return (kh * ceil_div(kw * c, STEP) if joins else kh * kw * ceil_div(c, STEP)) * STEP_BYTES


@helper
def table_bytes(kh, kw):
    return round_up(kh * kw * TABLE_WORDS * 8, 64)


@helper
def group_bytes(joins, group, ow, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w):
    return round_up(planes_bytes(joins, group, ow, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w), 64)


@helper
def is_one_run(sh, sw, th, tw, kh, kw, stride_h, stride_w, top, left):
    """Whether each pixel of the target meets the pixel of its place: all of them are lines of one pixel."""
    return kh * kw == 1 and stride_h * stride_w == 1 and th == sh and tw == sw and top == 0 and left == 0


@helper
def copy_pixels(target, step, source, pixels, columns):
    """Pixels of a block of sums to their places, `step` bytes apart."""
    for _ in range(pixels):
        goal, values = _at(target), _at(source)
        if columns >= WIDTH:
            _store(goal, 0, _load(values, 0))
            _store(goal, TILE, _load(values, TILE))
        else:
            _store_some(goal, 0, _load(values, 0), columns)
            if columns > TILE:
                _store_some(goal, TILE, _load(values, TILE), columns - TILE)
        target += step
        source += WIDTH * SIZE


@helper
def place_sums(target, step, sums, first, pixels, pitch, tw, columns):
    """Those pixels of a block that lie inside of a line."""
    done = 0
    while done < pixels:
        line, column = (first + done) // pitch, (first + done) % pitch
        copy_pixels(target + (line * tw + column) * step, step, sums + done * WIDTH * SIZE,
                    min(max(tw - column, 0), pixels - done), columns)
        done += min(pitch - column, pixels - done)


@helper
def fill_table(scratch, planes, first, plane_bytes, pitch, beside, kh, taps, stride_h, stride, dilation_h, dilation,
               tap_bytes):
    """The segments of the block whose first pixel is `first`."""
    table, number = int64_at(scratch), 0
    for u in range(kh):
        row = planes + u * dilation_h % stride_h * beside * plane_bytes + (
            u * dilation_h // stride_h * pitch + first) * LINE_BYTES
        for v in range(taps):
            words = number * TABLE_WORDS
            place = row + v * dilation % stride * plane_bytes + v * dilation // stride * LINE_BYTES
            table[words], table[words + 1], table[words + 2] = number * tap_bytes, place, place + SQUARE_BYTES
            number += 1


@helper
def multiply_block(table, sums, segments, steps, bytes_, first, pixels, pitch, tw, packed, target, step, columns):
    """The products of a block, whose table is filled, with a panel."""
    some = min(pixels - first, WIDTH)
    high, wide = (1 if some > TILE else 0), (1 if columns > TILE else 0)
    height, column = TILE * (1 + high), first % pitch
    whole = some == height and (pitch == tw or column + height <= tw) and columns >= TILE * (1 + wide)
    goal, goal_step = (target + (first // pitch * tw + column) * step, step) if whole else (sums, WIDTH * SIZE)
    multiply_tiles(2 * high + wide, segments, steps, LINE_BYTES, bytes_, packed, table, goal, goal_step, 0, 0)
    if not whole:
        place_sums(target, step, sums, first, some, pitch, tw, columns)




@cache
def make_rounded(turned: bool) -> Rounded:
    @part("rounded_pack", "back" if turned else "forth")
    def pack(target, f, joins, sc, tc, kh, kw, first, last):
        taps, depth, _, _ = across(joins, sc, kw, 1, 1)
        kind, column_step, row, last_tap = (ROWS + TURNED, sc * SIZE, sc * SIZE, kh * taps - 1) if turned else (
            PAIRS, SIZE, tc * SIZE, 0)
        goal = target
        for panel in range(first, last):
            for tap in range(kh * taps):
                source = f + (last_tap - tap if turned else tap) * depth * tc * SIZE
                for half in range(2):
                    column = panel * WIDTH + half * TILE
                    if column < tc:
                        convert_lines(kind, goal + half * SQUARE_BYTES, LINE_BYTES, STEP_BYTES,
                                      source + column * column_step, row, tc - column, depth)
                goal += ceil_div(depth, STEP) * STEP_BYTES

    @part("rounded_lines", "back" if turned else "forth")
    def round_group(place, joins, source, sh, sw, sc, th, tw, kh, kw, stride_h, stride_w, dilation_h, dilation_w, top,
                    left, first, count, group):
        compact()
        if is_one_run(sh, sw, th, tw, kh, kw, stride_h, stride_w, top, left):
            round_rows(place, source + first * sc * SIZE, count, sc * SIZE, sc,
                       step_bytes(joins, group, 1, sc, 1, 1, 1, 1, 1, 1))
        else:
            round_lines(place, joins, source, sh, sw, sc, th, tw, kh, kw, stride_h, stride_w, dilation_h, dilation_w,
                        top, left, first, count, group)

    @part("rounded", "back" if turned else "forth")
    def convolve(source, packed, rounded_at, joins, target, sh, sw, sc, th, tw, tc, kh, kw, stride_h, stride_w,
                 dilation_h, dilation_w, top, left, first, count, group, first_panel, panels, scratch):
        compact()
        begin_tiles()
        one_run = is_one_run(sh, sw, th, tw, kh, kw, stride_h, stride_w, top, left)
        lines_of_picture, columns = (count, 1) if one_run else (th, tw)
        taps, depth, stride, dilation = across(joins, sc, kw, stride_w, dilation_w)
        pitch, beside = pitch_of(columns, taps, stride, dilation), remainders(taps, stride, dilation)
        plane_bytes = lines_of(group, kh, stride_h, dilation_h) * pitch * LINE_BYTES
        bytes_ = step_bytes(joins, group, columns, sc, kh, kw, stride_h, stride_w, dilation_h, dilation_w)
        steps, panel_size = ceil_div(depth, STEP), panel_bytes(joins, sc, kh, kw)
        place_bytes = group_bytes(joins, group, columns, sc, kh, kw, stride_h, stride_w, dilation_h, dilation_w)
        sums = scratch + table_bytes(kh, kw)
        # Where all panels stay in the second cache, a block of pixels is multiplied with each before the next block.
        some = panels if panels * panel_size <= PANELS_BYTES else 1
        done, number = 0, 0
        while done < count:
            line = first + done
            lines = min(group, count - done)
            if kh > 1:
                lines = min(lines, lines_of_picture - line % lines_of_picture)
            place = rounded_at + number * place_bytes
            if rounded_at == 0:
                place = sums + SUM_BYTES
                round_group(place, joins, source, sh, sw, sc, th, tw, kh, kw, stride_h, stride_w, dilation_h,
                            dilation_w, top, left, line, lines, group)
            planes = planes_at(joins, place, columns, kw, stride_w, sc)
            pixels, goal = (lines - 1) * pitch + columns, target + done * columns * tc * SIZE
            for first_of_some in range(first_panel, first_panel + panels, some):
                for pixel in range(0, pixels, WIDTH):
                    fill_table(scratch, planes, pixel, plane_bytes, pitch, beside, kh, taps, stride_h, stride,
                               dilation_h, dilation, steps * STEP_BYTES)
                    for panel in range(first_of_some, first_of_some + some):
                        multiply_block(scratch, sums, kh * taps, steps, bytes_, pixel, pixels, pitch, columns,
                                       packed + panel * panel_size, goal + panel * WIDTH * SIZE, tc * SIZE,
                                       tc - panel * WIDTH)
            done += lines
            number += 1
        end_tiles()
    return Rounded(pack, round_group, convolve)
