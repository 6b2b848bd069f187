"""The gradients of max pooling over volumes, NDHWC; max pooling itself is two poolings of pictures.

Job: as in TensorFlow, the gradient goes to every element of a window that is the greatest; the gradient's gradient
takes the first of them in row-major order. NaN equals nothing.
Invariants: windows are cut to the volume; an element sums its windows in their order; tiles are lines of the output.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import NUMBA_TYPES, offset
from ..words import OK, USER
from .pooling import bind_lines, filled, first_window


def make_grad(types):
    zero = NUMBA_TYPES[types["T"]](0)

    def bind(n, d, h, w, c, kd, kh, kw, od, oh, ow, pad_d, pad_h, pad_w, stride_d, stride_h, stride_w, choice):
        bind_lines(n * d * h, w * c, choice)

    def run(x, y, dy, dx, n, d, h, w, c, kd, kh, kw, od, oh, ow, pad_d, pad_h, pad_w, stride_d, stride_h, stride_w,
            choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * d * h)):
            volume, frame, row = line // (d * h), line // h % d, line % h
            last_frame = min((frame + pad_d) // stride_d + 1, filled(od, oh * ow))
            last_row = min((row + pad_h) // stride_h + 1, filled(oh, ow))
            for column in range(w):
                source, target = offset(x, (line * w + column) * c), offset(dx, (line * w + column) * c)
                for k in range(c):
                    target[k] = zero
                begin = first_window(column, kw, stride_w, pad_w)
                end = min((column + pad_w) // stride_w + 1, ow)
                for a in range(first_window(frame, kd, stride_d, pad_d), last_frame):
                    for i in range(first_window(row, kh, stride_h, pad_h), last_row):
                        for j in range(begin, end):
                            at = (((volume * od + a) * oh + i) * ow + j) * c
                            greatest, gradient = offset(y, at), offset(dy, at)
                            for k in range(c):
                                target[k] += gradient[k] if source[k] == greatest[k] else zero
        return OK
    return Functions(bind, run)


def make_grad_grad(types):
    zero = NUMBA_TYPES[types["T"]](0)

    def bind(n, d, h, w, c, kd, kh, kw, od, oh, ow, pad_d, pad_h, pad_w, stride_d, stride_h, stride_w, choice):
        bind_lines(n * od * oh, ow * c, choice)

    def run(x, y, ddx, ddy, n, d, h, w, c, kd, kh, kw, od, oh, ow, pad_d, pad_h, pad_w, stride_d, stride_h, stride_w,
            choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * od * oh)):
            volume, front, top = line // (od * oh), line // oh % od * stride_d - pad_d, line % oh * stride_h - pad_h
            for column in range(ow):
                left = column * stride_w - pad_w
                greatest, target = offset(y, (line * ow + column) * c), offset(ddy, (line * ow + column) * c)
                for k in range(c):
                    target[k] = zero
                # Backwards, so that the first greatest element is the last to be written.
                for a in range(min(front + kd, filled(d, h * w)) - 1, max(front, 0) - 1, -1):
                    for i in range(min(top + kh, filled(h, w)) - 1, max(top, 0) - 1, -1):
                        for j in range(min(left + kw, w) - 1, max(left, 0) - 1, -1):
                            at = (((volume * d + a) * h + i) * w + j) * c
                            source, value = offset(x, at), offset(ddx, at)
                            for k in range(c):
                                target[k] = value[k] if source[k] == greatest[k] else target[k]
        return OK
    return Functions(bind, run)
