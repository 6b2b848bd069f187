"""max_pool_argmax and what goes to and comes from the places that it found, NHWC.

Job: y is the greatest element of each window, the first of equals, and NaN only if it comes first (as in TensorFlow);
where is its place (row * w + column) * c + channel in the picture, or in the batch. max_pool_scatter adds each dy to
its place in dx, max_pool_pick takes each from there; m elements a picture go to places of `size`.
Invariants: windows are cut to the picture; a place outside of the picture ends the tile with INDEX_OUT_OF_RANGE, place
and size in scratch; a tile of max_pool_scatter owns a picture.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, helper, int64_at, offset, zero_bytes
from ..words import INDEX_OUT_OF_RANGE, OK, SCRATCH_BYTES, TILES, USER
from .pooling import bind_lines, filled


def make_argmax(types):
    zero = NUMBA_TYPES[types["T"]](0)

    def bind(n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, batched, choice):
        bind_lines(n * oh, ow * c, choice)

    def run(x, y, where, n, h, w, c, kh, kw, oh, ow, pad_top, pad_left, stride_h, stride_w, batched, choice, work,
            scratch, phase, tile):
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * oh)):
            picture, row = line // oh, line % oh * stride_h - pad_top
            top, bottom = max(row, 0), min(row + kh, filled(h, w))
            start = picture * h * w * c
            for column in range(ow):
                left = column * stride_w - pad_left
                begin, end = max(left, 0), min(left + kw, w)
                best, place = offset(y, (line * ow + column) * c), offset(where, (line * ow + column) * c)
                if top >= bottom or begin >= end:
                    for k in range(c):
                        best[k], place[k] = zero, 0
                    continue
                for k in range(c):
                    place[k] = (top * w + begin) * c + k + (start if batched != 0 else 0)
                    best[k] = x[start + (top * w + begin) * c + k]
                for i in range(top, bottom):
                    for j in range(begin, end):
                        at = (i * w + j) * c
                        source, number = offset(x, start + at), at + (start if batched != 0 else 0)
                        for k in range(c):
                            greater = best[k] < source[k]
                            best[k] = source[k] if greater else best[k]
                            place[k] = number + k if greater else place[k]
        return OK
    return Functions(bind, run)


@helper
def refuse(place, size, scratch):
    detail = int64_at(scratch)
    detail[0] = place
    detail[1] = size
    return INDEX_OUT_OF_RANGE


def make_scatter(types):
    item = ITEM_SIZES[types["T"]]

    def bind(n, m, size, batched, choice):
        choice[TILES], choice[SCRATCH_BYTES] = n, 64

    def run(dy, where, dx, n, m, size, batched, choice, work, scratch, phase, tile):
        target = offset(dx, tile * size)
        zero_bytes(address(target), size * item)
        for i in range(tile * m, (tile + 1) * m):
            place = where[i] - (tile * size if batched != 0 else 0)
            if place < 0 or place >= size:
                return refuse(where[i], size, scratch)
            target[place] += dy[i]
        return OK
    return Functions(bind, run)


def make_pick(types):
    def bind(n, m, size, batched, choice):
        bind_lines(n, m, choice)
        choice[SCRATCH_BYTES] = 64

    def run(x, where, y, n, m, size, batched, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for picture in range(first, min(first + choice[USER], n)):
            source = offset(x, picture * size)
            for i in range(picture * m, (picture + 1) * m):
                place = where[i] - (picture * size if batched != 0 else 0)
                if place < 0 or place >= size:
                    return refuse(where[i], size, scratch)
                y[i] = source[place]
        return OK
    return Functions(bind, run)
