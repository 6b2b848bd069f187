"""embedding_lookup_sparse: for each row of ids the rows of a table that they name, combined."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones, zeros_like
from graphc.api.array.gather import gather, where
from graphc.api.array.join import concat, stack
from graphc.api.array.shapes import expand_dims, rank, reshape, shape, size
from graphc.api.math.binary import multiply
from graphc.api.math.comparison import greater, greater_equal
from graphc.api.math.no_nan import div_no_nan
from graphc.api.math.reduce import reduce_prod
from graphc.api.math.segments import segment_sum, sparse_segment_mean, sparse_segment_sqrt_n, sparse_segment_sum
from graphc.api.math.sort import unique
from graphc.api.math.unary import sqrt, square
from graphc.api.nn.embedding import embedding_lookup
from graphc.api.public import public
from graphc.api.sparse.order import sparse_reshape
from graphc.api.sparse.pieces import sparse_fill_empty_rows, sparse_retain
from graphc.api.sparse.tensor import SparseTensor, rank_of
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor

COMBINERS = {"sum": sparse_segment_sum, "mean": sparse_segment_mean, "sqrtn": sparse_segment_sqrt_n}


@public("nn.embedding_lookup_sparse")
def embedding_lookup_sparse(params: Any, sp_ids: Any, sp_weights: Any, partition_strategy: str = "mod",
                            name: str | None = None, combiner: str | None = None, max_norm: Any = None) -> Tensor:
    """The rows of params at the ids of each row of sp_ids, combined into one: [rows, size of an embedding].

    Args:
        params, partition_strategy, max_norm: as of `gc.nn.embedding_lookup`.
        sp_ids: a SparseTensor of int32 or int64, [rows, places], in the order of its rows.
        sp_weights: None, or a SparseTensor of floats with the same indices, that weighs each id.
        combiner: "mean" (by default), "sqrtn" (the sum over the root of the sum of squared weights) or "sum".

    A row without ids gives zeros, if it is not after all others; `safe_embedding_lookup_sparse` has all rows. As
    `tf.nn.embedding_lookup_sparse`. Raises TypeError unless sp_ids is sparse, ValueError for another combiner.

    >>> table = gc.constant([[0., 0.], [1., 10.], [2., 20.]])
    >>> ids = gc.SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 2, 1], [2, 2])
    >>> gc.nn.embedding_lookup_sparse(table, ids, None, combiner="mean").eval()
    array([[ 1.5, 15. ],
           [ 1. , 10. ]], dtype=float32)
    >>> weights = gc.SparseTensor(ids.indices, [1., 3., 1.], ids.dense_shape)
    >>> gc.nn.embedding_lookup_sparse(table, ids, weights, combiner="sum").eval()
    array([[ 7., 70.],
           [ 1., 10.]], dtype=float32)
    """
    combiner = "mean" if combiner is None else combiner
    if combiner not in COMBINERS:
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', but is {combiner!r}")
    if not isinstance(sp_ids, SparseTensor):
        raise TypeError(f"sp_ids must be SparseTensor, but is {sp_ids!r}")
    _check_weights(sp_ids, sp_weights)
    with get_default_graph().name_scope(name or "embedding_lookup_sparse") as scope:
        segments = cast(sp_ids.indices[:, 0], int32)
        ids, places = unique(sp_ids.values)
        rows = embedding_lookup(params, ids, partition_strategy=partition_strategy, max_norm=max_norm)
        if sp_weights is None:
            combined: Tensor = COMBINERS[combiner](rows, places, segments, name=scope)
            return combined
        return _weighted(gather(rows, places), sp_weights.values, segments, combiner, scope)


def _check_weights(sp_ids: SparseTensor, sp_weights: Any) -> None:
    if sp_weights is None:
        return
    if not isinstance(sp_weights, SparseTensor):
        raise TypeError(f"sp_weights must be either None or SparseTensor, but is {sp_weights!r}")
    for part in ("values", "indices", "dense_shape"):
        ids, weights = getattr(sp_ids, part).shape, getattr(sp_weights, part).shape
        if not ids.is_compatible_with(weights):
            raise ValueError(f"sp_weights must have the indices of sp_ids, but its {part} have shape {weights}, those "
                             f"of sp_ids {ids}")


def _weighted(rows: Tensor, weights: Tensor, segments: Tensor, combiner: str, name: str) -> Tensor:
    weights = cast(weights, rows.dtype)
    if rows.shape.ndims is None:
        tail = ones(expand_dims(rank(rows) - 1, 0), int32)
        weights = reshape(weights, concat([shape(weights), tail], 0))
    else:
        weights = reshape(weights, [-1, *[1] * (rows.shape.ndims - 1)])
    total = segment_sum(multiply(rows, weights), segments, name=name if combiner == "sum" else None)
    if combiner == "sum":
        return total
    divisor = segment_sum(weights, segments) if combiner == "mean" else sqrt(segment_sum(square(weights), segments))
    found: Tensor = div_no_nan(total, divisor, name=name)
    return found


@public("nn.safe_embedding_lookup_sparse")
def safe_embedding_lookup_sparse(embedding_weights: Any, sparse_ids: Any, sparse_weights: Any = None,
                                 combiner: str | None = "mean", default_id: Any = None, name: str | None = None,
                                 partition_strategy: str = "div", max_norm: Any = None) -> Tensor:
    """embedding_lookup_sparse along the last axis of sparse_ids, with a result for rows without ids.

    Ids below 0 and (but for "sum") weights that are not above 0 are left out first; a row without ids then gives the
    row of default_id, zeros if that is None. sparse_ids may have any rank of 2 and more. Raises ValueError for an empty
    list of weights and for another combiner, TypeError for ids that are no integers. As
    `tf.nn.safe_embedding_lookup_sparse`.

    >>> table = gc.constant([[0., 0.], [1., 10.], [2., 20.]])
    >>> ids = gc.SparseTensor([[0, 0], [2, 0]], [1, -1], [3, 2])
    >>> gc.nn.safe_embedding_lookup_sparse(table, ids).eval()
    array([[ 1., 10.],
           [ 0.,  0.],
           [ 0.,  0.]], dtype=float32)
    >>> gc.nn.safe_embedding_lookup_sparse(table, ids, default_id=2).eval()
    array([[ 1., 10.],
           [ 2., 20.],
           [ 2., 20.]], dtype=float32)
    """
    if embedding_weights is None or (isinstance(embedding_weights, (list, tuple)) and not embedding_weights):
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    dtype = None if sparse_weights is None else sparse_weights.dtype
    tables = list(embedding_weights) if isinstance(embedding_weights, (list, tuple)) else [embedding_weights]
    tables = tables if dtype is None else [convert_to_tensor(table, dtype) for table in tables]
    with get_default_graph().name_scope(name or "embedding_lookup") as scope:
        original, known = sparse_ids.dense_shape, rank_of(sparse_ids)
        last = (size(original) if known is None else known) - 1
        ids = sparse_reshape(sparse_ids, stack([reduce_prod(original[:last]), gather(original, last)]))
        weights = None
        if sparse_weights is not None:
            weights = SparseTensor(ids.indices, sparse_weights.values, ids.dense_shape)
        ids, weights = _kept(ids, weights, greater_equal(ids.values, 0))
        if combiner != "sum" and weights is not None:
            ids, weights = _kept(ids, weights, greater(weights.values, 0))
        ids, empty = sparse_fill_empty_rows(ids, default_id or 0)
        weights = None if weights is None else sparse_fill_empty_rows(weights, 1.0)[0]
        found = embedding_lookup_sparse(tables, ids, weights, combiner=combiner, partition_strategy=partition_strategy,
                                        max_norm=max_norm, name=None if default_id is None else scope)
        if default_id is None:
            found = where(empty, zeros_like(found), found, name=scope)
        whole = reshape(found, concat([cast(original, int32)[:last], shape(found)[1:]], 0))
        if known is not None:
            whole.set_shape([*[None] * (known - 1), *found.shape.as_list()[1:]])
        return whole


def _kept(ids: SparseTensor, weights: SparseTensor | None, mask: Tensor) -> tuple[SparseTensor, SparseTensor | None]:
    return sparse_retain(ids, mask), None if weights is None else sparse_retain(weights, mask)
