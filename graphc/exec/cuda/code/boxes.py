"""Kernels that cut boxes out of pictures, and their gradients: arithmetic in float32, step by step the CPU's
(kernels/cpu/image/crop_boxes.py), so that its bits come out.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.builder import TWO_BLOCKS, Array, KernelBuilder, Value, Variable

SIZES = ("batch", "rows", "columns", "depth", "boxes", "high", "wide")


@dataclass(frozen=True)
class Side:
    """Rows or columns: size of the pictures, count of the crops."""

    k: KernelBuilder
    size: Value
    count: Value

    @property
    def last(self) -> Value:
        return (self.size - 1).to("f32")

    def place(self, low: Value, high: Value, index: Value) -> Value:
        """Where row `index` of a crop lies, in pixels."""
        step = (high - low) * self.last / (self.count - 1).to("f32")
        return self.k.choose(self.count > 1, low * self.last + index.to("f32") * step,
                             (low + high) * 0.5 * self.last)

    def holds(self, where: Value) -> Value:
        return (where >= 0.0) & (where <= self.last)

    def pixel(self, where: Value) -> Value:
        """The pixel at or before a place, the first one if it is outside."""
        safe = self.k.choose(self.holds(where), where, 0.0)
        return self.k.made(f"fptosi float {safe} to i64", "i64")

    def nearest(self, where: Value) -> Value:
        low = self.pixel(where)
        return low + (where - low.to("f32") >= 0.5).to("i64")


@dataclass(frozen=True)
class Crop:
    """A pixel of a crop: its box and picture, where it lies, whether that is in the picture."""

    k: KernelBuilder
    depth: Value
    box: Value
    picture: Value
    rows: Side
    columns: Side
    y: Value
    x: Value

    @property
    def inside(self) -> Value:
        return self.rows.holds(self.y) & self.columns.holds(self.x)

    def at(self, row: Value, column: Value) -> Value:
        """The first channel of a pixel."""
        return ((self.picture * self.rows.size + row) * self.columns.size + column) * self.depth

    def four(self, far: bool = True) -> tuple[list[Value], Value, Value]:
        """(upper left, upper right, lower left and lower right pixel, how far the place is below and right of the
        first). far: neighbours are the next pixels, else the pixel itself where the place is upon it."""
        top, left = self.rows.pixel(self.y), self.columns.pixel(self.x)
        dy, dx = self.y - top.to("f32"), self.x - left.to("f32")
        if far:
            below, right = self.k.least(top + 1, self.rows.size - 1), self.k.least(left + 1, self.columns.size - 1)
        else:
            below, right = self.k.choose(dy > 0.0, top + 1, top), self.k.choose(dx > 0.0, left + 1, left)
        return [self.at(i, j) for i, j in ((top, left), (top, right), (below, left), (below, right))], dy, dx


def _crop(k: KernelBuilder, box: Array, index: Array, sizes: list[Value], number: Value, i: Value, j: Value) -> Crop:
    batch, rows, columns, depth, _, high, wide = sizes
    picture = index[number].to("i64")
    picture = k.choose(picture.inside(0, batch), picture, 0)
    corner, down, across = box.at(number * 4), Side(k, rows, high), Side(k, columns, wide)
    return Crop(k, depth, number, picture, down, across, down.place(corner[0], corner[2], i),
                across.place(corner[1], corner[3], j))


def crop(dtype: str, nearest: bool, narrow: bool) -> KernelBuilder:
    """gc_crop(image, box, index, outside, out, elements, sizes): a thread an element."""
    k = KernelBuilder("gc_crop", narrow)
    image, box, index = k.array("image", dtype), k.array("box", "f32"), k.array("index", "i32")
    outside, out = k.array("outside", "f32"), k.array("out", "f32")
    elements, *sizes = k.numbers("elements", *SIZES)
    element = k.thread(elements)
    number, i, j, channel = k.parts(element, sizes[5], sizes[6], sizes[3])
    c = _crop(k, box, index, sizes, number, i, j)
    made = k.variable(outside[0])
    with k.when(c.inside):
        if nearest:
            made.set(image[c.at(c.rows.nearest(c.y), c.columns.nearest(c.x)) + channel].to("f32"))
        else:
            pixels, dy, dx = c.four()
            a, b, d, e = (image[pixel + channel].to("f32") for pixel in pixels)
            upper, lower = a + (b - a) * dx, d + (e - d) * dx
            made.set(upper + (lower - upper) * dy)
    out[element] = made.get()
    return k


def shares(dtype: str, nearest: bool, narrow: bool) -> KernelBuilder:
    """gc_shares(grads, box, index, keys, data, elements, sizes): what each element of a crop's gradient gives to the
    four pixels (nearest: the one) that it was made of, in data[pixel of a crop, one of four, depth], and which pixels
    of all pictures these are, -1 if it is outside, in keys."""
    k = KernelBuilder("gc_shares", narrow)
    grads, box, index = k.array("grads", "f32"), k.array("box", "f32"), k.array("index", "i32")
    keys, data = k.array("keys", "i64"), k.array("data", dtype)
    elements, *sizes = k.numbers("elements", *SIZES)
    element = k.thread(elements)
    number, i, j, channel = k.parts(element, sizes[5], sizes[6], sizes[3])
    c = _crop(k, box, index, sizes, number, i, j)
    gradient, pixel = grads[element], element // c.depth
    if nearest:
        places, given = [c.at(c.rows.nearest(c.y), c.columns.nearest(c.x))], [gradient]
    else:
        places, dy, dx = c.four()
        upper, lower = (1.0 - dy) * gradient, dy * gradient
        given = [(1.0 - dx) * upper, dx * upper, (1.0 - dx) * lower, dx * lower]
    for n, (place, value) in enumerate(zip(places, given, strict=True)):
        entry = pixel * len(places) + n
        data[entry * c.depth + channel] = value.to(dtype)
        with k.when(channel.equals(0)):
            keys[entry] = k.choose(c.inside, place // c.depth, -1)
    return k


def box_gradient(dtype: str) -> KernelBuilder:
    """gc_box_gradient(grads, image, box, index, out, sizes): a thread a box."""
    k = KernelBuilder("gc_box_gradient", attributes=TWO_BLOCKS)
    grads, image, box = k.array("grads", "f32"), k.array("image", dtype), k.array("box", "f32")
    index, out = k.array("index", "i32"), k.array("out", "f32")
    sizes = k.numbers(*SIZES)
    _, _, _, depth, boxes, high, wide = sizes
    number = k.thread(boxes)
    totals = [k.variable(0.0, "f32") for _ in range(4)]
    with k.loop(0, high) as i, k.loop(0, wide) as j:
        c = _crop(k, box, index, sizes, number, i, j)
        with k.when(c.inside):
            source = grads.at(((number * high + i) * wide + j) * depth)
            pixels, dy, dx = c.four(far=False)
            down, across = k.variable(0.0, "f32"), k.variable(0.0, "f32")
            with k.loop(0, depth) as channel:
                p, q, r, t = (image[pixel + channel].to("f32") for pixel in pixels)
                gradient = source[channel]
                down.set(down.get() + ((1.0 - dx) * (r - p) + dx * (t - q)) * gradient)
                across.set(across.get() + ((1.0 - dy) * (q - p) + dy * (t - r)) * gradient)
            _add_share(k, totals[0], totals[2], down.get(), c.rows, i)
            _add_share(k, totals[1], totals[3], across.get(), c.columns, j)
    for place, total in enumerate(totals):
        out[number * 4 + place] = total.get()
    return k


def _add_share(k: KernelBuilder, low: Variable, high: Variable, slope: Value, side: Side, index: Value) -> None:
    """What the two ends of a box change a crop's place by."""
    far = index.to("f32") * (side.last / (side.count - 1).to("f32"))
    middle = slope * 0.5 * side.last
    low.set(low.get() + k.choose(side.count > 1, slope * (side.last - far), middle))
    high.set(high.get() + k.choose(side.count > 1, slope * far, middle))
