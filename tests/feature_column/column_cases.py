"""Models of each kind of column: their values, and the names of their variables.

    python tests/feature_column/column_cases.py      with TensorFlow: writes columns_in_tensorflow.json
"""
from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RECORDED = Path(__file__).with_name("columns_in_tensorflow.json")


def features(tf: Any) -> dict[str, Any]:
    return {
        "price": tf.constant([[1.5], [20.0], [-3.0]]), "two": tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        "flat": tf.constant([3, 8, -1]), "id": tf.constant([[2], [0], [1]], tf.int64),
        "number": tf.constant([[10], [20], [30]]), "word": tf.constant([["a"], ["zz"], [""]]),
        "words": tf.constant([["a", "b"], ["b", "a"], ["", "q"]]),
        "many": tf.SparseTensor([[0, 0], [0, 1], [2, 0], [2, 1]], tf.constant([1, 3, 0, 9], tf.int64), [3, 2]),
        "weights": tf.SparseTensor([[0, 0], [0, 1], [2, 0], [2, 1]], tf.constant([0.5, 2.0, -1.0, 1.0]), [3, 2]),
    }


def columns(tf: Any, folder: Path) -> dict[str, Any]:
    fc = tf.feature_column
    file = folder / "words.txt"
    file.write_text("a\nb\nc\n")
    price, two = fc.numeric_column("price", normalizer_fn=lambda x: x * 2), fc.numeric_column("two", shape=(2,))
    identity = fc.categorical_column_with_identity("id", 3)
    many = fc.categorical_column_with_identity("many", 5, default_value=4)
    buckets = fc.bucketized_column(fc.numeric_column("price"), [0.0, 1.5, 20.0])
    return {
        "numeric": price, "vector": two, "integers": fc.numeric_column("flat", dtype=tf.int32), "buckets": buckets,
        "buckets of a vector": fc.bucketized_column(two, [2.0, 4.0]), "identity": identity, "default": many,
        "hash": fc.categorical_column_with_hash_bucket("words", 7),
        "hash of integers": fc.categorical_column_with_hash_bucket("number", 11, dtype=tf.int32),
        "list": fc.categorical_column_with_vocabulary_list("words", ["b", "a"], num_oov_buckets=2),
        "list of integers": fc.categorical_column_with_vocabulary_list("number", [30, 10]),
        "file": fc.categorical_column_with_vocabulary_file("word", str(file)),
        "weighted": fc.weighted_categorical_column(many, "weights"),
        "crossed": fc.crossed_column(["words", "word"], 20),
        "crossed columns": fc.crossed_column([buckets, fc.crossed_column(["words", "number"], 9), identity], 30, 5),
    }


def dense(tf: Any, name: str, column: Any) -> Any:
    plain = name in ("numeric", "vector", "integers", "buckets", "buckets of a vector")
    return column if plain else tf.feature_column.indicator_column(column)


def input_of(name: str) -> Callable[[Any, Path], Any]:
    return lambda tf, folder: tf.feature_column.input_layer(
        features(tf), dense(tf, name, columns(tf, folder)[name]))


def linear_of(name: str) -> Callable[[Any, Path], Any]:
    return lambda tf, folder: tf.feature_column.linear_model(features(tf), columns(tf, folder)[name], units=2)


def embeddings(tf: Any, found: dict[str, Any]) -> list[Any]:
    fc, start = tf.feature_column, tf.zeros_initializer()
    second = fc.categorical_column_with_identity("number", 3, default_value=2)
    return [found["numeric"], found["buckets of a vector"], fc.embedding_column(found["list"], 3, initializer=start),
            fc.embedding_column(found["weighted"], 2, combiner="sqrtn", initializer=start),
            fc.embedding_column(found["file"], 2, combiner="sum", initializer=start, max_norm=0.5),
            *fc.shared_embedding_columns([found["identity"], second], 2, initializer=start)]


def network(tf: Any, folder: Path) -> Any:
    of_columns: dict[Any, Any] = {}
    outputs: dict[Any, Any] = {}
    listed = embeddings(tf, columns(tf, folder))
    made = tf.feature_column.input_layer(features(tf), listed, cols_to_vars=of_columns, cols_to_output_tensors=outputs)
    tf.feature_column.input_layer(features(tf), listed)
    assert outputs.keys() == of_columns.keys() == set(listed)
    return made, {c.name: [v.name for v in variables] for c, variables in of_columns.items()}


def whole_line(tf: Any, folder: Path) -> Any:
    found, of_columns = columns(tf, folder), {}
    listed = [found[name] for name in ("numeric", "vector", "buckets", "identity", "weighted", "crossed", "list")]
    listed.append(tf.feature_column.embedding_column(found["file"], 2, initializer=tf.zeros_initializer()))
    made = tf.feature_column.linear_model(features(tf), listed, sparse_combiner="mean", cols_to_vars=of_columns)
    tf.feature_column.linear_model(features(tf), listed[:3])
    return made, {getattr(c, "name", c): [v.name for v in variables] for c, variables in of_columns.items()}


KINDS = (
    "numeric", "vector", "integers", "buckets", "buckets of a vector", "identity", "default", "hash",
    "hash of integers", "list", "list of integers", "file", "weighted", "crossed", "crossed columns")
CASES: dict[str, Callable[[Any, Path], Any]] = {
    **{f"input of {name}": input_of(name) for name in KINDS},
    **{f"line of {name}": linear_of(name) for name in KINDS}, "network": network, "whole line": whole_line}


def run(tf: Any, name: str, folder: Path) -> dict[str, Any]:
    """values of the model where each variable counts up from -1 to 1, and the names of the variables."""
    with tf.Graph().as_default(), tf.Session() as session:
        made = CASES[name](tf, folder)
        tensor, more = made if isinstance(made, tuple) else (made, None)
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        for variable in tf.global_variables():
            shape = variable.shape.as_list()
            variable.load(np.linspace(-1, 1, int(np.prod(shape))).reshape(shape).astype(np.float32), session)
        return {"values": session.run(tensor).tolist(), "variables": [v.name for v in tf.global_variables()],
                "model variables": [v.name for v in tf.model_variables()], "of columns": more}


if __name__ == "__main__":
    import tensorflow.compat.v1 as tensorflow

    tensorflow.disable_v2_behavior()
    with tempfile.TemporaryDirectory() as place:
        answers = {name: run(tensorflow, name, Path(place)) for name in CASES}
    lines = [f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
