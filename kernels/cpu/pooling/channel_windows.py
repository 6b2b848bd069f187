"""Lines of windows channel by channel: what depthwise convolutions and pooling share.

Job: goes along a line of pixels. Those that meet all taps of their lines go several at once, those at the edges one by
one with the taps that they meet; channel_sums.py has the loops.
Invariants: taps are cut to the picture before it is read; channels that do not fill a vector are masked.
"""
from __future__ import annotations

from ..memory import ITEM_SIZES, helper
from .channel_sums import SumShape, lanes_of, window_sums

FEW, MANY = 4, 8                       # pixels at once: of several vectors of channels, of one


@helper
def first_tap(start, dilation):
    """The first tap that does not lie before the picture, if tap 0 lies at `start`."""
    return 0 if start >= 0 else (dilation - 1 - start) // dilation


@helper
def end_tap(start, dilation, taps, size):
    """The tap after the last one that lies in the picture."""
    return min(taps, (size - start + dilation - 1) // dilation) if size > start else 0


def make_pixels(dtype, isa, kind):
    """The function (x, x_line, x_tap, x_step, f, f_line, f_tap, lines, taps, y, y_step, pixels, c), addresses and
    bytes: the sums of some pixels of a line that meet the same taps."""
    size, (lanes, vectors) = ITEM_SIZES[dtype], lanes_of(isa, dtype)
    wide, wide_one = (window_sums(dtype, SumShape(count, vectors, lanes), kind) for count in (FEW, 1))
    many, few, one = (window_sums(dtype, SumShape(count, 1, lanes), kind) for count in (MANY, FEW, 1))
    many_part, few_part, one_part = (window_sums(dtype, SumShape(count, 1, lanes, True), kind)
                                     for count in (MANY, FEW, 1))

    @helper
    def channels(x, x_line, x_tap, x_step, f, f_line, f_tap, lines, taps, y, y_step, count, c):
        """All channels of MANY pixels (of few channels), of FEW, or of one."""
        k = 0
        while k + vectors * lanes <= c:
            at = k * size
            if count == FEW:
                wide((x + at, x_line, x_tap, x_step, f + at, f_line, f_tap, lines, taps, y + at, y_step, 0))
            else:
                wide_one((x + at, x_line, x_tap, 0, f + at, f_line, f_tap, lines, taps, y + at, 0, 0))
            k += vectors * lanes
        while k + lanes <= c:
            at = k * size
            if count == MANY:
                many((x + at, x_line, x_tap, x_step, f + at, f_line, f_tap, lines, taps, y + at, y_step, 0))
            elif count == FEW:
                few((x + at, x_line, x_tap, x_step, f + at, f_line, f_tap, lines, taps, y + at, y_step, 0))
            else:
                one((x + at, x_line, x_tap, 0, f + at, f_line, f_tap, lines, taps, y + at, 0, 0))
            k += lanes
        if k < c:
            at = k * size
            if count == MANY:
                many_part((x + at, x_line, x_tap, x_step, f + at, f_line, f_tap, lines, taps, y + at, y_step, c - k))
            elif count == FEW:
                few_part((x + at, x_line, x_tap, x_step, f + at, f_line, f_tap, lines, taps, y + at, y_step, c - k))
            else:
                one_part((x + at, x_line, x_tap, 0, f + at, f_line, f_tap, lines, taps, y + at, 0, c - k))

    @helper
    def pixels_sums(x, x_line, x_tap, x_step, f, f_line, f_tap, lines, taps, y, y_step, pixels, c):
        done = 0
        while done < pixels:
            count = 1
            if c < vectors * lanes and done + MANY <= pixels:
                count = MANY
            elif done + FEW <= pixels:
                count = FEW
            channels(x + done * x_step, x_line, x_tap, x_step, f, f_line, f_tap, lines, taps, y + done * y_step, y_step,
                     count, c)
            done += count
    return pixels_sums


def make_line(dtype, isa, kind):
    """The function (x, x_line, start, stride, dilation, w, f, f_line, f_tap, lines, taps, y, y_step, pixels, c): one
    line of pixels, whose tap v of pixel j lies at column start + j * stride + v * dilation of lines of w; x is where
    the first of these lines begins, `lines` of them count."""
    size, sums = ITEM_SIZES[dtype], make_pixels(dtype, isa, kind)

    @helper
    def line(x, x_line, start, stride, dilation, w, f, f_line, f_tap, lines, taps, y, y_step, pixels, c):
        item = c * size
        inside = min(first_tap(start, stride), pixels)
        after = max(end_tap(start + (taps - 1) * dilation, stride, pixels, w), inside)
        for part in range(2):
            for j in range(after if part else 0, pixels if part else inside):
                left = start + j * stride
                begin, end = first_tap(left, dilation), end_tap(left, dilation, taps, w)
                sums(x + (left + begin * dilation) * item, x_line, dilation * item, 0, f + begin * f_tap, f_line, f_tap,
                     lines, end - begin, y + j * y_step, y_step, 1, c)
        sums(x + (start + inside * stride) * item, x_line, dilation * item, stride * item, f, f_line, f_tap, lines,
             taps, y + inside * y_step, y_step, after - inside, c)
    return line
