"""lu: L U = P A with partial pivoting. Under the diagonal stands L, whose own diagonal is ones, from it on U; order[i]
is the row of A that became row i.

Job: a tile is some matrices. Columns are done in blocks of BLOCK, and in these a panel at a time, transposed: a line of
a panel holds a column for `width` rows, panels follow each other downwards. So pivots are looked for and columns are
subtracted in long runs. Then the rows change places in the whole matrix, and what is right of the panel is solved and
subtracted by a product: up to the block's end at once, beyond it when the block is done.
Invariants: a column without any pivot but 0 is left as it is: the matrix is singular, which is an error if it has to be
regular, and so is a pivot that is NaN; facts are the product of U's diagonal with the sign of the order, the sign of
that, and its logarithm.
"""
from __future__ import annotations

from ...scalars.exponential import log_f32, log_f64
from ..memory import (
    ITEM_SIZES,
    NUMBA_TYPES,
    address,
    apart,
    ceil_div,
    compact,
    copy_bytes,
    helper,
    int64_at,
    pointer_to,
)
from ..vector import vectors
from ..words import NOT_INVERTIBLE, OK, SCRATCH_BYTES
from .matrices import bind_matrices, matrices_of, note_place
from .triangles import shape_of, triangles

BLOCK = 64
LOG = {"f32": log_f32, "f64": log_f64}


def make_bind(dtype, isa):
    shape = shape_of(isa, dtype)
    kit = triangles(dtype, shape)
    width, line, scratch_bytes = shape.width, kit.line, kit.scratch_bytes

    def bind(batch, n, regular, choice):
        bind_matrices(batch, n * n * n, choice)
        panels = ceil_div(n, width)
        choice[SCRATCH_BYTES] = scratch_bytes + 8 * width + panels * (width + min(n, BLOCK)) * line
    return bind


def make_panel(dtype, isa):
    """The function that factors the columns in a column of panels (panels, rows, count, swaps, at which rows change
    places with which); returns the sign of the order and the first column without a pivot, or -1."""
    shape, size = shape_of(isa, dtype), ITEM_SIZES[dtype]
    vector, at = vectors(dtype), pointer_to(dtype)
    load, store, splat, multiply_add, lanes = (
        vector.load, vector.store, vector.splat, vector.multiply_add, vector.lanes)
    width, line, zero = shape.width, shape.width * size, NUMBA_TYPES[dtype](0)

    @helper
    def pivot_of(column, count, k, rows):
        """The row with the greatest element of column k, from row k on."""
        best, where = abs(at(column)[k]), k
        for first in range(0, rows, width):
            values = at(column + first * count * size)
            for j in range(k + 1 if first == 0 else 0, min(width, rows - first)):
                if abs(values[j]) > best:
                    best, where = abs(values[j]), first + j
        return where

    @helper
    def exchange(panels, count, row, other):
        here, there = panels + row * size, panels + other // width * count * line + other % width * size
        for j in range(count):
            a, b = at(here + j * line), at(there + j * line)
            kept = a[0]
            a[0] = b[0]
            b[0] = kept

    @helper
    def factor(panels, rows, count, swaps):
        apart()
        odd, failed = 0, -1
        for k in range(min(count, rows)):
            column = panels + k * line
            row = pivot_of(column, count, k, rows)
            swaps[k] = row
            if row != k:
                exchange(panels, count, k, row)
                odd ^= 1
            pivot = at(column)[k]
            if failed < 0 and not abs(pivot) > zero:
                failed = k
            if pivot == zero:
                continue
            for first in range(0, rows, width):
                here = at(column + first * count * size)
                for j in range(k + 1 if first == 0 else 0, width):
                    here[j] /= pivot
            for other in range(k + 1, count):
                target = panels + other * line
                factor_ = -at(target)[k]
                top, here = at(target), at(column)
                for j in range(k + 1, width):
                    top[j] += factor_ * here[j]
                many = splat(factor_)
                for first in range(width, rows, width):
                    here, values = at(column + first * count * size), at(target + first * count * size)
                    for j in range(0, width, lanes):
                        store(values, j, multiply_add(many, load(here, j), load(values, j)))
        return odd, failed
    return factor


