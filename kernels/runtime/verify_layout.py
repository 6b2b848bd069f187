"""Whether tables and records of steps lie inside the image: 1 if so. Only checked words are used to check others."""
from __future__ import annotations

from ..layout import MAX_RANK
from . import image as im
from .memory import function, word
from .steps import (
    ACCESS_STRIDES,
    BIND_DIMS,
    BOUND_WORDS,
    CALL_ATTRS,
    CALL_DIMS,
    CALL_EPILOGUE,
    CALL_LISTS,
    CALL_OPERANDS,
    LENGTH_WORDS,
    MAP_DOMAIN,
    MAP_LOADS,
    MAP_RANK,
    MAP_REDUCED,
    MAP_STORES,
    POP_ROWS,
    PUSH_WORDS,
    STEP_FIRST,
    STEP_WORDS,
    TAKE_WORDS,
    bind_count,
    has_lists,
    kind_of,
    list_base,
    list_operands,
    list_slots,
    map_of,
)


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
def map_size(words, at, available):
    """Words of MAP words at an address that has `available` words; -1 if they do not fit."""
    if available < MAP_DOMAIN:
        return -1
    rank, reduced = word(at, MAP_RANK), word(at, MAP_REDUCED)
    loads, stores = word(at, MAP_LOADS), word(at, MAP_STORES)
    if (
        rank < 0
        or rank > MAX_RANK
        or reduced < 0
        or reduced > rank
        or small(words, loads) == 0
        or small(words, stores) == 0
    ):
        return -1
    size = MAP_DOMAIN + rank + (loads + stores) * (ACCESS_STRIDES + rank)
    return size if size <= available else -1


@function
def lists_size(words, step, available):
    """Words of a record of HOST, WHILE or IF that has `available` words; -1 if it makes no sense."""
    if available < list_base(step):
        return -1
    operands, slots, binds = list_operands(step), list_slots(step), bind_count(step)
    if small(words, operands) == 0 or small(words, slots) == 0 or small(words, binds) == 0:
        return -1
    return list_base(step) + operands + slots + BOUND_WORDS * binds


@function
def call_size(words, step, available):
    if available < CALL_LISTS:
        return -1
    operands, dims = word(step, CALL_OPERANDS), word(step, CALL_DIMS)
    attrs, epilogue = word(step, CALL_ATTRS), word(step, CALL_EPILOGUE)
    if (
        small(words, operands) == 0
        or small(words, dims) == 0
        or small(words, attrs) == 0
        or epilogue < 0
        or epilogue > 1
    ):
        return -1
    size = CALL_LISTS + operands + dims + attrs
    if size > available or epilogue == 0:
        return size
    more = map_size(words, step + 8 * size, available - size)
    return size + more if more > 0 else -1


@function
def record_size(words, step, available):
    """Words that a step's record must have by its kind and counts; -1 if it makes no sense."""
    kind = kind_of(step)
    if kind == im.STEP_MAP:
        size = map_size(words, map_of(step), available - STEP_FIRST)
        return size + STEP_FIRST if size > 0 else -1
    if kind == im.STEP_CALL:
        return call_size(words, step, available)
    if has_lists(step):
        return lists_size(words, step, available)
    if kind == im.STEP_BIND:
        if available < BIND_DIMS or small(words, bind_count(step)) == 0:
            return -1
        return BIND_DIMS + bind_count(step)
    if kind == im.STEP_POP:
        if available < POP_ROWS or small(words, bind_count(step)) == 0:
            return -1
        return POP_ROWS + BOUND_WORDS * bind_count(step)
    if kind == im.STEP_PUSH:
        return PUSH_WORDS
    if kind == im.STEP_TAKE:
        return TAKE_WORDS
    return LENGTH_WORDS if kind == im.STEP_LENGTH else -1


@function
def step_is_inside(image, words, offset):
    if offset < 0 or offset > words - STEP_FIRST:
        return 0
    step = image + 8 * offset
    size = word(step, STEP_WORDS)
    if size < STEP_FIRST or size > words - offset:
        return 0
    return 1 if record_size(words, step, size) == size else 0
