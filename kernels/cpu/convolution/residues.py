"""The gradient of a convolution for its input as convolutions of dy on padded lines (lines.py), one for each remainder.

Job: a pixel i of dx meets the taps u with (i + pad) = t * stride + u * dilation, t a line of dy. All pixels of one
remainder of i + pad by the stride meet the same taps, at neighbouring t: so they are a convolution of dy without
stride, by those taps from the last to the first. Without a stride there is one remainder, and the filter is turned.
Invariants: every tap belongs to one remainder, so packed panels hold the filter once, remainder by remainder; pixels
that meet no tap become zero.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, ceil_div, compact, helper
from ..products.micro import Shapes
from ..products.panels import packing
from .lines import buffer_bytes, group_lines, line_elements, make_lines

MOST_STRIDE = 4                        # with more, most taps of a pixel are missed and lines are short
_ONE_PICTURE = 1 << 40                 # lines of a picture where a group has lines of one picture only


@helper
def common_divisor(a, b):
    while b > 0:
        a, b = b, a % b
    return a


@helper
def taps_of(remainder, stride, dilation, taps):
    """(first tap, how many, step from one to the next) of the pixels of a remainder."""
    step = stride // common_divisor(stride, dilation)
    for u in range(min(step, taps)):
        if u * dilation % stride == remainder:
            return u, ceil_div(taps - u, step), step
    return 0, 0, step


@helper
def pixels_of(remainder, stride, pad, size):
    """(first pixel, how many) of a remainder."""
    first = (remainder - pad) % stride
    return first, max(ceil_div(size - first, stride), 0)


@helper
def meeting_taps(position, stride, dilation, taps, outputs):
    """The taps u for which an output t has t * stride + u * dilation = position: (first u, its t, how many, steps of u
    and of t). t falls from one to the next."""
    common = common_divisor(stride, dilation)
    step, fall = stride // common, dilation // common
    u = 0
    while u < min(taps, step) and (position - u * dilation) % stride != 0:
        u += 1
    if u >= min(taps, step):
        return 0, 0, 0, step, fall
    t = (position - u * dilation) // stride
    if t >= outputs:
        skipped = (t - outputs + fall) // fall
        u, t = u + skipped * step, t - skipped * fall
    if u >= taps or t < 0:
        return 0, 0, 0, step, fall
    return u, t, min((taps - 1 - u) // step, t // fall) + 1, step, fall


@helper
def residue_group(h, w, oc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, lines, size):
    """(lines of a group, bytes of its scratch) for every remainder; no lines if this is none for padded lines."""
    if max(stride_h, stride_w) > MOST_STRIDE:
        return 0, 0
    common_h, common_w = common_divisor(stride_h, dilation_h), common_divisor(stride_w, dilation_w)
    taps_h, taps_w = ceil_div(kh, stride_h // common_h), ceil_div(kw, stride_w // common_w)
    fall_h, fall_w = dilation_h // common_h, dilation_w // common_w
    picture = h if stride_h * stride_w == 1 else _ONE_PICTURE
    line_bytes = line_elements(ceil_div(w, stride_w), taps_w, 1, fall_w, oc) * size
    group = group_lines(lines, picture, taps_h, 1, fall_h, line_bytes)
    return group, buffer_bytes(group, picture, taps_h, 1, fall_h, line_bytes)


@dataclass(frozen=True)
class Residues:
    """pack(target, f, c, oc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, first, last): panels of the filter.
    convolve(dy, packed, dx, h, w, c, oc, oh, ow, kh, kw, ..., first_line, lines, group, first_panel, panels, scratch):
    lines of dx, numbered through all pictures."""

    pack: Any
    convolve: Any


@cache
def make_residues(dtype: str, shapes: Shapes, wide: bool) -> Residues:
    size, shape = ITEM_SIZES[dtype], shapes.main if wide else shapes.narrow
    width, pack_transposed, convolve_lines = shape.width, packing(dtype, shape).pack_transposed, make_lines(
        dtype, shapes, wide).convolve

    @helper
    def pack_panel(target, f, c, oc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, columns):
        """One panel; f is where its first channel lies in the first tap."""
        for remainder in range(stride_h * stride_w):
            u, rows, step_h = taps_of(remainder // stride_w, stride_h, dilation_h, kh)
            v, across, step_w = taps_of(remainder % stride_w, stride_w, dilation_w, kw)
            for number in range(rows * across):
                row = u + (rows - 1 - number // across) * step_h
                column = v + (across - 1 - number % across) * step_w
                pack_transposed(target, f + (row * kw + column) * c * oc * size, oc * size, oc, columns)
                target += oc * width * size

    @helper
    def pack(target, f, c, oc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, first, last):
        compact()
        for panel in range(first, last):
            pack_panel(target + panel * kh * kw * oc * width * size, f + panel * width * oc * size, c, oc, kh, kw,
                       stride_h, stride_w, dilation_h, dilation_w, c - panel * width)

    @helper
    def convolve_picture(dy, packed, dx, picture, first, last, h, w, c, oc, oh, ow, kh, kw, stride_h, stride_w,
                         dilation_h, dilation_w, pad_top, pad_left, group, first_panel, panels, scratch):
        """Lines first to last of one picture."""
        fall_h = dilation_h // common_divisor(stride_h, dilation_h)
        fall_w = dilation_w // common_divisor(stride_w, dilation_w)
        done = 0
        for remainder in range(stride_h * stride_w):
            u, rows, _ = taps_of(remainder // stride_w, stride_h, dilation_h, kh)
            v, across, _ = taps_of(remainder % stride_w, stride_w, dilation_w, kw)
            i, lines = pixels_of(remainder // stride_w, stride_h, pad_top, h)
            j, columns = pixels_of(remainder % stride_w, stride_w, pad_left, w)
            begin, end = max(ceil_div(first - i, stride_h), 0), min(ceil_div(last - i, stride_h), lines)
            if begin < end and columns > 0:
                top = (i + pad_top - u * dilation_h) // stride_h - (rows - 1) * fall_h
                left = (j + pad_left - v * dilation_w) // stride_w - (across - 1) * fall_w
                convolve_lines(dy, packed + done * oc * width * size, kh * kw * oc * width * size,
                               dx + ((picture * h + i + begin * stride_h) * w + j) * c * size,
                               stride_h * w * c * size, oh, ow, oc, lines, columns, c, stride_w, rows, across, 1, 1,
                               fall_h, fall_w, top, left, picture * lines + begin, end - begin, group, first_panel,
                               panels, scratch)
            done += rows * across

    @helper
    def convolve(dy, packed, dx, h, w, c, oc, oh, ow, kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                 pad_left, first_line, lines, group, first_panel, panels, scratch):
        compact()
        if stride_h * stride_w == 1:
            convolve_lines(dy, packed, kh * kw * oc * width * size, dx + first_line * w * c * size, w * c * size, oh,
                           ow, oc, h, w, c, 1, kh, kw, 1, 1, dilation_h, dilation_w, pad_top - (kh - 1) * dilation_h,
                           pad_left - (kw - 1) * dilation_w, first_line, lines, group, first_panel, panels, scratch)
            return
        line, end = first_line, first_line + lines
        while line < end:
            picture, row = line // h, line % h
            count = min(end - line, h - row)
            convolve_picture(dy, packed, dx, picture, row, row + count, h, w, c, oc, oh, ow, kh, kw, stride_h,
                             stride_w, dilation_h, dilation_w, pad_top, pad_left, group, first_panel, panels, scratch)
            line += count
    return Residues(pack, convolve)
