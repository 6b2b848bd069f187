"""Metrics of the k best classes of each row: precision, recall and average precision at k.

labels: int64 [..., labels of a row], [...] for one label a row, or a SparseTensor. A label that is no class is never
found. Rows count as their weights say.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.metrics.common import Collections, Result, collected, metric_variable, ratio, spread


@dataclass
class Labels:
    """ids [..., n]; there: which of them are a row's own, each once."""

    ids: Any
    there: Any


def _labels(labels: Any, rank: int | None) -> Labels:
    """rank: of the predictions."""
    if isinstance(labels, gc.SparseTensor):
        ids = gc.sparse_tensor_to_dense(labels, default_value=gc.cast(-1, labels.dtype), validate_indices=False)
        marks = gc.SparseTensor(labels.indices, gc.ones_like(labels.values), labels.dense_shape)
        given = gc.equal(gc.sparse_tensor_to_dense(marks, validate_indices=False), gc.cast(1, labels.dtype))
    else:
        ids = gc.convert_to_tensor(labels)
        if rank is not None and ids.shape.ndims == rank - 1:
            ids = gc.expand_dims(ids, -1)
        given = gc.ones_like(ids, gc.bool)
    if rank is not None and ids.shape.ndims not in (rank, None):
        raise ValueError(f"Unexpected labels shape {ids.shape} for predictions of rank {rank}: labels have the same "
                         "rank, or one less")
    ids = gc.cast(ids, gc.int64)
    equal = gc.logical_and(gc.equal(gc.expand_dims(ids, -1), gc.expand_dims(ids, -2)), gc.expand_dims(given, -2))
    earlier = gc.matrix_band_part(gc.ones_like(gc.cast(equal, gc.float32)), -1, 0)
    earlier = gc.greater(earlier - gc.matrix_band_part(earlier, 0, 0), 0.0)
    repeated = gc.reduce_any(gc.logical_and(equal, earlier), -1)
    return Labels(ids, gc.logical_and(given, gc.logical_not(repeated)))


def _found(labels: Labels, top: Any) -> Any:
    """bool [..., k, n]: which of the k best is which label."""
    return gc.logical_and(gc.equal(gc.expand_dims(top, -1), gc.expand_dims(labels.ids, -2)),
                          gc.expand_dims(labels.there, -2))


def _of_class(labels: Labels, top: Any, class_id: int | None) -> tuple[Any, Any]:
    """(which labels count, which of the k best count)"""
    if class_id is None:
        return labels.there, gc.ones_like(top, gc.bool)
    wanted = gc.constant(class_id, gc.int64)
    return gc.logical_and(labels.there, gc.equal(labels.ids, wanted)), gc.equal(top, wanted)


def _count(what: str, kept: Any, k: int, class_id: int | None, weights: Any) -> Result:
    """The weighted number of marks."""
    with gc.name_scope(None, _name(what, k, class_id)) as scope:
        rows = gc.reduce_sum(gc.cast(kept, gc.float64), -1)
        if weights is not None:
            rows = rows * _for_rows(weights, rows)
        count = metric_variable([], gc.float64, scope)
        return gc.identity(count), gc.assign_add(count, gc.reduce_sum(rows), name="update")


def _for_rows(weights: Any, rows: Any) -> Any:
    weights = gc.convert_to_tensor(weights)
    if weights.shape.ndims is not None and rows.shape.ndims is not None and weights.shape.ndims == rows.shape.ndims + 1:
        weights = gc.squeeze(weights, [-1])
    return spread(weights, rows)


def _name(name: str, k: int, class_id: int | None = None) -> str:
    return f"{name}_at_{k}" if class_id is None else f"{name}_at_{k}_class{class_id}"


