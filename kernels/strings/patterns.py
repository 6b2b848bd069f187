"""Regular expressions in strings, by the tables of automata (graphc/ops/strings/automaton.py says what they are)."""
from __future__ import annotations

from . import tables as t
from .memory import copy_bytes, function, load_byte, load_int, set_byte, set_word, word
from .table import hold, number_of, record_of, scratch

# A string that may become larger than this is rewritten twice: the first time it is only measured.
LARGE = 1 << 16


@function
def following(pattern, row, data):
    """The row behind the byte at `data`."""
    return load_int(word(pattern, t.PATTERN_NEXT), row + load_byte(word(pattern, t.PATTERN_CLASSES) + load_byte(data)))


@function
def matched(table, given, count, pattern, target):
    """Writes a byte for each string: whether all of it matches. Returns how many it was before a number came that no
    string has."""
    for i in range(count):
        record = record_of(table, word(given, i))
        if record == 0:
            return i
        data = word(record, t.RECORD_DATA)
        end, row = data + word(record, t.RECORD_SIZE), word(pattern, t.PATTERN_FIRST)
        while data < end and row != 0:
            row = following(pattern, row, data)
            data += 1
        row = load_int(word(pattern, t.PATTERN_NEXT), row + word(pattern, t.PATTERN_END))
        set_byte(target + i, 1 if row >= word(pattern, t.PATTERN_ACCEPTING) else 0)
    return count


@function
def end_of_match(pattern, row, data, end):
    """Where the match ends that begins at `data`, in this row; 0: there is none."""
    found, accepting = 0, word(pattern, t.PATTERN_ACCEPTING)
    while data < end:
        row = following(pattern, row, data)
        if row == 0:
            return found
        data += 1
        if row >= accepting:
            found = data
    if load_int(word(pattern, t.PATTERN_NEXT), row + word(pattern, t.PATTERN_END)) >= accepting:
        found = end
    return found


@function
def note(places, notes, at):
    number = 0
    while notes != 0:
        if notes & 1 != 0:
            set_word(places, number, at)
        notes >>= 1
        number += 1


@function
def find_groups(pattern, row, data, end, places):
    """Writes where the groups of a match begin and end."""
    for i in range(t.PATTERN_PLACES):
        set_word(places, i, 0)
    paths, notes = word(pattern, t.PATTERN_PATHS), word(pattern, t.PATTERN_NOTES)
    while data < end:
        at = row + load_byte(word(pattern, t.PATTERN_CLASSES) + load_byte(data))
        note(places, load_int(notes, at), data)
        row = load_int(paths, at)
        data += 1
    note(places, load_int(notes, row + word(pattern, t.PATTERN_END)), end)


@function
def put(target, size, data, more):
    """The size with the bytes at `data` behind it, which are written if `target` is an address."""
    if target != 0 and more > 0:
        copy_bytes(target + size, data, more)
    return size + max(more, 0)


@function
def rewritten(pattern, data, end, everywhere, parts, part_count, places, target):
    """The size of the string with its matches, or the first one, rewritten; -1 if there are none. It is written if
    `target` is an address."""
    row, path = word(pattern, t.PATTERN_FIRST), word(pattern, t.PATTERN_PATHS_FIRST)
    size, done, some = 0, data, False
    while data < end:
        stop = 0
        if following(pattern, row, data) != 0:
            stop = end_of_match(pattern, row, data, end)
        if stop != 0:
            if path >= 0:
                find_groups(pattern, path, data, stop, places)
            size = put(target, size, done, data - done)
            for i in range(part_count):
                begin, more = word(parts, 2 * i), word(parts, 2 * i + 1)
                if begin == 0 and more == 0:
                    begin, more = data, stop - data
                elif begin == 0:
                    begin, more = word(places, 2 * more), word(places, 2 * more + 1) - word(places, 2 * more)
                size = put(target, size, begin, more)
            done, some = stop, True
            if everywhere == 0:
                break
        data = stop if stop != 0 else data + 1
        row, path = word(pattern, t.PATTERN_START), word(pattern, t.PATTERN_PATHS_START)
    return put(target, size, done, end - done) if some else -1


@function
def replaced(table, held, given, count, pattern, everywhere, parts, part_count, growth, places, numbers):
    """Strings with their matches rewritten. parts: for each its address and bytes, or 0 and the number of a group;
    growth: how many times as large a string may become; places: room for PATTERN_PLACES words. Returns count, NO_MEMORY
    or UNKNOWN_NUMBER."""
    for i in range(count):
        record = record_of(table, word(given, i))
        if record == 0:
            return t.UNKNOWN_NUMBER
        data, size = word(record, t.RECORD_DATA), word(record, t.RECORD_SIZE)
        room = size * growth
        if room > LARGE:
            room = rewritten(pattern, data, data + size, everywhere, parts, part_count, places, 0)
        made, changed = scratch(table, max(room, 0)), -1
        if made == 0:
            return t.NO_MEMORY
        if room > 0:
            changed = rewritten(pattern, data, data + size, everywhere, parts, part_count, places, made)
        if changed >= 0:
            number = number_of(table, held, made, changed, 0)
        else:
            number = hold(table, held, record) if size > 0 else 0
        if number == t.NO_MEMORY:
            return t.NO_MEMORY
        set_word(numbers, i, number)
    return count
