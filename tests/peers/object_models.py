"""SavedModels as TensorFlow 2 writes them, and what it says of ours: in a process of its own, with eager execution.

    python object_models.py write FOLDER    a folder a model; expected.npz in each: inputs and outputs of its signature
    python object_models.py small FOLDER    those that tests/saved_model/data holds, without what no reader needs
    python object_models.py serve FOLDER SIGNATURE FEEDS OUT      tf.saved_model.load; FEEDS and OUT are .npz files
"""
from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

SIGNATURE = "serving_default"
SMALL = ("dense", "words", "loop")


class Dense(tf.Module):
    """Two variables in a list, and one that a second signature changes."""

    def __init__(self) -> None:
        self.layers = [tf.Variable(np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2), name="kernel"),
                       tf.Variable([0.5, -0.5], name="bias")]
        self.count = tf.Variable(0, dtype=tf.int64, name="count", trainable=False)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def __call__(self, x: Any) -> Any:
        return {"y": tf.nn.relu(x @ self.layers[0] + self.layers[1])}

    @tf.function(input_signature=[tf.TensorSpec([], tf.int64, name="by")])
    def bump(self, by: Any) -> Any:
        self.count.assign_add(by)
        return {"count": self.count.read_value()}


class Words(tf.Module):
    """A table that an asset fills, and a variable whose rows are gathered."""

    def __init__(self, folder: Path) -> None:
        os.chdir(folder)                          # the file's name becomes the table's
        Path("words.txt").write_text("a\nb\nc\n")
        index = tf.lookup.TextFileIndex
        filled = tf.lookup.TextFileInitializer("words.txt", tf.string, index.WHOLE_LINE, tf.int64,
                                               index.LINE_NUMBER)
        self.table = tf.lookup.StaticVocabularyTable(filled, 1)
        self.rows = tf.Variable(np.arange(8, dtype=np.float32).reshape(4, 2), name="rows")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="words")])
    def look(self, words: Any) -> Any:
        return {"rows": tf.gather(self.rows, self.table.lookup(words))}


class Loop(tf.Module):
    """A loop and a branch that read and change variables inside, and results of two inputs."""

    def __init__(self) -> None:
        self.v = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="v")
        self.count = tf.Variable(0, name="count")

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x"),
                                  tf.TensorSpec([], tf.int32, name="times")])
    def call(self, x: Any, times: Any) -> Any:
        for _ in tf.range(times):
            x = tf.tanh(x @ self.v)
            self.count.assign_add(1)
        if times > 2:
            x = x + self.v[0]
            self.count.assign_add(10)
        return {"y": x, "count": self.count.read_value()}


def dense(folder: Path) -> None:
    model = Dense()
    tf.saved_model.save(model, str(folder / "dense"), signatures={SIGNATURE: model.__call__, "bump": model.bump})


def words(folder: Path) -> None:
    model = Words(folder)
    tf.saved_model.save(model, str(folder / "words"), signatures=model.look)


def loop(folder: Path) -> None:
    model = Loop()
    tf.saved_model.save(model, str(folder / "loop"), signatures=model.call)


def tf_keras(folder: Path) -> None:
    import tf_keras as keras

    layers = keras.layers
    model = keras.Sequential([layers.Input([8, 8, 1]), layers.Conv2D(4, 3, activation="relu"),
                              layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.5),
                              layers.Dense(3, activation="softmax")])
    model.compile("adam", "mse")
    model.fit(np.random.rand(8, 8, 8, 1), np.random.rand(8, 3), verbose=0)
    model.save(str(folder / "tf_keras"))


def keras(folder: Path) -> None:
    import keras

    layers = keras.layers
    model = keras.Sequential([layers.Input([6]), layers.Dense(5, activation="gelu"), layers.LayerNormalization(),
                              layers.Dense(3)])
    model.export(str(folder / "keras"), verbose=False)


def recurrent(folder: Path) -> None:
    import tf_keras as keras

    layers = keras.layers
    model = keras.Sequential([layers.Input([None], dtype="int32"), layers.Embedding(20, 4),
                              layers.LSTM(5, return_sequences=True), layers.GRU(3), layers.Dense(2)])
    model.save(str(folder / "recurrent"))


X = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
MODELS: dict[str, tuple[Callable[[Path], None], Any]] = {
    "dense": (dense, X), "words": (words, np.array([b"a", b"c", b"other"])),
    "loop": (loop, {"x": np.float32([[0.1, -0.2]]), "times": np.int32(3)}),
    "tf_keras": (tf_keras, np.linspace(0, 1, 128, dtype=np.float32).reshape(2, 8, 8, 1)),
    "keras": (keras, np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 6)),
    "recurrent": (recurrent, np.arange(8, dtype=np.int32).reshape(2, 4))}


def write(folder: Path, names: Any = tuple(MODELS)) -> None:
    for name in names:
        make, given = MODELS[name]
        make(folder)
        signature = tf.saved_model.load(str(folder / name)).signatures[SIGNATURE]
        if not isinstance(given, dict):
            given = {next(iter(signature.structured_input_signature[1])): given}
        found = {k: v.numpy() for k, v in signature(**{k: tf.constant(v) for k, v in given.items()}).items()}
        np.savez(folder / name / "expected.npz", **{f"in/{k}": v for k, v in given.items()},
                 **{f"out/{k}": v for k, v in found.items()})


def small(folder: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    write(folder, SMALL)
    (folder / "words.txt").unlink()
    for name in SMALL:
        (folder / name / "fingerprint.pb").unlink()
        path = folder / name / "saved_model.pb"
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        saved.meta_graphs[0].meta_info_def.ClearField("stripped_op_list")
        for function in saved.meta_graphs[0].graph_def.library.function:
            for node in function.node_def:
                node.ClearField("experimental_debug_info")
        path.write_bytes(saved.SerializeToString(deterministic=True))


def serve(folder: str, signature: str, feeds: str, out: str) -> None:
    """Calls the signature once for each row of the feeds, which have one more axis than its inputs."""
    loaded = tf.saved_model.load(folder)
    called = loaded.signatures[signature]
    given = dict(np.load(feeds))
    count = len(next(iter(given.values())))
    rows = []
    for i in range(count):
        found = called(**{key: tf.constant(value[i]) for key, value in given.items()})
        rows.append({key: np.array(value) for key, value in found.items()})      # a result may be a variable itself
    np.savez(out, **{key: np.stack([row[key] for row in rows]) for key in rows[0]})


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        {"write": write, "small": small}[sys.argv[1]](Path(sys.argv[2]).resolve())
