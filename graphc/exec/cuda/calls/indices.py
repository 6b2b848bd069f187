"""Rows picked, written and combined by index on the device."""
from __future__ import annotations

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, checked, filled, launch, map_work, size_of
from graphc.exec.cuda.calls.checks import Range, Refusal
from graphc.exec.cuda.calls.scans import NARROW
from graphc.exec.cuda.calls.sorts import order_of
from graphc.exec.cuda.code import indices as code
from graphc.exec.cuda.code.groups import SCATTERS, SEGMENTS, Combination, combined
from graphc.exec.cuda.code.sorts import first_equal as first_equal_code
from graphc.exec.cuda.work import Clear, Work
from graphc.exec.image import constant_bits
from graphc.kernels.contracts.calls import Status

LARGEST = {"f32": 3.4028234663852886e38, "f64": 1.7976931348623157e308, "i32": 2 ** 31 - 1, "i64": 2 ** 63 - 1}
LEAST = {"f32": -3.4028234663852886e38, "f64": -1.7976931348623157e308, "i32": -2 ** 31, "i64": -2 ** 63}


def gather(call: Call) -> list[Work]:
    (params, indices, out), (outer, axis, inner, count) = call.operands, call.dims
    element, index = call.types
    elements, work = outer * count * inner, checked(call, indices, count, index, axis)
    if not elements or not axis:
        return work
    kernel = code.gather(size_of(element), index, max(elements, outer * axis * inner) < NARROW)
    return work + launch(call, kernel, elements, params, indices, out, elements, axis, inner, count)


def combine(call: Call, c: Combination, keys: int, data: int, out: int, batches: int, entries: int, inner: int,
            rows: int, neutral: float = 0, falls: int = 0) -> list[Work]:
    """out[b, key] = what entries with that key come to, in ascending order of entries; keys are sorted first unless
    they ascend: falls: where the number of the first stands that does not."""
    if not batches * entries * inner * rows:
        return []
    work, order = order_of(call, "ascending", c.key, keys, batches if c.by_batch else 1, entries) if c.ordered else (
        [], falls)
    elements, bits = batches * entries * inner, constant_bits(neutral, c.element)
    return work + launch(call, combined(c), elements, order, keys, data, out, bits, elements, entries, inner, rows)


def scatter_add(call: Call) -> list[Work]:
    (updates, indices, out), (outer, axis, inner, count) = call.operands, call.dims
    element, index = call.types
    work = [*checked(call, indices, count, index, axis), Clear(out, outer * axis * inner * size_of(element))]
    c = Combination("add", element, index, narrow=outer * max(count, axis) * inner < NARROW)
    return work + combine(call, c, indices, updates, out, outer, count, inner, axis)


# Tuples of indices

def _tuples(call: Call, indices: int, index: str, tuples: int, depth: int,
            sizes: tuple[int, ...]) -> tuple[list[Work], int]:
    """(what finds the row that each tuple names and has a bad one reported, where the rows stand)."""
    rows = call.scratch(8 * tuples)
    work = launch(call, code.row_numbers(index, depth), tuples, indices, rows, tuples, *sizes)
    if not depth or not tuples:
        return work, rows
    first, record = first_bad(call, rows, tuples)
    status = Status.INDEX_OUT_OF_RANGE if depth == 1 else Status.INDEX_TUPLE
    refusal = Refusal(call.scratch(8 * Refusal.words), status)
    call.checks.append(refusal)
    kernel = code.refused_tuple(index, depth)
    return [*work, *first, *launch(call, kernel, 1, record, indices, refusal.place, tuples, *sizes)], rows


def first_bad(call: Call, rows: int, count: int) -> tuple[list[Work], int]:
    """(what finds the first element below 0, where its number stands: a large one if there is none)."""
    first = call.scratch(8)
    b = ProgramBuilder("i64")
    bad = b("less", "bool", 0, b("const", "i64", value=0))
    number = b("select", "i64", bad, b("linear", "i64"), b("const", "i64", value=code.FAR))
    program = b.program(b("reduce.min", "i64", number))
    return list(map_work(call, program, (count,), 1, [(rows, (1,)), (first, (0,)), (0, (1,))])), first


def refuse_bad(call: Call, keys: int, values: int, dtype: str, count: int, what: str, status: Status,
               limit: int = 0) -> tuple[list[Work], int]:
    """(what reports the first of some values whose key is below 0, where its number stands). what: see code/indices.py,
    refused_value."""
    work, first = first_bad(call, keys, count)
    refusal = Refusal(call.scratch(8 * Refusal.words), status)
    call.checks.append(refusal)
    return work + launch(call, code.refused_value(dtype, what), 1, first, values, refusal.place, count, limit), first


def gather_nd(call: Call) -> list[Work]:
    (params, indices, out), (batch, count, inner, *sizes), (depth,) = call.operands, call.dims, call.attrs
    element, index = call.types
    work, rows = _tuples(call, indices, index, batch * count, depth, tuple(sizes))
    table, elements = _product(sizes), batch * count * inner
    if not elements * table:
        return work
    kernel = code.take_rows(size_of(element), max(elements, batch * table * inner) < NARROW)
    return work + launch(call, kernel, elements, params, rows, out, elements, count, inner, table)


