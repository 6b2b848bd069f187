"""max_pool, avg_pool and their gradients over NHWC.

Job: windows of kh x kw, strides and padding by attributes; what lies outside the picture does not take part
(TensorFlow: the mean is over what lies inside). max_pool_grad.py has the gradient of max.
Invariants: every row and column is checked against the picture before it is read; sums are in a fixed order; tiles are
rows of what is written.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..convolution.conv_tiles import by_isa
from ..convolution.residues import meeting_taps, taps_of
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, ceil_div, helper, offset, pointer_to
from ..words import OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, USER
from .channel_sums import GREATEST, MEAN, SUM
from .channel_windows import make_line

TILE = 16384                           # elements of a tile, about


@helper
def bind_lines(lines, line_elements, choice):
    """Tiles of whole rows of a picture; choice[USER] of them a tile. Rows without elements, of which there may be any
    number, are no work."""
    per_tile = max(TILE // max(line_elements, 1), 1)
    choice[USER] = per_tile
    choice[TILES] = (lines + per_tile - 1) // per_tile if line_elements > 0 else 0
    choice[TILE_ELEMENTS] = per_tile * line_elements


@helper
def filled(lines, line):
    """How many lines there are to go through: none if they are empty, however many the sizes speak of."""
    return lines if line > 0 else 0


def bind_output(n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice):
    bind_lines(n * oh, ow * c, choice)


def make_window(dtype, isa, kind):
    """bind and run of a pooling, whose windows' elements become their mean or their greatest."""
    size, line_windows = ITEM_SIZES[dtype], make_line(dtype, isa, kind)

    def bind(n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice):
        bind_lines(n * oh, ow * c, choice)

    def run(x, y, n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice, work, scratch, phase,
            tile):
        first, item = tile * choice[USER], c * size
        for line in range(first, min(first + choice[USER], n * oh)):
            row = line % oh * stride_h - pad_top
            top, bottom = max(row, 0), min(row + kh, filled(h, w))
            line_windows(address(x) + (line // oh * h + top) * w * item, w * item, -pad_left, stride_w, 1, w, 0, 0, 0,
                         bottom - top, kw, address(y) + line * ow * item, item, ow, c)
        return OK
    return bind, run


def make_max_pool(types):
    return by_isa(lambda dtype, isa: make_window(dtype, isa, GREATEST), types["T"])


def make_avg_pool(types):
    return by_isa(lambda dtype, isa: make_window(dtype, isa, MEAN), types["T"])


def make_max_pool_grad_grad(types):
    zero = NUMBA_TYPES[types["T"]](0)

    def run(x, y, ddx, ddy, n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice, work, scratch,
            phase, tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * oh)):
            picture, row = line // oh, line % oh * stride_h - pad_top
            for column in range(ow):
                left = column * stride_w - pad_left
                greatest, target = offset(y, (line * ow + column) * c), offset(ddy, (line * ow + column) * c)
                for k in range(c):
                    target[k] = zero
                # Backwards, so that the first greatest element is the last to be written.
                bottom, right = min(row + kh, filled(h, w)), min(left + kw, w)
                for i in range(bottom - 1, max(row, 0) - 1, -1):
                    for j in range(right - 1, max(left, 0) - 1, -1):
                        at_input = ((picture * h + i) * w + j) * c
                        source, value = offset(x, at_input), offset(ddx, at_input)
                        for k in range(c):
                            hit = source[k] == greatest[k] or source[k] != source[k]
                            target[k] = value[k] if hit else target[k]
        return OK
    return Functions(bind_output, run)


@helper
def first_window(position, window, stride, pad):
    """The first window, numbered by `stride`, that covers `position`."""
    before = position + pad - window + 1
    return (before + stride - 1) // stride if before > 0 else 0


def make_avg_grad_isa(dtype, isa):
    size, at, of = ITEM_SIZES[dtype], pointer_to(dtype), NUMBA_TYPES[dtype]
    line_sums, one = make_line(dtype, isa, SUM), NUMBA_TYPES[dtype](1)

    def bind(n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice):
        bind_lines(n * h, w * c, choice)
        if n * h * w * c > 0:
            choice[SCRATCH_BYTES] = max(min(ceil_div(kh, stride_h), oh) * ow * c * size, 64)

    @helper
    def share_line(target, dy, w, c, kw, ow, stride_w, pad_left, rows):
        """A line of dy, each pixel's divided by the elements of its window, which has `rows` in the picture."""
        goal, source = at(target), at(dy)
        inside = min(ceil_div(pad_left, stride_w), ow)
        after = max(min((w + pad_left - kw) // stride_w + 1 if w + pad_left >= kw else 0, ow), inside)
        share = one / of(max(rows * kw, 1))
        for i in range(inside * c, after * c):
            goal[i] = source[i] * share
        for part in range(2):
            for j in range(after if part else 0, ow if part else inside):
                left = j * stride_w - pad_left
                share = one / of(max(rows * (min(left + kw, w) - max(left, 0)), 1))
                for i in range(j * c, (j + 1) * c):
                    goal[i] = source[i] * share

    def run(dy, dx, n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice, work, scratch, phase,
            tile):
        first, item = tile * choice[USER], c * size
        for line in range(first, min(first + choice[USER], n * h)):
            _, i, lines, _, _ = meeting_taps(line % h + pad_top, stride_h, 1, kh, filled(oh, ow))
            for number in range(lines):
                top = (i - number) * stride_h - pad_top
                share_line(scratch + number * ow * item, address(dy) + (line // h * oh + i - number) * ow * item, w, c,
                           kw, ow, stride_w, pad_left, min(top + kh, h) - max(top, 0))
            for column in range(min(stride_w, w)):
                v, taps, _ = taps_of((column + pad_left) % stride_w, stride_w, 1, kw)
                start = (column + pad_left - v) // stride_w - (taps - 1)
                line_sums(scratch, ow * item, start, 1, 1, ow, 0, 0, 0, lines, taps,
                          address(dx) + (line * w + column) * item, stride_w * item, ceil_div(w - column, stride_w), c)
        return OK
    return bind, run


def make_avg_pool_grad(types):
    return by_isa(make_avg_grad_isa, types["T"])
