"""softmax_cross_entropy, sparse_softmax_cross_entropy: the loss of each row of logits and its gradient, in one kernel.

Job: loss = sum_j labels_j (log(sum exp(x - max x)) - (x_j - max x)); backprop = softmax(x) - labels. The sparse form's
labels are one index a row. The weighted forms multiply the gradient of each row by a number, the sparse one of
them in the logits' place.
Invariants: a label of the sparse form outside [0, cols) ends the tile with INDEX_OUT_OF_RANGE, the label and cols in
scratch; a label of exactly 0 contributes 0 even where the logit is infinite, as in TensorFlow. cols = 0 gives loss 0.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.exponential import log_f32, log_f64
from ..memory import NUMBA_TYPES, helper, int64_at, offset, pointer_to
from ..rows import bind_rows
from ..vector import vectors
from ..words import INDEX_OUT_OF_RANGE, OK, SCRATCH_BYTES, TILES, USER
from .softmax import CHUNK, exponentials

LOG = {"f32": log_f32, "f64": log_f64}


@helper
def bind_loss(rows, cols, choice):
    bind_rows(rows, cols, choice)
    choice[SCRATCH_BYTES] = CHUNK * 8
    if cols == 0:
        choice[USER] = rows            # one tile, which sets every loss to 0
        choice[TILES] = 1 if rows > 0 else 0


def make_dense_row(dtype):
    """The function (x, p, gradient, weight, cols, scratch) -> the loss of a row; gradient may not be x's memory."""
    fill, log, row_sum = exponentials(dtype), LOG[dtype], vectors(dtype).row_sum
    zero, one, at = NUMBA_TYPES[dtype](0), NUMBA_TYPES[dtype](1), pointer_to(dtype)

    @helper
    def row(x, p, gradient, weight, cols, scratch):
        greatest, total = fill(x, gradient, cols)
        logarithm, scale, terms = log(total), one / total, at(scratch)
        result = zero
        for start in range(0, cols, CHUNK):
            length, source, share = min(CHUNK, cols - start), offset(x, start), offset(p, start)
            for i in range(length):
                term = share[i] * (logarithm - (source[i] - greatest))
                terms[i] = term if share[i] != zero else zero
            result += row_sum(terms, length)
        for i in range(cols):
            gradient[i] = (gradient[i] * scale - p[i]) * weight
        return result
    return row


def make_sparse_row(dtype):
    """The function (x, label, gradient, weight, cols) -> the loss of a row; gradient may be x's memory."""
    fill, log, one = exponentials(dtype), LOG[dtype], NUMBA_TYPES[dtype](1)

    @helper
    def row(x, label, gradient, weight, cols):
        at_label = x[label]            # before the gradient is written
        greatest, total = fill(x, gradient, cols)
        scale = one / total
        by_label = (gradient[label] * scale - one) * weight
        for i in range(cols):
            gradient[i] = gradient[i] * scale * weight
        gradient[label] = by_label
        return log(total) - (at_label - greatest)
    return row


def make_dense(types):
    row_of, zero, one = make_dense_row(types["T"]), NUMBA_TYPES[types["T"]](0), NUMBA_TYPES[types["T"]](1)

    def bind(rows, cols, choice):
        bind_loss(rows, cols, choice)

    def run(logits, labels, loss, backprop, rows, cols, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            x, p, gradient = offset(logits, row * cols), offset(labels, row * cols), offset(backprop, row * cols)
            loss[row] = row_of(x, p, gradient, one, cols, scratch) if cols > 0 else zero
        return OK
    return Functions(bind, run)


def make_weighted_dense(types):
    row_of, zero = make_dense_row(types["T"]), NUMBA_TYPES[types["T"]](0)

    def bind(rows, cols, choice):
        bind_loss(rows, cols, choice)

    def run(logits, labels, weights, loss, gradient, rows, cols, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            x, p, target = offset(logits, row * cols), offset(labels, row * cols), offset(gradient, row * cols)
            loss[row] = row_of(x, p, target, weights[row], cols, scratch) if cols > 0 else zero
        return OK
    return Functions(bind, run)


@helper
def is_no_class(label, cols, scratch):
    """Whether it is none; then scratch says so."""
    if 0 <= label < cols:
        return False
    detail = int64_at(scratch)
    detail[0] = label
    detail[1] = cols
    return True


def make_sparse(types):
    row_of, one = make_sparse_row(types["T"]), NUMBA_TYPES[types["T"]](1)

    def bind(rows, cols, choice):
        bind_loss(rows, cols, choice)

    def run(logits, labels, loss, backprop, rows, cols, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            if is_no_class(labels[row], cols, scratch):
                return INDEX_OUT_OF_RANGE
            x, gradient = offset(logits, row * cols), offset(backprop, row * cols)
            loss[row] = row_of(x, labels[row], gradient, one, cols)
        return OK
    return Functions(bind, run)


def make_weighted_sparse(types):
    row_of = make_sparse_row(types["T"])

    def bind(rows, cols, choice):
        bind_loss(rows, cols, choice)

    def run(labels, weights, loss, logits, rows, cols, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            if is_no_class(labels[row], cols, scratch):
                return INDEX_OUT_OF_RANGE
            x = offset(logits, row * cols)
            loss[row] = row_of(x, labels[row], x, weights[row], cols)
        return OK
    return Functions(bind, run)
