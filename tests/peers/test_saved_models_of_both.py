"""SavedModels both ways: what TensorFlow 2 and Keras export is served here, ours is served and trained there.

TensorFlow's own API (tf.saved_model, functions, Keras) needs eager execution: tests/peers/object_models.py runs in a
process of its own.
"""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

tf = pytest.importorskip("tensorflow.compat.v1")
CHILD = Path(__file__).parent / "object_models.py"
MODELS = ("dense", "words", "loop", "tf_keras", "keras", "recurrent")
X = np.random.RandomState(0).randn(4, 5, 3).astype(np.float32)
WANT = np.random.RandomState(1).randint(0, 2, (4, 5))


def child(*arguments: Any) -> None:
    done = subprocess.run([sys.executable, str(CHILD), *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    child("write", folder)
    return folder


@pytest.mark.parametrize("name", MODELS)
def test_theirs_here(name: str, theirs: Path) -> None:
    expected = dict(np.load(theirs / name / "expected.npz"))
    with gc.Graph().as_default(), gc.Session() as session:
        signature = gc.saved_model.load(session, ["serve"], str(theirs / name)).signature_def["serving_default"]
        found = session.run({f"out/{key}": info.name for key, info in signature.outputs.items()},
                            {signature.inputs[key[3:]].name: expected[key] for key in expected if key[:3] == "in/"})
    for key, value in found.items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-5, atol=1e-6)


def save(lib: Any, folder: str, words: Path) -> dict[str, np.ndarray]:
    """A classifier with a loop, a branch, and a table of class names that an asset fills. Signatures: "logits" and
    "classes" of the graph for serving; "step", which trains, of the graph for training. Gives what they give."""
    x = lib.placeholder(lib.float32, [None, 3], name="x")
    labels = lib.placeholder(lib.int64, [None], name="labels")
    training = lib.placeholder_with_default(False, [], name="training")
    v = lib.get_variable("v", initializer=np.linspace(-1, 1, 9, dtype=np.float32).reshape(3, 3))
    w = lib.get_variable("w", initializer=np.linspace(1, -1, 6, dtype=np.float32).reshape(3, 2))
    _, hidden = lib.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, lib.tanh(lib.matmul(h, v)) + x), [0, x])
    hidden = lib.cond(training, lambda: hidden * 0.5, lambda: hidden)
    logits = lib.matmul(hidden, w, name="logits")
    loss = lib.reduce_mean(lib.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    step = lib.train.MomentumOptimizer(0.1, 0.9).minimize(loss, lib.train.get_or_create_global_step())
    with lib.control_dependencies([step]):
        trained = lib.identity(loss, name="trained")
    path = lib.constant(str(words), name="path")
    key, value = lib.range(2), lib.string_split([lib.read_file(path)], "\n").values
    names = lib.get_variable("names", initializer=["", ""], collections=[lib.GraphKeys.LOCAL_VARIABLES])
    main_op = lib.group(lib.assign(names, lib.gather(value, key)))
    classes = lib.gather(names, lib.argmax(logits, 1), name="classes")
    model, feeds = lib.saved_model, {x: X[0], labels: WANT[0]}
    predict = model.predict_signature_def({"x": x}, {"logits": logits})
    with lib.Session() as session:
        session.run([lib.global_variables_initializer(), lib.local_variables_initializer()])
        builder = model.Builder(folder)
        builder.add_meta_graph_and_variables(
            session, ["train"], {"step": model.predict_signature_def({"x": x, "labels": labels, "training": training},
                                                                     {"loss": trained})}, strip_default_attrs=True)
        builder.add_meta_graph(["serve"], {"logits": predict, "classes": model.predict_signature_def(
            {"x": x}, {"classes": classes})}, assets_collection=[path], main_op=main_op)
        builder.save()
        session.run(main_op)
        found = {"logits": session.run(logits, {x: X[0]}), "classes": session.run(classes, {x: X[0]})}
        found["losses"] = np.array([session.run(trained, {x: X[i], labels: WANT[i], training: True}) for i in range(4)])
        found["after"] = session.run(logits, feeds)
    return found


def run(lib: Any, folder: str, tag: str) -> dict[str, np.ndarray]:
    """The same of the SavedModel."""
    with lib.Graph().as_default(), lib.Session() as session:
        meta = lib.saved_model.loader.load(session, [tag], folder)

        def call(key: str, **given: Any) -> Any:
            signature = meta.signature_def[key]
            (output,) = signature.outputs.values()
            return session.run(output.name, {signature.inputs[k].name: v for k, v in given.items()})

        if tag == "serve":
            return {key: call(key, x=X[0]) for key in ("logits", "classes")}
        losses = [call("step", x=X[i], labels=WANT[i], training=True) for i in range(4)]
        return {"losses": np.array(losses), "after": session.run("logits:0", {"x:0": X[0]})}


@pytest.mark.usefixtures("tensorflow_1")
@pytest.mark.usefixtures("tensorflow_1")
@pytest.mark.parametrize("ours_first", [True, False])
def test_tags_signatures_assets_and_training(ours_first: bool, tmp_path: Path) -> None:
    first, second = (gc, tf) if ours_first else (tf, gc)
    (tmp_path / "words").write_text("no\nyes\n")
    folder = str(tmp_path / "m")
    with first.Graph().as_default():
        expected = save(first, folder, tmp_path / "words")
    (tmp_path / "words").unlink()
    for lib in (second, first):
        for key, value in {**run(lib, folder, "serve"), **run(lib, folder, "train")}.items():
            if key == "classes":
                assert value.tolist() == expected[key].tolist()
            else:
                np.testing.assert_allclose(value, expected[key], rtol=1e-4, atol=1e-6)


def test_ours_in_tensorflow_2(tmp_path: Path) -> None:
    """tf.saved_model.load: the signature of the one graph, which serves."""
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 3], name="x")
        w = gc.get_variable("w", initializer=np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2))
        count = gc.get_variable("count", initializer=np.int64(0), trainable=False)
        y = gc.nn.relu(gc.matmul(x, w), name="y")
        with gc.control_dependencies([gc.assign_add(count, 1)]):
            counted = gc.identity(count)
        session.run(gc.global_variables_initializer())
        gc.saved_model.simple_save(session, str(tmp_path / "m"), {"x": x}, {"y": y, "count": counted})
        expected = [session.run(y, {x: rows}) for rows in X]
    np.savez(tmp_path / "feeds.npz", x=X)
    child("serve", tmp_path / "m", "serving_default", tmp_path / "feeds.npz", tmp_path / "out.npz")
    found = np.load(tmp_path / "out.npz")
    np.testing.assert_allclose(found["y"], expected, rtol=1e-5)
    assert found["count"].tolist() == [1, 2, 3, 4]
