"""absent: which elements of x are none of y's.

Job: phase 0 puts y into a hash table in the workspace (open addressing, at most half full, one tile); phase 1 looks the
elements of x up. Zeros of both signs are equal, NaN equals nothing.
"""
from __future__ import annotations

from numba import int64

from ...contracts.calls import Functions
from ..memory import address, helper, int64_at, offset, pointer_to
from ..words import OK, TILES, TILES_1, USER, WORK_BYTES

TILE = 4096
bytes_at = pointer_to("u8")           # a bool is one byte, 0 or 1
FACTOR = -7046029254386353131          # 2^64 divided by the golden ratio, as a signed number
BITS = {"f32": "i32", "f64": "i64", "bool": "u8"}


def keys(dtype):
    """The function from an element to (an integer that is equal for equal elements, whether it equals itself)."""
    if dtype in ("f32", "f64"):
        bits_at = pointer_to(BITS[dtype])

        def key_of(x, i):
            value = x[i]
            return (int(bits_at(address(offset(x, i)))[0]) if value != 0 else 0), value == value
    elif dtype == "bool":
        bytes_of = pointer_to("u8")

        def key_of(x, i):
            return int(bytes_of(address(x))[i]), True
    else:
        def key_of(x, i):
            return int(x[i]), True
    return helper(key_of)


def make(types):
    key_of = keys(types["T"])

    def bind(n, m, choice):
        slots = 16
        while slots < 2 * m:
            slots *= 2
        choice[USER] = slots - 1
        choice[WORK_BYTES] = 16 * slots
        choice[TILES] = 1
        choice[TILES_1] = (n + TILE - 1) // TILE

    def run(x, y, mask, n, m, choice, work, scratch, phase, tile):
        # Two words a slot: whether it is taken, and the key.
        table, last, flags = int64_at(work), choice[USER], bytes_at(address(mask))
        if phase == 0:
            for i in range(last + 1):
                table[2 * i] = 0
            for i in range(m):
                key, regular = key_of(y, i)
                mixed = int64(key) * FACTOR
                slot = (mixed ^ (mixed >> 32)) & last
                while table[2 * slot] != 0 and table[2 * slot + 1] != int64(key):
                    slot = (slot + 1) & last
                if regular:
                    table[2 * slot] = 1
                    table[2 * slot + 1] = int64(key)
            return OK
        for i in range(tile * TILE, min((tile + 1) * TILE, n)):
            key, regular = key_of(x, i)
            mixed = int64(key) * FACTOR
            slot = (mixed ^ (mixed >> 32)) & last
            while table[2 * slot] != 0 and table[2 * slot + 1] != int64(key):
                slot = (slot + 1) & last
            flags[i] = 1 if table[2 * slot] == 0 or not regular else 0
        return OK
    return Functions(bind, run)
