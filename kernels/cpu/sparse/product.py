"""sparse_matmul: a matrix given by its nonzero elements times a dense one.

Job: out = 0, then out[i, :] += values[e] * b[j, :] for each element e, whose indices are (i, j), or (j, i) if
`swapped`, in the order of the elements.
Invariants: every index is checked before it is used: INDEX_OUT_OF_RANGE, index and size in scratch. A tile owns a range
of columns, so sums do not depend on threads. A sum of a single column stays in a register as long as elements of its
row follow each other: in memory each would wait for the one before.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..array.equal_rows import cut_columns
from ..array.gather import refuse
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, apart, helper, offset, zero_bytes
from ..words import OK, USER


def make(types):
    size, zero = ITEM_SIZES[types["T"]], NUMBA_TYPES[types["T"]](0)

    @helper
    def one_column(indices, values, source, base, n, m, k, p, swapped, scratch):
        apart()
        row, total = 0, zero               # the sum so far is that in memory
        for e in range(n):
            i, j = indices[2 * e + swapped], indices[2 * e + 1 - swapped]
            if i < 0 or i >= m:
                return refuse(scratch, i, m)
            if j < 0 or j >= k:
                return refuse(scratch, j, k)
            if i != row:
                base[row * p] = total
                row, total = i, base[i * p]
            total += values[e] * source[j * p]
        if n > 0:
            base[row * p] = total
        return OK

    def bind(n, m, k, p, swapped, choice):
        cut_columns(max(n, m), p, choice)

    def run(indices, values, b, out, n, m, k, p, swapped, choice, work, scratch, phase, tile):
        column = tile * choice[USER]
        columns = min(choice[USER], p - column)
        source, base = offset(b, column), offset(out, column)
        for i in range(m):
            zero_bytes(address(offset(base, i * p)), columns * size)
        if columns == 1:
            return one_column(indices, values, source, base, n, m, k, p, swapped, scratch)
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
