"""Columns of categories: by their number, a hash, a vocabulary; with weights."""
from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.feature_column.base import (
    CategoricalColumn,
    Features,
    IdWeightPair,
    as_sparse,
    check_key,
    check_string_or_int,
)


@dataclass(frozen=True)
class _OfKey(CategoricalColumn):
    """A column of one feature of strings or integers."""

    key: str

    @property
    def name(self) -> str:
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: gc.VarLenFeature(self.input_dtype)}

    @property
    def input_dtype(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__}.input_dtype")

    def given(self, features: Features) -> Any:
        """The feature as a SparseTensor. Raises ValueError if it has strings for integers, or the other way round."""
        tensor = as_sparse(features.get(self.key))
        check_string_or_int(tensor.dtype, f"column_name: {self.key} input_tensor")
        if tensor.dtype.is_integer != self.input_dtype.is_integer:
            raise ValueError(f"Column dtype and SparseTensors dtype must be compatible. key: {self.key}, column dtype: "
                             f"{self.input_dtype.name}, tensor dtype: {tensor.dtype.name}")
        return tensor

    def transform_feature(self, features: Features) -> Any:
        tensor = self.given(features)
        return gc.SparseTensor(tensor.indices, self.ids(tensor.values), tensor.dense_shape)

    def ids(self, values: Any) -> Any:
        """The categories' numbers, int64."""
        raise NotImplementedError(f"{type(self).__name__}.ids")


@dataclass(frozen=True)
class IdentityCategoricalColumn(_OfKey):
    """Integers that are the categories' numbers."""

    number_buckets: int
    default_value: int | None
    input_dtype = property(lambda self: gc.int64)
    num_buckets = property(lambda self: self.number_buckets)

    def ids(self, values: Any) -> Any:
        values = gc.cast(values, gc.int64)
        count, zero = gc.constant(self.number_buckets, gc.int64), gc.constant(0, gc.int64)
        if self.default_value is not None:
            outside = gc.logical_or(gc.less(values, zero), gc.greater_equal(values, count))
            return gc.where(outside, gc.zeros_like(values) + self.default_value, values)
        inside = [gc.assert_less(values, count, message="Bucket index for categorical column "
                                 f'"{self.name}" exceeds number of buckets'),
                  gc.assert_greater_equal(values, zero, message="Negative bucket index for categorical column "
                                          f'"{self.name}"')]
        with gc.control_dependencies(inside):
            return gc.identity(values)


