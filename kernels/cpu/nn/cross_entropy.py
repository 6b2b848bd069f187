"""softmax_cross_entropy, sparse_softmax_cross_entropy: the loss of each row of logits and its gradient, in one kernel.

Job: loss = sum_j labels_j (log(sum exp(x - max x)) - (x_j - max x)); backprop = softmax(x) - labels. The sparse form's
labels are one index a row.
Invariants: a label of the sparse form outside [0, cols) ends the tile with INDEX_OUT_OF_RANGE, the label and cols in
scratch; a label of exactly 0 contributes 0 even where the logit is infinite, as in TensorFlow. cols = 0 gives loss 0.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.exponential import log_f32, log_f64
from ..memory import NUMBA_TYPES, helper, int64_at, offset
from ..rows import bind_rows
from ..vector import vectors
from ..words import INDEX_OUT_OF_RANGE, OK, SCRATCH_BYTES, TILES, USER
from .softmax import shifted_exponentials

LOG = {"f32": log_f32, "f64": log_f64}


@helper
def bind_loss(rows, cols, choice):
    bind_rows(rows, cols, choice)
    choice[SCRATCH_BYTES] = 64
    if cols == 0:
        choice[USER] = rows            # one tile, which sets every loss to 0
        choice[TILES] = 1 if rows > 0 else 0


def exponentials(dtype):
    """The function (x, e, cols) -> (max x, sum e) with e = exp(x - max x); cols >= 1."""
    exponentials_of = shifted_exponentials(dtype)
    row_sum, row_max = vectors(dtype).row_sum, vectors(dtype).row_max

    @helper
    def fill(x, e, cols):
        greatest = row_max(x, cols)
        exponentials_of(x, e, cols, greatest)
        return greatest, row_sum(e, cols)
    return fill


def make_dense(types):
    fill, log = exponentials(types["T"]), LOG[types["T"]]
    zero, one = NUMBA_TYPES[types["T"]](0), NUMBA_TYPES[types["T"]](1)

    def bind(rows, cols, choice):
        bind_loss(rows, cols, choice)

    def run(logits, labels, loss, backprop, rows, cols, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            if cols == 0:
                loss[row] = zero
                continue
            x, p, gradient = offset(logits, row * cols), offset(labels, row * cols), offset(backprop, row * cols)
            greatest, total = fill(x, gradient, cols)
            logarithm, scale = log(total), one / total
            result = zero
            for i in range(cols):
                if p[i] != zero:
                    result += p[i] * (logarithm - (x[i] - greatest))
            for i in range(cols):
                gradient[i] = gradient[i] * scale - p[i]
            loss[row] = result
        return OK
    return Functions(bind, run)


def make_sparse(types):
    fill, log = exponentials(types["T"]), LOG[types["T"]]
    one = NUMBA_TYPES[types["T"]](1)

    def bind(rows, cols, choice):
        bind_loss(rows, cols, choice)

    def run(logits, labels, loss, backprop, rows, cols, choice, work, scratch, phase, tile):
        first = tile * choice[USER]
        for row in range(first, min(first + choice[USER], rows)):
            label = labels[row]
            if label < 0 or label >= cols:
                detail = int64_at(scratch)
                detail[0] = label
                detail[1] = cols
                return INDEX_OUT_OF_RANGE
            x, gradient = offset(logits, row * cols), offset(backprop, row * cols)
            at_label = x[label]        # before the gradient is written: it may have the logits' memory
            greatest, total = fill(x, gradient, cols)
            scale = one / total
            for i in range(cols):
                gradient[i] *= scale
            gradient[label] -= one
            loss[row] = log(total) - (at_label - greatest)
        return OK
    return Functions(bind, run)
