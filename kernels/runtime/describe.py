"""What a frame notes of its body before anything is bound: segments, lifetimes of buffers, addresses that will change.

A step that binds RUNTIME dims ends a segment. A dim belongs to the first segment in which it is known, so does a
buffer; an ARENA buffer gets its memory in the segment of the step that writes it first and keeps it until the last
step that touches it (an ALIAS counts for its root).
"""
from __future__ import annotations

from . import image as im
from . import tables as t
from .image import buffer_row, dim_row, kernel_record, root, slot_row, step_record
from .memory import function, set_word, word
from .steps import (
    BIND_BUFFER,
    CALL_KERNEL,
    CALL_OPERANDS,
    IF_FLAG,
    LENGTH_BUFFER,
    LENGTH_SOURCE,
    MAP_STORES,
    POP_RESULT,
    POP_SOURCE,
    PUSH_RESULT,
    PUSH_SOURCE,
    PUSH_VALUE,
    TAKE_BUFFER,
    access_buffer,
    bind_count,
    body_of,
    bound_dim,
    call_operand,
    epilogue_of,
    has_bodies,
    has_lists,
    kind_of,
    list_operand,
    list_operands,
    map_access,
    map_accesses,
    map_of,
    map_store,
)


@function
def describe_slots(image, record, frame):
    for i in range(word(record, im.B_SLOTS)):
        row, slot = slot_row(image, record, i), word(frame, t.FRAME_SLOTS) + 8 * i * t.SLOT_RECORD
        set_word(slot, t.SLOT_DTYPE, word(row, 0))
        set_word(slot, t.SLOT_RANK, word(row, 1))
    describe_ports(image, record, word(frame, t.FRAME_INPUTS), word(record, im.B_INPUTS), word(record, im.B_INPUT_IDS))
    describe_ports(
        image, record, word(frame, t.FRAME_OWN_OUTPUTS), word(record, im.B_OUTPUTS), word(record, im.B_OUTPUT_IDS)
    )


@function
def describe_ports(image, record, slots, count, ids):
    for i in range(count):
        row, slot = buffer_row(image, record, word(image, ids + i)), slots + 8 * i * t.SLOT_RECORD
        set_word(slot, t.SLOT_DTYPE, word(row, 1))
        set_word(slot, t.SLOT_RANK, word(row, 3))


@function
def describe_segments(image, record, frame):
    """Segment rows, rows of steps, and the segments of RUNTIME dims."""
    segments, dim_segments = word(frame, t.FRAME_SEGMENT_ROWS), word(frame, t.FRAME_DIM_SEGMENT)
    segment, steps = 0, word(record, im.B_STEPS)
    for i in range(steps):
        step = step_record(image, record, i)
        row = word(frame, t.FRAME_ROWS) + 8 * i * t.ROW_WORDS
        set_word(row, t.ROW_KIND, kind_of(step))
        set_word(row, t.ROW_RECORD, step)
        set_word(row, t.ROW_SEGMENT, segment)
        if bind_count(step) > 0:
            for j in range(bind_count(step)):
                set_word(dim_segments, bound_dim(step, j), segment + 1)
            set_word(segments + 8 * segment * t.SEGMENT_WORDS, t.SEGMENT_END, i + 1)
            segment += 1
            set_word(segments + 8 * segment * t.SEGMENT_WORDS, t.SEGMENT_BEGIN, i + 1)
    set_word(segments + 8 * segment * t.SEGMENT_WORDS, t.SEGMENT_END, steps)
    set_word(frame, t.FRAME_SEGMENTS, segment + 1)


@function
def dim_operands(kind):
    """How many of a dim's words are ids of other dims."""
    if kind == im.DIM_CONST or kind == im.DIM_INPUT or kind == im.DIM_RUNTIME:
        return 0
    return 3 if kind == im.DIM_SELECT else 2


@function
def describe_dims(image, record, frame):
    segments = word(frame, t.FRAME_DIM_SEGMENT)
    for d in range(word(record, im.B_DIMS)):
        row = dim_row(image, record, d)
        for j in range(dim_operands(word(row, 0))):
            set_word(segments, d, max(word(segments, d), word(segments, word(row, 1 + j))))


