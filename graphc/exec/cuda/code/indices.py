"""Kernels that take rows by index: gather, gather_nd, and what looks at indices.

An index that is out of range is taken as 0, a tuple of them as -1, which is left out: calls/ has either reported.
"""
from __future__ import annotations

from graphc.exec.cuda.code.builder import Array, KernelBuilder, Value

AXES = 7                   # of a table that tuples of indices name rows of
FAR = (1 << 63) - 1


def bits_of(size: int) -> str:
    """The type as which elements of that many bytes are moved."""
    return f"u{8 * size}"


def gather(size: int, index: str, narrow: bool) -> KernelBuilder:
    """gc_gather(params, indices, out, elements, axis, inner, count): a thread an element, of `size` bytes."""
    k = KernelBuilder("gc_gather", narrow)
    params, indices, out = k.array("params", bits_of(size)), k.array("indices", index), k.array("out", bits_of(size))
    elements, axis, inner, count = k.numbers("elements", "axis", "inner", "count")
    i = k.thread(elements)
    outer, j, column = k.parts(i, count, inner)
    row = indices[j].to("i64")
    out[i] = params[(outer * axis + k.choose(row.inside(0, axis), row, 0)) * inner + column]
    return k


def take_rows(size: int, narrow: bool) -> KernelBuilder:
    """gc_take_rows(table, rows, out, elements, count, inner, size): out[b, j] = table[b, rows[b, j]], of tables with
    `size` rows; a row that is not there is left out."""
    k = KernelBuilder("gc_take_rows", narrow)
    table, rows, out = k.array("table", bits_of(size)), k.array("rows", "i64"), k.array("out", bits_of(size))
    elements, count, inner, rows_of_table = k.numbers("elements", "count", "inner", "size")
    i = k.thread(elements)
    batch, j, column = k.parts(i, count, inner)
    row = rows[batch * count + j]
    k.go_on_if(row.inside(0, rows_of_table))
    out[i] = table[(batch * rows_of_table + row) * inner + column]
    return k


def put_rows(size: int, narrow: bool) -> KernelBuilder:
    """gc_put_rows(rows, data, out, elements, inner, size): out[rows[j]] = data[j]; rows are distinct."""
    k = KernelBuilder("gc_put_rows", narrow)
    rows, data, out = k.array("rows", "i64"), k.array("data", bits_of(size)), k.array("out", bits_of(size))
    elements, inner, rows_of_table = k.numbers("elements", "inner", "size")
    i = k.thread(elements)
    j, column = k.parts(i, inner)
    row = rows[j]
    k.go_on_if(row.inside(0, rows_of_table))
    out[row * inner + column] = data[i]
    return k


def scaled_rows(element: str, swapped: bool, narrow: bool) -> KernelBuilder:
    """gc_scaled_rows(indices, values, b, keys, data, elements, k, p): of each entry (i, j) of a sparse matrix its row i
    and its value times row j of b, of k rows with p elements; swapped: pairs are (j, i). A row that is not there: 0."""
    k = KernelBuilder("gc_scaled_rows", narrow)
    indices, values, b = k.array("indices", "i64"), k.array("values", element), k.array("b", element)
    keys, data = k.array("keys", "i64"), k.array("data", element)
    elements, rows, p = k.numbers("elements", "k", "p")
    at = k.thread(elements)
    entry, column = k.parts(at, p)
    i, j = indices[entry * 2 + int(swapped)], indices[entry * 2 + (1 - int(swapped))]
    with k.when(column.equals(0)):
        keys[entry] = i
    data[at] = values[entry] * b[k.choose(j.inside(0, rows), j, 0) * p + column]
    return k


def row_numbers(index: str, depth: int) -> KernelBuilder:
    """gc_row_numbers(indices, rows, tuples, s0, ..., s6): the row that each tuple names, -1 of one that names none."""
    k = KernelBuilder("gc_row_numbers")
    indices, rows = k.array("indices", index), k.array("rows", "i64")
    tuples, *sizes = k.numbers("tuples", *(f"s{axis}" for axis in range(AXES)))
    j = k.thread(tuples)
    row, good = k.constant(0, "i64"), k.constant(True, "bool")
    for axis in range(depth):
        found = indices[j * depth + axis].to("i64")
        good = good & found.inside(0, sizes[axis])
        row = row * sizes[axis] + found
    rows[j] = k.choose(good, row, -1)
    return k


def refused_tuple(index: str, depth: int) -> KernelBuilder:
    """gc_refused_tuple(first, indices, record, count, s0, ..., s6): a check's record (calls/checks.py) of tuple
    `first`, if there is such a one."""
    k = KernelBuilder("gc_refused_tuple")
    first, indices, record = k.array("first", "i64"), k.array("indices", index), k.array("record", "i64")
    count, *sizes = k.numbers("count", *(f"s{axis}" for axis in range(AXES)))
    k.go_on_if(k.index("tid.x").equals(0))
    number = first[0]
    refuse(k, record, number < count)
    k.go_on_if(number < count)
    if depth == 1:
        record[1], record[2] = indices[number].to("i64"), sizes[0]
        return k
    record[1], record[2] = number, k.constant(depth, "i64")
    for axis in range(depth):
        record[3 + axis] = indices[number * depth + axis].to("i64")
    for axis in range(AXES):
        record[3 + AXES + axis] = sizes[axis]
    return k


def refused_value(index: str, what: str) -> KernelBuilder:
    """gc_refused_value(first, values, record, count, limit): the record of element `first`. what: "position" (it and
    its position), "pair" (the one before it, and it) or "limit" (it and the limit)."""
    k = KernelBuilder("gc_refused_value")
    first, values, record = k.array("first", "i64"), k.array("values", index), k.array("record", "i64")
    count, limit = k.numbers("count", "limit")
    k.go_on_if(k.index("tid.x").equals(0))
    at = first[0]
    refuse(k, record, at < count)
    k.go_on_if(at < count)
    value = values[at].to("i64")
    record[1] = values[k.greatest(at - 1, 0)].to("i64") if what == "pair" else value
    record[2] = {"position": at, "pair": value, "limit": limit}[what]
    return k


def refuse(k: KernelBuilder, record: Array, refused: Value) -> None:
    """Writes a whole record: words that tell nothing are zeros."""
    record[0] = refused.to("i64")
    for word in range(1, 3 + 2 * AXES):
        record[word] = k.constant(0, "i64")
