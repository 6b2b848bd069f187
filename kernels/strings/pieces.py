"""Strings cut into parts and put together."""
from __future__ import annotations

from . import tables as t
from .decimal import is_space
from .memory import copy_bytes, equal_bytes, function, load_byte, set_byte, set_word, word
from .table import number_of, record_of, scratch
from .tables import EVERYWHERE, LOWER, SPACES, STRIPPED, WHOLE


@function
def end_of_part(data, end, kind, by, by_size):
    """Where the part ends that begins at `data`: at a separator, or at `end`."""
    while data < end:
        if kind == WHOLE:
            if end - data >= by_size and equal_bytes(data, by, by_size) != 0:
                return data
        elif kind == SPACES:
            if is_space(load_byte(data)):
                return data
        else:
            for i in range(by_size):
                if load_byte(data) == load_byte(by + i):
                    return data
        data += 1
    return data


@function
def split_one(table, held, data, size, kind, by, by_size, skips, row, first, longest, indices, numbers):
    """The parts of one string; they are written if `numbers` is an address. How many, or NO_MEMORY."""
    end, count = data + size, 0
    wide = by_size if kind == WHOLE else 1
    if size == 0 and kind != WHOLE:
        return 0
    while True:
        stop = data + 1 if kind == EVERYWHERE else end_of_part(data, end, kind, by, by_size)
        if stop > data or (skips == 0 and kind != SPACES):
            if numbers != 0:
                number = number_of(table, held, data, stop - data, 0)
                if number == t.NO_MEMORY:
                    return t.NO_MEMORY
                set_word(numbers, first + count, number)
                set_word(indices, 2 * (first + count), row)
                set_word(indices, 2 * (first + count) + 1, count)
            count += 1
        if kind == EVERYWHERE:
            data = stop
            if data == end:
                return count
        else:
            if stop == end:
                return count
            data = stop + wide


@function
def split(table, held, given, count, kind, by, skips, sizes, indices, numbers):
    """The parts of strings: how many together and of the longest go to `sizes`; if `numbers` is an address, places and
    numbers are written. by: the number of the separator. Returns 0, NO_MEMORY or UNKNOWN_NUMBER."""
    separator = record_of(table, by)
    if separator == 0:
        return t.UNKNOWN_NUMBER
    total, longest = 0, 0
    for i in range(count):
        record = record_of(table, word(given, i))
        if record == 0:
            return t.UNKNOWN_NUMBER
        found = split_one(table, held, word(record, t.RECORD_DATA), word(record, t.RECORD_SIZE), kind,
                          word(separator, t.RECORD_DATA), word(separator, t.RECORD_SIZE), skips, i, total, longest,
                          indices, numbers)
        if found < 0:
            return found
        if numbers != 0:               # the table may have moved
            separator = record_of(table, by)
        total += found
        longest = max(longest, found)
    set_word(sizes, 0, total)
    set_word(sizes, 1, longest)
    return 0


@function
def join(table, held, operands, width, count, between, between_size, numbers):
    """One string of those at each place. operands: for each an address and 1, or 0 if it stands at every place.
    Returns count, NO_MEMORY or UNKNOWN_NUMBER."""
    for i in range(count):
        size = between_size * max(width - 1, 0)
        for k in range(width):
            record = record_of(table, word(word(operands, 2 * k), i * word(operands, 2 * k + 1)))
            if record == 0:
                return t.UNKNOWN_NUMBER
            size += word(record, t.RECORD_SIZE)
        made = scratch(table, size)
        if made == 0:
            return t.NO_MEMORY
        at = made
        for k in range(width):
            if k > 0:
                copy_bytes(at, between, between_size)
                at += between_size
            record = record_of(table, word(word(operands, 2 * k), i * word(operands, 2 * k + 1)))
            copy_bytes(at, word(record, t.RECORD_DATA), word(record, t.RECORD_SIZE))
            at += word(record, t.RECORD_SIZE)
        number = number_of(table, held, made, size, 0)
        if number == t.NO_MEMORY:
            return t.NO_MEMORY
        set_word(numbers, i, number)
    return count


@function
def changed(table, held, given, count, kind, numbers):
    """LOWER, UPPER of the letters that ASCII has, or STRIPPED of white space at both ends. Returns count, NO_MEMORY or
    UNKNOWN_NUMBER."""
    for i in range(count):
        record = record_of(table, word(given, i))
        if record == 0:
            return t.UNKNOWN_NUMBER
        data, size = word(record, t.RECORD_DATA), word(record, t.RECORD_SIZE)
        made = scratch(table, size)
        if made == 0:
            return t.NO_MEMORY
        end = data + size
        if kind == STRIPPED:
            while data < end and is_space(load_byte(data)):
                data += 1
            while data < end and is_space(load_byte(end - 1)):
                end -= 1
        lowest = 65 if kind == LOWER else 97
        for k in range(end - data):
            byte = load_byte(data + k)
            set_byte(made + k, byte ^ 32 if kind != STRIPPED and lowest <= byte < lowest + 26 else byte)
        number = number_of(table, held, made, end - data, 0)
        if number == t.NO_MEMORY:
            return t.NO_MEMORY
        set_word(numbers, i, number)
    return count
