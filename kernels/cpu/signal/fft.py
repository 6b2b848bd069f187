"""fft: the discrete Fourier transform of each row, or column, of n = first * second complex numbers, or its inverse.

Job: if second is 1, they stand side by side (side_by_side.py). Else a row is a matrix of `first` lines of `second`
numbers. Its columns are transformed, all at once (steps.py); then element (k, i) is multiplied by the root
exp(-2 pi i k i / n), the matrix is transposed, and its columns, now of length second, are transformed: what comes out
is in order (the six-step way, Bailey 1990). Some rows stand side by side, where columns are few.
Real and imaginary parts are apart in scratch. The inverse is the same with the parts exchanged, divided by n.
Invariants: a tile is some groups of rows.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, NUMBA_TYPES, apart, ceil_div, compact, helper, offset, pointer_to, round_up
from ..vector import vectors
from ..words import OK, SCRATCH_BYTES, TILES, USER
from .side_by_side import NUMBERS, make_side_by_side
from .steps import make_steps

COLLIDING = 256                        # bytes
ROWS, GROUPS = USER, USER + 1          # words of choice: rows side by side, such groups of a tile


def make(types):
    dtype = types["T"]
    size, number, lanes = ITEM_SIZES[dtype], NUMBA_TYPES[dtype], vectors(dtype).lanes
    at, transform, one = pointer_to(dtype), make_steps(dtype), NUMBA_TYPES[dtype](1)
    bind_side_by_side, run_side_by_side = make_side_by_side(dtype, transform)

    @helper
    def line_of(count):
        """Numbers from one line to the next: lines at a power of 2 would meet in one set of the first cache."""
        line = round_up(count, lanes)
        return line + lanes if line * size % COLLIDING == 0 else line

    @helper
    def plane_of(first, second, rows):
        """Numbers of a plane: the matrix before and behind the transposition."""
        return max(first * line_of(rows * second), second * line_of(rows * first)) + lanes

    def bind(outer, first, second, inner, inverse, real, choice):
        if second == 1:
            bind_side_by_side(outer, first, inner, real, choice)
            return
        n = first * second
        rows = min(max(ceil_div(2 * lanes, min(first, second)), 1), max(outer, 1))
        choice[ROWS] = rows
        choice[GROUPS] = ceil_div(NUMBERS, rows * n)
        choice[TILES] = ceil_div(ceil_div(outer, rows), choice[GROUPS])
        choice[SCRATCH_BYTES] = 4 * plane_of(first, second, rows) * size

    @helper
    def fetch(x, target, plane, n, first, second, line, rows):
        apart()
        for row in range(rows):
            for i in range(first):
                source, place = offset(x, 2 * (row * n + i * second)), i * line + row * second
                for j in range(second):
                    target[place + j] = source[2 * j]
                    target[plane + place + j] = source[2 * j + 1]

    @helper
    def turn(x, y, plane, roots, n, first, second, line, other, rows):
        """Multiplied by the roots, and transposed."""
        apart()
        for row in range(rows):
            for i in range(second):
                target, place = offset(y, i * other + row * first), row * second + i
                for k in range(first):
                    c, s = roots[k * i], roots[n + k * i]
                    a, b = x[k * line + place], x[plane + k * line + place]
                    target[k] = a * c - b * s
                    target[plane + k] = a * s + b * c

    @helper
    def give(y, source, plane, n, first, second, line, rows, scale):
        apart()
        for row in range(rows):
            for k in range(second):
                target, place = offset(y, 2 * (row * n + k * first)), k * line + row * first
                for j in range(first):
                    target[2 * j] = source[place + j] * scale
                    target[2 * j + 1] = source[plane + place + j] * scale

    @helper
    def run_in_turns(x, roots, y, outer, first, second, inverse, choice, scratch, tile):
        compact()
        n, most = first * second, choice[ROWS]
        plane = plane_of(first, second, most)
        part, step = inverse * plane * size, plane - 2 * inverse * plane
        here, there = scratch, scratch + 2 * plane * size
        scale = one / number(n) if inverse else one
        for group in range(tile * choice[GROUPS], min((tile + 1) * choice[GROUPS], ceil_div(outer, most))):
            start = group * most
            rows = min(most, outer - start)
            line, other = line_of(rows * second), line_of(rows * first)
            fetch(offset(x, 2 * start * n), at(here), plane, n, first, second, line, rows)
            found = transform(here + part, there + part, step, roots, first, n, line)
            rest = here + there + 2 * part - found
            turn(at(found), at(rest), step, roots, n, first, second, line, other, rows)
            found = transform(rest, found, step, roots, second, n, other)
            give(offset(y, 2 * start * n), at(found - part), plane, n, first, second, other, rows, scale)

    def run(x, roots, y, outer, first, second, inner, inverse, real, choice, work, scratch, phase, tile):
        if second == 1:
            run_side_by_side(x, roots, y, outer, first, inner, inverse, real, choice, scratch, tile)
        else:
            run_in_turns(x, roots, y, outer, first, second, inverse, choice, scratch, tile)
        return OK
    return Functions(bind, run)
