"""Loads of a map that read a few elements again and again: a bias, a scale of each channel, a weight of each column of
pixels.

They fill a register once for many chunks, as often as they fit there, so that neither chunks nor the other accesses'
axes end where theirs do. Their own axes are those that the map has without them: P_REPEATED.
"""
from __future__ import annotations

from . import map_words as m
from .map_plan import access_at, value_at
from .memory import function, set_word, word


@function
def repeats(access, number):
    """Whether a pass has an access in a register that is filled once."""
    return number == 0 and word(access, m.A_PERIOD) > 0


@function
def long_row(out):
    return m.LONG_ROW if word(out, m.MODE) == m.MODE_ELEMENTS else m.LONG_REDUCED_ROW


@function
def period_of(bound, strides, chunk, long):
    """Elements that a load reads again and again; 0: it does not, they are more than a chunk, or long rows of one
    element."""
    last = word(bound, m.P_RANK) - 1
    again, k = 1, 0
    while k <= last and word(strides, k) == 0:
        again *= word(bound, m.P_SIZES + k)
        k += 1
    if again == 1 or k > last or (word(strides, last) == 0 and word(bound, m.P_SIZES + last) >= long):
        return 0
    period = 1
    for axis in range(k, last + 1):
        period *= word(bound, m.P_SIZES + axis)
    return period if period <= chunk else 0


@function
def mark_repeated(out):
    """Sets A_PERIOD of the loads of pass 0 that repeat what a register holds; returns whether there are any."""
    bound, longest, chunk = out + 8 * word(out, m.PASS_0), 1, word(out, m.CHUNK)
    for i in range(word(out, m.LOADS)):
        if word(value_at(out, i), m.V_NEEDED) == 1:
            access = access_at(out, i)
            period = period_of(bound, access + 8 * m.A_STRIDES, chunk, long_row(out))
            set_word(access, m.A_PERIOD, period)
            longest = max(longest, period)
    if longest > 1:
        for k in range(m.AXES_WORDS):
            set_word(bound, m.P_REPEATED + k, word(bound, k))
        set_word(bound, m.P_PERIOD, longest)
        set_word(bound, m.P_SPAN, chunk // longest * longest)
    return longest > 1