def _product(sizes: list[int]) -> int:
    count = 1
    for size in sizes:
        count *= size
    return count


def scatter_nd(call: Call) -> list[Work]:
    (indices, updates, table), (batch, count, inner, *sizes), (depth, how) = call.operands, call.dims, call.attrs
    element = call.types[0]
    work, rows = _tuples(call, indices, "i64", batch * count, depth, tuple(sizes))
    room = _product(sizes)
    if SCATTERS[how] == "div" and element not in ("f32", "f64"):
        work += no_zeros(call, updates, element, batch * count * inner)
    narrow = batch * max(count, room) * inner < NARROW
    c = Combination(SCATTERS[how], element, "i64", start="table", by_batch=True, narrow=narrow)
    return work + combine(call, c, rows, updates, table, batch, count, inner, room)


def checked_indices(call: Call) -> list[Work]:
    (indices, y), (count, *sizes), (depth,) = call.operands, call.dims, call.attrs
    index = call.types[0]
    work, _ = _tuples(call, indices, index, count, depth, tuple(sizes))
    copied = ProgramBuilder(index).program(0)
    return work + list(map_work(call, copied, (count * depth,), 0, [(indices, (1,)), (y, (1,))]))


def no_zeros(call: Call, x: int, dtype: str, count: int) -> list[Work]:
    """What reports a zero."""
    return _refused_elements(call, x, dtype, count, "equal", Status.DIVISION_BY_ZERO)


def _refused_elements(call: Call, x: int, dtype: str, count: int, relation: str, status: Status) -> list[Work]:
    """What reports an element of which a relation to 0 holds: as a smallest index below 0."""
    if not count:
        return []
    place = call.scratch(16)
    call.checks.append(Range(place, 1, status))
    b = ProgramBuilder(dtype)
    wide = 0 if dtype == "i64" else b("cast", "i64", 0)
    bad = b(relation, "bool", wide, b("const", "i64", value=0))
    found = b("select", "i64", bad, b("const", "i64", value=-1), b("const", "i64", value=0))
    program = b.program(b("reduce.min", "i64", found), b("reduce.max", "i64", found))
    return list(map_work(call, program, (count,), 1, [(x, (1,)), (place, (0,)), (place + 8, (0,))]))


def checked_integers(call: Call) -> list[Work]:
    (x, y), (elements, results), (refused,) = call.operands, call.dims, call.attrs
    dtype = call.types[0]
    work: list[Work] = list(map_work(call, ProgramBuilder(dtype).program(0), (elements,), 0, [(x, (1,)), (y, (1,))]))
    if not results:
        return work
    if refused:
        return work + _refused_elements(call, x, dtype, elements, "less", Status.NEGATIVE_EXPONENT)
    return work + no_zeros(call, x, dtype, elements)


# Segments

def segment(call: Call) -> list[Work]:
    """Of ids that do not ascend those below 0 are left out."""
    (data, ids, out), (n, inner, rows), (how, ascending) = call.operands, call.dims, call.attrs
    element, index = call.types
    name = SEGMENTS[how]
    neutral = {"mul": 1, "min": LARGEST[element], "max": LEAST[element]}.get(name, 0)
    work = filled(call, out, rows * inner, element, neutral if not ascending or name == "mul" else 0)
    if ascending:
        more, falls = _must_ascend(call, ids, n, index)
        work += [*checked(call, ids, n, index, rows), *more]
    else:
        falls = -1
        work += _must_be_below(call, ids, n, index, rows)
    c = Combination(name, element, index, ordered=not ascending, narrow=max(n, rows) * inner < NARROW)
    return work + combine(call, c, ids, data, out, 1, n, inner, rows, neutral, falls)


def _must_be_below(call: Call, ids: int, n: int, index: str, rows: int) -> list[Work]:
    """What reports the largest id if it is no row."""
    if not n:
        return []
    place = call.scratch(16)
    call.checks.append(Range(place, rows))
    b = ProgramBuilder(index)
    wide = 0 if index == "i64" else b("cast", "i64", 0)
    program = b.program(b("reduce.max", "i64", b("max", "i64", wide, b("const", "i64", value=-1))))
    work: list[Work] = list(map_work(call, program, (n,), 1, [(ids, (1,)), (place + 8, (0,))]))
    return work + [Clear(place, 8)]


def _must_ascend(call: Call, ids: int, n: int, index: str) -> tuple[list[Work], int]:
    """(what reports the first id that is less than the one before it, where its number stands)."""
    if not n:
        return [], call.scratch(8)
    falls, size = call.scratch(8 * n), size_of(index)
    b = ProgramBuilder(index, index)
    fall = b("less", "bool", 1, 0)
    wide = b("select", "i64", fall, b("const", "i64", value=-1), b("const", "i64", value=0))
    program = b.program(wide)
    work: list[Work] = [Clear(falls, 8)]
    work += map_work(call, program, (n - 1,), 0, [(ids, (1,)), (ids + size, (1,)), (falls + 8, (1,))])
    more, first = refuse_bad(call, falls, ids, index, n, "pair", Status.INVALID_VALUE)
    return work + more, first


