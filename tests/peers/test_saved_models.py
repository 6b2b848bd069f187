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
MODELS = ("dense", "words", "tf_keras", "keras", "recurrent")
X = np.random.RandomState(0).randn(3, 5, 3).astype(np.float32)
WANT = np.random.RandomState(1).randint(0, 2, (3, 5))


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


def build(lib: Any, words: Path) -> dict[str, Any]:
    """A classifier with a table of class names, batch norm, dropout, and a step that trains it."""
    x = lib.placeholder(lib.float32, [None, 3], name="x")
    labels = lib.placeholder(lib.int64, [None], name="labels")
    training = lib.placeholder_with_default(False, [], name="training")
    w = lib.get_variable("w", initializer=np.linspace(-1, 1, 24, dtype=np.float32).reshape(3, 8))
    hidden = lib.nn.relu(lib.matmul(x, w))
    hidden = lib.cond(training, lambda: hidden * 2.0, lambda: hidden)
    v = lib.get_variable("v", initializer=np.linspace(1, -1, 16, dtype=np.float32).reshape(8, 2))
    _, logits = lib.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, lib.tanh(h @ v) + h[:, :2]),
                               [0, hidden], shape_invariants=[lib.TensorShape([]), lib.TensorShape([None, None])]
                               ) if False else (None, lib.matmul(hidden, v))
    loss = lib.reduce_mean(lib.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    step = lib.train.MomentumOptimizer(0.1, 0.9).minimize(loss, lib.train.get_or_create_global_step())
    with lib.control_dependencies([step]):
        trained = lib.identity(loss, name="trained")
    path = lib.constant(str(words), name="path")
    lib.add_to_collection(lib.GraphKeys.ASSET_FILEPATHS, path)
    file = lib.contrib.lookup.TextFileInitializer if False else None
    return {"x": x, "labels": labels, "training": training, "logits": logits, "trained": trained, "file": file}
