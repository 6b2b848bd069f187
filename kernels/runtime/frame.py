"""Frames: making one, and what of it depends on the body alone: segments, lifetimes, places of bound records.

A step that binds RUNTIME dims ends a segment. A dim belongs to the first segment in which it is known, so does a
buffer; an ARENA buffer gets its memory in the segment of the step that writes it first and keeps it until the last
step that touches it (an ALIAS counts for its root). Everything of a frame that has a fixed size lies in one block
behind its FRAME words.
"""
from __future__ import annotations

from ..kernel import Choice
from . import image as im
from . import tables as t
from .apart import release_arena
from .block import allocate_cleared, release, slot_release
from .image import (
    bind_count,
    body_record,
    bound_dim,
    buffer_row,
    dim_row,
    kernel_record,
    list_base,
    root,
    slot_row,
    step_record,
)
from .map import map_words
from .memory import function, set_word, word
from .segments import list_members

CHOICE_WORDS = int(Choice.SIZE)
FORMULA_STACK = 256
MOST_BYTES = 1 << 61      # sums of two still fit into a word


@function
def put(frame, field, cursor, words):
    """Notes a table of `words` words at the cursor (unless only counting, frame 0); returns the cursor behind it."""
    if frame != 0:
        set_word(frame, field, cursor)
    return cursor + 8 * words


@function
def round_words(cursor):
    return (cursor + 63) // 64 * 64


@function
def operand_total(step):
    """Number of patches that a step may need."""
    kind = word(step, 0)
    if kind == im.STEP_MAP:
        return word(step, 5) + word(step, 6)
    if kind == im.STEP_CALL:
        epilogue = epilogue_of(step)
        return word(step, 3) + (word(epilogue, 3) + word(epilogue, 4) if epilogue != 0 else 0)
    return 0


@function
def epilogue_of(step):
    """Address of the MAP words of a CALL's epilogue, 0 if it has none."""
    if word(step, 6) == 0:
        return 0
    return step + 8 * (7 + word(step, 3) + word(step, 4) + word(step, 5))


@function
def lay_out_step(model, row, step, cursor):
    """Space for what binding a step makes; row 0: only count."""
    kind = word(step, 0)
    image, registry = word(model, t.MODEL_IMAGE), word(model, t.MODEL_REGISTRY)
    if kind == im.STEP_MAP:
        cursor = put(row, t.ROW_BOUND, cursor, map_words(step + 16, image, registry))
    elif kind == im.STEP_CALL:
        cursor = put(row, t.ROW_BOUND, cursor, word(step, 3) + word(step, 4) + word(step, 5) + CHOICE_WORDS)
        epilogue = epilogue_of(step)
        if epilogue != 0:
            cursor = put(row, t.ROW_EPILOGUE, round_words(cursor), map_words(epilogue, image, registry))
    elif kind == im.STEP_HOST:
        operands, slots = word(step, 3), word(step, 4)
        cursor = put(row, t.ROW_BOUND, cursor, t.ASK_FIRST + operands + slots)
        cursor = put(row, t.ROW_STORAGE, cursor, operands * t.SLOT_RECORD)
    elif kind == im.STEP_WHILE:
        cursor = put(row, t.ROW_STORAGE, cursor, (2 * word(step, 4) + 1) * t.SLOT_RECORD)
    return round_words(cursor)


