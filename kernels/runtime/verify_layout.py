"""Whether tables and records of steps lie inside the image: 1 if so. Only checked words are used to check others."""
from __future__ import annotations

from ..layout import MAX_RANK
from . import image as im
from .memory import function, word


@function
def inside(words, count, offset, row):
    """Whether `count` rows of `row` words at `offset` lie in an image of `words` words."""
    if count < 0 or count > words or offset < 0 or offset > words:
        return 0
    return 1 if count * row <= words - offset else 0


@function
def small(words, count):
    return 1 if 0 <= count <= words else 0


@function
def map_size(words, at, room):
    """Words of MAP words at an address that has `room` words; -1 if they do not fit."""
    if room < 5:
        return -1
    rank, reduced, loads, stores = word(at, 1), word(at, 2), word(at, 3), word(at, 4)
    if (
        rank < 0
        or rank > MAX_RANK
        or reduced < 0
        or reduced > rank
        or small(words, loads) == 0
        or small(words, stores) == 0
    ):
        return -1
    size = 5 + rank + (loads + stores) * (2 + rank)
    return size if size <= room else -1


@function
def lists_size(words, step, head, room):
    """Words of a record of HOST, WHILE or IF with `head` words before its lists."""
    if room < head:
        return -1
    operands, slots, binds = word(step, head - 3), word(step, head - 2), word(step, head - 1)
    if small(words, operands) == 0 or small(words, slots) == 0 or small(words, binds) == 0:
        return -1
    return head + operands + slots + 3 * binds


@function
def call_size(words, step, room):
    if room < 7:
        return -1
    operands, dims, attrs, epilogue = word(step, 3), word(step, 4), word(step, 5), word(step, 6)
    if (
        small(words, operands) == 0
        or small(words, dims) == 0
        or small(words, attrs) == 0
        or epilogue < 0
        or epilogue > 1
    ):
        return -1
    size = 7 + operands + dims + attrs
    if size > room or epilogue == 0:
        return size
    more = map_size(words, step + 8 * size, room - size)
    return size + more if more > 0 else -1


@function
def record_size(words, step, room):
    """Words that a step's record must have by its kind and counts; -1 if it makes no sense."""
    kind = word(step, 0)
    if kind == im.STEP_MAP:
        size = map_size(words, step + 16, room - 2)
        return size + 2 if size > 0 else -1
    if kind == im.STEP_CALL:
        return call_size(words, step, room)
    if kind == im.STEP_HOST or kind == im.STEP_WHILE or kind == im.STEP_IF:
        return lists_size(words, step, im.list_base(kind), room)
    if kind == im.STEP_BIND:
        return 4 + word(step, 3) if room >= 4 and small(words, word(step, 3)) != 0 else -1
    if kind == im.STEP_POP:
        return 6 + 3 * word(step, 5) if room >= 6 and small(words, word(step, 5)) != 0 else -1
    if kind == im.STEP_PUSH:
        return 5
    return 4 if kind == im.STEP_TAKE or kind == im.STEP_LENGTH else -1


@function
def step_is_inside(image, words, offset):
    if offset < 0 or offset > words - 2:
        return 0
    step = image + 8 * offset
    size = word(step, 1)
    if size < 2 or size > words - offset:
        return 0
    return 1 if record_size(words, step, size) == size else 0
