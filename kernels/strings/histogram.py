"""A histogram of numbers as the string that HistogramSummary is: a Summary with one value (proto/summary.proto)."""
from __future__ import annotations

from . import tables as t
from .memory import (
    copy_bytes,
    float_bits,
    function,
    load_float,
    load_int,
    load_real,
    set_byte,
    set_real,
    set_word,
    word,
    zero_bytes,
)
from .table import number_of, record_of, scratch
from .tables import FLOAT, INT, LIMITS_COUNT, LIMITS_FIRST, LIMITS_KEYS, LIMITS_LAST, LIMITS_VALUES, REAL

NOT_PLAIN = -3
LARGEST = 1.7976931348623157e308
KEY_BITS = 49                            # below what tells values apart in LIMITS_KEYS: exponent and three bits more
VALUE, TAG, HISTOGRAM = 0x0A, 0x0A, 0x2A                              # keys of fields that are bytes
MIN, MAX, NUM, SUM, SUM_SQUARES = 0x09, 0x11, 0x19, 0x21, 0x29        # and of those that are float64
BOUNDS, BUCKETS = 0x32, 0x3A
ROOM = 256                               # bytes of a message beside its tag and lists


@function
def number_at(source, i, kind):
    if kind == FLOAT:
        return float(load_float(source + 4 * i))
    if kind == REAL:
        return load_real(source + 8 * i)
    return float(load_int(source, i)) if kind == INT else float(word(source, i))


@function
def bucket_of(value, limits):
    """How many limits are not above a value, but for the last one's: among the negative ones, 0 and the positive ones
    that LIMITS has."""
    count, above = word(limits, LIMITS_COUNT), word(limits, LIMITS_VALUES)
    size = abs(value)
    key = (float_bits(size) >> KEY_BITS) - word(limits, LIMITS_FIRST)
    at = 0 if key < 0 else word(word(limits, LIMITS_KEYS), min(key, word(limits, LIMITS_LAST)))
    if value < 0.0:
        while at < count and load_real(above + 8 * at) < size:
            at += 1
        return count - at
    while at < count and load_real(above + 8 * at) <= size:
        at += 1
    return min(count + 1 + at, 2 * count)


@function
def is_written(counts, i, last):
    """Buckets that hold something are, and the last one of each run of empty ones."""
    return i == last or word(counts, i) != 0 or word(counts, i + 1) != 0


@function
def varint_size(value):
    size = 1
    while value >= 128:
        value >>= 7
        size += 1
    return size


@function
def put_varint(at, value):
    while value >= 128:
        set_byte(at, value & 127 | 128)
        value >>= 7
        at += 1
    set_byte(at, value)
    return at + 1


@function
def real_size(value):
    """Of a field that is a float64, which 0 leaves out."""
    return 9 if float_bits(value) != 0 else 0


@function
def put_real(at, key, value):
    if float_bits(value) == 0:
        return at
    set_byte(at, key)
    set_real(at + 1, value)
    return at + 9


@function
def put_histogram(at, counts, limits, written):
    """The lists of limits and of counts."""
    above, count = word(limits, LIMITS_VALUES), word(limits, LIMITS_COUNT)
    bounds = put_varint(at + 1, 8 * written)
    set_byte(at, BOUNDS)
    behind = bounds + 8 * written
    set_byte(behind, BUCKETS)
    values = put_varint(behind + 1, 8 * written)
    for i in range(2 * count + 1):
        if is_written(counts, i, 2 * count):
            bound = 0.0
            if i < count:
                bound = -load_real(above + 8 * (count - 1 - i))
            elif i > count:
                bound = load_real(above + 8 * (i - count - 1))
            set_real(bounds, bound)
            set_real(values, float(word(counts, i)))
            bounds += 8
            values += 8
    return values


@function
def histogram(table, held, source, count, kind, tag, limits, target):
    """Writes the number of the histogram of numbers under the tag with that number. 0, NOT_PLAIN if there are none or
    one is not finite, or NO_MEMORY."""
    record, buckets = record_of(table, tag), 2 * word(limits, LIMITS_COUNT) + 1
    if count == 0 or record == 0:
        return NOT_PLAIN
    tag_size = word(record, t.RECORD_SIZE)
    counts = scratch(table, 8 * buckets + 16 * buckets + tag_size + ROOM)
    if counts == 0:
        return t.NO_MEMORY
    zero_bytes(counts, 8 * buckets)
    least, most, total, squares = LARGEST, -LARGEST, 0.0, 0.0
    for i in range(count):
        value = number_at(source, i, kind)
        if not abs(value) <= LARGEST:
            return NOT_PLAIN
        least = value if value < least else least        # of 0 and -0 the first one
        most = value if value > most else most
        total += value
        squares += value * value
        bucket = bucket_of(value, limits)
        set_word(counts, bucket, word(counts, bucket) + 1)
    written = 0
    for i in range(buckets):
        written += 1 if is_written(counts, i, buckets - 1) else 0
    numbers = real_size(least) + real_size(most) + 9 + real_size(total) + real_size(squares)
    inner = numbers + 2 * (1 + varint_size(8 * written) + 8 * written)
    named = 1 + varint_size(tag_size) + tag_size if tag_size > 0 else 0
    size = named + 1 + varint_size(inner) + inner
    made = counts + 8 * buckets
    set_byte(made, VALUE)
    at = put_varint(made + 1, size)
    if tag_size > 0:
        set_byte(at, TAG)
        at = put_varint(at + 1, tag_size)
        copy_bytes(at, word(record, t.RECORD_DATA), tag_size)
        at += tag_size
    set_byte(at, HISTOGRAM)
    at = put_varint(at + 1, inner)
    at = put_real(put_real(put_real(at, MIN, least), MAX, most), NUM, float(count))
    at = put_real(put_real(at, SUM, total), SUM_SQUARES, squares)
    number = number_of(table, held, made, put_histogram(at, counts, limits, written) - made, 0)
    if number == t.NO_MEMORY:
        return t.NO_MEMORY
    set_word(target, 0, number)
    return 0
