"""Columns that make numbers of categories: a count for each, or an embedding, alone or shared."""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.feature_column.base import CategoricalColumn, DenseColumn, Features, IdWeightPair, Variables
from graphc.feature_column.categorical import WeightedCategoricalColumn, check_categorical


@dataclass(frozen=True)
class IndicatorColumn(DenseColumn):
    """How often each category occurs, or the sums of its weights."""

    categorical_column: CategoricalColumn

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_indicator"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.categorical_column.parse_example_spec

    @property
    def variable_shape(self) -> Any:
        return gc.TensorShape([1, self.categorical_column.num_buckets])

    def transform_feature(self, features: Features) -> Any:
        ids, weights = self.categorical_column.get_sparse_tensors(features)
        count = self.categorical_column.num_buckets
        if weights is not None:
            return _summed(ids, weights, count)
        dense = gc.sparse_tensor_to_dense(ids, default_value=-1)
        return gc.reduce_sum(gc.one_hot(dense, count, 1.0, 0.0), axis=[-2])

    def get_dense_tensor(self, features: Features, variables: Variables) -> Any:
        return features.get(self)


def _summed(ids: Any, weights: Any, count: int) -> Any:
    """[rows, count]: the sums of the weights of each id of a row; ids outside are left out."""
    known = gc.logical_and(ids.values >= 0, ids.values < count)
    places = gc.boolean_mask(gc.stack([ids.indices[:, 0], ids.values], 1), known)
    shape = gc.stack([ids.dense_shape[0], gc.constant(count, gc.int64)])
    return gc.scatter_nd(places, gc.boolean_mask(weights.values, known), shape)


@public("feature_column.indicator_column")
def indicator_column(categorical_column: CategoricalColumn) -> IndicatorColumn:
    """A column with a number for each category of another: how often it occurs. As
    `tf.feature_column.indicator_column`.

    Raises ValueError if that is not categorical. It gives [batch, categories], float32.

    >>> word = gc.feature_column.categorical_column_with_identity("word", num_buckets=3)
    >>> words = gc.constant([[1, 1], [0, 2]])
    >>> gc.feature_column.input_layer({"word": words}, [gc.feature_column.indicator_column(word)]).eval()
    array([[0., 2., 0.],
           [1., 0., 1.]], dtype=float32)
    """
    check_categorical(categorical_column)
    return IndicatorColumn(categorical_column)


@dataclass(frozen=True)
class EmbeddingColumn(DenseColumn):
    """The rows of a trained table that the categories name, combined."""

    categorical_column: CategoricalColumn
    dimension: int
    combiner: str
    initializer: Any
    ckpt_to_load_from: str | None
    tensor_name_in_ckpt: str | None
    max_norm: float | None
    trainable: bool

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_embedding"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        return self.categorical_column.parse_example_spec

    @property
    def variable_shape(self) -> Any:
        return gc.TensorShape([self.dimension])

    def transform_feature(self, features: Features) -> IdWeightPair:
        return self.categorical_column.get_sparse_tensors(features)

    def get_dense_tensor(self, features: Features, variables: Variables) -> Any:
        ids, weights = features.get(self)
        table = self.table(variables)
        if self.ckpt_to_load_from is not None:
            gc.train.init_from_checkpoint(self.ckpt_to_load_from, {self.tensor_name_in_ckpt: table})
        return gc.nn.safe_embedding_lookup_sparse(_parts(table), ids, weights, self.combiner,
                                                  name=f"{self.name}_weights", max_norm=self.max_norm)

    def table(self, variables: Variables) -> Any:
        return variables.make("embedding_weights", (self.categorical_column.num_buckets, self.dimension),
                              self.initializer, self.trainable)


def _parts(table: Any) -> Any:
    """A partitioned table as the list of its parts."""
    return table if isinstance(table, gc.Variable) else list(table)


@public("feature_column.embedding_column")
def embedding_column(categorical_column: CategoricalColumn, dimension: int, combiner: str = "mean",
                     initializer: Callable[..., Any] | None = None, ckpt_to_load_from: str | None = None,
                     tensor_name_in_ckpt: str | None = None, max_norm: float | None = None,
                     trainable: bool = True) -> EmbeddingColumn:
    """A column of `dimension` trained numbers for each category of another; several of one example are combined
    ("mean", "sqrtn" or "sum"). ckpt_to_load_from, tensor_name_in_ckpt: where the numbers come from at first. As
    `tf.feature_column.embedding_column`.

    Raises ValueError for a column that is not categorical, a dimension below 1, an initializer that is no function, and
    one of the two names without the other.

    It gives [batch, dimension], float32.

    >>> word = gc.feature_column.categorical_column_with_identity("word", num_buckets=3)
    >>> table = gc.constant_initializer([[0., 0.], [1., 10.], [3., 30.]])
    >>> column = gc.feature_column.embedding_column(word, dimension=2, combiner="mean", initializer=table)
    >>> words = gc.SparseTensor([[0, 0], [0, 1], [1, 0]], gc.constant([1, 2, 2], gc.int64), [2, 2])
    >>> layer = gc.feature_column.input_layer({"word": words}, [column])
    >>> gc.global_variables_initializer().run()
    >>> layer.eval()
    array([[ 2., 20.],
           [ 3., 30.]], dtype=float32)
    """
    check_categorical(categorical_column)
    initializer = _initializer(dimension, initializer, ckpt_to_load_from, tensor_name_in_ckpt)
    return EmbeddingColumn(categorical_column, dimension, combiner, initializer, ckpt_to_load_from,
                           tensor_name_in_ckpt, max_norm, trainable)


