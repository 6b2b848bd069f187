"""softmax, log_softmax and their gradients: along the last axis, row by row.

Job: y = exp(x - max x) / sum exp(x - max x), or x - max x - log(sum). With their results y: dx = (dy - sum(dy y)) y, or
dy - sum(dy) exp(y).
Invariants: an input may be the output's memory; a row is read before it is written; rows = 0 or cols = 0 does nothing.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.exponential import exp_f32, exp_f64, log_f32, log_f64
from ..memory import NUMBA_TYPES, address, helper, offset, pointer_to
from ..rows import bind_rows
from ..vector import vectors
from ..words import OK, SCRATCH_BYTES, USER

EXP, LOG = {"f32": exp_f32, "f64": exp_f64}, {"f32": log_f32, "f64": log_f64}
CHUNK = 512                            # exponentials that are added up while they are in the first cache


def shifted_exponentials(dtype):
    """The function (x, y, count, shift): y[i] = exp(x[i] - shift), where x may be y's memory: then LLVM vectorises only
    a loop that knows it."""
    exp = EXP[dtype]

    @helper
    def fill(x, y, count, shift):
        if address(x) == address(y):
            for i in range(count):
                y[i] = exp(y[i] - shift)
        else:
            for i in range(count):
                y[i] = exp(x[i] - shift)
    return fill


def exponential_sum(dtype):
    """The function (x, count, shift, scratch) -> sum of exp(x[i] - shift); scratch holds CHUNK elements."""
    exp = EXP[dtype]
    row_sum, zero, at = vectors(dtype).row_sum, NUMBA_TYPES[dtype](0), pointer_to(dtype)

    @helper
    def total(x, count, shift, scratch):
        chunk = at(scratch)
        result = zero
        for start in range(0, count, CHUNK):
            length = min(CHUNK, count - start)
            source = offset(x, start)
            for i in range(length):
                chunk[i] = exp(source[i] - shift)
            result += row_sum(chunk, length)
        return result
    return total


def exponentials(dtype):
    """The function (x, e, cols) -> (max x, sum e) with e = exp(x - max x); cols >= 1, x may be e's memory."""
    exponentials_of, zero = shifted_exponentials(dtype), NUMBA_TYPES[dtype](0)
    row_sum, row_max = vectors(dtype).row_sum, vectors(dtype).row_max

    @helper
    def fill(x, e, cols):
        greatest, total = row_max(x, cols), zero
        for start in range(0, cols, CHUNK):
            part, length = offset(e, start), min(CHUNK, cols - start)
            exponentials_of(offset(x, start), part, length, greatest)
            total += row_sum(part, length)
        return greatest, total
    return fill


def make_softmax(types):
    fill, one = exponentials(types["T"]), NUMBA_TYPES[types["T"]](1)

    def bind(rows, cols, choice):
        bind_rows(rows, cols, choice)

    def run(x, y, rows, cols, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            source, target = offset(x, row * cols), offset(y, row * cols)
            _, total = fill(source, target, cols)
            scale = one / total
            for i in range(cols):
                target[i] *= scale
        return OK
    return Functions(bind, run)


def make_log_softmax(types):
    log = LOG[types["T"]]
    row_max, total = vectors(types["T"]).row_max, exponential_sum(types["T"])

    def bind(rows, cols, choice):
        bind_rows(rows, cols, choice)
        choice[SCRATCH_BYTES] = CHUNK * 8

    def run(x, y, rows, cols, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            source, target = offset(x, row * cols), offset(y, row * cols)
            greatest = row_max(source, cols)
            logarithm = log(total(source, cols, greatest, scratch))
            for i in range(cols):
                target[i] = source[i] - greatest - logarithm
        return OK
    return Functions(bind, run)


def make_softmax_grad(types):
    dtype = types["T"]
    v, zero = vectors(dtype), NUMBA_TYPES[dtype](0)
    lanes, load, store, add, splat = v.lanes, v.load, v.store, v.add, v.splat
    multiply_add, total_of = v.multiply_add, v.total

    @helper
    def dot(a, b, count):
        c = d = e = f = splat(zero)
        fours, whole = count // (4 * lanes) * (4 * lanes), count // lanes * lanes
        for i in range(0, fours, 4 * lanes):
            c, d = multiply_add(load(a, i), load(b, i), c), multiply_add(load(a, i + lanes), load(b, i + lanes), d)
            e = multiply_add(load(a, i + 2 * lanes), load(b, i + 2 * lanes), e)
            f = multiply_add(load(a, i + 3 * lanes), load(b, i + 3 * lanes), f)
        for i in range(fours, whole, lanes):
            c = multiply_add(load(a, i), load(b, i), c)
        result = total_of(add(add(c, d), add(e, f)))
        for i in range(whole, count):
            result += a[i] * b[i]
        return result

    def bind(rows, cols, choice):
        bind_rows(rows, cols, choice)

    def run(y, dy, dx, rows, cols, choice, work, scratch, phase, tile):
        first, whole, nothing = tile * choice[USER], cols // lanes * lanes, splat(zero)
        for row in range(first, min(first + choice[USER], rows)):
            own, given, target = offset(y, row * cols), offset(dy, row * cols), offset(dx, row * cols)
            shift = dot(given, own, cols)
            less = splat(-shift)
            for i in range(0, whole, lanes):
                store(target, i, multiply_add(add(load(given, i), less), load(own, i), nothing))
            for i in range(whole, cols):
                target[i] = (given[i] - shift) * own[i]
        return OK
    return Functions(bind, run)


def make_log_softmax_grad(types):
    dtype = types["T"]
    exp, row_sum = EXP[dtype], vectors(dtype).row_sum
    at = pointer_to(dtype)

    def bind(rows, cols, choice):
        bind_rows(rows, cols, choice)
        choice[SCRATCH_BYTES] = CHUNK * 8

    def run(y, dy, dx, rows, cols, choice, work, scratch, phase, tile):
        first, chunk = tile * choice[USER], at(scratch)
        for row in range(first, min(first + choice[USER], rows)):
            own, given, target = offset(y, row * cols), offset(dy, row * cols), offset(dx, row * cols)
            total = row_sum(given, cols)
            for start in range(0, cols, CHUNK):
                length = min(CHUNK, cols - start)
                source, come, goal = offset(own, start), offset(given, start), offset(target, start)
                for i in range(length):
                    chunk[i] = exp(source[i]) * total
                for i in range(length):
                    chunk[i] = come[i] - chunk[i]
                for i in range(length):
                    goal[i] = chunk[i]
        return OK
    return Functions(bind, run)
