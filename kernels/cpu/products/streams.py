"""One row of A times B as it lies: B is used once, so it is read in long runs and nothing of it is copied.

Job: c[j] = sum over k of a[k] * b[k, j]. AT_ONCE rows of B are read side by side, block by block of columns, whose sums
stay in the first cache meanwhile.
Invariants: reads a and B in their k elements and columns only, writes c in its columns only. Every element gets its
products in the order of k, one rounding each where the ISA has fma, whatever tile it is in.
"""
from __future__ import annotations

from functools import cache
from typing import Any

from ..memory import ITEM_SIZES, NUMBA_TYPES, helper, offset, part, pointer_to
from ..vector import vectors

RUN = 1024                             # columns of a tile, at least: shorter runs are slower than memory
AT_ONCE = 8                            # rows of B
BLOCK = 4096                           # columns whose sums stay in the first cache


@cache
def row_product(dtype: str) -> Any:
    """The numba function (n, k, a, a_step, b, b_row, c): addresses and steps in bytes, all int64."""
    size, at, kit, zero = ITEM_SIZES[dtype], pointer_to(dtype), vectors(dtype), NUMBA_TYPES[dtype](0)
    lanes, load, store, load_some, store_some = kit.lanes, kit.load, kit.store, kit.load_some, kit.store_some
    splat, fma = kit.splat, kit.multiply_add

    @helper
    def add_row(n, a, b, c):
        """c += a * b"""
        factor, line, whole = splat(at(a)[0]), at(b), n // lanes * lanes
        for j in range(0, whole, lanes):
            store(c, j, fma(factor, load(line, j), load(c, j)))
        if whole < n:
            rest = n - whole
            store_some(c, whole, fma(factor, load_some(line, whole, rest), load_some(c, whole, rest)), rest)

    @helper
    def add_rows(n, a, a_step, b, b_row, c):
        """c += the products of AT_ONCE rows, of whole vectors of columns"""
        f0, f1, f2, f3 = splat(at(a)[0]), splat(at(a + a_step)[0]), splat(at(a + 2 * a_step)[0]), splat(
            at(a + 3 * a_step)[0])
        a += 4 * a_step
        f4, f5, f6, f7 = splat(at(a)[0]), splat(at(a + a_step)[0]), splat(at(a + 2 * a_step)[0]), splat(
            at(a + 3 * a_step)[0])
        first, second, third, fourth = at(b), at(b + b_row), at(b + 2 * b_row), at(b + 3 * b_row)
        b += 4 * b_row
        fifth, sixth, seventh, eighth = at(b), at(b + b_row), at(b + 2 * b_row), at(b + 3 * b_row)
        for j in range(0, n, lanes):
            total = fma(f1, load(second, j), fma(f0, load(first, j), load(c, j)))
            total = fma(f3, load(fourth, j), fma(f2, load(third, j), total))
            total = fma(f5, load(sixth, j), fma(f4, load(fifth, j), total))
            store(c, j, fma(f7, load(eighth, j), fma(f6, load(seventh, j), total)))

    @part("row_product")
    def multiply(n, k, a, a_step, b, b_row, c):
        together = k // AT_ONCE * AT_ONCE
        for column in range(0, n, BLOCK):
            columns, target, source = min(n - column, BLOCK), at(c + column * size), b + column * size
            whole = columns // lanes * lanes
            for j in range(columns):
                target[j] = zero
            for i in range(0, together, AT_ONCE):
                add_rows(whole, a + i * a_step, a_step, source + i * b_row, b_row, target)
            if whole < columns:
                for i in range(together):
                    add_row(columns - whole, a + i * a_step, source + i * b_row + whole * size, offset(target, whole))
            for i in range(together, k):
                add_row(columns, a + i * a_step, source + i * b_row, target)
    return multiply
