"""candidates: classes drawn at random, by the logarithm of their number, evenly, or by a table of probabilities.

Job: out[i] is drawn from classes below range_max; with `unique` none twice, drawn again until it is new; tries is the
number of draws. kind: 0 by log((c + 2) / (c + 1)), 1 evenly, 2 by the running sums of probabilities in `table`. Draw i
of a run is number i of the philox stream of (key, run, iteration).
Invariants: one tile, as what is drawn depends on what was drawn before; more draws than many times range_max end it
with INVALID_VALUE; a table is searched within its size, and what comes out of it is cut to range_max.
"""
from __future__ import annotations

from ...contracts.calls import Functions
from ...scalars.exponential import exp_f64, log_f64
from ...scalars.random import philox_f64
from ..memory import helper, int64_at
from ..words import INVALID_VALUE, OK, TILES, WORK_BYTES

FEW_TRIES, TRIES_A_CLASS = 1 << 20, 256
LOG_UNIFORM, UNIFORM, TABLE = 0, 1, 2


@helper
def slots(n):
    """Places of the set of classes, a power of two."""
    size = 16
    while size < 2 * n:
        size *= 2
    return size


@helper
def is_new(seen, size, value):
    """Whether value was not in the set; it is now."""
    at = (value * 0x9E3779B1) & (size - 1)
    while seen[at] != -1:
        if seen[at] == value:
            return False
        at = (at + 1) & (size - 1)
    seen[at] = value
    return True


@helper
def search(table, size, u):
    """The first place whose running sum is above u."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if table[middle] > u:
            high = middle
        else:
            low = middle + 1
    return low


def make(types):
    def bind(n, size, range_max, kind, unique, key, choice):
        choice[TILES] = 1
        choice[WORK_BYTES] = slots(n) * 8 if unique != 0 else 64

    def run(counter, table, out, tries, n, size, range_max, kind, unique, key, choice, work, scratch, phase, tile):
        seen, places = int64_at(work), slots(n)
        if unique != 0:
            for i in range(places):
                seen[i] = -1
        most = max(n, max(FEW_TRIES, TRIES_A_CLASS * range_max))
        span, found, drawn = log_f64(float(range_max) + 1.0), 0, 0
        while found < n:
            if drawn >= most:
                return INVALID_VALUE
            u = philox_f64(key, counter[0], counter[1], drawn)
            if kind == LOG_UNIFORM:
                value = int(exp_f64(u * span)) - 1
            elif kind == UNIFORM:
                value = int(u * range_max)
            else:
                value = search(table, size, u)
            value = min(max(value, 0), range_max - 1)
            drawn += 1
            if unique == 0 or is_new(seen, places, value):
                out[found] = value
                found += 1
        tries[0] = drawn
        return OK
    return Functions(bind, run)
