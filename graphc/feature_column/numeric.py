"""Columns of numbers: as they are, and in buckets."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.feature_column.base import (
    CategoricalColumn,
    DenseColumn,
    Features,
    IdWeightPair,
    Variables,
    check_key,
)


@dataclass(frozen=True)
class NumericColumn(DenseColumn):
    """The numbers of a feature, as float32."""

    key: str
    shape: tuple[int, ...]
    default_value: Any
    dtype: Any
    normalizer_fn: Callable[[Any], Any] | None

    @property
    def name(self) -> str:
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return {self.key: gc.FixedLenFeature(self.shape, self.dtype, self.default_value)}

    def transform_feature(self, features: Features) -> Any:
        tensor = features.get(self.key)
        if isinstance(tensor, gc.SparseTensor):
            raise ValueError("The corresponding Tensor of numerical column must be a Tensor. SparseTensor is not "
                             f"supported. key: {self.key}")
        return gc.cast(tensor if self.normalizer_fn is None else self.normalizer_fn(tensor), gc.float32)

    @property
    def variable_shape(self) -> Any:
        return gc.TensorShape(self.shape)

    def get_dense_tensor(self, features: Features, variables: Variables) -> Any:
        return features.get(self)


@public("feature_column.numeric_column")
def numeric_column(key: str, shape: Any = (1,), default_value: Any = None, dtype: Any = gc.float32,
                   normalizer_fn: Callable[[Any], Any] | None = None) -> NumericColumn:
    """A column of the numbers of features[key], as `tf.feature_column.numeric_column`. normalizer_fn(tensor) is called
    on them first; default_value is that of gc.parse_example. Raises ValueError for a key that is no string, sizes below
    1 and a dtype that is none of numbers, TypeError for sizes that are no integers, a default_value of another dtype,
    and a normalizer_fn that is no function. shape: of the numbers of one example.

    >>> age = gc.feature_column.numeric_column("age", normalizer_fn=lambda x: (x - 40.) / 10.)
    >>> gc.feature_column.input_layer({"age": gc.constant([[36.], [50.]])}, [age]).eval()
    array([[-0.4],
           [ 1. ]], dtype=float32)
    """
    check_key(key)
    dtype = gc.as_dtype(dtype)
    sizes = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    for size in sizes:
        if not isinstance(size, (int, np.integer)):
            raise TypeError(f"shape dimensions must be integer. shape: {sizes}, key: {key}")
        if size < 1:
            raise ValueError(f"shape dimensions must be greater than 0. shape: {sizes}, key: {key}")
    if not (dtype.is_integer or dtype.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {dtype.name}, key: {key}")
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn!r}")
    return NumericColumn(key, sizes, _default(sizes, default_value, dtype, key), dtype, normalizer_fn)


def _default(shape: tuple[int, ...], value: Any, dtype: Any, key: str) -> Any:
    """The default value as nested tuples of the shape; one number stands for all."""
    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "iu" and not (array.dtype.kind == "f" and dtype.is_floating):
        raise TypeError(f"default_value must be compatible with dtype. default_value: {value}, dtype: {dtype.name}, "
                        f"key: {key}")
    if array.shape not in ((), shape):
        raise ValueError("The shape of default_value must be equal to given shape. default_value: "
                         f"{value}, shape: {shape}, key: {key}")
    return _tuples(np.broadcast_to(array, shape).tolist())


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class BucketizedColumn(DenseColumn, CategoricalColumn):
    """The buckets of numbers: as ones and zeros, or as ids."""

    source_column: NumericColumn
    boundaries: tuple[float, ...]

    @property
    def name(self) -> str:
        return f"{self.source_column.name}_bucketized"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.source_column.parse_example_spec

    def transform_feature(self, features: Features) -> Any:
        return gc.raw_ops.Bucketize(features.get(self.source_column), self.boundaries)

    @property
    def variable_shape(self) -> Any:
        return gc.TensorShape((*self.source_column.shape, len(self.boundaries) + 1))

    def get_dense_tensor(self, features: Features, variables: Variables) -> Any:
        return gc.one_hot(gc.cast(features.get(self), gc.int64), len(self.boundaries) + 1, 1.0, 0.0)

    @property
    def num_buckets(self) -> int:
        return (len(self.boundaries) + 1) * self.source_column.shape[0]

    def get_sparse_tensors(self, features: Features) -> IdWeightPair:
        """Each of several numbers has buckets of its own."""
        buckets = features.get(self)
        batch, count = gc.shape(buckets)[0], self.source_column.shape[0]
        row = gc.reshape(gc.tile(gc.expand_dims(gc.range(batch), 1), [1, count]), [-1])
        column = gc.tile(gc.range(count), [batch])
        ids = gc.reshape(buckets, [-1]) + (len(self.boundaries) + 1) * column
        return IdWeightPair(gc.SparseTensor(gc.cast(gc.stack([row, column], 1), gc.int64), gc.cast(ids, gc.int64),
                                            gc.cast(gc.stack([batch, count]), gc.int64)), None)


@public("feature_column.bucketized_column")
def bucketized_column(source_column: NumericColumn, boundaries: Sequence[float]) -> BucketizedColumn:
    """A column of the buckets that the sorted boundaries make: [b0, b1) holds b0. As
    `tf.feature_column.bucketized_column`. source_column: a numeric_column of one axis; boundaries: a sorted list that
    is not empty, without repetitions (ValueError for both). It is dense (one-hot, float32 [batch, buckets * size]) and
    categorical, for gc.feature_column.linear_model and crossed_column.

    >>> age = gc.feature_column.bucketized_column(gc.feature_column.numeric_column("age"), [18, 65])
    >>> gc.feature_column.input_layer({"age": gc.constant([[17.], [18.], [70.]])}, [age]).eval()
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    if not isinstance(source_column, NumericColumn):
        raise ValueError("source_column must be a column generated with numeric_column(). Given: "
                         f"{source_column!r}")
    if len(source_column.shape) > 1:
        raise ValueError(f"source_column must be one-dimensional column. Given: {source_column}")
    if not isinstance(boundaries, (list, tuple)) or not boundaries or any(
            a >= b for a, b in itertools.pairwise(boundaries)):
        raise ValueError("boundaries must be a sorted list that is not empty, without repetitions; they are "
                         f"{boundaries!r}")
    return BucketizedColumn(source_column, tuple(boundaries))
