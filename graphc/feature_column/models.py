"""What is made of columns: the input of a network, a linear model, the specification to parse Examples by."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.feature_column.base import (
    CategoricalColumn,
    DenseColumn,
    FeatureColumn,
    Features,
    Variables,
    check_one_batch_size,
    checked_columns,
    variables_in,
)


@public("feature_column.input_layer")
def input_layer(features: Mapping[str, Any], feature_columns: Any, weight_collections: Iterable[str] | None = None,
                trainable: bool = True, cols_to_vars: dict[Any, Any] | None = None,
                cols_to_output_tensors: dict[Any, Any] | None = None) -> Any:
    """[batch, numbers]: what the dense columns give, side by side in the order of their names, as
    `tf.feature_column.input_layer`. cols_to_vars and cols_to_output_tensors get the variables and the tensor of each
    column. The result is float32. Raises ValueError for a column that is not dense, and what linear_model raises.
    features: a dictionary of tensors, [batch] or [batch, ...], or SparseTensors for categories.

    >>> age, size = gc.feature_column.numeric_column("age"), gc.feature_column.numeric_column("size", shape=(2,))
    >>> features = {"size": gc.constant([[1., 2.], [3., 4.]]), "age": gc.constant([36., 41.])}
    >>> gc.feature_column.input_layer(features, [size, age]).eval()
    array([[36.,  1.,  2.],
           [41.,  3.,  4.]], dtype=float32)
    """
    columns = checked_columns(feature_columns)
    check_dense(columns)
    given, variables, outputs = Features(features), variables_in(weight_collections, trainable), []
    with gc.variable_scope(None, default_name="input_layer", values=list(features.values())):
        for column in columns:
            with gc.variable_scope(None, default_name=column.var_scope_name) as scope:
                outputs.append(flat(column, given, variables))
                if cols_to_vars is not None:
                    cols_to_vars[column] = _variables_in(scope)
                if cols_to_output_tensors is not None:
                    cols_to_output_tensors[column] = outputs[-1]
        check_one_batch_size(outputs, columns)
        return gc.concat(outputs, 1)


def check_dense(columns: Iterable[Any]) -> None:
    for column in columns:
        if not isinstance(column, DenseColumn):
            raise ValueError("Items of feature_columns must be a DenseColumn. You can wrap a categorical column with "
                             f"an embedding_column or indicator_column. Given: {column}")


def flat(column: DenseColumn, features: Features, variables: Variables) -> Any:
    """[batch, numbers] of one column."""
    tensor = column.get_dense_tensor(features, variables)
    return gc.reshape(tensor, [gc.shape(tensor)[0], column.variable_shape.num_elements()])


def _variables_in(scope: Any) -> list[Any]:
    return gc.get_collection(gc.GraphKeys.GLOBAL_VARIABLES, scope=f"{scope.name}/")


@public("feature_column.linear_model")
def linear_model(features: Mapping[str, Any], feature_columns: Any, units: int = 1, sparse_combiner: str = "sum",
                 weight_collections: Iterable[str] | None = None, trainable: bool = True,
                 cols_to_vars: dict[Any, Any] | None = None) -> Any:
    """[batch, units]: the sum of the columns' values times weights, and a bias, which all begin with 0, as
    `tf.feature_column.linear_model`. Weights of several categories of an example are combined ("sum", "mean" or
    "sqrtn"). cols_to_vars gets the variables of each column, and of "bias".

    Raises ValueError if features is no dictionary or lacks one, or has them of different batch sizes, for no columns,
    what is no column, and two of one name. The result is float32.

    >>> age = gc.feature_column.numeric_column("age")
    >>> weights = {}
    >>> y = gc.feature_column.linear_model({"age": gc.constant([[36.], [41.]])}, [age], cols_to_vars=weights)
    >>> gc.global_variables_initializer().run()
    >>> weights[age][0].assign([[2.]]).op.run()
    >>> y.eval()
    array([[72.],
           [82.]], dtype=float32)
    """
    given, variables, sums = Features(features), variables_in(weight_collections, trainable), []
    scopes = {_scope_name(column): column for column in checked_columns(feature_columns)}
    columns = [scopes[name] for name in sorted(scopes)]
    with gc.variable_scope(None, default_name="linear_model", values=list(features.values())):
        for name, column in zip(sorted(scopes), columns, strict=True):
            with gc.variable_scope(name) as scope:
                sums.append(_weighted_sum(column, given, units, sparse_combiner, variables))
                if cols_to_vars is not None:
                    cols_to_vars[column] = _variables_in(scope)
        check_one_batch_size(sums, columns)
        bias = variables.make("bias_weights", [units], gc.zeros_initializer())
        if cols_to_vars is not None:
            cols_to_vars["bias"] = [bias] if isinstance(bias, gc.Variable) else list(bias)
        return gc.nn.bias_add(gc.add_n(sums, name="weighted_sum_no_bias"), bias, name="weighted_sum")


def _scope_name(column: Any) -> str:
    """The name of the scope of a column's weights: one that is new where the model is made, as TensorFlow names them (a
    second model has linear_model_1/price_1/weights)."""
    with gc.variable_scope(None, default_name=column.var_scope_name) as scope:
        name: str = scope.name.rpartition("/")[2]
    return name


def _weighted_sum(column: Any, features: Features, units: int, combiner: str, variables: Variables) -> Any:
    if not isinstance(column, (DenseColumn, CategoricalColumn)):
        raise ValueError("Items of feature_columns must be either a DenseColumn or CategoricalColumn. Given: "
                         f"{column}")
    zeros = gc.zeros_initializer()
    if not isinstance(column, CategoricalColumn):
        weights = variables.make("weights", [column.variable_shape.num_elements(), units], zeros)
        return gc.matmul(flat(column, features, variables), weights, name="weighted_sum")
    weights = variables.make("weights", [column.num_buckets, units], zeros)
    ids, given = column.get_sparse_tensors(features)
    return gc.nn.safe_embedding_lookup_sparse(
        weights if isinstance(weights, gc.Variable) else list(weights), _rows(ids),
        None if given is None else _rows(given), combiner, name="weighted_sum")


def _rows(tensor: Any) -> Any:
    """A SparseTensor as one of rank 2."""
    return gc.sparse_reshape(tensor, gc.stack([tensor.dense_shape[0], gc.constant(-1, gc.int64)]))


@public("feature_column.make_parse_example_spec")
def make_parse_example_spec(feature_columns: Iterable[FeatureColumn]) -> dict[str, Any]:
    """The features of Examples that the columns read, for gc.parse_example, as
    `tf.feature_column.make_parse_example_spec`. Raises ValueError for two columns that read one in different ways.

    >>> age = gc.feature_column.numeric_column("age")
    >>> word = gc.feature_column.categorical_column_with_hash_bucket("word", 10)
    >>> spec = gc.feature_column.make_parse_example_spec([age, gc.feature_column.indicator_column(word)])
    >>> spec["age"], spec["word"]
    (FixedLenFeature(shape=(1,), dtype=gc.float32, default_value=None), VarLenFeature(dtype=gc.string))
    """
    spec: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"All feature_columns must be FeatureColumn instances. Given: {column!r}")
        for key, feature in column.parse_example_spec.items():
            if spec.setdefault(key, feature) != feature:
                raise ValueError(f"feature_columns contain different parse_spec for key {key}. Given {feature} and "
                                 f"{spec[key]}")
    return spec
