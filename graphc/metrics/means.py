"""Means over batches: of values, of errors, of what is right."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.metrics.common import (
    Collections,
    Result,
    collected,
    metric_variable,
    ratio,
    spread,
    squeezed,
    transformed,
)


@public("metrics.mean")
def mean(values: Any, weights: Any = None, metrics_collections: Collections = None,
         updates_collections: Collections = None, name: str | None = None) -> Result:
    """The weighted mean of all values, as `tf.metrics.mean`: (it, the operation that adds a batch and gives it).

    values: numbers or booleans of any shape, counted as float32; weights: a scalar, or of their rank with sizes that
    are theirs or 1. Both results are float32 scalars. Raises ValueError for other weights, TypeError for strings.

    >>> value, update = gc.metrics.mean([1., 2., 6.])
    >>> gc.local_variables_initializer().run()
    >>> update.eval(), value.eval()
    (np.float32(3.0), np.float32(3.0))
    """
    with gc.variable_scope(name, "mean", (values, weights)):
        values = gc.cast(values, gc.float32)
        total, count = metric_variable([], gc.float32, "total"), metric_variable([], gc.float32, "count")
        if weights is None:
            number = gc.cast(gc.size(values), gc.float32)
        else:
            values, _, weights = squeezed(values, None, weights)
            weights = spread(weights, values)
            values = gc.multiply(values, weights)
            number = gc.reduce_sum(weights)
        more = gc.assign_add(total, gc.reduce_sum(values))
        with gc.control_dependencies([values]):
            counted = gc.assign_add(count, number)
        return collected(ratio(total, count, "value"), ratio(more, counted, "update_op"), metrics_collections,
                         updates_collections)


@public("metrics.mean_tensor")
def mean_tensor(values: Any, weights: Any = None, metrics_collections: Collections = None,
                updates_collections: Collections = None, name: str | None = None) -> Result:
    """The weighted mean of each element over batches of one shape, as `tf.metrics.mean_tensor`.

    values: numbers or booleans, counted as float32, all of whose sizes are known; both results are float32 of their
    shape. Weights and errors as of `gc.metrics.mean`.

    >>> value, update = gc.metrics.mean_tensor([[1., 2.], [3., 6.]])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([[1., 2.],
           [3., 6.]], dtype=float32)
    """
    with gc.variable_scope(name, "mean", (values, weights)):
        values = gc.cast(values, gc.float32)
        total = metric_variable(values.shape.as_list(), gc.float32, "total_tensor")
        count = metric_variable(values.shape.as_list(), gc.float32, "count_tensor")
        number = gc.ones_like(values)
        if weights is not None:
            values, _, weights = squeezed(values, None, weights)
            number = spread(weights, values)
            values = gc.multiply(values, number)
        more = gc.assign_add(total, values)
        with gc.control_dependencies([values]):
            counted = gc.assign_add(count, number)
        return collected(ratio(total, count, "value"), ratio(more, counted, "update_op"), metrics_collections,
                         updates_collections)


@public("metrics.accuracy")
def accuracy(labels: Any, predictions: Any, weights: Any = None, metrics_collections: Collections = None,
             updates_collections: Collections = None, name: str | None = None) -> Result:
    """The share of predictions that equal their labels, as `tf.metrics.accuracy`.

    Labels and predictions of one shape; weights of it, or broadcast to it. Both results are float32 scalars. Raises
    ValueError for shapes that differ, and other weights; TypeError for strings on one side only.

    >>> value, update = gc.metrics.accuracy(labels=[1, 1, 2], predictions=[1, 0, 2])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.6667)
    """
    predictions, labels, weights = squeezed(predictions, labels, weights)
    if labels.dtype != predictions.dtype:
        predictions = gc.cast(predictions, labels.dtype)
    right = gc.cast(gc.equal(predictions, labels), gc.float32)
    return mean(right, weights, metrics_collections, updates_collections, name or "accuracy")


def _of_errors(labels: Any, predictions: Any, weights: Any, values: Collections, updates: Collections, name: str,
               error: Any) -> Result:
    predictions, labels, weights = squeezed(gc.cast(predictions, gc.float32), gc.cast(labels, gc.float32), weights)
    return mean(error(labels, predictions), weights, values, updates, name)


@public("metrics.mean_squared_error")
def mean_squared_error(labels: Any, predictions: Any, weights: Any = None, metrics_collections: Collections = None,
                       updates_collections: Collections = None, name: str | None = None) -> Result:
    """The weighted mean of (labels - predictions) ** 2.

    labels, predictions: numbers of one shape, counted as float32; both results are float32 scalars; weights as of
    `gc.metrics.mean`. As `tf.metrics.mean_squared_error`. Raises ValueError for shapes that differ, and other weights;
    TypeError for strings.

    >>> value, update = gc.metrics.mean_squared_error(labels=[1., 2.], predictions=[1., 4.])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(2.0)
    """
    return _of_errors(labels, predictions, weights, metrics_collections, updates_collections,
                      name or "mean_squared_error", gc.squared_difference)


@public("metrics.mean_absolute_error")
def mean_absolute_error(labels: Any, predictions: Any, weights: Any = None, metrics_collections: Collections = None,
                        updates_collections: Collections = None, name: str | None = None) -> Result:
    """The weighted mean of |labels - predictions|.

    labels, predictions: numbers of one shape, counted as float32; both results are float32 scalars; weights as of
    `gc.metrics.mean`. As `tf.metrics.mean_absolute_error`. Raises ValueError for shapes that differ, and other weights;
    TypeError for strings.

    >>> value, update = gc.metrics.mean_absolute_error(labels=[1., 2.], predictions=[1., 4.])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    return _of_errors(labels, predictions, weights, metrics_collections, updates_collections,
                      name or "mean_absolute_error", lambda a, b: gc.abs(b - a))


