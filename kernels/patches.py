"""Patches: what a filter sees at each output pixel, laid out as rows of a matrix (im2col), for pictures of few channels.

Job: row p is the kh x kw x c elements around output pixel p, zeros where the window is outside the picture.
Invariants: reads only inside x, whose end is given; each row is written completely, and up to SLACK elements behind it, which the
next row overwrites: so the buffer needs SLACK elements behind its last row.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from .memory import ITEM_SIZES, NUMBA_TYPES, copy_bytes, helper, pointer_to
from .vector import vectors

SLACK = 16


@cache
def make_patches(dtype: str) -> Any:
    """The function (rows, x, x_end, h, w, c, kh, kw, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, first,
    count) that writes `count` patches, from flat output pixel `first` on, to the address rows."""
    size, zero, at, kit = ITEM_SIZES[dtype], NUMBA_TYPES[dtype](0), pointer_to(dtype), vectors(dtype)
    load, store, lanes = kit.load, kit.store, kit.lanes

    @helper
    def copy_run(target, source, elements, end):
        """Copies in whole vectors where that stays before `end`, the end of x."""
        if elements > 64 or source + (elements + lanes) * size > end:
            copy_bytes(target, source, elements * size)
            return
        goal, values = at(target), at(source)
        for i in range(0, elements, lanes):
            store(goal, i, load(values, i))

    @helper
    def clear_run(target, elements):
        goal = at(target)
        for i in range(elements):
            goal[i] = zero

    @helper
    def fill(rows, x, x_end, h, w, c, kh, kw, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, first, count):
        line, column = first // ow, first % ow
        picture, row = line // oh, line % oh
        pixel, run = c * size, kw * c * size
        target = rows
        for _ in range(count):
            left = column * stride_w - pad_left
            whole = left >= 0 and left + (kw - 1) * dilation_w < w
            for u in range(kh):
                i = row * stride_h - pad_top + u * dilation_h
                source = x + ((picture * h + i) * w + left) * pixel
                if i < 0 or i >= h:
                    clear_run(target, kw * c)
                elif whole and dilation_w == 1:
                    copy_run(target, source, kw * c, x_end)
                else:
                    for v in range(kw):
                        j = left + v * dilation_w
                        if j < 0 or j >= w:
                            clear_run(target + v * pixel, c)
                        else:
                            copy_run(target + v * pixel, source + v * dilation_w * pixel, c, x_end)
                target += run
            column += 1
            if column == ow:
                column = 0
                row += 1
                if row == oh:
                    row = 0
                    picture += 1
    return fill
