"""draw_boxes: pictures with the edges of boxes. suppress_boxes and its kin: the best boxes that do not overlap.

Job: draw_boxes copies pictures and draws boxes (y1, x1, y2, x2; 1 is the last row or column) in the colours, in turn;
in 1 if there is one channel.
suppress_boxes picks boxes by their scores in descending order, equal scores in ascending order of boxes, and leaves out
those that overlap one picked before by more than `most_overlap`; with `sigma` above 0 their scores fall instead, by a
factor exp(-overlap^2 / (2 sigma)). It writes how many it picked, their scores, and zeros behind them. suppress_overlaps
does so by a table of overlaps, suppress_classes class by class, and gathers the best of all classes; equal scores in
ascending order of classes.
Invariants: rows and columns are cut to the picture before they are used; an edge too far away to be an integer, or that
is no number, is none.
"""
from __future__ import annotations

import numpy as np

from ...contracts.calls import Functions
from ...scalars.exponential import exp_f32
from ..memory import address, copy_bytes, helper, offset, pointer_to
from ..words import INVALID_VALUE, OK, TILES, WORK_BYTES

ZERO, ONE = np.float32(0.0), np.float32(1.0)
LARGEST = np.float32(2.0 ** 31)       # of an edge, in pixels
LOWEST = np.float32(-np.inf)          # of a box that is out
floats_at, ints_at = pointer_to("f32"), pointer_to("i32")


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


def suppress(similarity, limited):
    """The functions of a suppression; similarity(given, boxes, i, j) of two boxes. limited: whether most_overlap must
    be from 0 to 1."""
    similarity = helper(similarity)

    def bind(boxes, most, choice):
        choice[TILES] = 1
        choice[WORK_BYTES] = boxes * 4 + 64

    def run(given, score, most_overlap, least_score, sigma, out, kept, count, boxes, most, choice, work, scratch, phase,
            tile):
        if limited and not ZERO <= most_overlap[0] <= ONE:
            return INVALID_VALUE
        left, least = floats_at(work), least_score[0]
        softly = sigma[0] > ZERO
        scale = np.float32(-0.5) / sigma[0] if softly else ZERO
        for i in range(boxes):
            left[i] = score[i] if score[i] > least else LOWEST
        found = 0
        while found < most:
            best = -1
            for i in range(boxes):
                if left[i] > LOWEST and (best < 0 or left[i] > left[best]):
                    best = i
            if best < 0:
                break
            out[found] = best
            kept[found] = left[best]
            found += 1
            left[best] = LOWEST
            for i in range(boxes):
                if left[i] > LOWEST:
                    shared = similarity(given, boxes, i, best)
                    if softly:
                        left[i] *= exp_f32(scale * shared * shared)
                    if (not softly and shared > most_overlap[0]) or not left[i] > least:
                        left[i] = LOWEST
        for i in range(found, most):
            out[i] = 0
            kept[i] = ZERO
        count[0] = found
        return OK
    return Functions(bind, run)


def make_suppress(types):
    def of_boxes(box, boxes, i, j):
        return overlap(offset(box, i * 4), offset(box, j * 4))
    return suppress(of_boxes, True)


def make_suppress_overlaps(types):
    def of_table(table, boxes, i, j):
        return table[i * boxes + j]
    return suppress(of_table, False)


def make_suppress_classes(types):
    def bind(batch, boxes, kinds, classes, each, most, clip, choice):
        choice[TILES] = batch
        choice[WORK_BYTES] = batch * (boxes * 4 + classes * (min(each, boxes) + 2) * 4) + 64

    def run(box, score, most_overlap, least_score, out_box, out_score, out_class, count, batch, boxes, kinds, classes,
            each, most, clip, choice, work, scratch, phase, tile):
        if not ZERO <= most_overlap[0] <= ONE:
            return INVALID_VALUE
        per_class = min(each, boxes)
        start = work + tile * (boxes * 4 + classes * (per_class + 2) * 4)
        left, picked = floats_at(start), ints_at(start + boxes * 4)
        counts = offset(picked, classes * per_class)
        used = offset(counts, classes)
        for c in range(classes):
            scores, listed = offset(score, tile * boxes * classes + c), offset(picked, c * per_class)
            corners = offset(box, (tile * boxes * kinds + (c if kinds > 1 else 0)) * 4)
            for i in range(boxes):
                left[i] = scores[i * classes] if scores[i * classes] > least_score[0] else LOWEST
            found = 0
            while found < per_class:
                best = -1
                for i in range(boxes):
                    if left[i] > LOWEST and (best < 0 or left[i] > left[best]):
                        best = i
                if best < 0:
                    break
                listed[found] = best
                found += 1
                left[best] = LOWEST
                for i in range(boxes):
                    if left[i] > LOWEST and overlap(offset(corners, i * kinds * 4),
                                                    offset(corners, best * kinds * 4)) > most_overlap[0]:
                        left[i] = LOWEST
            counts[c], used[c] = found, 0
        found = 0
        while found < most:
            best, greatest = -1, LOWEST
            for c in range(classes):
                if used[c] < counts[c]:
                    value = score[(tile * boxes + picked[c * per_class + used[c]]) * classes + c]
                    if best < 0 or value > greatest:
                        best, greatest = c, value
            if best < 0:
                break
            number = picked[best * per_class + used[best]]
            used[best] += 1
            source = offset(box, ((tile * boxes + number) * kinds + (best if kinds > 1 else 0)) * 4)
            for k in range(4):
                edge = source[k]
                if clip != 0:
                    edge = max(min(edge, ONE), ZERO)
                out_box[(tile * most + found) * 4 + k] = edge
            out_score[tile * most + found] = greatest
            out_class[tile * most + found] = np.float32(best)
            found += 1
        count[tile] = found
        for i in range(found, most):
            for k in range(4):
                out_box[(tile * most + i) * 4 + k] = ZERO
            out_score[tile * most + i] = ZERO
            out_class[tile * most + i] = ZERO
        return OK
    return Functions(bind, run)
