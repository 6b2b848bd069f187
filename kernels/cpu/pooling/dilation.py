"""dilation2d, grey-scale morphology, and its gradients over NHWC; a filter is [rows, columns, channels].

Job: y[p, i, j, k] = the greatest x[p, i * stride_h - pad_top + u * rate_h, j * ..., k] + f[u, v, k] over the taps
(u, v) that lie in the picture. Both gradients go by the first tap that has it.
Invariants: taps are cut to the picture; sums of narrow integers wrap; a tile of the gradient by x owns a picture, one
of the gradient by f some channels.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, helper, offset, zero_bytes
from ..words import OK, TILES, USER
from .channel_windows import end_tap, first_tap
from .pooling import bind_lines, filled

CHANNELS = 16                          # channels of a tile of the gradient by f


def lowest(dtype):
    if dtype in ("f32", "f64"):
        return float("-inf")
    return 0 if dtype.startswith("u") else -(1 << (8 * ITEM_SIZES[dtype] - 1))


def make_forward(types):
    of = NUMBA_TYPES[types["T"]]
    least = of(lowest(types["T"]))

    def bind(n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, rate_h, rate_w, choice):
        bind_lines(n * oh, ow * c, choice)

    def run(x, f, y, n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, rate_h, rate_w, choice, work,
            scratch, phase, tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * oh)):
            picture, row = line // oh, line % oh * stride_h - pad_top
            top, bottom = first_tap(row, rate_h), end_tap(row, rate_h, kh, filled(h, w))
            for column in range(ow):
                left, target = column * stride_w - pad_left, offset(y, (line * ow + column) * c)
                begin, end = first_tap(left, rate_w), end_tap(left, rate_w, kw, w)
                for k in range(c):
                    target[k] = least
                for u in range(top, bottom):
                    for v in range(begin, end):
                        source = offset(x, ((picture * h + row + u * rate_h) * w + left + v * rate_w) * c)
                        weight = offset(f, (u * kw + v) * c)
                        for k in range(c):
                            value = of(source[k] + weight[k])
                            target[k] = value if value > target[k] else target[k]
        return OK
    return Functions(bind, run)


def make_place(dtype):
    """The function that finds the tap of one element, u * kw + v, and -1 where there is none."""
    of = NUMBA_TYPES[dtype]

    @helper
    def place(x, f, h, w, c, kh, kw, picture, row, left, rate_h, rate_w, k):
        best, found = of(0), -1
        begin, end = first_tap(left, rate_w), end_tap(left, rate_w, kw, w)
        for u in range(first_tap(row, rate_h), end_tap(row, rate_h, kh, filled(h, w))):
            for v in range(begin, end):
                at = ((picture * h + row + u * rate_h) * w + left + v * rate_w) * c + k
                value = of(x[at] + f[(u * kw + v) * c + k])
                if found < 0 or value > best:
                    best, found = value, u * kw + v
        return found
    return place


def make_input_grad(types):
    place, size = make_place(types["T"]), ITEM_SIZES[types["T"]]

    def bind(n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, rate_h, rate_w, choice):
        choice[TILES] = n if h * w * c > 0 else 0

    def run(x, f, dy, dx, n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, rate_h, rate_w, choice,
            work, scratch, phase, tile):
        zero_bytes(address(offset(dx, tile * h * w * c)), h * w * c * size)
        for i in range(filled(oh, ow)):
            row = i * stride_h - pad_top
            for j in range(ow):
                left = j * stride_w - pad_left
                for k in range(c):
                    tap = place(x, f, h, w, c, kh, kw, tile, row, left, rate_h, rate_w, k)
                    if tap >= 0:
                        at = (tile * h + row + tap // kw * rate_h) * w + left + tap % kw * rate_w
                        dx[at * c + k] += dy[((tile * oh + i) * ow + j) * c + k]
        return OK
    return Functions(bind, run)


def make_filter_grad(types):
    place, zero = make_place(types["T"]), NUMBA_TYPES[types["T"]](0)

    def bind(n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, rate_h, rate_w, choice):
        choice[TILES] = (c + CHANNELS - 1) // CHANNELS if kh * kw > 0 else 0

    def run(x, f, dy, df, n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, rate_h, rate_w, choice,
            work, scratch, phase, tile):
        for k in range(tile * CHANNELS, min((tile + 1) * CHANNELS, c)):
            for tap in range(kh * kw):
                df[tap * c + k] = zero
            for line in range(filled(n * oh, ow)):
                row = line % oh * stride_h - pad_top
                for j in range(ow):
                    tap = place(x, f, h, w, c, kh, kw, line // oh, row, j * stride_w - pad_left, rate_h, rate_w, k)
                    if tap >= 0:
                        df[tap * c + k] += dy[(line * ow + j) * c + k]
        return OK
    return Functions(bind, run)
