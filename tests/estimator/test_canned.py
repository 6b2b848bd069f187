"""Canned models are TensorFlow's: names in checkpoints, numbers, signatures; what is refused."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.compat.v1 as tf

import canned_cases

RECORDED = json.loads(canned_cases.RECORDED.read_text())
est, fc = gc.estimator, gc.feature_column


@pytest.mark.parametrize("name", canned_cases.LABELS)
def test_models_are_those_of_tensorflow(name: str, tmp_path: Path) -> None:
    found, wanted = canned_cases.run(tf, name, tmp_path), RECORDED[name]
    for part in ("metrics", "predictions"):
        numbers, recorded = found.pop(part), wanted.pop(part)
        assert list(numbers) == list(recorded)
        for key, value in recorded.items():
            if key.startswith("classes") or key == "all_classes":
                assert numbers[key] == value
            else:
                np.testing.assert_allclose(numbers[key], value, rtol=1e-4, atol=1e-6, err_msg=key)
    assert found == wanted


A = fc.numeric_column("a")


def input_fn(labels: Any, rows: int = 3) -> Any:
    return lambda: ({"a": gc.ones([rows]), "weights": gc.ones([rows, 2])}, gc.constant(labels))


@pytest.mark.parametrize("make, labels, said", [
    (lambda: est.LinearClassifier([A], n_classes=1), None, "n_classes must be > 2: 1"),
    (lambda: est.LinearClassifier([A], n_classes=3, label_vocabulary=["a"]), None, "does not have \"n_classes\" items"),
    (lambda: est.LinearClassifier([A], label_vocabulary="ab"), None, "label_vocabulary must be a list"),
    (lambda: est.LinearRegressor([A], label_dimension=0), None, "Invalid label_dimension 0"),
    (lambda: est.LinearRegressor([A], loss_reduction="none"), None, "Invalid loss_reduction: none"),
    (lambda: est.DNNLinearCombinedRegressor(), None, "Either linear_feature_columns or dnn_feature_columns"),
    (lambda: est.DNNLinearCombinedRegressor(dnn_feature_columns=[A]), None, "dnn_hidden_units must be defined"),
    (lambda: est.LinearRegressor([A], optimizer="Adma"), [1.0] * 3, "Unsupported optimizer name: Adma"),
    (lambda: est.LinearRegressor([A], optimizer=3), [1.0] * 3, "'optimizer' must be an Optimizer .* not 3"),
    (lambda: est.LinearClassifier([A]), ["x"] * 3, "strings need a label_vocabulary"),
    (lambda: est.LinearClassifier([A], label_vocabulary=["x", "y"]), [1] * 3, "should be string if there is a vocab"),
    (lambda: est.LinearClassifier([A], n_classes=3), [[1.0, 0, 0]] * 3, "Mismatched label shape"),
    (lambda: est.LinearClassifier([A], n_classes=3), [1.0] * 3, "Labels dtype should be integer"),
    (lambda: est.LinearClassifier([A], weight_column="weights"), [1] * 3, "weights shape must be"),
    (lambda: est.DNNRegressor([2], [fc.categorical_column_with_identity("a", 2)]), [1.0] * 3, "embedding_column or"),
])
def test_what_is_refused(make: Any, labels: Any, said: str) -> None:
    with pytest.raises((ValueError, TypeError), match=said):
        make().train(input_fn(labels), steps=1)


@pytest.mark.parametrize("model, labels, said", [
    (lambda: est.LinearClassifier([A]), [0, 2, 1], "Labels must be <= n_classes - 1 = 1"),
    (lambda: est.LinearClassifier([A], n_classes=3), [0, 3, 1], r"Labels must be|index 3 is not in \[0, 3\)"),
    (lambda: est.LinearClassifier([A], label_vocabulary=["x", "y"]), ["x", "y", "z"], "in the label_vocabulary"),
])
def test_labels_outside_are_refused_when_run(model: Any, labels: Any, said: str) -> None:
    with pytest.raises(gc.errors.InvalidArgumentError, match=said):
        model().train(input_fn(labels), steps=1)


def test_a_partitioner_and_an_optimizer_of_ones_own(tmp_path: Path) -> None:
    ids = fc.categorical_column_with_identity("id", 4)
    model = est.LinearRegressor([ids], tmp_path, optimizer=lambda: gc.train.GradientDescentOptimizer(0.5),
                                partitioner=gc.fixed_size_partitioner(2))
    model.train(lambda: ({"id": gc.constant([3])}, gc.constant([1.0])), steps=1)
    assert model.get_variable_names() == ["global_step", "linear/linear_model/bias_weights",
                                          "linear/linear_model/id/weights"]
    assert model.get_variable_value("linear/linear_model/id/weights").tolist() == [[0], [0], [0], [1]]


def test_dropout_leaves_out_only_when_trained(tmp_path: Path) -> None:
    model = est.DNNRegressor([8], [A], tmp_path, dropout=0.5, config=est.RunConfig(tf_random_seed=3))
    model.train(input_fn([1.0] * 3), steps=2)
    first, second = (model.evaluate(input_fn([1.0] * 3), steps=1)["loss"] for _ in range(2))
    assert first == second


def test_a_warm_start_with_another_vocabulary(tmp_path: Path) -> None:
    """The rows of the words that are still there keep their weights; those of new words are zeros."""
    files = [tmp_path / "old.txt", tmp_path / "new.txt"]
    for file, words in zip(files, ("a b c", "c d a"), strict=True):
        file.write_text(words.replace(" ", "\n") + "\n")

    def model(file: Path, folder: str, **more: Any) -> est.Estimator:
        column = fc.categorical_column_with_vocabulary_file("word", str(file), 3)
        return est.LinearRegressor([column], tmp_path / folder, optimizer=gc.train.GradientDescentOptimizer(0.25),
                                   **more)

    name = "linear/linear_model/word/weights"
    model(files[0], "first").train(lambda: ({"word": gc.constant(["a", "b", "c"])}, gc.constant([2.0, 4.0, 6.0])),
                                   steps=1)
    info = est.VocabInfo(str(files[1]), 3, 0, str(files[0]), backup_initializer=gc.zeros_initializer())
    start = est.WarmStartSettings(str(tmp_path / "first"), var_name_to_vocab_info={name: info})
    second = model(files[1], "second", warm_start_from=start)
    second.train(lambda: ({"word": gc.constant(["zz"])}, gc.constant([6.0])), steps=1)       # its bias is 6: no error
    assert second.get_variable_value(name).tolist() == [[3], [0], [1]]
