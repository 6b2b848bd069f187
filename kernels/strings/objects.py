"""Strings as the embedder has them, arrays of objects, and their numbers."""
from __future__ import annotations

from . import tables as t
from .memory import call, function, set_word, word
from .table import number_of, record_of


@function
def numbers_of_objects(table, held, objects, count, numbers):
    """Writes the numbers of objects, which `held` holds from now on. Returns count, the place of the first that is no
    string (OTHER_TYPE - place), or NO_MEMORY."""
    data, size = word(table, t.TABLE_DATA), word(table, t.TABLE_SIZE)
    kind, bytes_type = word(table, t.TABLE_TYPE), word(table, t.TABLE_BYTES)
    for i in range(count):
        owner = word(objects, i)
        if owner == 0 or word(owner + kind, 0) != bytes_type:
            return t.OTHER_TYPE - i
        number = number_of(table, held, owner + data, word(owner + size, 0), owner)
        if number == t.NO_MEMORY:
            return t.NO_MEMORY
        set_word(numbers, i, number)
    return count


@function
def objects_of_numbers(table, numbers, count, objects):
    """Puts the strings with these numbers in the place of the objects that stand there. Returns how many it was before
    a number came that no string has."""
    keep, drop = word(table, t.TABLE_KEEP), word(table, t.TABLE_DROP)
    for i in range(count):
        record = record_of(table, word(numbers, i))
        if record == 0:
            return i
        owner, old = word(record, t.RECORD_OBJECT), word(objects, i)
        call(keep, (owner,))
        set_word(objects, i, owner)
        if old != 0:
            call(drop, (old,))
    return count