@public("feature_column.categorical_column_with_identity")
def categorical_column_with_identity(key: str, num_buckets: int,
                                     default_value: int | None = None) -> IdentityCategoricalColumn:
    """A column of integers from 0 to num_buckets - 1; others become default_value, or are an error. As
    `tf.feature_column.categorical_column_with_identity`.

    Raises ValueError if key is no string, for fewer than one bucket, a default_value that is none of them, and features
    of other dtypes; an id that is none ends a run with InvalidArgumentError. The feature is [batch], [batch, ...] or a
    SparseTensor.

    >>> day = gc.feature_column.categorical_column_with_identity("day", num_buckets=3, default_value=0)
    >>> counts = gc.feature_column.indicator_column(day)
    >>> gc.feature_column.input_layer({"day": gc.constant([[2], [7]])}, [counts]).eval()
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    if num_buckets < 1:
        raise ValueError(f"num_buckets {num_buckets} < 1, column_name {key}")
    if default_value is not None and not 0 <= default_value < num_buckets:
        raise ValueError(f"default_value {default_value} not in range [0, {num_buckets}), column_name {key}")
    check_key(key)
    return IdentityCategoricalColumn(key, num_buckets, default_value)


@dataclass(frozen=True)
class HashedCategoricalColumn(_OfKey):
    """Strings, or integers as their digits, by a hash."""

    hash_bucket_size: int
    dtype: Any
    input_dtype = property(lambda self: self.dtype)
    num_buckets = property(lambda self: self.hash_bucket_size)

    def ids(self, values: Any) -> Any:
        strings = values if self.dtype == gc.string else gc.as_string(values)
        return gc.string_to_hash_bucket_fast(strings, self.hash_bucket_size)


@public("feature_column.categorical_column_with_hash_bucket")
def categorical_column_with_hash_bucket(key: str, hash_bucket_size: int,
                                        dtype: Any = gc.string) -> HashedCategoricalColumn:
    """A column of strings or integers, by FarmHash modulo hash_bucket_size, as
    `tf.feature_column.categorical_column_with_hash_bucket`.

    Raises ValueError if key is no string, for fewer than one bucket and for other dtypes. The feature is [batch],
    [batch, ...] or a SparseTensor.

    >>> word = gc.feature_column.categorical_column_with_hash_bucket("word", hash_bucket_size=4)
    >>> counts = gc.feature_column.indicator_column(word)
    >>> gc.feature_column.input_layer({"word": gc.constant([["graph"], ["session"]])}, [counts]).eval()
    array([[0., 0., 1., 0.],
           [1., 0., 0., 0.]], dtype=float32)
    """
    if hash_bucket_size is None or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be at least 1. hash_bucket_size: {hash_bucket_size}, key: {key}")
    check_key(key)
    dtype = gc.as_dtype(dtype)
    check_string_or_int(dtype, f"column_name: {key}")
    return HashedCategoricalColumn(key, hash_bucket_size, dtype)


@dataclass(frozen=True)
class _OfVocabulary(_OfKey):
    """The places of strings or integers in a vocabulary, found by a table."""

    dtype: Any
    default_value: int
    num_oov_buckets: int
    input_dtype = property(lambda self: self.dtype)

    def ids(self, values: Any) -> Any:
        values, dtype = (gc.cast(values, gc.int64), gc.int64) if self.dtype.is_integer else (values, self.dtype)
        return self.table(dtype).lookup(values)

    def table(self, dtype: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__}.table")


@dataclass(frozen=True)
class VocabularyListCategoricalColumn(_OfVocabulary):
    vocabulary_list: tuple[Any, ...]
    num_buckets = property(lambda self: len(self.vocabulary_list) + self.num_oov_buckets)

    def table(self, dtype: Any) -> Any:
        return gc.contrib.lookup.index_table_from_tensor(
            gc.constant(list(self.vocabulary_list), dtype), self.num_oov_buckets, self.default_value, dtype=dtype,
            name=f"{self.key}_lookup")


@dataclass(frozen=True)
class VocabularyFileCategoricalColumn(_OfVocabulary):
    vocabulary_file: str
    vocabulary_size: int
    num_buckets = property(lambda self: self.vocabulary_size + self.num_oov_buckets)

    def table(self, dtype: Any) -> Any:
        return gc.contrib.lookup.index_table_from_file(
            self.vocabulary_file, self.num_oov_buckets, self.vocabulary_size, self.default_value, key_dtype=dtype,
            name=f"{self.key}_lookup")


@public("feature_column.categorical_column_with_vocabulary_list")
def categorical_column_with_vocabulary_list(key: str, vocabulary_list: Sequence[Any], dtype: Any = None,
                                            default_value: int = -1,
                                            num_oov_buckets: int = 0) -> VocabularyListCategoricalColumn:
    """A column of the places of strings or integers in a list. Others get default_value (-1: they are left out), or one
    of num_oov_buckets after the list by a hash. As `tf.feature_column.categorical_column_with_vocabulary_list`.

    Raises ValueError if the list is empty, has a word twice or is of another dtype than dtype, and for default_value
    together with num_oov_buckets. The feature is [batch], [batch, ...] or a SparseTensor.

    >>> job = gc.feature_column.categorical_column_with_vocabulary_list("job", ["nurse", "pilot"])
    >>> layer = gc.feature_column.input_layer({"job": gc.constant([["pilot"], ["baker"]])},
    ...                                       [gc.feature_column.indicator_column(job)])
    >>> gc.tables_initializer().run()
    >>> layer.eval()
    array([[0., 1.],
           [0., 0.]], dtype=float32)
    """
    check_key(key)
    if vocabulary_list is None or len(vocabulary_list) < 1:
        raise ValueError(f"vocabulary_list {vocabulary_list} must be non-empty, column_name: {key}")
    words = [v.item() if isinstance(v, np.generic) else v for v in vocabulary_list]
    if len(set(words)) != len(words):
        raise ValueError(f"Duplicate keys in vocabulary_list {vocabulary_list}, column_name: {key}")
    _check_oov(key, num_oov_buckets, default_value != -1)
    found = gc.as_dtype(np.array(words).dtype) if np.array(words).dtype.kind not in "OSU" else gc.string
    check_string_or_int(found, f"column_name: {key} vocabulary")
    dtype = found if dtype is None else gc.as_dtype(dtype)
    if dtype.is_integer != found.is_integer:
        raise ValueError(f"dtype {dtype.name} and vocabulary dtype {found.name} do not match, column_name: {key}")
    check_string_or_int(dtype, f"column_name: {key}")
    return VocabularyListCategoricalColumn(key, dtype, default_value, num_oov_buckets, tuple(words))


@public("feature_column.categorical_column_with_vocabulary_file")
def categorical_column_with_vocabulary_file(key: str, vocabulary_file: Any, vocabulary_size: int | None = None,
                                            num_oov_buckets: int = 0, default_value: int | None = None,
                                            dtype: Any = gc.string) -> VocabularyFileCategoricalColumn:
    r"""A column of the lines of a file that strings or integers are; vocabulary_size: how many lines count, by default
    all. Others get default_value (-1: they are left out), or one of num_oov_buckets after them by a hash. As
    `tf.feature_column.categorical_column_with_vocabulary_file`.

    Raises ValueError if the file is not there (where no vocabulary_size is given), for a vocabulary_size below 1, other
    dtypes, and default_value together with num_oov_buckets. The feature is [batch], [batch, ...] or a SparseTensor.

    >>> gc.io.write_file("jobs.txt", "nurse\npilot\n").run()
    >>> job = gc.feature_column.categorical_column_with_vocabulary_file("job", "jobs.txt", num_oov_buckets=1)
    >>> layer = gc.feature_column.input_layer({"job": gc.constant([["pilot"], ["baker"]])},
    ...                                       [gc.feature_column.indicator_column(job)])
    >>> gc.tables_initializer().run()
    >>> layer.eval()
    array([[0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    check_key(key)
    if not vocabulary_file:
        raise ValueError(f"Missing vocabulary_file in {key}.")
    path = os.fsdecode(vocabulary_file)
    if vocabulary_size is None:
        if not os.path.exists(path):
            raise ValueError(f"vocabulary_file in {key} does not exist: {path}")
        with open(path, "rb") as file:
            vocabulary_size = sum(1 for _ in file)
    if vocabulary_size < 1:
        raise ValueError(f"Invalid vocabulary_size in {key}: {vocabulary_size}")
    _check_oov(key, num_oov_buckets, default_value is not None)
    dtype = gc.as_dtype(dtype)
    check_string_or_int(dtype, f"column_name: {key}")
    return VocabularyFileCategoricalColumn(key, dtype, -1 if default_value is None else default_value,
                                           num_oov_buckets or 0, path, vocabulary_size)


def _check_oov(key: str, num_oov_buckets: int | None, has_default: bool) -> None:
    if num_oov_buckets and has_default:
        raise ValueError(f"Can't specify both num_oov_buckets and default_value in {key}.")
    if num_oov_buckets and num_oov_buckets < 0:
        raise ValueError(f"Invalid num_oov_buckets {num_oov_buckets} in {key}.")


@dataclass(frozen=True)
class WeightedCategoricalColumn(CategoricalColumn):
    """A categorical column, and for each of its ids a weight from another feature."""

    categorical_column: CategoricalColumn
    weight_feature_key: str
    dtype: Any
    num_buckets = property(lambda self: self.categorical_column.num_buckets)

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_weighted_by_{self.weight_feature_key}"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        spec = dict(self.categorical_column.parse_example_spec)
        if self.weight_feature_key in spec:
            raise ValueError(f"Parse config {spec[self.weight_feature_key]} already exists for "
                             f"{self.weight_feature_key}.")
        return {**spec, self.weight_feature_key: gc.VarLenFeature(self.dtype)}

    def transform_feature(self, features: Features) -> Any:
        weights = features.get(self.weight_feature_key)
        if weights.dtype != self.dtype:
            raise ValueError(f"Bad dtype, expected {self.dtype.name}, but got {weights.dtype.name}. key: "
                             f"{self.weight_feature_key}")
        weights = as_sparse(weights, 0)
        if not weights.dtype.is_floating:
            weights = gc.cast(weights, gc.float32)
        return self.categorical_column.get_sparse_tensors(features).id_tensor, weights

    def get_sparse_tensors(self, features: Features) -> IdWeightPair:
        return IdWeightPair(*features.get(self))


@public("feature_column.weighted_categorical_column")
def weighted_categorical_column(categorical_column: CategoricalColumn, weight_feature_key: str,
                                dtype: Any = gc.float32) -> WeightedCategoricalColumn:
    """A categorical column with the weights features[weight_feature_key], one for each id, as
    `tf.feature_column.weighted_categorical_column`.

    Raises ValueError if the column is not categorical, dtype is none of numbers, or the feature of weights is of
    another dtype.

    >>> word = gc.feature_column.categorical_column_with_identity("word", num_buckets=3)
    >>> column = gc.feature_column.weighted_categorical_column(word, "weight")
    >>> features = {"word": gc.constant([[1, 2]]), "weight": gc.constant([[0.5, 2.]])}
    >>> gc.feature_column.input_layer(features, [gc.feature_column.indicator_column(column)]).eval()
    array([[0. , 0.5, 2. ]], dtype=float32)
    """
    found = None if dtype is None else gc.as_dtype(dtype)
    if found is None or not (found.is_integer or found.is_floating):
        raise ValueError(f"dtype {dtype} is not convertible to float.")
    check_categorical(categorical_column)
    return WeightedCategoricalColumn(categorical_column, weight_feature_key, found)


def check_categorical(column: Any) -> None:
    if not isinstance(column, CategoricalColumn):
        raise ValueError("categorical_column must be a categorical column (categorical_column_with_*, crossed_column, "
                         f"bucketized_column). Given: {column!r}")
