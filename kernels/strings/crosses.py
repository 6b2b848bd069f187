"""Crosses of features: for each row every combination of one element of each, as a hash. Elements are fingerprints
here, those of strings as hashes.py has them.
"""
from __future__ import annotations

import numpy as np

from .hashes import N47, M
from .memory import function, set_word, word
from .tables import CROSSED_COLUMNS, CROSSED_COUNT, CROSSED_INDICES, CROSSED_VALUES, CROSSED_WORDS

LARGEST = np.uint64((1 << 63) - 1)
NOT_PLAIN = -1


@function
def shifted(x):
    return x ^ (x >> N47)


@function
def mixed_with(hashed, element):
    """A hash and one element more: the mixing of MurmurHash 2, 64A."""
    return shifted(shifted((hashed ^ M ^ (shifted(element * M) * M)) * M) * M)


@function
def row_starts(features, count, rows, starts, sizes):
    """Writes where each row of each feature begins and ends, `count` words a row and one row more; how many crosses
    there are together and in one row at most goes to `sizes`. 0, or NOT_PLAIN if rows of a sparse feature are in
    disorder or outside."""
    for k in range(count):
        feature = features + 8 * CROSSED_WORDS * k
        indices, elements, at = word(feature, CROSSED_INDICES), word(feature, CROSSED_COUNT), 0
        for row in range(rows):
            set_word(starts, row * count + k, at)
            if indices == 0:
                at += word(feature, CROSSED_COLUMNS)
            else:
                while at < elements and word(indices, 2 * at) == row:
                    at += 1
        set_word(starts, rows * count + k, at)
        if at != elements:
            return NOT_PLAIN
    total, longest = 0, 0
    for row in range(rows):
        crosses = 1
        for k in range(count):
            crosses *= word(starts, (row + 1) * count + k) - word(starts, row * count + k)
        total += crosses
        longest = max(longest, crosses)
    set_word(sizes, 0, total)
    set_word(sizes, 1, longest)
    return 0


@function
def cross(features, count, rows, starts, key, buckets, indices, target):
    """Writes the crosses and their places; of the last feature the element changes first. buckets: 0 for whole
    hashes."""
    most = np.uint64(buckets) if buckets != 0 else LARGEST
    at = 0
    for row in range(rows):
        crosses = 1
        for k in range(count):
            crosses *= word(starts, (row + 1) * count + k) - word(starts, row * count + k)
        for place in range(crosses):
            hashed, left, behind = np.uint64(key), place, crosses
            for k in range(count):
                begin = word(starts, row * count + k)
                behind //= word(starts, (row + 1) * count + k) - begin
                chosen = left // behind
                left -= chosen * behind
                values = word(features + 8 * CROSSED_WORDS * k, CROSSED_VALUES)
                hashed = mixed_with(hashed, np.uint64(word(values, begin + chosen)))
            set_word(target, at, np.int64(hashed % most))
            set_word(indices, 2 * at, row)
            set_word(indices, 2 * at + 1, place)
            at += 1
    return at
