"""top_k: the k greatest elements of each row, greatest first, and where they stand.

Job: x[rows, n] -> values[rows, k], indices[rows, k]. Of equal elements the one with the lower index comes first; NaN
counts as greatest, as in argmax. `indices` is a heap with the least of those found at its root; in the end it is taken
apart from the back: n log k steps and no workspace. Where k is a large part of n, the whole row is put in order by its
bytes (radix.py).
Invariants: k <= n is a relation; an index in the heap is always one of the row.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import helper, offset
from ..words import OK, SCRATCH_BYTES, TILES, USER, VARIANT
from .radix import COUNTS, make_sort

TILE = 16384                           # elements of x of a tile, about
LEAST_SORTED, PART_SORTED = 64, 32     # rows of so many, and k of n // PART_SORTED, are quicker put in order by bytes


@helper
def before(row, i, j):
    """Whether element i comes before element j."""
    x, y = row[i], row[j]
    if x == y or (x != x and y != y):
        return i < j
    return x > y or x != x


@helper
def sink(row, heap, position, size):
    """Moves the index at `position` down until no child of it comes later."""
    moved = heap[position]
    while True:
        child = 2 * position + 1
        if child >= size:
            break
        if child + 1 < size and before(row, heap[child], heap[child + 1]):
            child += 1
        if before(row, heap[child], moved):
            break
        heap[position] = heap[child]
        position = child
    heap[position] = moved


def make(types):
    sort = make_sort(types["T"])

    def bind(rows, n, k, choice):
        per_tile = max(TILE // max(n, 1), 1)
        choice[USER] = per_tile
        choice[TILES] = (rows + per_tile - 1) // per_tile
        if n >= LEAST_SORTED and k >= n // PART_SORTED:
            choice[VARIANT] = 1
            choice[SCRATCH_BYTES] = 8 * (4 * n + COUNTS)

    def run(x, values, indices, rows, n, k, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for number in range(first, min(first + choice[USER], rows)):
            row, heap, best = offset(x, number * n), offset(indices, number * k), offset(values, number * k)
            if choice[VARIANT] == 1:
                sort(row, best, heap, n, k, scratch)
                continue
            for i in range(k):
                heap[i] = i
            for i in range(k // 2):
                sink(row, heap, k // 2 - 1 - i, k)
            if k > 0:
                for i in range(k, n):
                    if before(row, i, heap[0]):
                        heap[0] = i
                        sink(row, heap, 0, k)
            for i in range(1, k):
                last = k - i
                least = heap[0]
                heap[0] = heap[last]
                heap[last] = least
                sink(row, heap, 0, last)
            for i in range(k):
                best[i] = row[heap[i]]
        return OK
    return Functions(bind, run)
