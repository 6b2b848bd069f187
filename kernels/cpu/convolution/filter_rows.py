"""Rows of the gradient for a filter, which are its taps' channels, and which pixels they meet."""
from __future__ import annotations

from ..memory import ceil_div, helper


@helper
def joins(h, w, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left):
    """Whether each pixel of dy meets the pixel of x of its place, and no other: they may as well be pictures."""
    return kh * kw == 1 and stride_h * stride_w == 1 and pad_top + pad_left == 0 and oh == h and ow == w


@helper
def inside(tap_offset, stride, limit, count):
    """The first output position and the one after the last whose input position is inside [0, limit)."""
    first = ceil_div(-tap_offset, stride) if tap_offset < 0 else 0
    last = (limit - 1 - tap_offset) // stride + 1 if limit > tap_offset else 0
    return min(first, count), max(min(last, count), min(first, count))


@helper
def next_row(u, v, channel, c, kw):
    """The tap and the channel of the next row of the result, without a division."""
    channel += 1
    if channel == c:
        channel = 0
        v += 1
        if v == kw:
            v = 0
            u += 1
    return u, v, channel
