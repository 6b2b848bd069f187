"""qr: Q with orthonormal columns and an upper triangular R with Q R = A, by Householder's reflections.

Job: a tile is some matrices. A copy of A stands in scratch; columns are done a panel at a time. The reflections of a
panel, 1 - tau v vT each, are together 1 - V T VT (Schreiber and Van Loan, 1989), whose T is never made: its inverse has
VT V over its diagonal and 1 / tau on it (Puglisi, 1992), so T is applied by a triangular system. What is right of the
panel is multiplied with that, as is Q, which begins as ones, by the panels in reverse order.
Invariants: signs are LAPACK's, so R's diagonal may be negative; matrices of very large or small numbers are scaled by a
power of 2, that no square overflows.
"""
from __future__ import annotations

from ...scalars.machine import sqrt
from ..memory import ITEM_SIZES, NUMBA_TYPES, address, apart, ceil_div, compact, helper, pointer_to
from ..products.blocks import blocks
from ..vector import vectors
from ..words import OK, SCRATCH_BYTES
from .matrices import bind_matrices, matrices_of
from .triangles import shape_of, triangles

# Exponents of 2: numbers beyond the first are scaled by the second.
LARGE = {"f32": (40, 88), "f64": (400, 600)}


def make_bind(dtype, isa):
    shape, size = shape_of(isa, dtype), ITEM_SIZES[dtype]
    kit = triangles(dtype, shape)
    width, line, scratch_bytes = shape.width, kit.line, kit.scratch_bytes

    def bind(batch, m, n, inner, choice):
        if m == 0 or n == 0:
            bind_matrices(batch if m * inner > 0 else 0, m * inner * inner, choice)
            return
        bind_matrices(batch, m * n * min(m, n), choice)
        panels = ceil_div(min(m, n), width)
        choice[SCRATCH_BYTES] = scratch_bytes + (panels * (m + width) + m + width + 1) * line + m * n * size
    return bind


def make_reflect(dtype, isa):
    """The function that factors the `count` columns of a panel of `rows` lines: they become V; row k of R goes to
    r + k * r_row, 1 / tau to the diagonal of `middle`. sums: room for a line."""
    shape, size, of = shape_of(isa, dtype), ITEM_SIZES[dtype], NUMBA_TYPES[dtype]
    vector, at = vectors(dtype), pointer_to(dtype)
    load, store, splat, multiply_add, lanes = (
        vector.load, vector.store, vector.splat, vector.multiply_add, vector.lanes)
    width, line, zero, one, endless = shape.width, shape.width * size, of(0), of(1), of(float("inf"))

    @helper
    def products(panel, rows, k, sums):
        """Of column k with each column, in the rows after k."""
        for j in range(0, width, lanes):
            total = splat(zero)
            for i in range(k + 1, rows):
                row = at(panel + i * line)
                total = multiply_add(splat(row[k]), load(row, j), total)
            store(sums, j, total)

    @helper
    def turn(panel, rows, k, sums, scale):
        """sums times column k is added in the rows after k; column k itself becomes v."""
        for i in range(k + 1, rows):
            row = at(panel + i * line)
            factor = row[k]
            for j in range(0, width, lanes):
                store(row, j, multiply_add(splat(factor), load(sums, j), load(row, j)))
            row[k] = factor * scale

    @helper
    def reflect(panel, rows, count, r, r_row, middle, sums_at):
        apart()
        sums = at(sums_at)
        for k in range(count):
            products(panel, rows, k, sums)
            first, target = at(panel + k * line), at(r + k * r_row)
            alpha, inverse = first[k], endless
            if sums[k] != zero:
                norm = sqrt(alpha * alpha + sums[k])
                beta = norm if alpha < zero else -norm
                inverse = beta / (beta - alpha)
                scale = one / (alpha - beta)
                for j in range(width):
                    part = (first[j] + scale * sums[j]) / inverse if k < j else zero
                    first[j] -= part
                    sums[j] = -part * scale
                first[k] = beta
                turn(panel, rows, k, sums, scale)
            for j in range(k, count):
                target[j] = first[j]
                first[j] = zero
            first[k] = one
            at(middle + k * (line + size))[0] = inverse
    return reflect


