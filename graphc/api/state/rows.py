"""Rows of a sparse gradient that come several times: their sums. (graphc's own)"""
from __future__ import annotations

from typing import Any

from graphc.api.array.fill import range_
from graphc.api.array.gather import gather, where
from graphc.api.array.shapes import reshape, size
from graphc.api.math.comparison import equal
from graphc.ir.apply import apply
from graphc.ir.dtypes import int64
from graphc.ir.tensor import Tensor
from graphc.ops.training.rows import _FirstEqual, _SumEqual


def summed(values: Any, indices: Any) -> Tensor:
    """values, where rows of one index are replaced by their sum, in each place."""
    result: Tensor = apply(_SumEqual, values, indices, name="SumEqual")
    return result


def deduplicated(values: Any, indices: Any) -> tuple[Tensor, Tensor]:
    """(sums, indices): each index once, in the order of first appearance, with the sum of its rows."""
    first = apply(_FirstEqual, indices, name="FirstEqual")
    places = reshape(where(equal(first, range_(size(first, out_type=int64)))), [-1])
    return gather(summed(values, indices), places), gather(indices, places)
