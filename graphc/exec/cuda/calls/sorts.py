"""Sorting on the device, and what is made of it: top_k, searches in sorted rows, distinct numbers."""
from __future__ import annotations

from itertools import pairwise

from graphc.exec.cuda.calls.call import Call, ProgramBuilder, launch, map_work
from graphc.exec.cuda.calls.scans import NARROW, Lines, scanned
from graphc.exec.cuda.code import sorts
from graphc.exec.cuda.code.indices import put_rows, take_rows
from graphc.exec.cuda.work import Clear, Work


def order_of(call: Call, order: str, dtype: str, keys: int, rows: int, n: int, keep: int = -1,
             depth: int = 1) -> tuple[list[Work], int]:
    """(what sorts, where the numbers of each row's elements stand in their order, the first `keep` of them).

    order: see code/sorts.py; keep, of n at most: all unless given; depth: of the order "rows".
    """
    keep = n if keep < 0 else keep
    if not rows * n * keep:
        return [], call.scratch(8)
    narrow = rows * n * max(depth, 1) < NARROW
    passes = [(-(-n // sorts.RUN), sorts.RUN, min(sorts.RUN, keep))]       # runs, elements of one, how many are kept
    while passes[-1][0] > 1:
        runs, length, _ = passes[-1]
        passes.append((-(-runs // 2), 2 * length, min(2 * length, keep)))
    size = 8 * rows * max(runs * room for runs, _, room in passes)
    source, target = call.scratch(size), call.scratch(size if len(passes) > 1 else 8)
    (runs, _, room), kernel = passes[0], sorts.merge(order, dtype, narrow)
    work = launch(call, sorts.runs(order, dtype, narrow), rows * n, keys, source, rows * n, n, room, runs * room, depth)
    for (runs, length, room), (following, _, next_room) in pairwise(passes):
        slots = rows * runs * room
        work += launch(call, kernel, slots, keys, source, target, slots, n, runs, length, room, next_room,
                       following * next_room, depth)
        source, target = target, source
    return work, source


def top_k(call: Call) -> list[Work]:
    (x, values, indices), (rows, n, k), dtype = call.operands, call.dims, call.types[0]
    if not rows * k:
        return []
    work, order = order_of(call, "descending", dtype, x, rows, n, k)
    return work + launch(call, sorts.take_best(dtype, rows * n < NARROW), rows * k, x, order, values, indices, rows * k,
                         n, k)


def row_order(call: Call) -> list[Work]:
    (keys, out), (n, depth) = call.operands, call.dims
    if not n:
        return []
    work, order = order_of(call, "rows", "i64", keys, 1, n, depth=depth)
    return work + list(map_work(call, ProgramBuilder("i64").program(0), (n,), 0, [(order, (1,)), (out, (1,))]))


def search_sorted(call: Call) -> list[Work]:
    (row, values, out), (rows, n, count) = call.operands, call.dims
    dtype, index = call.types
    kernel = sorts.bounds(dtype, index, bool(call.attrs[0]), rows * max(n, count) < NARROW)
    return launch(call, kernel, rows * count, row, values, out, rows * count, n, count)


def first_equal_of(call: Call, dtype: str, x: int, n: int) -> tuple[list[Work], int]:
    """(what finds for each of n numbers, at least one, the first that is equal; where their numbers stand)."""
    work, order = order_of(call, "ascending", dtype, x, 1, n)
    first = call.scratch(8 * n)
    return work + launch(call, sorts.first_equal(dtype), n, x, order, first, n), first


def first_equal(call: Call) -> list[Work]:
    (x, out), (n,) = call.operands, call.dims
    if not n:
        return []
    work, first = first_equal_of(call, call.types[0], x, n)
    return work + list(map_work(call, ProgramBuilder("i64").program(0), (n,), 0, [(first, (1,)), (out, (1,))]))


def unique(call: Call) -> list[Work]:
    """Elements that are their own first equal one, numbered in their order: `first` names them, `places` the number of
    each element's."""
    (x, places, first, count), (n,), (dtype, index) = call.operands, call.dims, call.types
    work: list[Work] = [Clear(first, 8 * n), Clear(count, 8)]
    if not n:
        return work
    more, equal = first_equal_of(call, dtype, x, n)
    b = ProgramBuilder("i64")
    own = b("equal", "bool", 0, b("linear", "i64"))
    chosen, number = call.scratch(8 * n), call.scratch(8 * n)
    program = b.program(b("cast", "i64", own))
    more += map_work(call, program, (n,), 0, [(equal, (1,)), (number, (1,)), (0, (1,))])
    b = ProgramBuilder("i64")
    total = b.program(b("reduce.add", "i64", 0))
    more += map_work(call, total, (n,), 1, [(number, (1,)), (count, (0,))])
    # Where an element that is no first one goes: nowhere.
    chosen_numbers = call.scratch(8 * n)
    more += scanned(call, "i64", Lines(1, n, 1, exclusive=1), number, chosen)
    b = ProgramBuilder("i64", "i64")
    program = b.program(b("select", "i64", b("equal", "bool", 0, b("const", "i64", value=1)), 1,
                          b("const", "i64", value=-1)))
    more += map_work(call, program, (n,), 0, [(number, (1,)), (chosen, (1,)), (chosen_numbers, (1,))])
    positions = call.scratch(8 * n)
    b = ProgramBuilder()
    more += map_work(call, b.program(b("linear", "i64")), (n,), 0, [(positions, (1,)), (0, (1,))])
    more += launch(call, put_rows(8, n < NARROW), n, chosen_numbers, positions, first, n, 1, n)
    found = call.scratch(8 * n)
    more += launch(call, take_rows(8, n < NARROW), n, chosen, equal, found, n, n, 1, n)
    b = ProgramBuilder("i64")
    narrowed = 0 if index == "i64" else b("cast", index, 0)
    return work + more + list(map_work(call, b.program(narrowed), (n,), 0, [(found, (1,)), (places, (1,))]))
