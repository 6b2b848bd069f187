"""Features of tf.train.Example messages, from their bytes.

Two calls: `find_features` notes for each example and feature where its list of values is and how many it holds, and
`put_features` writes them, once the caller has seen what sizes that makes. What is no Example, or has a list of another
kind than the feature, ends the first call: then whoever calls reads the examples in another way, which knows what is
wrong.
"""
from __future__ import annotations

from . import tables as t
from .memory import copy_bytes, equal_bytes, function, load_byte, set_word, word
from .table import number_of, record_of
from .tables import (
    BYTES_LIST,
    FEATURE_FEWEST,
    FEATURE_KIND,
    FEATURE_MISSING,
    FEATURE_MOST,
    FEATURE_NAME,
    FEATURE_NAME_SIZE,
    FEATURE_TOTAL,
    FEATURE_WORDS,
    FLOAT_LIST,
    FOUND_COUNT,
    FOUND_DATA,
    FOUND_SIZE,
    FOUND_WORDS,
    INT64_LIST,
    RESULT_DEFAULT,
    RESULT_INDICES,
    RESULT_RANK,
    RESULT_ROOM,
    RESULT_STEP,
    RESULT_TARGET,
    RESULT_WORDS,
)

VARINT, EIGHT, LENGTH, FOUR = 0, 1, 2, 5
BAD = -1


@function
def read_varint(at, end):
    """(value, what is behind it, or 0 if there is none)."""
    value, shift = 0, 0
    while at < end and shift < 70:
        byte = load_byte(at)
        at += 1
        if shift < 64:
            value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    return 0, 0


@function
def next_field(at, end):
    """(number of the field, its kind, where its content begins and ends); the end is 0 if there is none whole."""
    key, at = read_varint(at, end)
    if at == 0 or key < 8 or key >= 1 << 32:
        return 0, 0, 0, 0
    number, kind = key >> 3, key & 7
    if kind == LENGTH:
        size, at = read_varint(at, end)
        if at == 0 or size < 0 or size > end - at:
            return 0, 0, 0, 0
        return number, kind, at, at + size
    if kind == VARINT:
        _, behind = read_varint(at, end)
        return number, kind, at, behind
    wide = 8 if kind == EIGHT else 4 if kind == FOUR else 0
    if wide == 0 or wide > end - at:
        return 0, 0, 0, 0
    return number, kind, at, at + wide


@function
def count_values(at, end, kind):
    """How many values a list has, BAD: it is none."""
    count = 0
    while at < end:
        number, wire, begin, at = next_field(at, end)
        if at == 0:
            return BAD
        if number != 1:
            continue
        if kind == BYTES_LIST:
            count += 1 if wire == LENGTH else 0
        elif kind == FLOAT_LIST:
            if wire == LENGTH:
                if (at - begin) & 3 != 0:
                    return BAD
                count += (at - begin) >> 2
            elif wire == FOUR:
                count += 1
        elif wire == LENGTH:
            if begin < at and load_byte(at - 1) >= 128:
                return BAD
            digits = 0
            for place in range(begin, at):
                digits += 1
                if load_byte(place) < 128:
                    count += 1
                    digits = 0
                elif digits == 10:
                    return BAD
        elif wire == VARINT:
            count += 1
    return count


@function
def find_list(at, end, kind, found):
    """The last of a Feature's lists goes to `found`. 0, or BAD if a list is none or is of another kind."""
    while at < end:
        number, wire, begin, at = next_field(at, end)
        if at == 0:
            return BAD
        if wire == LENGTH and BYTES_LIST <= number <= INT64_LIST:
            if number != kind:
                return BAD
            count = count_values(begin, at, kind)
            if count < 0:
                return BAD
            set_word(found, FOUND_DATA, begin)
            set_word(found, FOUND_SIZE, at - begin)
            set_word(found, FOUND_COUNT, count)
    return 0


@function
def feature_named(features, count, name, size, first):
    """The feature of that name, looked for from `first` on; -1: it is not wanted."""
    for i in range(count):
        k = first + i if first + i < count else first + i - count
        feature = features + 8 * FEATURE_WORDS * k
        if word(feature, FEATURE_NAME_SIZE) == size and equal_bytes(word(feature, FEATURE_NAME), name, size) != 0:
            return k
    return -1


@function
def find_entry(at, end, features, count, found, first):
    """One entry of the map of features. The feature it was, -1: none that is wanted, or BAD - 1."""
    name, name_size, value, value_end = 0, 0, 0, 0
    while at < end:
        number, wire, begin, at = next_field(at, end)
        if at == 0:
            return BAD - 1
        if wire == LENGTH and number == 1:
            name, name_size = begin, at - begin
        elif wire == LENGTH and number == 2:
            if value != 0:             # the last one counts, but all must be whole
                return BAD - 1
            value, value_end = begin, at
    k = feature_named(features, count, name, name_size, first)
    if k < 0:
        # Nobody asks for it; if it is none, the example is none.
        return -1 if check_feature(value, value_end) == 0 else BAD - 1
    place = found + 8 * FOUND_WORDS * k
    set_word(place, FOUND_COUNT, -1)
    kind = word(features + 8 * FEATURE_WORDS * k, FEATURE_KIND)
    return BAD - 1 if find_list(value, value_end, kind, place) != 0 else k


