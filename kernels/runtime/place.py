"""Placing the buffers of a segment in one arena: first fit, the largest first, over lifetimes.

Each goes into the lowest gap that holds it among the placed ones whose lifetimes overlap its own, or after them.
Offsets are multiples of 64 bytes. Where that takes noticeably more than what is alive at the same time, those that
stick out are placed sooner, and all of it is done again; the best of a few rounds counts.

The temporary table has one row of eight words, a line of the cache, an item: buffer, size, offset, next (the placed
ones, sorted by offset), the sorted order, the lifetime, and what it is sorted by; after them stand
a word a step and two more.

Who looks for a gap walks all placed ones. So that this is not all buffers of a long chain, one that lies where another
of its size lay right before or after it is joined with that: both are one placed one whose lifetime is both and the
HOLE between them. Only a buffer that nobody reads could have lain in such a hole.
"""
from __future__ import annotations

from . import tables as t
from .block import cancel_flag, round_up
from .frame import FORMULA_STACK
from .image import buffer_row, dtype_size
from .memory import function, set_word, word, zero_bytes
from .segments import first_of, next_of

ITEM_BUFFER, ITEM_SIZE, ITEM_OFFSET, ITEM_NEXT, ITEM_ORDER, ITEM_FIRST, ITEM_LAST, ITEM_WEIGHT = range(8)
ITEM_WORDS = 8
HOLE = 1                               # steps
ROUNDS, PROMOTION = 4, 4               # rounds after the first; how much more those that stick out weigh in the next
NOTICEABLE = 64                        # one part in so many
FEWEST_AGAIN, MOST_AGAIN = 3, 2048     # two lie as well as they can; with many, binding is not to take long


@function
def collect(frame, segment):
    """Items of the ARENA buffers of a segment; returns how many."""
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    items, count = word(frame, t.FRAME_TEMPORARY) + 8 * FORMULA_STACK, 0
    b = first_of(frame, segment, t.SEGMENT_PLACED)
    while b >= 0:
        size = round_up(word(word(frame, t.FRAME_ELEMENTS), b) * dtype_size(word(buffer_row(image, record, b), 1)))
        item = items + 8 * count * ITEM_WORDS
        set_word(item, ITEM_BUFFER, b)
        set_word(item, ITEM_SIZE, size)
        set_word(item, ITEM_WEIGHT, size)
        set_word(item, ITEM_ORDER, count)
        count += 1
        b = next_of(frame, t.FRAME_NEXT_PLACED, b)
    return count


@function
def note_lifetimes(frame, items, count):
    for i in range(count):
        item = items + 8 * i * ITEM_WORDS
        b = word(item, ITEM_BUFFER)
        set_word(item, ITEM_FIRST, max(word(word(frame, t.FRAME_FIRST), b), 0))
        set_word(item, ITEM_LAST, max(word(word(frame, t.FRAME_LAST), b), 0))


@function
def most_alive(items, count, changes):
    """Bytes that are alive at the same time, at most: no placement takes less. changes: a word a step, and two more."""
    begin, end = word(items, ITEM_FIRST), word(items, ITEM_LAST)
    for i in range(1, count):
        begin = min(begin, word(items, i * ITEM_WORDS + ITEM_FIRST))
        end = max(end, word(items, i * ITEM_WORDS + ITEM_LAST))
    zero_bytes(changes, 8 * (end - begin + 2))
    for i in range(count):
        item = items + 8 * i * ITEM_WORDS
        first, after, size = word(item, ITEM_FIRST) - begin, word(item, ITEM_LAST) + 1 - begin, word(item, ITEM_SIZE)
        set_word(changes, first, word(changes, first) + size)
        set_word(changes, after, word(changes, after) - size)
    alive, most = 0, 0
    for step in range(end - begin + 1):
        alive += word(changes, step)
        most = max(most, alive)
    return most


@function
def before(items, a, b):
    """Whether item a is placed before item b: those that weigh more first, then by number."""
    weight_a, weight_b = word(items, a * ITEM_WORDS + ITEM_WEIGHT), word(items, b * ITEM_WORDS + ITEM_WEIGHT)
    return weight_a > weight_b or (weight_a == weight_b and a < b)


@function
def sort(items, count):
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
def apart_by(a, b):
    """Steps between the lifetimes of two items, below 0 if they overlap."""
    return max(word(a, ITEM_FIRST) - word(b, ITEM_LAST), word(b, ITEM_FIRST) - word(a, ITEM_LAST)) - 1


