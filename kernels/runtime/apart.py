"""ARENA buffers apart from one another, for debugging: each has a block of its own and ends where the block does.

Where the embedder says HOST_APART, its blocks end at a page that nothing may touch, so that a step that goes beyond a
buffer is a fault there and not a wrong number elsewhere. No memory is used twice. In this mode the SEGMENT_ARENA of a
segment is a table: how many blocks there are, then their addresses.
"""
from __future__ import annotations

from . import tables as t
from .block import allocate, allocate_cleared, fail, host_of, release, round_up
from .image import buffer_row, dtype_size
from .memory import function, set_word, word
from .segments import first_of, next_of, segment_row


@function
def release_arena(host, row):
    """Frees the memory of a segment's ARENA buffers, in either mode."""
    arena = word(row, t.SEGMENT_ARENA)
    if arena != 0 and word(host, t.HOST_APART) != 0:
        for i in range(word(arena, 0)):
            release(host, word(arena, 1 + i))
    release(host, arena)
    set_word(row, t.SEGMENT_ARENA, 0)


@function
def place_apart(frame, segment):
    """Memory and addresses of the segment's ARENA buffers. Returns 0 or an error code."""
    host, row, count = host_of(frame), segment_row(frame, segment), 0
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    release_arena(host, row)
    b = first_of(frame, segment, t.SEGMENT_PLACED)
    while b >= 0:
        count += 1
        b = next_of(frame, t.FRAME_NEXT_PLACED, b)
    arena = allocate_cleared(host, 8 * (count + 1))
    set_word(row, t.SEGMENT_ARENA, arena)
    if arena == 0:
        return fail(frame, t.NO_MEMORY, -1, 8 * (count + 1), 0, 0)
    b = first_of(frame, segment, t.SEGMENT_PLACED)
    while b >= 0:
        size = word(word(frame, t.FRAME_ELEMENTS), b) * dtype_size(word(buffer_row(image, record, b), 1))
        block = allocate(host, size)
        if block == 0:
            return fail(frame, t.NO_MEMORY, -1, size, 0, 0)
        set_word(arena, 0, word(arena, 0) + 1)
        set_word(arena, word(arena, 0), block)
        set_word(word(frame, t.FRAME_ADDRESSES), b, block + max(round_up(size), 64) - size)
        b = next_of(frame, t.FRAME_NEXT_PLACED, b)
    return 0
