"""sparse_matmul: a matrix given by its nonzero elements times a dense one.

Job: out = 0, then out[i, :] += values[e] * b[j, :] for each element e, whose indices are (i, j), or (j, i) if
`swapped`, in the order of the elements.
Invariants: every index is checked before it is used: INDEX_OUT_OF_RANGE, index and size in scratch. A tile owns a range
of columns, so sums do not depend on threads.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..array.equal_rows import cut_columns
from ..array.gather import refuse
from ..memory import ITEM_SIZES, address, offset, zero_bytes
from ..words import OK, USER


def make(types):
    size = ITEM_SIZES[types["T"]]

    def bind(n, m, k, p, swapped, choice):
        cut_columns(max(n, m), p, choice)

    def run(indices, values, b, out, n, m, k, p, swapped, choice, work, scratch, phase, tile):
        column = tile * choice[USER]
        columns = min(choice[USER], p - column)
        source, base = offset(b, column), offset(out, column)
        for i in range(m):
            zero_bytes(address(offset(base, i * p)), columns * size)
        for e in range(n):
            i, j = indices[2 * e + swapped], indices[2 * e + 1 - swapped]
            if i < 0 or i >= m:
                return refuse(scratch, i, m)
            if j < 0 or j >= k:
                return refuse(scratch, j, k)
            value, row, total = values[e], offset(source, j * p), offset(base, i * p)
            for c in range(columns):
                total[c] += value * row[c]
        return OK
    return Functions(bind, run)
