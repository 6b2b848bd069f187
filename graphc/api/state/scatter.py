"""Rows of variables by index: scatter_update, scatter_add and their kin, and rows that come several times."""
from __future__ import annotations

from typing import Any

from graphc.api.array.fill import range_
from graphc.api.array.gather import gather, where
from graphc.api.array.shapes import reshape, size
from graphc.api.gradients.slices import IndexedSlices
from graphc.api.math.comparison import equal
from graphc.api.public import public
from graphc.api.state.state import ref_of
from graphc.ir.apply import apply
from graphc.ir.dtypes import int64
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.ops.training.rows import _FirstEqual, _SumEqual


def summed(values: Any, indices: Any) -> Tensor:
    """values, where rows of one index are replaced by their sum, in each place. (graphc's own)"""
    result: Tensor = apply(_SumEqual, values, indices, name="SumEqual")
    return result


def deduplicated(values: Any, indices: Any) -> tuple[Tensor, Tensor]:
    """(sums, indices): each index once, in the order of first appearance, with the sum of its rows."""
    first = apply(_FirstEqual, indices, name="FirstEqual")
    places = reshape(where(equal(first, range_(size(first, out_type=int64)))), [-1])
    return gather(summed(values, indices), places), gather(indices, places)


@public("scatter_update")
def scatter_update(ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None) -> Tensor:
    """ref[indices] = updates, as `tf.scatter_update`; of equal indices the last one stays. The result is the variable's
    new value."""
    return _scatter("ScatterUpdate", ref, indices, updates, use_locking, name)


@public("scatter_add")
def scatter_add(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] += updates, as `tf.scatter_add`. The result is the variable's new value."""
    return _scatter("ScatterAdd", ref, indices, updates, use_locking, name)


@public("scatter_sub")
def scatter_sub(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] -= updates, as `tf.scatter_sub`. The result is the variable's new value."""
    return _scatter("ScatterSub", ref, indices, updates, use_locking, name)


@public("scatter_mul")
def scatter_mul(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] *= updates, as `tf.scatter_mul`. The result is the variable's new value."""
    return _scatter("ScatterMul", ref, indices, updates, use_locking, name)


@public("scatter_div")
def scatter_div(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] /= updates, as `tf.scatter_div`. The result is the variable's new value."""
    return _scatter("ScatterDiv", ref, indices, updates, use_locking, name)


@public("scatter_min")
def scatter_min(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] = min(ref[indices], updates), as `tf.scatter_min`. The result is the variable's new value."""
    return _scatter("ScatterMin", ref, indices, updates, use_locking, name)


@public("scatter_max")
def scatter_max(ref: Any, indices: Any, updates: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
    """ref[indices] = max(ref[indices], updates), as `tf.scatter_max`. The result is the variable's new value."""
    return _scatter("ScatterMax", ref, indices, updates, use_locking, name)


def _scatter(op_type: str, ref: Any, indices: Any, updates: Any, use_locking: Any, name: str | None) -> Tensor:
    result: Tensor = apply(OPS[op_type], ref_of(ref, op_type), indices, updates, name=name,
                           use_locking=bool(use_locking))
    return result


def scatter_slices(op_type: str, ref: Any, slices: Any, use_locking: bool, name: str | None) -> Tensor:
    """What Variable.scatter_add(slices) and its kin do."""
    if not isinstance(slices, IndexedSlices):
        raise TypeError(f"sparse_delta is not IndexedSlices: {slices!r}")
    return _scatter(op_type, ref, slices.indices, slices.values, use_locking, name)
