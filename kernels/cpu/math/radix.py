"""The order of a row's elements, greatest first, by their bytes: for top_k where k is a large part of a row.

A radix sort. The keys of elements are unsigned integers, the smaller the greater the element; they are put in order by
one byte after the other, the lowest first, each time without changing the order of equal bytes. So of equal elements
the one with the lower index comes first. A byte that all keys share takes no round.
Invariants: of `memory`, 8 (4 n + COUNTS) bytes are used; a key stands beside its element's index.
"""
from __future__ import annotations

from ...contracts.dtypes import FLOATS
from ...scalars.machine import bits, shift_right_logical, wrap_add
from ..memory import ITEM_SIZES, address, apart, helper, int64_at, offset, part, zero_bytes

COUNTS = 256


def key_function(dtype):
    """The key of an element, of whose 64 bits the lowest count, as many as the dtype has."""
    greatest = (1 << (8 * ITEM_SIZES[dtype] - 1)) - 1

    @helper
    def float_key(x):
        if x != x:
            return 0
        key = wrap_add(0, bits(x if x != 0 else x * x))          # zeros of both signs are equal
        return key if key < 0 else ~key & greatest

    @helper
    def integer_key(x):
        return ~wrap_add(0, x) ^ (-greatest - 1)

    return float_key if dtype in FLOATS else integer_key


@helper
def digit_of(key, shift):
    return shift_right_logical(key, shift) & (COUNTS - 1)


@helper
def in_order(memory, n, size):
    """Puts n keys, and the indices after them, in the order of the keys' `size` lowest bytes. Where the indices are
    then."""
    apart()
    keys, counts = int64_at(memory), int64_at(memory + 32 * n)
    places, next_keys, next_places = offset(keys, n), offset(keys, 2 * n), offset(keys, 3 * n)
    for shift in range(0, 8 * size, 8):
        zero_bytes(memory + 32 * n, 8 * COUNTS)
        for i in range(n):
            counts[digit_of(keys[i], shift)] += 1
        if counts[digit_of(keys[0], shift)] == n:
            continue
        begin = 0
        for digit in range(COUNTS):
            count = counts[digit]
            counts[digit] = begin
            begin += count
        for i in range(n):
            digit = digit_of(keys[i], shift)
            to = counts[digit]
            counts[digit] = to + 1
            next_keys[to] = keys[i]
            next_places[to] = places[i]
        keys, next_keys = next_keys, keys
        places, next_places = next_places, places
    return address(places)


def make_sort(dtype):
    """sort(row, values, indices, n, k, memory): the first k of the row's order, and their indices."""
    key_of, size = key_function(dtype), ITEM_SIZES[dtype]

    @part("sort", dtype)
    def sort(row, values, indices, n, k, memory):
        keys, places = int64_at(memory), int64_at(memory + 8 * n)
        for i in range(n):
            keys[i] = key_of(row[i])
            places[i] = i
        places = int64_at(in_order(memory, n, size))
        for i in range(k):
            indices[i] = places[i]
            values[i] = row[places[i]]

    return sort
