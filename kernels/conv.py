"""conv2d and its gradients over NHWC pictures and HWIO filters: the declarations and simple forms.

Job: y[p, i, j, :] = sum over taps of x[p, i * stride_h - pad_top + u * dilation_h, ...] times w[u, v]; what lies outside counts as 0.
Invariant: rows and columns are checked against the picture before they are read; sums are in a fixed order.
"""
from __future__ import annotations

from .kernel import Functions, Kernel, Operand, at_least, at_most, register
from .memory import FLOATS, NUMBA_TYPES, offset
from .words import OK, TILE_ELEMENTS, TILES, USER

TILE = 16384


def make_forward(types):
    zero = NUMBA_TYPES[types["T"]](0)

    def bind(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        choice[USER] = max(TILE // max(ow * oc, 1), 1)
        choice[TILES] = (n * oh + choice[USER] - 1) // choice[USER]
        choice[TILE_ELEMENTS] = choice[USER] * ow * oc

    def run(x, f, y, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
            choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * oh)):
            picture, top = line // oh, line % oh * stride_h - pad_top
            for column in range(ow):
                left = column * stride_w - pad_left
                target = offset(y, (line * ow + column) * oc)
                for o in range(oc):
                    target[o] = zero
                for u in range(kh):
                    i = top + u * dilation_h
                    if i < 0 or i >= h:
                        continue
                    for v in range(kw):
                        j = left + v * dilation_w
                        if j < 0 or j >= w:
                            continue
                        source = offset(x, ((picture * h + i) * w + j) * c)
                        for k in range(c):
                            value, weights = source[k], offset(f, ((u * kw + v) * c + k) * oc)
                            for o in range(oc):
                                target[o] += value * weights[o]
        return OK
    return Functions(bind, run)


def make_input_grad(types):
    zero = NUMBA_TYPES[types["T"]](0)

    def bind(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        choice[USER] = max(TILE // max(w * c, 1), 1)
        choice[TILES] = (n * h + choice[USER] - 1) // choice[USER]
        choice[TILE_ELEMENTS] = choice[USER] * w * c

    def run(dy, f, dx, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
            choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * h)):
            picture, row = line // h, line % h
            for column in range(w):
                target = offset(dx, (line * w + column) * c)
                for k in range(c):
                    target[k] = zero
                for u in range(kh):
                    i = row + pad_top - u * dilation_h
                    if i < 0 or i % stride_h != 0 or i // stride_h >= oh:
                        continue
                    for v in range(kw):
                        j = column + pad_left - v * dilation_w
                        if j < 0 or j % stride_w != 0 or j // stride_w >= ow:
                            continue
                        source = offset(dy, ((picture * oh + i // stride_h) * ow + j // stride_w) * oc)
                        for k in range(c):
                            weights, total = offset(f, ((u * kw + v) * c + k) * oc), zero
                            for o in range(oc):
                                total += source[o] * weights[o]
                            target[k] += total
        return OK
    return Functions(bind, run)


def make_filter_grad(types):
    zero = NUMBA_TYPES[types["T"]](0)

    def bind(n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, choice):
        choice[TILES] = kh * kw

    def run(x, dy, df, n, h, w, c, kh, kw, oc, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
            choice, work, scratch, phase, tile):
        u, v = tile // kw, tile % kw
        base = offset(df, tile * c * oc)
        for k in range(c * oc):
            base[k] = zero
        for line in range(n * oh):
            picture, i = line // oh, line % oh * stride_h - pad_top + u * dilation_h
            if i < 0 or i >= h:
                continue
            for column in range(ow):
                j = column * stride_w - pad_left + v * dilation_w
                if j < 0 or j >= w:
                    continue
                source, gradient = offset(x, ((picture * h + i) * w + j) * c), offset(dy, (line * ow + column) * oc)
                for k in range(c):
                    value, target = source[k], offset(base, k * oc)
                    for o in range(oc):
                        target[o] += value * gradient[o]
        return OK
    return Functions(bind, run)


DIMS = ("n", "h", "w", "c", "kh", "kw", "oc", "oh", "ow")
ATTRS = ("stride_h", "stride_w", "dilation_h", "dilation_w", "pad_top", "pad_left")
RELATIONS = (*at_least(0, *DIMS), *at_least(1, *ATTRS[:4]), *at_least(0, "pad_top", "pad_left"),
             *at_most(1 << 16, *ATTRS[:4], "kh", "kw"), *at_most(1 << 32, "pad_top", "pad_left"),
             *at_most(1 << 26, "h", "w", "oh", "ow"))
X, F, Y = "n * h * w * c", "kh * kw * c * oc", "n * oh * ow * oc"
TYPES = tuple({"T": t} for t in FLOATS)
FLOPS = "2 * n * oh * ow * oc * kh * kw * c"
register(Kernel("conv2d", (Operand("x", "in", "T", X), Operand("w", "in", "T", F, packable=True), Operand("y", "out", "T", Y)),
                DIMS, ATTRS, TYPES, make_forward, RELATIONS, FLOPS))
register(Kernel("conv2d_input_grad", (Operand("dy", "in", "T", Y), Operand("w", "in", "T", F), Operand("dx", "out", "T", X)),
                DIMS, ATTRS, TYPES, make_input_grad, RELATIONS, FLOPS))
register(Kernel("conv2d_filter_grad", (Operand("x", "in", "T", X), Operand("dy", "in", "T", Y), Operand("dw", "out", "T", F)),
                DIMS, ATTRS, TYPES, make_filter_grad, RELATIONS, FLOPS))
