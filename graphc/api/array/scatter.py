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
    """Zeros of `shape`, to which updates are added at the index tuples in the last axis of indices.

    indices: int32 or int64 [..., n], n at most the rank; updates: [...] and the axes of shape after n. Updates of one
    place are summed; an index outside ends the run with InvalidArgumentError. Raises ValueError for shapes that do not
    fit. As `tf.scatter_nd`.

    >>> gc.scatter_nd([[4], [1], [4]], [9., 10., 1.], [6]).eval()
    array([ 0., 10.,  0.,  0., 10.,  0.], dtype=float32)
    """
    result: Tensor = apply(ScatterNd, indices, updates, shape, name=name)
    return result


@public("tensor_scatter_nd_update", "tensor_scatter_update")
def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """tensor with the slices at the index tuples in the last axis of indices replaced by updates.

    indices, updates as of `gc.scatter_nd`; of several updates of one place the last one counts. tensor, of any dtype,
    which updates have too, stays what it is. Raises TypeError for indices that are no integers, ValueError for shapes
    that do not fit; an index outside ends the run with InvalidArgumentError. As `tf.tensor_scatter_nd_update`.

    >>> gc.tensor_scatter_nd_update([1., 2., 3., 4.], [[1], [3]], [10., 20.]).eval()
    array([ 1., 10.,  3., 20.], dtype=float32)
    """
    result: Tensor = apply(TensorScatterUpdate, tensor, indices, updates, name=name)
    return result


@public("tensor_scatter_nd_add", "tensor_scatter_add")
def tensor_scatter_nd_add(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """tensor, to which updates are added at the index tuples; arguments as of `gc.scatter_nd`. As
    `tf.tensor_scatter_nd_add`.

    tensor and updates: numbers of one dtype. Raises TypeError for strings and bools, ValueError for shapes that do not
    fit; an index outside ends the run with InvalidArgumentError.

    >>> gc.tensor_scatter_nd_add([1., 2., 3., 4.], [[1], [1]], [10., 20.]).eval()
    array([ 1., 32.,  3.,  4.], dtype=float32)
    """
    result: Tensor = apply(TensorScatterAdd, tensor, indices, updates, name=name)
    return result


@public("tensor_scatter_nd_sub", "tensor_scatter_sub")
def tensor_scatter_nd_sub(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """tensor, from which updates are subtracted at the index tuples; arguments as of `gc.scatter_nd`. As
    `tf.tensor_scatter_nd_sub`.

    tensor and updates: numbers of one dtype. Raises TypeError for strings and bools, ValueError for shapes that do not
    fit; an index outside ends the run with InvalidArgumentError.

    >>> gc.tensor_scatter_nd_sub([1., 2., 3., 4.], [[1], [1]], [10., 20.]).eval()
    array([  1., -28.,   3.,   4.], dtype=float32)
    """
    result: Tensor = apply(TensorScatterSub, tensor, indices, updates, name=name)
    return result