@function
def lay_out(model, record, frame, cursor):
    """Places every table of a frame from `cursor` on (frame 0: only count); returns the end."""
    image = word(model, t.MODEL_IMAGE)
    dims, buffers, steps = word(record, im.B_DIMS), word(record, im.B_BUFFERS), word(record, im.B_STEPS)
    inputs, outputs = word(record, im.B_INPUTS), word(record, im.B_OUTPUTS)
    patches, segments = 0, 1
    for i in range(steps):
        step = step_record(image, record, i)
        patches += operand_total(step)
        segments += 1 if bind_count(step) > 0 else 0
    cursor = put(frame, t.FRAME_INPUTS, cursor, inputs * t.SLOT_RECORD)
    cursor = put(frame, t.FRAME_OWN_OUTPUTS, cursor, outputs * t.SLOT_RECORD)
    cursor = put(frame, t.FRAME_SLOTS, cursor, word(record, im.B_SLOTS) * t.SLOT_RECORD)
    cursor = put(frame, t.FRAME_ADDRESSES, cursor, buffers)
    cursor = put(frame, t.FRAME_DIMS, cursor, dims)
    cursor = put(frame, t.FRAME_SIZES, cursor, 8 * buffers)
    cursor = put(frame, t.FRAME_ELEMENTS, cursor, buffers)
    cursor = put(frame, t.FRAME_FIRST, cursor, buffers)
    cursor = put(frame, t.FRAME_LAST, cursor, buffers)
    cursor = put(frame, t.FRAME_ROOT, cursor, buffers)
    cursor = put(frame, t.FRAME_DIM_SEGMENT, cursor, dims)
    cursor = put(frame, t.FRAME_BUFFER_SEGMENT, cursor, buffers)
    cursor = put(frame, t.FRAME_LOCAL_SEGMENT, cursor, buffers)
    cursor = put(frame, t.FRAME_NEXT_DIM, cursor, dims)
    cursor = put(frame, t.FRAME_NEXT_GUARD, cursor, word(record, im.B_GUARDS))
    cursor = put(frame, t.FRAME_NEXT_BUFFER, cursor, buffers)
    cursor = put(frame, t.FRAME_NEXT_PLACED, cursor, buffers)
    cursor = put(frame, t.FRAME_NEXT_OUTPUT, cursor, outputs)
    cursor = put(frame, t.FRAME_BOUND_SIZES, cursor, 8 * inputs)
    cursor = put(frame, t.FRAME_STATE_WRITE, cursor, word(image, im.H_STATES))
    cursor = put(frame, t.FRAME_SEGMENT_ROWS, cursor, segments * t.SEGMENT_WORDS)
    cursor = put(frame, t.FRAME_PATCHES, cursor, patches * t.PATCH_WORDS)
    cursor = put(frame, t.FRAME_TEMPORARY, cursor, FORMULA_STACK + 8 * buffers)
    cursor = put(frame, t.FRAME_ROWS, round_words(cursor), steps * t.ROW_WORDS)
    rows, cursor = cursor - 8 * steps * t.ROW_WORDS, round_words(cursor)
    for i in range(steps):
        row = 0 if frame == 0 else rows + 8 * i * t.ROW_WORDS
        cursor = lay_out_step(model, row, step_record(image, record, i), cursor)
    return cursor


@function
def frame_bytes(model, body):
    """What a frame of a body takes, without what it computes."""
    return lay_out(model, body_record(word(model, t.MODEL_IMAGE), body), 0, 8 * t.FRAME_WORDS)


@function
def add_saturated(a, b):
    """The sum of two numbers of bytes; MOST_BYTES if it is larger."""
    return min(a + b, MOST_BYTES)


@function
def frame_create(model, body, context):
    """A new frame of a body, with nothing bound; 0 if there is no memory."""
    image = word(model, t.MODEL_IMAGE)
    record = body_record(image, body)
    head, size = 8 * t.FRAME_WORDS, frame_bytes(model, body)
    frame = allocate_cleared(word(model, t.MODEL_HOST), size)
    if frame == 0:
        return 0
    set_word(frame, t.FRAME_MODEL, model)
    set_word(frame, t.FRAME_BODY, body)
    set_word(frame, t.FRAME_RECORD, record)
    set_word(frame, t.FRAME_CONTEXT, context)
    lay_out(model, record, frame, frame + head)
    set_word(frame, t.FRAME_OUTPUTS, word(frame, t.FRAME_OWN_OUTPUTS))
    set_word(frame, t.FRAME_NEXT, word(context, t.RUN_FRAMES))
    set_word(context, t.RUN_FRAMES, frame)
    describe_slots(image, record, frame)
    describe_segments(image, record, frame)
    describe_dims(image, record, frame)
    describe_buffers(image, record, frame)
    for i in range(word(record, im.B_STEPS)):
        describe_step(image, record, frame, i)
    place_buffers_in_segments(image, record, frame)
    list_members(image, record, frame)
    describe_patches(image, record, frame)
    return frame


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
        set_word(row, t.ROW_KIND, word(step, 0))
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
        if base != b and (kind == im.KIND_INPUT or kind == im.KIND_OUTPUT):
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
def touch_map(frame, words, step):
    """words: MAP words from `program` on."""
    rank = word(words, 1)
    access = words + 8 * (5 + rank)
    for _ in range(word(words, 3) + word(words, 4)):
        touch(frame, word(access, 0), step)
        access += 8 * (2 + rank)