def make_run(dtype, isa):
    shape, size, of = shape_of(isa, dtype), ITEM_SIZES[dtype], NUMBA_TYPES[dtype]
    kit, at, reflect = triangles(dtype, shape), pointer_to(dtype), make_reflect(dtype, isa)
    pack, eliminate, multiply_onto, multiply = (
        kit.pack, kit.eliminate, kit.multiply_onto, blocks(dtype, shape).multiply)
    width, line, scratch_bytes, zero, one = shape.width, kit.line, kit.scratch_bytes, of(0), of(1)
    limit, exponent = LARGE[dtype]
    high, low, down, up = of(2.0 ** limit), of(2.0 ** -limit), of(2.0 ** -exponent), of(2.0 ** exponent)

    @helper
    def scale_of(a, count):
        compact()
        greatest = zero
        for i in range(count):
            greatest = max(greatest, abs(a[i]))
        if greatest > high:
            return down, up
        return (up, down) if zero < greatest < low else (one, one)

    @helper
    def scaled(target, source, count, scale):
        compact()
        for i in range(count):
            target[i] = source[i] * scale

    @helper
    def set_ones(target, m, inner):
        compact()
        for i in range(m):
            for j in range(inner):
                target[i * inner + j] = one if i == j else zero

    @helper
    def give_upper(target, source, inner, n, scale):
        compact()
        for i in range(inner):
            for j in range(n):
                target[i * n + j] = source[i * n + j] * scale if i <= j else zero

    @helper
    def apply(v, middle, turned, rows, count, c, c_row, columns, space, scratch):
        """Multiplies `rows` rows of c by the reflections of a panel, or by the transpose of that."""
        apart()
        packed, inner = space + line, space + (1 + rows) * line
        for j in range(0, columns, width):
            pack(packed, c + j * size, c_row, rows, columns - j)
            multiply(v, size, line, count, rows, packed, rows * line, line, width, inner, line, scratch)
            if turned:
                eliminate(middle, line, size, 0, count, inner, line)
            else:
                end = count - 1
                eliminate(middle + end * (line + size), -line, -size, 0, count, inner + end * line, -line)
            multiply_onto(v, line, size, rows, count, inner, count * line, line, min(width, columns - j), c + j * size,
                          c_row, scratch)

    @helper
    def decompose(c, q, m, n, inner, scratch):
        """c, m * n, becomes R over its diagonal; q becomes Q, m * inner."""
        compact()
        least, start = min(m, n), scratch + scratch_bytes
        space, each = start + ceil_div(least, width) * (m + width) * line, (m + width) * line
        for first in range(0, least, width):
            count, rows, corner = min(width, least - first), m - first, c + first * (n + 1) * size
            middle = start + first // width * each
            v = middle + width * line
            pack(v, corner, n * size, rows, count)
            reflect(v, rows, count, corner, n * size, space + line, space)
            multiply(v, size, line, count, rows, v, rows * line, line, width, middle, line, scratch)
            for k in range(count):
                at(middle + k * (line + size))[0] = at(space + line + k * (line + size))[0]
            apply(v, middle, 1, rows, count, corner + count * size, n * size, n - first - count, space, scratch)
        for panel in range(ceil_div(least, width) - 1, -1, -1):
            first, middle = panel * width, start + panel * each
            apply(middle + width * line, middle, 0, m - first, min(width, least - first),
                  q + first * (inner + 1) * size, inner * size, inner - first, space, scratch)

    def run(a, q, r, batch, m, n, inner, choice, work, scratch, phase, tile):
        first, end = matrices_of(tile, batch, choice)
        copy = scratch
        if n > 0:
            copy = scratch + choice[SCRATCH_BYTES] - m * n * size
        for matrix in range(first, end):
            source, target = at(address(a) + matrix * m * n * size), at(address(q) + matrix * m * inner * size)
            set_ones(target, m, inner)
            if n == 0:
                continue
            before, after = scale_of(source, m * n)
            scaled(at(copy), source, m * n, before)
            decompose(copy, address(target), m, n, inner, scratch)
            give_upper(at(address(r) + matrix * inner * n * size), at(copy), inner, n, after)
        return OK
    return run
