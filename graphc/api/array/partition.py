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
    """num_partitions tensors: number i holds the rows of data where partitions is i, as `tf.dynamic_partition`."""
    with get_default_graph().name_scope(name or "DynamicPartition") as scope:
        places = _int32(partitions, "partitions")
        return list(apply(DynamicPartition, data, places, name=scope, num_partitions=int(num_partitions)))


@public("dynamic_stitch")
def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """merged[indices[m][i, ...]] = data[m][i, ...], of several for one row the last one, as `tf.dynamic_stitch`.

    Rows that no index names are 0.
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
    """(out, idx): the elements of x that are not in y, and where they stand, as `tf.setdiff1d`."""
    wanted = as_dtype(index_dtype if out_idx is None else out_idx)
    return ListDiffResult(*apply(ListDiff, x, y, name=name, out_idx=wanted))