@function
def touch_written(image, record, frame, buffer, step):
    """Notes the first step that writes a state."""
    row = buffer_row(image, record, word(word(frame, t.FRAME_ROOT), buffer))
    writes = word(frame, t.FRAME_STATE_WRITE)
    if word(row, 0) == im.KIND_STATE and word(writes, word(row, 2)) == 0:
        set_word(writes, word(row, 2), step + 1)


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
    kind = word(step, 0)
    if kind == im.STEP_MAP:
        touch_map(frame, step + 16, i)
        access = step + 8 * (7 + word(step, 3) + word(step, 5) * (2 + word(step, 3)))
        for _ in range(word(step, 6)):
            touch_written(image, record, frame, word(access, 0), i)
            access += 8 * (2 + word(step, 3))
    elif kind == im.STEP_CALL:
        registry = word(word(frame, t.FRAME_MODEL), t.MODEL_REGISTRY)
        kernel = kernel_record(registry, word(step, 2))
        for j in range(word(step, 3)):
            touch(frame, word(step, 7 + j), i)
            if word(kernel, 4 + 4 * j) != 0:
                touch_written(image, record, frame, word(step, 7 + j), i)
        words = epilogue_of(step)
        if words != 0:
            touch_map(frame, words, i)
            access = words + 8 * (5 + word(words, 1) + word(words, 3) * (2 + word(words, 1)))
            for _ in range(word(words, 4)):
                touch_written(image, record, frame, word(access, 0), i)
                access += 8 * (2 + word(words, 1))
    elif kind == im.STEP_BIND:
        touch(frame, word(step, 2), i)
    elif kind == im.STEP_TAKE:
        touch(frame, word(step, 3), i)
        touch_written(image, record, frame, word(step, 3), i)
    elif kind == im.STEP_HOST or kind == im.STEP_WHILE or kind == im.STEP_IF:
        describe_control(image, frame, step, i)
    elif kind == im.STEP_PUSH:
        for j in range(3):
            touch(frame, word(step, 2 + j), i)
    elif kind == im.STEP_POP or kind == im.STEP_LENGTH:
        touch(frame, word(step, 2), i)
        touch(frame, word(step, 3), i)


@function
def describe_control(image, frame, step, i):
    kind = word(step, 0)
    base = list_base(kind)
    for j in range(word(step, base - 3)):
        touch(frame, word(step, base + j), i)
    if kind == im.STEP_WHILE:
        touch_body(image, frame, word(step, 2), i)
        touch_body(image, frame, word(step, 3), i)
    elif kind == im.STEP_IF:
        touch(frame, word(step, 2), i)
        touch_body(image, frame, word(step, 3), i)
        touch_body(image, frame, word(step, 4), i)


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
    kind = word(buffer_row(image, record, word(word(frame, t.FRAME_ROOT), buffer)), 0)
    return 1 if kind == im.KIND_INPUT or kind == im.KIND_OUTPUT else 0


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
    rank = word(words, 1)
    access = words + 8 * (5 + rank)
    for _ in range(word(words, 3) + word(words, 4)):
        if changes(image, record, frame, word(access, 0)) != 0:
            add_patch(frame, t.PATCH_MAP, bound, word(access, 0))
        access += 8 * (2 + rank)


@function
def describe_patches(image, record, frame):
    """Where addresses of inputs and outputs stand in bound steps, segment by segment."""
    for s in range(word(frame, t.FRAME_SEGMENTS)):
        segment = word(frame, t.FRAME_SEGMENT_ROWS) + 8 * s * t.SEGMENT_WORDS
        set_word(segment, t.SEGMENT_PATCH, word(frame, t.FRAME_PATCH_COUNT))
        for i in range(word(segment, t.SEGMENT_BEGIN), word(segment, t.SEGMENT_END)):
            row = word(frame, t.FRAME_ROWS) + 8 * i * t.ROW_WORDS
            step, bound = word(row, t.ROW_RECORD), word(row, t.ROW_BOUND)
            if word(step, 0) == im.STEP_MAP:
                patch_map(image, record, frame, step + 16, bound)
            elif word(step, 0) == im.STEP_CALL:
                for j in range(word(step, 3)):
                    if changes(image, record, frame, word(step, 7 + j)) != 0:
                        add_patch(frame, t.PATCH_WORD, bound + 8 * j, word(step, 7 + j))
                if epilogue_of(step) != 0:
                    patch_map(image, record, frame, epilogue_of(step), word(row, t.ROW_EPILOGUE))
        set_word(segment, t.SEGMENT_PATCH_END, word(frame, t.FRAME_PATCH_COUNT))


@function
def frame_free(frame):
    """Frees one frame, not those of its loops (they are in the context's list too)."""
    host, record = word(word(frame, t.FRAME_MODEL), t.MODEL_HOST), word(frame, t.FRAME_RECORD)
    for s in range(word(frame, t.FRAME_SEGMENTS)):
        release_arena(host, word(frame, t.FRAME_SEGMENT_ROWS) + 8 * s * t.SEGMENT_WORDS)
    for i in range(word(record, im.B_SLOTS)):
        slot_release(host, word(frame, t.FRAME_SLOTS) + 8 * i * t.SLOT_RECORD)
    for i in range(word(record, im.B_OUTPUTS)):
        slot_release(host, word(frame, t.FRAME_OWN_OUTPUTS) + 8 * i * t.SLOT_RECORD)
    for i in range(word(record, im.B_STEPS)):
        row = word(frame, t.FRAME_ROWS) + 8 * i * t.ROW_WORDS
        if word(row, t.ROW_KIND) == im.STEP_WHILE:
            for j in range(2 * word(word(row, t.ROW_RECORD), 4) + 1):
                slot_release(host, word(row, t.ROW_STORAGE) + 8 * j * t.SLOT_RECORD)
    release(host, frame)
