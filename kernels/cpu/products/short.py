"""Small matrices and short sums: rows of C are computed as they are written, without panels or tables, which would take
longer than the products.

Job: c[i, :] = sum over k of a[i, k] * b[k, :] for pairs of matrices, by register tiles (row_tile.py); where the last
would pass the end, it lies over the one before, and computes the same again. Fewer rows than a tile has go TOGETHER at
a time, a vector wide. B held transposed is brought in order first, in scratch memory.
Invariants: reads and writes elements of the matrices only. Every element gets its products in the order of k, one
rounding each where the ISA has fma, whatever tile it is in.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, NUMBA_TYPES, helper, part, pointer_to
from ..vector import vectors
from .row_tile import row_tile, tile_shape
from .turned import turning

TOGETHER = 4                           # rows
FEW = 64                               # elements that are turned one by one


@cache
def short_products(dtype: str, isa: str) -> Any:
    """The numba function (batches, m, n, k, a, a_row, a_step, a_batch, b, b_row, b_batch, transposed, c, c_row,
    c_batch, line): addresses and steps in bytes, all int64. b_row: from one row of B, as it is held, to the next; line:
    scratch for k * n elements, if it is held transposed."""
    size, at, lanes, turn_squares = ITEM_SIZES[dtype], pointer_to(dtype), vectors(dtype).lanes, turning(dtype)
    width, (high, wide) = lanes * size, tile_shape(isa)
    columns = wide * lanes
    whole_rows, some_rows = _rows_of(dtype, True), _rows_of(dtype, False)
    tile, vector_tile = row_tile(dtype, high, wide), row_tile(dtype, high, 1)
    part_tile = row_tile(dtype, high, 1, False)

    @helper
    def turn_few(n, k, b, b_row, line):
        """line[k, n] = b[n, k], where squares would cost more than they save."""
        made = at(line)
        for j in range(n):
            held = at(b + j * b_row)
            for p in range(k):
                made[p * n + j] = held[p]

    @helper
    def vector_by_vector(m, n, k, a, a_row, a_step, b, b_row, c, c_row):
        whole = n // lanes
        for i in range(0, m, TOGETHER):
            row, out, rows = a + i * a_row, c + i * c_row, min(m - i, TOGETHER)
            for j in range(whole):
                whole_rows(rows, lanes, k, row, a_row, a_step, b + j * width, b_row, out + j * width, c_row)
            if whole * lanes < n:
                some_rows(rows, n - whole * lanes, k, row, a_row, a_step, b + whole * width, b_row,
                          out + whole * width, c_row)

    @part("short")
    def multiply(batches, m, n, k, a, a_row, a_step, a_batch, b, b_row, b_batch, transposed, c, c_row, c_batch, line):
        for index in range(batches):
            left, right, step, target = a + index * a_batch, b + index * b_batch, b_row, c + index * c_batch
            if transposed:
                if n * k <= FEW:
                    turn_few(n, k, right, b_row, line)
                else:
                    turn_squares(n, k, right, k, line)
                right, step = line, n * size
            if m < high or m == 2 * TOGETHER != high:
                vector_by_vector(m, n, k, left, a_row, a_step, right, step, target, c_row)
                continue
            for i in range(0, m, high):
                row = min(i, m - high)
                rows, out = left + row * a_row, target + row * c_row
                if n < lanes:
                    part_tile(n, k, rows, a_row, a_step, right, step, out, c_row)
                elif n < columns:
                    for j in range(0, n, lanes):
                        column = min(j, n - lanes) * size
                        vector_tile(lanes, k, rows, a_row, a_step, right + column, step, out + column, c_row)
                else:
                    for j in range(0, n, columns):
                        column = min(j, n - columns) * size
                        tile(columns, k, rows, a_row, a_step, right + column, step, out + column, c_row)
    return multiply


@cache
def _rows_of(dtype: str, whole: bool) -> Any:
    """The numba function (rows, n, k, a, a_row, a_step, b, b_row, c, c_row): n columns, a whole vector or less, of up
    to TOGETHER rows."""
    at, kit, none = pointer_to(dtype), vectors(dtype), NUMBA_TYPES[dtype](0)
    load_all, store_all, load_some, store_some, splat, fma = (
        kit.load, kit.store, kit.load_some, kit.store_some, kit.splat, kit.multiply_add)

    @helper
    def load(where, n):
        return load_all(at(where), 0) if whole else load_some(at(where), 0, n)

    @helper
    def store(where, value, n):
        if whole:
            store_all(at(where), 0, value)
        else:
            store_some(at(where), 0, value, n)

    @helper
    def multiply(rows, n, k, a, a_row, a_step, b, b_row, c, c_row):
        if rows == TOGETHER:
            first = second = third = fourth = splat(none)
            for p in range(k):
                where, line = a + p * a_step, load(b + p * b_row, n)
                first = fma(splat(at(where)[0]), line, first)
                second = fma(splat(at(where + a_row)[0]), line, second)
                third = fma(splat(at(where + 2 * a_row)[0]), line, third)
                fourth = fma(splat(at(where + 3 * a_row)[0]), line, fourth)
            store(c, first, n)
            store(c + c_row, second, n)
            store(c + 2 * c_row, third, n)
            store(c + 3 * c_row, fourth, n)
            return
        for i in range(rows):
            total = splat(none)
            for p in range(k):
                total = fma(splat(at(a + i * a_row + p * a_step)[0]), load(b + p * b_row, n), total)
            store(c + i * c_row, total, n)
    return multiply
