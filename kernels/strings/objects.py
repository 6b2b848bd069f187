"""Strings as the embedder has them, arrays of objects, and their numbers."""
from __future__ import annotations

from . import tables as t
from .memory import call, function, set_word, word
from .table import number_of, record_of


@function
def numbers_of_objects(table, held, objects, count, numbers):
    """Writes the numbers of objects, which `held` holds from now on. Returns count, OTHER_TYPE if one is not of the
    type BYTES, or NO_MEMORY."""
    data, size = word(table, t.TABLE_DATA), word(table, t.TABLE_SIZE)
    kind, bytes_type = word(table, t.TABLE_TYPE), word(table, t.TABLE_BYTES)
    for i in range(count):
        owner = word(objects, i)
        if owner == 0 or word(owner + kind, 0) != bytes_type:
            return t.OTHER_TYPE
        number = number_of(table, held, owner + data, word(owner + size, 0), owner)
        if number == t.NO_MEMORY:
            return t.NO_MEMORY
        set_word(numbers, i, number)
    return count


@function
def encode_objects(table, objects, count, made):
    """Objects of the types BYTES and TEXT, these by UTF8, as BYTES in the place of the objects that stand in `made`.
    Returns count, OTHER_TYPE if one is of no such type or has no bytes, or NO_MEMORY."""
    kind, bytes_type, text = word(table, t.TABLE_TYPE), word(table, t.TABLE_BYTES), word(table, t.TABLE_TEXT)
    size = table + 8 * t.TABLE_TEXT_SIZE
    for i in range(count):
        owner = word(objects, i)
        if owner == 0 or (word(owner + kind, 0) != bytes_type and word(owner + kind, 0) != text):
            return t.OTHER_TYPE
        if word(owner + kind, 0) == text:
            data = call(word(table, t.TABLE_UTF8), (owner, size))
            if data == 0:
                call(word(table, t.TABLE_CLEAR), (0,))
                return t.OTHER_TYPE
            owner = call(word(table, t.TABLE_MAKE), (data, word(size, 0)))
            if owner == 0:
                return t.NO_MEMORY
        else:
            call(word(table, t.TABLE_KEEP), (owner,))
        put(table, made, i, owner)
    return count


@function
def put(table, objects, i, owner):
    """An object in the place of another one, of which a reference is given up."""
    old = word(objects, i)
    set_word(objects, i, owner)
    if old != 0:
        call(word(table, t.TABLE_DROP), (old,))


@function
def objects_of_numbers(table, numbers, count, objects):
    """Puts the strings with these numbers in the place of the objects that stand there. Returns how many it was before
    a number came that no string has."""
    for i in range(count):
        record = record_of(table, word(numbers, i))
        if record == 0:
            return i
        call(word(table, t.TABLE_KEEP), (word(record, t.RECORD_OBJECT),))
        put(table, objects, i, word(record, t.RECORD_OBJECT))
    return count
