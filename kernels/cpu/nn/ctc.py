"""ctc_loss: connectionist temporal classification (Graves et al., 2006), the loss of each sequence and its gradient.

Job: x[time, batch, classes] are logits, the last class is the blank. loss = -log of the probability of all paths that
give the labels; gradient = softmax(x) - the expected counts of each class. Labels come as (indices[batch, place],
values), in order of batch. Those of the last class and above are no labels; others may not follow them.
Invariants: a tile is a sequence; all sums are in float64, whatever x; lengths, labels and batch numbers out of range
end the tile with INDEX_OUT_OF_RANGE, too little time for the labels with INVALID_VALUE, unless `skip` gives them loss
0.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.exponential import exp_f64, log_f64
from ..memory import NUMBA_TYPES, helper, int64_at, offset, pointer_to
from ..words import INDEX_OUT_OF_RANGE, INVALID_VALUE, OK, SCRATCH_BYTES, TILES

NONE = float("-inf")                   # the logarithm of no probability
doubles_at = pointer_to("f64")


@helper
def log_add(a, b):
    """log(exp a + exp b)"""
    high, low = max(a, b), min(a, b)
    return high if low == NONE else high + log_f64(1.0 + exp_f64(low - high))


@helper
def most_labels(t, n):
    return min(t, n)


@helper
def refuse(value, limit, scratch):
    detail = int64_at(scratch)
    detail[0] = value
    detail[1] = limit
    return INDEX_OUT_OF_RANGE


@helper
def symbol(labels, place, blank):
    """The class at a place of the labels with blanks around each."""
    return labels[place // 2] if place % 2 == 1 else blank


@helper
def jumps(labels, place, blank, merge):
    """Whether a path may come to `place` from two places before, over a blank."""
    if place < 2 or place % 2 == 0:
        return False
    return merge == 0 or labels[place // 2] != labels[place // 2 - 1]


def make(types):
    zero, of = NUMBA_TYPES[types["T"]](0), NUMBA_TYPES[types["T"]]

    def bind(t, b, c, n, collapse, merge, skip, choice):
        states = 2 * most_labels(t, n) + 1
        choice[TILES] = b
        # labels, the normaliser of each time, forward, two lines backward, counts of classes
        choice[SCRATCH_BYTES] = 64 + 8 * (most_labels(t, n) + 1 + t + t * states + 2 * states + c)

    @helper
    def gather_labels(indices, values, labels, n, b, c, tile, collapse, most, scratch):
        """(status, labels kept, labels given)."""
        kept, given, finished, previous = 0, 0, False, -1
        for i in range(n):
            batch = indices[2 * i]
            if batch < 0 or batch >= b:
                return refuse(batch, b, scratch), 0, 0
            if batch != tile:
                continue
            label = int(values[i])
            if label < 0:
                return refuse(label, c, scratch), 0, 0
            repeated = given > 0 and collapse != 0 and label == previous
            previous = label
            given += 1
            if repeated:
                continue
            if label >= c - 1:
                finished = True
            elif finished:
                return INVALID_VALUE, 0, 0
            else:
                if kept < most:
                    labels[kept] = label
                kept += 1
        return OK, kept, given

    @helper
    def normalisers(x, norm, b, c, length):
        for i in range(length):
            row = offset(x, i * b * c)
            high = float(row[0])
            for k in range(1, c):
                high = max(high, float(row[k]))
            total = 0.0
            for k in range(c):
                total += exp_f64(float(row[k]) - high)
            norm[i] = high + log_f64(total)

    @helper
    def forward(x, norm, labels, alpha, b, c, length, states, merge):
        for u in range(states):
            alpha[u] = float(x[symbol(labels, u, c - 1)]) - norm[0] if u < 2 else NONE
        for i in range(1, length):
            before, now, row = offset(alpha, (i - 1) * states), offset(alpha, i * states), offset(x, i * b * c)
            for u in range(states):
                total = before[u] if merge != 0 or u % 2 == 0 else NONE
                if u > 0:
                    total = log_add(total, before[u - 1])
                if jumps(labels, u, c - 1, merge):
                    total = log_add(total, before[u - 2])
                now[u] = total + float(row[symbol(labels, u, c - 1)]) - norm[i]

    @helper
    def step_back(row, norm, labels, after, now, c, states, merge):
        """now = the logarithms backward of one time, from those of the next, whose logits are row."""
        for u in range(states):
            total = NONE
            if merge != 0 or u % 2 == 0:
                total = after[u] + float(row[symbol(labels, u, c - 1)]) - norm
            if u + 1 < states:
                total = log_add(total, after[u + 1] + float(row[symbol(labels, u + 1, c - 1)]) - norm)
            if u + 2 < states and jumps(labels, u + 2, c - 1, merge):
                total = log_add(total, after[u + 2] + float(row[symbol(labels, u + 2, c - 1)]) - norm)
            now[u] = total

    @helper
    def store(row, target, counts, norm, c):
        for k in range(c):
            target[k] = of(exp_f64(float(row[k]) - norm) - counts[k])

    def run(x, indices, values, lengths, loss, gradient, t, b, c, n, collapse, merge, skip, choice, work, scratch,
            phase, tile):
        most, length = most_labels(t, n), int(lengths[tile])
        loss[tile] = zero
        for i in range(t):
            row = offset(gradient, (i * b + tile) * c)
            for k in range(c):
                row[k] = zero
        if length < 0 or length > t:
            return refuse(length, t + 1, scratch)
        labels = int64_at(scratch + 64)
        status, kept, given = gather_labels(indices, values, labels, n, b, c, tile, collapse, most, scratch)
        if status != OK:
            return status
        if given > length:
            return OK if skip != 0 else INVALID_VALUE
        if length == 0 or c == 0:
            return OK
        states = 2 * kept + 1
        norm = doubles_at(scratch + 64 + 8 * (most + 1))
        alpha = offset(norm, t)
        after, now = offset(alpha, t * (2 * most + 1)), offset(alpha, (t + 1) * (2 * most + 1))
        counts, source = offset(alpha, (t + 2) * (2 * most + 1)), offset(x, tile * c)
        normalisers(source, norm, b, c, length)
        forward(source, norm, labels, alpha, b, c, length, states, merge)
        last = offset(alpha, (length - 1) * states)
        probability = last[states - 1]
        if states > 1:
            probability = log_add(probability, last[states - 2])
        loss[tile] = of(-probability)
        for u in range(states):
            after[u] = 0.0 if u >= states - 2 else NONE
        for i in range(length - 1, -1, -1):
            for k in range(c):
                counts[k] = 0.0
            if probability != NONE:
                for u in range(states):
                    counts[symbol(labels, u, c - 1)] += exp_f64(alpha[i * states + u] + after[u] - probability)
            row = offset(source, i * b * c)
            store(row, offset(gradient, (i * b + tile) * c), counts, norm[i], c)
            if i > 0:
                step_back(row, norm[i], labels, after, now, c, states, merge)
                after, now = now, after
        return OK
    return Functions(bind, run)
