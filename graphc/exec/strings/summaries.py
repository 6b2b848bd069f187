"""HistogramSummary by a kernel (kernels/strings/histogram.py)."""
from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from graphc.exec.strings.calls import KINDS, Call, Native, Words, count_of
from graphc.exec.strings.table import address_of
from graphc.ops.summary.histogram import LARGEST, SMALLEST, bucket_limits

_KEY_BITS = 49             # as in the kernel


def histogram_summary(op: Any) -> Native:
    def run(call: Call) -> bool:
        (tags, tag), dtype = call.place(0), call.dtype(1)
        if dtype is None or tags not in ((), (1,)):
            return False
        (shape, source), target = call.place(1, dtype), call.reserve(0, ())
        return not call.making("histogram", source, count_of(shape), KINDS[dtype], Words.from_address(tag),
                               _limits()[0].address, target)

    return run


@cache
def _limits() -> tuple[Words, Any]:
    """LIMITS (kernels/strings/tables.py), and what it refers to."""
    above = np.ascontiguousarray(bucket_limits()[len(bucket_limits()) // 2 + 1:])
    first, last = (int(np.float64(limit).view(np.int64)) >> _KEY_BITS for limit in (SMALLEST, LARGEST))
    least = (np.arange(first, last + 2, dtype=np.int64) << _KEY_BITS).view(np.float64)
    keys = np.searchsorted(above, least).astype(np.int64)
    return Words(address_of(above), len(above), address_of(keys), first, len(keys) - 1), (above, keys)
