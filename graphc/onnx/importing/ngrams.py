"""TfIdfVectorizer: how often the n-grams of a pool occur in rows of numbers or strings."""
from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.importing.rules import Node, onnx_op


@onnx_op("TfIdfVectorizer")
def tf_idf(node: Node, x: Any) -> Any:
    """[..., columns]: counts (TF), a weight where there is one (IDF), or both multiplied (TFIDF)."""
    columns = np.array(node.need("ngram_indexes"), np.int64)
    grams = _pool(node)
    if sum(len(rows) for rows in grams.values()) != len(columns) or (columns < 0).any():
        raise node.invalid("ngram_indexes do not fit the pool")
    is_row = node.rank(x) == 1
    rows = gc.expand_dims(x, 0) if is_row else x
    counts = gc.concat([_counts(node, rows, pool, length) for length, pool in grams.items()], 0)
    made = gc.unsorted_segment_sum(counts, columns, int(columns.max()) + 1)            # [columns, rows]
    mode, weights = node.attr("mode", "TF"), node.attr("weights")
    if mode != "TF":
        scale = np.ones(int(columns.max()) + 1, np.float32)
        if weights:
            scale[columns] = weights
        made = (gc.minimum(made, gc.constant(1.0)) if mode == "IDF" else made) * gc.constant(scale[:, None])
    made = gc.transpose(made)
    return made[0] if is_row else made


def _pool(node: Node) -> dict[int, np.ndarray]:
    """The n-grams [count, n] by their n, in the pool's order."""
    words = node.attr("pool_strings")
    pool = np.array(words, object) if words else np.array(node.need("pool_int64s"), np.int64)
    starts = [*node.need("ngram_counts"), len(pool)]
    if any(a > b for a, b in pairwise(starts)) or starts[0]:
        raise node.invalid(f"ngram_counts are {starts[:-1]}, but the pool has {len(pool)} elements")
    found = {}
    for n, (start, end) in enumerate(pairwise(starts), 1):
        if (end - start) % n:
            raise node.invalid(f"its pool has {end - start} elements of {n}-grams")
        found[n] = pool[start:end].reshape(-1, n)
    return {n: rows for n, rows in found.items() if len(rows)}


def _counts(node: Node, rows: Any, pool: np.ndarray, length: int) -> Any:
    """[n-grams, rows], float32: of windows whose elements are up to max_skip_count apart."""
    least, most = node.attr("min_gram_length", 1), node.attr("max_gram_length", 1)
    none = gc.zeros(gc.stack([len(pool), gc.shape(rows)[0]]))
    if not least <= length <= most:
        return none
    table = gc.constant(pool, gc.string if pool.dtype == object else gc.int64)
    given = rows if rows.dtype == gc.string else gc.cast(rows, gc.int64)
    total = none
    for apart in range(1, 2 + (node.attr("max_skip_count", 0) if length > 1 else 0)):
        windows = gc.maximum(gc.shape(rows)[1] - apart * (length - 1), 0)
        same: Any = None
        for i in range(length):
            part = gc.expand_dims(given[:, i * apart:i * apart + windows], 2)
            equal = gc.equal(part, gc.reshape(table[:, i], [1, 1, -1]))                # [rows, windows, n-grams]
            same = equal if same is None else gc.logical_and(same, equal)
        total = total + gc.transpose(gc.reduce_sum(gc.cast(same, gc.float32), 1))
    return total
