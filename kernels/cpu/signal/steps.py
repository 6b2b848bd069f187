"""The steps of Fourier transforms of columns, as many side by side as a line is long: each is one of whole vectors.

They are Stockham's, which need no reordering: of radix 4 as long as that divides, then of the smallest divisor: 2, or
an odd one, r, by the definition, where numbers j and r - j, whose roots are conjugates, are added and subtracted first:
    X[k], X[r - k] = (x[0] + sum_j c (x[j] + x[r - j]))  +, -  i sum_j s (x[j] - x[r - j])     w^(j k) = c + i s
Real and imaginary parts lie in planes.
Invariant: lines are whole vectors, whose last lanes may be anything; or single numbers. Then what a step writes behind
the end of a run is wrong, and overwritten by the next: it writes in order. (Runs of radix 4 and 2, which come first,
are whole vectors or less than one.)
"""
from __future__ import annotations

from ..memory import NUMBA_TYPES, apart, compact, helper, offset, pointer_to
from ..vector import vectors


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
    two at y; it returns where the result is. plane: from a plane of real parts to that of the imaginary ones. roots:
    the `total` roots of 1, a multiple of n, two planes."""
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
    def step_of_four(x, y, plane, roots, total, parts, run):
        apart()
        quarter, stride = parts // 4, total // parts
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
                    store_turned(out, out_im, k * run + i, one, one_i, roots[k * at_root], roots[total + k * at_root])

    @helper
    def step_of_two(x, y, plane, roots, total, parts, run):
        compact()
        half, stride = parts // 2, total // parts
        for p in range(half):
            out, c, s = offset(y, 2 * run * p), roots[stride * p], roots[total + stride * p]
            for i in range(run * p, run * (p + 1), lanes):
                a, b, ai, bi = load(x, i), load(x, i + run * half), load(x, plane + i), load(x, plane + i + run * half)
                store(out, i - run * p, add(a, b))
                store(out, plane + i - run * p, add(ai, bi))
                store_turned(out, offset(out, plane), i - run * p + run, less(a, b), less(ai, bi), c, s)

    @helper
    def step_of_odd(radix, x, y, plane, roots, total, parts, run):
        compact()
        some, stride, turn = parts // radix, total // parts, total // radix
        both = run % lanes == 0                        # numbers k and radix - k at once
        for p in range(some):
            out = offset(y, run * radix * p)
            for k in range(radix // 2 + 1 if both else radix):
                near, at_root = min(k, radix - k), stride * p * k
                for i in range(0, run, lanes):
                    place, root = run * p + i, near * turn
                    e, ei, o, oi = load(x, place), load(x, plane + place), splat(zero), splat(zero)
                    for j in range(1, radix // 2 + 1):
                        c, s = splat(roots[root]), splat(roots[total + root])
                        here, there = place + run * some * j, place + run * some * (radix - j)
                        a, ai, b, bi = load(x, here), load(x, plane + here), load(x, there), load(x, plane + there)
                        e, ei = multiply_add(add(a, b), c, e), multiply_add(add(ai, bi), c, ei)
                        o, oi = multiply_add(less(a, b), s, o), multiply_add(less(ai, bi), s, oi)
                        root += near * turn
                        if root >= total:
                            root -= total
                    re, im, other, other_im = less(e, oi), add(ei, o), add(e, oi), less(ei, o)
                    if near < k:
                        re, im = other, other_im
                    store_turned(out, offset(out, plane), run * k + i, re, im, roots[at_root], roots[total + at_root])
                    if both and k > 0:
                        again = stride * p * (radix - k)
                        store_turned(out, offset(out, plane), run * (radix - k) + i, other, other_im, roots[again],
                                     roots[total + again])

    @helper
    def transform(x, y, plane, roots, n, total, line):
        compact()
        parts, run = n, line
        while parts > 1:
            radix = divisor_of(parts)
            if radix == 4:
                step_of_four(at(x), at(y), plane, roots, total, parts, run)
            elif radix == 2:
                step_of_two(at(x), at(y), plane, roots, total, parts, run)
            else:
                step_of_odd(radix, at(x), at(y), plane, roots, total, parts, run)
            x, y = y, x
            parts //= radix
            run *= radix
        return x
    return transform
