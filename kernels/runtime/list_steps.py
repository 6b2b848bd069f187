"""Steps on lists that are read and written anywhere: LIST (ListOperation of kernels/layout.py), and POP.

A function that makes a list returns its handle, or a negative number: -1, there is no memory, or minus the error code
that stands in the run's error record already.
"""
from __future__ import annotations

from ..layout import MAX_RANK, ListOperation
from . import tables as t
from .block import cancelled, fail, host_of, slot_reserve
from .control import bind_slots
from .image import buffer_row, dtype_size
from .list_tree import (
    element_sum,
    height_for,
    height_of,
    is_tree,
    list_length,
    new_tree,
    raised,
    root_of,
    sample_of,
    set_element,
    space,
    tree_get,
    tree_of,
    tree_set,
    tree_sum,
    truncated,
)
from .lists import handle_of, node_of
from .memory import copy_bytes, function, load_int, set_word, word, zero_bytes
from .steps import LIST_OPERATION, POP_RESULT, POP_SLOT, POP_SOURCE, list_operand, list_slot

(RESERVE, RESIZE, SET, SET_GROWING, GET, GET_OR_ZEROS, STACK, STACK_OR_ZEROS, GATHER, GATHER_OR_ZEROS, SCATTER,
 SCATTER_GROWING, SCATTER_SUM, ERASE, ADD, SPLIT, CONCAT, CONCAT_OR_ZEROS, UNSTACK,
 LENGTHS) = (int(o) for o in ListOperation)
MOST_LENGTH = 1 << 40
POLLED = 4096             # elements between two looks at whether the run is to end
READ, WRITTEN = 0, 1


@function
def address_of(frame, buffer):
    return word(word(frame, t.FRAME_ADDRESSES), buffer)


@function
def elements_of(frame, buffer):
    return word(word(frame, t.FRAME_ELEMENTS), buffer)


@function
def sizes_of(frame, buffer):
    return word(frame, t.FRAME_SIZES) + 64 * buffer


@function
def row_of(frame, buffer):
    return buffer_row(word(word(frame, t.FRAME_MODEL), t.MODEL_IMAGE), word(frame, t.FRAME_RECORD), buffer)


# Making lists


@function
def reserve(frame, step, length):
    if length < 0 or length >= MOST_LENGTH:
        return -fail(frame, t.LIST_COUNT, step, length, 0, 0)
    return new_tree(frame, 0, height_for(length), length, 0)


@function
def resized(frame, step, tree, length):
    if length < 0 or length >= MOST_LENGTH:
        return -fail(frame, t.LIST_COUNT, step, length, 0, 0)
    height = height_of(frame, tree)
    root = truncated(frame, root_of(frame, tree), height, length)
    if root >= 0:
        root = raised(frame, root, height, height_for(length))
    if root < 0:
        return -1
    return new_tree(frame, root, max(height, height_for(length)), length, sample_of(frame, tree))


@function
def copied_value(frame, buffer, element):
    """Fills an element's record with a copy of a buffer; 0 if there is no memory."""
    row, elements = row_of(frame, buffer), elements_of(frame, buffer)
    size = elements * dtype_size(word(row, 1))
    address = space(frame, size)
    if address != 0:
        if size > 0:
            copy_bytes(address, address_of(frame, buffer), size)
        set_element(element, word(row, 1), word(row, 3), elements, sizes_of(frame, buffer), address)
    return address


@function
def with_element(frame, step, tree, index, buffer, growing):
    length = list_length(frame, tree)
    if index < 0 or (index >= length and growing == 0):
        return -fail(frame, t.LIST_INDEX, step, index, length, WRITTEN)
    element = space(frame, 8 * t.NODE_WORDS)
    if element == 0 or copied_value(frame, buffer, element) == 0:
        return -1
    length = max(length, index + 1)
    height = max(height_of(frame, tree), height_for(length))
    root = raised(frame, root_of(frame, tree), height_of(frame, tree), height)
    if root >= 0:
        root = tree_set(frame, root, height, index, element, 0)
    return new_tree(frame, root, height, length, element) if root > 0 else -1


