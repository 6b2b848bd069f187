"""The table of strings: equal strings have one number (docs/adr/0022, 0080).

Records lie in one block, places by hash in another (open addressing, one step after the other; an entry is the upper
half of the hash and the place, so that strings are looked at if these are the same). Whoever calls sees to it that
one thread is here at a time.

Invariants: a string is entered in the index once its record is whole, so whatever ends a call early leaves no number
without a string. The index is at most half full.
"""
from __future__ import annotations

from . import tables as t
from .memory import (
    call,
    copy_bytes,
    equal_bytes,
    function,
    load_4,
    load_8,
    load_byte,
    set_word,
    wide_product,
    word,
    zero_bytes,
)

FIRST_ROOM = 1024
PLACES = (1 << t.PLACE_BITS) - 1
HIGH = ~PLACES
RECORD_BYTES = 8 * t.RECORD_WORDS


@function
def hash_of(table, data, size):
    """Of 64 bits; by a seed of the process's own, so that nobody outside knows which strings meet."""
    seed, other = word(table, t.TABLE_SEED), word(table, t.TABLE_SEED_1)
    found = seed ^ size
    if size >= 8:
        for i in range(0, size - 8, 8):
            found = wide_product(load_8(data + i) ^ other, found)
        found = wide_product(load_8(data + size - 8) ^ other, found)
    elif size >= 4:
        found = wide_product((load_4(data) | load_4(data + size - 4) << 32) ^ other, found)
    elif size > 0:
        found = wide_product((load_byte(data) | load_byte(data + (size >> 1)) << 8 | load_byte(data + size - 1) << 16)
                             ^ other, found)
    return wide_product(found ^ other, seed | 1)


@function
def record_at(table, place):
    return word(table, t.TABLE_RECORDS) + RECORD_BYTES * place


@function
def record_of(table, number):
    """The record of a number, 0 if no string has it."""
    place = number & PLACES
    if place >= word(table, t.TABLE_USED):
        return 0
    record = record_at(table, place)
    return record if word(record, t.RECORD_NUMBER) == number and word(record, t.RECORD_OBJECT) != 0 else 0


@function
def open_table(table):
    """0, or NO_MEMORY."""
    return grow(table, FIRST_ROOM)


@function
def close_table(table):
    """Forgets all strings, whoever holds them."""
    for place in range(1, word(table, t.TABLE_USED)):
        owner = word(record_at(table, place), t.RECORD_OBJECT)
        if owner != 0:
            call(word(table, t.TABLE_DROP), (owner,))
    for field in (t.TABLE_RECORDS, t.TABLE_INDEX, t.TABLE_SCRATCH):
        if word(table, field) != 0:
            call(word(table, t.TABLE_RELEASE), (word(table, field),))
            set_word(table, field, 0)
    return 0


@function
def grow(table, room):
    """Room for so many records; the index is made anew."""
    alloc, release = word(table, t.TABLE_ALLOC), word(table, t.TABLE_RELEASE)
    records, index = call(alloc, (RECORD_BYTES * room,)), call(alloc, (16 * room,))
    if records == 0 or index == 0:
        for block in (records, index):
            if block != 0:
                call(release, (block,))
        return t.NO_MEMORY
    used, old = word(table, t.TABLE_USED), word(table, t.TABLE_RECORDS)
    zero_bytes(index, 16 * room)
    zero_bytes(records + RECORD_BYTES * used, RECORD_BYTES * (room - used))
    if old != 0:
        copy_bytes(records, old, RECORD_BYTES * used)
        call(release, (old,))
        call(release, (word(table, t.TABLE_INDEX),))
    else:
        empty = word(table, t.TABLE_EMPTY)
        set_word(records, t.RECORD_OBJECT, empty)
        set_word(records, t.RECORD_DATA, empty + word(table, t.TABLE_DATA))
        set_word(table, t.TABLE_USED, 1)
        set_word(table, t.TABLE_COUNT, 1)
    set_word(table, t.TABLE_RECORDS, records)
    set_word(table, t.TABLE_ROOM, room)
    set_word(table, t.TABLE_INDEX, index)
    set_word(table, t.TABLE_MASK, 2 * room - 1)
    for place in range(1, used):
        record = records + RECORD_BYTES * place
        if word(record, t.RECORD_OBJECT) != 0:
            enter(table, place, word(record, t.RECORD_HASH))
    return 0


@function
def enter(table, place, found):
    index, mask = word(table, t.TABLE_INDEX), word(table, t.TABLE_MASK)
    at = found & mask
    while word(index, at) != 0:
        at = (at + 1) & mask
    set_word(index, at, (found & HIGH) | place)


@function
def free_place(table):
    """A place for one more, 0: no memory."""
    place = word(table, t.TABLE_UNUSED)
    if place != 0:
        set_word(table, t.TABLE_UNUSED, word(record_at(table, place), t.RECORD_COUNT))
        return place
    place = word(table, t.TABLE_USED)
    if place == word(table, t.TABLE_ROOM) and (2 * place > PLACES or grow(table, 2 * place) != 0):
        return 0
    set_word(table, t.TABLE_USED, place + 1)
    return place


@function
def number_of(table, held, data, size, owner):
    """The number of a string, which `held` holds from now on, or NO_MEMORY. owner: the object that it is in, or 0."""
    if size == 0:
        return 0
    found = hash_of(table, data, size)
    index, mask, high = word(table, t.TABLE_INDEX), word(table, t.TABLE_MASK), found & HIGH
    at = found & mask
    entry = word(index, at)
    while entry != 0:
        if entry & HIGH == high:
            record = record_at(table, entry & PLACES)
            if word(record, t.RECORD_SIZE) == size and equal_bytes(word(record, t.RECORD_DATA), data, size) != 0:
                return hold(table, held, record)
        at = (at + 1) & mask
        entry = word(index, at)
    return add(table, held, data, size, owner, found)


