"""Canned models, trained from the same values: names in their checkpoints, metrics, predictions, signatures, summaries.

    python tests/estimator/canned_cases.py      with TensorFlow 2.15, the last one that has tf.estimator: writes
                                                canned_in_tensorflow.json
"""
from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

RECORDED = Path(__file__).with_name("canned_in_tensorflow.json")
_RANDOM = np.random.RandomState(0)
X = {"a": _RANDOM.randn(20).astype(np.float32), "b": _RANDOM.randn(20, 2).astype(np.float32),
     "word": _RANDOM.choice(["u", "v", "x"], 20), "weight": _RANDOM.rand(20).astype(np.float32)}
TWO, THREE = _RANDOM.randint(0, 2, 20), _RANDOM.randint(0, 3, 20)
NUMBERS = _RANDOM.randn(20, 2).astype(np.float32)
LABELS: dict[str, Any] = {
    "linear classes": TWO, "linear strings": np.array(["p", "q", "r"])[THREE], "linear numbers": NUMBERS[:, :1],
    "deep classes": TWO, "deep many classes": THREE, "deep numbers": NUMBERS, "wide and deep classes": TWO,
    "wide and deep numbers": NUMBERS[:, 0]}


def make(tf: Any, name: str, folder: str) -> Any:
    fc, est = tf.feature_column, tf.estimator
    a, b = fc.numeric_column("a"), fc.numeric_column("b", 2)
    word = fc.categorical_column_with_vocabulary_list("word", ["u", "v"])
    table = fc.embedding_column(word, 2)
    more = {"model_dir": folder, "config": est.RunConfig(save_checkpoints_steps=100, save_summary_steps=1)}
    wide = {"linear_feature_columns": [a, word], "dnn_feature_columns": [b, table], "dnn_hidden_units": [3], **more}
    return {
        "linear classes": lambda: est.LinearClassifier([a, b, word], **more),
        "linear strings": lambda: est.LinearClassifier(
            [a, b, word], n_classes=3, weight_column="weight", label_vocabulary=["p", "q", "r"], **more),
        "linear numbers": lambda: est.LinearRegressor([a, b, word], weight_column="weight", optimizer="SGD", **more),
        "deep classes": lambda: est.DNNClassifier([4, 3], [a, b, table], weight_column="weight", batch_norm=True,
                                                  **more),
        "deep many classes": lambda: est.DNNClassifier([4], [a, b, table], n_classes=3, optimizer="Adam", **more),
        "deep numbers": lambda: est.DNNRegressor([4], [a, b, table], label_dimension=2, activation_fn=tf.nn.tanh,
                                                 loss_reduction=tf.losses.Reduction.MEAN, **more),
        "wide and deep classes": lambda: est.DNNLinearCombinedClassifier(**wide),
        "wide and deep numbers": lambda: est.DNNLinearCombinedRegressor(linear_sparse_combiner="mean", **wide),
    }[name]()


def starting_values(tf: Any) -> Any:
    """A hook that lets each trained variable count from -1 to 1."""
    class Hook(tf.train.SessionRunHook):  # type: ignore[misc]
        def after_create_session(self, session: Any, coord: Any) -> None:
            for variable in tf.trainable_variables():
                shape = variable.shape.as_list()
                variable.load(np.linspace(-1, 1, int(np.prod(shape))).reshape(shape).astype(np.float32), session)
    return Hook()


def run(tf: Any, name: str, folder: Path) -> dict[str, Any]:
    place = str(folder / "model")
    model, labels = make(tf, name, place), LABELS[name]
    inputs = tf.estimator.inputs.numpy_input_fn
    model.train(inputs(X, labels, 8, None, shuffle=False), steps=5, hooks=[starting_values(tf)])
    metrics = model.evaluate(inputs(X, labels, 8, shuffle=False))
    predictions = next(iter(model.predict(inputs(X, batch_size=2, shuffle=False))))
    exported = name in ("linear classes", "linear strings", "deep numbers")
    return {
        "names": model.get_variable_names(), "metrics": {key: float(metrics[key]) for key in sorted(metrics)},
        "predictions": {key: plain(predictions[key]) for key in sorted(predictions)},
        "signatures": signatures(tf, model, place) if exported else None, "tags": tags(tf, place)}


def plain(value: Any) -> Any:
    array = np.asarray(value)
    return [v.decode() for v in array.ravel()] if array.dtype.kind in "OS" else array.tolist()


def signatures(tf: Any, model: Any, folder: str) -> Any:
    fc = tf.feature_column
    spec = fc.make_parse_example_spec([fc.numeric_column("a"), fc.numeric_column("b", 2),
                                       fc.categorical_column_with_vocabulary_list("word", ["u"])])
    path = model.export_saved_model(os.path.join(folder, "export"),
                                    tf.estimator.export.build_parsing_serving_input_receiver_fn(spec))
    with tf.Graph().as_default(), tf.Session() as session:
        found = tf.saved_model.load(session, ["serve"], path.decode()).signature_def
        return {key: [s.method_name, sorted(s.inputs), sorted(s.outputs)] for key, s in sorted(found.items())}


def tags(tf: Any, folder: str) -> list[str]:
    """Of the summaries of the training, without that of the queue that numpy_input_fn has in TensorFlow."""
    events = [os.path.join(folder, file) for file in os.listdir(folder) if file.startswith("events")]
    found = {value.tag for path in events for event in tf.train.summary_iterator(path) for value in event.summary.value}
    return sorted(tag for tag in found if not tag.startswith("enqueue_input"))


if __name__ == "__main__":
    import tensorflow.compat.v1 as tensorflow

    tensorflow.disable_v2_behavior()
    answers = {}
    for case in LABELS:
        with tempfile.TemporaryDirectory() as temporary:
            answers[case] = run(tensorflow, case, Path(temporary))
    lines = [f"{json.dumps(case)}: {json.dumps(answer)}" for case, answer in answers.items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