@function
def part_elements(frame, buffer, count):
    """Records of the elements of `count` rows of a buffer, which is copied once; 0 if there is no memory."""
    row, elements, sizes = row_of(frame, buffer), elements_of(frame, buffer), sizes_of(frame, buffer)
    records, size = space(frame, 8 * t.NODE_WORDS * count), elements * dtype_size(word(row, 1))
    address = space(frame, size)
    if records == 0 or address == 0:
        return 0
    if size > 0:
        copy_bytes(address, address_of(frame, buffer), size)
    each = elements // count if count > 0 else 0
    for i in range(count):
        set_element(records + 8 * t.NODE_WORDS * i, word(row, 1), word(row, 3) - 1, each, sizes + 8,
                    address + i * each * dtype_size(word(row, 1)))
    return records


@function
def scattered(frame, step, tree, indices, buffer, operation):
    """indices: address of int32, 0: in order."""
    count, length = word(sizes_of(frame, buffer), 0), list_length(frame, tree)
    longest = length
    for i in range(count):
        index = load_int(indices, i) if indices != 0 else i
        if index < 0 or (index >= length and operation == SCATTER):
            return -fail(frame, t.LIST_INDEX, step, index, length, WRITTEN)
        longest = max(longest, index + 1)
    height, sample = max(height_of(frame, tree), height_for(longest)), sample_of(frame, tree)
    root, records = raised(frame, root_of(frame, tree), height_of(frame, tree), height), part_elements(frame, buffer,
                                                                                                       count)
    if root < 0 or records == 0:
        return -1
    mine = 1 if root == 0 else 0
    for i in range(count):
        index, element = load_int(indices, i) if indices != 0 else i, records + 8 * t.NODE_WORDS * i
        before = tree_get(root, height, index) if operation == SCATTER_SUM else 0
        if before != 0:
            element = element_sum(frame, before, element)
            if element < 0:
                return -fail(frame, t.LIST_SHAPES, step, index, 0, 0)
        root = tree_set(frame, root, height, index, element, mine) if element != 0 else 0
        if root == 0:
            return -1
        sample = element
    return new_tree(frame, root, height, longest, sample)


@function
def erased(frame, tree, indices, count):
    height, root, length = height_of(frame, tree), root_of(frame, tree), list_length(frame, tree)
    for i in range(count):
        index = load_int(indices, i)
        if 0 <= index < length and tree_get(root, height, index) != 0:
            root = tree_set(frame, root, height, index, 0, 0)
            if root == 0:
                return -1
    return new_tree(frame, root, height, length, sample_of(frame, tree))


@function
def added(frame, step, a, b):
    length, height = max(list_length(frame, a), list_length(frame, b)), max(height_of(frame, a), height_of(frame, b))
    first = raised(frame, root_of(frame, a), height_of(frame, a), height)
    second = raised(frame, root_of(frame, b), height_of(frame, b), height)
    if first < 0 or second < 0:
        return -1
    total = tree_sum(frame, first, second, height)
    if total == -2:
        return -fail(frame, t.LIST_SHAPES, step, -1, 0, 0)
    sample = sample_of(frame, a) if sample_of(frame, a) != 0 else sample_of(frame, b)
    return new_tree(frame, total, height, length, sample) if total >= 0 else -1


@function
def splitted(frame, step, buffer, lengths, count):
    row, rows, elements = row_of(frame, buffer), word(sizes_of(frame, buffer), 0), elements_of(frame, buffer)
    total = 0
    for i in range(count):
        size = word(lengths, i)
        if size < 0 or size > rows - total:
            return -fail(frame, t.LIST_COUNT, step, total + size if size >= 0 else size, rows, 0)
        total += size
    if total != rows:
        return -fail(frame, t.LIST_COUNT, step, total, rows, 0)
    each, width = elements // rows if rows > 0 else 0, dtype_size(word(row, 1))
    records, address = space(frame, 8 * t.NODE_WORDS * count), space(frame, elements * width)
    if records == 0 or address == 0:
        return -1
    if elements > 0:
        copy_bytes(address, address_of(frame, buffer), elements * width)
    height, root, sample = height_for(count), 0, 0
    for i in range(count):
        sample, size = records + 8 * t.NODE_WORDS * i, word(lengths, i)
        set_element(sample, word(row, 1), word(row, 3), size * each, sizes_of(frame, buffer), address)
        set_word(sample, t.NODE_SIZES, size)
        address += size * each * width
        root = tree_set(frame, root, height, i, sample, 1)
        if root == 0:
            return -1
    return new_tree(frame, root, height, count, sample)


