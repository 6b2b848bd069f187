"""cholesky: the lower triangular L with L LT = A, of whose matrices only the lower triangles are read.

Job: a tile is some matrices. Columns are done in blocks of BLOCK, and in these a panel at a time: what the columns
before have to do with it is subtracted by one product (left-looking, so that an element is written as seldom as
possible); then the panel's square is factored transposed, where a line of a panel is a column of A, and the rows below
are solved by it, as many at once as a panel is wide.
Invariants: what stands over the diagonal is copied, but nothing that is kept depends on it; a matrix that is not
positive definite ends the tile; NaN is no reason to (as in Eigen), and gives NaN.
"""
from __future__ import annotations

from ...scalars.machine import sqrt
from ..memory import (
    ITEM_SIZES,
    NUMBA_TYPES,
    address,
    apart,
    ceil_div,
    compact,
    copy_bytes,
    helper,
    pointer_to,
)
from ..vector import vectors
from ..words import NOT_DEFINITE, OK, SCRATCH_BYTES
from .matrices import bind_matrices, matrices_of, note_place
from .triangles import shape_of, triangles

BLOCK = 64                             # columns that the product covers at once


def make_bind(dtype, isa):
    shape = shape_of(isa, dtype)
    kit = triangles(dtype, shape)
    width, line, scratch_bytes = shape.width, kit.line, kit.scratch_bytes

    def bind(batch, n, choice):
        if n == 0:
            return
        bind_matrices(batch, n * n * n, choice)
        panels = ceil_div(min(n, BLOCK), width)
        choice[SCRATCH_BYTES] = scratch_bytes + (panels * n + 2 * width) * line
    return bind


def make_run(dtype, isa):
    shape, size = shape_of(isa, dtype), ITEM_SIZES[dtype]
    kit, vector, at = triangles(dtype, shape), vectors(dtype), pointer_to(dtype)
    eliminate, negate, write, pack_transposed, multiply_onto = (
        kit.eliminate, kit.negate, kit.write, kit.pack_transposed, kit.multiply_onto)
    load, store, splat, multiply_add, lanes = (
        vector.load, vector.store, vector.splat, vector.multiply_add, vector.lanes)
    width, line, scratch_bytes = shape.width, kit.line, kit.scratch_bytes
    zero, one, minus_one = NUMBA_TYPES[dtype](0), NUMBA_TYPES[dtype](1), NUMBA_TYPES[dtype](-1)

    @helper
    def factor(panel, count):
        """A square, transposed: its lines become those of LT. Returns how many were done."""
        apart()
        for k in range(count):
            here = at(panel + k * line)
            if here[k] <= zero:
                return k
            root = sqrt(here[k])
            for j in range(width):
                here[j] /= root
            for below in range(k + 1, count):
                factor_, other = splat(-here[below]), at(panel + below * line)
                for j in range(0, width, lanes):
                    store(other, j, multiply_add(factor_, load(here, j), load(other, j)))
        return count

    @helper
    def subtract(y, n, first, last, known, scratch):
        """From the columns `first` to `last`, from the diagonal on, what the columns from `known` on have to do with
        them."""
        apart()
        k, step, packed = first - known, n * size, scratch + scratch_bytes
        panels = ceil_div(last - first, width)
        for panel in range(panels):
            column = first + panel * width
            pack_transposed(packed + panel * k * line, y + column * step + known * size, step, k, last - column)
        negate(packed, panels * k)
        start = y + first * step
        multiply_onto(start + known * size, step, size, n - first, k, packed, k * line, line, last - first,
                      start + first * size, step, scratch)

    @helper
    def decompose(y, n, scratch):
        """y, a copy of A, becomes L, but for what is over the diagonal. Returns how many rows were done."""
        compact()
        step, square = n * size, scratch + scratch_bytes + ceil_div(min(n, BLOCK), width) * n * line
        rest = square + width * line
        for block in range(0, n, BLOCK):
            end = min(block + BLOCK, n)
            if block > 0:
                subtract(y, n, block, end, 0, scratch)
            for first in range(block, end, width):
                count = min(width, end - first)
                if first > block:
                    subtract(y, n, first, first + count, block, scratch)
                corner = y + first * (step + size)
                pack_transposed(square, corner, step, count, count)
                done = factor(square, count)
                if done < count:
                    return first + done
                write(corner, step, square, count, count, one)
                for row in range(count, n - first, width):
                    rows, below = min(width, n - first - row), corner + row * step
                    pack_transposed(rest, below, step, count, rows)
                    eliminate(square, size, line, 0, count, rest, line)
                    write(below, step, rest, count, rows, minus_one)
        return n

    def run(a, y, batch, n, choice, work, scratch, phase, tile):
        first, end = matrices_of(tile, batch, choice)
        each = n * n * size
        for matrix in range(first, end):
            target = address(y) + matrix * each
            copy_bytes(target, address(a) + matrix * each, each)
            done = decompose(target, n, scratch)
            if done < n:
                note_place(scratch, matrix, done)
                return NOT_DEFINITE
            for i in range(n):
                row = at(target + i * n * size)
                for j in range(i + 1, n):
                    row[j] = zero
        return OK
    return run
