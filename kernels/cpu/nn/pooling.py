"""max_pool, avg_pool and their gradients over NHWC.

Job: windows of kh x kw, strides and padding by attributes; what lies outside the picture does not take part
(TensorFlow: the mean is over what lies inside). The gradient of max goes to the first greatest element of a window in
row-major order.
Invariants: every row and column is checked against the picture before it is read; sums are in a fixed order; forward
kernels and avg_pool_grad tile over rows of the output, max_pool_grad over pictures and blocks of channels, which never
overlap.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, helper, offset, zero_bytes
from ..vector import vectors
from ..words import OK, TILE_ELEMENTS, TILES, USER
from .channel_sums import GREATEST, MEAN
from .channel_windows import make_line
from .conv import by_isa
from .windows import steps

TILE = 16384                           # elements of a tile, about
CHANNELS = 64                          # channels of a tile of max_pool_grad


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


def make_max_pool_grad(types):
    size, v = ITEM_SIZES[types["T"]], vectors(types["T"])
    lanes, load, store, add = v.lanes, v.load, v.store, v.add
    taken, left = steps(types["T"]).taken, steps(types["T"]).left
    taken_scalar, left_scalar = steps(types["T"], True).taken, steps(types["T"], True).left

    def bind(n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice):
        blocks = (c + CHANNELS - 1) // CHANNELS
        choice[TILES] = n * blocks
        if blocks == 1:
            choice[TILE_ELEMENTS] = h * w * c
        # Whether the windows cover each element once, so that nothing has to be zeroed or added up.
        choice[USER] = (stride_h == kh and stride_w == kw and oh * kh - pad_top >= h and ow * kw - pad_left >= w)

    def run(x, y, dy, dx, n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice, work, scratch,
            phase, tile):
        blocks = (c + CHANNELS - 1) // CHANNELS
        picture, start = tile // blocks, tile % blocks * CHANNELS
        channels, once = min(CHANNELS, c - start), choice[USER] != 0
        whole = channels // lanes * lanes
        if not once:
            for pixel in range(h * w):
                zero_bytes(address(offset(dx, (picture * h * w + pixel) * c + start)), channels * size)
        for line in range(oh):
            top, bottom = max(line * stride_h - pad_top, 0), min(line * stride_h - pad_top + kh, filled(h, w))
            for column in range(ow):
                begin, end = max(column * stride_w - pad_left, 0), min(column * stride_w - pad_left + kw, w)
                output = ((picture * oh + line) * ow + column) * c + start
                for k in range(0, whole, lanes):
                    greatest, pending = load(y, output + k), load(dy, output + k)
                    for i in range(top, bottom):
                        for j in range(begin, end):
                            at = ((picture * h + i) * w + j) * c + start + k
                            value = load(x, at)
                            share = taken(value, greatest, pending)
                            store(dx, at, share if once else add(load(dx, at), share))
                            pending = left(value, greatest, pending)
                for k in range(whole, channels):
                    best, rest = y[output + k], dy[output + k]
                    for i in range(top, bottom):
                        for j in range(begin, end):
                            at = ((picture * h + i) * w + j) * c + start + k
                            part = taken_scalar(x[at], best, rest)
                            dx[at] = part if once else dx[at] + part
                            rest = left_scalar(x[at], best, rest)
        return OK
    return Functions(bind, run)


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


def make_avg_pool_grad(types):
    zero, of = NUMBA_TYPES[types["T"]](0), NUMBA_TYPES[types["T"]]

    def bind(n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice):
        bind_lines(n * h, w * c, choice)

    def run(dy, dx, n, h, w, c, kh, kw, oh, ow, stride_h, stride_w, pad_top, pad_left, choice, work, scratch, phase,
            tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * h)):
            picture, row = line // h, line % h
            for column in range(w):
                target = offset(dx, (line * w + column) * c)
                for k in range(c):
                    target[k] = zero
                above = min((row + pad_top) // stride_h + 1, filled(oh, ow))
                for i in range(first_window(row, kh, stride_h, pad_top), above):
                    top = i * stride_h - pad_top
                    rows = min(top + kh, h) - max(top, 0)
                    for j in range(first_window(column, kw, stride_w, pad_left),
                                   min((column + pad_left) // stride_w + 1, ow)):
                        left = j * stride_w - pad_left
                        count = of(rows * (min(left + kw, w) - max(left, 0)))
                        source = offset(dy, ((picture * oh + i) * ow + j) * c)
                        for k in range(c):
                            target[k] += source[k] / count
        return OK
    return Functions(bind, run)
