"""glimpse: a window of each picture around a place of its own, written over what `out` holds.

Job: the window's first row is the whole part of y * scale - high / 2, where scale is the picture's height with
`normalized`; with `centered` y * scale / 2 counts from the middle. Columns likewise. What lies outside of the picture
stays as it is.
Invariants: rows and columns are cut to the picture before they are used; a place too far away to be an integer, or that
is no number, is outside; tiles are pictures.
"""
from __future__ import annotations

import numpy as np

from ...contracts.calls import Functions
from ..memory import address, copy_bytes, helper, offset
from ..words import OK, TILES

HALF = np.float32(0.5)
LARGEST = np.float32(2.0 ** 31)
OUTSIDE = 1 << 40


@helper
def first_of(place, size, window, centered, normalized):
    """The number of the window's first row (column)."""
    at = place
    if normalized != 0:
        at = at * np.float32(size)
    if centered != 0:
        at = at * HALF + np.float32(size) * HALF
    at = at - np.float32(window) * HALF
    return int(at) if abs(at) < LARGEST else OUTSIDE


def make(types):
    def bind(batch, rows, columns, depth, high, wide, centered, normalized, choice):
        choice[TILES] = batch

    def run(image, place, out, batch, rows, columns, depth, high, wide, centered, normalized, choice, work, scratch,
            phase, tile):
        top = first_of(place[2 * tile], rows, high, centered, normalized)
        left = first_of(place[2 * tile + 1], columns, wide, centered, normalized)
        begin, end = max(-left, 0), min(wide, columns - left)
        for i in range(max(-top, 0), min(high, rows - top)):
            if begin < end:
                source = offset(image, ((tile * rows + top + i) * columns + left + begin) * depth)
                target = offset(out, ((tile * high + i) * wide + begin) * depth)
                copy_bytes(address(target), address(source), (end - begin) * depth * 4)
        return OK
    return Functions(bind, run)
