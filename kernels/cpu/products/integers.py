"""Products of integers, which wrap.

Job: bind and run of the kernel for integers. A tile is some rows of C. B of more than a few columns goes strip by
strip, a vector wide, which stays in the first cache for all groups of ROWS rows of a matrix (row_tile.py); rows beside
the groups go one by one, AT_ONCE rows of B added to each at a time. Where B is held transposed they are dot products,
for which the row of a transposed A is brought in order first; so is a B of few columns, which is transposed for that,
once for a tile's rows of the same matrix, if the second cache holds it.
Invariant: integer sums have no order, so all of this gives the same numbers.
"""
from __future__ import annotations

from typing import Any

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, helper, offset, pointer_to, round_up
from ..vector import LANES
from ..words import OK, SCRATCH_BYTES, TILE_ELEMENTS, TILES, USER
from .row_tile import row_tile

AT_ONCE = 4                            # rows of B
ROWS = 4                               # of C, of a group
FEW_COLUMNS = 16                       # of which dot products are quicker
COLUMN_BYTES = 256 * 1024              # of these columns, at most
TILE_NUMBERS = 16384                   # that a tile writes, about


def make_integers(dtype: str) -> Functions:
    """bind and run for "i32" or "i64"."""
    size, at, zero = ITEM_SIZES[dtype], pointer_to(dtype), NUMBA_TYPES[dtype](0)
    multiply, dots, lanes, tile = _rows(zero), _dots(zero), LANES * 4 // size, row_tile(dtype, ROWS, 1)

    @helper
    def brought(n, k):
        """Whether columns of B are brought in order."""
        return n <= FEW_COLUMNS and k * n * size <= COLUMN_BYTES

    @helper
    def line_bytes(k, transpose_a):
        """Bytes of scratch for a row of A."""
        return transpose_a * round_up(k * size, 64)

    def bind(batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice):
        rows = max(TILE_NUMBERS // max(n, 1), 1)
        choice[USER] = rows
        choice[TILES] = (batch * m + rows - 1) // rows
        choice[TILE_ELEMENTS] = rows * n
        choice[SCRATCH_BYTES] = line_bytes(k, transpose_a)
        if transpose_b == 0 and brought(n, k):
            choice[SCRATCH_BYTES] += k * n * size

    @helper
    def grouped(rows, n, k, a, a_row, a_step, b, c):
        """The groups among so many rows of a matrix. Returns how many rows those are."""
        whole = rows // ROWS * ROWS
        for j in range(0, n, lanes):
            column = min(j, n - lanes) * size
            for i in range(0, whole, ROWS):
                tile(lanes, k, a + i * a_row, a_row, a_step, b + column, n * size, c + i * n * size + column, n * size)
        return whole

    def run(a, b, c, batch, m, n, k, a_batch, b_batch, transpose_a, transpose_b, choice, work, scratch, phase, part):
        line, columns = at(scratch), at(scratch + line_bytes(k, transpose_a))
        few, ready = brought(n, k), -1
        row, last = part * choice[USER], min((part + 1) * choice[USER], batch * m)
        while row < last:
            index, i = row // m, row % m
            left, right, target = offset(a, index * a_batch), offset(b, index * b_batch), offset(c, row * n)
            if transpose_b == 0 and not few and last - row >= ROWS and m - i >= ROWS:
                a_row, a_step = (1, m) if transpose_a else (k, 1)
                row += grouped(min(last - row, m - i), n, k, address(offset(left, i * a_row)), a_row * size,
                               a_step * size, address(right), address(target))
                continue
            if transpose_a:
                for p in range(k):
                    line[p] = left[p * m + i]
                left = line
            else:
                left = offset(left, i * k)
            if transpose_b:
                dots(n, k, left, right, target)
            elif few:
                if ready != index:
                    for p in range(k):
                        for j in range(n):
                            columns[j * k + p] = right[p * n + j]
                    ready = index
                dots(n, k, left, columns, target)
            else:
                multiply(n, k, left, right, target)
            row += 1
        return OK
    return Functions(bind, run)


def _rows(zero: Any) -> Any:
    """The function (n, k, a, b, c): a row c = a B. Pointers."""
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
    return multiply


def _dots(zero: Any) -> Any:
    """The function (n, k, a, b, c): a row c = a transposed(B). Pointers."""
    @helper
    def dots(n, k, a, b, c):
        for j in range(n):
            total, line = zero, offset(b, j * k)
            for p in range(k):
                total += a[p] * line[p]
            c[j] = total
    return dots
