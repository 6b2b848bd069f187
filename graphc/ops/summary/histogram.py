"""HistogramSummary: how often values lie in buckets whose limits grow by a tenth each."""
from __future__ import annotations

import math
import struct
import sys
from functools import cache
from typing import ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.io.wire import bytes_field, double_field
from graphc.ir.op import Sample, register
from graphc.ir.spec import Spec
from graphc.ops.strings.base import text
from graphc.ops.summary.base import SummaryOp, check_numbers, of_bytes, only_tag, value_bytes

HISTO = 5                                                          # Summary.Value
MIN, MAX, NUM, SUM, SUM_SQUARES, LIMITS, BUCKETS = range(1, 8)     # HistogramProto
SMALLEST, LARGEST, GROWTH = 1.0e-12, 1.0e20, 1.1
CHUNK = 1 << 14            # values at a time: they stay in the cache


@register
class HistogramSummary(SummaryOp):
    """The histogram of all values."""

    operands = ("tag", "values")
    types: ClassVar = {"T": "values"}
    samples: ClassVar = [Sample({}, xs, gradient=False) for xs in (
        (text("h"), np.array([[0.5, -3.0], [0.0, 6e4]], np.float32)), (text(""), np.array(7, np.int64)),
        (text("none"), np.zeros((0, 2))))]

    def check(self, *inputs: Spec) -> None:
        check_numbers(self, *inputs)

    def compute(self, *inputs: np.ndarray) -> np.ndarray:
        tag, values = only_tag("tags", inputs[0]), inputs[1].astype(np.float64).ravel()
        if not np.isfinite(values).all():
            found = "Nan" if np.isnan(values[~np.isfinite(values)][0]) else "Infinity"
            raise InvalidArgumentError(f"{found} in summary histogram for: {tag.decode(errors='replace')}")
        return of_bytes(value_bytes(tag, bytes_field(HISTO, histogram_bytes(values))))


def histogram_bytes(values: np.ndarray) -> bytes:
    """A HistogramProto. Sums are added one by one, from the first to the last."""
    limits = bucket_limits()
    counts = np.zeros(len(limits), np.int64)
    for start in range(0, values.size, CHUNK):
        counts += np.bincount(buckets_of(values[start:start + CHUNK]), minlength=len(limits))
    last = _last_of_runs(counts == 0)
    empty = not values.size
    return b"".join((
        double_field(MIN, sys.float_info.max if empty else values[values.argmin()]),
        double_field(MAX, -sys.float_info.max if empty else values[values.argmax()]), double_field(NUM, values.size),
        double_field(SUM, _sum(values)), double_field(SUM_SQUARES, _sum(values * values)),
        bytes_field(LIMITS, _doubles(limits[last])), bytes_field(BUCKETS, _doubles(counts[last]))))


def buckets_of(values: np.ndarray) -> np.ndarray:
    """The number of each value's bucket: how many limits are not above it, but for the last one's.

    A logarithm in float32 is at most one off, which takes a fifth of the time of a search for each value.
    """
    limits = bucket_limits()
    last, size = len(limits) // 2, np.abs(values)
    powers = np.log(np.clip(size, SMALLEST / GROWTH, LARGEST * GROWTH).astype(np.float32) / np.float32(SMALLEST))
    steps = (powers * np.float32(1 / math.log(GROWTH)) + 1).astype(np.int64)
    found = np.clip(np.where(values < 0, last - steps, last + 1 + steps), 1, len(limits) - 1)
    found -= limits[found - 1] > values
    found += limits[found] <= values
    return np.minimum(found, len(limits) - 1)


def _last_of_runs(empty: np.ndarray) -> np.ndarray:
    """Which buckets are written: those that hold something, and the last one of each run of empty ones."""
    return ~empty | ~np.append(empty[1:], False)


def _sum(values: np.ndarray) -> float:
    return 0.0 + float(np.add.accumulate(values)[-1]) if values.size else 0.0


def _doubles(values: np.ndarray) -> bytes:
    return struct.pack(f"<{values.size}d", *values.tolist())


@cache
def bucket_limits() -> np.ndarray:
    """Above each bucket, in ascending order."""
    above, limit = [], SMALLEST
    while limit < LARGEST:
        above.append(limit)
        limit *= GROWTH
    above.append(sys.float_info.max)
    return np.array([*(-v for v in reversed(above)), 0.0, *above])