# Reading lists


@function
def said_sizes(frame, slot, rank, first, sizes, tree, target):
    """Writes the sizes of an element to `target`, from axis `first` on: those said or those of another one. Whether all
    are known."""
    sample, known = sample_of(frame, tree), 1
    fits = sample != 0 and word(sample, t.NODE_RANK) == rank
    if elements_of(frame, sizes) != rank:
        return 0
    for axis in range(first, rank):
        size = word(address_of(frame, sizes), axis)
        if size < 0:
            size = word(sample, t.NODE_SIZES + axis) if fits else -1
        if size < 0:
            known = 0
        set_word(target, axis, size)
    return known


@function
def misfit(frame, step, slot, element, index, rank, first, wanted):
    """Fails unless an element has the slot's dtype, that rank and, from axis `first` on, the wanted sizes."""
    found = 16 * word(element, t.NODE_DTYPE) + word(element, t.NODE_RANK)
    if found != 16 * word(slot, t.SLOT_DTYPE) + rank:
        return fail(frame, t.LIST_TYPE, step, found, 16 * word(slot, t.SLOT_DTYPE) + rank, 0)
    for axis in range(first, rank):
        if word(element, t.NODE_SIZES + axis) != word(wanted, axis):
            return fail(frame, t.LIST_SHAPES, step, index, word(element, t.NODE_SIZES + axis), word(wanted, axis))
    return 0


@function
def copy_element(element, address):
    size = word(element, t.NODE_ELEMENTS) * dtype_size(word(element, t.NODE_DTYPE))
    if size > 0:
        copy_bytes(address, word(element, t.NODE_ADDRESS), size)
    return size


@function
def get(frame, step, slot, tree, index, sizes, lenient):
    length, rank = list_length(frame, tree), word(slot, t.SLOT_RANK)
    if index < 0 or (index >= length and lenient == 0):
        return fail(frame, t.LIST_INDEX, step, index, length, READ)
    element = tree_get(root_of(frame, tree), height_of(frame, tree), index) if index < length else 0
    wanted = space(frame, 8 * MAX_RANK)
    if wanted == 0:
        return fail(frame, t.NO_MEMORY, step, 8 * MAX_RANK, 0, 0)
    if element != 0:
        status = misfit(frame, step, slot, element, index, rank, rank, wanted)
        if status != 0:
            return status
        copy_bytes(wanted, element + 8 * t.NODE_SIZES, 8 * MAX_RANK)
    elif said_sizes(frame, slot, rank, 0, sizes, tree, wanted) == 0:
        return fail(frame, t.LIST_UNWRITTEN, step, index, 0, 0)
    address = slot_reserve(host_of(frame), slot, rank, wanted)
    if address == 0:
        return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
    if element != 0:
        copy_element(element, address)
    else:
        zero_bytes(address, word(slot, t.SLOT_ELEMENTS) * dtype_size(word(slot, t.SLOT_DTYPE)))
    return 0


@function
def rows(frame, step, slot, tree, indices, count, sizes, lenient):
    """Elements one below the other. indices: address of int32, 0: in order."""
    length, rank = list_length(frame, tree), word(slot, t.SLOT_RANK) - 1
    wanted = space(frame, 8 * (MAX_RANK + 1))
    if wanted == 0:
        return fail(frame, t.NO_MEMORY, step, 8 * MAX_RANK, 0, 0)
    set_word(wanted, 0, count)
    if said_sizes(frame, slot, rank, 0, sizes, tree, wanted + 8) == 0:
        return fail(frame, t.LIST_UNWRITTEN, step, 0, 0, 0)
    address = slot_reserve(host_of(frame), slot, rank + 1, wanted)
    if address == 0:
        return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
    each = word(slot, t.SLOT_ELEMENTS) // count * dtype_size(word(slot, t.SLOT_DTYPE)) if count > 0 else 0
    root, height = root_of(frame, tree), height_of(frame, tree)
    for i in range(count):
        index = load_int(indices, i) if indices != 0 else i
        if index < 0 or (index >= length and lenient == 0):
            return fail(frame, t.LIST_INDEX, step, index, length, READ)
        if i % POLLED == POLLED - 1 and cancelled(frame, step) != 0:
            return t.CANCELLED
        element = tree_get(root, height, index) if index < length else 0
        if element == 0:
            zero_bytes(address + i * each, each)
            continue
        status = misfit(frame, step, slot, element, index, rank, 0, wanted + 8)
        if status != 0:
            return status
        copy_element(element, address + i * each)
    return 0


