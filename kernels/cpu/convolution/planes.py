"""A convolution whose result has few channels: the lanes of a vector are pixels of a line, not channels.

Job: target[pixel, o] = sum over taps and channels of source[pixel moved by the tap, channel] w[o, tap, channel].
The lines of the source that a group of lines needs are padded (lines.py) and turned, so that each channel's pixels of
a line lie side by side: a plane. For the micro-kernel the rows of A are then the filters, one an output channel, and a
row of B is a plane from some pixel on; a segment is one row of the filter in one channel, or one tap in all channels,
whichever is longer, and the table is the same for every line. The sums of a line come out as planes and are turned
back. With a channel in each of 16 lanes, as in lines.py, 13 of them would be idle for a result of 3 channels.
Invariants: strides along lines are 1; at most MOST_CHANNELS and one vector of channels come out; turning writes whole
vectors, in scratch or where what lies after is written later.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, ceil_div, copy_bytes, helper, int64_at, part, pointer_to, round_up
from ..products.micro import TABLE_WORDS, Shapes, micro_kernel
from ..products.panels import transpose_square
from .lines import LINE_WORDS, buffer_lines, line_elements, make_padding, words_bytes

MOST_CHANNELS = 8
MOST_TAPS = 512                        # of a filter: the table has a segment for each at most
_SEGMENT_BYTES = TABLE_WORDS * 8
_WIDEST = 64                           # elements that a vector, or a panel, may reach after the last one


@dataclass(frozen=True)
class Planes:
    """pack(target, f, kh, kw, sc, tc, tap_step, channel_step, result_step, turned): the filters, each [kh, sc, kw],
    or [kh, kw, sc] if there are more channels; steps in elements of f; `turned`: taps from the last to the first.
    convolve(source, packed, target, sh, sw, sc, th, tw, tc, kh, kw, stride_h, dilation_h, dilation_w, top, left, first,
    count, group, scratch): lines first to first + count of the target, numbered through all pictures.
    scratch_bytes(group, sc, th, tw, tc, kh, kw, stride_h, dilation_h, dilation_w) says how much scratch that needs."""

    pack: Any
    convolve: Any
    scratch_bytes: Any
    most_channels: int


@cache
def make_planes(dtype: str, shapes: Shapes) -> Planes:
    size, at, pad = ITEM_SIZES[dtype], pointer_to(dtype), make_padding(dtype)
    width, lanes = shapes.main.width, shapes.main.lanes
    micro, micro_narrow = micro_kernel(dtype, shapes.main), micro_kernel(dtype, shapes.narrow)
    turn_square = transpose_square(dtype, lanes)
    most_channels = min(MOST_CHANNELS, lanes, shapes.main.rows)
    slack = (_WIDEST + lanes) * size

    @part("pack_planes")
    def pack(target, f, kh, kw, sc, tc, tap_step, channel_step, result_step, turned):
        goal, values = at(target), at(f)
        tap_goal, channel_goal = (sc, 1) if sc > kw else (1, kw)
        for o in range(tc):
            for tap in range(kh * kw):
                source = (kh * kw - 1 - tap if turned else tap) * tap_step + o * result_step
                place = (o * kh + tap // kw) * kw * sc + tap % kw * tap_goal
                for channel in range(sc):
                    goal[place + channel * channel_goal] = values[source + channel * channel_step]

    @helper
    def lines_bytes(group, sc, th, tw, kh, kw, stride_h, dilation_h, dilation_w):
        """Of a group's source lines, once, with room to write and read after them."""
        elements = line_elements(tw, kw, 1, dilation_w, sc)
        lines = buffer_lines(group, th, kh, stride_h, dilation_h)
        return round_up((lines * elements + (lanes - 1) * (elements // sc) + lanes * sc) * size + slack, 64)

    @helper
    def scratch_bytes(group, sc, th, tw, tc, kh, kw, stride_h, dilation_h, dilation_w):
        lines = lines_bytes(group, sc, th, tw, kh, kw, stride_h, dilation_h, dilation_w)
        result = round_up((most_channels + lanes) * round_up(tw, lanes) * size, 64)
        return (kh * kw * _SEGMENT_BYTES + result + round_up(lanes * lanes * size, 64) + words_bytes(group)
                + (lines if sc == 1 else 2 * lines))

    @helper
    def to_planes(target, source, lines, pixels, channels):
        """Each line, [pixels, channels], as [channels, pixels]. Whole squares are written, and what they write too
        much, after a row or below, is written over by a later one."""
        for _ in range(lines):
            for first in range(0, channels, lanes):
                for block in range(ceil_div(pixels, lanes) - 1, -1, -1):
                    turn_square(target + (first * pixels + block * lanes) * size, pixels * size,
                                source + (block * lanes * channels + first) * size, channels * size)
            target += pixels * channels * size
            source += pixels * channels * size

    @helper
    def from_planes(target, planes, step, pixels, channels, square):
        """[channels, pixels], `step` bytes from one to the next, as [pixels, channels]. The last vector, which reaches
        after the line, goes by the buffer `square`."""
        for pixel in range(0, pixels, lanes):
            goal = target + pixel * channels * size
            if (pixel + lanes - 1) * channels + lanes <= pixels * channels:
                turn_square(goal, channels * size, planes + pixel * size, step)
                continue
            turn_square(square, lanes * size, planes + pixel * size, step)
            for i in range(min(lanes, pixels - pixel)):
                copy_bytes(goal + i * channels * size, square + i * lanes * size, channels * size)

    @helper
    def line_products(planes, result, step, tw, tc, segments, length, b_step, table):
        """One line of the target, as planes."""
        column = 0
        while column < tw:
            left = tw - column
            goal, right = result + column * size, planes + column * size
            if left <= lanes:
                micro_narrow(tc, segments, length, 0, size, right, b_step, table, goal, step, False, left)
                return
            micro(tc, segments, length, 0, size, right, b_step, table, goal, step, False, left)
            column += width

    @helper
    def fill(table, packed, tc, kh, across, length, line_bytes, across_bytes):
        """The segments, `across` in a row of the filter."""
        for number in range(kh * across):
            words = number * TABLE_WORDS
            table[words] = number // across * line_bytes + number % across * across_bytes
            for o in range(tc):
                table[words + 1 + o] = packed + (o * kh * across + number) * length * size

    @part("planes")
    def convolve(source, packed, target, sh, sw, sc, th, tw, tc, kh, kw, stride_h, dilation_h, dilation_w, top, left,
                 first, count, group, scratch):
        pixels = line_elements(tw, kw, 1, dilation_w, 1)
        plane_bytes, tap_bytes, line_bytes = pixels * size, dilation_w * size, dilation_h * pixels * sc * size
        step = round_up(tw, lanes) * size
        result = scratch + kh * kw * _SEGMENT_BYTES
        square = result + round_up((most_channels + lanes) * step, 64)
        addresses = square + round_up(lanes * lanes * size, 64)
        words = int64_at(addresses)
        across, length, across_bytes, b_step = ((kw, sc, tap_bytes, plane_bytes) if sc > kw else
                                                (sc, kw, plane_bytes, tap_bytes))
        fill(int64_at(scratch), packed, tc, kh, across, length, line_bytes, across_bytes)
        for done in range(0, count, group):
            lines = min(group, count - done)
            end = pad(addresses, source, sh, sw, sc, th, first + done, lines, tw, kh, kw, stride_h, 1, dilation_h,
                      dilation_w, top, left)
            shift, begin = 0, words[0]
            if sc > 1:
                shift = lines_bytes(group, sc, th, tw, kh, kw, stride_h, dilation_h, dilation_w)
                to_planes(begin + shift, begin, (end - begin) // (pixels * sc * size), pixels, sc)
            for line in range(lines):
                goal = target + (done + line) * tw * tc * size
                at = line * LINE_WORDS
                low, high = words[at + 1], words[at + 2]
                line_products(words[at] + shift, goal if tc == 1 else result, step, tw, tc, (high - low) * across,
                              length, b_step, scratch + low * across * _SEGMENT_BYTES)
                if tc > 1:
                    from_planes(goal, result, step, tw, tc, square)
    return Planes(pack, convolve, scratch_bytes, most_channels)
