"""Slices written at index tuples: scatter_nd and tensor_scatter_*."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ops.array.scatter import (
    ScatterNd,
    TensorScatterAdd,
    TensorScatterSub,
    TensorScatterUpdate,
)


@public("scatter_nd", "manip.scatter_nd")
def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """Zeros of `shape`, to which updates are added at the index tuples in indices' last axis, as `tf.scatter_nd`."""
    result: Tensor = apply(ScatterNd, indices, updates, shape, name=name)
    return result


@public("tensor_scatter_nd_update", "tensor_scatter_update")
def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """tensor with the slices at the index tuples replaced by updates, as `tf.tensor_scatter_nd_update`."""
    result: Tensor = apply(TensorScatterUpdate, tensor, indices, updates, name=name)
    return result


@public("tensor_scatter_nd_add", "tensor_scatter_add")
def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """tensor, to which updates are added at the index tuples, as `tf.tensor_scatter_nd_add`."""
    result: Tensor = apply(TensorScatterAdd, tensor, indices, updates, name=name)
    return result


@public("tensor_scatter_nd_sub", "tensor_scatter_sub")
def tensor_scatter_nd_sub(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """tensor, from which updates are subtracted at the index tuples, as `tf.tensor_scatter_nd_sub`."""
    result: Tensor = apply(TensorScatterSub, tensor, indices, updates, name=name)
    return result


