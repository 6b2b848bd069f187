"""Depthwise convolutions along lines, whose neighbouring pixels share what they load.

Job: several pixels of a line at once: each position of x under them is loaded once and multiplied by all taps of a row
of the filter that it meets, where channel_sums.py loads it for every tap. One function for each number of taps in a
row, stride and number of pixels goes through the vectors of channels; a position outside of the picture is passed over,
by a bit that is the same for all lines and channels, so pixels at the edges go with the others.
Invariants: nothing but inside pixels is read or multiplied; a masked shape touches `channels` elements of a vector;
every element gets its products in the order of lines and taps. Whole vectors have no masks: masked stores to what no
cache holds take two to three times as long.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import ir

from ..memory import ITEM_SIZES, helper
from ..pooling.channel_sums import BYTES, I64, Emitter, SumShape, incoming, lanes_of, machine_code

WAYS = ((3, 1), (5, 1), (7, 1), (3, 2), (5, 2))    # taps in a row of the filter, stride; others: channel_windows.py
FEW, MANY = 4, 8                       # pixels at once
CACHED_BYTES = 24 * 1024               # of the lines of x that a line of y needs
NEAR = 4                               # positions that one address serves
MOSTLY = 1000                          # times as often a position is inside: LLVM puts what is passed over elsewhere


def positions_of(count: int, taps: int, stride: int) -> int:
    """Positions of a line under `count` pixels."""
    return (count - 1) * stride + taps


@cache
def row_sums(dtype: str, shape: SumShape, taps: int, stride: int) -> Any:
    """The numba function (x, x_line, x_step, inside, f, f_line, f_tap, lines, y, y_step, channels): the products of
    shape.count pixels. Tap v of pixel j is at position j * stride + v, `x_step` apart, which lies in the picture if
    that bit of `inside` is set; lines >= 0; channels >= 1, whole vectors unless the shape is masked."""
    return machine_code(dtype, f"gc_rows_{dtype}_{shape.name}_{taps}_{stride}", 11,
                        lambda e: _rows(e, taps, stride, *e.function.args), shape)


def unknown(b, value):
    """The same value, of which LLVM knows nothing: it would make a pointer of each position and a flag of each bit, and
    keep them all in memory, where an address and a test are free."""
    return b.asm(ir.FunctionType(value.type, [value.type]), "", "=r,0", [value], side_effect=False)


def _rows(e: Emitter, taps, stride, x, x_line, x_step, inside, f, f_line, f_tap, lines, y, y_step, channels):
    b, count = e.begin(channels), e.shape.count
    step = I64(e.shape.lanes * e.size)
    entry = b.block
    vector_block, line_block, line_end, done, end = e.blocks("vector", "line", "line_end", "done", "end")
    first = [b.inttoptr(a, BYTES) for a in (x, f, y)]
    b.branch(vector_block)

    b.position_at_end(vector_block)
    remaining, *starts = b.phi(I64), *(b.phi(BYTES) for _ in first)
    first_x, first_f, goal = starts
    incoming([remaining, *starts], [channels, *first], entry)
    start = e.constants(0.0)
    b.cbranch(b.icmp_signed(">", lines, I64(0)), line_block, done)

    b.position_at_end(line_block)
    left, x_row, f_row, begun = b.phi(I64), b.phi(BYTES), b.phi(BYTES), e.phis(b)
    incoming([left, x_row, f_row, *begun], [lines, first_x, first_f, *start], vector_block)
    f_at, x_at, bits, sums = unknown(b, f_row), x_row, inside, list(begun)
    weights = [e.load(b, b.gep(f_at, [b.mul(f_tap, I64(v))]), 0) for v in range(taps)]
    for position in range(positions_of(count, taps, stride)):
        met = [j for j in range(count) if 0 <= position - j * stride < taps]
        before, bits = b.block, unknown(b, bits)
        if position % NEAR == 0:
            x_at = unknown(b, b.gep(x_at, [b.mul(x_step, I64(NEAR))]) if position else x_at)
        meets, after = e.blocks("meets", "after")
        lies_inside = b.icmp_signed("!=", b.and_(bits, I64(1 << position)), I64(0))
        b.cbranch(lies_inside, meets, after).set_weights([MOSTLY, 1])
        b.position_at_end(meets)
        value = e.load(b, b.gep(x_at, [b.mul(x_step, I64(position % NEAR))]), 0)
        more = [e.multiply_add(b, value, weights[position - j * stride], sums[j]) for j in met]
        b.branch(after)
        b.position_at_end(after)
        for j, one in zip(met, more, strict=True):
            either = b.phi(e.vector)
            incoming([either], [sums[j]], before)
            incoming([either], [one], meets)
            sums[j] = either
    b.branch(line_end)

    b.position_at_end(line_end)
    following = b.sub(left, I64(1))
    incoming([left, x_row, f_row, *begun], [following, b.gep(x_row, [x_line]), b.gep(f_row, [f_line]), *sums], line_end)
    b.cbranch(b.icmp_signed("!=", following, I64(0)), line_block, done)

    b.position_at_end(done)
    results = e.phis(b)
    incoming(results, start, vector_block)
    incoming(results, sums, line_end)
    for j, result in enumerate(results):
        e.store(b, result, b.gep(goal, [b.mul(y_step, I64(j))]), 0)
    rest = b.sub(remaining, I64(e.shape.lanes))
    incoming([remaining, *starts], [rest, *(b.gep(at, [step]) for at in starts)], done)
    b.cbranch(b.icmp_signed(">", rest, I64(0)), vector_block, end)
    b.position_at_end(end)
    b.ret_void()


def make_row_line(dtype: str, isa: str, taps: int, stride: int) -> Any:
    """The function (x, x_line, start, w, f, f_line, f_tap, lines, y, pixels, item, c): c channels of FEW or more pixels
    of a line, `item` bytes apart, whose tap v of pixel j lies at column start + j * stride + v of lines of w; x is
    where the first of these lines begins."""
    size, (lanes, _) = ITEM_SIZES[dtype], lanes_of(isa, dtype)
    many, few, many_part, few_part = (row_sums(dtype, SumShape(count, 1, lanes, masked), taps, stride)
                                      for masked in (False, True) for count in (MANY, FEW))
    most = positions_of(MANY, taps, stride)

    @helper
    def line(x, x_line, start, w, f, f_line, f_tap, lines, y, pixels, item, c):
        done, whole = 0, c // lanes * lanes
        at, part = whole * size, c - whole
        while done < pixels:
            count = MANY if pixels >= MANY and pixels - done > FEW else FEW
            pixel = min(done, pixels - count)      # the last ones reach back over those before
            column = start + pixel * stride
            inside = (1 << min(max(w - column, 0), most)) - (1 << min(max(-column, 0), most))
            inside = max(inside, 0)
            source, target = x + column * item, y + pixel * item
            if count == MANY:
                if whole > 0:
                    many((source, x_line, item, inside, f, f_line, f_tap, lines, target, item, whole))
                if part > 0:
                    many_part((source + at, x_line, item, inside, f + at, f_line, f_tap, lines, target + at, item,
                               part))
            else:
                if whole > 0:
                    few((source, x_line, item, inside, f, f_line, f_tap, lines, target, item, whole))
                if part > 0:
                    few_part((source + at, x_line, item, inside, f + at, f_line, f_tap, lines, target + at, item, part))
            done += count
    return line


def make_row_lines(dtype: str, isa: str) -> Any:
    """The function (kw, stride, ...) of make_row_line for the taps and strides of WAYS."""
    three, five, seven, three_by_two, five_by_two = (make_row_line(dtype, isa, *way) for way in WAYS)

    @helper
    def line(kw, stride, x, x_line, start, w, f, f_line, f_tap, lines, y, pixels, item, c):
        if stride == 2:
            if kw == 3:
                three_by_two(x, x_line, start, w, f, f_line, f_tap, lines, y, pixels, item, c)
            else:
                five_by_two(x, x_line, start, w, f, f_line, f_tap, lines, y, pixels, item, c)
        elif kw == 3:
            three(x, x_line, start, w, f, f_line, f_tap, lines, y, pixels, item, c)
        elif kw == 5:
            five(x, x_line, start, w, f, f_line, f_tap, lines, y, pixels, item, c)
        else:
            seven(x, x_line, start, w, f, f_line, f_tap, lines, y, pixels, item, c)
    return line


def make_channels_at_once(dtype: str, isa: str) -> Any:
    """The function (lines, w): how many channels of so many lines of x the first cache holds, in whole vectors."""
    size, (lanes, _) = ITEM_SIZES[dtype], lanes_of(isa, dtype)

    @helper
    def channels_at_once(lines, w):
        return max(CACHED_BYTES // max(min(lines, CACHED_BYTES) * min(w, CACHED_BYTES) * lanes * size, 1), 1) * lanes
    return channels_at_once


@helper
def goes_by_rows(kw, stride, dilation, pixels):
    """Whether (kw, stride) is one of WAYS, and the line long enough."""
    odd = (kw - 3) * (kw - 5) == 0 or (kw == 7 and stride == 1)
    return odd and 1 <= stride <= 2 and dilation == 1 and pixels >= FEW
