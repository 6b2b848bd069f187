"""Addresses of buffers that have no place in an arena, and of what a run puts into steps bound in an earlier one."""
from __future__ import annotations

from . import image as im
from . import tables as t
from .describe import is_given
from .image import buffer_row
from .map import map_set_address
from .memory import function, set_word, word
from .segments import first_of, next_of, segment_row


@function
def own_address(frame, image, row):
    """Address of a buffer that is neither ARENA, ALIAS, INPUT, OUTPUT nor CARRIED."""
    model, kind, index = word(frame, t.FRAME_MODEL), word(row, 0), word(row, 2)
    if kind == im.KIND_CONST:
        return word(word(model, t.MODEL_CONSTANTS), index)
    if kind == im.KIND_STATE:
        return word(word(model, t.MODEL_STATES), index)
    if kind == im.KIND_STATE_INFO:
        return word(word(model, t.MODEL_INFOS), index)
    if kind == im.KIND_PREPARED:
        return word(word(model, t.MODEL_PREPARED) + 8 * index * t.SLOT_RECORD, t.SLOT_ADDRESS)
    return frame + 8 * t.FRAME_COUNTER


@function
def input_addresses(frame):
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    for i in range(word(record, im.B_INPUTS)):
        slot = word(frame, t.FRAME_INPUTS) + 8 * i * t.SLOT_RECORD
        set_word(
            word(frame, t.FRAME_ADDRESSES), word(image, word(record, im.B_INPUT_IDS) + i), word(slot, t.SLOT_ADDRESS)
        )


@function
def fixed_addresses(frame):
    """Addresses that are the same in every run."""
    record, image = word(frame, t.FRAME_RECORD), word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE)
    for b in range(word(record, im.B_BUFFERS)):
        row = buffer_row(image, record, b)
        kind = word(row, 0)
        if is_given(kind) == 0 and kind != im.KIND_ARENA and kind != im.KIND_ALIAS:
            set_word(word(frame, t.FRAME_ADDRESSES), b, own_address(frame, image, row))


@function
def alias_addresses(frame, segment):
    """Addresses of the aliases of what has its own from this segment on."""
    table, b = word(frame, t.FRAME_ADDRESSES), first_of(frame, segment, t.SEGMENT_ALIASES)
    while b >= 0:
        set_word(table, b, word(table, word(word(frame, t.FRAME_ROOT), b)))
        b = next_of(frame, t.FRAME_NEXT_PLACED, b)


@function
def apply_patches(frame, segment):
    """Writes the addresses of inputs and outputs into steps that were bound in an earlier run."""
    row = segment_row(frame, segment)
    if word(frame, t.FRAME_ALIASES) != 0:
        alias_addresses(frame, segment)
    for i in range(word(row, t.SEGMENT_PATCH), word(row, t.SEGMENT_PATCH_END)):
        patch = word(frame, t.FRAME_PATCHES) + 8 * i * t.PATCH_WORDS
        buffer = word(patch, t.PATCH_BUFFER)
        address = word(word(frame, t.FRAME_ADDRESSES), buffer)
        if word(patch, t.PATCH_KIND) == t.PATCH_WORD:
            set_word(word(patch, t.PATCH_TARGET), 0, address)
        else:
            map_set_address(word(patch, t.PATCH_TARGET), buffer, address)
