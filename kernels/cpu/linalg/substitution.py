"""triangular_solve, lu_solve: x with A x = b, or with A's transpose, of a triangular A or of one that lu has factored.

Job: right sides are taken a panel of `width` columns at a time, which stands in scratch until it is solved; a tile is
some panels, of one matrix or several. A single column is a vector instead: that reads the matrix as fast as memory is.
Invariant: of a triangular A only one triangle is read; a 0 on its diagonal ends the tile.
"""
from __future__ import annotations

from ..memory import ITEM_SIZES, NUMBA_TYPES, address, ceil_div, helper, int64_at, pointer_to
from ..words import INDEX_OUT_OF_RANGE, NOT_INVERTIBLE, OK, SCRATCH_BYTES, TILES, USER
from .triangles import shape_of, triangles

OPERATIONS = 1 << 18                   # of a tile, at least
PANELS = USER                          # word of choice: of a tile


def fill(dtype, isa):
    """The function that is what both kernels' binds do."""
    shape = shape_of(isa, dtype)
    kit = triangles(dtype, shape)
    width, line, scratch_bytes = shape.width, kit.line, kit.scratch_bytes

    @helper
    def filled(batch, n, columns, choice):
        if n == 0:
            return
        choice[PANELS] = ceil_div(OPERATIONS, n * n * width)
        choice[TILES] = ceil_div(batch * ceil_div(columns, width), choice[PANELS])
        choice[SCRATCH_BYTES] = scratch_bytes + n * line
    return filled


@helper
def refuse(status, a, b, scratch):
    detail = int64_at(scratch)
    detail[0] = a
    detail[1] = b
    return status


def make_triangular(dtype, isa):
    shape, size, of = shape_of(isa, dtype), ITEM_SIZES[dtype], NUMBA_TYPES[dtype]
    kit, at, filled = triangles(dtype, shape), pointer_to(dtype), fill(dtype, isa)
    solve, solve_one, take, give = kit.solve, kit.solve_one, kit.take, kit.give
    width, line, scratch_bytes, one, zero = shape.width, kit.line, kit.scratch_bytes, of(1), of(0)

    def bind(batch, n, columns, rhs_batch, lower, adjoint, choice):
        filled(batch, n, columns, choice)

    def run(a, rhs, x, batch, n, columns, rhs_batch, lower, adjoint, choice, work, scratch, phase, tile):
        panels, panel = ceil_div(columns, width), scratch + scratch_bytes
        row, step = (size, n * size) if adjoint else (n * size, size)
        gap, sign = (size, one) if columns == 1 else (line, -one)
        for number in range(tile * choice[PANELS], min((tile + 1) * choice[PANELS], batch * panels)):
            matrix, first = number // panels, number % panels * width
            t, count = address(a) + matrix * n * n * size, min(width, columns - first)
            for i in range(n):
                if at(t + i * (n + 1) * size)[0] == zero:
                    return refuse(NOT_INVERTIBLE, matrix, i, scratch)
                take(panel + i * gap, address(rhs) + (matrix * rhs_batch + i * columns + first) * size, count)
            if columns == 1:
                solve_one(t, row, step, lower == adjoint, 0, n, panel)
            else:
                solve(t, row, step, lower == adjoint, 0, n, panel, scratch)
            for i in range(n):
                give(address(x) + ((matrix * n + i) * columns + first) * size, panel + i * gap, count, sign)
        return OK
    return bind, run


def make_factored(dtype, isa):
    shape, size, of = shape_of(isa, dtype), ITEM_SIZES[dtype], NUMBA_TYPES[dtype]
    kit, filled = triangles(dtype, shape), fill(dtype, isa)
    solve, solve_one, take, give = kit.solve, kit.solve_one, kit.take, kit.give
    width, line, scratch_bytes, one = shape.width, kit.line, kit.scratch_bytes, of(1)

    def bind(batch, n, columns, rhs_batch, adjoint, choice):
        filled(batch, n, columns, choice)

    def run(lu, order, rhs, x, batch, n, columns, rhs_batch, adjoint, choice, work, scratch, phase, tile):
        panels, panel = ceil_div(columns, width), scratch + scratch_bytes
        row, step = (size, n * size) if adjoint else (n * size, size)
        gap = size if columns == 1 else line
        for number in range(tile * choice[PANELS], min((tile + 1) * choice[PANELS], batch * panels)):
            matrix, first = number // panels, number % panels * width
            t, count = address(lu) + matrix * n * n * size, min(width, columns - first)
            source, target = address(rhs) + matrix * rhs_batch * size, address(x) + matrix * n * columns * size
            for i in range(n):
                other = order[matrix * n + i]
                if other < 0 or other >= n:
                    return refuse(INDEX_OUT_OF_RANGE, other, n, scratch)
                place = i if adjoint else other
                take(panel + i * gap, source + (place * columns + first) * size, count)
            # Of A the lower one first, of its transpose U's, which is the lower one then. Both change the signs.
            if columns == 1:
                solve_one(t, row, step, 0, 1 - adjoint, n, panel)
                solve_one(t, row, step, 1, adjoint, n, panel)
            else:
                solve(t, row, step, 0, 1 - adjoint, n, panel, scratch)
                solve(t, row, step, 1, adjoint, n, panel, scratch)
            for i in range(n):
                place = order[matrix * n + i] if adjoint else i
                give(target + (place * columns + first) * size, panel + i * gap, count, one)
        return OK
    return bind, run
