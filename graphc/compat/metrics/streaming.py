"""The streaming_... functions of tf.contrib.metrics: those of gc.metrics, with the predictions before the labels."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public

Collections = Sequence[Any] | None
Result = tuple[Any, Any]


@public("compat.v1.contrib.metrics.streaming_mean")
def streaming_mean(values: Any, weights: Any = None, metrics_collections: Collections = None,
                   updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.mean`: (value, update) over all batches.

    Two float32 scalars, of numbers or bools of any shape. Raises ValueError if weights do not broadcast, TypeError for
    strings. As `tf.contrib.metrics.streaming_mean`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_mean([1., 2., 6.])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(3.0)
    """
    return gc.metrics.mean(values, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_mean_tensor")
def streaming_mean_tensor(values: Any, weights: Any = None, metrics_collections: Collections = None,
                          updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.mean_tensor`: (value, update) over all batches.

    Two float32 tensors of the values' shape, which must be known. Raises ValueError if weights do not broadcast,
    TypeError for strings. As `tf.contrib.metrics.streaming_mean_tensor`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_mean_tensor([[1., 2.], [3., 6.]])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([[1., 2.],
           [3., 6.]], dtype=float32)
    """
    return gc.metrics.mean_tensor(values, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_percentage_less")
def streaming_percentage_less(values: Any, threshold: Any, weights: Any = None, metrics_collections: Collections = None,
                              updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.percentage_below`: (value, update) over all batches.

    Two float32 scalars; the threshold is of the values' dtype. Raises TypeError if it is not, ValueError if it or
    weights do not broadcast. As `tf.contrib.metrics.streaming_percentage_less`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_percentage_less([1., 2., 6.], threshold=3.)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.6667)
    """
    return gc.metrics.percentage_below(values, threshold, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_accuracy")
def streaming_accuracy(predictions: Any, labels: Any, weights: Any = None, metrics_collections: Collections = None,
                       updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.accuracy`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of numbers, bools or strings of one shape. Raises ValueError if shapes differ or weights do not
    broadcast, TypeError for strings against numbers. As `tf.contrib.metrics.streaming_accuracy`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_accuracy(predictions=[1, 0, 2], labels=[1, 1, 2])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.6667)
    """
    return gc.metrics.accuracy(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_mean_absolute_error")
def streaming_mean_absolute_error(predictions: Any, labels: Any, weights: Any = None,
                                  metrics_collections: Collections = None, updates_collections: Collections = None,
                                  name: str | None = None) -> Result:
    """`gc.metrics.mean_absolute_error`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of numbers of one shape. Raises ValueError if shapes differ or weights do not broadcast,
    TypeError for strings. As `tf.contrib.metrics.streaming_mean_absolute_error`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_mean_absolute_error(
    ...     predictions=[1., 4.], labels=[1., 2.])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    return gc.metrics.mean_absolute_error(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_mean_relative_error")
def streaming_mean_relative_error(predictions: Any, labels: Any, normalizer: Any, weights: Any = None,
                                  metrics_collections: Collections = None, updates_collections: Collections = None,
                                  name: str | None = None) -> Result:
    """`gc.metrics.mean_relative_error`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of numbers; the normalizer has their one shape, too. Raises ValueError if shapes differ or
    weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_mean_relative_error`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_mean_relative_error(
    ...     predictions=[1., 4.], labels=[1., 2.], normalizer=[1., 2.])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.5)
    """
    return gc.metrics.mean_relative_error(labels, predictions, normalizer, weights, metrics_collections,
                                          updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_mean_squared_error")
def streaming_mean_squared_error(predictions: Any, labels: Any, weights: Any = None,
                                 metrics_collections: Collections = None, updates_collections: Collections = None,
                                 name: str | None = None) -> Result:
    """`gc.metrics.mean_squared_error`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of numbers of one shape. Raises ValueError if shapes differ or weights do not broadcast,
    TypeError for strings. As `tf.contrib.metrics.streaming_mean_squared_error`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_mean_squared_error(
    ...     predictions=[1., 4.], labels=[1., 2.])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(2.0)
    """
    return gc.metrics.mean_squared_error(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_root_mean_squared_error")
def streaming_root_mean_squared_error(predictions: Any, labels: Any, weights: Any = None,
                                      metrics_collections: Collections = None, updates_collections: Collections = None,
                                      name: str | None = None) -> Result:
    """`gc.metrics.root_mean_squared_error`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of numbers of one shape. Raises ValueError if shapes differ or weights do not broadcast,
    TypeError for strings. As `tf.contrib.metrics.streaming_root_mean_squared_error`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_root_mean_squared_error(
    ...     predictions=[1., 4.], labels=[1., 2.])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.414)
    """
    return gc.metrics.root_mean_squared_error(labels, predictions, weights, metrics_collections, updates_collections,
                                              name)


@public("compat.v1.contrib.metrics.streaming_mean_cosine_distance")
def streaming_mean_cosine_distance(predictions: Any, labels: Any, dim: int, weights: Any = None,
                                   metrics_collections: Collections = None, updates_collections: Collections = None,
                                   name: str | None = None) -> Result:
    """`gc.metrics.mean_cosine_distance`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of numbers of one shape. Raises ValueError if shapes differ, weights do not broadcast or there
    is no axis dim, TypeError for strings. As `tf.contrib.metrics.streaming_mean_cosine_distance`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_mean_cosine_distance(
    ...     predictions=[[1., 0.]], labels=[[0.6, 0.8]], dim=1)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.4)
    """
    return gc.metrics.mean_cosine_distance(labels, predictions, dim, weights, metrics_collections, updates_collections,
                                           name)


@public("compat.v1.contrib.metrics.streaming_mean_iou")
def streaming_mean_iou(predictions: Any, labels: Any, num_classes: int, weights: Any = None,
                       metrics_collections: Collections = None, updates_collections: Collections = None,
                       name: str | None = None) -> Result:
    """`gc.metrics.mean_iou`, the predictions first: (value, update) over all batches.

    value: a float32 scalar; update: the counts, float64 [num_classes, num_classes]. Predictions and labels are classes
    of one shape. Raises ValueError if shapes differ or weights do not broadcast, TypeError for strings; a class outside
    of num_classes ends the run with InvalidArgumentError. As `tf.contrib.metrics.streaming_mean_iou`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_mean_iou(
    ...     predictions=[0, 1, 1], labels=[0, 0, 1], num_classes=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([[1., 1.],
           [0., 1.]])
    """
    return gc.metrics.mean_iou(labels, predictions, num_classes, weights, metrics_collections, updates_collections,
                               name)


@public("compat.v1.contrib.metrics.streaming_precision")
def streaming_precision(predictions: Any, labels: Any, weights: Any = None, metrics_collections: Collections = None,
                        updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.precision`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of bools of one shape, or numbers, which count as True unless 0. Raises ValueError if shapes
    differ or weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_precision`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_precision(
    ...     predictions=[True, True, False], labels=[True, False, True])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.5)
    """
    return gc.metrics.precision(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_recall")
def streaming_recall(predictions: Any, labels: Any, weights: Any = None, metrics_collections: Collections = None,
                     updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.recall`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of bools of one shape, or numbers, which count as True unless 0. Raises ValueError if shapes
    differ or weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_recall`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_recall(
    ...     predictions=[True, True, False], labels=[True, False, True])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.5)
    """
    return gc.metrics.recall(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_true_positives")
def streaming_true_positives(predictions: Any, labels: Any, weights: Any = None,
                             metrics_collections: Collections = None, updates_collections: Collections = None,
                             name: str | None = None) -> Result:
    """`gc.metrics.true_positives`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of bools of one shape, or numbers, which count as True unless 0. Raises ValueError if shapes
    differ or weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_true_positives`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_true_positives(
    ...     predictions=[True, True, False], labels=[True, False, True])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    return gc.metrics.true_positives(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_true_negatives")
def streaming_true_negatives(predictions: Any, labels: Any, weights: Any = None,
                             metrics_collections: Collections = None, updates_collections: Collections = None,
                             name: str | None = None) -> Result:
    """`gc.metrics.true_negatives`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of bools of one shape, or numbers, which count as True unless 0. Raises ValueError if shapes
    differ or weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_true_negatives`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_true_negatives(
    ...     predictions=[True, False, False], labels=[True, False, False])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(2.0)
    """
    return gc.metrics.true_negatives(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_false_positives")
def streaming_false_positives(predictions: Any, labels: Any, weights: Any = None,
                              metrics_collections: Collections = None, updates_collections: Collections = None,
                              name: str | None = None) -> Result:
    """`gc.metrics.false_positives`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of bools of one shape, or numbers, which count as True unless 0. Raises ValueError if shapes
    differ or weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_false_positives`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_false_positives(
    ...     predictions=[True, True, False], labels=[True, False, True])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    return gc.metrics.false_positives(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_false_negatives")
def streaming_false_negatives(predictions: Any, labels: Any, weights: Any = None,
                              metrics_collections: Collections = None, updates_collections: Collections = None,
                              name: str | None = None) -> Result:
    """`gc.metrics.false_negatives`, the predictions first: (value, update) over all batches.

    Two float32 scalars, of bools of one shape, or numbers, which count as True unless 0. Raises ValueError if shapes
    differ or weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_false_negatives`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_false_negatives(
    ...     predictions=[True, True, False], labels=[True, False, True])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    return gc.metrics.false_negatives(labels, predictions, weights, metrics_collections, updates_collections, name)
