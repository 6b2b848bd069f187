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
    return gc.metrics.mean(values, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_mean_tensor")
def streaming_mean_tensor(values: Any, weights: Any = None, metrics_collections: Collections = None,
                          updates_collections: Collections = None, name: str | None = None) -> Result:
    return gc.metrics.mean_tensor(values, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_percentage_less")
def streaming_percentage_less(values: Any, threshold: Any, weights: Any = None, metrics_collections: Collections = None,
                              updates_collections: Collections = None, name: str | None = None) -> Result:
    return gc.metrics.percentage_below(values, threshold, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_accuracy")
def streaming_accuracy(predictions: Any, labels: Any, weights: Any = None, metrics_collections: Collections = None,
                       updates_collections: Collections = None, name: str | None = None) -> Result:
    return gc.metrics.accuracy(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_mean_absolute_error")
def streaming_mean_absolute_error(predictions: Any, labels: Any, weights: Any = None,
                                  metrics_collections: Collections = None, updates_collections: Collections = None,
                                  name: str | None = None) -> Result:
    return gc.metrics.mean_absolute_error(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_mean_relative_error")
def streaming_mean_relative_error(predictions: Any, labels: Any, normalizer: Any, weights: Any = None,
                                  metrics_collections: Collections = None, updates_collections: Collections = None,
                                  name: str | None = None) -> Result:
    return gc.metrics.mean_relative_error(labels, predictions, normalizer, weights, metrics_collections,
                                          updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_mean_squared_error")
def streaming_mean_squared_error(predictions: Any, labels: Any, weights: Any = None,
                                 metrics_collections: Collections = None, updates_collections: Collections = None,
                                 name: str | None = None) -> Result:
    return gc.metrics.mean_squared_error(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_root_mean_squared_error")
def streaming_root_mean_squared_error(predictions: Any, labels: Any, weights: Any = None,
                                      metrics_collections: Collections = None, updates_collections: Collections = None,
                                      name: str | None = None) -> Result:
    return gc.metrics.root_mean_squared_error(labels, predictions, weights, metrics_collections, updates_collections,
                                              name)


@public("compat.v1.contrib.metrics.streaming_mean_cosine_distance")
def streaming_mean_cosine_distance(predictions: Any, labels: Any, dim: int, weights: Any = None,
                                   metrics_collections: Collections = None, updates_collections: Collections = None,
                                   name: str | None = None) -> Result:
    return gc.metrics.mean_cosine_distance(labels, predictions, dim, weights, metrics_collections, updates_collections,
                                           name)


@public("compat.v1.contrib.metrics.streaming_mean_iou")
def streaming_mean_iou(predictions: Any, labels: Any, num_classes: int, weights: Any = None,
                       metrics_collections: Collections = None, updates_collections: Collections = None,
                       name: str | None = None) -> Result:
    return gc.metrics.mean_iou(labels, predictions, num_classes, weights, metrics_collections, updates_collections,
                               name)


@public("compat.v1.contrib.metrics.streaming_precision")
def streaming_precision(predictions: Any, labels: Any, weights: Any = None, metrics_collections: Collections = None,
                        updates_collections: Collections = None, name: str | None = None) -> Result:
    return gc.metrics.precision(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_recall")
def streaming_recall(predictions: Any, labels: Any, weights: Any = None, metrics_collections: Collections = None,
                     updates_collections: Collections = None, name: str | None = None) -> Result:
    return gc.metrics.recall(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_true_positives")
def streaming_true_positives(predictions: Any, labels: Any, weights: Any = None,
                             metrics_collections: Collections = None, updates_collections: Collections = None,
                             name: str | None = None) -> Result:
    return gc.metrics.true_positives(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_true_negatives")
def streaming_true_negatives(predictions: Any, labels: Any, weights: Any = None,
                             metrics_collections: Collections = None, updates_collections: Collections = None,
                             name: str | None = None) -> Result:
    return gc.metrics.true_negatives(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_false_positives")
def streaming_false_positives(predictions: Any, labels: Any, weights: Any = None,
                              metrics_collections: Collections = None, updates_collections: Collections = None,
                              name: str | None = None) -> Result:
    return gc.metrics.false_positives(labels, predictions, weights, metrics_collections, updates_collections, name)


@public("compat.v1.contrib.metrics.streaming_false_negatives")
def streaming_false_negatives(predictions: Any, labels: Any, weights: Any = None,
                              metrics_collections: Collections = None, updates_collections: Collections = None,
                              name: str | None = None) -> Result:
    return gc.metrics.false_negatives(labels, predictions, weights, metrics_collections, updates_collections, name)
