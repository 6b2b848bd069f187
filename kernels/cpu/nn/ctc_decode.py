"""Decoders of connectionist temporal classification: ctc_greedy, ctc_beam, and ctc_sparse, which packs what they find.

Job: x[time, batch, classes] are logits, the last class is the blank. paths[p, batch, time] are the labels found, counts
how many of them. ctc_greedy takes the greatest of each time; score is minus their sum. ctc_beam searches prefixes
(Graves et al., 2006) with `width` of them kept, as TensorFlow does; score[batch, p] is the logarithm of a probability.
Invariants: a tile is a sequence; lengths out of range end it with INDEX_OUT_OF_RANGE, fewer prefixes than `top` with
INVALID_VALUE. A prefix is a node of a tree; each step leaves at most `width` new ones, so 2 + time * width are enough.
ctc_sparse writes `found` rows at most; another number of them is INVALID_VALUE.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.exponential import exp_f64, log_f64
from ..memory import NUMBA_TYPES, helper, int64_at, offset
from ..words import INVALID_VALUE, OK, SCRATCH_BYTES, TILES
from .ctc import NONE, doubles_at, log_add, refuse

# Words of a node: integers, then logarithms of probabilities before and at this time.
PARENT, LABEL, CHILD, SIBLING, FRESH, NODE = range(6)
OLD_TOTAL, OLD_BLANK, TOTAL, BLANK, OF_LABEL, CHANCES = range(6)


def make_greedy(types):
    of = NUMBA_TYPES[types["T"]]

    def bind(t, b, c, merge, choice):
        choice[TILES], choice[SCRATCH_BYTES] = b, 64

    def run(x, lengths, paths, counts, score, t, b, c, merge, choice, work, scratch, phase, tile):
        length, found, previous, total = int(lengths[tile]), 0, -1, of(0)
        if length < 0 or length > t:
            return refuse(length, t + 1, scratch)
        path = offset(paths, tile * t)
        for i in range(t):
            path[i] = 0
        for i in range(length if c > 0 else 0):
            row, best = offset(x, (i * b + tile) * c), 0
            for k in range(1, c):
                best = k if row[k] > row[best] else best
            total -= row[best]
            if best != c - 1 and not (merge != 0 and best == previous):
                path[found] = best
                found += 1
            previous = best
        counts[tile], score[tile] = found, total
        return OK
    return Functions(bind, run)


@helper
def clear(chance):
    chance[TOTAL], chance[BLANK], chance[OF_LABEL] = NONE, NONE, NONE


@helper
def child_of(nodes, parent, label):
    child = nodes[parent * NODE + CHILD]
    while child >= 0 and nodes[child * NODE + LABEL] != label:
        child = nodes[child * NODE + SIBLING]
    return child


@helper
def unlink(nodes, node):
    parent = nodes[node * NODE + PARENT]
    child = nodes[parent * NODE + CHILD]
    if child == node:
        nodes[parent * NODE + CHILD] = nodes[node * NODE + SIBLING]
        return
    while nodes[child * NODE + SIBLING] != node:
        child = nodes[child * NODE + SIBLING]
    nodes[child * NODE + SIBLING] = nodes[node * NODE + SIBLING]


@helper
def sort_down(leaves, chances, count):
    """By total, the greatest first; equal ones stay in order."""
    for i in range(1, count):
        node, j = leaves[i], i
        while j > 0 and chances[leaves[j - 1] * CHANCES + TOTAL] < chances[node * CHANCES + TOTAL]:
            leaves[j] = leaves[j - 1]
            j -= 1
        leaves[j] = node


@helper
def lowest(leaves, chances, count):
    place = 0
    for i in range(1, count):
        if chances[leaves[i] * CHANCES + TOTAL] < chances[leaves[place] * CHANCES + TOTAL]:
            place = i
    return place


@helper
def advance(node, nodes, chances, logs, blank):
    """The chances of a prefix that is kept, one time on."""
    own = offset(chances, node * CHANCES)
    parent, label = nodes[node * NODE + PARENT], nodes[node * NODE + LABEL]
    if parent >= 0:
        above = offset(chances, parent * CHANCES)
        if above[TOTAL] != NONE:
            repeated = label == nodes[parent * NODE + LABEL]
            own[OF_LABEL] = log_add(own[OF_LABEL], above[OLD_BLANK] if repeated else above[OLD_TOTAL])
        own[OF_LABEL] += logs[label]
    own[BLANK] = own[OLD_TOTAL] + logs[blank]
    own[TOTAL] = log_add(own[BLANK], own[OF_LABEL])


@helper
def step(nodes, chances, branches, leaves, count, free, logs, c, width, number):
    """One time: the number of leaves. free[0]: how many nodes lie in the list after it; free[1]: the first new one."""
    for i in range(count):
        branches[i] = leaves[i]
    sort_down(branches, chances, count)
    for i in range(count):
        own = offset(chances, branches[i] * CHANCES)
        own[OLD_TOTAL], own[OLD_BLANK] = own[TOTAL], own[BLANK]
    for i in range(count):
        advance(branches[i], nodes, chances, logs, c - 1)
        leaves[i] = branches[i]
    kept = count
    bottom = lowest(leaves, chances, kept)
    for i in range(count):
        node = branches[i]
        before = offset(chances, node * CHANCES)
        limit = chances[leaves[bottom] * CHANCES + TOTAL] if kept == width else NONE
        if before[OLD_TOTAL] <= limit:
            continue
        for label in range(c - 1):
            child = child_of(nodes, node, label)
            if child >= 0 and chances[child * CHANCES + TOTAL] != NONE:
                continue
            chance = logs[label] + (before[OLD_BLANK] if label == nodes[node * NODE + LABEL] else before[OLD_TOTAL])
            limit = chances[leaves[bottom] * CHANCES + TOTAL] if kept == width else NONE
            if chance <= limit:
                if child >= 0:
                    chances[child * CHANCES + OLD_TOTAL] = NONE
                    chances[child * CHANCES + OLD_BLANK] = NONE
                continue
            place = kept
            if kept == width:
                place = bottom
                gone = leaves[bottom]
                clear(offset(chances, gone * CHANCES))
                if nodes[gone * NODE + FRESH] == number:
                    unlink(nodes, gone)
                    free[2 + free[0]] = gone
                    free[0] += 1
            else:
                kept += 1
            if child < 0:
                if free[0] > 0:
                    free[0] -= 1
                    child = free[2 + free[0]]
                else:
                    child = free[1]
                    free[1] += 1
                made = offset(nodes, child * NODE)
                made[PARENT], made[LABEL], made[CHILD], made[FRESH] = node, label, -1, number
                made[SIBLING] = nodes[node * NODE + CHILD]
                nodes[node * NODE + CHILD] = child
                chances[child * CHANCES + OLD_TOTAL], chances[child * CHANCES + OLD_BLANK] = NONE, NONE
            own = offset(chances, child * CHANCES)
            own[BLANK], own[OF_LABEL], own[TOTAL] = NONE, chance, chance
            leaves[place] = child
            bottom = lowest(leaves, chances, kept)
    return kept


@helper
def trace(nodes, node, path, merge):
    """The labels of a prefix, in order; how many."""
    found, previous, at = 0, -1, node
    while nodes[at * NODE + PARENT] >= 0:
        label = nodes[at * NODE + LABEL]
        if merge == 0 or label != previous:
            path[found] = label
            found += 1
        previous, at = label, nodes[at * NODE + PARENT]
    for i in range(found // 2):
        path[i], path[found - 1 - i] = path[found - 1 - i], path[i]
    return found


def make_beam(types):
    of = NUMBA_TYPES[types["T"]]

    def bind(t, b, c, width, top, merge, choice):
        choice[TILES] = b
        choice[SCRATCH_BYTES] = 64 + 8 * ((2 + t * width) * (NODE + CHANCES) + 3 * width + 4 + c)

    @helper
    def logarithms(row, logs, c):
        high, total = float(row[0]), 0.0
        for k in range(1, c):
            high = max(high, float(row[k]))
        for k in range(c):
            total += exp_f64(float(row[k]) - high)
        norm = high + log_f64(total)
        for k in range(c):
            logs[k] = float(row[k]) - norm

    def run(x, lengths, paths, counts, score, t, b, c, width, top, merge, choice, work, scratch, phase, tile):
        length, capacity = int(lengths[tile]), 2 + t * width
        if length < 0 or length > t:
            return refuse(length, t + 1, scratch)
        nodes = int64_at(scratch + 64)
        branches = offset(nodes, capacity * NODE)
        leaves, free = offset(branches, width), offset(branches, 2 * width)
        chances = doubles_at(scratch + 64 + 8 * (capacity * NODE + 3 * width + 4))
        logs = offset(chances, capacity * CHANCES)
        nodes[PARENT], nodes[LABEL], nodes[CHILD], nodes[SIBLING], nodes[FRESH] = -1, -1, -1, -1, -1
        clear(chances)
        chances[TOTAL], chances[BLANK], leaves[0], count = 0.0, 0.0, 0, 1
        free[0], free[1] = 0, 1
        for i in range(length if c > 0 else 0):
            logarithms(offset(x, (i * b + tile) * c), logs, c)
            count = step(nodes, chances, branches, leaves, count, free, logs, c, width, i)
        if count < top:
            return INVALID_VALUE
        sort_down(leaves, chances, count)
        for p in range(top):
            path = offset(paths, (p * b + tile) * t)
            for i in range(t):
                path[i] = 0
            counts[p * b + tile] = trace(nodes, leaves[p], path, merge)
            score[tile * top + p] = of(chances[leaves[p] * CHANCES + TOTAL])
        return OK
    return Functions(bind, run)


def make_sparse(types):
    def bind(b, t, found, choice):
        choice[TILES] = 1

    def run(paths, counts, indices, values, shape, b, t, found, choice, work, scratch, phase, tile):
        written, longest = 0, 0
        for batch in range(b):
            longest = max(longest, counts[batch])
            for i in range(min(counts[batch], t)):
                if written == found:
                    return INVALID_VALUE
                indices[2 * written], indices[2 * written + 1] = batch, i
                values[written] = paths[batch * t + i]
                written += 1
        shape[0], shape[1] = b, longest
        return OK if written == found else INVALID_VALUE
    return Functions(bind, run)
