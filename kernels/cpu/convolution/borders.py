"""What lies outside of a picture takes no part in a convolution, not even where a weight is infinite.

Job: the ways of conv2d and of its gradient for the input multiply zeros where taps are outside, and 0 times an infinite
weight is NaN. `mend` looks for NaNs among the pixels of a tile some tap of which may be outside, and computes those
again, tap by tap. It looks only where the filter has something infinite or NaN, if the filter is small; a filter with
more elements for a result than the tile has pixels is not read again: there the results are looked at. `mend_filter`
does so for the gradient for the filter, where zeros outside are multiplied by what is infinite in dy.
Invariants: nothing changes but NaNs; pixels are checked against the picture before they are read.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, ceil_div, compact, helper, part, pointer_to
from ..vector import vectors
from .taps import make_locate


@cache
def make_mend(dtype: str, backward: bool) -> Any:
    """The function (source, f, part, part_elements, panel, width, row_tap, tap, channel, target, sh, sw, sc, th, tw,
    tc, kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, pixel, pixels, first, last): channels
    first to last of some pixels of the target, numbered through all pictures. The weights of target channel t begin at
    t // width * panel + t % width elements of f; row_tap, tap, channel: elements from one row of taps, tap and channel
    of the source to the next. part: where those of the filter are that the channels need, so many elements."""
    size, at, row_sum, locate = ITEM_SIZES[dtype], pointer_to(dtype), vectors(dtype).row_sum, make_locate(backward)

    @helper
    def is_edge(place, taps, stride, dilation, pad, limit, mixed):
        """Whether taps of a row, or column, may be outside. mixed: of neighbours that meet other taps, all are."""
        if backward:
            return mixed or place + pad < (taps - 1) * dilation or place + pad >= limit * stride
        start = place * stride - pad
        return start < 0 or start + (taps - 1) * dilation >= limit

    @helper
    def exact(source, weights, row, column, sh, sw, sc, kh, kw, row_tap, tap, channel, stride_h, stride_w, dilation_h,
              dilation_w, pad_top, pad_left):
        """A result from the pixels that are inside. Once it is NaN, it stays so."""
        total = 0.0
        for u in range(kh):
            i = locate(row, u, stride_h, dilation_h, pad_top, sh)
            for v in range(kw if i >= 0 else 0):
                j = locate(column, v, stride_w, dilation_w, pad_left, sw)
                if j >= 0 and total == total:
                    x, f = at(source + (i * sw + j) * sc * size), at(weights + (u * row_tap + v * tap) * size)
                    for k in range(sc):
                        total += x[k] * f[k * channel]
        return total

    @helper
    def mend_pixel(source, f, panel, width, row_tap, tap, channel, values, row, column, sh, sw, sc, kh, kw, stride_h,
                   stride_w, dilation_h, dilation_w, pad_top, pad_left, first, last):
        compact()
        pixel = at(values)
        for t in range(first, last):
            if pixel[t] != pixel[t]:
                pixel[t] = exact(source, f + (t // width * panel + t % width) * size, row, column, sh, sw, sc, kh, kw,
                                 row_tap, tap, channel, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left)

    @part("mend")
    def mend(source, f, part, part_elements, panel, width, row_tap, tap, channel, target, sh, sw, sc, th, tw, tc, kh,
             kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, pixel, pixels, first, last):
        compact()
        if pixels >= kh * kw * sc:
            total = row_sum(at(part), part_elements)
            if total - total == 0:
                return
        mixed = backward and stride_h > 1 and stride_w == 1
        for line in range(pixel // tw, ceil_div(pixel + pixels, tw)):
            row, picture = line % th, source + line // th * sh * sw * sc * size
            whole = is_edge(row, kh, stride_h, dilation_h, pad_top, sh, mixed)
            for column in range(max(pixel - line * tw, 0), min(pixel + pixels - line * tw, tw)):
                if whole or is_edge(column, kw, stride_w, dilation_w, pad_left, sw, False):
                    values = target + (line * tw + column) * tc * size
                    total = row_sum(at(values + first * size), last - first)
                    if total != total:
                        mend_pixel(picture, f, panel, width, row_tap, tap, channel, values, row, column, sh, sw, sc,
                                   kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, first, last)
    return mend


@helper
def meets_outside(taps, stride, dilation, pad, pixels, size):
    """Whether some pixel of a result meets a tap, along one axis, outside of a picture of this size."""
    return pad > 0 or (pixels - 1) * stride + (taps - 1) * dilation - pad >= size


@cache
def make_mend_filter(dtype: str) -> Any:
    """The function (x, dy, result, h, w, c, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
    pad_left, first_line, lines, first_row, last_row, columns): some rows of the result, each a channel of a tap, and
    their first columns, summed over some lines of dy."""
    size, at, row_sum, locate = ITEM_SIZES[dtype], pointer_to(dtype), vectors(dtype).row_sum, make_locate(False)

    @helper
    def exact(x, dy, h, w, c, oc, oh, ow, u, v, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
              first_line, lines):
        total = 0.0
        for line in range(first_line, first_line + lines):
            i = locate(line % oh, u, stride_h, dilation_h, pad_top, h)
            for column in range(ow if i >= 0 and total == total else 0):
                j = locate(column, v, stride_w, dilation_w, pad_left, w)
                if j >= 0:
                    total += (at(x + ((line // oh * h + i) * w + j) * c * size)[0]
                              * at(dy + (line * ow + column) * oc * size)[0])
        return total

    @part("mend_filter")
    def mend_filter(x, dy, result, h, w, c, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
                    pad_left, first_line, lines, first_row, last_row, columns):
        compact()
        for row in range(first_row, last_row):
            values = at(result + row * oc * size)
            total = row_sum(values, columns)
            if total - total == 0:
                continue
            tap, k = row // c, row % c
            for o in range(columns):
                if values[o] != values[o]:
                    values[o] = exact(x + k * size, dy + o * size, h, w, c, oc, oh, ow, tap // kw, tap % kw, stride_h,
                                      stride_w, dilation_h, dilation_w, pad_top, pad_left, first_line, lines)
    return mend_filter
