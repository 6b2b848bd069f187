"""Metrics of scores: counts at several thresholds, and what is made of them: auc, precision, recall, sensitivity."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.metrics.common import Collections, Result, collected, metric_variable, ratio, spread, squeezed

EPSILON = 1e-7
NAMES = {"tp": "true_positives", "fn": "false_negatives", "tn": "true_negatives", "fp": "false_positives"}


@dataclass
class Counts:
    """One number for each threshold; None of those that were not asked for."""

    tp: Any = None
    fn: Any = None
    tn: Any = None
    fp: Any = None


def counts_at(labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any,
              includes: Sequence[str] = tuple(NAMES)) -> tuple[Counts, Counts]:
    """(the values, the updates) of the counts in `includes`."""
    in_range = [gc.assert_greater_equal(predictions, gc.cast(0.0, predictions.dtype),
                                        message="predictions must be in [0, 1]"),
                gc.assert_less_equal(predictions, gc.cast(1.0, predictions.dtype),
                                     message="predictions must be in [0, 1]")]
    with gc.control_dependencies(in_range):
        predictions, labels, weights = squeezed(gc.cast(predictions, gc.float32), gc.cast(labels, gc.bool), weights)
    scores = gc.reshape(predictions, [1, -1])
    yes = gc.greater(scores, gc.constant(list(thresholds), gc.float32, shape=[len(thresholds), 1]))
    true = gc.logical_and(gc.reshape(labels, [1, -1]), gc.ones_like(yes))
    share = None if weights is None else gc.reshape(spread(weights, predictions), [1, -1])
    parts = {"tp": (true, yes), "fn": (true, gc.logical_not(yes)), "tn": (gc.logical_not(true), gc.logical_not(yes)),
             "fp": (gc.logical_not(true), yes)}
    values, updates = Counts(), Counts()
    for key in NAMES:
        if key in includes:
            found = gc.cast(gc.logical_and(*parts[key]), gc.float32)
            count = metric_variable([len(thresholds)], gc.float32, NAMES[key])
            setattr(values, key, gc.identity(count))
            total = gc.reduce_sum(found if share is None else found * share, 1)
            setattr(updates, key, gc.assign_add(count, total))
    return values, updates


def _metric(name: str | None, default: str, labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any,
            includes: Sequence[str], compute: Callable[[Counts, str], Any], names: tuple[str, str],
            values: Collections, updates: Collections) -> Result:
    with gc.variable_scope(name, default, (labels, predictions, weights)):
        predictions = gc.convert_to_tensor(predictions)
        if not predictions.dtype.is_floating:
            predictions = gc.cast(predictions, gc.float32)
        counts, updated = counts_at(labels, predictions, thresholds, weights, includes)
        return collected(compute(counts, names[0]), compute(updated, names[1]), values, updates)


def spaced(count: int) -> list[float]:
    """`count` thresholds over [0, 1], a little more at the ends."""
    return [-EPSILON, *((i + 1) / (count - 1) for i in range(count - 2)), 1 + EPSILON]


@public("metrics.auc")
def auc(labels: Any, predictions: Any, weights: Any = None, num_thresholds: int = 200,
        metrics_collections: Collections = None, updates_collections: Collections = None, curve: str = "ROC",
        name: str | None = None, summation_method: str = "trapezoidal",
        thresholds: Sequence[float] | None = None) -> Result:
    """The area under the curve "ROC" or "PR" (precision over recall), by sums over thresholds, as `tf.metrics.auc`.

    summation_method: "trapezoidal", "minoring", "majoring", or of PR "careful_interpolation". thresholds: others than
    num_thresholds evenly spaced ones.
    Predictions of 0 to 1. labels: bools, or numbers of which 0 is none, in the shape of predictions; both results are
    float32 scalars. Raises ValueError for another curve or summation_method, shapes that differ, and other weights;
    predictions outside [0, 1] are an InvalidArgumentError when run.

    >>> value, update = gc.metrics.auc(labels=[True, True, False, False], predictions=[0.9, 0.4, 0.6, 0.1])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.75)
    """
    if curve not in ("ROC", "PR"):
        raise ValueError(f"curve must be either ROC or PR, {curve} unknown")
    if summation_method not in ("trapezoidal", "minoring", "majoring", "careful_interpolation"):
        raise ValueError(f"Invalid summation_method: {summation_method}")
    if summation_method == "careful_interpolation" and curve != "PR":
        raise ValueError("summation_method 'careful_interpolation' is only supported for the curve PR")
    used = spaced(num_thresholds) if thresholds is None else [-EPSILON, *sorted(thresholds), 1 + EPSILON]

    def area(c: Counts, called: str) -> Any:
        if summation_method == "careful_interpolation":
            return _interpolated(c)
        x, y = _curve(c, curve)
        left, right = y[:-1], y[1:]
        height = {"trapezoidal": lambda: (left + right) / 2.0, "minoring": lambda: gc.minimum(left, right),
                  "majoring": lambda: gc.maximum(left, right)}[summation_method]()
        return gc.reduce_sum(gc.multiply(x[:-1] - x[1:], height), name=called)

    return _metric(name, "auc", labels, predictions, used, weights, tuple(NAMES), area, ("value", "update_op"),
                   metrics_collections, updates_collections)


def _curve(c: Counts, curve: str) -> tuple[Any, Any]:
    small = 1.0e-6
    found = gc.div(c.tp + small, c.tp + c.fn + small)
    if curve == "ROC":
        return gc.div(c.fp, c.fp + c.tn + small), found
    return found, gc.div(c.tp + small, c.tp + c.fp + small)


def _interpolated(c: Counts) -> Any:
    """Davis and Goadrich 2006: between two thresholds the true positives are linear in the positives."""
    rise, positives = c.tp[:-1] - c.tp[1:], c.tp + c.fp
    slope = ratio(rise, positives[:-1] - positives[1:])
    intercept = c.tp[1:] - gc.multiply(slope, positives[1:])
    both = gc.logical_and(positives[:-1] > 0.0, positives[1:] > 0.0)
    quotient = gc.where(both, ratio(positives[:-1], positives[1:]), gc.ones_like(positives[1:]))
    area = ratio(slope * (rise + intercept * gc.log(quotient)), c.tp[1:] + c.fn[1:])
    return gc.reduce_sum(area, name="interpolate_pr_auc")


@public("metrics.precision_at_thresholds")
def precision_at_thresholds(labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any = None,
                            metrics_collections: Collections = None, updates_collections: Collections = None,
                            name: str | None = None) -> Result:
    """As `tf.metrics.precision_at_thresholds`: one number for each threshold.

    Predictions of 0 to 1. labels: bools, in the shape of predictions; both results are float32 [thresholds]. Raises
    ValueError for shapes that differ; predictions outside [0, 1] are an InvalidArgumentError when run.

    >>> value, update = gc.metrics.precision_at_thresholds(
    ...     labels=[True, True, False], predictions=[0.9, 0.4, 0.6], thresholds=[0.5, 0.7])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([0.5, 1. ], dtype=float32)
    """
    return _metric(name, "precision_at_thresholds", labels, predictions, thresholds, weights, ("tp", "fp"),
                   lambda c, called: gc.div(c.tp, EPSILON + c.tp + c.fp, name=called),
                   ("precision_value", "precision_update_op"), metrics_collections, updates_collections)


@public("metrics.recall_at_thresholds")
def recall_at_thresholds(labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any = None,
                         metrics_collections: Collections = None, updates_collections: Collections = None,
                         name: str | None = None) -> Result:
    """As `tf.metrics.recall_at_thresholds`: one number for each threshold.

    Predictions of 0 to 1. labels: bools, in the shape of predictions; both results are float32 [thresholds]. Raises
    ValueError for shapes that differ; predictions outside [0, 1] are an InvalidArgumentError when run.

    >>> value, update = gc.metrics.recall_at_thresholds(
    ...     labels=[True, True, False], predictions=[0.9, 0.4, 0.6], thresholds=[0.5, 0.3])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([0.5, 1. ], dtype=float32)
    """
    return _metric(name, "recall_at_thresholds", labels, predictions, thresholds, weights, ("tp", "fn"),
                   lambda c, called: gc.div(c.tp, EPSILON + c.tp + c.fn, name=called),
                   ("recall_value", "recall_update_op"), metrics_collections, updates_collections)


def _count_at(key: str, labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any, values: Collections,
              updates: Collections, name: str | None) -> Result:
    return _metric(name, NAMES[key], labels, predictions, thresholds, weights, (key,),
                   lambda c, called: getattr(c, key), ("", ""), values, updates)


@public("metrics.true_positives_at_thresholds")
def true_positives_at_thresholds(labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any = None,
                                 metrics_collections: Collections = None, updates_collections: Collections = None,
                                 name: str | None = None) -> Result:
    """The (weighted) number of positive labels that were predicted positive, where a prediction above the threshold is
    positive: [thresholds].

    labels: bools, in the shape of predictions, which are from 0 to 1; both results are float32. As
    `tf.metrics.true_positives_at_thresholds`. Raises ValueError for shapes that differ; predictions outside [0, 1] are
    an InvalidArgumentError when run.

    >>> value, update = gc.metrics.true_positives_at_thresholds(
    ...     labels=[True, True, False], predictions=[0.9, 0.4, 0.6], thresholds=[0.5, 0.3])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([1., 2.], dtype=float32)
    """
    return _count_at("tp", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)


@public("metrics.false_positives_at_thresholds")
def false_positives_at_thresholds(labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any = None,
                                  metrics_collections: Collections = None, updates_collections: Collections = None,
                                  name: str | None = None) -> Result:
    """The (weighted) number of negative labels that were predicted positive, where a prediction above the threshold is
    positive: [thresholds].

    labels: bools, in the shape of predictions, which are from 0 to 1; both results are float32. As
    `tf.metrics.false_positives_at_thresholds`. Raises ValueError for shapes that differ; predictions outside [0, 1] are
    an InvalidArgumentError when run.

    >>> value, update = gc.metrics.false_positives_at_thresholds(
    ...     labels=[True, True, False], predictions=[0.9, 0.4, 0.6], thresholds=[0.5, 0.3])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([1., 1.], dtype=float32)
    """
    return _count_at("fp", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)


@public("metrics.true_negatives_at_thresholds")
def true_negatives_at_thresholds(labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any = None,
                                 metrics_collections: Collections = None, updates_collections: Collections = None,
                                 name: str | None = None) -> Result:
    """The (weighted) number of negative labels that were predicted negative, where a prediction above the threshold is
    positive: [thresholds].

    labels: bools, in the shape of predictions, which are from 0 to 1; both results are float32. As
    `tf.metrics.true_negatives_at_thresholds`. Raises ValueError for shapes that differ; predictions outside [0, 1] are
    an InvalidArgumentError when run.

    >>> value, update = gc.metrics.true_negatives_at_thresholds(
    ...     labels=[True, True, False], predictions=[0.9, 0.4, 0.6], thresholds=[0.5, 0.3])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([0., 0.], dtype=float32)
    """
    return _count_at("tn", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)


@public("metrics.false_negatives_at_thresholds")
def false_negatives_at_thresholds(labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any = None,
                                  metrics_collections: Collections = None, updates_collections: Collections = None,
                                  name: str | None = None) -> Result:
    """The (weighted) number of positive labels that were predicted negative, where a prediction above the threshold is
    positive: [thresholds].

    labels: bools, in the shape of predictions, which are from 0 to 1; both results are float32. As
    `tf.metrics.false_negatives_at_thresholds`. Raises ValueError for shapes that differ; predictions outside [0, 1] are
    an InvalidArgumentError when run.

    >>> value, update = gc.metrics.false_negatives_at_thresholds(
    ...     labels=[True, True, False], predictions=[0.9, 0.4, 0.6], thresholds=[0.5, 0.3])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    array([1., 0.], dtype=float32)
    """
    return _count_at("fn", labels, predictions, thresholds, weights, metrics_collections, updates_collections, name)


@public("metrics.sensitivity_at_specificity")
def sensitivity_at_specificity(labels: Any, predictions: Any, specificity: float, weights: Any = None,
                               num_thresholds: int = 200, metrics_collections: Collections = None,
                               updates_collections: Collections = None, name: str | None = None) -> Result:
    """The share of positives found at the threshold whose specificity is nearest to that given, as
    `tf.metrics.sensitivity_at_specificity`.

    labels: bools, in the shape of predictions; both results are float32 scalars. Raises ValueError for a share outside
    [0, 1], and shapes that differ; predictions outside [0, 1] are an InvalidArgumentError when run.

    >>> value, update = gc.metrics.sensitivity_at_specificity(
    ...     labels=[True, True, False, False], predictions=[0.9, 0.4, 0.6, 0.1], specificity=0.5)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    _check_share(specificity, "specificity")

    def sensitivity(c: Counts, called: str) -> Any:
        nearest = gc.argmin(gc.abs(gc.div(c.tn, c.tn + c.fp + EPSILON) - specificity), 0)
        found, missed = gc.gather(c.tp, nearest), gc.gather(c.fn, nearest)
        return gc.div(found, found + missed + EPSILON, called)

    return _metric(name, "sensitivity_at_specificity", labels, predictions, spaced(num_thresholds), weights,
                   tuple(NAMES), sensitivity, ("value", "update_op"), metrics_collections, updates_collections)


