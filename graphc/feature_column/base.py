"""What columns are: their two kinds, and the features that they read, each transformed once."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import graphc as gc


class IdWeightPair(NamedTuple):
    """Ids of categories as a SparseTensor of int64, and their weights, or None."""

    id_tensor: Any
    weight_tensor: Any


@dataclass(frozen=True)
class FeatureColumn:
    """Base of the columns. They are equal if all their parts are."""

    @property
    def name(self) -> str:
        """Of its variables' scope; no two columns of a model may have the same."""
        raise NotImplementedError(f"{type(self).__name__}.name")

    @property
    def var_scope_name(self) -> str:
        """The name of the scope of its variables, where it differs."""
        return self.name

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """For gc.parse_example: key -> FixedLenFeature or VarLenFeature."""
        raise NotImplementedError(f"{type(self).__name__}.parse_example_spec")

    def transform_feature(self, features: Features) -> Any:
        """What is computed once for a model; `features.get(column)` gives it."""
        raise NotImplementedError(f"{type(self).__name__}.transform_feature")


class DenseColumn(FeatureColumn):
    """A column that gives numbers."""

    @property
    def variable_shape(self) -> Any:
        """The shape of what each example gives."""
        raise NotImplementedError(f"{type(self).__name__}.variable_shape")

    def get_dense_tensor(self, features: Features, variables: Variables) -> Any:
        """[batch, ...variable_shape]."""
        raise NotImplementedError(f"{type(self).__name__}.get_dense_tensor")


class CategoricalColumn(FeatureColumn):
    """A column that gives ids of categories."""

    @property
    def num_buckets(self) -> int:
        """Ids are from 0 to num_buckets - 1."""
        raise NotImplementedError(f"{type(self).__name__}.num_buckets")

    def get_sparse_tensors(self, features: Features) -> IdWeightPair:
        return IdWeightPair(features.get(self), None)


class Variables(NamedTuple):
    """How the variables of a model are made: their collections, and whether they are trained."""

    collections: list[str]
    trainable: bool

    def make(self, name: str, shape: Iterable[int], initializer: Any, trainable: bool = True) -> Any:
        return gc.get_variable(name, list(shape), gc.float32, initializer=initializer, collections=self.collections,
                               trainable=trainable and self.trainable)


def variables_in(weight_collections: Iterable[str] | None, trainable: bool) -> Variables:
    """In these collections and those of all variables, and of a model's."""
    wanted = [*(weight_collections or ()), gc.GraphKeys.GLOBAL_VARIABLES, gc.GraphKeys.MODEL_VARIABLES]
    return Variables(list(dict.fromkeys(wanted)), trainable)


class Features:
    """The features by name, of at least rank 2, and what columns have made of them."""

    def __init__(self, features: Mapping[Any, Any]) -> None:
        if not isinstance(features, Mapping):
            raise ValueError(f"We expected a dictionary here. Instead we got: {features!r}")
        self._given = dict(features)
        self._made: dict[Any, Any] = {}

    def get(self, key: Any) -> Any:
        """The feature of a name, or a column's transformation. ValueError for a name that is not there."""
        if key not in self._made:
            if key in self._given:
                self._made[key] = _with_rank(self._given[key], key)
            elif isinstance(key, FeatureColumn):
                self._made[key] = key.transform_feature(self)
            else:
                raise ValueError(f"Feature {key} is not in features dictionary, which has "
                                 f"{sorted(map(str, self._given))}")
        return self._made[key]


def _with_rank(value: Any, key: Any) -> Any:
    """A vector becomes a matrix of one column."""
    tensor = gc.convert_to_tensor_or_sparse_tensor(value)
    rank = tensor.get_shape().ndims
    if rank is None:
        raise ValueError(f"Feature (key: {key}) has an unknown rank: {tensor!r}; say its shape with set_shape, or "
                         "where it is made (output_shapes of Dataset.from_generator)")
    if rank == 0:
        raise ValueError(f"Feature (key: {key}) cannot have rank 0. Given: {tensor!r}")
    if rank > 1:
        return tensor
    if isinstance(tensor, gc.SparseTensor):
        return gc.sparse_reshape(tensor, [-1, 1])
    return gc.expand_dims(tensor, -1)


def as_sparse(tensor: Any, ignore_value: Any = None) -> Any:
    """A dense feature as a SparseTensor without the elements that stand for nothing: "", -1, or ignore_value."""
    if isinstance(tensor, gc.SparseTensor):
        return tensor
    if ignore_value is None:
        ignore_value = "" if tensor.dtype == gc.string else -1 if tensor.dtype.is_integer else 0.0
    with gc.name_scope("to_sparse_input"):
        indices = gc.where(gc.not_equal(tensor, gc.constant(ignore_value, tensor.dtype)))
        return gc.SparseTensor(indices, gc.gather_nd(tensor, indices), gc.shape(tensor, out_type=gc.int64))


def checked_columns(columns: Any) -> list[Any]:
    """The columns in the order of their names. Raises ValueError for what is none, and for two of one name."""
    if isinstance(columns, FeatureColumn):
        columns = [columns]
    if isinstance(columns, Mapping):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    found = list(columns)
    for column in found:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"Items of feature_columns must be a FeatureColumn. Given (type {type(column)}): "
                             f"{column!r}.")
    if not found:
        raise ValueError("feature_columns must not be empty.")
    by_name: dict[str, Any] = {}
    for column in found:
        if column.name in by_name:
            raise ValueError(f"Duplicate feature column name found for columns: {column} and {by_name[column.name]}. "
                             "This usually means that these columns refer to same base feature. Either one must be "
                             "discarded or a duplicated but renamed item must be inserted in features dict.")
        by_name[column.name] = column
    return [by_name[name] for name in sorted(by_name)]


def check_key(key: Any) -> None:
    if not isinstance(key, str):
        raise ValueError(f"key must be a string. Got: type {type(key)}. Given key: {key!r}.")


def check_string_or_int(dtype: Any, what: str) -> None:
    if dtype != gc.string and not dtype.is_integer:
        raise ValueError(f"{what} dtype must be string or integer. dtype: {dtype.name}.")


def check_one_batch_size(tensors: Iterable[Any], columns: Iterable[Any]) -> None:
    """Raises ValueError if two are known to have different ones."""
    known = [(t.get_shape()[0].value, c.name) for t, c in zip(tensors, columns, strict=True)
             if t.get_shape()[0].value is not None]
    for size, name in known[1:]:
        if size != known[0][0]:
            raise ValueError("Batch size (first dimension) of each feature must be same. Batch size of columns "
                             f"({known[0][1]}, {name}): ({known[0][0]}, {size})")