def make_run(dtype, isa):
    shape, size, of = shape_of(isa, dtype), ITEM_SIZES[dtype], NUMBA_TYPES[dtype]
    kit, at, factor, log = triangles(dtype, shape), pointer_to(dtype), make_panel(dtype, isa), LOG[dtype]
    solve, give, write, pack, pack_transposed, multiply_onto = (
        kit.solve, kit.give, kit.write, kit.pack, kit.pack_transposed, kit.multiply_onto)
    width, line, scratch_bytes = shape.width, kit.line, kit.scratch_bytes
    zero, one, minus_one = of(0), of(1), of(-1)

    @helper
    def exchange(y, order, n, row, other, first, count):
        """Two rows, but for the `count` columns from `first` on, which have changed places already."""
        a, b = at(y + row * n * size), at(y + other * n * size)
        for j in range(first):
            a[j], b[j] = b[j], a[j]
        for j in range(first + count, n):
            a[j], b[j] = b[j], a[j]
        kept = order[row]
        order[row] = order[other]
        order[other] = kept

    @helper
    def spread(y, n, first, last, columns, end, packed, scratch):
        """Of columns `columns` to `end`: the rows first to last of U, and what they take from the rows below."""
        apart()
        k, step = last - first, n * size
        if columns == end:
            return
        for j in range(columns, end, width):
            panel, above = packed + (j - columns) // width * k * line, y + first * step + j * size
            pack(panel, above, step, k, end - j)
            solve(y + first * (step + size), step, size, 0, 1, k, panel, scratch)
            for i in range(k):
                give(above + i * step, panel + i * line, min(width, end - j), minus_one)
        multiply_onto(y + last * step + first * size, step, size, n - last, k, packed, k * line, line, end - columns,
                      y + last * step + columns * size, step, scratch)

    @helper
    def decompose(y, order, n, scratch):
        """y, a copy of A, becomes L and U. Returns whether the order is odd, and the first column without a pivot."""
        compact()
        step, odd, failed = n * size, 0, -1
        swaps, panels = int64_at(scratch + scratch_bytes), scratch + scratch_bytes + 8 * width
        packed = panels + ceil_div(n, width) * width * line
        for block in range(0, n, BLOCK):
            end = min(block + BLOCK, n)
            for first in range(block, end, width):
                count, rows, corner = min(width, end - first), n - first, y + first * (step + size)
                for row in range(0, rows, width):
                    pack_transposed(panels + row * count * size, corner + row * step, step, count, rows - row)
                turned, without = factor(panels, rows, count, swaps)
                odd ^= turned
                if failed < 0 and without >= 0:
                    failed = first + without
                for row in range(0, rows, width):
                    write(corner + row * step, step, panels + row * count * size, count, min(width, rows - row), one)
                for k in range(count):
                    if swaps[k] != k:
                        exchange(y, order, n, first + k, first + swaps[k], first, count)
                spread(y, n, first, first + count, first + count, end, packed, scratch)
            spread(y, n, block, end, end, n, packed, scratch)
        return odd, failed

    @helper
    def tell(y, n, odd, facts):
        compact()
        product, sign, logarithm = (minus_one if odd else one), (minus_one if odd else one), zero
        for i in range(n):
            value = at(y + i * (n + 1) * size)[0]
            product *= value
            logarithm += log(abs(value))
            if value < zero:
                sign = -sign
            elif not value > zero:         # 0 or NaN
                sign *= abs(value)
        facts[0], facts[1], facts[2] = (product if sign != zero else zero), sign + zero, logarithm

    def run(a, y, order, facts, batch, n, regular, choice, work, scratch, phase, tile):
        first, end = matrices_of(tile, batch, choice)
        each = n * n * size
        for matrix in range(first, end):
            target, rows = address(y) + matrix * each, order_at(address(order) + 4 * matrix * n)
            copy_bytes(target, address(a) + matrix * each, each)
            for i in range(n):
                rows[i] = i
            odd, failed = decompose(target, rows, n, scratch)
            if failed >= 0 and regular:
                note_place(scratch, matrix, failed)
                return NOT_INVERTIBLE
            tell(target, n, odd, at(address(facts) + 3 * matrix * size))
        return OK

    order_at = pointer_to("i32")
    return run
