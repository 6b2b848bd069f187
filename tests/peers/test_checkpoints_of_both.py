"""Checkpoints and meta graphs of graphc's in TensorFlow, and the way back: training goes on with the same numbers."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

tf = pytest.importorskip("tensorflow.compat.v1")
X = np.random.RandomState(0).randn(5, 3).astype(np.float32)
WANT = np.random.RandomState(1).randn(5, 2).astype(np.float32)
FEED = {"x:0": X, "want:0": WANT}


def values() -> dict[str, Any]:
    return {"f16": np.float16(1.5), "f32": np.ones((2, 3), np.float32), "f64": np.arange(3.0), "i8": np.int8(-3),
            "u8": np.arange(5, dtype=np.uint8), "i64": np.array([2**40]), "bool": np.array([True, False]),
            "c64": np.array([1 + 2j], np.complex64), "c128": np.array([[3j]]), "empty": np.zeros((0, 4), np.int32),
            "text": np.array([b"one", b"\xff" * 300], object)}


def test_values_of_all_dtypes(tmp_path: Path) -> None:
    """Ours in TensorFlow: the numbers, the names, and the file `checkpoint`."""
    with gc.Graph().as_default():
        for name, value in values().items():
            gc.Variable(value, name=f"scope/{name}")
        saver = gc.train.Saver()
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            for step in range(2):
                saver.save(session, str(tmp_path / "m"), step)
    latest = tf.train.latest_checkpoint(str(tmp_path))
    assert latest == str(tmp_path / "m-1") == gc.train.latest_checkpoint(tmp_path)
    assert tf.train.list_variables(latest) == gc.train.list_variables(latest)
    for name, value in values().items():
        found = tf.train.load_variable(latest, f"scope/{name}")
        assert np.array_equal(found, value) and np.asarray(found).dtype == np.asarray(value).dtype


def test_first_version(tmp_path: Path) -> None:
    """Ours in TensorFlow, and TensorFlow's here."""
    prefix = str(tmp_path / "m")
    with gc.Graph().as_default():
        for name, value in values().items():
            gc.Variable(value, name=f"scope/{name}")
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            gc.train.Saver(write_version=gc.train.SaverDef.V1).save(session, prefix)
    with tf.Graph().as_default(), tf.Session() as session:
        zeros = {name: tf.constant([b"", b""]) if name == "text" else tf.zeros_like(v) for name, v in values().items()}
        made = {name: tf.get_variable(f"scope/{name}", initializer=zero) for name, zero in zeros.items()}
        tf.train.Saver().restore(session, prefix)
        for name, value in values().items():
            assert np.array_equal(session.run(made[name]), value), name
        theirs = tf.train.Saver(write_version=tf.train.SaverDef.V1).save(session, str(tmp_path / "t"))
    for name, value in values().items():
        assert np.array_equal(gc.train.load_variable(theirs, f"scope/{name}"), value), name


def test_many_variables(tmp_path: Path) -> None:
    """An index of several blocks."""
    from graphc.io.checkpoint.write_bundle import write_bundle

    write_bundle(str(tmp_path / "m"), ((f"a/long/scope/variable_{i:06d}", "", np.array(i)) for i in range(20000)))
    assert (tmp_path / "m.index").stat().st_size > 1 << 18
    reader = tf.train.NewCheckpointReader(str(tmp_path / "m"))
    assert len(reader.get_variable_to_shape_map()) == 20000
    assert [reader.get_tensor(f"a/long/scope/variable_{i:06d}") for i in (0, 9999, 19999)] == [0, 9999, 19999]


def model(lib: Any) -> Any:
    x = lib.placeholder(lib.float32, [None, 3], name="x")
    want = lib.placeholder(lib.float32, [None, 2], name="want")
    w = lib.get_variable("w", initializer=np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2))
    b = lib.get_variable("b", initializer=np.zeros(2, np.float32))
    loss = lib.reduce_mean(lib.square(lib.nn.tanh(lib.matmul(x, w) + b) - want), name="loss")
    step = lib.train.AdamOptimizer(0.1).minimize(loss, lib.train.get_or_create_global_step())
    lib.add_to_collection("step", step)
    return lib.train.Saver()


@pytest.mark.usefixtures("tensorflow_1")
@pytest.mark.parametrize("ours_first", [True, False])
def test_training_goes_on(ours_first: bool, tmp_path: Path) -> None:
    """Two steps here, the graph and the values to the other one, three steps in both."""
    first, second = (gc, tf) if ours_first else (tf, gc)
    with first.Graph().as_default(), first.Session() as session:
        saver = model(first)
        session.run(first.global_variables_initializer())
        train(first, session, 2)
        prefix = saver.save(session, str(tmp_path / "m"))
        expected = train(first, session, 3)
    with second.Graph().as_default(), second.Session() as session:
        saver = second.train.import_meta_graph(f"{prefix}.meta")
        saver.restore(session, prefix)
        np.testing.assert_allclose(train(second, session, 3), expected, rtol=1e-5)
        prefix = saver.save(session, str(tmp_path / "n"))
    with first.Graph().as_default(), first.Session() as session:      # and back
        first.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        assert session.run("global_step:0") == 5


def train(lib: Any, session: Any, steps: int) -> list[float]:
    step = lib.get_collection("step")[0]
    return [session.run(["loss:0", step], FEED)[0] for _ in range(steps)]


@pytest.mark.usefixtures("tensorflow_1")
@pytest.mark.parametrize("ours_first", [True, False])
def test_saved_models(ours_first: bool, tmp_path: Path) -> None:
    first, second = (gc, tf) if ours_first else (tf, gc)
    with first.Graph().as_default(), first.Session() as session:
        model(first)
        session.run(first.global_variables_initializer())
        graph = session.graph
        first.saved_model.simple_save(session, str(tmp_path / "m"), {"x": graph.get_tensor_by_name("x:0")},
                                      {"loss": graph.get_tensor_by_name("loss:0")})
        expected = train(first, session, 2)
    with second.Graph().as_default(), second.Session() as session:
        meta = second.saved_model.loader.load(session, [second.saved_model.tag_constants.SERVING], str(tmp_path / "m"))
        assert meta.signature_def["serving_default"].outputs["loss"].name == "loss:0"
        np.testing.assert_allclose(train(second, session, 2), expected, rtol=1e-5)
