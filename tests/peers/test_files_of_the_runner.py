"""What the C++ library writes and reads, against TensorFlow: checkpoints both ways, and graphs that were exported."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphc as gc

sys.path[:0] = [str(Path(__file__).parents[1] / folder) for folder in ("plan", "runner")]

import native as n
from files import build_runner

v1 = tf.compat.v1
X, LABELS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32), np.array([0, 1, 2, 0, 1, 2])


def build(lib: Any) -> tuple[Any, Any, Any]:
    """The same net in either library: an embedding in three parts, and Adam."""
    x, labels = lib.placeholder(lib.float32, [None, 4], name="x"), lib.placeholder(lib.int64, [None], name="labels")
    table = lib.get_variable("table", [4, 3], partitioner=lib.fixed_size_partitioner(3))
    logits = lib.matmul(x, lib.convert_to_tensor(table)) + lib.get_variable("b", initializer=np.zeros(3, np.float32))
    loss = lib.reduce_mean(lib.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits), name="loss")
    step = lib.train.get_or_create_global_step()
    return x, labels, (loss, lib.train.AdamOptimizer(0.1).minimize(loss, global_step=step, name="train"))


def exported(values: dict[str, np.ndarray]) -> gc.GraphDef:
    with gc.Graph().as_default(), gc.Session() as session:
        x, labels, fetches = build(gc)
        for variable in gc.global_variables():
            variable.load(values[variable.op.name], session)
        return gc.export_model(session, {"train": gc.Signature(list(fetches), [x, labels])})


def test_training_goes_to_and_fro(tmp_path: Path) -> None:
    """TensorFlow, C++, TensorFlow again: each trains three steps and hands on a checkpoint; TensorFlow alone knows what
    should come out."""
    with v1.Graph().as_default(), v1.Session() as session:
        x, labels, fetches = build(v1)
        saver, feeds = v1.train.Saver(), {x: X, labels: LABELS}
        session.run(v1.global_variables_initializer())
        values = {v.op.name: session.run(v) for v in v1.global_variables()}
        for _ in range(3):
            session.run(fetches, feeds)
        saver.save(session, str(tmp_path / "first"), write_meta_graph=False)
        expected = [session.run(fetches, feeds)[0] for _ in range(6)]
        with n.Native(build_runner() / "libgraphc.so").load(exported(values).SerializeToString()) as model:
            model.restore(tmp_path / "first")
            found = [float(model.run([X, LABELS])[0]) for _ in range(3)]
            model.save(tmp_path / "second")
        saver.restore(session, str(tmp_path / "second"))
        assert session.run(v1.train.get_global_step()) == 6
        found += [session.run(fetches, feeds)[0] for _ in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_tensorflow_runs_an_exported_graph() -> None:
    """It skips the Plans and what they say of variables; the nodes are its own."""
    with gc.Graph().as_default(), gc.Session() as session:
        x, labels, (loss, train) = build(gc)
        session.run(gc.global_variables_initializer())
        made = gc.export_model(session, {"train": gc.Signature([loss, train], [x, labels])})
        values = {v.op.name: session.run(v) for v in gc.global_variables()}
        expected = [session.run([loss, train], {x: X, labels: LABELS})[0] for _ in range(3)]
    with v1.Graph().as_default() as graph, v1.Session() as session:
        tf.import_graph_def(v1.GraphDef.FromString(made.SerializeToString()), name="")
        for name, value in values.items():
            session.run(v1.assign(graph.get_tensor_by_name(f"{name}:0"), value))
        found = [session.run(["loss:0", "train"], {"x:0": X, "labels:0": LABELS})[0] for _ in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_tensorflow_refuses_a_graph_with_a_side_file(tmp_path: Path) -> None:
    """Rather than computing with zeros."""
    with gc.Graph().as_default() as graph:
        gc.constant(np.ones(100, np.float32), name="c")
        path = gc.train.write_graph(graph, str(tmp_path), "model.pb", as_text=False, aside_over=16)
    with v1.Graph().as_default(), pytest.raises(Exception, match="min consumer"):
        tf.import_graph_def(v1.GraphDef.FromString(Path(path).read_bytes()), name="")
