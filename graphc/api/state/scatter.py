"""Rows of variables by index: scatter_update, scatter_add and their kin."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.api.state.state import ref_of
from graphc.ir.apply import apply
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor


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
