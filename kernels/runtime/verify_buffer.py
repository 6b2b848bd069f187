"""Verification of what steps do with dims and buffers: known before use, written before they are read, theirs to write.

Every check of steps returns 0 or a number. known: of each dim the segment (from 1) that knows it; written, filled:
flags of root buffers and of slots, updated as the steps go; mine: flags of the states that the body may write.
"""
from __future__ import annotations

from . import image as im
from .image import buffer_row, dim_row, root, step_record
from .memory import function, set_word, word
from .steps import bind_count, bound_dim


@function
def dims_bound_by(image, record, known):
    """Notes the segment of each RUNTIME dim; a dim is bound once."""
    segment = 1
    for i in range(word(record, im.B_STEPS)):
        step = step_record(image, record, i)
        count = bind_count(step)
        for j in range(count):
            dim = bound_dim(step, j)
            if dim < 0 or dim >= word(record, im.B_DIMS) or word(dim_row(image, record, dim), 0) != im.DIM_RUNTIME:
                return 60
            if word(known, dim) != 0:
                return 61
            set_word(known, dim, segment + 1)
        segment += 1 if count > 0 else 0
    return 0


@function
def dim_is_known(record, dim, known, segment):
    return 1 if 0 <= dim < word(record, im.B_DIMS) and word(known, dim) <= segment else 0


@function
def usable(image, record, buffer, known, segment):
    """Whether a buffer exists and its sizes are known in a segment."""
    if buffer < 0 or buffer >= word(record, im.B_BUFFERS):
        return 0
    row = buffer_row(image, record, buffer)
    for axis in range(word(row, 3)):
        if word(known, word(row, 4 + axis)) > segment:
            return 0
    if word(row, 0) == im.KIND_ALIAS:
        other = buffer_row(image, record, word(row, 2))
        for axis in range(word(other, 3)):
            if word(known, word(other, 4 + axis)) > segment:
                return 0
    return 1


@function
def check_read(image, record, buffer, known, segment, written):
    if usable(image, record, buffer, known, segment) == 0:
        return 70
    base = root(image, record, buffer)
    row = buffer_row(image, record, base)
    kind = word(row, 0)
    if kind == im.KIND_OUTPUT or (kind == im.KIND_ARENA and word(row, 1) != im.DTYPE_HANDLE):
        return 0 if word(written, base) != 0 else 71
    return 0


@function
def check_write(image, record, buffer, known, segment, written, mine):
    if usable(image, record, buffer, known, segment) == 0:
        return 72
    base = root(image, record, buffer)
    row = buffer_row(image, record, base)
    kind = word(row, 0)
    set_word(written, base, 1)
    if kind == im.KIND_ARENA or kind == im.KIND_OUTPUT or kind == im.KIND_CARRIED:
        return 0
    if kind != im.KIND_STATE and kind != im.KIND_STATE_INFO:
        return 73
    if word(mine, word(row, 2)) != 0:
        return 0
    return 74


@function
def is_buffer(image, record, buffer, dtype, rank):
    """Whether a usable buffer has that dtype and rank."""
    row = buffer_row(image, record, buffer)
    return 1 if word(row, 1) == dtype and word(row, 3) == rank else 0


@function
def same_memory(image, record, a, b):
    base, other = root(image, record, a), root(image, record, b)
    if base == other:
        return 1
    row, second = buffer_row(image, record, base), buffer_row(image, record, other)
    kind = word(row, 0)
    if kind != word(second, 0) or word(row, 2) != word(second, 2):
        return 0
    return 1 if kind == im.KIND_STATE or kind == im.KIND_STATE_INFO else 0
