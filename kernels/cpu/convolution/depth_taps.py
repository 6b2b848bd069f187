"""unfold_depth and fold_depth: the frames that a window meets along the depth of volumes, side by side in the channels.

Job: unfold: y[p, t, i, u * c + k] = x[p, t * stride - pad + u * dilation, i, k], 0 outside of the volume; i counts the
m pixels of a frame. fold is its transpose: x[p, ...] = the sum of the elements of y that come from it. So a convolution
over volumes is one over pictures.
Invariants: a tile is some frames of the output; what lies outside is not read; sums go from the first tap that meets a
frame to the last.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, address, copy_bytes, helper, offset, zero_bytes
from ..pooling.pooling import bind_lines
from ..words import OK, USER
from .residues import meeting_taps


def make_unfold(types):
    size = ITEM_SIZES[types["T"]]

    def bind(n, d, m, c, taps, outputs, pad, stride, dilation, choice):
        bind_lines(n * outputs, m * taps * c, choice)

    @helper
    def frame(x, y, m, c, taps, start, dilation, d):
        for u in range(taps):
            place = start + u * dilation
            inside = 0 <= place < d
            for i in range(m):
                target = offset(y, (i * taps + u) * c)
                if inside:
                    source = offset(x, (place * m + i) * c)
                    for k in range(c):
                        target[k] = source[k]
                else:
                    zero_bytes(address(target), c * size)

    def run(x, y, n, d, m, c, taps, outputs, pad, stride, dilation, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * outputs)):
            start, volume = line % outputs * stride - pad, offset(x, line // outputs * d * m * c)
            if taps == 1 and 0 <= start < d:
                copy_bytes(address(offset(y, line * m * c)), address(offset(volume, start * m * c)), m * c * size)
            else:
                frame(volume, offset(y, line * m * taps * c), m, c, taps, start, dilation, d)
        return OK
    return Functions(bind, run)


def make_fold(types):
    size = ITEM_SIZES[types["T"]]

    def bind(n, d, m, c, taps, outputs, pad, stride, dilation, choice):
        bind_lines(n * d, m * c, choice)

    def run(y, x, n, d, m, c, taps, outputs, pad, stride, dilation, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * d)):
            u, t, count, step, fall = meeting_taps(line % d + pad, stride, dilation, taps, outputs)
            zero_bytes(address(offset(x, line * m * c)), m * c * size)
            for _ in range(count):
                source = offset(y, ((line // d * outputs + t) * m * taps + u) * c)
                for i in range(m):
                    at, target = offset(source, i * taps * c), offset(x, (line * m + i) * c)
                    for k in range(c):
                        target[k] += at[k]
                u, t = u + step, t - fall
        return OK
    return Functions(bind, run)
