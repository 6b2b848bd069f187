"""ctc_loss: connectionist temporal classification (Graves et al., 2006), the loss of each sequence and its gradient.

Job: x[time, batch, classes] are logits, the last class is the blank. loss = -log of the probability of all paths that
give the labels; gradient = softmax(x) - the expected counts of each class. Labels come as (indices[batch, place],
values), in order of batch. Those of the last class and above are no labels; others may not follow them.
A path is at a place of the labels with blanks around each. Lines hold a logarithm for each place, MARGIN places without
any probability on either side, so that a step is the same for all places: it comes from three of them, those before
which a path may not come count nothing by -inf in `stay` and `jump`.
Invariants: a tile is a sequence; all sums are in float64, whatever x; lengths, labels and batch numbers out of range
end the tile with INDEX_OUT_OF_RANGE, too little time for the labels with INVALID_VALUE, unless `skip` gives them loss
0.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.exponential import exp_f64, log_f64
from ..memory import NUMBA_TYPES, apart, helper, int64_at, offset, pointer_to
from ..words import INDEX_OUT_OF_RANGE, INVALID_VALUE, OK, SCRATCH_BYTES, TILES

NONE = float("-inf")                   # the logarithm of no probability
MARGIN, LINES = 2, 6                   # places beside a line; lines beside those of the times
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
def line_of(t, n):
    """Numbers of a line."""
    return 2 * most_labels(t, n) + 1 + 2 * MARGIN


@helper
def log_sum(a, b, c):
    """log(exp a + exp b + exp c)"""
    high = max(max(a, b), c)
    shift = high if high > NONE else 0.0
    return shift + log_f64(exp_f64(a - shift) + exp_f64(b - shift) + exp_f64(c - shift))


@helper
def weigh_ways(labels, stay, jump, states, merge):
    """0 where a path may stay, or come from two places before, over a blank; else -inf."""
    for u in range(states):
        odd = u % 2 == 1
        stay[u] = 0.0 if merge != 0 or not odd else NONE
        over = u > 1 and odd and (merge == 0 or labels[u // 2] != labels[u // 2 - 1])
        jump[u] = 0.0 if over else NONE
    for u in range(states, states + MARGIN):
        jump[u] = NONE


@helper
def clear_margins(line, states):
    for i in range(1, MARGIN + 1):
        line[-i], line[states + i - 1] = NONE, NONE


@helper
def step(here, beside, over, stay, jump, seen, now, states):
    """now = the logarithms of all ways through each place: those that stay, that come from beside, and over a blank."""
    apart()
    for u in range(states):
        now[u] = log_sum(here[u] + stay[u], beside[u], over[u] + jump[u]) + seen[u]


@helper
def shares(alpha, beta, seen, probability, target, states):
    """The chance of being at each place; both have in them what is seen there."""
    apart()
    for u in range(states):
        chance = exp_f64(alpha[u] + beta[u] - seen[u] - probability)
        target[u] = chance if seen[u] > NONE else 0.0


def make(types):
    zero, of = NUMBA_TYPES[types["T"]](0), NUMBA_TYPES[types["T"]]

    def bind(t, b, c, n, collapse, merge, skip, choice):
        choice[TILES] = b
        # labels, the normaliser of each time, lines, counts of classes
        choice[SCRATCH_BYTES] = 64 + 8 * (most_labels(t, n) + 1 + t + (t + LINES) * line_of(t, n) + c)

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
    def normalisers(x, norm, parts, b, c, length):
        for i in range(length):
            row = offset(x, i * b * c)
            high, total = float(row[0]), 0.0
            for k in range(1, c):
                high = max(high, float(row[k]))
            for k in range(c):
                parts[k] = exp_f64(float(row[k]) - high)
            for k in range(c):
                total += parts[k]
            norm[i] = high + log_f64(total)

    @helper
    def look(row, norm, labels, seen, blank, states):
        """The logarithm of each place's class."""
        for u in range(states):
            seen[u] = float(row[symbol(labels, u, blank)]) - norm

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
        states, line = 2 * kept + 1, line_of(t, n)
        norm = doubles_at(scratch + 64 + 8 * (most + 1))
        first, counts, source = offset(norm, t + MARGIN), offset(norm, t + (t + LINES) * line), offset(x, tile * c)
        stay, jump, seen = offset(first, t * line), offset(first, (t + 1) * line), offset(first, (t + 2) * line)
        after, now, place = (offset(first, (t + 3) * line), offset(first, (t + 4) * line),
                             offset(first, (t + 5) * line))
        normalisers(source, norm, counts, b, c, length)
        weigh_ways(labels, stay, jump, states, merge)
        for i in range(length):
            look(offset(source, i * b * c), norm[i], labels, seen, c - 1, states)
            alpha = offset(first, i * line)
            clear_margins(alpha, states)
            if i > 0:
                before = offset(alpha, -line)
                step(before, offset(before, -1), offset(before, -2), stay, jump, seen, alpha, states)
            else:
                for u in range(states):
                    alpha[u] = seen[u] if u < 2 else NONE
        last = offset(first, (length - 1) * line)
        probability = last[states - 1]
        if states > 1:
            probability = log_add(probability, last[states - 2])
        loss[tile] = of(-probability)
        for i in range(length - 1, -1, -1):
            row = offset(source, i * b * c)
            look(row, norm[i], labels, seen, c - 1, states)
            clear_margins(now, states)
            if i < length - 1:
                step(after, offset(after, 1), offset(after, 2), stay, offset(jump, 2), seen, now, states)
            else:
                for u in range(states):
                    now[u] = seen[u] if u >= states - 2 else NONE
            for k in range(c):
                counts[k] = 0.0
            if probability != NONE:
                shares(offset(first, i * line), now, seen, probability, place, states)
                for u in range(states):
                    counts[symbol(labels, u, c - 1)] += place[u]
            store(row, offset(gradient, (i * b + tile) * c), counts, norm[i], c)
            after, now = now, after
        return OK
    return Functions(bind, run)
