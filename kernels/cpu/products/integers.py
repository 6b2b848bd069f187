"""Products of integers: rows of C one by one, in loops that LLVM makes vectors of.

Job: bind and run of the kernel for integers, which wrap. A row of a transposed A is brought in order first. B is read
in runs: AT_ONCE rows of it side by side, each added to the row of C, or, where it is held transposed, as dot products;
a B of few columns is transposed for that, once for a tile's rows of the same matrix, if the second cache holds it.
Invariant: integer sums have no order, so all of this gives the same numbers.
"""
from __future__ import annotations

from typing import Any

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, NUMBA_TYPES, helper, offset, pointer_to, round_up
from ..words import OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, USER

AT_ONCE = 4                            # rows of B
FEW_COLUMNS = 16                       # of which dot products are quicker
COLUMN_BYTES = 256 * 1024              # of these columns, at most
TILE_NUMBERS = 16384                   # that a tile writes, about


def make_integers(dtype: str) -> Functions:
    """bind and run for "i32" or "i64"."""
    size, at, zero = ITEM_SIZES[dtype], pointer_to(dtype), NUMBA_TYPES[dtype](0)
    multiply, dots = _rows(zero)

    @helper
    def brought(n, k):
        """Whether columns of B are brought in order."""
        return n <= FEW_COLUMNS and k * n * size <= COLUMN_BYTES

    @helper
    def room(k, transpose_a):
        """Bytes of scratch for a row of A."""
        return transpose_a * round_up(k * size, 64)

    def bind(batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice):
        rows = max(TILE_NUMBERS // max(n, 1), 1)
        choice[USER] = rows
        choice[TILES] = (batch * m + rows - 1) // rows
        choice[TILE_ELEMENTS] = rows * n
        choice[SCRATCH_BYTES] = room(k, transpose_a)
        if transpose_b == 0 and brought(n, k):
            choice[SCRATCH_BYTES] += k * n * size

    def run(a, b, c, batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, work, scratch, phase, tile):
        line, columns = at(scratch), at(scratch + room(k, transpose_a))
        first, ready = tile * choice[USER], -1
        for row in range(first, min(first + choice[USER], batch * m)):
            index, i = row // m, row % m
            left, right, target = offset(a, index * a_batch), offset(b, index * b_batch), offset(c, row * n)
            if transpose_a:
                for p in range(k):
                    line[p] = left[p * m + i]
                left = line
            else:
                left = offset(left, i * k)
            if transpose_b:
                dots(n, k, left, right, target)
            elif brought(n, k):
                if ready != index:
                    for p in range(k):
                        for j in range(n):
                            columns[j * k + p] = right[p * n + j]
                    ready = index
                dots(n, k, left, columns, target)
            else:
                multiply(n, k, left, right, target)
        return OK
    return Functions(bind, run)


def _rows(zero: Any) -> Any:
    """multiply and dots (n, k, a, b, c): a row c = a B, and c = a transposed(B). Pointers."""
    @helper
    def multiply(n, k, a, b, c):
        for j in range(n):
            c[j] = zero
        together = k // AT_ONCE * AT_ONCE
        for p in range(0, together, AT_ONCE):
            f0, f1, f2, f3 = a[p], a[p + 1], a[p + 2], a[p + 3]
            b0, b1, b2, b3 = offset(b, p * n), offset(b, p * n + n), offset(b, p * n + 2 * n), offset(b, p * n + 3 * n)
            for j in range(n):
                c[j] += f0 * b0[j] + f1 * b1[j] + f2 * b2[j] + f3 * b3[j]
        for p in range(together, k):
            factor, line = a[p], offset(b, p * n)
            for j in range(n):
                c[j] += factor * line[j]

    @helper
    def dots(n, k, a, b, c):
        for j in range(n):
            total, line = zero, offset(b, j * k)
            for p in range(k):
                total += a[p] * line[p]
            c[j] = total
    return multiply, dots