@function
def check_feature(at, end):
    """0 if the bytes are a Feature, whatever its lists are."""
    while at < end:
        number, wire, begin, at = next_field(at, end)
        if at == 0 or (wire == LENGTH and BYTES_LIST <= number <= INT64_LIST
                       and count_values(begin, at, number) < 0):
            return BAD
    return 0


@function
def find_in_example(at, end, features, count, found):
    """0, or BAD."""
    for k in range(count):
        set_word(found + 8 * FOUND_WORDS * k, FOUND_COUNT, -1)
    first = 0
    while at < end:
        number, wire, begin, at = next_field(at, end)
        if at == 0:
            return BAD
        if wire != LENGTH or number != 1:
            continue
        inner = begin
        while inner < at:
            number, wire, entry, inner = next_field(inner, at)
            if inner == 0:
                return BAD
            if wire == LENGTH and number == 1:
                k = find_entry(entry, inner, features, count, found, first)
                if k < -1:
                    return BAD
                first = k + 1 if k >= 0 else first
    return 0


@function
def find_features(table, given, examples, features, count, found):
    """Returns how many examples it was before one was not plain, or a number came that no string has."""
    for k in range(count):
        feature = features + 8 * FEATURE_WORDS * k
        for field in (FEATURE_TOTAL, FEATURE_MOST, FEATURE_MISSING):
            set_word(feature, field, 0)
        set_word(feature, FEATURE_FEWEST, 1 << 62)
    for i in range(examples):
        record = record_of(table, word(given, i))
        if record == 0:
            return i
        data = word(record, t.RECORD_DATA)
        own = found + 8 * FOUND_WORDS * count * i
        if find_in_example(data, data + word(record, t.RECORD_SIZE), features, count, own) != 0:
            return i
        for k in range(count):
            note(features + 8 * FEATURE_WORDS * k, word(own + 8 * FOUND_WORDS * k, FOUND_COUNT))
    return examples


@function
def note(feature, values):
    if values < 0:
        set_word(feature, FEATURE_MISSING, word(feature, FEATURE_MISSING) + 1)
        return
    set_word(feature, FEATURE_TOTAL, word(feature, FEATURE_TOTAL) + values)
    set_word(feature, FEATURE_MOST, max(word(feature, FEATURE_MOST), values))
    set_word(feature, FEATURE_FEWEST, min(word(feature, FEATURE_FEWEST), values))


@function
def put_values(table, held, found, kind, target):
    """All values of a list, one behind the other. 0 or NO_MEMORY."""
    at = word(found, FOUND_DATA)
    end = at + word(found, FOUND_SIZE)
    while at < end:
        number, wire, begin, at = next_field(at, end)
        if number != 1:
            continue
        if kind == BYTES_LIST:
            if wire == LENGTH:
                made = number_of(table, held, begin, at - begin, 0)
                if made == t.NO_MEMORY:
                    return t.NO_MEMORY
                set_word(target, 0, made)
                target += 8
        elif kind == FLOAT_LIST:
            if wire == LENGTH or wire == FOUR:
                copy_bytes(target, begin, at - begin)
                target += at - begin
        elif wire == LENGTH or wire == VARINT:
            while begin < at:
                value, begin = read_varint(begin, at)
                set_word(target, 0, value)
                target += 8
    return 0


@function
def put_feature(table, held, examples, kind, found, step, result):
    """One feature of all examples. step: bytes from one example's FOUND to the next one's. 0 or NO_MEMORY."""
    wide, room, indices = 4 if kind == FLOAT_LIST else 8, word(result, RESULT_ROOM), word(result, RESULT_INDICES)
    target, rank = word(result, RESULT_TARGET), word(result, RESULT_RANK)
    default, default_step = word(result, RESULT_DEFAULT), word(result, RESULT_STEP)
    for i in range(examples):
        count = max(word(found, FOUND_COUNT), 0)
        if count > 0 and put_values(table, held, found, kind, target) != 0:
            return t.NO_MEMORY
        if indices != 0:
            for k in range(count):
                if rank == 2:
                    set_word(indices, 0, i)
                set_word(indices, rank - 1, k)
                indices += 8 * rank
        for k in range(count, room):
            copy_bytes(target + wide * k, default + default_step * k, wide)
        target += wide * (room if room > 0 else count)
        found += step
    return 0


@function
def put_features(table, held, examples, features, count, found, results):
    """Writes what find_features found. Returns 0 or NO_MEMORY."""
    step = 8 * FOUND_WORDS * count
    for k in range(count):
        kind = word(features + 8 * FEATURE_WORDS * k, FEATURE_KIND)
        if put_feature(table, held, examples, kind, found + 8 * FOUND_WORDS * k, step,
                       results + 8 * RESULT_WORDS * k) != 0:
            return t.NO_MEMORY
    return 0
