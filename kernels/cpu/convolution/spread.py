"""The gradient of a convolution for its input as products and sums: pixels of dy times a row of the filter's taps, then
every product is added to the pixel of dx that it belongs to.

Job: for each row u of the filter, products[pixel of dy, (v, c)] = dy[pixel, :] w[u, v, c, :], in a buffer of a worker;
its lines (v, c) go to dx from column x * stride_w - pad_left on. No product is computed twice and none is in vain,
however few channels dx has and however few columns dy has; taps.py multiplies whole register tiles for those. Where
each pixel of dx meets one tap (2 x 2 filters with strides of 2), the products of a line of dy are a line of dx, and
written there at once.
Invariants: a tile owns its lines of dx; an element gets its sums row by row of the filter, in the order of dy's
columns; what lies outside of dx is not touched.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, ceil_div, helper, part, pointer_to, zero_bytes
from ..products.blocks import blocks
from ..products.micro import Shape
from ..products.panels import packing

LINE_PIXELS = 16                       # of dy, at least, where its lines are multiplied one by one


@dataclass(frozen=True)
class Spread:
    """pack(target, f, c, oc, kw, first, last): panels `first` to `last` of all rows of the filter.
    spread(dy, packed, dx, sizes..., attributes..., first_line, lines, rows, scratch): lines of dx; the buffer for
    `rows` pixels of dy stands after scratch_bytes of scratch."""

    pack: Any
    spread: Any
    scratch_bytes: int


@helper
def side_by_side(w, kh, kw, ow, stride_h, stride_w, dilation_h, dilation_w, pad_left):
    """Whether the taps of a line's pixels fill a line of dx, each element once. Short lines would be low tiles."""
    return (kh <= stride_h and kw == stride_w and dilation_h * dilation_w == 1 and pad_left == 0 and ow * kw == w
            and ow >= LINE_PIXELS)


@cache
def make_spread(dtype: str, shape: Shape) -> Spread:
    size, width = ITEM_SIZES[dtype], shape.width
    kit, pack_transposed, at = blocks(dtype, shape), packing(dtype, shape).pack_transposed, pointer_to(dtype)
    multiply, kit_scratch = kit.multiply, kit.scratch_bytes

    @helper
    def pack(target, f, c, oc, kw, first, last):
        across = ceil_div(kw * c, width)
        for panel in range(first, last):
            row, column = panel // across, panel % across * width
            pack_transposed(target + panel * oc * width * size, f + (row * kw * c + column) * oc * size, oc * size, oc,
                            kw * c - column)

    @helper
    def add(products, line, column, w, c, kw, dilation_w):
        """The products of one pixel of dy to a line of dx, from `column` on, which may lie outside."""
        if dilation_w == 1:
            first, last = max(-column, 0), min(w - column, kw)
            source, target = at(products + first * c * size), at(line + (column + first) * c * size)
            for i in range((last - first) * c):
                target[i] += source[i]
            return
        for v in range(kw):
            place = column + v * dilation_w
            if 0 <= place < w:
                source, target = at(products + v * c * size), at(line + place * c * size)
                for i in range(c):
                    target[i] += source[i]

    @helper
    def spread_row(dy, packed, lines, buffer, scratch, first, count, rows, top, w, c, kw, oc, ow, stride_h, stride_w,
                   dilation_w, pad_left):
        """`count` lines of dy from `first` on; line y goes to line y * stride_h + top of `lines`."""
        done, pixels, row_bytes, y, x = 0, count * ow, kw * c * size, first, 0
        while done < pixels:
            some = min(pixels - done, rows)
            multiply(dy + (first * ow + done) * oc * size, oc * size, size, some, oc, packed, oc * width * size,
                     width * size, kw * c, buffer, row_bytes, scratch)
            for i in range(some):
                add(buffer + i * row_bytes, lines + (y * stride_h + top) * w * c * size, x * stride_w - pad_left, w, c,
                    kw, dilation_w)
                x += 1
                if x == ow:
                    y, x = y + 1, 0
            done += some

    @helper
    def write_row(dy, packed, lines, scratch, first, count, top, w, c, oc, ow, stride_h):
        """As spread_row, where the products of a line of dy are a line of dx, to which nothing is added."""
        for y in range(first, first + count):
            multiply(dy + y * ow * oc * size, oc * size, size, ow, oc, packed, oc * width * size, width * size,
                     w // ow * c, lines + (y * stride_h + top) * w * c * size, w // ow * c * size, scratch)

    @part("spread", shape)
    def spread(dy, packed, dx, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
               pad_left, first_line, lines, rows, scratch):
        written = side_by_side(w, kh, kw, ow, stride_h, stride_w, dilation_h, dilation_w, pad_left)
        if not (written and kh == stride_h and pad_top == 0 and oh * kh == h):
            zero_bytes(dx + first_line * w * c * size, lines * w * c * size)
        row_bytes = ceil_div(kw * c, width) * oc * width * size
        line, end = first_line, first_line + lines
        while line < end:
            picture, top = line // h, line % h
            count = min(end - line, h - top)
            for u in range(kh):
                # Line y of dy goes to line y * stride_h + shift of dx.
                shift = u * dilation_h - pad_top
                first = ceil_div(max(top - shift, 0), stride_h)
                last = min(ceil_div(max(top + count - shift, 0), stride_h), oh)
                if first < last and written:
                    write_row(dy + picture * oh * ow * oc * size, packed + u * row_bytes,
                              dx + picture * h * w * c * size, scratch, first, last - first, shift, w, c, oc, ow,
                              stride_h)
                elif first < last:
                    spread_row(dy + picture * oh * ow * oc * size, packed + u * row_bytes,
                               dx + picture * h * w * c * size, scratch + kit_scratch, scratch, first, last - first,
                               rows, shift, w, c, kw, oc, ow, stride_h, stride_w, dilation_w, pad_left)
            line += count
    return Spread(pack, spread, kit_scratch)
