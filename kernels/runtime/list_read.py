"""Reading lists: an element, some or all of them as the rows of a tensor, joined, and their sizes."""
from __future__ import annotations

from ..layout import MAX_RANK
from . import tables as t
from .block import cancelled, fail, host_of, slot_release, slot_reserve
from .image import dtype_size
from .list_buffers import MOST_LENGTH, POLLED, READ, address_of, elements_of
from .list_tree import height_of, list_length, root_of, sample_of, space, tree_get
from .memory import copy_bytes, function, load_int, set_word, word, zero_bytes


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
def show_element(host, slot, element):
    """Makes a slot show an element where it lies: it stays as it is until the end of the run."""
    if word(slot, t.SLOT_OWNED) != 0:
        slot_release(host, slot)
    set_word(slot, t.SLOT_ADDRESS, word(element, t.NODE_ADDRESS))
    set_word(slot, t.SLOT_ELEMENTS, word(element, t.NODE_ELEMENTS))
    copy_bytes(slot + 8 * t.SLOT_SIZES, element + 8 * t.NODE_SIZES, 8 * MAX_RANK)


@function
def get(frame, step, slot, tree, index, sizes, lenient):
    length, rank = list_length(frame, tree), word(slot, t.SLOT_RANK)
    if index < 0 or (index >= length and lenient == 0):
        return fail(frame, t.LIST_INDEX, step, index, length, READ)
    element = tree_get(root_of(frame, tree), height_of(frame, tree), index) if index < length else 0
    if element != 0:
        status = misfit(frame, step, slot, element, index, rank, rank, 0)
        if status == 0:
            show_element(host_of(frame), slot, element)
        return status
    wanted = space(frame, 8 * MAX_RANK)
    if wanted == 0:
        return fail(frame, t.NO_MEMORY, step, 8 * MAX_RANK, 0, 0)
    if said_sizes(frame, slot, rank, 0, sizes, tree, wanted) == 0:
        return fail(frame, t.LIST_UNWRITTEN, step, index, 0, 0)
    address = slot_reserve(host_of(frame), slot, rank, wanted)
    if address == 0:
        return fail(frame, t.NO_MEMORY, step, 0, 0, 0)
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
    """Elements one after another along their first axes. lengths: address of int64, of elements that are not there;
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
