"""Metrics of classes: mean_iou, mean_per_class_accuracy."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.metrics.common import Collections, Result, collected, metric_variable, ratio, spread, squeezed


def _flat(x: Any) -> Any:
    return x if x is None or x.shape.ndims == 1 else gc.reshape(x, [-1])


@public("metrics.mean_iou")
def mean_iou(labels: Any, predictions: Any, num_classes: int, weights: Any = None,
             metrics_collections: Collections = None, updates_collections: Collections = None,
             name: str | None = None) -> Result:
    """The mean over classes of intersection by union, as `tf.metrics.mean_iou`. The update gives the matrix of how
    often each label (row) was predicted as each class.

    labels, predictions: of one shape, counted as int64; the mean is a float32 scalar, the matrix float64[num_classes,
    num_classes]. Raises ValueError for shapes that differ, and weights that do not broadcast axis by axis, TypeError
    for strings; a number of no class is an InvalidArgumentError when run.

    >>> value, update = gc.metrics.mean_iou(labels=[0, 0, 1], predictions=[0, 1, 1], num_classes=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([[1., 1.],
           [0., 1.]])
    >>> value.eval()
    np.float32(0.5)
    """
    with gc.variable_scope(name, "mean_iou", (predictions, labels, weights)):
        predictions, labels, weights = squeezed(predictions, labels, weights)
        total = metric_variable([num_classes, num_classes], gc.float64, "total_confusion_matrix")
        if weights is not None:
            weights = _flat(spread(weights, gc.cast(predictions, gc.float64)))
        batch = gc.confusion_matrix(_flat(gc.cast(labels, gc.int64)), _flat(gc.cast(predictions, gc.int64)),
                                    num_classes, weights=weights, dtype=gc.float64)
        update = gc.assign_add(total, batch)
        counts = gc.cast(total, gc.float32)
        right = gc.diag_part(counts)
        union = gc.reduce_sum(counts, 0) + gc.reduce_sum(counts, 1) - right
        valid = gc.reduce_sum(gc.cast(gc.not_equal(union, 0.0), gc.float32))
        ious = gc.div(right, gc.where(gc.greater(union, 0.0), union, gc.ones_like(union)))
        sums = gc.reduce_sum(ious, name="mean_iou")
        value = gc.where(gc.greater(valid, 0.0), sums / gc.maximum(valid, 1.0), gc.constant(0.0), name="Select_1")
        return collected(value, update, metrics_collections, updates_collections)


@public("metrics.mean_per_class_accuracy")
def mean_per_class_accuracy(labels: Any, predictions: Any, num_classes: int, weights: Any = None,
                            metrics_collections: Collections = None, updates_collections: Collections = None,
                            name: str | None = None) -> Result:
    """The mean over classes of the accuracy within each, as `tf.metrics.mean_per_class_accuracy`. The update gives
    these accuracies.

    labels, predictions: of one shape, counted as int64; the mean is a float32 scalar, the update float32[num_classes].
    Raises ValueError for shapes that differ; a label of no class is an InvalidArgumentError when run.

    >>> value, update = gc.metrics.mean_per_class_accuracy(labels=[0, 0, 1], predictions=[0, 1, 1], num_classes=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([0.5, 1. ], dtype=float32)
    >>> value.eval()
    np.float32(0.75)
    """
    with gc.variable_scope(name, "mean_accuracy", (predictions, labels, weights)):
        predictions, labels, weights = squeezed(predictions, labels, weights)
        labels = gc.cast(labels, gc.int64)
        total = metric_variable([num_classes], gc.float32, "total")
        count = metric_variable([num_classes], gc.float32, "count")
        predictions, flat = _flat(gc.cast(predictions, labels.dtype)), _flat(labels)
        ones = gc.ones_like(flat, gc.float32) if weights is None else _flat(
            spread(weights, gc.cast(labels, gc.float32)))
        right = gc.cast(gc.equal(predictions, flat), gc.float32) * ones
        every, found = gc.scatter_add(total, flat, ones), gc.scatter_add(count, flat, right)
        value = gc.reduce_mean(ratio(count, total), name="mean_accuracy")
        return collected(value, ratio(found, every, "update_op"), metrics_collections, updates_collections)
