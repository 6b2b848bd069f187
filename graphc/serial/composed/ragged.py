"""RaggedTensorToTensor: rows of different lengths, side by side in a tensor, as rows of one length (Keras'
TextVectorization ends so)."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import UnimplementedError
from graphc.ir.dtypes import int32
from graphc.ir.tensor import Tensor
from graphc.serial.composed.kind import Composed, g
from graphc.serial.graph_pb2 import NodeDef


def _filled(node: NodeDef, inputs: Sequence[Tensor]) -> list[Any]:
    """Values go to their rows in a tensor with a column more than is asked for, which takes what is too long."""
    shape, values, default, *partition = inputs
    kinds = [s.decode(errors="replace") for s in node.attr["row_partition_types"].list.s]
    if kinds not in (["ROW_SPLITS"], ["FIRST_DIM_SIZE", "VALUE_ROWIDS"]) or len(partition) != len(kinds):
        raise UnimplementedError(f"its row_partition_types are {kinds}; one ragged axis is supported")
    if default.spec.rank != 0 or values.spec.rank is None:
        raise UnimplementedError("its default_value must be a scalar, and the rank of its values known")
    index = partition[0].dtype
    places = g.range(0, g.shape(values, out_type=index)[0])
    if len(kinds) == 1:
        splits = partition[0]
        count = g.shape(splits, out_type=index)[0] - 1
        rows = g.upper_bound(g.expand_dims(splits, 0), g.expand_dims(places, 0), out_type=index)[0] - 1
        starts, lengths = g.gather_v2(splits, rows, 0), splits[1:] - splits[:-1]
    else:
        count, rows = partition
        lengths = g.unsorted_segment_sum(g.ones_like(rows), rows, g.cast(count, int32))
        starts = g.gather_v2(g.cumsum(lengths, 0, exclusive=True), rows, 0)
    asked = g.cast(g.concat_v2([g.reshape(shape, [-1]), [-1, -1]], 0)[:2], index)       # a shape of -1: all of it
    height = g.select_v2(g.less(asked[0], 0), count, asked[0])
    longest = g.maximum(g.max(g.concat_v2([lengths, g.zeros_like(lengths[:1])], 0), [0]), 0)
    width = g.select_v2(g.less(asked[1], 0), longest, asked[1])
    inside = g.less(rows, height)
    at = g.pack([g.select_v2(inside, rows, g.zeros_like(rows)),
                 g.select_v2(inside, g.minimum(places - starts, width), width + g.zeros_like(rows))], axis=1)
    sizes = g.concat_v2([g.pack([height, width + 1]), g.shape(values, out_type=index)[1:]], 0)
    return [g.tensor_scatter_update(g.fill(sizes, default), at, values)[:, :-1]]


RAGGED = {"RaggedTensorToTensor": Composed(4, ("result",), _filled)}
