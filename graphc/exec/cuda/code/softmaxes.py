"""Softmax and the losses on it as one kernel that reads each element once: a row is in the registers of its threads.

`lanes` threads, a power of two, have a row, neighbours neighbouring elements, each `each` of them; what they find is
joined pair by pair (warps.py), so it depends on the row's length alone. What a row has too few elements for is the
lowest number, and adds nothing.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphc.exec.cuda.code.builder import THREADS, Array, KernelBuilder, Value
from graphc.exec.cuda.code.short_floats import rounded_to, widened
from graphc.exec.cuda.code.warps import DECLARATIONS, WARPS, Join, joined, joined_among


@dataclass(frozen=True)
class Rows:
    """See the header. given, result: what x and y are in memory, `dtype` or a 16-bit float."""

    dtype: str
    lanes: int
    each: int
    given: str
    result: str


class _Row:
    """This thread's elements of its row, and what is found out about the row."""

    def __init__(self, k: KernelBuilder, r: Rows, x: Array, rows: Value, cols: Value) -> None:
        self.k, self.r, self.cols = k, r, cols
        self.shared = k.shared("found", r.dtype, WARPS)
        thread = k.index("tid.x")
        self.thread, self.lane = thread, thread & (r.lanes - 1)
        self.row = k.index("ctaid.x") * (THREADS // r.lanes) + thread // r.lanes
        self.valid = self.row < rows
        self.places = [self.lane + i * r.lanes for i in range(r.each)]
        self.inside = [self.valid & (place < cols) for place in self.places]
        self.first = self.row * cols + self.lane
        found = self.load(x, float("-inf"))
        greatest = self.joined(found, lambda a, b: k.call("max", a, b))
        self.above = [value - greatest for value in found]

    def load(self, x: Array, outside: float) -> list[Value]:
        """This thread's elements. All loads come before what is made of any."""
        found, here = [self.k.variable(outside, self.r.dtype) for _ in self.places], x.at(self.first)
        for i, (inside, place) in enumerate(zip(self.inside, found, strict=True)):
            with self.k.when(inside):
                place.set(widened(self.k, here[i * self.r.lanes]))
        return [place.get() for place in found]

    def joined(self, values: list[Value], join: Join) -> Value:
        """What the values of the whole row come to."""
        return joined_among(self.k, joined(values, join), self.r.lanes, join, self.shared)

    def sum(self, values: list[Value]) -> Value:
        """Of those inside."""
        zero = self.k.constant(0.0, self.r.dtype)
        return self.joined([self.k.choose(inside, value, zero)
                            for inside, value in zip(self.inside, values, strict=True)], lambda a, b: a + b)

    def store(self, y: Array, values: list[Value]) -> None:
        here = y.at(self.first)
        for i, (inside, value) in enumerate(zip(self.inside, values, strict=True)):
            with self.k.when(inside):
                here[i * self.r.lanes] = rounded_to(self.k, value, y.dtype)

    def logarithms(self) -> list[Value]:
        """Of the softmax."""
        total = self.k.call("log", self.sum([self.k.call("exp", value) for value in self.above]))
        return [value - total for value in self.above]


def softmax(r: Rows, logarithm: bool) -> KernelBuilder:
    """gc_softmax(x, y, rows, cols); logarithm: of the softmax."""
    k = KernelBuilder("gc_softmax", before=DECLARATIONS)
    x, y = k.array("x", r.given), k.array("y", r.result)
    row = _Row(k, r, x, *k.numbers("rows", "cols"))
    if logarithm:
        row.store(y, row.logarithms())
        return k
    powers = [k.call("exp", value) for value in row.above]
    scale = k.constant(1.0, r.dtype) / row.sum(powers)
    row.store(y, [power * scale for power in powers])
    return k


def losses(r: Rows, label: str) -> KernelBuilder:
    """gc_losses(x, labels, loss, gradient, rows, cols): label: the type of labels, which are classes, or "" of one
    weight for each class. A label that is no class is told elsewhere."""
    k = KernelBuilder("gc_losses", before=DECLARATIONS)
    x, labels = k.array("x", r.dtype), k.array("labels", label or r.dtype)
    loss, gradient = k.array("loss", r.dtype), k.array("gradient", r.dtype)
    row = _Row(k, r, x, *k.numbers("rows", "cols"))
    less, zero = row.logarithms(), k.constant(0.0, r.dtype)
    if label:
        chosen = labels[k.choose(row.valid, row.row, 0)].to("i64")
        hits = [place.equals(chosen) for place in row.places]
        weights = [k.choose(hit, k.constant(1.0, r.dtype), zero) for hit in hits]
        parts = [k.choose(hit, -value, zero) for hit, value in zip(hits, less, strict=True)]
    else:
        weights = row.load(labels, 0.0)
        parts = [k.choose(weight.differs(0.0), weight * -value, zero)
                 for weight, value in zip(weights, less, strict=True)]
    total = row.sum(parts)
    row.store(gradient, [k.call("exp", value) - weight for value, weight in zip(less, weights, strict=True)])
    with k.when(row.lane.equals(0) & row.valid):
        loss[row.row] = total
    return k
