"""Reductions along axes: sum, mean, product, largest, smallest, all, any; and the index of the largest and smallest.

axis None means every axis. The results of an empty reduction are the combination's neutral element, as in TF (for Max
and Min the infinity, or the dtype's bound for integers; NaN for Mean).
"""
from __future__ import annotations

import typing

from graphc.api.array.fill import range_
from graphc.api.array.shapes import rank

if typing.TYPE_CHECKING:
    from graphc.ir.tensor import Tensor


def all_axes(x: Tensor, axis: typing.Any) -> typing.Any:
    """axis, or every axis of x for None."""
    if axis is not None:
        return axis
    return list(range(len(x.spec.shape))) if x.spec.shape is not None else range_(0, rank(x))
