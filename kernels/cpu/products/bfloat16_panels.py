"""Panels of bfloat16: the packed form of a constant float32 matrix B[k, n] that takes half the memory.

Job: panel p holds columns p * width to (p + 1) * width, a line for each k. A line is words of 32 bits: the lower half
of word l of pair q is the column of vector 2 q and lane l, the upper half that of vector 2 q + 1 and the same lane, so
that a shift and a mask make both vectors float32 again (products/micro.py). Columns after n are zeros.
Numbers are rounded to the nearest, ties to even; what is too large becomes an infinity, a NaN stays one.
Invariants: only elements inside B are read; all of a panel's k * line_bytes are written.
"""
from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..memory import helper, part, pointer_to
from .micro import Shape

WORD = 4


@helper
def rounded(bits):
    """The upper 16 bits of a float32, as bits in an int64, rounded to bfloat16."""
    if bits & 0x7FFFFFFF > 0x7F800000:
        return bits >> 16 | 0x40
    return bits + 0x7FFF + (bits >> 16 & 1) >> 16


@cache
def bfloat16_packing(shape: Shape) -> Any:
    """The numba function pack_panels(target, b, n, k, transposed, first, last): panels `first` to `last` of a whole
    B[k, n], or B[n, k], of float32; addresses."""
    width, lanes, at = shape.width, shape.lanes, pointer_to("i32")
    line_bytes, pairs = shape.line_bytes(WORD), shape.vectors // 2

    @helper
    def half(source, column, columns, step):
        """The bits of one column of a line, 0 after the last."""
        if column >= columns:
            return np.int64(0)
        return rounded(np.int64(at(source + column * step)[0]) & 0xFFFFFFFF)

    @part("pack_panels", shape)
    def pack_panels(target, b, n, k, transposed, first, last):
        column_step, k_step = (k * WORD, WORD) if transposed else (WORD, n * WORD)
        for panel in range(first, last):
            columns, source = n - panel * width, b + panel * width * column_step
            for i in range(k):
                line = at(target + ((panel - first) * k + i) * line_bytes)
                for pair in range(pairs):
                    for lane in range(lanes):
                        column = 2 * pair * lanes + lane
                        low = half(source + i * k_step, column, columns, column_step)
                        high = half(source + i * k_step, column + lanes, columns, column_step)
                        line[pair * lanes + lane] = np.int32(low | high << 16)
    return pack_panels
