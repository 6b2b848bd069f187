"""Kernels that sort: stable, and the first `keep` of each row only if no more are wanted.

What is sorted are the numbers of elements, by what the elements hold. Runs of RUN neighbours are put in order by
counting, for each element, those before it; then two runs at a time are merged, where an element's place is its place
in its run and, by bisection, in the other one. Every comparison is of a total order, so each place is written once.
Orders: "ascending" and "descending" (NaN is the greatest; of equal ones the lower number is first), "rows" (of `depth`
int64, lexicographic).
"""
from __future__ import annotations

from graphc.exec.cuda.code.builder import Array, KernelBuilder, Value

RUN = 32


class _Keys:
    """What is compared, and how."""

    def __init__(self, k: KernelBuilder, order: str, keys: Array, depth: Value) -> None:
        self.k, self.order, self.keys, self.depth = k, order, keys, depth

    def before(self, i: Value, j: Value) -> Value:
        """Whether element i comes before element j; not if they are one."""
        if self.order == "rows":
            return self._rows_before(i, j)
        x, y = self.keys[i], self.keys[j]
        if self.order == "ascending":
            x, y = y, x
        first = x > y
        if x.floating:
            nan, other = x.differs(x), y.differs(y)
            first = first | (nan & ~other)
            same = x.equals(y) | (nan & other)
        else:
            same = x.equals(y)
        return first | (same & (i < j))

    def _rows_before(self, i: Value, j: Value) -> Value:
        result, at = self.k.variable(i < j), self.k.variable(self.depth)
        with self.k.repeat(lambda: at.get() > 0):
            column = at.get() - 1
            at.set(column)
            x, y = self.keys[i * self.depth + column], self.keys[j * self.depth + column]
            result.set((x < y) | (x.equals(y) & result.get()))
        return result.get()


def runs(order: str, dtype: str, narrow: bool) -> KernelBuilder:
    """gc_runs(keys, target, elements, n, room, stride, depth): elements = rows * n; of each run the first `room`
    stand side by side, the rows `stride` apart."""
    k = KernelBuilder("gc_runs", narrow)
    keys, target = k.array("keys", dtype), k.array("target", "i64")
    elements, n, room, stride, depth = k.numbers("elements", "n", "room", "stride", "depth")
    row, j = k.parts(k.thread(elements), n)
    compared = _Keys(k, order, keys.at(row * n * (depth if order == "rows" else 1)), depth)
    run = j >> 5
    begin, rank = run * RUN, k.variable(0)
    with k.loop(begin, k.least(begin + RUN, n)) as other:
        rank.set(rank.get() + compared.before(other, j).to("i64"))
    k.go_on_if(rank.get() < room)
    target[row * stride + run * room + rank.get()] = j
    return k


def merge(order: str, dtype: str, narrow: bool) -> KernelBuilder:
    """gc_merge(keys, source, target, slots, n, runs, length, room, next room, stride, depth): slots = rows * runs *
    room; runs are made of `length` elements each, `room` of which were kept."""
    k = KernelBuilder("gc_merge", narrow)
    keys, source, target = k.array("keys", dtype), k.array("source", "i64"), k.array("target", "i64")
    slots, n, count, length, room, next_room, stride, depth = k.numbers(
        "slots", "n", "runs", "length", "room", "next.room", "stride", "depth")
    row, run, at = k.parts(k.thread(slots), count, room)
    compared = _Keys(k, order, keys.at(row * n * (depth if order == "rows" else 1)), depth)

    def held(number: Value) -> Value:
        return k.least(k.least(k.greatest(n - number * length, 0), length), room)

    k.go_on_if(at < held(run))
    mine, sibling = source[(row * count + run) * room + at], run ^ 1
    others = source.at((row * count + sibling) * room)
    low, high = k.variable(0), k.variable(held(sibling))
    with k.repeat(lambda: low.get() < high.get()):
        middle = (low.get() + high.get()) >> 1
        earlier = compared.before(others[middle], mine)
        low.set(k.choose(earlier, middle + 1, low.get()))
        high.set(k.choose(earlier, high.get(), middle))
    place = at + low.get()
    k.go_on_if(place < next_room)
    target[row * stride + (run >> 1) * next_room + place] = mine
    return k


def take_best(dtype: str, narrow: bool) -> KernelBuilder:
    """gc_take_best(x, order, values, indices, elements, n, k): the elements that the order names, and their numbers."""
    k = KernelBuilder("gc_take_best", narrow)
    x, order = k.array("x", dtype), k.array("order", "i64")
    values, indices = k.array("values", dtype), k.array("indices", "i32")
    elements, n, kept = k.numbers("elements", "n", "k")
    i = k.thread(elements)
    row, _ = k.parts(i, kept)
    values[i], indices[i] = x[row * n + order[i]], order[i].to("i32")
    return k


def bounds(dtype: str, index: str, upper: bool, narrow: bool) -> KernelBuilder:
    """gc_bounds(sorted, values, out, elements, n, count): elements = rows * count; how many of the row's n numbers are
    less than the value (upper: not greater)."""
    k = KernelBuilder("gc_bounds", narrow)
    row, values, out = k.array("row", dtype), k.array("values", dtype), k.array("out", index)
    elements, n, count = k.numbers("elements", "n", "count")
    i = k.thread(elements)
    number, _ = k.parts(i, count)
    row, value = row.at(number * n), values[i]
    low, high = k.variable(0), k.variable(n)
    with k.repeat(lambda: low.get() < high.get()):
        middle = (low.get() + high.get()) >> 1
        element = row[middle]
        above = ~(value < element) if upper else element < value
        low.set(k.choose(above, middle + 1, low.get()))
        high.set(k.choose(above, high.get(), middle))
    out[i] = low.get().to(index)
    return k


def first_equal(dtype: str) -> KernelBuilder:
    """gc_first_equal(x, order, first, n): of each element the number of the first one that is equal to it; order sorts
    them in ascending order. A NaN is equal to nothing, and so its own."""
    k = KernelBuilder("gc_first_equal")
    x, order, first = k.array("x", dtype), k.array("order", "i64"), k.array("first", "i64")
    n = k.number("n")
    i = k.thread(n)
    value = x[i]
    low, high = k.variable(0), k.variable(n)
    with k.repeat(lambda: low.get() < high.get()):
        middle = (low.get() + high.get()) >> 1
        earlier = x[order[middle]] < value
        low.set(k.choose(earlier, middle + 1, low.get()))
        high.set(k.choose(earlier, high.get(), middle))
    found = order[k.least(low.get(), n - 1)]
    first[i] = k.choose(x[found].equals(value), found, i)
    return k
