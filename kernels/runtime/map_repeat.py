"""Loads of a map that read a short row again and again: a bias, a scale of each channel.

Such a row fills a register once for many chunks (map_chunk.py), as often as it fits there, so that neither chunks nor
the other accesses' axes end where the row does.
"""
from __future__ import annotations

from . import map_words as m
from .map_plan import access_at, value_at
from .memory import function, set_word, word
from .steps import map_dim


@function
def repeats(access, number):
    """Whether a pass has an access in a register that is filled once."""
    return number == 0 and word(access, m.A_PERIOD) > 0


@function
def period_of(record, dims, order, rank, strides, size):
    """Elements of a row without gaps that a load reads again and again; 0: it does not."""
    period, k = 1, rank - 1
    while k >= 0:
        axis = word(order, k)
        extent = word(dims, map_dim(record, axis))
        if extent != 1 and word(strides, axis) != period * size:
            break
        period *= extent
        k -= 1
    again = 1
    while k >= 0:
        axis = word(order, k)
        if word(strides, axis) != 0:
            return 0
        again *= word(dims, map_dim(record, axis))
        k -= 1
    return period if period > 1 and again > 1 else 0


@function
def mark_repeated(out, record, dims, order, rank, raw):
    """Sets A_PERIOD of the loads of pass 0 that repeat a row which a register holds; returns whether there are any."""
    bound, longest, chunk = out + 8 * word(out, m.PASS_0), 1, word(out, m.CHUNK)
    for i in range(word(out, m.LOADS)):
        access = access_at(out, i)
        if word(value_at(out, i), m.V_NEEDED) == 1:
            period = period_of(record, dims, order, rank, raw + 8 * m.MAX_AXES * i, word(access, m.A_SIZE))
            if 0 < period <= chunk:
                set_word(access, m.A_PERIOD, period)
                longest = max(longest, period)
    if longest > 1:
        set_word(bound, m.P_PERIOD, longest)
        set_word(bound, m.P_SPAN, chunk // longest * longest)
    return longest > 1
