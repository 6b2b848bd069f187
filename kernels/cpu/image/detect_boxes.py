"""draw_boxes: pictures with the edges of boxes. suppress_boxes: the best boxes that do not overlap one another.

Job: draw_boxes copies pictures and draws boxes (y1, x1, y2, x2; 1 is the last row or column) in the colours, in turn;
in 1 if there is one channel.
suppress_boxes picks boxes by their scores in descending order, equal scores in ascending order of boxes, and leaves out
those that overlap one picked before by more than `most_overlap`; it writes how many it picked, and zeros behind them.
Invariants: rows and columns are cut to the picture before they are used; an edge too far away to be an integer, or that
is no number, is none.
"""
from __future__ import annotations

import numpy as np

from ...contracts.calls import Functions
from ..memory import address, copy_bytes, helper, offset, pointer_to
from ..words import OK, TILES, WORK_BYTES

ZERO, ONE = np.float32(0.0), np.float32(1.0)
LARGEST = np.float32(2.0 ** 31)       # of an edge, in pixels
bytes_at = pointer_to("u8")


def make_draw(types):
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


@helper
def overlap(a, b):
    """The area that two boxes share, by the area that they cover; 0 if one has none."""
    top_a, bottom_a, left_a, right_a = min(a[0], a[2]), max(a[0], a[2]), min(a[1], a[3]), max(a[1], a[3])
    top_b, bottom_b, left_b, right_b = min(b[0], b[2]), max(b[0], b[2]), min(b[1], b[3]), max(b[1], b[3])
    area_a, area_b = (bottom_a - top_a) * (right_a - left_a), (bottom_b - top_b) * (right_b - left_b)
    if area_a <= ZERO or area_b <= ZERO:
        return ZERO
    high = max(min(bottom_a, bottom_b) - max(top_a, top_b), ZERO)
    wide = max(min(right_a, right_b) - max(left_a, left_b), ZERO)
    shared = high * wide
    return shared / (area_a + area_b - shared)


def make_suppress(types):
    def bind(boxes, most, choice):
        choice[TILES] = 1
        choice[WORK_BYTES] = boxes + 64

    def run(box, score, most_overlap, least_score, out, count, boxes, most, choice, work, scratch, phase, tile):
        gone = bytes_at(work)
        for i in range(boxes):
            gone[i] = 0 if score[i] > least_score[0] else 1
        found = 0
        while found < most:
            best = -1
            for i in range(boxes):
                if gone[i] == 0 and (best < 0 or score[i] > score[best]):
                    best = i
            if best < 0:
                break
            out[found] = best
            found += 1
            gone[best] = 1
            for i in range(boxes):
                if gone[i] == 0 and overlap(offset(box, i * 4), offset(box, best * 4)) > most_overlap[0]:
                    gone[i] = 1
        for i in range(found, most):
            out[i] = 0
        count[0] = found
        return OK
    return Functions(bind, run)
