"""Numbers as strings in decimal, as C's printf writes them with %d and %.6f."""
from __future__ import annotations

from . import tables as t
from .decimal import exact_product, ten_to
from .memory import float_bits, function, load_float, load_int, load_real, set_byte, set_word, word
from .table import number_of, scratch
from .tables import FLOAT, INT, LONG, REAL

ROOM = 64                                # bytes of the longest
LARGE = float(1 << 51)


@function
def write_digits(value, least, end):
    """The digits of a number that is not negative, at least so many, in front of `end`; where they begin."""
    at = end
    while value != 0 or end - at < least:
        quotient = value // 10
        at -= 1
        set_byte(at, 48 + value - 10 * quotient)
        value = quotient
    return at


@function
def write_integer(value, room):
    """Where the text begins, which ends at room + ROOM; 0 for the least of all, which has no opposite."""
    end = room + ROOM
    if value == -value and value != 0:
        return 0
    at = write_digits(-value if value < 0 else value, 1, end)
    if value < 0:
        at -= 1
        set_byte(at, 45)
    return at


@function
def write_real(value, precision, room):
    """As write_integer, with so many digits behind the point, rounded to the nearest; a half to the even one. 0: too
    large, or no number."""
    end = room + ROOM
    size = abs(value)
    if not size * ten_to(precision) < LARGE:
        return 0
    product, rest = exact_product(size, ten_to(precision))
    whole = int(product)
    over = (product - float(whole)) - 0.5
    if over > 0.0 or (over == 0.0 and (rest > 0.0 or (rest == 0.0 and whole & 1 == 1))):
        whole += 1
    at = end
    if precision > 0:
        power = int(ten_to(precision))
        ones = whole // power
        at = write_digits(whole - ones * power, precision, end) - 1
        set_byte(at, 46)
        whole = ones
    at = write_digits(whole, 1, at)
    if float_bits(value) < 0:
        at -= 1
        set_byte(at, 45)
    return at


@function
def write_one(source, kind, precision, room):
    if kind == FLOAT:
        return write_real(float(load_float(source)), precision, room)
    if kind == REAL:
        return write_real(load_real(source), precision, room)
    if kind == LONG:
        return write_integer(word(source, 0), room)
    if kind == INT:
        return write_integer(load_int(source, 0), room)
    return 0


@function
def strings_of_numbers(table, held, source, count, kind, precision, numbers):
    """Writes the number of the string of each value. Returns how many it was before one was not plain, or NO_MEMORY.
    precision: digits behind the point of floating-point numbers, up to 18."""
    room, width = scratch(table, ROOM), 4 if kind == FLOAT or kind == INT else 8
    if room == 0:
        return t.NO_MEMORY
    for i in range(count):
        at = write_one(source + width * i, kind, precision, room)
        if at == 0:
            return i
        number = number_of(table, held, at, room + ROOM - at, 0)
        if number == t.NO_MEMORY:
            return t.NO_MEMORY
        set_word(numbers, i, number)
    return count
