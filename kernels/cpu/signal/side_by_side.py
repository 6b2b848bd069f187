"""Fourier transforms that stand side by side: one in each lane of a vector.

Job: as many rows, or columns, as a vector has lanes go to planes of n lines (pairs.py) and are transformed there by
steps of whole vectors (steps.py), whatever divisors n has; so they need neither a second pass nor a turn.
Of 2 n real numbers, taken as n complex ones, z = x[0::2] + i x[1::2] with Z its transform, the result is
X[k] = E + t D, with E = (Z[k] + conj Z[n - k]) / 2, D = Z[k] - conj Z[n - k] and t = exp(-pi i k / n) / 2i, and
X[n - k] = conj(E - t D); the inverse goes the same way back, with conj t. X[0] and X[n] are the sum and the difference
of Z[0]'s parts.
Few rows are transformed one after the other, with lines of one number: a vector has a number of the line and some
behind it, which the lines that are written next put right (steps.py); what is done to each number is the same, so a
row alone has the bits of a row of many. (Of prime numbers that would be one step of single numbers: no gain.)
Invariants: the lanes behind the last row may hold anything; a tile is some groups of rows or columns.
"""
from __future__ import annotations

from ..memory import ITEM_SIZES, NUMBA_TYPES, ceil_div, compact, helper, offset, pointer_to, round_up
from ..vector import vectors
from ..words import SCRATCH_BYTES, TILES, USER
from .pairs import pairs
from .steps import divisor_of

NUMBERS = 1 << 14                      # of a tile, at least
GROUPS = USER                          # word of choice: groups of a tile
FEW_ROWS = 4                           # of a group, at most, for which it is faster to go one after the other


