"""Elements picked by index: gather, gather_nd, one_hot, where, boolean_mask."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.fill import range_, zeros_like
from graphc.api.array.join import concat
from graphc.api.array.select import select
from graphc.api.array.shapes import reshape, shape, size, squeeze
from graphc.api.math.binary import add
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import DType, as_dtype, float32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.array.gather import (
    GatherV2,
    OneHot,
    Where,
    _ScatterSum,
)
from graphc.ops.array.gather_nd import GatherNd


@public("gather")
def gather(params: Any, indices: Any, validate_indices: Any = None, name: str | None = None, axis: Any = None,
           batch_dims: int = 0) -> Tensor:
    """The slices of params along `axis` (batch_dims) that indices names, as `tf.gather`. indices: int32 or int64.

    The first batch_dims axes of params and indices belong together. An index out of range is an InvalidArgumentError
    when run, on every device, whatever validate_indices says.
    """
    where = batch_dims if axis is None else axis
    result: Tensor = apply(GatherV2, params, indices, where, name=name, batch_dims=int(batch_dims))
    return result


@public("batch_gather")
def batch_gather(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """result[b..., i] = params[b..., indices[b..., i]], where b runs over all axes of indices but the last, as
    `tf.batch_gather`."""
    with get_default_graph().name_scope(name or "BatchGather"):
        params, indices = convert_to_tensor(params, name="params"), convert_to_tensor(indices, name="indices")
        rank = indices.spec.rank
        if rank is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        if rank == 0:
            raise ValueError("batch_gather: indices must have at least one axis")
        return gather(params, indices, axis=rank - 1, batch_dims=rank - 1)


def scatter_sum(updates: Any, indices: Any, shape: Any, axis: int = 0, name: str | None = None) -> Tensor:
    """Zeros of `shape`, to which the slices of updates are added along `axis` at indices. (graphc's own)"""
    result: Tensor = apply(_ScatterSum, updates, indices, shape, name=name or "ScatterSum", axis=axis)
    return result


@public("gather_nd", "manip.gather_nd")
def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: int = 0) -> Tensor:
    """The slices of params at the index tuples in the last axis of indices, as `tf.gather_nd`. The first batch_dims
    axes of both belong together."""
    if not isinstance(batch_dims, (int, np.integer)):
        raise TypeError(f"gather_nd: batch_dims must be an int; got {batch_dims!r}")
    if batch_dims < 0:
        raise ValueError("gather_nd does not allow negative batch_dims.")
    if not batch_dims:
        result: Tensor = apply(GatherNd, params, indices, name=name)
        return result
    with get_default_graph().name_scope(name or "BatchGatherND") as scope:
        params, indices = convert_to_tensor(params, name="params"), convert_to_tensor(indices, name="indices")
        rank = indices.spec.rank
        if rank is None:
            raise ValueError("gather_nd: with batch_dims, the rank of indices must be known; say it by set_shape")
        for label, given in (("indices", rank), ("params", params.spec.rank)):
            if given is not None and batch_dims >= given:
                raise ValueError(f"gather_nd: batch_dims = {batch_dims} must be less than rank({label}) = {given}")
        sizes, columns = shape(params), []
        for axis in range(batch_dims):
            own = reshape(range_(0, sizes[axis]), [-1 if i == axis else 1 for i in range(rank)])
            # By an addition, which ends the run if the sizes of the batch axes differ.
            columns.append(add(cast(own, indices.dtype), zeros_like(indices[..., :1])))
        result = apply(GatherNd, params, concat([*columns, indices], -1), name=scope)
        return result


@public("one_hot")
def one_hot(indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: int | None = None,
            dtype: Any = None, name: str | None = None) -> Tensor:
    """on_value (1) at each index along a new axis of size `depth`, off_value (0) elsewhere, as `tf.one_hot`."""
    with get_default_graph().name_scope(name or "one_hot") as scope:
        indices = convert_to_tensor(indices, name="indices")
        wanted: DType | None = None if dtype is None else as_dtype(dtype)
        values = [None if v is None else convert_to_tensor(v, wanted, label)
                  for v, label in ((on_value, "on_value"), (off_value, "off_value"))]
        given = next((v.dtype for v in values if v is not None), wanted or float32)
        on, off = (convert_to_tensor(default, given, label) if v is None else v
                   for v, default, label in ((values[0], 1, "on_value"), (values[1], 0, "off_value")))
        result: Tensor = apply(OneHot, indices, depth, on, off, name=scope, axis=-1 if axis is None else int(axis))
        return result


@public("where")
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """The indices of the true elements (int64, one row each); or, given x and y, x where condition, else y; as
    `tf.where`.

    x and y must have one shape, condition the same or, to choose rows, rank 1. Raises ValueError if only one is given.
    """
    if x is None and y is None:
        result: Tensor = apply(Where, condition, name=name)
        return result
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return select(condition, x, y, name=name)


@public("boolean_mask")
def boolean_mask(tensor: Any, mask: Any, name: str = "boolean_mask", axis: int | None = None) -> Tensor:
    """The elements of tensor where mask is true, as `tf.boolean_mask`. The mask's axes, from `axis` (0) on, become
    one."""
    with get_default_graph().name_scope(name):
        tensor, mask = convert_to_tensor(tensor, name="tensor"), convert_to_tensor(mask, name="mask")
        ndims = mask.spec.rank
        if ndims == 0:
            raise ValueError("mask cannot be scalar.")
        if ndims is None:
            raise ValueError("Number of mask dimensions must be specified, even if some dimensions are None.")
        first = 0 if axis is None else int(axis)
        tensor.shape[first:first + ndims].assert_is_compatible_with(mask.shape)
        sizes = shape(tensor)
        # The product itself, not -1: the other axes may be empty.
        flat = reshape(tensor, concat([sizes[:first], [size(mask)], sizes[first + ndims:]], 0))
        indices = squeeze(where(reshape(mask, [-1])), axis=[1])
        return gather(flat, indices, axis=first)
