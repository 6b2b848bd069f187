"""embedding_lookup: rows of a table, or of one that is cut into several."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.gather import gather, where
from graphc.api.array.identity import identity
from graphc.api.array.join import concat
from graphc.api.array.shapes import expand_dims, reshape, shape, squeeze
from graphc.api.array.transpose import invert_permutation
from graphc.api.math.binary import add_n, maximum
from graphc.api.math.clip import clip_by_norm
from graphc.api.math.comparison import equal
from graphc.api.math.division import floordiv, floormod
from graphc.api.public import public
from graphc.api.state.partitioned import PartitionedVariable
from graphc.errors import UnimplementedError, built_at
from graphc.ir.apply import convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


@public("nn.embedding_lookup")
def embedding_lookup(params: Any, ids: Any, partition_strategy: str = "mod", name: str | None = None,
                     validate_indices: bool = True, max_norm: Any = None) -> Tensor:
    """The rows of `params` at `ids`: a tensor of ids' shape and the shape of a row.

    params: one table, a list of parts of one, or a PartitionedVariable; ids: int32 or int64. partition_strategy: row i
    of a table in n parts is row i // n of part i % n ("mod"), or the parts lie one after the other, the first ones
    being one row longer if need be ("div"). max_norm: longer rows are shortened to this length. validate_indices
    changes nothing: ids are always checked (InvalidArgumentError when run, ValueError if they are known before).
    Gradients are IndexedSlices, one for each part. As `tf.nn.embedding_lookup`.

    >>> table = gc.constant([[0., 0.], [1., 10.], [2., 20.]])
    >>> gc.nn.embedding_lookup(table, [2, 0, 2]).eval()
    array([[ 2., 20.],
           [ 0.,  0.],
           [ 2., 20.]], dtype=float32)
    >>> gc.nn.embedding_lookup([[[0.], [2.]], [[1.]]], [0, 1, 2], partition_strategy="mod").eval()
    array([[0.],
           [1.],
           [2.]], dtype=float32)
    >>> gc.gradients(gc.nn.embedding_lookup(table, [2, 2]), table)[0].indices.eval()
    array([2, 2], dtype=int32)
    """
    tables = list(params) if isinstance(params, (list, tuple, PartitionedVariable)) else [params]
    if not tables or any(t is None for t in tables):
        raise ValueError("Need at least one param" if not tables else "params must be specified")
    with get_default_graph().name_scope(name or "embedding_lookup") as scope:
        tables = [convert_to_tensor(t) if isinstance(t, (list, tuple, int, float)) else t for t in tables]
        if len(tables) == 1:
            return identity(_clipped(gather(tables[0], ids, name=scope), ids, max_norm))
        ids = convert_to_tensor(ids, name="ids")
        flat = reshape(ids, [-1])
        part, row = _parts(tables, flat, partition_strategy)
        places = [reshape(where(equal(part, i)), [-1]) for i in range(len(tables))]
        found = concat([gather(t, gather(row, p)) for t, p in zip(tables, places, strict=True)], 0)
        # After an axis of size 1 the gradient of this gather, which takes every row once, is a tensor.
        rows = squeeze(gather(expand_dims(found, 0), invert_permutation(concat(places, 0)), axis=1), axis=[0])
        tail = shape(convert_to_tensor(tables[0]))[1:]
        whole = reshape(rows, concat([shape(ids), tail], 0))
        if ids.spec.shape is not None and rows.spec.shape is not None:
            whole.set_shape(ids.shape.concatenate(convert_to_tensor(tables[0]).shape[1:]))
        return _clipped(whole, ids, max_norm)


def _parts(tables: Sequence[Any], flat: Tensor, strategy: str) -> tuple[Tensor, Tensor]:
    """(which part, which row of it) for each id."""
    count = len(tables)
    if strategy == "mod":
        return floormod(flat, count), floordiv(flat, count)
    if strategy != "div":
        raise ValueError(f"Unrecognized partition strategy: {strategy}")
    sizes = [convert_to_tensor(t).shape[0].value for t in tables]
    total = sum(sizes) if None not in sizes else add_n([cast(shape(convert_to_tensor(t))[0], flat.dtype)
                                                         for t in tables])
    each, longer = total // count, total % count
    part = maximum(floordiv(flat, each + 1), floordiv(flat - longer, each))
    return part, where(part < longer, floormod(flat, each + 1), floormod(flat - longer, each))


def _clipped(rows: Tensor, ids: Any, max_norm: Any) -> Tensor:
    if max_norm is None:
        return rows
    before, rank = convert_to_tensor(ids).spec.rank, rows.spec.rank
    if before is None or rank is None:
        raise UnimplementedError("embedding_lookup: argument 'max_norm' needs params and ids of known rank"
                                 f"{built_at(rows.op)}\n  call set_shape on them", rows.op)
    clipped: Tensor = clip_by_norm(rows, max_norm, axes=list(range(before, rank)) or None)
    return clipped
