"""crop_boxes and its gradients: parts of pictures, each as a picture of `high` by `wide` pixels.

Job: a box is (y1, x1, y2, x2), 0 and 1 being the middles of the first and last pixels. Crop i is of the picture
index[i]; each pixel is mixed from four, or is the nearest one, or `outside`.
Arithmetic is float32's, in TensorFlow's order, as a place beside the border is not one upon it.
Invariants: every index from data is checked before it is used (INDEX_OUT_OF_RANGE); what is no number is outside. Sums
run in the order of boxes, whatever the number of threads: a tile owns a box, or a whole picture.
"""
from __future__ import annotations

import numpy as np

from ...contracts.calls import Functions
from ..array.gather import refuse
from ..memory import helper, offset
from ..words import OK, SCRATCH_BYTES, TILES

ZERO, HALF, ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)


@helper
def place(low, high, size, count, index):
    """Where row (or column) `index` of `count` of a crop lies, in pixels of `size`."""
    last = np.float32(size - 1)
    if count > 1:
        step = (high - low) * last / np.float32(count - 1)
        return low * last + np.float32(index) * step
    return HALF * (low + high) * last


@helper
def is_inside(where, size):
    """Whether a place lies in the picture; not if it is no number."""
    return where >= ZERO and where <= np.float32(size - 1)


@helper
def nearest_of(where):
    low = int(where)
    return low + 1 if where - np.float32(low) >= HALF else low


def make_crop(types):
    def bind(batch, rows, columns, depth, boxes, high, wide, nearest, choice):
        choice[TILES] = boxes
        choice[SCRATCH_BYTES] = 64

    def run(image, box, index, outside, out, batch, rows, columns, depth, boxes, high, wide, nearest, choice, work,
            scratch, phase, tile):
        picture = index[tile]
        if picture < 0 or picture >= batch:
            return refuse(scratch, picture, batch)
        corner, source = offset(box, tile * 4), offset(image, picture * rows * columns * depth)
        for i in range(high):
            y = place(corner[0], corner[2], rows, high, i)
            for j in range(wide):
                target = offset(out, ((tile * high + i) * wide + j) * depth)
                x = place(corner[1], corner[3], columns, wide, j)
                if not (is_inside(y, rows) and is_inside(x, columns)):
                    for c in range(depth):
                        target[c] = outside[0]
                elif nearest != 0:
                    pixel = offset(source, (nearest_of(y) * columns + nearest_of(x)) * depth)
                    for c in range(depth):
                        target[c] = np.float32(pixel[c])
                else:
                    top, left = int(y), int(x)
                    dy, dx = y - np.float32(top), x - np.float32(left)
                    below, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
                    first = offset(source, (top * columns + left) * depth)
                    second = offset(source, (top * columns + right) * depth)
                    third = offset(source, (below * columns + left) * depth)
                    fourth = offset(source, (below * columns + right) * depth)
                    for c in range(depth):
                        upper = np.float32(first[c]) + (np.float32(second[c]) - np.float32(first[c])) * dx
                        lower = np.float32(third[c]) + (np.float32(fourth[c]) - np.float32(third[c])) * dx
                        target[c] = upper + (lower - upper) * dy
        return OK
    return Functions(bind, run)


def make_image_gradient(types):
    def bind(batch, rows, columns, depth, boxes, high, wide, nearest, choice):
        choice[TILES] = batch
        choice[SCRATCH_BYTES] = 64

    def run(grads, box, index, out, batch, rows, columns, depth, boxes, high, wide, nearest, choice, work, scratch,
            phase, tile):
        picture = offset(out, tile * rows * columns * depth)
        for i in range(rows * columns * depth):
            picture[i] = 0
        for b in range(boxes):
            if index[b] < 0 or index[b] >= batch:
                return refuse(scratch, index[b], batch)
            if index[b] != tile:
                continue
            corner = offset(box, b * 4)
            for i in range(high):
                y = place(corner[0], corner[2], rows, high, i)
                for j in range(wide):
                    x = place(corner[1], corner[3], columns, wide, j)
                    if not (is_inside(y, rows) and is_inside(x, columns)):
                        continue
                    source = offset(grads, ((b * high + i) * wide + j) * depth)
                    if nearest != 0:
                        pixel = offset(picture, (nearest_of(y) * columns + nearest_of(x)) * depth)
                        for c in range(depth):
                            pixel[c] += source[c]
                        continue
                    top, left = int(y), int(x)
                    dy, dx = y - np.float32(top), x - np.float32(left)
                    below, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
                    first = offset(picture, (top * columns + left) * depth)
                    second = offset(picture, (top * columns + right) * depth)
                    third = offset(picture, (below * columns + left) * depth)
                    fourth = offset(picture, (below * columns + right) * depth)
                    for c in range(depth):
                        upper, lower = (ONE - dy) * source[c], dy * source[c]
                        first[c] += (ONE - dx) * upper
                        second[c] += dx * upper
                        third[c] += (ONE - dx) * lower
                        fourth[c] += dx * lower
        return OK
    return Functions(bind, run)


@helper
def add_share(out, low, high, slope, size, count, index):
    """What a crop's place changes by, with the two ends of the box: to out[low] and out[high]."""
    last = np.float32(size - 1)
    if count > 1:
        far = np.float32(index) * (last / np.float32(count - 1))
        out[low] += slope * (last - far)
        out[high] += slope * far
    else:
        out[low] += slope * HALF * last
        out[high] += slope * HALF * last


def make_box_gradient(types):
    def bind(batch, rows, columns, depth, boxes, high, wide, choice):
        choice[TILES] = boxes
        choice[SCRATCH_BYTES] = 64

    def run(grads, image, box, index, out, batch, rows, columns, depth, boxes, high, wide, choice, work, scratch, phase,
            tile):
        picture = index[tile]
        if picture < 0 or picture >= batch:
            return refuse(scratch, picture, batch)
        corner, made = offset(box, tile * 4), offset(out, tile * 4)
        pixels = offset(image, picture * rows * columns * depth)
        for i in range(4):
            made[i] = ZERO
        for i in range(high):
            y = place(corner[0], corner[2], rows, high, i)
            for j in range(wide):
                x = place(corner[1], corner[3], columns, wide, j)
                if not (is_inside(y, rows) and is_inside(x, columns)):
                    continue
                source = offset(grads, ((tile * high + i) * wide + j) * depth)
                top, left = int(y), int(x)
                dy, dx = y - np.float32(top), x - np.float32(left)
                # As TF: upon a pixel the picture is level.
                below, right = top + 1 if dy > ZERO else top, left + 1 if dx > ZERO else left
                first = offset(pixels, (top * columns + left) * depth)
                second = offset(pixels, (top * columns + right) * depth)
                third = offset(pixels, (below * columns + left) * depth)
                fourth = offset(pixels, (below * columns + right) * depth)
                down, across = ZERO, ZERO
                for c in range(depth):
                    p, q = np.float32(first[c]), np.float32(second[c])
                    r, t = np.float32(third[c]), np.float32(fourth[c])
                    down += ((ONE - dx) * (r - p) + dx * (t - q)) * source[c]
                    across += ((ONE - dy) * (q - p) + dy * (t - r)) * source[c]
                add_share(made, 0, 2, down, rows, high, i)
                add_share(made, 1, 3, across, columns, wide, j)
        return OK
    return Functions(bind, run)
