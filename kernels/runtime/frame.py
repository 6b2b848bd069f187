"""Frames: making and freeing one. What of it depends on the body alone describe.py puts into its tables.

Everything of a frame that has a fixed size lies in one block after its FRAME words.
"""
from __future__ import annotations

from ..contracts.calls import Choice
from . import image as im
from . import tables as t
from .apart import release_arena
from .block import allocate_cleared, release, slot_release
from .describe import (
    describe_buffers,
    describe_dims,
    describe_patches,
    describe_segments,
    describe_slots,
    describe_step,
    place_buffers_in_segments,
)
from .image import body_record, step_record
from .map import map_words
from .memory import function, set_word, word
from .segments import list_members
from .steps import (
    CALL_ATTRS,
    CALL_DIMS,
    CALL_OPERANDS,
    WHILE_CARRIED,
    bind_count,
    epilogue_of,
    kind_of,
    list_operands,
    list_slots,
    map_accesses,
    map_of,
)

CHOICE_WORDS = int(Choice.SIZE)
FORMULA_STACK = 256
MOST_BYTES = 1 << 61      # sums of two still fit into a word


@function
def put(frame, field, cursor, words):
    """Notes a table of `words` words at the cursor (unless only counting, frame 0); returns the cursor after it."""
    if frame != 0:
        set_word(frame, field, cursor)
    return cursor + 8 * words


@function
def round_words(cursor):
    return (cursor + 63) // 64 * 64


@function
def operand_total(step):
    """Number of patches that a step may need."""
    if kind_of(step) == im.STEP_MAP:
        return map_accesses(map_of(step))
    if kind_of(step) == im.STEP_CALL:
        epilogue = epilogue_of(step)
        return word(step, CALL_OPERANDS) + (map_accesses(epilogue) if epilogue != 0 else 0)
    return 0


@function
def lay_out_step(model, row, step, cursor):
    """Space for what binding a step makes; row 0: only count."""
    kind = kind_of(step)
    image, registry = word(model, t.MODEL_IMAGE), word(model, t.MODEL_REGISTRY)
    if kind == im.STEP_MAP:
        cursor = put(row, t.ROW_BOUND, cursor, map_words(map_of(step), image, registry))
    elif kind == im.STEP_CALL:
        arguments = word(step, CALL_OPERANDS) + word(step, CALL_DIMS) + word(step, CALL_ATTRS)
        cursor = put(row, t.ROW_BOUND, cursor, arguments + CHOICE_WORDS)
        epilogue = epilogue_of(step)
        if epilogue != 0:
            cursor = put(row, t.ROW_EPILOGUE, round_words(cursor), map_words(epilogue, image, registry))
    elif kind == im.STEP_HOST:
        operands, slots = list_operands(step), list_slots(step)
        cursor = put(row, t.ROW_BOUND, cursor, t.ASK_FIRST + operands + slots)
        cursor = put(row, t.ROW_STORAGE, cursor, operands * t.SLOT_RECORD)
    elif kind == im.STEP_WHILE:
        cursor = put(row, t.ROW_STORAGE, cursor, (2 * word(step, WHILE_CARRIED) + 1) * t.SLOT_RECORD)
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
    cursor = put(frame, t.FRAME_TEMPORARY, cursor, FORMULA_STACK + 8 * buffers + steps + 2)
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
            for j in range(2 * word(word(row, t.ROW_RECORD), WHILE_CARRIED) + 1):
                slot_release(host, word(row, t.ROW_STORAGE) + 8 * j * t.SLOT_RECORD)
    release(host, frame)
