"""Placing the buffers of a segment in one arena: greedy by size over lifetimes.

Largest first; each goes into the smallest gap that holds it among the placed ones whose lifetimes overlap its own, or
behind them. Offsets are multiples of 64 bytes. The temporary table has one row of five words an item: buffer, size,
offset, next (the placed ones, sorted by offset), and the sorted order.
"""
from __future__ import annotations

from . import tables as t
from .block import cancel_flag, round_up
from .frame import FORMULA_STACK
from .image import buffer_row, dtype_size
from .memory import function, set_word, word
from .segments import first_of, next_of

ITEM_BUFFER, ITEM_SIZE, ITEM_OFFSET, ITEM_NEXT, ITEM_ORDER = range(5)
ITEM_WORDS = 5


@function
def collect(frame, segment):
    """Items of the ARENA buffers of a segment; returns how many."""
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    items, count = word(frame, t.FRAME_TEMPORARY) + 8 * FORMULA_STACK, 0
    b = first_of(frame, segment, t.SEGMENT_PLACED)
    while b >= 0:
        size = dtype_size(word(buffer_row(image, record, b), 1))
        item = items + 8 * count * ITEM_WORDS
        set_word(item, ITEM_BUFFER, b)
        set_word(item, ITEM_SIZE, round_up(word(word(frame, t.FRAME_ELEMENTS), b) * size))
        set_word(item, ITEM_ORDER, count)
        count += 1
        b = next_of(frame, t.FRAME_NEXT_PLACED, b)
    return count


@function
def before(items, a, b):
    """Whether item a is placed before item b: larger ones first, then by number."""
    size_a, size_b = word(items, a * ITEM_WORDS + ITEM_SIZE), word(items, b * ITEM_WORDS + ITEM_SIZE)
    return size_a > size_b or (size_a == size_b and a < b)


@function
def sort_by_size(items, count):
    """Shell sort of the ORDER words."""
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, count):
            moved, j = word(items, i * ITEM_WORDS + ITEM_ORDER), i
            while j >= gap and before(items, moved, word(items, (j - gap) * ITEM_WORDS + ITEM_ORDER)):
                set_word(items, j * ITEM_WORDS + ITEM_ORDER, word(items, (j - gap) * ITEM_WORDS + ITEM_ORDER))
                j -= gap
            set_word(items, j * ITEM_WORDS + ITEM_ORDER, moved)
        gap //= 3


@function
def overlap(frame, a, b):
    first, last = word(frame, t.FRAME_FIRST), word(frame, t.FRAME_LAST)
    return word(first, a) <= word(last, b) and word(first, b) <= word(last, a)


@function
def place_one(frame, items, item, head):
    """Finds the offset of an item and links it into the list that begins at `head` (-1: empty); returns the new
    head."""
    row = items + 8 * item * ITEM_WORDS
    size, buffer = word(row, ITEM_SIZE), word(row, ITEM_BUFFER)
    end, best, best_gap, other = 0, -1, 0, head
    while other >= 0:
        at = items + 8 * other * ITEM_WORDS
        if overlap(frame, buffer, word(at, ITEM_BUFFER)):
            gap = word(at, ITEM_OFFSET) - end
            if gap >= size and (best < 0 or gap < best_gap):
                best, best_gap = end, gap
            end = max(end, word(at, ITEM_OFFSET) + word(at, ITEM_SIZE))
        other = word(at, ITEM_NEXT)
    offset = best if best >= 0 else end
    set_word(row, ITEM_OFFSET, offset)
    previous, other = -1, head
    while other >= 0 and word(items, other * ITEM_WORDS + ITEM_OFFSET) < offset:
        previous, other = other, word(items, other * ITEM_WORDS + ITEM_NEXT)
    set_word(row, ITEM_NEXT, other)
    if previous < 0:
        return item
    set_word(items, previous * ITEM_WORDS + ITEM_NEXT, item)
    return head


@function
def place(frame, segment):
    """Offsets of the segment's ARENA buffers, into ADDRESSES; returns the bytes of the arena, -1 if the run
    was cancelled."""
    items = word(frame, t.FRAME_TEMPORARY) + 8 * FORMULA_STACK
    count = collect(frame, segment)
    sort_by_size(items, count)
    head, total = -1, 0
    for i in range(count):
        if cancel_flag(frame) != 0:            # the time grows with the square of the number of buffers
            return -1
        item = word(items, i * ITEM_WORDS + ITEM_ORDER)
        row = items + 8 * item * ITEM_WORDS
        if word(row, ITEM_SIZE) == 0:
            set_word(row, ITEM_OFFSET, 0)
        else:
            head = place_one(frame, items, item, head)
        set_word(word(frame, t.FRAME_ADDRESSES), word(row, ITEM_BUFFER), word(row, ITEM_OFFSET))
        total = max(total, word(row, ITEM_OFFSET) + word(row, ITEM_SIZE))
    return total


@function
def move(frame, segment, arena):
    """Turns the offsets that `place` wrote into addresses."""
    table, b = word(frame, t.FRAME_ADDRESSES), first_of(frame, segment, t.SEGMENT_PLACED)
    while b >= 0:
        set_word(table, b, word(table, b) + arena)
        b = next_of(frame, t.FRAME_NEXT_PLACED, b)
