"""Bytes as letters of Base64 and back, and as they are."""
from __future__ import annotations

from . import tables as t
from .memory import copy_bytes, function, load_byte, set_byte, set_word, word
from .table import number_of, record_of, scratch

FILLER, NO_LETTER = 61, 64                  # "=", and what a table of values has for bytes that are no letters


@function
def put_letters(bits, count, letters, target):
    """The letters of 24 bits, the upper ones first."""
    for k in range(count):
        set_byte(target + k, load_byte(letters + (bits >> (18 - 6 * k) & 63)))


@function
def encode_one(data, size, letters, pad, target):
    """Writes the letters of so many bytes; how many."""
    at, whole = target, data + size // 3 * 3
    while data < whole:
        put_letters(load_byte(data) << 16 | load_byte(data + 1) << 8 | load_byte(data + 2), 4, letters, at)
        data += 3
        at += 4
    left = size % 3
    if left > 0:
        put_letters(load_byte(data) << 16 | (load_byte(data + 1) << 8 if left > 1 else 0), left + 1, letters, at)
        at += left + 1
        for _ in range(3 - left if pad != 0 else 0):
            set_byte(at, FILLER)
            at += 1
    return at - target


@function
def encode_letters(table, held, given, count, letters, pad, numbers):
    """Each string in Base64. letters: the 64; pad: with "=" up to a multiple of four. Returns count, NO_MEMORY or
    UNKNOWN_NUMBER."""
    for i in range(count):
        record = record_of(table, word(given, i))
        if record == 0:
            return t.UNKNOWN_NUMBER
        size = word(record, t.RECORD_SIZE)
        made = scratch(table, (size + 2) // 3 * 4)
        if made == 0:
            return t.NO_MEMORY
        size = encode_one(word(record, t.RECORD_DATA), size, letters, pad, made)
        number = number_of(table, held, made, size, 0)
        if number == t.NO_MEMORY:
            return t.NO_MEMORY
        set_word(numbers, i, number)
    return count


@function
def decode_one(data, size, values, target):
    """Writes the bytes of so many letters; how many, -1 if one is none, or there are too few."""
    if size & 3 == 0:
        for _ in range(2):
            if size > 0 and load_byte(data + size - 1) == FILLER:
                size -= 1
    if size & 3 == 1:
        return -1
    made, bits = 0, 0
    for i in range(size):
        value = load_byte(values + load_byte(data + i))
        if value == NO_LETTER:
            return -1
        bits = bits << 6 | value
        if i & 3 != 0:
            set_byte(target + made, bits >> (6 - 2 * (i & 3)) & 255)
            made += 1
    return made


@function
def decode_letters(table, held, given, count, values, numbers):
    """The bytes of each string in Base64. values: of each byte as a letter, or NO_LETTER. Returns how many it was
    before one was no Base64, NO_MEMORY or UNKNOWN_NUMBER."""
    for i in range(count):
        record = record_of(table, word(given, i))
        if record == 0:
            return t.UNKNOWN_NUMBER
        size = word(record, t.RECORD_SIZE)
        made = scratch(table, size)
        if made == 0:
            return t.NO_MEMORY
        size = decode_one(word(record, t.RECORD_DATA), size, values, made)
        if size < 0:
            return i
        number = number_of(table, held, made, size, 0)
        if number == t.NO_MEMORY:
            return t.NO_MEMORY
        set_word(numbers, i, number)
    return count


@function
def bytes_of_strings(table, given, count, size, target):
    """Copies the bytes of strings, all of one size, one behind the other. Returns how many it was before one had
    another size, or a number came that no string has."""
    for i in range(count):
        record = record_of(table, word(given, i))
        if record == 0 or word(record, t.RECORD_SIZE) != size:
            return i
        copy_bytes(target + i * size, word(record, t.RECORD_DATA), size)
    return count
