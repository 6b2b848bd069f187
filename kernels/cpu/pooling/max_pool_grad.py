"""max_pool_grad over NHWC: what a window's greatest element gets.

Job: dy of a window goes to its first greatest element in row-major order. A tile is some rows of dx. It goes through
all windows that meet them; of a window that begins in a row before, those rows are searched first, and what is still
pending goes on. So every element of x is read, and every one of dx written, once or nearly, in the order of memory.
Invariants: rows and columns are cut to the picture before they are read; an element of dx sums its windows in
row-major order, whatever the tiles; rows are cleared right before the first window that meets them, and not at all
where windows cover each element once.
"""
from __future__ import annotations

from ..convolution.conv_tiles import by_isa
from ..memory import ITEM_SIZES, address, ceil_div, helper, zero_bytes
from ..words import OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, USER
from .channel_sums import ADDED, PASSED, STORED, SumShape, lanes_of, window_shares
from .pooling import filled, first_window

TILE = 65536                           # elements of a tile, about
WINDOWS = 4                            # lines of a tile, in heights of a window at least: few are searched twice
LINES, ONCE = USER, USER + 1           # words of choice: lines of a tile; whether windows cover each element once


@helper
def covers_once(size, window, stride, pad, outputs):
    """Whether the windows of an axis cover each element once."""
    return (stride == window or outputs == 1) and outputs * window - pad >= size


def make_share(dtype, isa):
    """The function (x, line_bytes, item, y, dy, dx, before, lines, taps, c, once, pending) of one window: its first
    `before` lines are only searched, dx begins with the line after; pending: memory for c elements."""
    size, (lanes, vectors) = ITEM_SIZES[dtype], lanes_of(isa, dtype)
    shapes = SumShape(1, vectors, lanes), SumShape(1, 1, lanes), SumShape(1, 1, lanes, True)
    stored_wide, stored, stored_part = (window_shares(dtype, shape, STORED) for shape in shapes)
    added_wide, added, added_part = (window_shares(dtype, shape, ADDED) for shape in shapes)
    passed, passed_part = (window_shares(dtype, shape, PASSED) for shape in shapes[1:])

    @helper
    def search(x, line_bytes, item, y, dy, pending, lines, taps, c):
        for k in range(0, c, lanes):
            at = k * size
            if k + lanes <= c:
                passed((x + at, line_bytes, item, y + at, dy + at, pending + at, lines, taps, 0))
            else:
                passed_part((x + at, line_bytes, item, y + at, dy + at, pending + at, lines, taps, c - k))

    @helper
    def give(x, line_bytes, item, y, dy, dx, lines, taps, c, once):
        k = 0
        while k + vectors * lanes <= c:
            at = k * size
            if once:
                stored_wide((x + at, line_bytes, item, y + at, dy + at, dx + at, lines, taps, 0))
            else:
                added_wide((x + at, line_bytes, item, y + at, dy + at, dx + at, lines, taps, 0))
            k += vectors * lanes
        while k + lanes <= c:
            at = k * size
            if once:
                stored((x + at, line_bytes, item, y + at, dy + at, dx + at, lines, taps, 0))
            else:
                added((x + at, line_bytes, item, y + at, dy + at, dx + at, lines, taps, 0))
            k += lanes
        if k < c:
            at = k * size
            if once:
                stored_part((x + at, line_bytes, item, y + at, dy + at, dx + at, lines, taps, c - k))
            else:
                added_part((x + at, line_bytes, item, y + at, dy + at, dx + at, lines, taps, c - k))

    @helper
    def share(x, line_bytes, item, y, dy, dx, before, lines, taps, c, once, pending):
        if before > 0:
            search(x, line_bytes, item, y, dy, pending, before, taps, c)
            give(x + before * line_bytes, line_bytes, item, y, pending, dx, lines, taps, c, once)
        else:
            give(x, line_bytes, item, y, dy, dx, lines, taps, c, once)
    return share


def make_isa(dtype, isa):
    size, share = ITEM_SIZES[dtype], make_share(dtype, isa)

    def bind(n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice):
        line = w * c
        choice[LINES] = max(TILE // max(line, 1), WINDOWS * kh, 1)
        choice[TILES] = ceil_div(n * h, choice[LINES]) if line > 0 else 0
        choice[TILE_ELEMENTS], choice[SCRATCH_BYTES] = choice[LINES] * line, max(c * size, 64)
        choice[ONCE] = covers_once(h, kh, stride_h, pad_top, oh) and covers_once(w, kw, stride_w, pad_left, ow)

    @helper
    def rows(x, y, dy, dx, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, first, last, once, pending):
        """Rows first to last of one picture."""
        item = c * size
        line_bytes, cleared = w * item, last if once else first
        for line in range(first_window(first, kh, stride_h, pad_top),
                          min((last - 1 + pad_top) // stride_h + 1, filled(oh, ow))):
            top, bottom = max(line * stride_h - pad_top, 0), min(line * stride_h - pad_top + kh, last)
            begin = max(top, first)
            if bottom > cleared:
                zero_bytes(dx + cleared * line_bytes, (bottom - cleared) * line_bytes)
                cleared = bottom
            for column in range(ow if begin < bottom else 0):
                left, right = max(column * stride_w - pad_left, 0), min(column * stride_w - pad_left + kw, w)
                output = (line * ow + column) * item
                share(x + top * line_bytes + left * item, line_bytes, item, y + output, dy + output,
                      dx + begin * line_bytes + left * item, begin - top, bottom - begin, right - left, c, once,
                      pending)
        if cleared < last:
            zero_bytes(dx + cleared * line_bytes, (last - cleared) * line_bytes)

    def run(x, y, dy, dx, n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice, work, scratch,
            phase, tile):
        line = tile * choice[LINES]
        end = min(line + choice[LINES], n * h)
        while line < end:
            picture, first = line // h, line % h
            last = min(first + end - line, h)
            source, target = picture * h * w * c * size, picture * oh * ow * c * size
            rows(address(x) + source, address(y) + target, address(dy) + target, address(dx) + source, w, c, kh, kw, oh,
                 ow, stride_h, stride_w, pad_top, pad_left, first, last, choice[ONCE] != 0, scratch)
            line += last - first
        return OK
    return bind, run


def make(types):
    return by_isa(make_isa, types["T"])
