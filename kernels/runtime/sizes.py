"""Values of dims, guards, and sizes of buffers, a segment at a time. Every function returns 0 or an error code."""
from __future__ import annotations

from ..layout import GUARD_WORDS, SHAPE_WORDS
from . import image as im
from . import tables as t
from .block import fail, host_of, slot_reserve
from .image import BAD, add, buffer_row, dim_row, dtype_size, floordiv, limited, multiply, subtract
from .memory import function, set_word, word
from .segments import first_of, next_of


@function
def dim_function(kind, a, b, c):
    """Value of a dim that is a function of others; BAD if it has none."""
    if kind == im.DIM_ADD:
        return add(a, b)
    if kind == im.DIM_SUB:
        return subtract(a, b)
    if kind == im.DIM_MUL:
        return multiply(a, b)
    if kind == im.DIM_FLOORDIV:
        return floordiv(a, b)
    if kind == im.DIM_MOD:
        return BAD if b == 0 else a - b * (a // b)
    if kind == im.DIM_MIN:
        return min(a, b)
    if kind == im.DIM_MAX:
        return max(a, b)
    if kind == im.DIM_EQUAL:
        return 1 if a == b else 0
    if kind == im.DIM_LESS:
        return 1 if a < b else 0
    if kind == im.DIM_SELECT:
        return b if a != 0 else c
    if a == b or b == 1:
        return a
    return b if a == 1 else BAD


@function
def evaluate_dims(frame, segment):
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    values, following = word(frame, t.FRAME_DIMS), first_of(frame, segment, t.SEGMENT_DIMS)
    while following >= 0:
        d = following
        following = next_of(frame, t.FRAME_NEXT_DIM, d)
        row = dim_row(image, record, d)
        kind = word(row, 0)
        if kind == im.DIM_RUNTIME:
            continue
        if kind == im.DIM_CONST:
            set_word(values, d, word(row, 1))
        elif kind == im.DIM_INPUT:
            slot = word(frame, t.FRAME_INPUTS) + 8 * word(row, 1) * t.SLOT_RECORD
            value = limited(word(slot, t.SLOT_SIZES + word(row, 2)))
            if value == BAD:
                return fail(frame, t.DIM_VALUE, -1, word(row, 1), word(row, 2), d)
            set_word(values, d, value)
        else:
            a, b = word(values, word(row, 1)), word(values, word(row, 2))
            c = word(values, word(row, 3)) if kind == im.DIM_SELECT else 0
            value = dim_function(kind, a, b, c)
            if value == BAD:
                return fail(frame, t.DIM_VALUE, -1, a, b, d)
            set_word(values, d, value)
    return 0


@function
def check_guards(frame, segment):
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    values, g = word(frame, t.FRAME_DIMS), first_of(frame, segment, t.SEGMENT_GUARDS)
    while g >= 0:
        row = image + 8 * (word(record, im.B_GUARD_ROWS) + g * GUARD_WORDS)
        a, b, kind = word(values, word(row, 1)), word(values, word(row, 2)), word(row, 0)
        if (kind == 0 and a != b) or (kind == 1 and a > b) or (kind == 2 and a >= b):
            return fail(frame, t.GUARD, -1, a, b, g)
        g = next_of(frame, t.FRAME_NEXT_GUARD, g)
    return 0


@function
def shape_elements(image, rows, index):
    """Elements of a constant or state."""
    row, elements = image + 8 * (rows + index * SHAPE_WORDS), 1
    for axis in range(word(row, 1)):
        elements = multiply(elements, word(row, 2 + axis))
    return elements


@function
def available(frame, image, row):
    """Elements of the memory of a buffer that has its own, -1: as many as its dims say."""
    kind, index = word(row, 0), word(row, 2)
    if kind == im.KIND_CONST:
        return shape_elements(image, word(image, im.H_CONSTANT_ROWS), index)
    if kind == im.KIND_STATE:
        return shape_elements(image, word(image, im.H_STATE_ROWS), index)
    if kind == im.KIND_PREPARED:
        return word(word(word(frame, t.FRAME_MODEL), t.MODEL_PREPARED) + 8 * index * t.SLOT_RECORD, t.SLOT_ELEMENTS)
    if kind == im.KIND_ALIAS:
        # Elements of its dtype: a complex number is two real ones. No product overflows: SIZE_LIMIT bounds elements.
        root, size = buffer_row(image, word(frame, t.FRAME_RECORD), index), dtype_size(word(row, 1))
        there = word(word(frame, t.FRAME_ELEMENTS), index) * dtype_size(word(root, 1))
        return there // size if there % size == 0 else 0
    return 2 if kind == im.KIND_STATE_INFO or kind == im.KIND_COUNTER else -1


@function
def size_buffer(frame, image, row, b):
    """Sizes and elements of one buffer."""
    sizes, elements = word(frame, t.FRAME_SIZES) + 64 * b, 1
    for axis in range(word(row, 3)):
        size = word(word(frame, t.FRAME_DIMS), word(row, 4 + axis))
        if size < 0:
            return fail(frame, t.BUFFER_SIZE, -1, size, axis, b)
        set_word(sizes, axis, size)
        elements = multiply(elements, size)
    if elements == BAD:
        return fail(frame, t.BUFFER_SIZE, -1, elements, -1, b)
    set_word(word(frame, t.FRAME_ELEMENTS), b, elements)
    if word(row, 0) == im.KIND_INPUT or word(row, 0) == im.KIND_CARRIED:
        slot = word(frame, t.FRAME_INPUTS) + 8 * word(row, 2) * t.SLOT_RECORD
        for axis in range(word(row, 3)):
            if word(slot, t.SLOT_SIZES + axis) != word(sizes, axis):
                return fail(frame, t.INPUT_SHAPE, -1, word(slot, t.SLOT_SIZES + axis), word(sizes, axis),
                            8 * word(row, 2) + axis)
    return 0


@function
def size_buffers(frame, segment):
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    for aliases in range(2):
        following = first_of(frame, segment, t.SEGMENT_BUFFERS)
        while following >= 0:
            b = following
            following = next_of(frame, t.FRAME_NEXT_BUFFER, b)
            row = buffer_row(image, record, b)
            if (word(row, 0) == im.KIND_ALIAS) != (aliases == 1):
                continue
            status = size_buffer(frame, image, row, b)
            if status != 0:
                return status
            has, elements = available(frame, image, row), word(word(frame, t.FRAME_ELEMENTS), b)
            if has >= 0 and (elements > has or (elements < has and word(row, 0) != im.KIND_STATE_INFO)):
                return fail(frame, t.BUFFER_SIZE, -1, elements, has, b)
    return 0


@function
def reserve_outputs(frame, segment):
    """Memory for the OUTPUT buffers of a segment, in the slots that the frame's caller gave."""
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    i = first_of(frame, segment, t.SEGMENT_OUTPUTS)
    while i >= 0:
        b = word(image, word(record, im.B_OUTPUT_IDS) + i)
        row, slot = buffer_row(image, record, b), word(frame, t.FRAME_OUTPUTS) + 8 * i * t.SLOT_RECORD
        i = next_of(frame, t.FRAME_NEXT_OUTPUT, i)
        if word(row, 0) == im.KIND_CARRIED:
            continue
        address = slot_reserve(host_of(frame), slot, word(row, 3), word(frame, t.FRAME_SIZES) + 64 * b)
        if address == 0:
            size = dtype_size(word(slot, t.SLOT_DTYPE))
            return fail(frame, t.NO_MEMORY, -1, multiply(word(word(frame, t.FRAME_ELEMENTS), b), size), 0, b)
        set_word(word(frame, t.FRAME_ADDRESSES), b, address)
    return 0