def make_side_by_side(dtype, transform):
    """(bind, run) of transforms of n numbers. transform: the steps for this dtype."""
    kit, moves = vectors(dtype), pairs(dtype)
    size, number, lanes, at = ITEM_SIZES[dtype], NUMBA_TYPES[dtype], kit.lanes, pointer_to(dtype)
    load, store, splat, add, multiply_add = kit.load, kit.store, kit.splat, kit.add, kit.multiply_add
    backwards = kit.backwards
    take, give, take_square, give_square = moves.take, moves.give, moves.take_square, moves.give_square
    zero, half, one, minus = number(0), number(0.5), number(1), number(-1)

    @helper
    def plane_of(lines):
        """Numbers of a plane; two of them don't begin in the same set of the first cache."""
        return (lines + 1) * lanes

    @helper
    def groups_of(outer, inner):
        return ceil_div(outer, lanes) if inner == 1 else outer * ceil_div(inner, lanes)

    @helper
    def bind_side_by_side(outer, n, inner, real, choice):
        choice[GROUPS] = ceil_div(NUMBERS, lanes * n)
        choice[TILES] = ceil_div(groups_of(outer, inner), choice[GROUPS])
        choice[SCRATCH_BYTES] = 4 * plane_of(n + real) * size

    @helper
    def take_rows(x, planes, plane, n, rows):
        compact()
        if rows == lanes and 2 * n >= lanes:
            for i in range(0, 2 * n, lanes):
                column = min(i, 2 * n - lanes)
                line = offset(planes, column // 2 * lanes)
                take_square(line, offset(line, plane), offset(x, column), 2 * n)
        else:
            for row in range(rows):
                for i in range(n):
                    planes[i * lanes + row] = x[2 * (row * n + i)]
                    planes[plane + i * lanes + row] = x[2 * (row * n + i) + 1]

    @helper
    def give_rows(y, planes, plane, n, rows, scale):
        compact()
        if rows == lanes and 2 * n >= lanes:
            for i in range(0, 2 * n, lanes):
                column = min(i, 2 * n - lanes)
                line = offset(planes, column // 2 * lanes)
                give_square(offset(y, column), 2 * n, line, offset(line, plane), scale)
        else:
            for row in range(rows):
                for i in range(n):
                    y[2 * (row * n + i)] = planes[i * lanes + row] * scale
                    y[2 * (row * n + i) + 1] = planes[plane + i * lanes + row] * scale

    @helper
    def take_columns(x, planes, plane, n, inner, count):
        compact()
        for i in range(n):
            line, source = offset(planes, i * lanes), offset(x, 2 * i * inner)
            if count == lanes:
                take(line, offset(line, plane), source)
            else:
                for j in range(count):
                    line[j] = source[2 * j]
                    line[plane + j] = source[2 * j + 1]

    @helper
    def give_columns(y, planes, plane, n, inner, count, scale):
        compact()
        for i in range(n):
            line, target = offset(planes, i * lanes), offset(y, 2 * i * inner)
            if count == lanes:
                give(target, line, offset(line, plane), scale)
            else:
                for j in range(count):
                    target[2 * j] = line[j] * scale
                    target[2 * j + 1] = line[plane + j] * scale

    @helper
    def mix_ends(re, plane, n, inverse):
        """Lines 0 and n."""
        last, weight = n * lanes, splat(half if inverse else one)
        other, target = (last, plane) if inverse else (plane, last)
        a, b = load(re, 0), load(re, other)
        store(re, plane, splat(zero))
        store(re, plane + last, splat(zero))
        store(re, 0, multiply_add(add(a, b), weight, splat(zero)))
        store(re, target, multiply_add(multiply_add(b, splat(minus), a), weight, splat(zero)))

    @helper
    def mixed(a, ai, b, bi, c, s, inverse):
        """Z[k] and Z[n - k], whose root is c + i s, to X[k] and X[n - k], or back: real and imaginary parts."""
        nothing = splat(zero)
        c = multiply_add(c, splat(half if inverse else -half), nothing)
        s = multiply_add(s, splat(half), nothing)
        e = multiply_add(add(a, b), splat(half), nothing)
        ei = multiply_add(multiply_add(bi, splat(minus), ai), splat(half), nothing)
        d, di = multiply_add(b, splat(minus), a), add(ai, bi)
        o = multiply_add(d, s, multiply_add(multiply_add(di, splat(minus), nothing), c, nothing))
        oi = multiply_add(d, c, multiply_add(di, s, nothing))
        return add(e, o), add(ei, oi), multiply_add(o, splat(minus), e), multiply_add(ei, splat(minus), oi)

    @helper
    def mix_halves(re, plane, n, roots, inverse):
        """Between n complex numbers and the n + 1 of twice as many real ones. roots: the 2 n roots of 1."""
        compact()
        mix_ends(re, plane, n, inverse)
        im = offset(re, plane)
        for k in range(1, n // 2 + 1):
            here, there = k * lanes, (n - k) * lanes
            a, ai, b, bi = mixed(load(re, here), load(im, here), load(re, there), load(im, there),
                                 splat(roots[k]), splat(roots[2 * n + k]), inverse)
            store(re, here, a)
            store(im, here, ai)
            store(re, there, b)
            store(im, there, bi)

    @helper
    def mix_row(re, target, plane, n, roots, inverse):
        """The same of a single row, whose n numbers lie side by side, to other planes; n // 2 is a vector at least."""
        compact()
        im, target_im = offset(re, plane), offset(target, plane)
        weight, other = half if inverse else one, re[n] if inverse else im[0]
        first, last = (re[0] + other) * weight + zero, (re[0] - other) * weight + zero
        target[0], target_im[0] = first, last if inverse else zero
        for i in range(1, n // 2 + 1, lanes):
            k = min(i, n // 2 + 1 - lanes)
            there = n - k - lanes + 1
            a, ai, b, bi = mixed(load(re, k), load(im, k), backwards(load(re, there)), backwards(load(im, there)),
                                 load(roots, k), load(roots, 2 * n + k), inverse)
            store(target, k, a)
            store(target_im, k, ai)
            store(target, there, backwards(b))
            store(target_im, there, backwards(bi))
        if not inverse:
            target[n], target_im[n] = last, zero

    @helper
    def run_row(x, roots, y, n, inverse, real, scratch):
        """A single row."""
        compact()
        plane, total = round_up(n + real, lanes) + lanes, n * (1 + real)
        taken, given, here, there = n + real * inverse, n + real * (1 - inverse), scratch, scratch + 2 * plane * size
        for i in range(0, taken, lanes):
            k = min(i, taken - lanes)
            take(offset(at(here), k), offset(at(here), plane + k), offset(x, 2 * k))
        if real * inverse:
            mix_row(at(here), at(there), plane, n, roots, 1)
            here, there = there, here
        part, step = inverse * plane * size, plane - 2 * inverse * plane
        found = transform(here + part, there + part, step, roots, n, total, 1) - part
        if real * (1 - inverse):
            rest = here + there - found
            mix_row(at(found), at(rest), plane, n, roots, 0)
            found = rest
        scale = one / number(n) if inverse else one
        for i in range(0, given, lanes):
            k = min(i, given - lanes)
            give(offset(y, 2 * k), offset(at(found), k), offset(at(found), plane + k), scale)

    @helper
    def run_side_by_side(x, roots, y, outer, n, inner, inverse, real, choice, scratch, tile):
        compact()
        plane, total = plane_of(n + real), n * (1 + real)
        taken, given = n + real * inverse, n + real * (1 - inverse)
        here, there = scratch, scratch + 2 * plane * size
        # The inverse is the transform of what has its parts exchanged.
        part, step = inverse * plane * size, plane - 2 * inverse * plane
        scale, across = one / number(n) if inverse else one, ceil_div(inner, lanes)
        for group in range(tile * choice[GROUPS], min((tile + 1) * choice[GROUPS], groups_of(outer, inner))):
            first, column = group * lanes, group % across * lanes
            count = min(lanes, outer - first) if inner == 1 else min(lanes, inner - column)
            place = 2 * (group // across * n * inner + column)
            if inner == 1 and count <= FEW_ROWS and n >= 2 * lanes and divisor_of(n) < n:
                for row in range(first, first + count):
                    run_row(offset(x, 2 * row * taken), roots, offset(y, 2 * row * given), n, inverse, real, scratch)
                continue
            if inner == 1:
                take_rows(offset(x, 2 * first * taken), at(here), plane, taken, count)
            else:
                take_columns(offset(x, place), at(here), plane, n, inner, count)
            if real * inverse:
                mix_halves(at(here), plane, n, roots, 1)
            found = transform(here + part, there + part, step, roots, n, total, lanes) - part
            if real * (1 - inverse):
                mix_halves(at(found), plane, n, roots, 0)
            if inner == 1:
                give_rows(offset(y, 2 * first * given), at(found), plane, given, count, scale)
            else:
                give_columns(offset(y, place), at(found), plane, n, inner, count, scale)
    return bind_side_by_side, run_side_by_side
