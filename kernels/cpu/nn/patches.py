"""Patches: what a filter sees at each output pixel, laid out as rows of a matrix (im2col), for pictures of few
channels.

Job: row p is the kh x kw x c elements around output pixel p, zeros where the window is outside the picture. Rows are
SLACK elements longer than that, so that short runs can be copied as whole vectors.
Invariants: reads only inside x, whose end is given; writes only in the rows, each element of a patch exactly or last.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, NUMBA_TYPES, apart, ceil_div, copy_bytes, helper, pointer_to
from ..vector import vectors

SLACK = 16
LONGEST = 64                           # elements of a run that is copied in vectors; longer ones by memcpy


@cache
def make_patches(dtype: str) -> Any:
    """The function (rows, x, x_end, h, w, c, kh, kw, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top,
    pad_left, first, count) that writes `count` patches, from flat output pixel `first` on, to the address rows."""
    size, zero, at, kit = ITEM_SIZES[dtype], NUMBA_TYPES[dtype](0), pointer_to(dtype), vectors(dtype)
    load, store, splat, lanes = kit.load, kit.store, kit.splat, kit.lanes

    @helper
    def copy_run(target, source, elements, end):
        """Copies in whole vectors where that stays before `end`, the end of x."""
        if elements > LONGEST or source + (elements + lanes) * size > end:
            copy_bytes(target, source, elements * size)
            return
        goal, values = at(target), at(source)
        for i in range(0, elements, lanes):
            store(goal, i, load(values, i))

    @helper
    def clear_run(target, elements):
        """Zeros, in whole vectors if one is enough, as what lies behind is written later."""
        goal = at(target)
        if elements <= lanes:
            store(goal, 0, splat(zero))
            return
        for i in range(elements):
            goal[i] = zero

    @helper
    def edge_run(target, source, left, w, c, kw, end):
        """The run of a pixel whose window is partly outside; source is where the window's first column would be."""
        first, last = min(max(-left, 0), kw), max(min(w - left, kw), 0)
        if first > 0:
            clear_run(target, first * c)
        if last > first:
            copy_run(target + first * c * size, source + first * c * size, (last - first) * c, end)
        if last < kw:
            clear_run(target + max(last, first) * c * size, (kw - max(last, first)) * c)

    @helper
    def copy_runs(target, target_step, source, source_step, elements, count, end):
        """The same run of `count` neighbouring pixels; most are one or two vectors long."""
        if elements <= lanes and source + (count - 1) * source_step + lanes * size <= end:
            for i in range(count):
                store(at(target + i * target_step), 0, load(at(source + i * source_step), 0))
            return
        for i in range(count):
            copy_run(target + i * target_step, source + i * source_step, elements, end)

    @helper
    def fill_line(rows, x, end, w, c, kw, stride_w, dilation_w, pad_left, first, count, row_bytes):
        """Runs of one row of x, which begins at x, for `count` output pixels of a line from column `first` on."""
        pixel = c * size
        covered = (kw - 1) * dilation_w + 1
        begin = min(max(ceil_div(max(pad_left - first * stride_w, 0), stride_w), 0), count)
        fitting = (w - covered + pad_left) // stride_w + 1 - first if w >= covered - pad_left else 0
        behind = max(min(fitting, count), begin)
        for part in range(3):
            start, stop = (begin, behind) if part == 0 else ((0, begin) if part == 1 else (behind, count))
            left = (first + start) * stride_w - pad_left
            if part == 0 and dilation_w == 1 and stop > start:
                copy_runs(rows + start * row_bytes, row_bytes, x + left * pixel, stride_w * pixel, kw * c,
                          stop - start, end)
                continue
            for q in range(start, stop):
                left = (first + q) * stride_w - pad_left
                target = rows + q * row_bytes
                if dilation_w == 1:
                    edge_run(target, x + left * pixel, left, w, c, kw, end)
                    continue
                for v in range(kw):
                    j = left + v * dilation_w
                    if j < 0 or j >= w:
                        clear_run(target + v * pixel, c)
                    else:
                        copy_run(target + v * pixel, x + j * pixel, c, end)

    @helper
    def fill(rows, x, x_end, h, w, c, kh, kw, oh, ow, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left,
             first, count):
        apart()
        row_bytes, run = (kh * kw * c + SLACK) * size, kw * c * size
        pixel, end = first, first + count
        while pixel < end:
            line, column = pixel // ow, pixel % ow
            picture, row = line // oh, line % oh
            part = min(ow - column, end - pixel)
            target = rows + (pixel - first) * row_bytes
            for u in range(kh):
                i = row * stride_h - pad_top + u * dilation_h
                if i < 0 or i >= h:
                    for q in range(part):
                        clear_run(target + q * row_bytes + u * run, kw * c)
                else:
                    fill_line(target + u * run, x + (picture * h + i) * w * c * size, x_end, w, c, kw, stride_w,
                              dilation_w,
                              pad_left, column, part, row_bytes)
            pixel += part
    return fill
