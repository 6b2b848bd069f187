"""softmax, log_softmax: along the last axis, row by row.

Job: y = exp(x - max x) / sum exp(x - max x), or x - max x - log(sum).
Invariants: x may be y's memory; a row is read before it is written; rows = 0 or cols = 0 does nothing.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.exponential import exp_f32, exp_f64, log_f32, log_f64
from ..memory import NUMBA_TYPES, address, helper, offset, pointer_to
from ..rows import bind_rows
from ..vector import vectors
from ..words import OK, SCRATCH_BYTES, USER

EXP, LOG = {"f32": exp_f32, "f64": exp_f64}, {"f32": log_f32, "f64": log_f64}
CHUNK = 512                            # exponentials kept at a time where only their sum is wanted


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


def make_softmax(types):
    row_sum, row_max = vectors(types["T"]).row_sum, vectors(types["T"]).row_max
    exponentials, one = shifted_exponentials(types["T"]), NUMBA_TYPES[types["T"]](1)

    def bind(rows, cols, choice):
        bind_rows(rows, cols, choice)

    def run(x, y, rows, cols, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            source, target = offset(x, row * cols), offset(y, row * cols)
            greatest = row_max(source, cols)
            exponentials(source, target, cols, greatest)
            scale = one / row_sum(target, cols)
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
