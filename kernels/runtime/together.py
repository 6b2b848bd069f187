"""Maps of the same rows run together: a tile of rows goes through all of them, one after the other, before the next.

A mean, the mean of squares around it and what divides by that read the same matrix three times. Where it is larger than
the caches, each of them brought it from memory again; a tile of 32,768 elements stays in the second cache from one map
to the next. Binding finds the maps; the first of them has tiles of rows and runs all, the others' turn is skipped.

Invariants: a group begins with a reduction along rows; a tile of any map of it is the same rows of all. What two of the
maps access is apart, or only read, or of one row each at the same place in it: so no tile waits for another one.
Chunks and the order of sums are those of maps that run alone, and so are the bits.
"""
from __future__ import annotations

from . import image as im
from . import map_words as m
from . import tables as t
from .memory import function, part, set_word, word

LEAST_TILES = 16          # fewer stay in the cache from one map to the next, and would have too few for all threads
MOST_MAPS = 8


@function
def extent_of(out, access, number, cols):
    """Where a pass accesses memory: its first byte, that after its last, the bytes between a row's elements and the
    next one's, 0 if rows do not follow each other evenly, apart, and the bytes from a row's first to after its last.
    cols: elements of a row."""
    bound, strides, size = out + 8 * word(out, m.PASS_0 + number), access + 8 * (m.A_STRIDES + 8 * number), word(
        access, m.A_SIZE)
    axes = bound + (8 * m.P_REPEATED if word(access, m.A_CLASS + number) == m.REPEATED else 0)
    low = word(access, m.A_ADDRESS)
    high, reach, step, rows, left, even = low + size, size, 0, 1, cols, 1
    for i in range(word(axes, m.P_RANK)):
        axis = word(axes, m.P_RANK) - 1 - i
        count, stride = word(axes, m.P_SIZES + axis), word(strides, axis)
        inside = min(count, left)
        if stride < 0 or left % inside != 0 or count % inside != 0:
            even = 0
        low += min((count - 1) * stride, 0)
        high += max((count - 1) * stride, 0)
        reach += (inside - 1) * stride
        left //= inside
        if count > inside:
            if rows == 1:
                step = inside * stride
            elif step * rows != inside * stride:
                even = 0
            rows *= count // inside
    return low, high, step if even != 0 and step >= reach else 0, reach


@function
def apart(out, access, number, other, access_b, number_b, rows):
    """Whether two accesses, of maps that run together, never meet but in the same row."""
    cols = word(out, m.TOTAL) // rows if number == 0 else 1
    cols_b = word(other, m.TOTAL) // rows if number_b == 0 else 1
    low, high, step, reach = extent_of(out, access, number, cols)
    low_b, high_b, step_b, reach_b = extent_of(other, access_b, number_b, cols_b)
    if high <= low_b or high_b <= low:
        return True
    return 0 < step == step_b and max(low + reach, low_b + reach_b) <= min(low, low_b) + step


@function
def access_of(out, i):
    return out + 8 * (word(out, m.ACCESS_ROWS) + m.ACCESS_WORDS * i)


@function
def independent(out, other, rows):
    """Whether a tile of rows of `other` needs of the map `out` no more than that the same tile has been run."""
    loads, loads_b = word(out, m.LOADS), word(other, m.LOADS)
    for i in range(2 * (loads + word(out, m.STORES))):
        access = access_of(out, i // 2)
        if word(access, m.A_CLASS + i % 2) == m.UNUSED:
            continue
        for j in range(2 * (loads_b + word(other, m.STORES))):
            access_b = access_of(other, j // 2)
            written = i // 2 >= loads or j // 2 >= loads_b
            if written and word(access_b, m.A_CLASS + j % 2) != m.UNUSED and not apart(
                    out, access, i % 2, other, access_b, j % 2, rows):
                return False
    return True


@function
def has_rows(out, rows, block):
    """Whether a map can be cut into tiles of `block` of `rows` rows."""
    if word(out, m.MODE) == m.MODE_ROWS:
        return word(out, m.SEGMENTS) == 1 and word(out, m.ROWS) == rows and word(out, m.BLOCK) == block
    plain = word(out, m.MODE) == m.MODE_ELEMENTS and word(out, m.TURNED) == 0 and word(out, m.STREAMS) == 0
    return plain and word(out, m.TOTAL) > 0 and word(out, m.TOTAL) % rows == 0


@part("together")
def join_maps(row, most):
    """Lets the map of a step's row run those after it, at most `most` in all, as far as they can run together."""
    head = word(row, t.ROW_BOUND)
    rows, block = word(head, m.ROWS), word(head, m.BLOCK)
    count, fits = 1, 1
    while fits != 0 and count < most:
        after = row + 8 * t.ROW_WORDS * count
        out = word(after, t.ROW_BOUND)
        if word(after, t.ROW_KIND) != im.STEP_MAP or not has_rows(out, rows, block):
            break
        for i in range(count):
            if not independent(word(row + 8 * t.ROW_WORDS * i, t.ROW_BOUND), out, rows):
                fits = 0
        if fits != 0:
            if word(out, m.MODE) == m.MODE_ELEMENTS:
                set_word(out, m.TILE_ELEMENTS, word(out, m.TOTAL) // rows * block)
            set_word(row, t.ROW_SCRATCH, max(word(row, t.ROW_SCRATCH), word(after, t.ROW_SCRATCH)))
            set_word(after, t.ROW_TOGETHER, 0)
            set_word(after, t.ROW_TILES, word(row, t.ROW_TILES))
            set_word(out, m.FAR, 0)               # what it reads comes from the cache
            count += 1
    set_word(row, t.ROW_TOGETHER, count)
    return 0


@function
def leads(row):
    """Whether a step is a map that others may run together with."""
    out = word(row, t.ROW_BOUND)
    if word(row, t.ROW_KIND) != im.STEP_MAP or word(row, t.ROW_TILES) < LEAST_TILES:
        return False
    return word(out, m.MODE) == m.MODE_ROWS and word(out, m.SEGMENTS) == 1