@public("metrics.root_mean_squared_error")
def root_mean_squared_error(labels: Any, predictions: Any, weights: Any = None,
                            metrics_collections: Collections = None, updates_collections: Collections = None,
                            name: str | None = None) -> Result:
    """The square root of the weighted mean of (labels - predictions) ** 2.

    labels, predictions: numbers of one shape, counted as float32; both results are float32 scalars; weights as of
    `gc.metrics.mean`. As `tf.metrics.root_mean_squared_error`. Raises ValueError for shapes that differ, and other
    weights; TypeError for strings.

    >>> value, update = gc.metrics.root_mean_squared_error(labels=[1., 2.], predictions=[1., 4.])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.414)
    """
    squares = mean_squared_error(labels, predictions, weights, name=name or "root_mean_squared_error")
    return transformed(squares, gc.sqrt, metrics_collections, updates_collections)


@public("metrics.mean_relative_error")
def mean_relative_error(labels: Any, predictions: Any, normalizer: Any, weights: Any = None,
                        metrics_collections: Collections = None, updates_collections: Collections = None,
                        name: str | None = None) -> Result:
    """The mean of abs(labels - predictions) / normalizer, 0 where that is 0, as `tf.metrics.mean_relative_error`.

    labels, predictions, normalizer: numbers of one shape, counted as float32; both results are float32 scalars; weights
    as of `gc.metrics.mean`. Raises ValueError for shapes that differ, TypeError for strings.

    >>> value, update = gc.metrics.mean_relative_error(labels=[1., 2.], predictions=[1., 4.], normalizer=[1., 2.])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.5)
    """
    predictions, labels, weights = squeezed(gc.cast(predictions, gc.float32), gc.cast(labels, gc.float32), weights)
    predictions, normalizer, _ = squeezed(predictions, gc.cast(normalizer, gc.float32), None)
    error = gc.div_no_nan(gc.abs(labels - predictions), normalizer)
    return mean(error, weights, metrics_collections, updates_collections, name or "mean_relative_error")


@public("metrics.mean_cosine_distance")
def mean_cosine_distance(labels: Any, predictions: Any, dim: int, weights: Any = None,
                         metrics_collections: Collections = None, updates_collections: Collections = None,
                         name: str | None = None) -> Result:
    """1 minus the mean of the sums of products along `dim`, as `tf.metrics.mean_cosine_distance`.

    labels, predictions: numbers of one shape, counted as float32, that have length 1 along `dim`; weights: of the shape
    without it, or with size 1 there. Both results are float32 scalars. Raises ValueError for shapes that differ, and a
    dim out of range.

    >>> value, update = gc.metrics.mean_cosine_distance(labels=[[0.6, 0.8]], predictions=[[1., 0.]], dim=1)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.4)
    """
    predictions, labels, weights = squeezed(gc.cast(predictions, gc.float32), gc.cast(labels, gc.float32), weights)
    products = gc.reduce_sum(gc.multiply(predictions, labels), axis=[dim], keepdims=True)
    found = mean(products, weights, name=name or "mean_cosine_distance")
    return transformed(found, lambda v: gc.subtract(1.0, v), metrics_collections, updates_collections)


@public("metrics.percentage_below")
def percentage_below(values: Any, threshold: Any, weights: Any = None, metrics_collections: Collections = None,
                     updates_collections: Collections = None, name: str | None = None) -> Result:
    """The share of values below `threshold`, as `tf.metrics.percentage_below`.

    values: numbers of any shape, and threshold of their dtype (TypeError); both results are float32 scalars. Weights as
    of `gc.metrics.mean`.

    >>> value, update = gc.metrics.percentage_below([1., 2., 6.], threshold=3.)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.6667)
    """
    below = gc.cast(gc.less(values, threshold), gc.float32)
    return mean(below, weights, metrics_collections, updates_collections, name or "percentage_below_threshold")
