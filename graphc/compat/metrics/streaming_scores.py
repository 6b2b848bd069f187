"""The streaming_... functions of tf.contrib.metrics over scores: thresholds, curves, the k best."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public

Collections = Sequence[Any] | None
Result = tuple[Any, Any]


@public("compat.v1.contrib.metrics.streaming_auc")
def streaming_auc(predictions: Any, labels: Any, weights: Any = None, num_thresholds: int = 200,
                  metrics_collections: Collections = None, updates_collections: Collections = None,
                  curve: str = "ROC", name: str | None = None) -> Result:
    """`gc.metrics.auc`, the predictions first: (value, update) over all batches.

    Two float32 scalars. Predictions are numbers from 0 to 1, others end the run with InvalidArgumentError; labels
    bools, or what casts to them. Raises ValueError if shapes differ, weights do not broadcast or curve is neither ROC
    nor PR; TypeError for strings. As `tf.contrib.metrics.streaming_auc`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_auc(
    ...     predictions=[0.9, 0.4, 0.6, 0.1], labels=[True, True, False, False])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.75)
    """
    return gc.metrics.auc(labels, predictions, weights, num_thresholds, metrics_collections, updates_collections, curve,
                          name)


@public("compat.v1.contrib.metrics.streaming_precision_at_thresholds")
def streaming_precision_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float], weights: Any = None,
                                      metrics_collections: Collections = None, updates_collections: Collections = None,
                                      name: str | None = None) -> Result:
    """`gc.metrics.precision_at_thresholds`, the predictions first: (value, update) over all batches.

    Two float32 vectors, an element for each of the list of thresholds. Predictions are numbers from 0 to 1, others end
    the run with InvalidArgumentError; labels bools, or what casts to them. Raises ValueError if shapes differ or
    weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_precision_at_thresholds`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_precision_at_thresholds(
    ...     predictions=[0.9, 0.4, 0.6], labels=[True, True, False], thresholds=[0.5, 0.7])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([0.5, 1. ], dtype=float32)
    """
    return gc.metrics.precision_at_thresholds(labels, predictions, thresholds, weights, metrics_collections,
                                              updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_recall_at_thresholds")
def streaming_recall_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float], weights: Any = None,
                                   metrics_collections: Collections = None, updates_collections: Collections = None,
                                   name: str | None = None) -> Result:
    """`gc.metrics.recall_at_thresholds`, the predictions first: (value, update) over all batches.

    Two float32 vectors, an element for each of the list of thresholds. Predictions are numbers from 0 to 1, others end
    the run with InvalidArgumentError; labels bools, or what casts to them. Raises ValueError if shapes differ or
    weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_recall_at_thresholds`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_recall_at_thresholds(
    ...     predictions=[0.9, 0.4, 0.6], labels=[True, True, False], thresholds=[0.5, 0.3])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([0.5, 1. ], dtype=float32)
    """
    return gc.metrics.recall_at_thresholds(labels, predictions, thresholds, weights, metrics_collections,
                                           updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_true_positives_at_thresholds")
def streaming_true_positives_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float],
                                           weights: Any = None) -> Result:
    """`gc.metrics.true_positives_at_thresholds`, the predictions first: (value, update) over all batches.

    Two float32 vectors, an element for each of the list of thresholds. Predictions are numbers from 0 to 1, others end
    the run with InvalidArgumentError; labels bools, or what casts to them. Raises ValueError if shapes differ or
    weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_true_positives_at_thresholds`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_true_positives_at_thresholds(
    ...     predictions=[0.9, 0.4, 0.6], labels=[True, True, False], thresholds=[0.5, 0.3])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([1., 2.], dtype=float32)
    """
    return gc.metrics.true_positives_at_thresholds(labels, predictions, thresholds, weights)


@public("compat.v1.contrib.metrics.streaming_true_negatives_at_thresholds")
def streaming_true_negatives_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float],
                                           weights: Any = None) -> Result:
    """`gc.metrics.true_negatives_at_thresholds`, the predictions first: (value, update) over all batches.

    Two float32 vectors, an element for each of the list of thresholds. Predictions are numbers from 0 to 1, others end
    the run with InvalidArgumentError; labels bools, or what casts to them. Raises ValueError if shapes differ or
    weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_true_negatives_at_thresholds`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_true_negatives_at_thresholds(
    ...     predictions=[0.9, 0.4, 0.6], labels=[True, True, False], thresholds=[0.5, 0.3])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([0., 0.], dtype=float32)
    """
    return gc.metrics.true_negatives_at_thresholds(labels, predictions, thresholds, weights)


@public("compat.v1.contrib.metrics.streaming_false_positives_at_thresholds")
def streaming_false_positives_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float],
                                            weights: Any = None) -> Result:
    """`gc.metrics.false_positives_at_thresholds`, the predictions first: (value, update) over all batches.

    Two float32 vectors, an element for each of the list of thresholds. Predictions are numbers from 0 to 1, others end
    the run with InvalidArgumentError; labels bools, or what casts to them. Raises ValueError if shapes differ or
    weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_false_positives_at_thresholds`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_false_positives_at_thresholds(
    ...     predictions=[0.9, 0.4, 0.6], labels=[True, True, False], thresholds=[0.5, 0.3])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([1., 1.], dtype=float32)
    """
    return gc.metrics.false_positives_at_thresholds(labels, predictions, thresholds, weights)


@public("compat.v1.contrib.metrics.streaming_false_negatives_at_thresholds")
def streaming_false_negatives_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float],
                                            weights: Any = None) -> Result:
    """`gc.metrics.false_negatives_at_thresholds`, the predictions first: (value, update) over all batches.

    Two float32 vectors, an element for each of the list of thresholds. Predictions are numbers from 0 to 1, others end
    the run with InvalidArgumentError; labels bools, or what casts to them. Raises ValueError if shapes differ or
    weights do not broadcast, TypeError for strings. As `tf.contrib.metrics.streaming_false_negatives_at_thresholds`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_false_negatives_at_thresholds(
    ...     predictions=[0.9, 0.4, 0.6], labels=[True, True, False], thresholds=[0.5, 0.3])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([1., 0.], dtype=float32)
    """
    return gc.metrics.false_negatives_at_thresholds(labels, predictions, thresholds, weights)


@public("compat.v1.contrib.metrics.streaming_sensitivity_at_specificity")
def streaming_sensitivity_at_specificity(predictions: Any, labels: Any, specificity: float, weights: Any = None,
                                         num_thresholds: int = 200, metrics_collections: Collections = None,
                                         updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.sensitivity_at_specificity`, the predictions first: (value, update) over all batches.

    Two float32 scalars. Predictions are numbers from 0 to 1, others end the run with InvalidArgumentError; labels
    bools, or what casts to them. Raises ValueError if shapes differ, weights do not broadcast or specificity is not in
    [0, 1]; TypeError for strings. As `tf.contrib.metrics.streaming_sensitivity_at_specificity`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_sensitivity_at_specificity(
    ...     predictions=[0.9, 0.4, 0.6, 0.1], labels=[True, True, False, False], specificity=0.5)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    return gc.metrics.sensitivity_at_specificity(labels, predictions, specificity, weights, num_thresholds,
                                                 metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_specificity_at_sensitivity")
def streaming_specificity_at_sensitivity(predictions: Any, labels: Any, sensitivity: float, weights: Any = None,
                                         num_thresholds: int = 200, metrics_collections: Collections = None,
                                         updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.specificity_at_sensitivity`, the predictions first: (value, update) over all batches.

    Two float32 scalars. Predictions are numbers from 0 to 1, others end the run with InvalidArgumentError; labels
    bools, or what casts to them. Raises ValueError if shapes differ, weights do not broadcast or sensitivity is not in
    [0, 1]; TypeError for strings. As `tf.contrib.metrics.streaming_specificity_at_sensitivity`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_specificity_at_sensitivity(
    ...     predictions=[0.9, 0.4, 0.6, 0.1], labels=[True, True, False, False], sensitivity=0.5)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    return gc.metrics.specificity_at_sensitivity(labels, predictions, sensitivity, weights, num_thresholds,
                                                 metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_recall_at_k")
def streaming_recall_at_k(predictions: Any, labels: Any, k: int, weights: Any = None,
                          metrics_collections: Collections = None, updates_collections: Collections = None,
                          name: str | None = None) -> Result:
    """The share of rows whose one label is among the k best.

    (value, update): float32 scalars of float32 predictions [batch, classes] and int32 or int64 labels [batch]. Raises
    ValueError if shapes or weights do not fit, TypeError for other dtypes. As
    `tf.contrib.metrics.streaming_recall_at_k`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_recall_at_k(
    ...     predictions=[[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]], labels=[1, 0], k=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    found = gc.cast(gc.nn.in_top_k(predictions, labels, k), gc.float32)
    return gc.metrics.mean(found, weights, metrics_collections, updates_collections, name or f"recall_at_{k}")


@public("compat.v1.contrib.metrics.streaming_sparse_recall_at_k")
def streaming_sparse_recall_at_k(predictions: Any, labels: Any, k: int, class_id: int | None = None,
                                 weights: Any = None, metrics_collections: Collections = None,
                                 updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.recall_at_k`, the predictions first: (value, update) over all batches.

    Two float64 scalars, of number predictions [..., classes] and labels [..., one or more] or [...]. Raises ValueError
    if shapes or weights do not fit or k is above the number of classes, TypeError for strings. As
    `tf.contrib.metrics.streaming_sparse_recall_at_k`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_sparse_recall_at_k(
    ...     predictions=[[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]], labels=np.array([[1], [2]]), k=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.5)
    """
    return gc.metrics.recall_at_k(labels, predictions, k, class_id, weights, metrics_collections, updates_collections,
                                  name)


@public("compat.v1.contrib.metrics.streaming_sparse_precision_at_k")
def streaming_sparse_precision_at_k(predictions: Any, labels: Any, k: int, class_id: int | None = None,
                                    weights: Any = None, metrics_collections: Collections = None,
                                    updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.precision_at_k`, the predictions first: (value, update) over all batches.

    Two float64 scalars, of number predictions [..., classes] and labels [..., one or more] or [...]. Raises ValueError
    if shapes or weights do not fit or k is above the number of classes, TypeError for strings. As
    `tf.contrib.metrics.streaming_sparse_precision_at_k`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_sparse_precision_at_k(
    ...     predictions=[[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]], labels=np.array([[1], [2]]), k=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.25)
    """
    return gc.metrics.precision_at_k(labels, predictions, k, class_id, weights, metrics_collections,
                                     updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_sparse_precision_at_top_k")
def streaming_sparse_precision_at_top_k(top_k_predictions: Any, labels: Any, class_id: int | None = None,
                                        weights: Any = None, metrics_collections: Collections = None,
                                        updates_collections: Collections = None, name: str | None = None) -> Result:
    """`gc.metrics.precision_at_top_k`, the predictions first.

    (value, update): float64 scalars of integer classes [..., k] and labels [..., one or more] or [...]. Raises
    ValueError if their ranks do not fit, TypeError for strings. As
    `tf.contrib.metrics.streaming_sparse_precision_at_top_k`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_sparse_precision_at_top_k(
    ...     top_k_predictions=np.array([[2, 1], [0, 1]]), labels=np.array([[1], [2]]))
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.25)
    """
    return gc.metrics.precision_at_top_k(labels, top_k_predictions, None, class_id, weights, metrics_collections,
                                         updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_sparse_average_precision_at_k")
def streaming_sparse_average_precision_at_k(predictions: Any, labels: Any, k: int, weights: Any = None,
                                            metrics_collections: Collections = None,
                                            updates_collections: Collections = None,
                                            name: str | None = None) -> Result:
    """`gc.metrics.average_precision_at_k`, the predictions first: (value, update) over all batches.

    Two float64 scalars, of number predictions [..., classes] and labels [..., one or more] or [...]. Raises ValueError
    if shapes or weights do not fit or k is above the number of classes, TypeError for strings. As
    `tf.contrib.metrics.streaming_sparse_average_precision_at_k`.

    >>> value, update = gc.compat.v1.contrib.metrics.streaming_sparse_average_precision_at_k(
    ...     predictions=[[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]], labels=np.array([[1], [2]]), k=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.25)
    """
    return gc.metrics.average_precision_at_k(labels, predictions, k, weights, metrics_collections, updates_collections,
                                             name)