@function
def add(table, held, data, size, owner, found):
    """A string that is not in the table."""
    place = free_place(table)
    if place == 0:
        return t.NO_MEMORY
    record = record_at(table, place)
    if owner != 0:
        call(word(table, t.TABLE_KEEP), (owner,))
    else:
        owner = call(word(table, t.TABLE_MAKE), (data, size))
    if owner == 0:
        set_word(record, t.RECORD_COUNT, word(table, t.TABLE_UNUSED))
        set_word(table, t.TABLE_UNUSED, place)
        return t.NO_MEMORY
    number = word(record, t.RECORD_NUMBER)
    set_word(record, t.RECORD_NUMBER, number if number != 0 else place)
    set_word(record, t.RECORD_DATA, owner + word(table, t.TABLE_DATA))
    set_word(record, t.RECORD_SIZE, size)
    set_word(record, t.RECORD_HASH, found)
    set_word(record, t.RECORD_COUNT, 0)
    set_word(record, t.RECORD_STAMP, 0)
    set_word(record, t.RECORD_OBJECT, owner)
    set_word(table, t.TABLE_COUNT, word(table, t.TABLE_COUNT) + 1)
    enter(table, place, found)
    return hold(table, held, record)


@function
def hold(table, held, record):
    """The number of a record that `held` holds, or NO_MEMORY. It is noted once for each that holds it, unless two take
    turns."""
    if word(record, t.RECORD_STAMP) == word(held, t.HELD_STAMP):
        return word(record, t.RECORD_NUMBER)
    count = word(held, t.HELD_COUNT)
    if count == word(held, t.HELD_ROOM) and more_items(table, held, max(2 * count, 16)) != 0:
        return t.NO_MEMORY
    set_word(word(held, t.HELD_ITEMS), count, word(record, t.RECORD_NUMBER))
    set_word(record, t.RECORD_COUNT, word(record, t.RECORD_COUNT) + 1)
    set_word(record, t.RECORD_STAMP, word(held, t.HELD_STAMP))
    set_word(held, t.HELD_COUNT, count + 1)
    return word(record, t.RECORD_NUMBER)


@function
def more_items(table, held, room):
    items, old = call(word(table, t.TABLE_ALLOC), (8 * room,)), word(held, t.HELD_ITEMS)
    if items == 0:
        return t.NO_MEMORY
    if old != 0:
        copy_bytes(items, old, 8 * word(held, t.HELD_COUNT))
        call(word(table, t.TABLE_RELEASE), (old,))
    set_word(held, t.HELD_ITEMS, items)
    set_word(held, t.HELD_ROOM, room)
    return 0


@function
def hold_numbers(table, held, numbers, count):
    """Holds the strings with these numbers; those that no string has are left out."""
    for i in range(count):
        record = record_of(table, word(numbers, i))
        if record != 0 and word(numbers, i) != 0 and hold(table, held, record) == t.NO_MEMORY:
            return t.NO_MEMORY
    return 0


@function
def give_back(table, held):
    """Lets go of all that `held` holds; strings that nothing holds any more are forgotten."""
    items = word(held, t.HELD_ITEMS)
    for i in range(word(held, t.HELD_COUNT)):
        place = word(items, i) & PLACES
        record = record_at(table, place)
        left = word(record, t.RECORD_COUNT) - 1
        set_word(record, t.RECORD_COUNT, left)
        if left == 0:
            forget(table, place, record)
    if items != 0:
        call(word(table, t.TABLE_RELEASE), (items,))
    set_word(held, t.HELD_ITEMS, 0)
    set_word(held, t.HELD_COUNT, 0)
    set_word(held, t.HELD_ROOM, 0)
    return 0


@function
def forget(table, place, record):
    take_out(table, place, word(record, t.RECORD_HASH))
    owner = word(record, t.RECORD_OBJECT)
    set_word(record, t.RECORD_OBJECT, 0)
    set_word(record, t.RECORD_NUMBER, word(record, t.RECORD_NUMBER) + (1 << t.PLACE_BITS))
    set_word(record, t.RECORD_COUNT, word(table, t.TABLE_UNUSED))
    set_word(table, t.TABLE_UNUSED, place)
    set_word(table, t.TABLE_COUNT, word(table, t.TABLE_COUNT) - 1)
    call(word(table, t.TABLE_DROP), (owner,))


@function
def take_out(table, place, found):
    """Out of the index; what stands behind moves up, if it may stand there."""
    index, mask = word(table, t.TABLE_INDEX), word(table, t.TABLE_MASK)
    gap = found & mask
    while word(index, gap) & PLACES != place:
        gap = (gap + 1) & mask
    at = (gap + 1) & mask
    entry = word(index, at)
    while entry != 0:
        home = word(record_at(table, entry & PLACES), t.RECORD_HASH) & mask
        if (at - home) & mask >= (at - gap) & mask:
            set_word(index, gap, entry)
            gap = at
        at = (at + 1) & mask
        entry = word(index, at)
    set_word(index, gap, 0)


@function
def scratch(table, size):
    """Memory for a string of so many bytes until the next one is put together, 0: there is none."""
    if size >= word(table, t.TABLE_SCRATCH_BYTES):
        room = max(2 * size, 4096)
        made, old = call(word(table, t.TABLE_ALLOC), (room,)), word(table, t.TABLE_SCRATCH)
        if made == 0:
            return 0
        if old != 0:
            call(word(table, t.TABLE_RELEASE), (old,))
        set_word(table, t.TABLE_SCRATCH, made)
        set_word(table, t.TABLE_SCRATCH_BYTES, room)
    return word(table, t.TABLE_SCRATCH)
