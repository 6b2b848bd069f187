"""Pooling over windows of several sizes, whose edges are given, NHWC; and edges drawn at random.

Job: pooling_edges draws the running sums of n sizes that are length // n or one more each, by TensorFlow's two ways;
draw i of it is number 2 * i + odd of the philox stream. fractional_max_pool and fractional_mean_pool take rows
edges[i] to edges[i + 1], with the last one if `overlapping`, and columns likewise; the gradient of max goes to the
first greatest element of a window in row-major order. NaN is the greatest; means of integers are cut towards zero.
Invariants: edges come from data: a window that is empty or outside of the picture ends the tile with INVALID_VALUE;
forward kernels tile over rows of the output, gradients over pictures, which never overlap.
"""
from __future__ import annotations

import math

from ...contracts.calls import Functions
from ...scalars.random import philox_f64
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, helper, offset, zero_bytes
from ..words import INVALID_VALUE, OK, TILES, USER
from .pooling import bind_lines


@helper
def draw_sums(out, length, n, u):
    """Graham's sequences: ceil(alpha (i + u)), u small enough for sizes of length // n or one more."""
    alpha, least = length / n, length // n
    most = min((least + 2) / alpha - 1.0, (length + 1 - least) / alpha - (n - 1))
    out[0] = 0
    for i in range(1, n):
        out[i] = int(math.ceil(alpha * (i + u * most))) - 1   # noqa: RUF046  (numba's is a float)
    out[n] = length


@helper
def end_of(edges, i, size, overlapping):
    return min(edges[i + 1] + (1 if overlapping != 0 else 0), size)


@helper
def are_windows(edges, n, size, overlapping):
    """Whether each window has an element and lies inside."""
    for i in range(n):
        if edges[i] < 0 or edges[i + 1] > size or edges[i] >= end_of(edges, i, size, overlapping):
            return False
    return True


def make_edges(types):
    def bind(length, n, pseudo, odd, key, choice):
        choice[TILES] = 1

    def run(counter, out, length, n, pseudo, odd, key, choice, work, scratch, phase, tile):
        if n < 1 or n > length:
            return INVALID_VALUE
        if pseudo != 0:
            draw_sums(out, length, n, philox_f64(key, counter[0], counter[1], odd))
            return OK
        out[0] = 0
        for i in range(n):
            out[i + 1] = length // n + (1 if i < length % n else 0)
        for i in range(n - 1):
            j = i + int(philox_f64(key, counter[0], counter[1], 2 * i + odd) * (n - i))
            size = out[i + 1]
            out[i + 1] = out[j + 1]
            out[j + 1] = size
        for i in range(n):
            out[i + 1] += out[i]
        return OK
    return Functions(bind, run)


def bind_output(n, h, w, c, oh, ow, overlapping, choice):
    bind_lines(n * oh, ow * c, choice)


def bind_pictures(n, h, w, c, oh, ow, overlapping, choice):
    choice[TILES] = n


def make_max(types):
    def run(x, rows, columns, y, n, h, w, c, oh, ow, overlapping, choice, work, scratch, phase, tile):
        if not (are_windows(rows, oh, h, overlapping) and are_windows(columns, ow, w, overlapping)):
            return INVALID_VALUE
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * oh)):
            picture, i = line // oh, line % oh
            for j in range(ow):
                best = offset(y, (line * ow + j) * c)
                start = offset(x, ((picture * h + rows[i]) * w + columns[j]) * c)
                for k in range(c):
                    best[k] = start[k]
                for row in range(rows[i], end_of(rows, i, h, overlapping)):
                    for column in range(columns[j], end_of(columns, j, w, overlapping)):
                        source = offset(x, ((picture * h + row) * w + column) * c)
                        for k in range(c):
                            best[k] = source[k] if source[k] > best[k] or source[k] != source[k] else best[k]
        return OK
    return Functions(bind_output, run)


def make_max_grad(types):
    size = ITEM_SIZES[types["T"]]

    def run(x, dy, rows, columns, dx, n, h, w, c, oh, ow, overlapping, choice, work, scratch, phase, tile):
        if not (are_windows(rows, oh, h, overlapping) and are_windows(columns, ow, w, overlapping)):
            return INVALID_VALUE
        start = tile * h * w * c
        zero_bytes(address(offset(dx, start)), h * w * c * size)
        for i in range(oh):
            bottom = end_of(rows, i, h, overlapping)
            for j in range(ow):
                right, output = end_of(columns, j, w, overlapping), ((tile * oh + i) * ow + j) * c
                for k in range(c):
                    place = -1
                    for row in range(rows[i], bottom):
                        for column in range(columns[j], right):
                            at = start + (row * w + column) * c + k
                            if place < 0 or x[at] > x[place] or (x[at] != x[at] and x[place] == x[place]):
                                place = at
                    dx[place] += dy[output + k]
        return OK
    return Functions(bind_pictures, run)


def make_mean(types):
    zero, of, whole = NUMBA_TYPES[types["T"]](0), NUMBA_TYPES[types["T"]], types["T"][0] == "i"

    def run(x, rows, columns, y, n, h, w, c, oh, ow, overlapping, choice, work, scratch, phase, tile):
        if not (are_windows(rows, oh, h, overlapping) and are_windows(columns, ow, w, overlapping)):
            return INVALID_VALUE
        first = tile * choice[USER]
        for line in range(first, min(first + choice[USER], n * oh)):
            picture, i = line // oh, line % oh
            bottom = end_of(rows, i, h, overlapping)
            for j in range(ow):
                right, target = end_of(columns, j, w, overlapping), offset(y, (line * ow + j) * c)
                for k in range(c):
                    target[k] = zero
                for row in range(rows[i], bottom):
                    for column in range(columns[j], right):
                        source = offset(x, ((picture * h + row) * w + column) * c)
                        for k in range(c):
                            target[k] += source[k]
                count = of((bottom - rows[i]) * (right - columns[j]))
                for k in range(c):
                    if whole:
                        quotient = target[k] // count
                        target[k] = quotient + (1 if quotient < 0 and quotient * count != target[k] else 0)
                    else:
                        target[k] = target[k] / count
        return OK
    return Functions(bind_output, run)


def make_mean_grad(types):
    def run(dy, rows, columns, dx, n, h, w, c, oh, ow, overlapping, choice, work, scratch, phase, tile):
        if not (are_windows(rows, oh, h, overlapping) and are_windows(columns, ow, w, overlapping)):
            return INVALID_VALUE
        start = tile * h * w * c
        zero_bytes(address(offset(dx, start)), h * w * c * 8)
        for i in range(oh):
            bottom = end_of(rows, i, h, overlapping)
            for j in range(ow):
                right, source = end_of(columns, j, w, overlapping), offset(dy, ((tile * oh + i) * ow + j) * c)
                count = float((bottom - rows[i]) * (right - columns[j]))
                for row in range(rows[i], bottom):
                    for column in range(columns[j], right):
                        target = offset(dx, start + (row * w + column) * c)
                        for k in range(c):
                            target[k] += float(source[k]) / count
        return OK
    return Functions(bind_pictures, run)