def segment_count(call: Call) -> list[Work]:
    (ids, count), (n,), index = call.operands, call.dims, call.types[0]
    if not n:
        return [Clear(count, 8)]
    b = ProgramBuilder(index)
    wide = 0 if index == "i64" else b("cast", "i64", 0)
    program = b.program(b("add", "i64", wide, b("const", "i64", value=1)))
    last = ids + size_of(index) * (n - 1)
    more, _ = _must_ascend(call, ids, n, index)
    work = [*checked(call, ids, n, index, code.FAR), *more]
    return work + list(map_work(call, program, (1,), 0, [(last, (1,)), (count, (1,))]))


def bincount(call: Call) -> list[Work]:
    """Values from `size` on are left out."""
    (values, weights, bins), (count, weighted, size), element = call.operands, call.dims, call.types[0]
    work: list[Work] = [Clear(bins, size * size_of(element))]
    if not count:
        return work
    wide = call.scratch(8 * count)
    b = ProgramBuilder("i32")
    work += map_work(call, b.program(b("cast", "i64", 0)), (count,), 0, [(values, (1,)), (wide, (1,))])
    work += refuse_bad(call, wide, wide, "i64", count, "position", Status.INVALID_VALUE)[0]
    c = Combination("add", element, "i64", counted=not weighted, narrow=max(count, size) < NARROW)
    return work + combine(call, c, wide, weights if weighted else wide, bins, 1, count, 1, size)


def sum_equal(call: Call) -> list[Work]:
    """Each row becomes the sum of those with its first one."""
    (rows, first, out), (n, inner), element = call.operands, call.dims, call.types[0]
    if not n * inner:
        return checked(call, first, n, "i64", n)
    sums, narrow = call.scratch(n * inner * size_of(element)), n * inner < NARROW
    c = Combination("add", element, "i64", start="first", narrow=narrow)
    work = [*checked(call, first, n, "i64", n), *combine(call, c, first, rows, sums, 1, n, inner, n)]
    kernel = code.take_rows(size_of(element), narrow)
    return work + launch(call, kernel, n * inner, sums, first, out, n * inner, n, inner, n)


def sparse_product(call: Call) -> list[Work]:
    """Entries of a row are added in their order."""
    (indices, values, b, out), (n, m, k, p), (swapped,) = call.operands, call.dims, call.attrs
    element = call.types[0]
    work: list[Work] = [Clear(out, m * p * size_of(element))]
    for place, size in ((swapped, m), (1 - swapped, k)):
        work += _strided_check(call, indices + 8 * place, n, size)
    if not n * p or not k:
        return work
    keys, data, narrow = call.scratch(8 * n), call.scratch(n * p * size_of(element)), max(n, m, k) * p < NARROW
    work += launch(call, code.scaled_rows(element, bool(swapped), narrow), n * p, indices, values, b, keys, data, n * p,
                   k, p)
    return work + combine(call, Combination("add", element, "i64", narrow=narrow), keys, data, out, 1, n, p, m)


def _strided_check(call: Call, indices: int, count: int, size: int) -> list[Work]:
    """What reports an index of every other one that is out of range."""
    if not count:
        return []
    place = call.scratch(16)
    call.checks.append(Range(place, size))
    b = ProgramBuilder("i64")
    program = b.program(b("reduce.min", "i64", 0), b("reduce.max", "i64", 0))
    return list(map_work(call, program, (count,), 1, [(indices, (2,)), (place, (0,)), (place + 8, (0,))]))


def invert_permutation(call: Call) -> list[Work]:
    """The order that sorts a permutation is its inverse; a number that comes twice is refused."""
    (x, y), (n,), index = call.operands, call.dims, call.types[0]
    if not n:
        return []
    work, order = order_of(call, "ascending", index, x, 1, n)
    first, falls = call.scratch(8 * n), call.scratch(8 * n)
    work += launch(call, first_equal_code(index), n, x, order, first, n)
    b = ProgramBuilder("i64")
    again = b("select", "i64", b("equal", "bool", 0, b("linear", "i64")), 0, b("const", "i64", value=-1))
    work += map_work(call, b.program(again), (n,), 0, [(first, (1,)), (falls, (1,)), (0, (1,))])
    twice, _ = refuse_bad(call, falls, x, index, n, "limit", Status.INVALID_VALUE, n)
    work += [*checked(call, x, n, index, n), *twice]
    b = ProgramBuilder("i64")
    program = b.program(0 if index == "i64" else b("cast", index, 0))
    return [*work, *map_work(call, program, (n,), 0, [(order, (1,)), (y, (1,))])]
