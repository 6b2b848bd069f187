"""draw_boxes: pictures with the edges of boxes.

Job: draw_boxes copies pictures and draws boxes (y1, x1, y2, x2; 1 is the last row or column) in the colours, in turn;
in 1 if there is one channel.
Invariants: rows and columns are cut to the picture before they are used; an edge too far away to be an integer, or that
is no number, is none.
"""
from __future__ import annotations

import numpy as np

from ...contracts.calls import Functions
from ..memory import address, copy_bytes, offset
from ..words import OK, TILES

ONE = np.float32(1.0)
LARGEST = np.float32(2.0 ** 31)       # of an edge, in pixels


def make(types):
    def bind(batch, rows, columns, depth, boxes, colors, channels, choice):
        choice[TILES] = batch

    def run(image, box, color, out, batch, rows, columns, depth, boxes, colors, channels, choice, work, scratch, phase,
            tile):
        start = tile * rows * columns * depth
        copy_bytes(address(offset(out, start)), address(offset(image, start)), rows * columns * depth * 4)
        target = offset(out, start)
        for b in range(boxes):
            corner, ink = offset(box, (tile * boxes + b) * 4), offset(color, b % colors * channels)
            only = depth == 1
            high, wide = np.float32(rows - 1), np.float32(columns - 1)
            y1, x1, y2, x2 = corner[0] * high, corner[1] * wide, corner[2] * high, corner[3] * wide
            if not (abs(y1) < LARGEST and abs(x1) < LARGEST and abs(y2) < LARGEST and abs(x2) < LARGEST):
                continue
            top, left, bottom, right = int(y1), int(x1), int(y2), int(x2)
            if top > bottom or left > right or top >= rows or bottom < 0 or left >= columns or right < 0:
                continue
            for j in range(max(left, 0), min(right, columns - 1) + 1):
                for c in range(depth):
                    if top >= 0:
                        target[(top * columns + j) * depth + c] = ONE if only else ink[c]
                    if bottom < rows:
                        target[(bottom * columns + j) * depth + c] = ONE if only else ink[c]
            for i in range(max(top, 0), min(bottom, rows - 1) + 1):
                for c in range(depth):
                    if left >= 0:
                        target[(i * columns + left) * depth + c] = ONE if only else ink[c]
                    if right < columns:
                        target[(i * columns + right) * depth + c] = ONE if only else ink[c]
        return OK
    return Functions(bind, run)
