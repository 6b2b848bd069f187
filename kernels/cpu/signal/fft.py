"""fft: the discrete Fourier transform of each row of n = first * second complex numbers, or its inverse.

Job: a row is a matrix of `first` lines of `second` numbers. Its columns are transformed, all at once, so that every
step is one of whole vectors; then element (k, i) is multiplied by the root exp(-2 pi i k i / n), the matrix is
transposed, and its columns, now of length second, are transformed: what comes out is in order (the six-step way, Bailey
1990). Some rows stand side by side, where columns are few. Columns are transformed by Stockham's steps, which need no
reordering: of radix 4 as long as that divides, then of the smallest divisor, by the definition.
Real and imaginary parts are apart in scratch. The inverse is the same with the parts exchanged, divided by n.
Invariants: lines are whole vectors, whose last lanes may be anything; a tile is some groups of rows.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..memory import ITEM_SIZES, NUMBA_TYPES, apart, ceil_div, compact, helper, offset, pointer_to, round_up
from ..vector import vectors
from ..words import OK, SCRATCH_BYTES, TILES, USER

NUMBERS = 1 << 14                      # of a tile, at least
COLLIDING = 256                        # bytes
ROWS, GROUPS = USER, USER + 1          # words of choice: rows side by side, such groups of a tile


@helper
def divisor_of(n):
    """The radix of the next step."""
    if n % 4 == 0:
        return 4
    found = 2
    while n % found != 0:
        found += 1
    return found


def make_steps(dtype):
    """The function that transforms the columns of a matrix of n lines of `line` numbers, in two planes at x, another
    two at y; it returns where the result is. roots: the n roots of 1, two planes."""
    kit, number = vectors(dtype), NUMBA_TYPES[dtype]
    load, store, splat, add, multiply_add, lanes = (
        kit.load, kit.store, kit.splat, kit.add, kit.multiply_add, kit.lanes)
    zero, minus, at = number(0), number(-1), pointer_to(dtype)

    @helper
    def less(a, b):
        return multiply_add(b, splat(minus), a)

    @helper
    def store_turned(re, im, i, x, y, c, s):
        """(x + i y)(c + i s)"""
        store(re, i, multiply_add(x, splat(c), multiply_add(y, splat(-s), splat(zero))))
        store(im, i, multiply_add(x, splat(s), multiply_add(y, splat(c), splat(zero))))

    @helper
    def step_of_four(x, y, plane, roots, n, parts, run):
        apart()
        quarter, stride = parts // 4, n // parts
        for p in range(quarter):
            re, im, target = offset(x, run * p), offset(x, plane + run * p), run * 4 * p
            out, out_im = offset(y, target), offset(y, plane + target)
            gap, at_root = run * quarter, stride * p
            for i in range(0, run, lanes):
                a, c = load(re, i), load(re, i + 2 * gap)
                b, d = load(re, i + gap), load(re, i + 3 * gap)
                ai, ci = load(im, i), load(im, i + 2 * gap)
                bi, di = load(im, i + gap), load(im, i + 3 * gap)
                s, si, t, ti = add(a, c), add(ai, ci), less(a, c), less(ai, ci)
                u, ui, v, vi = add(b, d), add(bi, di), less(b, d), less(bi, di)
                store(out, i, add(s, u))
                store(out_im, i, add(si, ui))
                for k in range(1, 4):
                    one, one_i = add(t, vi), less(ti, v)
                    if k == 2:
                        one, one_i = less(s, u), less(si, ui)
                    if k == 3:
                        one, one_i = less(t, vi), add(ti, v)
                    store_turned(out, out_im, k * run + i, one, one_i, roots[k * at_root], roots[n + k * at_root])

    @helper
    def step_of(radix, x, y, plane, roots, n, parts, run):
        """By the definition: for each number of the result the sum over all that go into it."""
        apart()
        some, stride, turn = parts // radix, n // parts, n // radix
        for p in range(some):
            for k in range(radix):
                target = run * (radix * p + k)
                for i in range(0, run, lanes):
                    re, im, root = splat(zero), splat(zero), p * k * stride
                    for j in range(radix):
                        c, s = roots[root], roots[n + root]
                        place = run * (p + some * j) + i
                        value, value_im = load(x, place), load(x, plane + place)
                        re = multiply_add(value, splat(c), multiply_add(value_im, splat(-s), re))
                        im = multiply_add(value, splat(s), multiply_add(value_im, splat(c), im))
                        root += k * turn
                        if root >= n:
                            root -= n
                    store(y, target + i, re)
                    store(y, plane + target + i, im)

    @helper
    def transform(x, y, plane, roots, n, line):
        compact()
        parts, run = n, line
        while parts > 1:
            radix = divisor_of(parts)
            if radix == 4:
                step_of_four(at(x), at(y), plane, roots, n, parts, run)
            else:
                step_of(radix, at(x), at(y), plane, roots, n, parts, run)
            x, y = y, x
            parts //= radix
            run *= radix
        return x
    return transform


def make(types):
    dtype = types["T"]
    size, number, lanes = ITEM_SIZES[dtype], NUMBA_TYPES[dtype], vectors(dtype).lanes
    at, transform, one = pointer_to(dtype), make_steps(dtype), NUMBA_TYPES[dtype](1)

    @helper
    def line_of(count):
        """Numbers from one line to the next: lines at a power of 2 would meet in one set of the first cache."""
        line = round_up(count, lanes)
        return line + lanes if line * size % COLLIDING == 0 else line

    @helper
    def plane_of(first, second, rows):
        """Numbers of a plane: the matrix before and behind the transposition."""
        return max(first * line_of(rows * second), second * line_of(rows * first)) + lanes

    def bind(outer, first, second, inverse, choice):
        n = first * second
        rows = min(max(ceil_div(2 * lanes, min(first, second)), 1), max(outer, 1))
        choice[ROWS] = rows
        choice[GROUPS] = ceil_div(NUMBERS, rows * n)
        choice[TILES] = ceil_div(ceil_div(outer, rows), choice[GROUPS])
        choice[SCRATCH_BYTES] = 4 * plane_of(first, second, rows) * size

    @helper
    def fetch(x, target, plane, n, first, second, line, rows, inverse):
        apart()
        re, im = (plane, 0) if inverse else (0, plane)
        for row in range(rows):
            for i in range(first):
                source, place = offset(x, 2 * (row * n + i * second)), i * line + row * second
                for j in range(second):
                    target[re + place + j] = source[2 * j]
                    target[im + place + j] = source[2 * j + 1]

    @helper
    def turn(x, y, plane, roots, n, first, second, line, other, rows):
        """Multiplied by the roots, and transposed."""
        apart()
        for row in range(rows):
            for i in range(second):
                target, place = offset(y, i * other + row * first), row * second + i
                for k in range(first):
                    c, s = roots[k * second + i], roots[n + k * second + i]
                    a, b = x[k * line + place], x[plane + k * line + place]
                    target[k] = a * c - b * s
                    target[plane + k] = a * s + b * c

    @helper
    def give(y, source, plane, n, first, second, line, rows, inverse):
        apart()
        re, im = (plane, 0) if inverse else (0, plane)
        scale = one / number(n) if inverse else one
        for row in range(rows):
            for k in range(second):
                target, place = offset(y, 2 * (row * n + k * first)), k * line + row * first
                for j in range(first):
                    target[2 * j] = source[re + place + j] * scale
                    target[2 * j + 1] = source[im + place + j] * scale

    def run(x, roots, y, outer, first, second, inverse, choice, work, scratch, phase, tile):
        n, most = first * second, choice[ROWS]
        plane = plane_of(first, second, most)
        here, there = scratch, scratch + 2 * plane * size
        for group in range(tile * choice[GROUPS], min((tile + 1) * choice[GROUPS], ceil_div(outer, most))):
            start = group * most
            rows = min(most, outer - start)
            line, other = line_of(rows * second), line_of(rows * first)
            fetch(offset(x, 2 * start * n), at(here), plane, n, first, second, line, rows, inverse)
            found = transform(here, there, plane, offset(roots, 2 * n), first, line)
            rest = here + there - found
            turn(at(found), at(rest), plane, roots, n, first, second, line, other, rows)
            found = transform(rest, found, plane, offset(roots, 2 * (n + first)), second, other)
            give(offset(y, 2 * start * n), at(found), plane, n, first, second, other, rows, inverse)
        return OK
    return Functions(bind, run)
