"""unique: which elements of a vector occur for the first time, and as the how-manieth.

Job: x[n] -> places[n], the number of each element's value among the distinct ones in order of first occurrence, and
first[n], of which the first count[0] say where those stand. A hash table of positions in the workspace, open addresses.
Floats are equal as == has it: zeros of both signs are, NaNs are not.
Invariants: the table has at least 2 n slots and is never full; a slot holds a position + 1, 0 is free.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...contracts.dtypes import FLOATS
from ...scalars.machine import bits, shift_right_logical, wrap_add, wrap_mul
from ..memory import helper, int64_at, zero_bytes
from ..words import OK, TILES, USER, WORK_BYTES


@helper
def float_key(x):
    """The same integer for equal numbers: zeros of both signs become 0.0."""
    return wrap_add(0, bits(x if x != 0 else x * x))


@helper
def integer_key(x):
    return wrap_add(0, x)


@helper
def spread(key, slots):
    """A slot of the table, slots a power of two."""
    mixed = wrap_mul(wrap_add(key, shift_right_logical(key, 32)), -7046029254386353131)
    return shift_right_logical(mixed, 20) & (slots - 1)


def make(types):
    key_of = float_key if types["T"] in FLOATS else integer_key

    def bind(n, choice):
        slots = 2
        while slots < 2 * n:
            slots *= 2
        choice[USER] = slots
        choice[WORK_BYTES] = 8 * slots
        choice[TILES] = 1

    def run(x, places, first, count, n, choice, work, scratch, phase, tile):
        slots = choice[USER]
        zero_bytes(work, 8 * slots)
        table = int64_at(work)
        found = 0
        for i in range(n):
            value = x[i]
            slot = spread(key_of(value), slots)
            while table[slot] != 0 and x[table[slot] - 1] != value:
                slot = (slot + 1) & (slots - 1)
            known = table[slot]
            if known == 0:
                table[slot] = i + 1
                first[found] = i
                places[i] = found
                found += 1
            else:
                places[i] = places[known - 1]
        for i in range(found, n):
            first[i] = 0
        count[0] = found
        return OK
    return Functions(bind, run)