@function
def joined(frame, step, slot, tree, lengths, count, sizes):
    """Elements one behind the other along their first axes. lengths: address of int64, of elements that are not there;
    or 0."""
    rank, root, height = word(slot, t.SLOT_RANK), root_of(frame, tree), height_of(frame, tree)
    wanted, total, length = space(frame, 8 * MAX_RANK), 0, list_length(frame, tree)
    if wanted == 0:
        return fail(frame, t.NO_MEMORY, step, 8 * MAX_RANK, 0, 0)
    if said_sizes(frame, slot, rank, 1, sizes, tree, wanted) == 0:
        return fail(frame, t.LIST_UNWRITTEN, step, 0, 0, 0)
    for i in range(count):
        element = tree_get(root, height, i) if i < length else 0
        if element == 0 and (lengths == 0 or word(lengths, i) < 0):
            return fail(frame, t.LIST_UNWRITTEN, step, i, 0, 0)
        if element != 0:
            status = misfit(frame, step, slot, element, i, rank, 1, wanted)
            if status == 0 and lengths != 0 and word(lengths, i) != word(element, t.NODE_SIZES):
                status = fail(frame, t.LIST_SHAPES, step, i, word(element, t.NODE_SIZES), word(lengths, i))
            if status != 0:
                return status
        total = total + (word(element, t.NODE_SIZES) if element != 0 else word(lengths, i))
        if total > MOST_LENGTH:
            return fail(frame, t.LIST_COUNT, step, total, MOST_LENGTH, 0)
    set_word(wanted, 0, total)
    address = slot_reserve(host_of(frame), slot, rank, wanted)
    if address == 0:
        return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
    each = word(slot, t.SLOT_ELEMENTS) // total * dtype_size(word(slot, t.SLOT_DTYPE)) if total > 0 else 0
    for i in range(count):
        element = tree_get(root, height, i) if i < length else 0
        if element != 0:
            address += copy_element(element, address)
        else:
            zero_bytes(address, word(lengths, i) * each)
            address += word(lengths, i) * each
    return 0


@function
def first_sizes(frame, step, slot, tree):
    """The sizes of the elements' first axes."""
    length = list_length(frame, tree)
    wanted = space(frame, 64)
    if wanted == 0:
        return fail(frame, t.NO_MEMORY, step, 64, 0, 0)
    set_word(wanted, 0, length)
    address = slot_reserve(host_of(frame), slot, 1, wanted)
    if address == 0:
        return fail(frame, t.NO_MEMORY, step, 8 * length, 0, 0)
    for i in range(length):
        element = tree_get(root_of(frame, tree), height_of(frame, tree), i)
        if element == 0:
            return fail(frame, t.LIST_UNWRITTEN, step, i, 0, 0)
        if word(element, t.NODE_RANK) == 0:
            return fail(frame, t.LIST_SHAPES, step, i, 0, 1)
        set_word(address, i, word(element, t.NODE_SIZES))
    return 0


# The steps


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
    address = slot_reserve(host_of(frame), slot, word(element, t.NODE_RANK), element + 8 * t.NODE_SIZES)
    if address == 0:
        return fail(frame, t.NO_MEMORY, step, word(element, t.NODE_ELEMENTS), 0, 0)
    copy_element(element, address)
    set_word(address_of(frame, word(record, POP_RESULT)), 0, rest)
    return 0