@function
def is_given(kind):
    """Whether the frame's caller gives the memory of a buffer of that kind, another one from run to run."""
    return 1 if kind == im.KIND_INPUT or kind == im.KIND_OUTPUT or kind == im.KIND_CARRIED else 0


@function
def describe_buffers(image, record, frame):
    """Roots, segments, and empty lifetimes."""
    segments = word(frame, t.FRAME_BUFFER_SEGMENT)
    for b in range(word(record, im.B_BUFFERS)):
        row = buffer_row(image, record, b)
        base = root(image, record, b)
        set_word(word(frame, t.FRAME_ROOT), b, base)
        set_word(word(frame, t.FRAME_FIRST), b, -1)
        segment = 0
        for axis in range(word(row, 3)):
            segment = max(segment, word(word(frame, t.FRAME_DIM_SEGMENT), word(row, 4 + axis)))
        set_word(segments, b, segment)
        if word(row, 0) == im.KIND_ARENA and word(row, 1) == im.DTYPE_HANDLE:
            set_word(frame, t.FRAME_HANDLES, 1)
        kind = word(buffer_row(image, record, base), 0)
        if base != b and is_given(kind) != 0:
            set_word(frame, t.FRAME_ALIASES, 1)
    for b in range(word(record, im.B_BUFFERS)):
        if word(buffer_row(image, record, b), 0) == im.KIND_ALIAS:
            base = word(word(frame, t.FRAME_ROOT), b)
            set_word(segments, b, max(word(segments, b), word(segments, base)))


@function
def touch(frame, buffer, step):
    base = word(word(frame, t.FRAME_ROOT), buffer)
    if word(word(frame, t.FRAME_FIRST), base) < 0:
        set_word(word(frame, t.FRAME_FIRST), base, step)
    set_word(word(frame, t.FRAME_LAST), base, step)


@function
def touch_written(image, record, frame, buffer, step):
    """Notes the first step that writes a state."""
    row = buffer_row(image, record, word(word(frame, t.FRAME_ROOT), buffer))
    writes = word(frame, t.FRAME_STATE_WRITE)
    if word(row, 0) == im.KIND_STATE and word(writes, word(row, 2)) == 0:
        set_word(writes, word(row, 2), step + 1)


@function
def touch_map(image, record, frame, words, step):
    """words: MAP words from `program` on."""
    for j in range(map_accesses(words)):
        touch(frame, access_buffer(map_access(words, j)), step)
    for j in range(word(words, MAP_STORES)):
        touch_written(image, record, frame, access_buffer(map_store(words, j)), step)


@function
def touch_body(image, frame, body, step):
    """Notes the states that a loop's or branch's body, or one inside it, writes."""
    states = word(image, im.H_STATES)
    table = word(word(frame, t.FRAME_MODEL), t.MODEL_WRITES) + 8 * body * states
    writes = word(frame, t.FRAME_STATE_WRITE)
    for s in range(states):
        if word(table, s) != 0 and word(writes, s) == 0:
            set_word(writes, s, step + 1)


@function
def describe_step(image, record, frame, i):
    step = step_record(image, record, i)
    kind = kind_of(step)
    if kind == im.STEP_MAP:
        touch_map(image, record, frame, map_of(step), i)
    elif kind == im.STEP_CALL:
        registry = word(word(frame, t.FRAME_MODEL), t.MODEL_REGISTRY)
        kernel = kernel_record(registry, word(step, CALL_KERNEL))
        for j in range(word(step, CALL_OPERANDS)):
            touch(frame, call_operand(step, j), i)
            if word(kernel, 4 + 4 * j) != 0:
                touch_written(image, record, frame, call_operand(step, j), i)
        if epilogue_of(step) != 0:
            touch_map(image, record, frame, epilogue_of(step), i)
    elif kind == im.STEP_TAKE:
        touch(frame, word(step, TAKE_BUFFER), i)
        touch_written(image, record, frame, word(step, TAKE_BUFFER), i)
    else:
        describe_control(image, frame, step, i)


