"""What belongs to a segment, as linked lists in ascending order: so entering a segment takes as long as what it holds,
and a body of many segments takes a time linear in its size.

An entry is a number plus 1, 0 ends a list. Heads stand in the segment's row, the rest in a table of the frame: nothing
is a member of two lists of a kind.
"""
from __future__ import annotations

from ..layout import GUARD_WORDS
from . import image as im
from . import tables as t
from .image import buffer_row
from .memory import function, set_word, word


@function
def segment_row(frame, segment):
    return word(frame, t.FRAME_SEGMENT_ROWS) + 8 * segment * t.SEGMENT_WORDS


@function
def first_of(frame, segment, head):
    """First member of a list, -1 if it is empty. head: SEGMENT_DIMS and so on."""
    return word(segment_row(frame, segment), head) - 1


@function
def next_of(frame, table, member):
    """The member after this one, -1 if it is the last. table: FRAME_NEXT_DIM and so on."""
    return word(word(frame, table), member) - 1


@function
def prepend(frame, segment, head, table, member):
    row = segment_row(frame, segment)
    set_word(word(frame, table), member, word(row, head))
    set_word(row, head, member + 1)


@function
def address_segment(image, record, frame, b):
    """The segment in which a buffer gets its address, -1: never."""
    kind = word(buffer_row(image, record, b), 0)
    if kind == im.KIND_ARENA:
        return word(word(frame, t.FRAME_LOCAL_SEGMENT), b)
    return word(word(frame, t.FRAME_BUFFER_SEGMENT), b) if kind == im.KIND_OUTPUT else 0


@function
def list_members(image, record, frame):
    """Fills all lists of a frame whose dims and buffers have their segments."""
    dims = word(frame, t.FRAME_DIM_SEGMENT)
    for d in range(word(record, im.B_DIMS) - 1, -1, -1):
        prepend(frame, word(dims, d), t.SEGMENT_DIMS, t.FRAME_NEXT_DIM, d)
    for g in range(word(record, im.B_GUARDS) - 1, -1, -1):
        row = image + 8 * (word(record, im.B_GUARD_ROWS) + g * GUARD_WORDS)
        prepend(frame, max(word(dims, word(row, 1)), word(dims, word(row, 2))), t.SEGMENT_GUARDS, t.FRAME_NEXT_GUARD, g)
    for b in range(word(record, im.B_BUFFERS) - 1, -1, -1):
        segment = word(word(frame, t.FRAME_BUFFER_SEGMENT), b)
        prepend(frame, segment, t.SEGMENT_BUFFERS, t.FRAME_NEXT_BUFFER, b)
        base = word(word(frame, t.FRAME_ROOT), b)
        where = address_segment(image, record, frame, base)
        if base != b and where >= 0:
            prepend(frame, where, t.SEGMENT_ALIASES, t.FRAME_NEXT_PLACED, b)
        elif base == b and where >= 0 and word(buffer_row(image, record, b), 0) == im.KIND_ARENA:
            prepend(frame, where, t.SEGMENT_PLACED, t.FRAME_NEXT_PLACED, b)
    for i in range(word(record, im.B_OUTPUTS) - 1, -1, -1):
        segment = word(word(frame, t.FRAME_BUFFER_SEGMENT), word(image, word(record, im.B_OUTPUT_IDS) + i))
        prepend(frame, segment, t.SEGMENT_OUTPUTS, t.FRAME_NEXT_OUTPUT, i)
