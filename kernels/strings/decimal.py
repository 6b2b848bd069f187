"""Numbers read from text in decimal.

Reading gives the nearest float64 or float32, or says that it is not sure: then whoever calls looks at the string in
another way. A number is digits * 10^e. Of up to 2^53 and |e| <= 22, where 10^e is exact, one product or quotient is the
nearest by itself. Others are computed as a sum of two float64 with an error of 2^-98 or less; that is sure unless the
sum lies as near to the middle of two numbers. Of more than 18 digits, the number lies between what the first 18 say and
one more: sure if both give the same. Never sure: hexadecimal numbers, and those near the ends of the range.
"""
from __future__ import annotations

import math

from numba import float32

from . import tables as t
from .memory import float_bits, function, load_byte, set_float, set_half_word, set_real, set_word, word
from .table import record_of
from .tables import FLOAT, INT, LONG, REAL

SURE, UNSURE = 1, 0
MOST_DIGITS, EXACT_TENS, MOST_TENS = 18, 22, 250
EXACT, LARGEST_EXACT_POWER = 1 << 53, 1e22
SPLITTER = 134217729.0                   # 2^27 + 1
LEAST_FLOAT, MOST_FLOAT = 1.1754943508222875e-38, 3.4028234663852886e38
LOW_BITS, HALF_BIT = (1 << 29) - 1, 1 << 28
INFINITY, NAN = math.inf, math.nan
MARGIN = 1e-12                           # of the smaller part of a sum: some 2^-92 of all


@function
def is_space(byte):
    return byte == 32 or 9 <= byte <= 13


@function
def after_spaces(data, end):
    while data < end and is_space(load_byte(data)):
        data += 1
    return data


@function
def before_spaces(data, end):
    while data < end and is_space(load_byte(end - 1)):
        end -= 1
    return end


@function
def read_integer(data, size):
    """(SURE or UNSURE, value) of an integer of up to 18 digits, white space around it."""
    end = before_spaces(data, data + size)
    at = after_spaces(data, end)
    negative = False
    if at < end and (load_byte(at) == 43 or load_byte(at) == 45):
        negative = load_byte(at) == 45
        at += 1
    if at == end or end - at > MOST_DIGITS:
        return UNSURE, 0
    value = 0
    while at < end:
        digit = load_byte(at) - 48
        if digit < 0 or digit > 9:
            return UNSURE, 0
        value = 10 * value + digit
        at += 1
    return SURE, -value if negative else value


@function
def read_real(data, size):
    """(SURE or UNSURE, the nearest float64)."""
    end = before_spaces(data, data + size)
    at = after_spaces(data, end)
    negative = False
    if at < end and (load_byte(at) == 43 or load_byte(at) == 45):
        negative = load_byte(at) == 45
        at += 1
    sure, value, tens, more, at = read_mantissa(at, end)
    if sure == UNSURE:
        return read_word(at, end, negative)
    if at < end:
        sure, exponent = read_exponent(at, end)
        if sure == UNSURE:
            return UNSURE, 0.0
        tens += exponent
    if value == 0:
        return SURE, -0.0 if negative else 0.0
    sure, found = nearest(value, tens)
    if sure == SURE and more != 0:
        sure, other = nearest(value + 1, tens)
        if other != found:
            sure = UNSURE
    return sure, -found if negative else found


@function
def read_mantissa(at, end):
    """(SURE or UNSURE, the first 18 digits, by what power of ten they are to be multiplied, whether there were more,
    what is behind them)."""
    digits, seen, tens, points, value, more = 0, 0, 0, 0, 0, 0
    begin = at
    while at < end:
        byte = load_byte(at)
        if 48 <= byte <= 57:
            seen += 1
            if digits < MOST_DIGITS:
                value = 10 * value + (byte - 48)
                digits += 1 if value != 0 else 0
                tens -= points
            else:
                more |= byte - 48
                tens += 1 - points
        elif byte == 46 and points == 0:
            points = 1
        else:
            break
        at += 1
    return (SURE if seen > 0 else UNSURE), value, tens, more, at if seen > 0 else begin