@function
def describe_control(image, frame, step, i):
    kind = kind_of(step)
    if has_lists(step):
        for j in range(list_operands(step)):
            touch(frame, list_operand(step, j), i)
        if kind == im.STEP_IF:
            touch(frame, word(step, IF_FLAG), i)
        if has_bodies(step):
            touch_body(image, frame, body_of(step, 0), i)
            touch_body(image, frame, body_of(step, 1), i)
    elif kind == im.STEP_BIND:
        touch(frame, word(step, BIND_BUFFER), i)
    elif kind == im.STEP_PUSH:
        touch(frame, word(step, PUSH_SOURCE), i)
        touch(frame, word(step, PUSH_VALUE), i)
        touch(frame, word(step, PUSH_RESULT), i)
    elif kind == im.STEP_POP:
        touch(frame, word(step, POP_SOURCE), i)
        touch(frame, word(step, POP_RESULT), i)
    elif kind == im.STEP_LENGTH:
        touch(frame, word(step, LENGTH_SOURCE), i)
        touch(frame, word(step, LENGTH_BUFFER), i)


@function
def place_buffers_in_segments(image, record, frame):
    """Which segment's arena an ARENA buffer lies in; -1: none. Handle buffers live as long as the frame."""
    for b in range(word(record, im.B_BUFFERS)):
        row, segment = buffer_row(image, record, b), -1
        first = word(word(frame, t.FRAME_FIRST), b)
        if word(row, 0) == im.KIND_ARENA:
            if word(row, 1) == im.DTYPE_HANDLE:
                segment = word(word(frame, t.FRAME_BUFFER_SEGMENT), b)
                set_word(word(frame, t.FRAME_FIRST), b, -1)
                set_word(word(frame, t.FRAME_LAST), b, word(record, im.B_STEPS))
            elif first >= 0:
                segment = word(word(frame, t.FRAME_ROWS) + 8 * first * t.ROW_WORDS, t.ROW_SEGMENT)
        set_word(word(frame, t.FRAME_LOCAL_SEGMENT), b, segment)


@function
def changes(image, record, frame, buffer):
    """Whether a buffer's address changes from run to run."""
    return is_given(word(buffer_row(image, record, word(word(frame, t.FRAME_ROOT), buffer)), 0))


@function
def add_patch(frame, kind, target, buffer):
    count = word(frame, t.FRAME_PATCH_COUNT)
    patch = word(frame, t.FRAME_PATCHES) + 8 * count * t.PATCH_WORDS
    set_word(patch, t.PATCH_KIND, kind)
    set_word(patch, t.PATCH_TARGET, target)
    set_word(patch, t.PATCH_BUFFER, buffer)
    set_word(frame, t.FRAME_PATCH_COUNT, count + 1)


@function
def patch_map(image, record, frame, words, bound):
    for j in range(map_accesses(words)):
        buffer = access_buffer(map_access(words, j))
        if changes(image, record, frame, buffer) != 0:
            add_patch(frame, t.PATCH_MAP, bound, buffer)


@function
def describe_patches(image, record, frame):
    """Where addresses of inputs and outputs stand in bound steps, segment by segment."""
    for s in range(word(frame, t.FRAME_SEGMENTS)):
        segment = word(frame, t.FRAME_SEGMENT_ROWS) + 8 * s * t.SEGMENT_WORDS
        set_word(segment, t.SEGMENT_PATCH, word(frame, t.FRAME_PATCH_COUNT))
        for i in range(word(segment, t.SEGMENT_BEGIN), word(segment, t.SEGMENT_END)):
            row = word(frame, t.FRAME_ROWS) + 8 * i * t.ROW_WORDS
            step, bound = word(row, t.ROW_RECORD), word(row, t.ROW_BOUND)
            if kind_of(step) == im.STEP_MAP:
                patch_map(image, record, frame, map_of(step), bound)
            elif kind_of(step) == im.STEP_CALL:
                for j in range(word(step, CALL_OPERANDS)):
                    if changes(image, record, frame, call_operand(step, j)) != 0:
                        add_patch(frame, t.PATCH_WORD, bound + 8 * j, call_operand(step, j))
                if epilogue_of(step) != 0:
                    patch_map(image, record, frame, epilogue_of(step), word(row, t.ROW_EPILOGUE))
        set_word(segment, t.SEGMENT_PATCH_END, word(frame, t.FRAME_PATCH_COUNT))