@function
def offset_for(items, row, head):
    """Where an item goes, among the placed ones of the list that begins at `head` (-1: empty), and the placed one right
    below (-1: none), which overlaps it in time."""
    end, under, other = 0, -1, head
    while other >= 0:
        at = items + 8 * other * ITEM_WORDS
        if apart_by(row, at) < 0:
            if word(at, ITEM_OFFSET) - end >= word(row, ITEM_SIZE):
                return end, under
            after = word(at, ITEM_OFFSET) + word(at, ITEM_SIZE)
            if after > end:
                end, under = after, other
        other = word(at, ITEM_NEXT)
    return end, under


@function
def link(items, item, head, under):
    """Puts an item that has its offset into the list, or joins it with one that is there; returns the new head. under:
    one that lies lower, -1: the search begins at the head."""
    row = items + 8 * item * ITEM_WORDS
    offset, previous = word(row, ITEM_OFFSET), under
    other = word(items, under * ITEM_WORDS + ITEM_NEXT) if under >= 0 else head
    while other >= 0 and word(items, other * ITEM_WORDS + ITEM_OFFSET) < offset:
        previous, other = other, word(items, other * ITEM_WORDS + ITEM_NEXT)
    same = other
    while same >= 0 and word(items, same * ITEM_WORDS + ITEM_OFFSET) == offset:
        at = items + 8 * same * ITEM_WORDS
        if word(at, ITEM_SIZE) == word(row, ITEM_SIZE) and apart_by(row, at) <= HOLE:
            set_word(at, ITEM_FIRST, min(word(at, ITEM_FIRST), word(row, ITEM_FIRST)))
            set_word(at, ITEM_LAST, max(word(at, ITEM_LAST), word(row, ITEM_LAST)))
            return head
        same = word(at, ITEM_NEXT)
    set_word(row, ITEM_NEXT, other)
    if previous < 0:
        return item
    set_word(items, previous * ITEM_WORDS + ITEM_NEXT, item)
    return head


@function
def arrange(frame, items, count):
    """Gives all items their offsets; returns the bytes that they take together, -1 if the run was cancelled."""
    note_lifetimes(frame, items, count)
    sort(items, count)
    head, total = -1, 0
    for i in range(count):
        if cancel_flag(frame) != 0:            # many that are alive at once take the square of their number
            return -1
        item = word(items, i * ITEM_WORDS + ITEM_ORDER)
        row = items + 8 * item * ITEM_WORDS
        offset, under = 0, -1
        if word(row, ITEM_SIZE) > 0:
            offset, under = offset_for(items, row, head)
        set_word(row, ITEM_OFFSET, offset)
        if word(row, ITEM_SIZE) > 0:
            head = link(items, item, head, under)
        total = max(total, offset + word(row, ITEM_SIZE))
    return total


@function
def keep(frame, items, count):
    """Writes the offsets into ADDRESSES."""
    for i in range(count):
        item = items + 8 * i * ITEM_WORDS
        set_word(word(frame, t.FRAME_ADDRESSES), word(item, ITEM_BUFFER), word(item, ITEM_OFFSET))


@function
def promote(items, count, least):
    """Items that reach beyond `least` weigh more in the next round."""
    for i in range(count):
        item = items + 8 * i * ITEM_WORDS
        if word(item, ITEM_OFFSET) + word(item, ITEM_SIZE) > least:
            set_word(item, ITEM_WEIGHT, PROMOTION * word(item, ITEM_WEIGHT))


@function
def place(frame, segment):
    """Offsets of the segment's ARENA buffers, into ADDRESSES; returns the bytes of the arena, -1 if the run
    was cancelled."""
    items = word(frame, t.FRAME_TEMPORARY) + 8 * FORMULA_STACK
    count = collect(frame, segment)
    best = arrange(frame, items, count)
    keep(frame, items, count)
    if best < 0 or count < FEWEST_AGAIN or count > MOST_AGAIN:
        return best
    note_lifetimes(frame, items, count)
    least = most_alive(items, count, items + 8 * count * ITEM_WORDS)
    for _ in range(ROUNDS):
        if best <= least + least // NOTICEABLE:
            break
        promote(items, count, least)
        total = arrange(frame, items, count)
        if total < 0:
            return -1
        if total < best:
            best = total
            keep(frame, items, count)
    return best


@function
def move(frame, segment, arena):
    """Turns the offsets that `place` wrote into addresses."""
    table, b = word(frame, t.FRAME_ADDRESSES), first_of(frame, segment, t.SEGMENT_PLACED)
    while b >= 0:
        set_word(table, b, word(table, b) + arena)
        b = next_of(frame, t.FRAME_NEXT_PLACED, b)
