"""The steps of Fourier transforms of columns, as many side by side as a line is long: each is one of whole vectors.

They are Stockham's, which need no reordering: of radix 4 as long as that divides, then of the smallest divisor, by the
definition. Real and imaginary parts lie in planes.
Invariant: lines are whole vectors, whose last lanes may be anything.
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
    def step_of(radix, x, y, plane, roots, total, parts, run):
        """By the definition: for each number of the result the sum over all that go into it."""
        apart()
        some, stride, turn = parts // radix, total // parts, total // radix
        for p in range(some):
            for k in range(radix):
                target = run * (radix * p + k)
                for i in range(0, run, lanes):
                    re, im, root = splat(zero), splat(zero), p * k * stride
                    for j in range(radix):
                        c, s = roots[root], roots[total + root]
                        place = run * (p + some * j) + i
                        value, value_im = load(x, place), load(x, plane + place)
                        re = multiply_add(value, splat(c), multiply_add(value_im, splat(-s), re))
                        im = multiply_add(value, splat(s), multiply_add(value_im, splat(c), im))
                        root += k * turn
                        if root >= total:
                            root -= total
                    store(y, target + i, re)
                    store(y, plane + target + i, im)

    @helper
    def transform(x, y, plane, roots, n, total, line):
        compact()
        parts, run = n, line
        while parts > 1:
            radix = divisor_of(parts)
            if radix == 4:
                step_of_four(at(x), at(y), plane, roots, total, parts, run)
            else:
                step_of(radix, at(x), at(y), plane, roots, total, parts, run)
            x, y = y, x
            parts //= radix
            run *= radix
        return x
    return transform
