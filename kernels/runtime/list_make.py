"""Making lists that are read and written anywhere: one more element, some rows, a sum, the parts of a tensor.

A function that makes a list returns its handle, or a negative number: -1, there is no memory, or minus the error code
that stands in the run's error record already.
"""
from __future__ import annotations

from . import tables as t
from .block import fail
from .image import dtype_size
from .list_buffers import MOST_LENGTH, SCATTER, SCATTER_SUM, WRITTEN, address_of, elements_of, row_of, sizes_of
from .list_tree import (
    element_sum,
    height_for,
    height_of,
    list_length,
    new_tree,
    raised,
    root_of,
    sample_of,
    set_element,
    space,
    tree_get,
    tree_set,
    tree_sum,
    truncated,
)
from .memory import copy_bytes, function, load_int, set_word, word


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
