"""Depthwise convolutions without strides along lines, whose neighbouring pixels share what they load.

Job: several pixels of a line at once: each position of x under them is loaded once and multiplied by all taps of a row
of the filter that it meets, where channel_sums.py loads it for every tap. One function for each number of taps in a
row; positions outside of the picture are read from zeros, so pixels at the edges go with the others.
Invariants: nothing but inside pixels and the zeros is read; a masked shape touches `channels` elements of a vector;
every element gets its products in the order of lines and taps. An infinite weight times what lies outside
is NaN: depthwise.py computes such lines again.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, helper
from .channel_sums import BYTES, I64, Emitter, SumShape, incoming, lanes_of, machine_code

TAPS = (3, 5, 7)                       # in a row of the filter; others go by channel_windows.py
FEW, MANY = 4, 8                       # pixels at once


@cache
def row_sums(dtype: str, shape: SumShape, taps: int) -> Any:
    """The numba function (x, x_line, x_step, first, last, zeros, f, f_line, f_tap, lines, y, y_step, channels): the
    products of shape.count pixels. Tap v of pixel j is at position j + v, `x_step` apart, of which first to last are
    inside; zeros: the address of a vector of them; lines >= 0."""
    return machine_code(dtype, f"gc_rows_{dtype}_{shape.name}_{taps}", 13,
                        lambda e: _rows(e, taps, *e.function.args), shape)


def _rows(e: Emitter, taps, x, x_line, x_step, first, last, zeros, f, f_line, f_tap, lines, y, y_step, channels):
    b, count = e.begin(channels), e.shape.count
    entry = b.block
    line_block, done = e.blocks("line", "done")
    first_x, first_f, goal, outside = (b.inttoptr(a, BYTES) for a in (x, f, y, zeros))
    start = e.constants(0.0)
    b.cbranch(b.icmp_signed(">", lines, I64(0)), line_block, done)

    b.position_at_end(line_block)
    left, x_row, f_row, begun = b.phi(I64), b.phi(BYTES), b.phi(BYTES), e.phis(b)
    weights = [e.load(b, b.gep(f_row, [b.mul(f_tap, I64(v))]), 0) for v in range(taps)]
    sums = list(begun)
    for position in range(count + taps - 1):
        inside = b.and_(b.icmp_signed("<=", first, I64(position)), b.icmp_signed(">", last, I64(position)))
        where = b.select(inside, b.gep(x_row, [b.mul(x_step, I64(position))]), outside)
        value = e.load(b, where, 0)
        for pixel in range(max(position - taps + 1, 0), min(position + 1, count)):
            sums[pixel] = e.multiply_add(b, value, weights[position - pixel], sums[pixel])
    following = b.sub(left, I64(1))
    incoming([left, x_row, f_row, *begun], [lines, first_x, first_f, *start], entry)
    incoming([left, x_row, f_row, *begun], [following, b.gep(x_row, [x_line]), b.gep(f_row, [f_line]), *sums],
             line_block)
    b.cbranch(b.icmp_signed("!=", following, I64(0)), line_block, done)

    b.position_at_end(done)
    results = e.phis(b)
    incoming(results, start, entry)
    incoming(results, sums, line_block)
    for j, result in enumerate(results):
        e.store(b, result, b.gep(goal, [b.mul(y_step, I64(j))]), 0)
    b.ret_void()


def make_row_line(dtype: str, isa: str, taps: int) -> Any:
    """The function (x, x_line, start, w, zeros, f, f_line, f_tap, lines, y, pixels, c): FEW or more pixels of a line,
    whose tap v of pixel j lies at column start + j + v of lines of w; x is where the first of these lines begins."""
    size, (lanes, _) = ITEM_SIZES[dtype], lanes_of(isa, dtype)
    many, few, many_part, few_part = (row_sums(dtype, SumShape(count, 1, lanes, masked), taps)
                                      for masked in (False, True) for count in (MANY, FEW))

    @helper
    def line(x, x_line, start, w, zeros, f, f_line, f_tap, lines, y, pixels, c):
        item, done = c * size, 0
        while done < pixels:
            count = MANY if pixels >= MANY and pixels - done > FEW else FEW
            pixel = min(done, pixels - count)      # the last ones reach back over those before
            column = start + pixel
            first, last = max(-column, 0), w - column
            source, target = x + column * item, y + pixel * item
            for k in range(0, c, lanes):
                at, left = k * size, c - k
                if left < lanes and count == MANY:
                    many_part((source + at, x_line, item, first, last, zeros, f + at, f_line, f_tap, lines, target + at,
                               item, left))
                elif left < lanes:
                    few_part((source + at, x_line, item, first, last, zeros, f + at, f_line, f_tap, lines, target + at,
                              item, left))
                elif count == MANY:
                    many((source + at, x_line, item, first, last, zeros, f + at, f_line, f_tap, lines, target + at,
                          item, 0))
                else:
                    few((source + at, x_line, item, first, last, zeros, f + at, f_line, f_tap, lines, target + at, item,
                         0))
            done += count
    return line


def make_row_lines(dtype: str, isa: str) -> Any:
    """The function (kw, ...) of make_row_line for the numbers of taps in TAPS."""
    three, five, seven = (make_row_line(dtype, isa, taps) for taps in TAPS)

    @helper
    def line(kw, x, x_line, start, w, zeros, f, f_line, f_tap, lines, y, pixels, c):
        if kw == 3:
            three(x, x_line, start, w, zeros, f, f_line, f_tap, lines, y, pixels, c)
        elif kw == 5:
            five(x, x_line, start, w, zeros, f, f_line, f_tap, lines, y, pixels, c)
        else:
            seven(x, x_line, start, w, zeros, f, f_line, f_tap, lines, y, pixels, c)
    return line
