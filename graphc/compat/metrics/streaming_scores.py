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
    return gc.metrics.auc(labels, predictions, weights, num_thresholds, metrics_collections, updates_collections, curve,
                          name)


@public("compat.v1.contrib.metrics.streaming_precision_at_thresholds")
def streaming_precision_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float], weights: Any = None,
                                      metrics_collections: Collections = None, updates_collections: Collections = None,
                                      name: str | None = None) -> Result:
    return gc.metrics.precision_at_thresholds(labels, predictions, thresholds, weights, metrics_collections,
                                              updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_recall_at_thresholds")
def streaming_recall_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float], weights: Any = None,
                                   metrics_collections: Collections = None, updates_collections: Collections = None,
                                   name: str | None = None) -> Result:
    return gc.metrics.recall_at_thresholds(labels, predictions, thresholds, weights, metrics_collections,
                                           updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_true_positives_at_thresholds")
def streaming_true_positives_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float],
                                           weights: Any = None) -> Result:
    return gc.metrics.true_positives_at_thresholds(labels, predictions, thresholds, weights)


@public("compat.v1.contrib.metrics.streaming_true_negatives_at_thresholds")
def streaming_true_negatives_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float],
                                           weights: Any = None) -> Result:
    return gc.metrics.true_negatives_at_thresholds(labels, predictions, thresholds, weights)


@public("compat.v1.contrib.metrics.streaming_false_positives_at_thresholds")
def streaming_false_positives_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float],
                                            weights: Any = None) -> Result:
    return gc.metrics.false_positives_at_thresholds(labels, predictions, thresholds, weights)


@public("compat.v1.contrib.metrics.streaming_false_negatives_at_thresholds")
def streaming_false_negatives_at_thresholds(predictions: Any, labels: Any, thresholds: Sequence[float],
                                            weights: Any = None) -> Result:
    return gc.metrics.false_negatives_at_thresholds(labels, predictions, thresholds, weights)


@public("compat.v1.contrib.metrics.streaming_sensitivity_at_specificity")
def streaming_sensitivity_at_specificity(predictions: Any, labels: Any, specificity: float, weights: Any = None,
                                         num_thresholds: int = 200, metrics_collections: Collections = None,
                                         updates_collections: Collections = None, name: str | None = None) -> Result:
    return gc.metrics.sensitivity_at_specificity(labels, predictions, specificity, weights, num_thresholds,
                                                 metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_specificity_at_sensitivity")
def streaming_specificity_at_sensitivity(predictions: Any, labels: Any, sensitivity: float, weights: Any = None,
                                         num_thresholds: int = 200, metrics_collections: Collections = None,
                                         updates_collections: Collections = None, name: str | None = None) -> Result:
    return gc.metrics.specificity_at_sensitivity(labels, predictions, sensitivity, weights, num_thresholds,
                                                 metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_recall_at_k")
def streaming_recall_at_k(predictions: Any, labels: Any, k: int, weights: Any = None,
                          metrics_collections: Collections = None, updates_collections: Collections = None,
                          name: str | None = None) -> Result:
    """The share of rows whose one label is among the k best."""
    found = gc.cast(gc.nn.in_top_k(predictions, labels, k), gc.float32)
    return gc.metrics.mean(found, weights, metrics_collections, updates_collections, name or f"recall_at_{k}")


@public("compat.v1.contrib.metrics.streaming_sparse_recall_at_k")
def streaming_sparse_recall_at_k(predictions: Any, labels: Any, k: int, class_id: int | None = None,
                                 weights: Any = None, metrics_collections: Collections = None,
                                 updates_collections: Collections = None, name: str | None = None) -> Result:
    return gc.metrics.recall_at_k(labels, predictions, k, class_id, weights, metrics_collections, updates_collections,
                                  name)


@public("compat.v1.contrib.metrics.streaming_sparse_precision_at_k")
def streaming_sparse_precision_at_k(predictions: Any, labels: Any, k: int, class_id: int | None = None,
                                    weights: Any = None, metrics_collections: Collections = None,
                                    updates_collections: Collections = None, name: str | None = None) -> Result:
    return gc.metrics.precision_at_k(labels, predictions, k, class_id, weights, metrics_collections,
                                     updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_sparse_precision_at_top_k")
def streaming_sparse_precision_at_top_k(top_k_predictions: Any, labels: Any, class_id: int | None = None,
                                        weights: Any = None, metrics_collections: Collections = None,
                                        updates_collections: Collections = None, name: str | None = None) -> Result:
    return gc.metrics.precision_at_top_k(labels, top_k_predictions, None, class_id, weights, metrics_collections,
                                         updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_sparse_average_precision_at_k")
def streaming_sparse_average_precision_at_k(predictions: Any, labels: Any, k: int, weights: Any = None,
                                            metrics_collections: Collections = None,
                                            updates_collections: Collections = None,
                                            name: str | None = None) -> Result:
    return gc.metrics.average_precision_at_k(labels, predictions, k, weights, metrics_collections, updates_collections,
                                             name)
