"""Kernels for the index tuples of sparse tensors, rows[n, depth] of int64: runs of equal ones, searches, checks.

Orders come from sorts.py; what they name is kept within the rows, and reported elsewhere if it was not.
"""
from __future__ import annotations

from graphc.exec.cuda.code.builder import Array, KernelBuilder, Value
from graphc.exec.cuda.code.indices import AXES, refuse


def _before(k: KernelBuilder, a: Array, b: Array, depth: Value) -> Value:
    """Whether tuple a comes before tuple b, lexicographically."""
    result, at = k.variable(False, "bool"), k.variable(depth)
    with k.repeat(lambda: at.get() > 0):
        column = at.get() - 1
        at.set(column)
        x, y = a[column], b[column]
        result.set((x < y) | (x.equals(y) & result.get()))
    return result.get()


def _differ(k: KernelBuilder, a: Array, b: Array, width: Value) -> Value:
    """Whether the first `width` columns are not all equal."""
    result = k.variable(False, "bool")
    with k.loop(0, width) as column:
        result.set(result.get() | a[column].differs(b[column]))
    return result.get()


def _kept(k: KernelBuilder, number: Value, count: Value) -> Value:
    return k.choose(number.inside(0, count), number, 0)


def heads() -> KernelBuilder:
    """gc_heads(rows, order, heads, n, depth, width): 1 for each place of the order whose tuple differs, in its first
    columns, from that of the place before, else 0."""
    k = KernelBuilder("gc_heads")
    rows, order, found = k.array("rows", "i64"), k.array("order", "i64"), k.array("heads", "i64")
    n, depth, width = k.numbers("n", "depth", "width")
    place = k.thread(n)
    here, before = (_kept(k, order[at], n) for at in (place, k.greatest(place - 1, 0)))
    differ = _differ(k, rows.at(here * depth), rows.at(before * depth), width)
    found[place] = (place.equals(0) | differ).to("i64")
    return k


def find_rows() -> KernelBuilder:
    """gc_find_rows(rows, table, order, place, n, m, depth): for each tuple the first equal one in the table's order,
    -1 if there is none."""
    k = KernelBuilder("gc_find_rows")
    rows, table = k.array("rows", "i64"), k.array("table", "i64")
    order, place = k.array("order", "i64"), k.array("place", "i64")
    n, m, depth = k.numbers("n", "m", "depth")
    i = k.thread(n)
    wanted = rows.at(i * depth)
    low, high = k.variable(0), k.variable(m)
    with k.repeat(lambda: low.get() < high.get()):
        middle = (low.get() + high.get()) >> 1
        earlier = _before(k, table.at(_kept(k, order[middle], m) * depth), wanted, depth)
        low.set(k.choose(earlier, middle + 1, low.get()))
        high.set(k.choose(earlier, high.get(), middle))
    found = k.variable(-1)
    with k.when(low.get() < m):
        at = _kept(k, order[low.get()], m)
        found.set(k.choose(_differ(k, table.at(at * depth), wanted, depth), -1, at))
    place[i] = found.get()
    return k


def check_rows() -> KernelBuilder:
    """gc_check_rows(rows, sizes, outside, behind, n, depth): -1 for each tuple that is outside of the sizes; for each
    that does not come after the one before it; else 0."""
    k = KernelBuilder("gc_check_rows")
    rows, sizes = k.array("rows", "i64"), k.array("sizes", "i64")
    outside, behind = k.array("outside", "i64"), k.array("behind", "i64")
    n, depth = k.numbers("n", "depth")
    i = k.thread(n)
    here, good = rows.at(i * depth), k.variable(True, "bool")
    with k.loop(0, depth) as column:
        good.set(good.get() & here[column].inside(0, sizes[column]))
    outside[i] = k.choose(good.get(), k.constant(0, "i64"), -1)
    follows = i.equals(0) | _before(k, rows.at(k.greatest(i - 1, 0) * depth), here, depth)
    behind[i] = k.choose(follows, k.constant(0, "i64"), -1)
    return k


def refused_row(depth: int) -> KernelBuilder:
    """gc_refused_row(first, other, rows, sizes, record, n): the record of the first tuple that is outside, unless
    another is refused before it. Of a length that no tuple of an error has: its first bad index, and the size."""
    k = KernelBuilder("gc_refused_row")
    first, other, rows = k.array("first", "i64"), k.array("other", "i64"), k.array("rows", "i64")
    sizes, record = k.array("sizes", "i64"), k.array("record", "i64")
    n = k.number("n")
    k.go_on_if(k.index("tid.x").equals(0))
    number = first[0]
    refused = (number < n) & (number <= other[0])
    refuse(k, record, refused)
    k.go_on_if(refused)
    row = rows.at(number * depth)
    if 2 <= depth <= AXES:
        record[1], record[2] = number, k.constant(depth, "i64")
        for axis in range(AXES):
            record[3 + axis] = row[axis] if axis < depth else k.constant(0, "i64")
            record[3 + AXES + axis] = sizes[axis] if axis < depth else k.constant(1, "i64")
        return k
    open_ = k.variable(True, "bool")
    with k.loop(0, depth) as column, k.when(open_.get() & ~row[column].inside(0, sizes[column])):
        record[1], record[2] = row[column], sizes[column]
        open_.set(False)
    return k


def refused_order() -> KernelBuilder:
    """gc_refused_order(first, other, rows, record, n, depth): the record of the first tuple that is not behind the one
    before it, and 1, or 0 if they are equal; unless another is refused before it."""
    k = KernelBuilder("gc_refused_order")
    first, other = k.array("first", "i64"), k.array("other", "i64")
    rows, record = k.array("rows", "i64"), k.array("record", "i64")
    n, depth = k.numbers("n", "depth")
    k.go_on_if(k.index("tid.x").equals(0))
    number = first[0]
    refused = (number < n) & (number < other[0])
    refuse(k, record, refused)
    k.go_on_if(refused)
    record[1] = number
    record[2] = _before(k, rows.at(number * depth), rows.at((number - 1) * depth), depth).to("i64")
    return k
