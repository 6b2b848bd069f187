"""Verification of the tables of a body: its ports, slots, dims, buffers and guards, each row by itself."""
from __future__ import annotations

from ..layout import GUARD_WORDS, MAX_RANK, SHAPE_WORDS
from . import image as im
from .image import BAD, body_record, buffer_row, dim_row, dtype_size, limited, plain, slot_row
from .memory import function, set_word, word


@function
def check_ports(image, record, field, kind):
    """Port i of a body is a buffer of that kind whose index is i, or CARRIED."""
    for i in range(word(record, field)):
        buffer = word(image, word(record, field + 1) + i)
        if buffer < 0 or buffer >= word(record, im.B_BUFFERS):
            return 1
        row = buffer_row(image, record, buffer)
        if word(row, 0) != im.KIND_CARRIED and (word(row, 0) != kind or word(row, 2) != i):
            return 1
    return 0


@function
def check_slots(image, record):
    for i in range(word(record, im.B_SLOTS)):
        row = slot_row(image, record, i)
        if dtype_size(word(row, 0)) == 0 or word(row, 1) < 0 or word(row, 1) > MAX_RANK:
            return 1
    return 0


@function
def check_dims(image, record, segments):
    """Kinds and operands of dims. segments: of RUNTIME dims the segment + 1 that knows them (0: nobody binds it); of
    the others it is filled in here."""
    for d in range(word(record, im.B_DIMS)):
        row = dim_row(image, record, d)
        kind, first, second, third = word(row, 0), word(row, 1), word(row, 2), word(row, 3)
        if kind < 0 or kind > im.DIM_BROADCAST:
            return 20
        if kind == im.DIM_RUNTIME:
            if word(segments, d) == 0:
                return 21
            continue
        if word(segments, d) != 0:
            return 22
        if kind == im.DIM_CONST:
            if limited(first) == BAD:
                return 23
            set_word(segments, d, 1)
        elif kind == im.DIM_INPUT:
            if first < 0 or first >= word(record, im.B_INPUTS):
                return 24
            port = buffer_row(image, record, word(image, word(record, im.B_INPUT_IDS) + first))
            if second < 0 or second >= word(port, 3):
                return 24
            set_word(segments, d, 1)
        else:
            if first < 0 or first >= d or second < 0 or second >= d:
                return 25
            known = max(word(segments, first), word(segments, second))
            if kind == im.DIM_SELECT:
                if third < 0 or third >= d:
                    return 25
                known = max(known, word(segments, third))
            set_word(segments, d, known)
    return 0


@function
def dtype_and_limit(image, record, row):
    """(dtype that the memory of a buffer has, -1: its own; how many indices there are) of its kind."""
    kind, index = word(row, 0), word(row, 2)
    if kind == im.KIND_CONST or kind == im.KIND_STATE:
        field = im.H_CONSTANTS if kind == im.KIND_CONST else im.H_STATES
        count = word(image, field)
        if index < 0 or index >= count:
            return -1, 0
        return word(image, word(image, field + 1) + index * SHAPE_WORDS), count
    if kind == im.KIND_STATE_INFO:
        return im.DTYPE_I64, word(image, im.H_STATES)
    if kind == im.KIND_COUNTER:
        return im.DTYPE_I64, 1
    if kind == im.KIND_PREPARED:
        prepare = word(image, im.H_PREPARE)
        if prepare < 0 or body_record(image, prepare) == record:
            return -1, 0
        other = body_record(image, prepare)
        if index < 0 or index >= word(other, im.B_OUTPUTS):
            return -1, 0
        return word(buffer_row(image, other, word(image, word(other, im.B_OUTPUT_IDS) + index)), 1), word(
            other, im.B_OUTPUTS
        )
    return -1, 1


@function
def is_port(image, record, field, index, b):
    """Whether buffer b is input or output `index` of its body."""
    if index < 0 or index >= word(record, field):
        return 0
    return 1 if word(image, word(record, field + 1) + index) == b else 0


@function
def times_an_output(image, record, b):
    count = 0
    for i in range(word(record, im.B_OUTPUTS)):
        count += 1 if word(image, word(record, im.B_OUTPUT_IDS) + i) == b else 0
    return count


@function
def check_buffer(image, record, b):
    row = buffer_row(image, record, b)
    kind, dtype, index, rank = word(row, 0), word(row, 1), word(row, 2), word(row, 3)
    if kind < 0 or kind > im.KIND_CARRIED or dtype_size(dtype) == 0 or rank < 0 or rank > MAX_RANK:
        return 30
    for axis in range(rank):
        if word(row, 4 + axis) < 0 or word(row, 4 + axis) >= word(record, im.B_DIMS):
            return 31
    if kind == im.KIND_ALIAS:
        if index < 0 or index >= word(record, im.B_BUFFERS):
            return 32
        other = buffer_row(image, record, index)
        if word(other, 0) == im.KIND_ALIAS:
            return 32
        # Numbers may be seen as others: a complex one as two real ones (their bytes are counted in sizes.py).
        return 0 if word(other, 1) == dtype or (plain(dtype) != 0 and plain(word(other, 1)) != 0) else 32
    if kind == im.KIND_INPUT or kind == im.KIND_CARRIED:
        if is_port(image, record, im.B_INPUTS, index, b) == 0:
            return 33
    if kind == im.KIND_OUTPUT and is_port(image, record, im.B_OUTPUTS, index, b) == 0:
        return 33
    if kind == im.KIND_CARRIED and times_an_output(image, record, b) != 1:
        return 33
    if kind == im.KIND_INPUT or kind == im.KIND_OUTPUT or kind == im.KIND_CARRIED:
        return 0
    if kind == im.KIND_ARENA:
        return 0
    wanted, count = dtype_and_limit(image, record, row)
    if index < 0 or index >= count or dtype != wanted:
        return 34
    return 0


@function
def check_guards(image, record):
    for g in range(word(record, im.B_GUARDS)):
        row = image + 8 * (word(record, im.B_GUARD_ROWS) + g * GUARD_WORDS)
        if word(row, 0) < 0 or word(row, 0) > 2:
            return 1
        for j in range(1, 3):
            if word(row, j) < 0 or word(row, j) >= word(record, im.B_DIMS):
                return 1
    return 0