@public("metrics.specificity_at_sensitivity")
def specificity_at_sensitivity(labels: Any, predictions: Any, sensitivity: float, weights: Any = None,
                               num_thresholds: int = 200, metrics_collections: Collections = None,
                               updates_collections: Collections = None, name: str | None = None) -> Result:
    """The share of negatives left out at the threshold whose sensitivity is nearest to that given, the greatest of
    several, as `tf.metrics.specificity_at_sensitivity`.

    labels: bools, in the shape of predictions; both results are float32 scalars. Raises ValueError for a share outside
    [0, 1], and shapes that differ; predictions outside [0, 1] are an InvalidArgumentError when run.

    >>> value, update = gc.metrics.specificity_at_sensitivity(
    ...     labels=[True, True, False, False], predictions=[0.9, 0.4, 0.6, 0.1], sensitivity=0.5)
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(1.0)
    """
    _check_share(sensitivity, "sensitivity")

    def specificity(c: Counts, called: str) -> Any:
        distance = gc.abs(gc.div(c.tp, c.tp + c.fn + EPSILON) - sensitivity)
        nearest = gc.cast(gc.equal(distance, gc.reduce_min(distance)), gc.int64)
        last = gc.argmax(gc.cumsum(nearest), 0)
        right, wrong = gc.gather(c.tn, last), gc.gather(c.fp, last)
        return gc.div(right, right + wrong + EPSILON, called)

    return _metric(name, "specificity_at_sensitivity", labels, predictions, spaced(num_thresholds), weights,
                   tuple(NAMES), specificity, ("value", "update_op"), metrics_collections, updates_collections)


def _check_share(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"`{name}` must be in the range [0, 1], but is {value}")
