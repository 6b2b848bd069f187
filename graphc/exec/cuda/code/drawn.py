"""Kernels that cut glimpses out of pictures and draw boxes on them: a thread an element, the CPU's float32 operations
(kernels/cpu/image/glimpse.py, draw_boxes.py). Places that are no integers, or too far away, are outside.
"""
from __future__ import annotations

from graphc.exec.cuda.code.builder import KernelBuilder, Value

TOO_FAR = 2.0 ** 31
OUTSIDE = 1 << 40


def _whole(k: KernelBuilder, place: Value, otherwise: int) -> Value:
    """Without its fraction."""
    near = k.call("abs", place) < TOO_FAR
    safe = k.choose(near, place, 0.0)
    return k.choose(near, k.made(f"fptosi float {safe} to i64", "i64"), otherwise)


def glimpse(centered: bool, normalized: bool, narrow: bool) -> KernelBuilder:
    """gc_glimpse(image, place, out, elements, rows, columns, depth, high, wide): what a window sees of its picture; the
    rest of `out` stays."""
    k = KernelBuilder("gc_glimpse", narrow)
    image, place, out = (k.array(name, "f32") for name in ("image", "place", "out"))
    elements, rows, columns, depth, high, wide = k.numbers("elements", "rows", "columns", "depth", "high", "wide")
    element = k.thread(elements)
    picture, i, j, channel = k.parts(element, high, wide, depth)

    def first(at: Value, size: Value, window: Value) -> Value:
        if normalized:
            at = at * size.to("f32")
        if centered:
            at = at * 0.5 + size.to("f32") * 0.5
        return _whole(k, at - window.to("f32") * 0.5, OUTSIDE)

    row = first(place[picture * 2], rows, high) + i
    column = first(place[picture * 2 + 1], columns, wide) + j
    k.go_on_if(row.inside(0, rows) & column.inside(0, columns))
    out[element] = image[((picture * rows + row) * columns + column) * depth + channel]
    return k


def boxes(narrow: bool) -> KernelBuilder:
    """gc_boxes(image, box, color, out, elements, rows, columns, depth, boxes, colors, channels): the edges of boxes
    (y1, x1, y2, x2), one after the other, in the colours in turn; in 1 if there is one channel."""
    k = KernelBuilder("gc_boxes", narrow)
    image, box, color, out = (k.array(name, "f32") for name in ("image", "box", "color", "out"))
    elements, rows, columns, depth, count, colors, channels = k.numbers("elements", "rows", "columns", "depth", "boxes",
                                                                        "colors", "channels")
    element = k.thread(elements)
    picture, row, column, channel = k.parts(element, rows, columns, depth)
    value, high, wide = k.variable(image[element]), (rows - 1).to("f32"), (columns - 1).to("f32")
    with k.loop(0, count) as b:
        corner = box.at((picture * count + b) * 4)
        sides = [corner[0] * high, corner[1] * wide, corner[2] * high, corner[3] * wide]
        near = k.constant(True, "bool")
        for side in sides:
            near = near & (k.call("abs", side) < TOO_FAR)
        top, left, bottom, right = (_whole(k, side, 0) for side in sides)
        across = (row.equals(top) | row.equals(bottom)) & (column >= left) & (column <= right)
        down = (column.equals(left) | column.equals(right)) & (row >= top) & (row <= bottom)
        with k.when(near & (top <= bottom) & (left <= right) & (across | down)):
            value.set(k.choose(depth.equals(1), 1.0, color[b % colors * channels + channel]))
    out[element] = value.get()
    return k
