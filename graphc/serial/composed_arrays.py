"""Nodes of files that count, parse and arrange, made of other ops: DenseBincount, ParseExampleV2, ragged rows
filled up, batch normalisation of volumes."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like
from graphc.api.array.fill import range_ as range_of
from graphc.api.array.gather import gather
from graphc.api.array.join import concat, stack, unstack
from graphc.api.array.shapes import expand_dims, reshape, shape, size
from graphc.api.array.source import constant
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype, int32, int64
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.serial.graph_pb2 import NodeDef
from graphc.serial.tensors import shape_from_proto


def is_of_volumes(node: NodeDef) -> bool:
    """Whether a batch normalisation has three spatial axes."""
    return node.attr["data_format"].s in (b"NDHWC", b"NCDHW")


def norm_of_volumes(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Batch normalisation of volumes: depth and height are one axis."""
    x, *rest = inputs
    first = node.attr["data_format"].s == b"NCDHW"
    sizes: Any = shape(x)
    at = 2 if first else 1
    flat = reshape(x, concat([sizes[:at], [sizes[at] * sizes[at + 1]], sizes[at + 2:]], 0))
    given = {name: node.attr[name] for name in ("epsilon", "is_training") if name in node.attr}
    attributes: dict[str, Any] = {k: v.b if k == "is_training" else v.f for k, v in given.items()}
    y, *others = apply(OPS[node.op], flat, *rest, data_format="NCHW" if first else "NHWC", **attributes)
    return [reshape(y, sizes), *others]


def dense_bincount(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """How often each number occurs in a vector, or in each row of a matrix; binary_output: whether it does."""
    x, count, weights = inputs
    binary = node.attr["binary_output"].b
    if x.spec.rank not in (1, 2):
        raise UnimplementedError(f"input has the shape {x.shape}; vectors and matrices are supported")
    wide, bins = cast(x, int32), cast(count, int32)
    rows = shape(x)[0] if x.spec.rank == 2 else constant(1)
    whole = rows * bins
    if x.spec.rank == 2:                 # each row has bins of its own; what is too large is in none, as it should be
        own = wide + expand_dims(range_of(rows), 1) * bins
        wide = apply(OPS["SelectV2"], apply(OPS["Less"], wide, 0), wide,
                     apply(OPS["SelectV2"], apply(OPS["Less"], wide, bins), own, whole))
    dtype = weights.dtype
    if weights.dtype == int32 or weights.dtype == int64 or weights.dtype.is_floating:
        weights = reshape(weights, [-1])
    found = apply(OPS["Bincount"], reshape(wide, [-1]), whole, weights)
    if binary:
        found = cast(apply(OPS["Greater"], found, cast(0, dtype)), dtype)
    return [reshape(found, stack([rows, bins])) if x.spec.rank == 2 else found]


def parse_example(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """ParseExampleV2 without ragged features: version 1 has a scalar for each key."""
    serialized, names, sparse_keys, dense_keys, ragged_keys, *defaults = inputs
    if serialized.spec.rank != 1 or ragged_keys.shape.num_elements():
        raise UnimplementedError("it parses " + ("ragged features; dense and sparse ones are supported"
                                                 if serialized.spec.rank == 1 else
                                                 f"strings of shape {serialized.shape}; vectors are supported"))
    keys = [*unstack(sparse_keys), *unstack(dense_keys)]
    shapes = tuple(shape_from_proto(s) for s in node.attr["dense_shapes"].list.shape)
    return list(apply(OPS["ParseExample"], serialized, names, [*keys, *defaults],
                      Nsparse=int(node.attr["num_sparse"].i), Ndense=len(shapes), dense_shapes=shapes,
                      sparse_types=tuple(as_dtype(int(t)) for t in node.attr["sparse_types"].list.type),
                      Tdense=tuple(as_dtype(int(t)) for t in node.attr["Tdense"].list.type)))


def filled_rows(node: NodeDef, inputs: Sequence[Tensor]) -> list[Tensor]:
    """RaggedTensorToTensor of one ragged axis: rows filled up with default_value, or cut, to what `shape` says."""
    wanted, values, default, *partitions = inputs
    kinds = tuple(s.decode() for s in node.attr["row_partition_types"].list.s)
    if kinds == ("ROW_SPLITS",):
        splits = cast(partitions[0], int64)
        count = size(splits, out_type=int64) - 1
        places = range_of(shape(values, out_type=int64)[0])
        row = apply(OPS["UpperBound"], expand_dims(splits, 0), expand_dims(places, 0), out_type=int64)[0] - 1
        starts = splits
    elif kinds == ("FIRST_DIM_SIZE", "VALUE_ROWIDS"):
        count, row = cast(partitions[0], int64), cast(partitions[1], int64)
        lengths = apply(OPS["UnsortedSegmentSum"], ones_like(row), row, cast(count, int32))
        starts = apply(OPS["Cumsum"], lengths, 0, exclusive=True)
        places = range_of(size(row, out_type=int64))
    else:
        raise UnimplementedError(f"its rows are given by {kinds}; one ragged axis is supported")
    if values.spec.rank != 1:
        raise UnimplementedError(f"its values have the shape {values.shape}; vectors are supported")
    column = places - gather(starts, row)
    longest = apply(OPS["Max"], concat([column + 1, constant([0], int64)], 0), 0)
    sizes = cast(wanted, int64) if wanted.spec.rank == 1 else constant([-1, -1], int64)
    shape_made = apply(OPS["SelectV2"], apply(OPS["Less"], sizes, constant(0, int64)), stack([count, longest]), sizes)
    inside = apply(OPS["LogicalAnd"], apply(OPS["Less"], row, shape_made[0]), apply(OPS["Less"], column, shape_made[1]))
    kept = apply(OPS["Where"], inside)[:, 0]
    indices = gather(stack([row, column], 1), kept)
    return [apply(OPS["SparseToDense"], indices, shape_made, gather(values, kept), default)]
