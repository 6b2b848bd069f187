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
    """The slices of params along `axis` that indices names: gather(table, ids) are rows of a table.

    Args:
        params: of any dtype.
        indices: int32 or int64 of any shape; their axes stand in place of `axis` in the result.
        validate_indices: changes nothing: an index out of range is always an error, ValueError of a known one, else
            InvalidArgumentError when run.
        axis: by default batch_dims, so 0.
        batch_dims: so many first axes of params and indices belong together.

    The gradient by params is IndexedSlices, if axis is 0: no gradient of the whole table is made. Raises TypeError for
    indices of another dtype, ValueError for an axis that params do not have. As `tf.gather`.

    >>> table = gc.constant([[1., 2.], [3., 4.], [5., 6.]])
    >>> gc.gather(table, [2, 0]).eval()
    array([[5., 6.],
           [1., 2.]], dtype=float32)
    >>> gc.gather(table, [1], axis=1).eval()
    array([[2.],
           [4.],
           [6.]], dtype=float32)
    >>> gc.gather(table, [1, 0, 1], batch_dims=1).eval()             # from each row one
    array([2., 3., 6.], dtype=float32)
    """
    where = batch_dims if axis is None else axis
    result: Tensor = apply(GatherV2, params, indices, where, name=name, batch_dims=int(batch_dims))
    return result


@public("batch_gather")
def batch_gather(params: Any, indices: Any, name: str | None = None) -> Tensor:
    """result[b..., i] = params[b..., indices[b..., i]], where b runs over all axes of indices but the last.

    params: of any dtype; indices: int32 or int64 of known rank, at least 1, whose front axes are those of params.
    Raises TypeError for indices of another dtype, ValueError for scalars and for front axes that are known to differ;
    an index out of range ends the run with InvalidArgumentError. As `tf.batch_gather`; `gc.gather` with batch_dims is
    the newer way.

    >>> gc.batch_gather([[1., 2., 3.], [4., 5., 6.]], [[2], [0]]).eval()
    array([[3.],
           [4.]], dtype=float32)
    """
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
    """The slices of params at the index tuples in the last axis of indices: a tuple of all axes names an element.

    params: of any dtype. indices: int32 or int64 [..., n], n at most the rank of params; the result has the shape of
    indices without its last axis, then the axes of params after n. batch_dims: so many first axes of both belong
    together. An index out of range ends the run with InvalidArgumentError. Raises TypeError for indices of another
    dtype, ValueError for longer tuples. As `tf.gather_nd`.

    >>> x = gc.constant([[1., 2.], [3., 4.], [5., 6.]])
    >>> gc.gather_nd(x, [[2, 1], [0, 0]]).eval()
    array([6., 1.], dtype=float32)
    >>> gc.gather_nd(x, [[2], [0]]).eval()
    array([[5., 6.],
           [1., 2.]], dtype=float32)
    """
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
    """on_value at each index along a new axis of size `depth`, off_value elsewhere.

    Args:
        indices: integers of any shape; those below 0, or from depth on, have off_value everywhere.
        depth: an int or an int32 scalar.
        on_value, off_value: scalars, 1 and 0 by default, whose dtype the result has.
        axis: where the new axis stands, by default last.
        dtype: by default that of the values given, or float32.

    Raises TypeError for indices of another dtype and for values of two dtypes, ValueError for a negative depth or an
    axis out of range. As `tf.one_hot`. It has no gradient by indices.

    >>> gc.one_hot([2, 0, -1], 3).eval()
    array([[0., 0., 1.],
           [1., 0., 0.],
           [0., 0., 0.]], dtype=float32)
    >>> gc.one_hot([1, 0], 2, on_value=True, off_value=False).eval()
    array([[False,  True],
           [ True, False]])
    """
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
    """The indices of the true elements; or, given x and y, x where condition, else y.

    Without x and y: int64 [n, rank], row by row; n is known when run only. condition: bool, or numbers, of which all
    but 0 are true. With them: x and y of one shape and dtype, condition bool of that shape or, to choose whole rows, a
    vector; nothing broadcasts, see `gc.where_v2`. Both are computed, and so is the gradient of the one that is not
    chosen: where that is infinite (log at 0), NaN comes through; make its operand harmless. Raises ValueError if only
    one of x and y is given or if shapes do not fit, TypeError for a condition of strings and if x and y differ in
    dtype. As `tf.where`.

    >>> gc.where([[True, False], [False, True]]).eval()
    array([[0, 0],
           [1, 1]])
    >>> x = gc.constant([4., -1., 9.])
    >>> gc.where(x > 0., gc.sqrt(gc.abs(x)), gc.zeros_like(x)).eval()
    array([2., 0., 3.], dtype=float32)
    """
    if x is None and y is None:
        result: Tensor = apply(Where, condition, name=name)
        return result
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return select(condition, x, y, name=name)


@public("boolean_mask")
def boolean_mask(tensor: Any, mask: Any, name: str = "boolean_mask", axis: int | None = None) -> Tensor:
    """The elements of tensor where mask is true, one after the other.

    tensor: of any dtype. mask: bool of known rank, at least 1, for the axes from `axis` (0) on, which become one.
    Raises ValueError for shapes that are known not to fit. As `tf.boolean_mask`; tensor[mask] is the same.

    >>> x = gc.constant([[1., 2.], [3., 4.], [5., 6.]])
    >>> gc.boolean_mask(x, [True, False, True]).eval()
    array([[1., 2.],
           [5., 6.]], dtype=float32)
    >>> gc.boolean_mask(x, x > 2.5).eval()
    array([3., 4., 5., 6.], dtype=float32)
    """
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
