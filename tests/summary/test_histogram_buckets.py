"""Buckets of a histogram: found by a logarithm, the same as by a search of the limits."""
from __future__ import annotations

import math

import numpy as np
import pytest

import graphc as gc
from graphc.ops.summary.histogram import CHUNK, bucket_limits, buckets_of, histogram_bytes

LIMITS = bucket_limits()
RANDOM = np.random.default_rng(1)
VALUES = {
    "limits": LIMITS,
    "just above limits": np.nextafter(LIMITS[:-1], math.inf),
    "just below limits": np.nextafter(LIMITS[1:], -math.inf),
    "of all sizes": RANDOM.standard_normal(100_000) * 10.0 ** RANDOM.integers(-20, 25, 100_000),
    "the greatest and the smallest": np.array([0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308]),
    "none": np.zeros(0),
}


@pytest.mark.parametrize("name", VALUES)
def test_bucket_of_each_value(name: str) -> None:
    values = VALUES[name]
    wanted = np.minimum(np.searchsorted(LIMITS, values, "right"), len(LIMITS) - 1)
    np.testing.assert_array_equal(buckets_of(values), wanted)


def test_counts_of_more_values_than_are_looked_at_at_once() -> None:
    values = RANDOM.standard_normal(2 * CHUNK + 5)
    found = gc.HistogramProto.FromString(histogram_bytes(values))
    wanted = np.bincount(np.searchsorted(LIMITS, values, "right"), minlength=len(LIMITS))
    assert sum(found.bucket) == found.num == values.size
    kept = [count for count in found.bucket if count]
    assert kept == wanted[wanted > 0].tolist()
