"""Lists: persistent stacks. A handle is 1 + the number of a node of the run's table, 0 is the empty list.

A node holds the handle below it, the element's shape and a copy of the element. Handles come from memory that a Plan
can write, so each is compared with the table before use. Elements lie in chunks that the next run uses again.
Lists that are written and read anywhere have nodes of another kind: list_tree.py.
"""
from __future__ import annotations

from . import tables as t
from .block import allocate, fail, grow_keeping, host_of
from .image import buffer_row, dtype_size
from .memory import copy_bytes, function, set_int, set_word, word
from .steps import (
    LENGTH_BUFFER,
    LENGTH_SOURCE,
    PUSH_RESULT,
    PUSH_SOURCE,
    PUSH_VALUE,
)

CHUNK = 1 << 20
MOST_NODES = 1 << 40


@function
def handle_of(frame, buffer):
    """The handle in a buffer, 0 if it is not one of this run."""
    handle = word(word(word(frame, t.FRAME_ADDRESSES), buffer), 0)
    count = word(word(frame, t.FRAME_CONTEXT), t.RUN_NODE_COUNT)
    return handle if 0 < handle <= count else 0


@function
def node_of(frame, handle):
    return word(word(frame, t.FRAME_CONTEXT), t.RUN_NODES) + 8 * (handle - 1) * t.NODE_WORDS


@function
def chunk_space(host, context, size):
    """`size` bytes that stay until the end of the run; 0 if there is no memory."""
    size = (size + 63) // 64 * 64
    while True:
        chunk = word(context, t.RUN_CHUNK)
        if chunk != 0 and word(chunk, t.CHUNK_BYTES) - word(chunk, t.CHUNK_USED) >= size:
            address = chunk + t.CHUNK_FIRST + word(chunk, t.CHUNK_USED)
            set_word(chunk, t.CHUNK_USED, word(chunk, t.CHUNK_USED) + size)
            return address
        following = word(context, t.RUN_CHUNKS) if chunk == 0 else word(chunk, t.CHUNK_NEXT)
        if following == 0:
            following = allocate(host, max(size, CHUNK) + t.CHUNK_FIRST)
            if following == 0:
                return 0
            set_word(following, t.CHUNK_NEXT, 0)
            set_word(following, t.CHUNK_BYTES, max(size, CHUNK))
            if chunk == 0:
                set_word(context, t.RUN_CHUNKS, following)
            else:
                set_word(chunk, t.CHUNK_NEXT, following)
        set_word(following, t.CHUNK_USED, 0)
        set_word(context, t.RUN_CHUNK, following)


@function
def forget_lists(context):
    """At the end of a run: every handle is invalid, the memory is free for the next one."""
    set_word(context, t.RUN_NODE_COUNT, 0)
    set_word(context, t.RUN_CHUNK, 0)


@function
def run_push(frame, record, step):
    source, value, result = word(record, PUSH_SOURCE), word(record, PUSH_VALUE), word(record, PUSH_RESULT)
    context, host = word(frame, t.FRAME_CONTEXT), host_of(frame)
    body, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    below = handle_of(frame, source)
    count, row = word(context, t.RUN_NODE_COUNT), buffer_row(image, body, value)
    elements = word(word(frame, t.FRAME_ELEMENTS), value)
    size = elements * dtype_size(word(row, 1))
    if count >= MOST_NODES or grow_keeping(host, context, t.RUN_NODES, t.RUN_NODE_CAPACITY,
                                           8 * t.NODE_WORDS * (count + 1)) == 0:
        return fail(frame, t.NO_MEMORY, step, size, 0, 0)
    address = chunk_space(host, context, size)
    if address == 0:
        return fail(frame, t.NO_MEMORY, step, size, 0, 0)
    node = word(context, t.RUN_NODES) + 8 * count * t.NODE_WORDS
    set_word(node, t.NODE_PREVIOUS, below)
    set_word(node, t.NODE_ADDRESS, address)
    set_word(node, t.NODE_DTYPE, word(row, 1))
    set_word(node, t.NODE_RANK, word(row, 3))
    set_word(node, t.NODE_ELEMENTS, elements)
    set_word(node, t.NODE_KIND, 0)
    set_word(node, t.NODE_ARRAY, 0)
    set_word(node, t.NODE_LENGTH, 1 + (word(node_of(frame, below), t.NODE_LENGTH) if below != 0 else 0))
    copy_bytes(node + 8 * t.NODE_SIZES, word(frame, t.FRAME_SIZES) + 64 * value, 64)
    if size > 0:
        copy_bytes(address, word(word(frame, t.FRAME_ADDRESSES), value), size)
    set_word(context, t.RUN_NODE_COUNT, count + 1)
    set_word(word(word(frame, t.FRAME_ADDRESSES), result), 0, count + 1)
    return 0


@function
def run_length(frame, record):
    handle = handle_of(frame, word(record, LENGTH_SOURCE))
    length = word(node_of(frame, handle), t.NODE_LENGTH) if handle != 0 else 0
    set_int(word(word(frame, t.FRAME_ADDRESSES), word(record, LENGTH_BUFFER)), 0, length)
    return 0
