"""tf.contrib.metrics: the predictions come first; sparse labels; collections; what is refused."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
import graphc.compat.v1 as tf

SCORES = np.array([[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.2, 0.3, 0.5]], np.float32)


@pytest.fixture(autouse=True)
def fresh() -> None:
    gc.reset_default_graph()


def after_update(pair):
    with gc.Session() as session:
        session.run(gc.local_variables_initializer())
        updated = session.run(pair[1])
        np.testing.assert_allclose(session.run(pair[0]), updated)
        return updated


@pytest.mark.parametrize(("name", "more"), [
    ("accuracy", {}), ("mean_squared_error", {}), ("root_mean_squared_error", {}), ("mean_absolute_error", {}),
    ("precision", {}), ("recall", {}), ("auc", {}), ("mean_iou", {"num_classes": 2}), ("true_positives", {}),
    ("false_positives", {}), ("true_negatives", {}), ("false_negatives", {}), ("mean_cosine_distance", {"dim": 0}),
    ("precision_at_thresholds", {"thresholds": [0.5]}), ("sensitivity_at_specificity", {"specificity": 0.5})])
def test_predictions_first(name: str, more: dict[str, object]) -> None:
    dtype = np.int32 if name in ("accuracy", "mean_iou") else np.float32
    predictions, labels = np.array([1, 0, 1, 1], dtype), np.array([1, 0, 0, 0], dtype)
    streaming = getattr(tf.contrib.metrics, f"streaming_{name}")(predictions, labels, **more)
    plain = getattr(tf.metrics, name)(labels, predictions, **more)
    with gc.Session() as session:
        session.run(gc.local_variables_initializer())
        np.testing.assert_array_equal(*session.run([streaming[1], plain[1]]))


def test_one_batch() -> None:
    share = tf.contrib.metrics.accuracy(np.array([1, 2, 3]), np.array([1, 2, 2]))
    weighted = tf.contrib.metrics.accuracy(np.array([1, 2, 3]), np.array([1, 2, 2]), weights=[1.0, 0.0, 3.0])
    with gc.Session() as session:
        assert session.run([share, weighted]) == pytest.approx([2 / 3, 0.25])
    with pytest.raises(ValueError, match="Dtypes of predictions and labels should match"):
        tf.contrib.metrics.accuracy(np.array([1], np.int32), np.array([1], np.int64))
    with pytest.raises(ValueError, match="should have bool, integer, or string dtype"):
        tf.contrib.metrics.accuracy([1.0], [1.0])


def test_maps_of_metrics() -> None:
    pairs = {"mean": tf.metrics.mean([1.0, 3.0]), "below": tf.metrics.percentage_below([1.0, 3.0], 2.0)}
    values, updates = tf.contrib.metrics.aggregate_metric_map(pairs)
    listed = tf.contrib.metrics.aggregate_metrics(*pairs.values())
    assert listed == (list(values.values()), list(updates.values()))
    with gc.Session() as session:
        session.run(gc.local_variables_initializer())
        session.run(updates)
        assert session.run(values) == {"mean": 2.0, "below": 0.5}


def test_sparse_labels_count_once() -> None:
    # Row 0 has the labels 1 (twice) and 2, row 1 none, row 2 the label 0.
    labels = gc.SparseTensor([[0, 0], [0, 1], [0, 2], [2, 0]], gc.constant([1, 1, 2, 0], gc.int64), [3, 3])
    assert after_update(tf.metrics.recall_at_k(labels, SCORES, 2)) == pytest.approx(2 / 3)
    gc.reset_default_graph()
    labels = gc.SparseTensor([[0, 0], [0, 1], [0, 2], [2, 0]], gc.constant([1, 1, 2, 0], gc.int64), [3, 3])
    assert after_update(tf.metrics.precision_at_k(labels, SCORES, 1)) == pytest.approx(1 / 3)


def test_recall_at_k_of_one_label() -> None:
    found = tf.contrib.metrics.streaming_recall_at_k(SCORES, np.array([2, 0, 0]), 2)
    assert found[0].name == "recall_at_2/value:0" and after_update(found) == pytest.approx(2 / 3)


def test_collections_and_resetting() -> None:
    value, update = tf.metrics.mean([1.0], metrics_collections=["m"], updates_collections=["u", "v"])
    assert gc.get_collection("m") == [value] and gc.get_collection("v") == [update]
    with gc.Session() as session:
        for _ in range(2):
            session.run(gc.local_variables_initializer())
            assert session.run(value) == 0 and session.run(update) == 1
    assert gc.global_variables() == [] and gc.trainable_variables() == []


def test_metrics_of_one_name_have_variables_of_their_own() -> None:
    tf.metrics.accuracy([1], [1])
    tf.metrics.accuracy([1], [1])
    assert [v.name for v in gc.local_variables()] == ["accuracy/total:0", "accuracy/count:0", "accuracy_1/total:0",
                                                      "accuracy_1/count:0"]


def test_refusals() -> None:
    with pytest.raises(ValueError, match="weights can not be broadcast to values"):
        tf.metrics.mean(gc.zeros([2, 3]), weights=gc.zeros([3, 3]))
    with pytest.raises(ValueError, match="must be a list or tuple"):
        tf.metrics.mean([1.0], metrics_collections="m")
    with pytest.raises(ValueError, match="curve must be either ROC or PR"):
        tf.metrics.auc([True], [0.5], curve="roc")
    with pytest.raises(ValueError, match="Invalid summation_method"):
        tf.metrics.auc([True], [0.5], summation_method="x")
    with pytest.raises(gc.errors.InvalidArgumentError, match=r"predictions must be in \[0, 1\]"):
        tf.metrics.auc([True], gc.constant([1.5]))
