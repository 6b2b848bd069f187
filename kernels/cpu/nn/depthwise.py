"""depthwise_conv2d and its gradients over NHWC: each channel has a filter of its own.

Job: y[p, i, j, k] = sum over taps (u, v) of x[p, i * stride_h - pad_top + u * dilation_h, j * ..., k] f[u, v, k]; what
lies outside of the picture counts as 0. With `flip` the taps are taken from the last to the first: the gradient for the
input of a convolution without stride. The one with stride goes through the taps that a pixel meets, which lie evenly.
The gradient for the filter sums parts of the output in phase 0, and the parts in phase 1.
Invariants: taps are cut to the picture before it is read; the last vector of channels lies against their end and
repeats some of the one before, with equal results; sums are in a fixed order, whatever the tiles and threads.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, NUMBA_TYPES, ceil_div, helper, offset, pointer_to
from ..vector import vectors
from ..words import OK, TILE_ELEMENTS, TILES, TILES_1, USER, WORK_BYTES
from .pooling import bind_lines, filled

PARTS = 32                             # parts of the output at most, whose sums make the gradient for the filter
PART_ELEMENTS = 32768                  # of a part, at least
SUM_ELEMENTS = 4096                    # of a tile of phase 1


@helper
def first_tap(start, dilation):
    """The first tap that does not lie before the picture, if tap 0 lies at `start`."""
    return 0 if start >= 0 else (dilation - 1 - start) // dilation


@helper
def end_tap(start, dilation, taps, size):
    """The tap behind the last one that lies in the picture."""
    return min(taps, (size - start + dilation - 1) // dilation) if size > start else 0


@helper
def meeting_taps(position, stride, dilation, taps, outputs):
    """The taps u for which an output t has t * stride + u * dilation = position: (first u, its t, how many, steps of u
    and of t). t falls from one to the next."""
    a, b = stride, dilation
    while b > 0:
        a, b = b, a % b
    step, fall = stride // a, dilation // a
    u = 0
    while u < min(taps, step) and (position - u * dilation) % stride != 0:
        u += 1
    if u >= min(taps, step):
        return 0, 0, 0, step, fall
    t = (position - u * dilation) // stride
    if t >= outputs:
        skipped = (t - outputs + fall) // fall
        u, t = u + skipped * step, t - skipped * fall
    if u >= taps or t < 0:
        return 0, 0, 0, step, fall
    return u, t, min((taps - 1 - u) // step, t // fall) + 1, step, fall


def make_sums(dtype):
    """(one, four): sums of lines x taps products for one pixel, and for four that lie column_step apart."""
    v, zero = vectors(dtype), NUMBA_TYPES[dtype](0)
    lanes, load, store, splat, multiply_add = v.lanes, v.load, v.store, v.splat, v.multiply_add

    @helper
    def one(x, x_line, x_tap, f, f_line, f_tap, lines, taps, y, c):
        if c < lanes:
            for k in range(c):
                y[k] = zero
            for u in range(lines):
                for t in range(taps):
                    source, weight = offset(x, u * x_line + t * x_tap), offset(f, u * f_line + t * f_tap)
                    for k in range(c):
                        y[k] += source[k] * weight[k]
            return
        for block in range(0, c, lanes):
            k = min(block, c - lanes)
            total = splat(zero)
            for u in range(lines):
                for t in range(taps):
                    weight = load(f, u * f_line + t * f_tap + k)
                    total = multiply_add(load(x, u * x_line + t * x_tap + k), weight, total)
            store(y, k, total)

    @helper
    def four(x, x_line, x_tap, column_step, f, f_line, f_tap, lines, taps, y, c):
        for block in range(0, c, lanes):
            k = min(block, c - lanes)
            a, b, d, e = splat(zero), splat(zero), splat(zero), splat(zero)
            for u in range(lines):
                for t in range(taps):
                    weight, at = load(f, u * f_line + t * f_tap + k), u * x_line + t * x_tap + k
                    a = multiply_add(load(x, at), weight, a)
                    b = multiply_add(load(x, at + column_step), weight, b)
                    d = multiply_add(load(x, at + 2 * column_step), weight, d)
                    e = multiply_add(load(x, at + 3 * column_step), weight, e)
            store(y, k, a)
            store(y, c + k, b)
            store(y, 2 * c + k, d)
            store(y, 3 * c + k, e)
    return one, four


def make_forward(types):
    (one, four), lanes = make_sums(types["T"]), vectors(types["T"]).lanes

    def bind(n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w, flip, choice):
        bind_lines(n * oh, ow * c, choice)

    def run(x, f, y, n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w, flip,
            choice, work, scratch, phase, tile):
        first, f_tap, line_step = tile * choice[USER], c, dilation_h * w * c
        if flip != 0:
            f_tap = -c
        for line in range(first, min(first + choice[USER], n * oh)):
            picture, row = line // oh, line % oh * stride_h - pad_top
            top, bottom = first_tap(row, dilation_h), end_tap(row, dilation_h, kh, filled(h, w))
            lines, column = max(bottom - top, 0), 0
            while column < ow:
                left = column * stride_w - pad_left
                begin, end = first_tap(left, dilation_w), end_tap(left, dilation_w, kw, w)
                taps, y_at = max(end - begin, 0), offset(y, (line * ow + column) * c)
                x_at = offset(x, ((picture * h + row + top * dilation_h) * w + left + begin * dilation_w) * c)
                tap = top * kw + begin
                if flip != 0:
                    tap = kh * kw - 1 - tap
                f_at = offset(f, tap * c)
                if c >= lanes and taps == kw and column + 4 <= ow and left + 3 * stride_w + (kw - 1) * dilation_w < w:
                    four(x_at, line_step, dilation_w * c, stride_w * c, f_at, f_tap * kw, f_tap, lines, taps, y_at, c)
                    column += 4
                else:
                    one(x_at, line_step, dilation_w * c, f_at, f_tap * kw, f_tap, lines, taps, y_at, c)
                    column += 1
        return OK
    return Functions(bind, run)


def make_input_grad(types):
    one, _ = make_sums(types["T"])

    def bind(n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w, choice):
        bind_lines(n * h, w * c, choice)

    def run(dy, f, dx, n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w,
            choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * h)):
            picture, row = line // h, line % h
            u, i, lines, u_step, fall_h = meeting_taps(row + pad_top, stride_h, dilation_h, kh, oh)
            for column in range(w):
                v, j, taps, v_step, fall_w = meeting_taps(column + pad_left, stride_w, dilation_w, kw, ow)
                one(offset(dy, ((picture * oh + i) * ow + j) * c), -fall_h * ow * c, -fall_w * c,
                    offset(f, (u * kw + v) * c), u_step * kw * c, v_step * c, lines, taps,
                    offset(dx, (line * w + column) * c), c)
        return OK
    return Functions(bind, run)


def make_filter_grad(types):
    size, at, zero = ITEM_SIZES[types["T"]], pointer_to(types["T"]), NUMBA_TYPES[types["T"]](0)
    v = vectors(types["T"])
    lanes, load, store, splat, add, multiply_add = v.lanes, v.load, v.store, v.splat, v.add, v.multiply_add

    def bind(n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w, choice):
        lines = n * oh if ow * c > 0 else 0
        per_tile = max(ceil_div(PART_ELEMENTS, max(ow * c, 1)), ceil_div(lines, PARTS), 1)
        choice[USER], choice[TILES] = per_tile, max(ceil_div(lines, per_tile), 1)
        choice[WORK_BYTES] = max(choice[TILES] * kh * kw * c * size, 64)
        choice[TILES_1], choice[TILE_ELEMENTS] = ceil_div(kh * kw * c, SUM_ELEMENTS), SUM_ELEMENTS

    @helper
    def row_sum(x, x_step, dy, c, columns, total):
        """total + the products of one line, in vectors."""
        a, b, d, e = total, splat(zero), splat(zero), splat(zero)
        whole = columns // 4 * 4
        for j in range(0, whole, 4):
            a = multiply_add(load(x, j * x_step), load(dy, j * c), a)
            b = multiply_add(load(x, (j + 1) * x_step), load(dy, (j + 1) * c), b)
            d = multiply_add(load(x, (j + 2) * x_step), load(dy, (j + 2) * c), d)
            e = multiply_add(load(x, (j + 3) * x_step), load(dy, (j + 3) * c), e)
        for j in range(whole, columns):
            a = multiply_add(load(x, j * x_step), load(dy, j * c), a)
        return add(add(a, b), add(d, e))

    @helper
    def tap(x, dy, target, h, w, c, oh, ow, row_shift, left_shift, stride_h, stride_w, first, last):
        """The sums of one tap, which lies at (row_shift, left_shift) of each window, over some lines of the output."""
        begin, end = first_tap(left_shift, stride_w), end_tap(left_shift, stride_w, ow, w)
        if c < lanes:
            for k in range(c):
                target[k] = zero
        for block in range(0, c, lanes):
            k, total = max(min(block, c - lanes), 0), splat(zero)
            for line in range(first, last):
                row = line % oh * stride_h + row_shift
                if row < 0 or row >= h or end <= begin:
                    continue
                x_at = offset(x, ((line // oh * h + row) * w + begin * stride_w + left_shift) * c + k)
                dy_at = offset(dy, (line * ow + begin) * c + k)
                if c >= lanes:
                    total = row_sum(x_at, stride_w * c, dy_at, c, end - begin, total)
                else:
                    for j in range(end - begin):
                        for i in range(c):
                            target[i] += x_at[j * stride_w * c + i] * dy_at[j * c + i]
            if c >= lanes:
                store(target, k, total)

    def run(x, dy, df, n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, dilation_h, dilation_w,
            choice, work, scratch, phase, tile):
        parts, taps = at(work), kh * kw * c
        if phase == 0:
            first = tile * choice[USER]
            last = min(first + choice[USER], n * oh) if ow * c > 0 else first
            for u in range(kh if c > 0 else 0):
                for v in range(kw):
                    tap(x, dy, offset(parts, tile * taps + (u * kw + v) * c), h, w, c, oh, ow,
                        u * dilation_h - pad_top, v * dilation_w - pad_left, stride_h, stride_w, first, last)
            return OK
        for i in range(tile * SUM_ELEMENTS, min((tile + 1) * SUM_ELEMENTS, taps)):
            df[i] = parts[i]
        for part in range(1, choice[TILES]):
            source = offset(parts, part * taps)
            for i in range(tile * SUM_ELEMENTS, min((tile + 1) * SUM_ELEMENTS, taps)):
                df[i] += source[i]
        return OK
    return Functions(bind, run)
