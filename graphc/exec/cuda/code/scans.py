"""Kernels of running sums and products along an axis, x[outer, n, inner]; and what is made of them.

scan_columns: a thread a column, element after element, as the CPU does it and with its bits. scan_blocks: a block a
segment of a column, CHUNK elements at a time: each thread combines EACH neighbours, the threads of a warp theirs in
log2(WARP) steps, and then warps. Sums of floats are in another order then, which depends on sizes alone.
"""
from __future__ import annotations

from graphc.exec.cuda.code.builder import THREADS, Array, KernelBuilder, Value
from graphc.exec.cuda.code.warps import DECLARATIONS, WARP, WARPS, of_earlier

EACH = 4
CHUNK = THREADS * EACH


class _Lines:
    """What both kinds have in common: a column's elements, by their number from the end where the scan begins."""

    def __init__(self, k: KernelBuilder, product: bool, x: Array, y: Array, start: Value, n: Value, inner: Value,
                 reverse: Value) -> None:
        self.k, self.product = k, product
        self.x, self.y, self.n, self.inner, self.reverse = x.at(start), y.at(start), n, inner, reverse

    def place(self, i: Value) -> Value:
        return self.k.choose(self.reverse.differs(0), self.n - 1 - i, i) * self.inner

    def neutral(self) -> Value:
        return self.k.constant(int(self.product), self.x.dtype)

    def join(self, total: Value, value: Value) -> Value:
        return total * value if self.product else total + value


def scan_columns(dtype: str, product: bool, narrow: bool) -> KernelBuilder:
    """gc_scan_columns(x, y, columns, n, inner, exclusive, reverse); y may be x's memory."""
    k = KernelBuilder("gc_scan_columns", narrow)
    x, y = k.array("x", dtype), k.array("y", dtype)
    columns, n, inner, exclusive, reverse = k.numbers("columns", "n", "inner", "exclusive", "reverse")
    outer, column = k.parts(k.thread(columns), inner)
    lines = _Lines(k, product, x, y, outer * n * inner + column, n, inner, reverse)
    total = k.variable(lines.neutral())
    with k.loop(0, n) as i:
        before, place = total.get(), lines.place(i)
        following = lines.join(before, lines.x[place])
        lines.y[place] = k.choose(exclusive.differs(0), before, following)
        total.set(following)
    return k


def scan_blocks(dtype: str, product: bool, totals: bool, started: bool) -> KernelBuilder:
    """gc_scan_blocks(x, y, starts, n, inner, exclusive, reverse, segment), grid (columns, segments). totals: y is not
    written, but what each segment gives, to starts[column, segment]; started: segments begin with what stands there."""
    k = KernelBuilder("gc_scan_blocks", before=DECLARATIONS)
    x, y, starts = k.array("x", dtype), k.array("y", dtype), k.array("starts", dtype)
    n, inner, exclusive, reverse, segment = k.numbers("n", "inner", "exclusive", "reverse", "segment")
    shared = k.shared("sums", dtype, WARPS)
    column, number, segments = k.index("ctaid.x"), k.index("ctaid.y"), k.index("nctaid.y")
    thread = k.index("tid.x")
    lines = _Lines(k, product, x, y, column // inner * n * inner + column % inner, n, inner, reverse)
    slot = column * segments + number
    carry = k.variable(starts[slot] if started else lines.neutral())
    end = k.least((number + 1) * segment, n)
    with k.loop(number * segment, end, CHUNK) as chunk:
        first = chunk + thread * EACH
        own, sums = lines.neutral(), []
        values = []
        for i in range(EACH):
            inside = first + i < end
            value = lines.x[lines.place(k.choose(inside, first + i, chunk))]
            values.append((inside, k.choose(inside, value, lines.neutral())))
            own = lines.join(own, values[-1][1]) if i else values[-1][1]
            sums.append(own)
        k.barrier()                                        # nobody reads the last chunk's sums any more
        before, whole = _across(k, lines, shared, thread, own)
        start = lines.join(carry.get(), before)
        if not totals:
            for i, (inside, _) in enumerate(values):
                here = lines.join(start, sums[i - 1]) if i else start
                with k.when(inside):
                    lines.y[lines.place(first + i)] = k.choose(exclusive.differs(0), here, lines.join(start, sums[i]))
        carry.set(lines.join(carry.get(), whole))
    if totals:
        with k.when(thread.equals(0)):
            starts[slot] = carry.get()
    return k


def _across(k: KernelBuilder, lines: _Lines, shared: Array, thread: Value, own: Value) -> tuple[Value, Value]:
    """What the threads before this one have together, and what all of the block have."""
    lane, warp = thread & (WARP - 1), thread // WARP
    distance, total = 1, own
    while distance < WARP:
        total = k.choose(lane >= distance, lines.join(of_earlier(k, total, distance), total), total)
        distance *= 2
    with k.when(lane.equals(WARP - 1)):
        shared[warp] = total
    k.barrier()
    before, whole = lines.neutral(), lines.neutral()
    for number in range(WARPS):
        before = k.choose(warp.equals(number), whole, before)
        whole = lines.join(whole, shared[number]) if number else shared[number]
    return k.choose(lane > 0, lines.join(before, of_earlier(k, total, 1)), before), whole


def nonzero(narrow: bool) -> KernelBuilder:
    """gc_nonzero(mask, places, out, n, count): the positions of the true elements; places: how many are before each."""
    k = KernelBuilder("gc_nonzero", narrow)
    mask, places, out = k.array("mask", "bool"), k.array("places", "i64"), k.array("out", "i64")
    n, count = k.numbers("n", "count")
    i = k.thread(n)
    place = places[i]
    k.go_on_if(mask[i] & (place < count))
    out[place] = i
    return k