@function
def read_exponent(at, end):
    """(SURE or UNSURE, the number behind an e)."""
    if load_byte(at) | 32 != 101 or end - at < 2 or end - at > 7 or is_space(load_byte(at + 1)):
        return UNSURE, 0
    return read_integer(at + 1, end - at - 1)


@function
def read_word(at, end, negative):
    """inf, infinity and nan, in any case."""
    if end - at == 3 and is_letters(at, 0x666E69, 3) != 0:
        return SURE, -INFINITY if negative else INFINITY
    if end - at == 8 and is_letters(at, 0x7974696E69666E69, 8) != 0:
        return SURE, -INFINITY if negative else INFINITY
    if end - at == 3 and is_letters(at, 0x6E616E, 3) != 0 and not negative:
        return SURE, NAN
    return UNSURE, 0.0


@function
def is_letters(at, letters, count):
    """Whether the next letters are these, in small ones, the first the lowest byte."""
    for i in range(count):
        if load_byte(at + i) | 32 != (letters >> (8 * i)) & 255:
            return 0
    return 1


@function
def ten_to(exponent):
    """Exact up to EXACT_TENS."""
    power = 1.0
    for _ in range(exponent):
        power *= 10.0
    return power


@function
def nearest(value, tens):
    """(SURE or UNSURE, the float64 nearest to value * 10^tens)."""
    size = tens if tens >= 0 else -tens
    high = float(value)
    if value < EXACT and size <= EXACT_TENS:
        power = ten_to(size)
        return SURE, high * power if tens >= 0 else high / power
    if size > MOST_TENS:
        return UNSURE, 0.0
    power, power_rest = wide_power(size)
    low = float(value - int(high))
    if tens >= 0:
        product, rest = exact_product(high, power)
        rest += low * power + high * power_rest
    else:
        product = high / power
        whole, rest = exact_product(product, power)
        rest = ((high - whole) - rest + low - product * power_rest) / power
    total = product + rest
    rest = rest - (total - product)
    sure = total + rest * (1.0 + MARGIN) == total and total + rest * (1.0 - MARGIN) == total
    return SURE if sure else UNSURE, total


@function
def wide_power(exponent):
    """10^exponent as a sum of two."""
    high, low = ten_to(exponent % EXACT_TENS), 0.0
    for _ in range(exponent // EXACT_TENS):
        product, rest = exact_product(high, LARGEST_EXACT_POWER)
        rest += low * LARGEST_EXACT_POWER
        high = product + rest
        low = rest - (high - product)
    return high, low


@function
def exact_product(a, b):
    """a * b as the sum of two float64 (Dekker)."""
    product = a * b
    wide_a, wide_b = SPLITTER * a, SPLITTER * b
    high_a, high_b = wide_a - (wide_a - a), wide_b - (wide_b - b)
    low_a, low_b = a - high_a, b - high_b
    return product, ((high_a * high_b - product) + high_a * low_b + low_a * high_b) + low_a * low_b


@function
def read_into(data, size, kind, target):
    """Writes the number that a string is to `target`. SURE or UNSURE."""
    if kind == INT or kind == LONG:
        sure, value = read_integer(data, size)
        if sure == UNSURE or (kind == INT and (value > 2147483647 or value < -2147483648)):
            return UNSURE
        if kind == INT:
            set_half_word(target, value)
        else:
            set_word(target, 0, value)
        return SURE
    sure, real = read_real(data, size)
    if sure == UNSURE:
        return UNSURE
    if kind == REAL:
        set_real(target, real)
        return SURE
    # Rounded a second time: not if it lies in the middle of two float32, or beyond the normal ones.
    size_of = abs(real)
    if real == real and size_of != INFINITY and real != 0.0 and (
            float_bits(real) & LOW_BITS == HALF_BIT or not LEAST_FLOAT <= size_of <= MOST_FLOAT):
        return UNSURE
    set_float(target, float32(real))
    return SURE


@function
def numbers_of_strings(table, numbers, count, kind, target):
    """Writes the number that each string is. Returns how many it was before one was not plain."""
    width = 4 if kind == FLOAT or kind == INT else 8
    for i in range(count):
        record = record_of(table, word(numbers, i))
        if record == 0 or read_into(word(record, t.RECORD_DATA), word(record, t.RECORD_SIZE), kind,
                                    target + width * i) == UNSURE:
            return i
    return count