def _at_top_k(kind: str, labels: Any, top: Any, k: int | None, class_id: int | None, weights: Any, values: Collections,
              updates: Collections, name: str | None) -> Result:
    """kind: "precision" or "recall"."""
    top = gc.cast(top, gc.int64)
    k = int(top.shape[-1]) if k is None else k
    with gc.name_scope(name, _name(kind, k, class_id)) as scope:
        made = _labels(labels, top.shape.ndims)
        own, asked = _of_class(made, top, class_id)
        found = _found(made, top)
        right = _count("true_positive", gc.logical_and(gc.reduce_any(found, -1), asked), k, class_id, weights)
        if kind == "precision":
            wrong = _count("false_positive", gc.logical_and(gc.logical_not(gc.reduce_any(found, -1)), asked), k,
                           class_id, weights)
        else:
            wrong = _count("false_negative", gc.logical_and(gc.logical_not(gc.reduce_any(found, -2)), own), k,
                           class_id, weights)
        return collected(gc.div(right[0], right[0] + wrong[0], name=scope),
                         gc.div(right[1], right[1] + wrong[1], name="update"), values, updates)


@public("metrics.precision_at_top_k")
def precision_at_top_k(labels: Any, predictions_idx: Any, k: int | None = None, class_id: int | None = None,
                       weights: Any = None, metrics_collections: Collections = None,
                       updates_collections: Collections = None, name: str | None = None) -> Result:
    """The share of the classes predictions_idx [..., k] that are among their row's labels, as
    `tf.metrics.precision_at_top_k`. class_id: only that class counts.

    labels: int64 [..., labels of the row], [...] or a SparseTensor; predictions_idx: int64; weights: [...]. Both
    results are float64 scalars. Raises ValueError for labels of another rank, TypeError for strings, or without k if
    the last size is unknown.

    >>> value, update = gc.metrics.precision_at_top_k(
    ...     labels=np.array([[1], [2]]), predictions_idx=np.array([[2, 1], [0, 1]]))
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.25)
    """
    return _at_top_k("precision", labels, predictions_idx, k, class_id, weights, metrics_collections,
                     updates_collections, name)


@public("metrics.precision_at_k")
def precision_at_k(labels: Any, predictions: Any, k: int, class_id: int | None = None, weights: Any = None,
                   metrics_collections: Collections = None, updates_collections: Collections = None,
                   name: str | None = None) -> Result:
    """The share of the k best classes of the scores `predictions` that are among their row's labels, as
    `tf.metrics.precision_at_k`. class_id: only that class counts.
    Labels [..., labels of the row] of int64, predictions [..., classes].

    Both results are float64 scalars. Raises ValueError for labels of another rank or number of rows, a k greater than
    the number of classes, and other weights than [...]; TypeError for strings.

    >>> value, update = gc.metrics.precision_at_k(
    ...     labels=np.array([[1], [2]]), predictions=[[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]], k=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.25)
    """
    with gc.name_scope(name, _name("precision", k, class_id)) as scope:
        top = gc.nn.top_k(predictions, k)[1]
        return precision_at_top_k(labels, top, k, class_id, weights, metrics_collections, updates_collections, scope)


@public("metrics.recall_at_top_k")
def recall_at_top_k(labels: Any, predictions_idx: Any, k: int | None = None, class_id: int | None = None,
                    weights: Any = None, metrics_collections: Collections = None,
                    updates_collections: Collections = None, name: str | None = None) -> Result:
    """The share of labels that are among their row's classes predictions_idx [..., k], as
    `tf.metrics.recall_at_top_k`. class_id: only that class counts.

    labels: int64 [..., labels of the row], [...] or a SparseTensor; predictions_idx: int64; weights: [...]. Both
    results are float64 scalars. Raises ValueError for labels of another rank, TypeError for strings, or without k if
    the last size is unknown.

    >>> value, update = gc.metrics.recall_at_top_k(
    ...     labels=np.array([[1], [2]]), predictions_idx=np.array([[2, 1], [0, 1]]))
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.5)
    """
    return _at_top_k("recall", labels, predictions_idx, k, class_id, weights, metrics_collections,
                     updates_collections, name)


