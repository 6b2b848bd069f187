"""The numbers that TensorFlow draws, in NumPy: functions of an op's two seeds and of the group its stream stands at.

Which words of Philox (ops/random/philox.py) become which number is TensorFlow's: it fixes what scripts with seeds
print. Group g of a stream is the four words of counter (g, seed2) under the key `seed`. Gamma and Poisson numbers:
tensorflow_rejection.py.
"""
from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from graphc.ir.dtypes import DType, float16, float32, float64, int64
from graphc.ir.records import dataclass
from graphc.ops.random.philox import CHUNK, groups, numbered_groups

EACH = 256              # groups that an op sets aside for each number
SMALLEST = 1.0e-7       # of the uniform numbers under a logarithm


@dataclass(frozen=True)
class Stream:
    """Where an op's stream stands: `first` is the next group."""

    seed: int
    seed2: int
    first: int = 0

    def groups(self, count: int, behind: int = 0) -> np.ndarray:
        """uint64[count, 4], from group first + behind on."""
        return groups(self.seed, self.seed2, 0, count, self.first + behind)

    def words(self, count: int) -> np.ndarray:
        return self.groups(-(-count // 4)).ravel()[:count]

    def doubles(self, count: int) -> np.ndarray:
        """float64 in [0, 1), of two words each: the first one is the high one."""
        return doubles_of(self.groups(-(-count // 2)))[:count]


def doubles_of(made: np.ndarray) -> np.ndarray:
    pairs = made.reshape(-1, 2)
    return ((pairs[:, 0] & np.uint64(0xFFFFF)) * 2.0**32 + pairs[:, 1]) / 2.0**52


def _singles(words: np.ndarray) -> np.ndarray:
    return (words & np.uint64(0x7FFFFF)).astype(np.int32).astype(np.float32) * np.float32(2.0**-23)


def width(dtype: DType) -> int:
    """How many numbers a group of words gives."""
    return 2 if dtype in (float64, int64) else 4


def uniform(stream: Stream, count: int, dtype: DType) -> np.ndarray:
    if dtype == float64:
        return stream.doubles(count)
    words = stream.words(count)
    if dtype == float32:
        return _singles(words)
    steps = 2**10 if dtype == float16 else 2**7
    return dtype.array((words & np.uint64(steps - 1)) / steps)


def uniform_int(stream: Stream, count: int, low: int, high: int, dtype: DType) -> np.ndarray:
    words = stream.words(2 * count if dtype == int64 else count)
    if dtype == int64:
        words = words[::2] | words[1::2] << np.uint64(32)
    return ((words % np.uint64(high - low)).astype(np.int64) + np.int64(low)).astype(dtype.numpy)


def normals(made: np.ndarray, wide: bool) -> np.ndarray:
    """Normal numbers of each group of words, [groups, 4] or, wide, float64[groups, 2]: Box and Muller 1958."""
    u = doubles_of(made) if wide else _singles(made.ravel())
    kind = np.float64 if wide else np.float32
    first, second = np.maximum(u[::2], kind(SMALLEST)), u[1::2]
    radius = np.sqrt(kind(-2) * np.log(first))
    angle = (2 * math.pi * second.astype(np.float64)).astype(kind)
    return np.stack([np.sin(angle) * radius, np.cos(angle) * radius], 1).reshape(len(made), 2 if wide else 4)


def normal(stream: Stream, count: int, dtype: DType) -> np.ndarray:
    found = normals(stream.groups(-(-count // width(dtype))), dtype == float64)
    return dtype.array(found.ravel()[:count])


def truncated_normal(stream: Stream, count: int, dtype: DType) -> np.ndarray:
    """Each group of results draws from words of its own until it has enough numbers within two deviations."""
    each, wide = width(dtype), dtype == float64
    groups_each = each * EACH // 4
    found = np.empty((-(-count // each), each), np.float64 if wide else np.float32)
    for start in range(0, len(found), CHUNK):
        rows = found[start:start + CHUNK]
        numbers = (np.arange(start, start + len(rows)) * groups_each + stream.first).astype(np.uint64)
        rows[...] = normals(numbered_groups(stream.seed, stream.seed2, 0, numbers), wide)
        lacking = np.flatnonzero(reduce(np.logical_or, (np.abs(rows) >= 2).T))
        rows[lacking] = _within_two(stream, numbers[lacking], rows[lacking])
    return dtype.array(found.ravel()[:count])


def _within_two(stream: Stream, numbers: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """The rows of `candidates`, made of the groups of these numbers, without those beyond two deviations: filled from
    the groups after."""
    wide, each = candidates.dtype == np.float64, candidates.shape[1]
    found, filled = np.empty_like(candidates), np.zeros(len(candidates), np.int64)
    left, step = np.arange(len(candidates)), 0
    while len(left):
        for candidate in candidates.T:
            taken = (np.abs(candidate) < 2) & (filled[left] < each)
            rows = left[taken]
            found[rows, filled[rows]] = candidate[taken]
            filled[rows] += 1
        left, step = left[filled[left] < each], step + 1
        candidates = normals(numbered_groups(stream.seed, stream.seed2, 0, numbers[left] + np.uint64(step)), wide)
    return found


def permutation(stream: Stream, count: int) -> np.ndarray:
    """The order in which RandomShuffle takes `count` rows."""
    order, at = list(range(count)), np.arange(max(count - 1, 0), dtype=np.uint64)
    other = at + stream.words(len(at)) % (np.uint64(count) - at)
    for i, j in enumerate(other.tolist()):
        order[i], order[j] = order[j], order[i]
    return np.array(order, np.int64)


def multinomial(stream: Stream, logits: np.ndarray, samples: int, dtype: Any) -> np.ndarray:
    """Classes for each row of logits; what is not finite has no weight."""
    wide = logits.astype(np.float64)
    finite = np.isfinite(wide)
    greatest = np.where(finite, wide, -np.inf).max(1, keepdims=True)
    sums = np.cumsum(np.where(finite, np.exp(wide - greatest), 0.0), 1)
    u = stream.doubles(len(logits) * samples).reshape(len(logits), samples)
    return first_above(sums, u * sums[:, -1:]).astype(dtype)


def first_above(rows: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """[rows, wanted]: where each row, which ascends, is first above each of its wanted numbers; its end if nowhere."""
    low, high = np.zeros(wanted.shape, np.int64), np.full(wanted.shape, rows.shape[1])
    row = np.arange(len(rows))[:, None]
    for _ in range(rows.shape[1].bit_length()):
        middle = (low + high) // 2
        above = (low == high) | (rows[row, np.minimum(middle, rows.shape[1] - 1)] > wanted)
        low, high = np.where(above, low, middle + 1), np.where(above, middle, high)
    return low
