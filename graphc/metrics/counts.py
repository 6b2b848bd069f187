"""How often a yes was right or wrong: true and false positives and negatives, precision, recall."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.metrics.common import Collections, Result, as_bool, collected, metric_variable, spread, squeezed


def count_where(condition: Any, weights: Any, values: Collections = None, updates: Collections = None) -> Result:
    """The weighted number of elements where the condition holds."""
    count = metric_variable([], gc.float32, "count")
    found = gc.cast(condition, gc.float32)
    if weights is not None:
        found = gc.multiply(found, spread(weights, found))
    return collected(gc.identity(count), gc.assign_add(count, gc.reduce_sum(found)), values, updates)


def _counted(name: str | None, default: str, label: bool, prediction: bool, labels: Any, predictions: Any, weights: Any,
             values: Collections, updates: Collections) -> Result:
    with gc.variable_scope(name, default, (predictions, labels, weights)):
        predictions, labels, weights = squeezed(*as_bool(predictions, labels), weights)
        both = gc.logical_and(labels if label else gc.logical_not(labels),
                              predictions if prediction else gc.logical_not(predictions))
        return count_where(both, weights, values, updates)


@public("metrics.true_positives")
def true_positives(labels: Any, predictions: Any, weights: Any = None, metrics_collections: Collections = None,
                   updates_collections: Collections = None, name: str | None = None) -> Result:
    """The (weighted) number of positive labels that were predicted positive; both are turned into bools.

    labels, predictions: of one shape; both results are float32 scalars. weights: a scalar, or of their rank with sizes
    that are theirs or 1. As `tf.metrics.true_positives`. Raises ValueError for shapes that differ, and other weights;
    TypeError for strings.

    >>> value, update = gc.metrics.true_positives(labels=[True, False, True], predictions=[True, True, False])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    return _counted(name, "true_positives", True, True, labels, predictions, weights, metrics_collections,
                    updates_collections)


@public("metrics.false_positives")
def false_positives(labels: Any, predictions: Any, weights: Any = None, metrics_collections: Collections = None,
                    updates_collections: Collections = None, name: str | None = None) -> Result:
    """The (weighted) number of negative labels that were predicted positive; both are turned into bools.

    labels, predictions: of one shape; both results are float32 scalars. weights: a scalar, or of their rank with sizes
    that are theirs or 1. As `tf.metrics.false_positives`. Raises ValueError for shapes that differ, and other weights;
    TypeError for strings.

    >>> value, update = gc.metrics.false_positives(labels=[True, False, True], predictions=[True, True, False])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    return _counted(name, "false_positives", False, True, labels, predictions, weights, metrics_collections,
                    updates_collections)


@public("metrics.true_negatives")
def true_negatives(labels: Any, predictions: Any, weights: Any = None, metrics_collections: Collections = None,
                   updates_collections: Collections = None, name: str | None = None) -> Result:
    """The (weighted) number of negative labels that were predicted negative; both are turned into bools.

    labels, predictions: of one shape; both results are float32 scalars. weights: a scalar, or of their rank with sizes
    that are theirs or 1. As `tf.metrics.true_negatives`. Raises ValueError for shapes that differ, and other weights;
    TypeError for strings.

    >>> value, update = gc.metrics.true_negatives(labels=[True, False, True], predictions=[True, True, False])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.0)
    """
    return _counted(name, "true_negatives", False, False, labels, predictions, weights, metrics_collections,
                    updates_collections)


@public("metrics.false_negatives")
def false_negatives(labels: Any, predictions: Any, weights: Any = None, metrics_collections: Collections = None,
                    updates_collections: Collections = None, name: str | None = None) -> Result:
    """The (weighted) number of positive labels that were predicted negative; both are turned into bools.

    labels, predictions: of one shape; both results are float32 scalars. weights: a scalar, or of their rank with sizes
    that are theirs or 1. As `tf.metrics.false_negatives`. Raises ValueError for shapes that differ, and other weights;
    TypeError for strings.

    >>> value, update = gc.metrics.false_negatives(labels=[True, False, True], predictions=[True, True, False])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    return _counted(name, "false_negatives", True, False, labels, predictions, weights, metrics_collections,
                    updates_collections)


def _share(first: Result, second: Result, values: Collections, updates: Collections) -> Result:
    """first / (first + second), 0 if there are none."""
    return collected(gc.div_no_nan(first[0], first[0] + second[0], name="value"),
                     gc.div_no_nan(first[1], first[1] + second[1], name="update_op"), values, updates)


@public("metrics.precision")
def precision(labels: Any, predictions: Any, weights: Any = None, metrics_collections: Collections = None,
              updates_collections: Collections = None, name: str | None = None) -> Result:
    """The share of positive predictions that are right, as `tf.metrics.precision`.

    Both are turned into bools. labels, predictions: of one shape; both results are float32 scalars. weights: a scalar,
    or of their rank with sizes that are theirs or 1. Raises ValueError for shapes that differ, and other weights;
    TypeError for strings.

    >>> value, update = gc.metrics.precision(labels=[True, False, True], predictions=[True, True, False])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.5)
    """
    with gc.variable_scope(name, "precision", (predictions, labels, weights)):
        predictions, labels, weights = squeezed(*as_bool(predictions, labels), weights)
        return _share(true_positives(labels, predictions, weights), false_positives(labels, predictions, weights),
                      metrics_collections, updates_collections)


@public("metrics.recall")
def recall(labels: Any, predictions: Any, weights: Any = None, metrics_collections: Collections = None,
           updates_collections: Collections = None, name: str | None = None) -> Result:
    """The share of positive labels that were predicted, as `tf.metrics.recall`.

    Both are turned into bools. labels, predictions: of one shape; both results are float32 scalars. weights: a scalar,
    or of their rank with sizes that are theirs or 1. Raises ValueError for shapes that differ, and other weights;
    TypeError for strings.

    >>> value, update = gc.metrics.recall(labels=[True, False, True], predictions=[True, True, False])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.5)
    """
    with gc.variable_scope(name, "recall", (predictions, labels, weights)):
        predictions, labels, weights = squeezed(*as_bool(predictions, labels), weights)
        return _share(true_positives(labels, predictions, weights), false_negatives(labels, predictions, weights),
                      metrics_collections, updates_collections)
