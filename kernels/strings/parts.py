"""Parts of strings and their lengths, in bytes or in characters of UTF-8.

A character begins at every byte that does not go on with one, whatever stands in front of it (graphc/ops/strings/
letters.py is what they are compared with).
"""
from __future__ import annotations

from . import tables as t
from .memory import function, load_byte, load_int, set_half_word, set_word, word
from .table import number_of, record_of
from .tables import BYTES


@function
def begins(data):
    return load_byte(data) & 0xC0 != 0x80


@function
def characters(data, size):
    count = 0
    for i in range(size):
        count += begins(data + i)
    return count


@function
def place_of(data, size, character):
    """How many bytes are in front of the character with that number; `size` if there is none."""
    for i in range(size):
        if begins(data + i):
            if character == 0:
                return i
            character -= 1
    return size


@function
def sizes_of_strings(table, given, count, unit, target):
    """Writes the length of each, as words of 32 bits. Returns how many it was before a number came that no string
    has."""
    for i in range(count):
        record = record_of(table, word(given, i))
        if record == 0:
            return i
        data, size = word(record, t.RECORD_DATA), word(record, t.RECORD_SIZE)
        set_half_word(target + 4 * i, size if unit == BYTES else characters(data, size))
    return count


@function
def number_at(address, i, width):
    return load_int(address, i) if width == 4 else word(address, i)


@function
def parts_of_strings(table, held, given, given_step, places, sizes, step, width, count, unit, numbers):
    """The part of each string that begins at a place, from its end if that is negative, and has a size. given_step,
    step: 1, or 0 for one that stands for all; width: the bytes of a place. Of bytes, a negative size is all that
    follows. Returns how many it was before a place was outside of its string, NO_MEMORY or UNKNOWN_NUMBER."""
    for i in range(count):
        record = record_of(table, word(given, i * given_step))
        if record == 0:
            return t.UNKNOWN_NUMBER
        data, size = word(record, t.RECORD_DATA), word(record, t.RECORD_SIZE)
        begin, length = number_at(places, i * step, width), number_at(sizes, i * step, width)
        have = size if unit == BYTES else characters(data, size)
        if begin < -have or begin > have:
            return i
        if begin < 0:
            begin += have
        if length < 0:
            length = have if unit == BYTES else 0
        end = begin + min(length, have - begin)
        if unit != BYTES:
            begin, end = place_of(data, size, begin), place_of(data, size, end)
        number = number_of(table, held, data + begin, end - begin, 0)
        if number == t.NO_MEMORY:
            return t.NO_MEMORY
        set_word(numbers, i, number)
    return count
