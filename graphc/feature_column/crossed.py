"""Columns of combinations: several features as one category."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.feature_column.base import CategoricalColumn, FeatureColumn, Features
from graphc.feature_column.categorical import HashedCategoricalColumn


@dataclass(frozen=True)
class CrossedColumn(CategoricalColumn):
    """Every combination of the values of features, by a hash."""

    keys: tuple[Any, ...]
    hash_bucket_size: int
    hash_key: int | None
    num_buckets = property(lambda self: self.hash_bucket_size)

    @property
    def name(self) -> str:
        return "_X_".join(sorted(k.name if isinstance(k, FeatureColumn) else k for k in self.leaves()))

    def leaves(self) -> Iterator[Any]:
        """The keys, with those of crosses among them in their place."""
        for key in self.keys:
            yield from key.leaves() if isinstance(key, CrossedColumn) else [key]

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = {}
        for key in self.keys:
            of_name = {key: gc.VarLenFeature(gc.string)}
            spec.update(key.parse_example_spec if isinstance(key, FeatureColumn) else of_name)
        return spec

    def transform_feature(self, features: Features) -> Any:
        tensors = []
        for key in self.leaves():
            if isinstance(key, str):
                tensors.append(features.get(key))
                continue
            ids, weights = key.get_sparse_tensors(features)
            if weights is not None:
                raise ValueError("crossed_column does not support weight_tensor, but the given column populates "
                                 f"weight_tensor. Given column: {key.name}")
            tensors.append(ids)
        return gc.sparse.cross_hashed(tensors, self.hash_bucket_size, self.hash_key)


@public("feature_column.crossed_column")
def crossed_column(keys: Sequence[Any], hash_bucket_size: int, hash_key: int | None = None) -> CrossedColumn:
    """A column of the combinations of features (names of strings or integers) and categorical columns, by a hash modulo
    hash_bucket_size, as `tf.feature_column.crossed_column`.

    Raises ValueError for fewer than two keys, no bucket, for columns that are not categorical, and for those with a
    hash bucket.

    >>> cross = gc.feature_column.crossed_column(["job", "city"], hash_bucket_size=5)
    >>> features = {"job": gc.constant([["pilot"], ["nurse"]]), "city": gc.constant([["Rome"], ["Oslo"]])}
    >>> gc.feature_column.input_layer(features, [gc.feature_column.indicator_column(cross)]).eval().shape
    (2, 5)
    """
    if not hash_bucket_size or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be > 1. hash_bucket_size: {hash_bucket_size}")
    if not keys or len(keys) < 2:
        raise ValueError(f"keys must be a list with length > 1. Given: {keys}")
    for key in keys:
        if not isinstance(key, (str, CategoricalColumn)):
            raise ValueError("Unsupported key type. All keys must be either string, or categorical column except "
                             f"HashedCategoricalColumn. Given: {key!r}")
        if isinstance(key, HashedCategoricalColumn):
            raise ValueError("categorical_column_with_hash_bucket is not supported for crossing. Hashing before "
                             "crossing will increase probability of collision. Instead, use the feature name as a "
                             f"string. Given: {key}")
    return CrossedColumn(tuple(keys), hash_bucket_size, hash_key)
