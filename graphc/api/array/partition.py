"""Rows sorted into parts and put together again; differences of lists."""
from __future__ import annotations

from collections import namedtuple
from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import as_dtype, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.array.partition import DynamicPartition, DynamicStitch, ListDiff

ListDiffResult = namedtuple("ListDiff", ("out", "idx"))


@public("dynamic_partition")
def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Tensor]:
    """num_partitions tensors, of which number i holds the rows of data where partitions is i, in their order.

    data: of any dtype, [*partitions, ...]. partitions: int32; a number outside ends the run with InvalidArgumentError.
    How many rows each has is known when run only. `gc.dynamic_stitch` is the way back. Raises ValueError if data does
    not begin with the shape of partitions, or for num_partitions below 1. As `tf.dynamic_partition`.

    >>> small, large = gc.dynamic_partition([5., 20., 7., 30.], [0, 1, 0, 1], num_partitions=2)
    >>> small.eval()
    array([5., 7.], dtype=float32)
    >>> large.eval()
    array([20., 30.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "DynamicPartition") as scope:
        places = _int32(partitions, "partitions")
        return list(apply(DynamicPartition, data, places, name=scope, num_partitions=int(num_partitions)))


@public("dynamic_stitch")
def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """merged[indices[m][i, ...]] = data[m][i, ...]; of several for one row the last one counts.

    indices: a list of int32 tensors; data: as many tensors of one dtype, [*indices[m], ...]. The result has as many
    rows as the largest index says; those that no index names are 0. Raises TypeError for other dtypes, ValueError for
    shapes that do not fit and for empty lists; a negative index ends the run with InvalidArgumentError. As
    `tf.dynamic_stitch`.

    >>> gc.dynamic_stitch([[0, 2], [1, 3]], [[5., 7.], [20., 30.]]).eval()
    array([ 5., 20.,  7., 30.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "DynamicStitch") as scope:
        places = [convert_to_tensor(_int32(v, f"indices_{i}")) for i, v in enumerate(indices)]
        result: Tensor = apply(DynamicStitch, places, list(data), name=scope)
    if result.shape.ndims is not None and all(place.op.type == "Const" for place in places):
        largest = max((int(p.op.definition.value.max(initial=-1)) for p in places), default=-1)  # type: ignore
        result.set_shape([largest + 1, *result.shape.as_list()[1:]])
    return result


def _int32(value: Any, name: str) -> Any:
    """Numbers become int32; a tensor stays what it is."""
    return value if is_tensor_like(value) else convert_to_tensor(value, int32, name)


@public("setdiff1d")
def setdiff1d(x: Any, y: Any, index_dtype: Any = int32, name: str | None = None, out_idx: Any = None) -> Any:
    """(out, idx): the elements of the vector x that are not in y, in their order, and where in x they stand.

    x, y: vectors of one dtype: real numbers, bools or strings. index_dtype (out_idx): that of idx, int32 or int64.
    Raises TypeError for other dtypes or if they differ, ValueError for other ranks. As `tf.setdiff1d`.

    >>> out, idx = gc.setdiff1d([1, 2, 3, 4, 5], [2, 4])
    >>> out.eval()
    array([1, 3, 5], dtype=int32)
    >>> idx.eval()
    array([0, 2, 4], dtype=int32)
    """
    wanted = as_dtype(index_dtype if out_idx is None else out_idx)
    return ListDiffResult(*apply(ListDiff, x, y, name=name, out_idx=wanted))
