"""edit_distance: by how many insertions, deletions and substitutions sequences differ from what they should be.

Job: for each group the distance of the elements of `found` and `truth` in that group, over the number of the latter if
`normalized`: infinite for none, unless there is nothing to compare, which is 0. Both lists of groups ascend.
Invariants: a group is checked before it is used, INDEX_OUT_OF_RANGE; groups that do not ascend are INVALID_VALUE. The
workspace holds one row of the table of distances between beginnings.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ..array.gather import refuse
from ..memory import helper, int64_at
from ..words import INVALID_VALUE, OK, SCRATCH_BYTES, TILES, WORK_BYTES


@helper
def check(group, n, groups, scratch):
    before = 0
    for i in range(n):
        at = group[i]
        if at < 0 or at >= groups:
            return refuse(scratch, at, groups)
        if at < before:
            return INVALID_VALUE
        before = at
    return OK


@helper
def distance(found, begin, end, truth, first, last, row):
    """Between found[begin:end] and truth[first:last]."""
    length = last - first
    for j in range(length + 1):
        row[j] = j
    for i in range(begin, end):
        diagonal = row[0]
        row[0] = i - begin + 1
        for j in range(length):
            changed = diagonal + (0 if found[i] == truth[first + j] else 1)
            diagonal = row[j + 1]
            row[j + 1] = min(changed, min(diagonal, row[j]) + 1)
    return row[length]


def make(types):
    def bind(h, t, groups, normalized, choice):
        choice[TILES] = 1
        choice[WORK_BYTES] = 8 * (t + 1)
        choice[SCRATCH_BYTES] = 64

    def run(found, found_group, truth, truth_group, out, h, t, groups, normalized, choice, work, scratch, phase, tile):
        status = check(found_group, h, groups, scratch)
        if status == OK:
            status = check(truth_group, t, groups, scratch)
        if status != OK:
            return status
        row, begin, first = int64_at(work), 0, 0
        for group in range(groups):
            end, last = begin, first
            while end < h and found_group[end] == group:
                end += 1
            while last < t and truth_group[last] == group:
                last += 1
            steps = distance(found, begin, end, truth, first, last, row)
            if normalized != 0 and steps != 0:
                out[group] = steps / (last - first)
            else:
                out[group] = steps
            begin, first = end, last
        return OK
    return Functions(bind, run)
