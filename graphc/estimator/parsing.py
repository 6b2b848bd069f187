"""Specifications to parse Examples by, with labels and weights, for canned models."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.feature_column.numeric import NumericColumn


@public("estimator.classifier_parse_example_spec")
def classifier_parse_example_spec(feature_columns: Iterable[Any], label_key: str, label_dtype: Any = gc.int64,
                                  label_default: Any = None, weight_column: Any = None) -> dict[str, Any]:
    """What the columns, the label and the weight of a classifier read, for gc.parse_example, as
    `tf.estimator.classifier_parse_example_spec`. Raises ValueError if a column reads the label or the weight, too.

    A weight_column is a name or a numeric_column (ValueError).

    >>> age = gc.feature_column.numeric_column("age")
    >>> gc.estimator.classifier_parse_example_spec([age], label_key="label", label_dtype=gc.string)
    {'age': FixedLenFeature(shape=(1,), dtype=gc.float32, default_value=None), 'label': FixedLenFeature(shape=(1,),
    dtype=gc.string, default_value=None)}
    """
    label = gc.FixedLenFeature((1,), label_dtype, label_default)
    return _with_label(gc.feature_column.make_parse_example_spec(feature_columns), label_key, label, weight_column)


@public("estimator.regressor_parse_example_spec")
def regressor_parse_example_spec(feature_columns: Iterable[Any], label_key: str, label_dtype: Any = gc.float32,
                                 label_default: Any = None, label_dimension: int = 1,
                                 weight_column: Any = None) -> dict[str, Any]:
    """classifier_parse_example_spec for a regressor whose labels are label_dimension numbers, as
    `tf.estimator.regressor_parse_example_spec`.

    Raises as classifier_parse_example_spec.

    >>> age = gc.feature_column.numeric_column("age")
    >>> gc.estimator.regressor_parse_example_spec([age], label_key="price")["price"]
    FixedLenFeature(shape=(1,), dtype=gc.float32, default_value=None)
    """
    label = gc.FixedLenFeature((label_dimension,), label_dtype, label_default)
    return _with_label(gc.feature_column.make_parse_example_spec(feature_columns), label_key, label, weight_column)


def _with_label(spec: dict[str, Any], key: str, label: Any, weight_column: Any) -> dict[str, Any]:
    if key in spec:
        raise ValueError(f"label should not be used as feature. label_key: {key}, features: {sorted(spec)}")
    made = {**spec, key: label}
    if weight_column is None:
        return made
    if isinstance(weight_column, str):
        weight_column = gc.feature_column.numeric_column(weight_column)
    if not isinstance(weight_column, NumericColumn):
        raise ValueError("weight_column should be an instance of gc.feature_column.numeric_column. Given type: "
                         f"{type(weight_column)} value: {weight_column}")
    if weight_column.key in made:
        raise ValueError(f"weight_column should not be used as feature. weight_column: {weight_column.key}, features: "
                         f"{sorted(made)}")
    return {**made, **weight_column.parse_example_spec}