@public("metrics.recall_at_k")
def recall_at_k(labels: Any, predictions: Any, k: int, class_id: int | None = None, weights: Any = None,
                metrics_collections: Collections = None, updates_collections: Collections = None,
                name: str | None = None) -> Result:
    """The share of labels that are among the k best classes of their row's scores, as `tf.metrics.recall_at_k`.
    class_id: only that class counts.
    Labels [..., labels of the row] of int64, predictions [..., classes].

    Both results are float64 scalars. Raises ValueError for labels of another rank or number of rows, a k greater than
    the number of classes, and other weights than [...]; TypeError for strings.

    >>> value, update = gc.metrics.recall_at_k(
    ...     labels=np.array([[1], [2]]), predictions=[[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]], k=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.5)
    """
    with gc.name_scope(name, _name("recall", k, class_id)) as scope:
        top = gc.nn.top_k(predictions, k)[1]
        return recall_at_top_k(labels, top, k, class_id, weights, metrics_collections, updates_collections, scope)


@public("metrics.average_precision_at_k")
def average_precision_at_k(labels: Any, predictions: Any, k: int, weights: Any = None,
                           metrics_collections: Collections = None, updates_collections: Collections = None,
                           name: str | None = None) -> Result:
    """The mean over rows of the average of the precisions at each place up to k that holds a label, as
    `tf.metrics.average_precision_at_k`.
    Labels [..., labels of the row] of int64, predictions [..., classes].

    Both results are float64 scalars. Raises ValueError for labels of another rank, and a k greater than the number of
    classes; TypeError for strings.

    >>> value, update = gc.metrics.average_precision_at_k(
    ...     labels=np.array([[1], [2]]), predictions=[[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]], k=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.25)
    """
    with gc.name_scope(name, _name("average_precision", k)) as scope:
        top = gc.cast(gc.nn.top_k(predictions, k)[1], gc.int64)
        made = _labels(labels, top.shape.ndims)
        marks = gc.cast(gc.reduce_any(_found(made, top), -1), gc.float64)
        precisions = gc.cumsum(marks, -1) / gc.cast(gc.range(1, k + 1), gc.float64)
        relevant = gc.minimum(gc.reduce_sum(gc.cast(made.there, gc.float64), -1), gc.cast(k, gc.float64))
        rows = ratio(gc.reduce_sum(precisions * marks, -1), relevant)
        if weights is None:
            number = gc.cast(gc.size(rows), gc.float64)
        else:
            share = _for_rows(weights, rows)
            rows, number = rows * share, gc.reduce_sum(share)
        with gc.name_scope(None, "max_1") as inner:         # as TensorFlow calls it
            most = metric_variable([], gc.float64, inner)
            more = gc.assign_add(most, number, name="update")
        with gc.name_scope(None, "total") as inner:
            total = metric_variable([], gc.float64, inner)
            added = gc.assign_add(total, gc.reduce_sum(rows), name="update")
        return collected(ratio(total, most, "mean"), ratio(added, more, scope), metrics_collections,
                         updates_collections)


@public("metrics.sparse_precision_at_k")
def sparse_precision_at_k(labels: Any, predictions: Any, k: int, class_id: int | None = None, weights: Any = None,
                          metrics_collections: Collections = None, updates_collections: Collections = None,
                          name: str | None = None) -> Result:
    """The older name of `precision_at_k`.

    Labels int64, predictions [..., classes]; errors as there. As `tf.metrics.sparse_precision_at_k`.

    >>> value, update = gc.metrics.sparse_precision_at_k(
    ...     labels=np.array([[1], [2]]), predictions=[[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]], k=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.25)
    """
    return precision_at_k(labels, predictions, k, class_id, weights, metrics_collections, updates_collections, name)


@public("metrics.sparse_average_precision_at_k")
def sparse_average_precision_at_k(labels: Any, predictions: Any, k: int, weights: Any = None,
                                  metrics_collections: Collections = None, updates_collections: Collections = None,
                                  name: str | None = None) -> Result:
    """The older name of `average_precision_at_k`.

    Labels int64, predictions [..., classes]; errors as there. As `tf.metrics.sparse_average_precision_at_k`.

    >>> value, update = gc.metrics.sparse_average_precision_at_k(
    ...     labels=np.array([[1], [2]]), predictions=[[0.1, 0.3, 0.6], [0.5, 0.3, 0.2]], k=2)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float64(0.25)
    """
    return average_precision_at_k(labels, predictions, k, weights, metrics_collections, updates_collections, name)
