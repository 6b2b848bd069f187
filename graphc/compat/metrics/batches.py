"""tf.contrib.metrics: metrics of one batch, and lists and dictionaries of metrics."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public


@public("compat.v1.contrib.metrics.accuracy")
def accuracy(predictions: Any, labels: Any, weights: Any = None, name: str | None = None) -> Any:
    """The share of predictions that equal their labels, in this batch. Raises ValueError for other dtypes than bool,
    integers and strings, or if they differ."""
    predictions, labels = gc.convert_to_tensor(predictions), gc.convert_to_tensor(labels)
    for what, given in (("predictions", predictions), ("labels", labels)):
        if not (given.dtype.is_integer or given.dtype in (gc.bool, gc.string)):
            raise ValueError(f"{what} should have bool, integer, or string dtype, but has {given.dtype.name}")
    if labels.dtype != predictions.dtype:
        raise ValueError("Dtypes of predictions and labels should match. Given: predictions "
                         f"({predictions.dtype.name}) and labels ({labels.dtype.name})")
    with gc.name_scope(name, "accuracy", [predictions, labels]):
        right = gc.cast(gc.equal(predictions, labels), gc.float32)
        if weights is None:
            return gc.reduce_mean(right)
        share = gc.multiply(gc.cast(weights, gc.float32), gc.ones_like(right))
        return gc.div(gc.reduce_sum(gc.multiply(right, share)), gc.reduce_sum(share))


@public("compat.v1.contrib.metrics.confusion_matrix")
def confusion_matrix(labels: Any, predictions: Any, num_classes: Any = None, dtype: Any = gc.int32,
                     name: str | None = None, weights: Any = None) -> Any:
    return gc.confusion_matrix(labels, predictions, num_classes, weights=weights, dtype=dtype, name=name)


@public("compat.v1.contrib.metrics.aggregate_metrics")
def aggregate_metrics(*value_update_tuples: Any) -> tuple[list[Any], list[Any]]:
    """([values], [updates]) of pairs that metrics give."""
    if not value_update_tuples:
        raise ValueError("Expected at least one value_tensor/update_op pair")
    values, updates = zip(*value_update_tuples, strict=True)
    return list(values), list(updates)


@public("compat.v1.contrib.metrics.aggregate_metric_map")
def aggregate_metric_map(names_to_tuples: dict[Any, Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """({name: value}, {name: update}) of a dictionary of pairs that metrics give."""
    return ({name: pair[0] for name, pair in names_to_tuples.items()},
            {name: pair[1] for name, pair in names_to_tuples.items()})