def _initializer(dimension: int | None, initializer: Any, checkpoint: Any, tensor_name: Any) -> Any:
    """Checks the arguments of both kinds of embeddings; the initializer."""
    if dimension is None or dimension < 1:
        raise ValueError(f"Invalid dimension {dimension}.")
    if (checkpoint is None) != (tensor_name is None):
        raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")
    if initializer is not None and not callable(initializer):
        raise ValueError(f"initializer must be callable if specified. Given: {initializer!r}")
    return initializer or gc.truncated_normal_initializer(mean=0.0, stddev=1 / math.sqrt(dimension))


@dataclass(frozen=True)
class SharedEmbeddingColumn(EmbeddingColumn):
    """An EmbeddingColumn whose table is that of other columns: the one in the graph's collection of this name."""

    shared_embedding_collection_name: str

    @property
    def name(self) -> str:
        return f"{self.categorical_column.name}_shared_embedding"

    @property
    def var_scope_name(self) -> str:
        return self.shared_embedding_collection_name

    def table(self, variables: Variables) -> Any:
        shape = (self.categorical_column.num_buckets, self.dimension)
        kept = gc.get_collection_ref(self.shared_embedding_collection_name)
        if not kept:
            kept.append(super().table(variables))
        if len(kept) > 1:
            raise ValueError(f"Collection {kept} can only contain one variable. Suggested fix A: Choose a unique name "
                             "for this collection. Suggested fix B: Do not add any variables to this collection.")
        if kept[0].get_shape().as_list() != list(shape):
            raise ValueError(f"Shared embedding collection {self.shared_embedding_collection_name} contains variable "
                             f"{kept[0].name} of unexpected shape {kept[0].get_shape()}. Expected shape is {shape}.")
        return kept[0]


@public("feature_column.shared_embedding_columns")
def shared_embedding_columns(categorical_columns: Sequence[CategoricalColumn], dimension: int, combiner: str = "mean",
                             initializer: Callable[..., Any] | None = None,
                             shared_embedding_collection_name: str | None = None,
                             ckpt_to_load_from: str | None = None, tensor_name_in_ckpt: str | None = None,
                             max_norm: float | None = None, trainable: bool = True) -> list[SharedEmbeddingColumn]:
    """Embedding columns, one for each of these, with one table, as `tf.feature_column.shared_embedding_columns`. The
    columns must be of one kind, and have as many buckets.

    Raises ValueError if they are not, or none is categorical; the rest as of embedding_column. Each gives [batch,
    dimension], float32.

    >>> seen, bought = (gc.feature_column.categorical_column_with_identity(key, 10) for key in ("seen", "bought"))
    >>> columns = gc.feature_column.shared_embedding_columns([seen, bought], dimension=3)
    >>> layer = gc.feature_column.input_layer({"seen": gc.constant([[1]]), "bought": gc.constant([[2]])}, columns)
    >>> layer.shape, gc.trainable_variables()
    (TensorShape([Dimension(1), Dimension(6)]), [<gc.Variable
    'input_layer/bought_seen_shared_embedding/embedding_weights:0' shape=(10, 3) dtype=float32_ref>])
    """
    initializer = _initializer(dimension, initializer, ckpt_to_load_from, tensor_name_in_ckpt)
    for column in categorical_columns:
        check_categorical(column)
    ordered = sorted(categorical_columns, key=lambda c: c.name)
    first = ordered[0]
    for column in ordered[1:]:
        if type(_inner(column)) is not type(_inner(first)):
            raise ValueError("To use shared_embedding_column, all categorical_columns must have the same type, or be "
                             f"weighted_categorical_column of the same type. Given column: {first} of type: "
                             f"{type(first)} does not match given column: {column} of type: {type(column)}")
        if column.num_buckets != first.num_buckets:
            raise ValueError("To use shared_embedding_column, all categorical_columns must have the same number of "
                             f"buckets. Given column: {first} with buckets: {first.num_buckets} does not match column: "
                             f"{column} with buckets: {column.num_buckets}")
    name = shared_embedding_collection_name or "_".join(c.name for c in ordered) + "_shared_embedding"
    return [SharedEmbeddingColumn(column, dimension, combiner, initializer, ckpt_to_load_from, tensor_name_in_ckpt,
                                  max_norm, trainable, name) for column in categorical_columns]


def _inner(column: CategoricalColumn) -> CategoricalColumn:
    return column.categorical_column if isinstance(column, WeightedCategoricalColumn) else column
