"""tf.contrib.metrics: metrics of one batch, and lists and dictionaries of metrics."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public


@public("compat.v1.contrib.metrics.accuracy")
def accuracy(predictions: Any, labels: Any, weights: Any = None, name: str | None = None) -> Any:
    """The share of predictions that equal their labels, in this batch. Raises ValueError for other dtypes than bool,
    integers and strings, or if they differ.

    A float32 scalar; shapes and weights broadcast (ValueError if they do not). As `tf.contrib.metrics.accuracy`.

    >>> gc.compat.v1.contrib.metrics.accuracy(gc.constant([1, 0, 2]), gc.constant([1, 1, 2])).eval()
    np.float32(0.6667)
    """
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
    """[classes, classes] of integers: at [i, j] how many examples of class i were taken for j.

    labels and predictions: numbers [n] or [n, 1], cut to integers; weights: [n]. The result has `dtype`. Raises
    ValueError if their sizes differ, TypeError for strings; a class outside of num_classes ends the run with
    InvalidArgumentError. As `tf.contrib.metrics.confusion_matrix`.

    >>> gc.compat.v1.contrib.metrics.confusion_matrix(labels=[0, 1, 1], predictions=[0, 0, 1]).eval()
    array([[1, 0],
           [1, 1]], dtype=int32)
    """
    return gc.confusion_matrix(labels, predictions, num_classes, weights=weights, dtype=dtype, name=name)


@public("compat.v1.contrib.metrics.aggregate_metrics")
def aggregate_metrics(*value_update_tuples: Any) -> tuple[list[Any], list[Any]]:
    """([values], [updates]) of pairs that metrics give.
    Raises ValueError without any pair. As `tf.contrib.metrics.aggregate_metrics`.

    >>> values, updates = gc.compat.v1.contrib.metrics.aggregate_metrics(
    ...     gc.metrics.mean([1., 3.]), gc.metrics.mean([5.]))
    >>> gc.local_variables_initializer().run()
    >>> [update.eval() for update in updates]
    [np.float32(2.0), np.float32(5.0)]
    """
    if not value_update_tuples:
        raise ValueError("Expected at least one value_tensor/update_op pair")
    values, updates = zip(*value_update_tuples, strict=True)
    return list(values), list(updates)


@public("compat.v1.contrib.metrics.aggregate_metric_map")
def aggregate_metric_map(names_to_tuples: dict[Any, Any]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """({name: value}, {name: update}) of a dictionary of pairs that metrics give.
    As `tf.contrib.metrics.aggregate_metric_map`.

    >>> values, updates = gc.compat.v1.contrib.metrics.aggregate_metric_map({"mean": gc.metrics.mean([1., 3.])})
    >>> gc.local_variables_initializer().run()
    >>> updates["mean"].eval(), values["mean"].eval()
    (np.float32(2.0), np.float32(2.0))
    """
    return ({name: pair[0] for name, pair in names_to_tuples.items()},
            {name: pair[1] for name, pair in names_to_tuples.items()})
