"""Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) in NumPy: the reference of the
random ops.

Written from the paper, independently of kernels/scalars/random.py, with which it agrees to the bit. Group g of a draw
is the four 32-bit words of counter (g, run) under key + iteration * ODD (64 bits each).

The iteration number of a loop that no loop is around counts 0, 1, 2, ...; inside others see `inner_iteration`.
"""
from __future__ import annotations

import numpy as np

from graphc.ir.dtypes import DType, float32

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)

WEYL = (0x9E3779B9, 0xBB67AE85)

ODD = -7046029254386353131      # 2^64 divided by the golden ratio: moves the key from iteration to iteration

OUTER = 0xD1342543DE82EF95      # Steele and Vigna, "Computationally easy, spectrally good multipliers", 2021

LOW = 0xFFFFFFFF

CHUNK = 8192            # groups at a time: what a round reads and writes stays in the cache

_FIRST, _SECOND, _LOW, _HALF = (np.uint64(n) for n in (*MULTIPLIERS, LOW, 32))


def inner_iteration(outer: int, number: int) -> int:
    """The iteration number, as int64, in iteration `number` of a loop that runs in iteration `outer` of others.

    It is a sum of the loops' counters, times powers of OUTER. The shortest relation between the powers (the lattice of
    the spectral test) has length 2^32.0 for two loops, 2^21.4 for three and 2^16 for four: unless loops run that often,
    no two iterations have one number.
    """
    mixed = (outer * OUTER + number) % 2**64
    return mixed - 2**64 if mixed >= 2**63 else mixed


def groups(key: int, run: int, iteration: int, count: int, first: int = 0) -> np.ndarray:
    """uint64[count, 4]: `count` groups of four words, from group `first` on."""
    return numbered_groups(key, run, iteration, np.arange(count, dtype=np.uint64) + np.uint64(first % 2**64))


def numbered_groups(key: int, run: int, iteration: int, index: np.ndarray) -> np.ndarray:
    """uint64[len(index), 4]: the groups of these numbers (uint64)."""
    made = np.empty((len(index), 4), np.uint64)
    for start in range(0, len(index), CHUNK):
        _fill(made[start:start + CHUNK], (key + iteration * ODD) % 2**64, run % 2**64, index[start:start + CHUNK])
    return made


def _fill(made: np.ndarray, key: int, run: int, index: np.ndarray) -> None:
    """The ten rounds, in place: this is what drawing takes its time for."""
    low, high = key & LOW, key >> 32
    c0, c1 = index & _LOW, index >> _HALF
    c2, c3 = np.full(len(index), run & LOW, np.uint64), np.full(len(index), run >> 32, np.uint64)
    first, second = np.empty_like(c0), np.empty_like(c0)
    for _ in range(10):
        np.multiply(c0, _FIRST, out=first)
        np.multiply(c2, _SECOND, out=second)
        np.right_shift(second, _HALF, out=c0)
        c0 ^= c1
        c0 ^= np.uint64(low)
        np.bitwise_and(second, _LOW, out=c1)
        np.right_shift(first, _HALF, out=c2)
        c2 ^= c3
        c2 ^= np.uint64(high)
        np.bitwise_and(first, _LOW, out=c3)
        low, high = (low + WEYL[0]) & LOW, (high + WEYL[1]) & LOW
    np.stack((c0, c1, c2, c3), axis=1, out=made)


def words(key: int, run: int, iteration: int, count: int) -> np.ndarray:
    """int64[count]: 32 random bits each."""
    return groups(key, run, iteration, (count + 3) // 4).ravel()[:count].astype(np.int64)


def uniform(key: int, run: int, iteration: int, count: int, dtype: DType) -> np.ndarray:
    """`count` numbers in [0, 1): float32 with 23 random bits of a word each, float64 with 52 of two words each."""
    if dtype == float32:
        bits = words(key, run, iteration, count) & 0x7FFFFF
        return (bits / 2.0**23).astype(np.float32)
    pairs = groups(key, run, iteration, (count + 1) // 2).reshape(-1, 2)[:count]
    return ((pairs[:, 1] & np.uint64(0xFFFFF)) * 2.0**32 + pairs[:, 0]) / 2.0**52
