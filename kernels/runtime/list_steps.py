"""Steps on lists that are read and written anywhere: LIST (ListOperation of kernels/layout.py), and POP."""
from __future__ import annotations

from . import tables as t
from .block import fail, host_of, slot_reserve
from .control import bind_slots
from .list_buffers import (
    ADD,
    CONCAT,
    CONCAT_OR_ZEROS,
    ERASE,
    GATHER,
    GATHER_OR_ZEROS,
    GET,
    GET_OR_ZEROS,
    RESERVE,
    RESIZE,
    SCATTER,
    SCATTER_GROWING,
    SET,
    SET_GROWING,
    SPLIT,
    STACK,
    STACK_OR_ZEROS,
    UNSTACK,
    address_of,
    elements_of,
    sizes_of,
)
from .list_make import added, erased, reserve, resized, scattered, splitted, with_element
from .list_read import first_sizes, get, joined, rows, show_element
from .list_tree import height_of, is_tree, list_length, root_of, tree_get, tree_of
from .lists import handle_of, node_of
from .memory import function, load_int, set_word, word
from .steps import LIST_OPERATION, POP_RESULT, POP_SLOT, POP_SOURCE, list_operand, list_slot


@function
def run_list(frame, record, step):
    operation = word(record, LIST_OPERATION)
    slot = word(frame, t.FRAME_SLOTS) + 8 * list_slot(record, 0) * t.SLOT_RECORD
    if makes_list(operation) != 0:
        handle = made_list(frame, record, step, operation)
        if handle < 0:
            return fail(frame, t.NO_MEMORY, step, 0, 0, 0) if handle == -1 else -handle
        address = slot_reserve(host_of(frame), slot, 0, 0)
        if address == 0:
            return fail(frame, t.NO_MEMORY, step, 8, 0, 0)
        set_word(address, 0, handle)
        return 0
    tree = tree_of(frame, handle_of(frame, list_operand(record, 0)))
    if tree < 0:
        return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
    return read_list(frame, record, step, operation, slot, tree)


@function
def makes_list(operation):
    return 1 if operation < GET or (SCATTER <= operation <= SPLIT) or operation == UNSTACK else 0


@function
def made_list(frame, record, step, operation):
    first = list_operand(record, 0)
    if operation == RESERVE:
        return reserve(frame, step, load_int(address_of(frame, first), 0))
    if operation == UNSTACK:
        return scattered(frame, step, 0, 0, first, SCATTER_GROWING)
    second = list_operand(record, 1)
    if operation == SPLIT:
        return splitted(frame, step, first, address_of(frame, second), elements_of(frame, second))
    tree = tree_of(frame, handle_of(frame, first))
    if tree < 0:
        return -1
    if operation == RESIZE:
        return resized(frame, step, tree, load_int(address_of(frame, second), 0))
    if operation == SET or operation == SET_GROWING:
        index = load_int(address_of(frame, second), 0)
        return with_element(frame, step, tree, index, list_operand(record, 2), operation - SET)
    if operation == ERASE:
        return erased(frame, tree, address_of(frame, second), elements_of(frame, second))
    if operation == ADD:
        other = tree_of(frame, handle_of(frame, second))
        return added(frame, step, tree, other) if other >= 0 else -1
    values = list_operand(record, 2)
    if elements_of(frame, second) != word(sizes_of(frame, values), 0):
        return -fail(frame, t.LIST_COUNT, step, word(sizes_of(frame, values), 0), elements_of(frame, second), 0)
    return scattered(frame, step, tree, address_of(frame, second), values, operation)


@function
def read_list(frame, record, step, operation, slot, tree):
    status = 0
    if operation == GET or operation == GET_OR_ZEROS:
        index = load_int(address_of(frame, list_operand(record, 1)), 0)
        status = get(frame, step, slot, tree, index, list_operand(record, 2), operation - GET)
    elif operation == STACK or operation == STACK_OR_ZEROS:
        count = load_int(address_of(frame, list_operand(record, 1)), 0)
        count = list_length(frame, tree) if count < 0 else count
        status = rows(frame, step, slot, tree, 0, count, list_operand(record, 2), operation - STACK)
    elif operation == GATHER or operation == GATHER_OR_ZEROS:
        indices = list_operand(record, 1)
        status = rows(frame, step, slot, tree, address_of(frame, indices), elements_of(frame, indices),
                      list_operand(record, 2), operation - GATHER)
    elif operation == CONCAT:
        status = joined(frame, step, slot, tree, 0, list_length(frame, tree), list_operand(record, 1))
    elif operation == CONCAT_OR_ZEROS:
        lengths = list_operand(record, 1)
        status = joined(frame, step, slot, tree, address_of(frame, lengths), elements_of(frame, lengths),
                        list_operand(record, 2))
    else:
        status = first_sizes(frame, step, slot, tree)
    return status if status != 0 else bind_slots(frame, record)


@function
def run_pop(frame, record, step):
    handle = handle_of(frame, word(record, POP_SOURCE))
    slot = word(frame, t.FRAME_SLOTS) + 8 * word(record, POP_SLOT) * t.SLOT_RECORD
    length = list_length(frame, handle)
    if length == 0:
        return fail(frame, t.EMPTY_LIST, step, 0, 0, 0)
    element, rest = node_of(frame, handle), 0
    if is_tree(frame, handle) != 0:
        element = tree_get(root_of(frame, handle), height_of(frame, handle), length - 1)
        if element == 0:
            return fail(frame, t.LIST_UNWRITTEN, step, length - 1, 0, 0)
        rest = resized(frame, step, handle, length - 1)
        if rest <= 0:
            return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
    else:
        rest = word(element, t.NODE_PREVIOUS)
    found = 16 * word(element, t.NODE_DTYPE) + word(element, t.NODE_RANK)
    wanted = 16 * word(slot, t.SLOT_DTYPE) + word(slot, t.SLOT_RANK)
    if found != wanted:
        return fail(frame, t.LIST_TYPE, step, found, wanted, 0)
    show_element(host_of(frame), slot, element)
    set_word(address_of(frame, word(record, POP_RESULT)), 0, rest)
    return 0
