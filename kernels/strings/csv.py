"""Columns of lines of text with a separator between.

What is not plain (an unclosed quote, a field too many, a number that decimal.py is not sure of, ...) ends a call: then
whoever calls looks at the lines in another way, which knows what is wrong.
"""
from __future__ import annotations

from . import tables as t
from .decimal import UNSURE, read_into
from .memory import equal_bytes, function, load_byte, set_byte, set_half_word, set_word, word
from .table import number_of, record_of, scratch
from .tables import (
    COLUMN_DEFAULT,
    COLUMN_FIELD,
    COLUMN_KIND,
    COLUMN_OPTIONAL,
    COLUMN_TARGET,
    COLUMN_WORDS,
    FLOAT,
    INT,
    TEXT,
)

QUOTE = 34




@function
def end_of_field(data, end, comma, quotes):
    """Where a field ends that has no quotes around it; 0 if it is not plain."""
    while data < end:
        byte = load_byte(data)
        if byte == comma:
            return data
        if byte == 10 or byte == 13 or (byte == QUOTE and quotes != 0):
            return 0
        data += 1
    return data


@function
def unquoted(data, end, comma, made):
    """What stands in quotes from `data` on goes to `made`: (bytes, where the field ends); (0, 0) if it is not plain."""
    size = 0
    while data < end:
        byte = load_byte(data)
        data += 1
        if byte == QUOTE:
            if data == end or load_byte(data) == comma:
                return size, data
            if load_byte(data) != QUOTE:
                return 0, 0
            data += 1
        set_byte(made + size, byte)
        size += 1
    return 0, 0


@function
def put_field(table, held, column, data, size, place, missing, missing_size):
    """A field of a column goes to its place. 0, OTHER_TYPE if it is not plain, or NO_MEMORY."""
    kind, target = word(column, COLUMN_KIND), word(column, COLUMN_TARGET)
    if size == 0 or (size == missing_size and equal_bytes(data, missing, size) != 0):
        if word(column, COLUMN_OPTIONAL) == 0:
            return t.OTHER_TYPE
        if kind == FLOAT or kind == INT:
            set_half_word(target + 4 * place, word(column, COLUMN_DEFAULT))
        else:
            set_word(target, place, word(column, COLUMN_DEFAULT))
        return 0
    if kind == TEXT:
        number = number_of(table, held, data, size, 0)
        if number == t.NO_MEMORY:
            return t.NO_MEMORY
        set_word(target, place, number)
        return 0
    wide = 4 if kind == FLOAT or kind == INT else 8
    return t.OTHER_TYPE if read_into(data, size, kind, target + wide * place) == UNSURE else 0


@function
def read_line(table, held, data, size, line, columns, count, selects, comma, quotes, missing, missing_size):
    """0, OTHER_TYPE if the line is not plain, or NO_MEMORY. selects: fields may be left out."""
    end, field, done = data + size, 0, 0
    made = scratch(table, size)
    if made == 0:
        return t.NO_MEMORY
    if size == 0 or load_byte(data) == 10 or load_byte(data) == 13:
        return t.OTHER_TYPE
    while True:
        if data < end and load_byte(data) == QUOTE and quotes != 0:
            text = made
            length, stop = unquoted(data + 1, end, comma, made)
        else:
            text = data
            stop = end_of_field(data, end, comma, quotes)
            length = stop - data
        if stop == 0:
            return t.OTHER_TYPE
        column = columns + 8 * COLUMN_WORDS * done
        if done < count and word(column, COLUMN_FIELD) == field:
            status = put_field(table, held, column, text, length, line, missing, missing_size)
            if status != 0:
                return status
            done += 1
            if selects != 0 and done == count:
                return 0
        elif selects == 0:
            return t.OTHER_TYPE
        if stop == end:
            return 0 if done == count else t.OTHER_TYPE
        field += 1
        data = stop + 1


@function
def read_lines(table, held, given, lines, columns, count, selects, comma, quotes, missing, missing_size):
    """Columns of lines. Returns how many lines it was before one was not plain, NO_MEMORY or UNKNOWN_NUMBER."""
    for i in range(lines):
        record = record_of(table, word(given, i))
        if record == 0:
            return t.UNKNOWN_NUMBER
        status = read_line(table, held, word(record, t.RECORD_DATA), word(record, t.RECORD_SIZE), i, columns, count,
                           selects, comma, quotes, missing, missing_size)
        if status != 0:
            return status if status == t.NO_MEMORY else i
    return lines
