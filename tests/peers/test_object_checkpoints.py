"""tf.train.Checkpoint and graphc's: each restores what the other one wrote."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

tf2 = pytest.importorskip("tensorflow")
tf = tf2.compat.v1
START = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)


def program(lib: Any) -> tuple[Any, list[Any], Any]:
    """A Checkpoint of variables, lists, dictionaries and an optimizer; all its variables; a training step."""
    w = lib.Variable(START, name="w", **({"use_resource": True} if lib is tf else {}))
    b = lib.Variable(np.float32(0.5), name="b", **({"use_resource": True} if lib is tf else {}))
    optimizer = lib.train.AdamOptimizer(0.1)
    step = optimizer.minimize(lib.reduce_sum(w * w) + b * b)
    inner = lib.train.Checkpoint(w=w)
    made = lib.train.Checkpoint(parts=[b, {"a/b.c": w}], inner=inner, optimizer=optimizer)
    found = [w, b, *(optimizer.get_slot(v, n) for v in (w, b) for n in ("m", "v"))]
    return made, found, step


def values_after(lib: Any, tmp_path: Path) -> tuple[str, list[Any]]:
    """Trained two steps and saved."""
    with lib.Graph().as_default():
        checkpoint, variables, step = program(lib)
        with lib.Session() as session:
            session.run(lib.global_variables_initializer())
            session.run(step)
            session.run(step)
            path = checkpoint.save(str(tmp_path / "made" / "m"), session)
            return path, session.run(variables)


def restored(lib: Any, path: str) -> list[Any]:
    with lib.Graph().as_default():
        checkpoint, variables, step = program(lib)
        with lib.Session() as session:
            session.run(lib.global_variables_initializer())
            checkpoint.restore(path).assert_consumed().run_restore_ops(session)
            found = session.run(variables)
            session.run(step)
            return [*found, session.run(checkpoint.save_counter), session.run(variables[0])]


def test_each_restores_the_other(tmp_path: Path) -> None:
    for maker, reader in ((gc, tf), (tf, gc), (gc, gc)):
        path, expected = values_after(maker, tmp_path / maker.__name__)
        found, own = restored(reader, path), restored(maker, path)
        for a, b in zip(found[:-2], expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
        assert found[-2] == 1
        np.testing.assert_allclose(found[-1], own[-1], rtol=1e-5)


def test_names_are_the_same(tmp_path: Path) -> None:
    ours, theirs = (values_after(lib, tmp_path / name)[0] for lib, name in ((gc, "a"), (tf, "b")))
    assert gc.train.list_variables(ours) == gc.train.list_variables(theirs) == tf.train.list_variables(ours)


def test_of_keras_models(tmp_path: Path) -> None:
    """Layers' attributes have the names that those of Keras have."""
    keras = pytest.importorskip("tf_keras")
    with tf2.init_scope():
        layer = keras.layers.Dense(3)
        layer.build((None, 2))
        path = tf2.train.Checkpoint(layer=layer).write(str(tmp_path / "k"))
        kernel = layer.kernel.numpy()
    with gc.Graph().as_default():
        ours = gc.layers.Dense(3)
        ours(gc.placeholder(gc.float32, [None, 2]))
        with gc.Session() as session:
            status = gc.train.Checkpoint(layer=ours).read(path)
            status.assert_existing_objects_matched().run_restore_ops(session)
            np.testing.assert_array_equal(session.run(ours.kernel), kernel)


def test_managers(tmp_path: Path) -> None:
    """Each goes on with the folder of the other."""
    folder = str(tmp_path / "run")
    for turn, lib in enumerate((gc, tf, gc)):
        with lib.Graph().as_default():
            checkpoint, _, _ = program(lib)
            with lib.Session() as session:
                manager = lib.train.CheckpointManager(checkpoint, folder, 2)
                assert manager.latest_checkpoint == (f"{folder}/ckpt-{2 * turn}" if turn else None)
                checkpoint.restore(manager.latest_checkpoint).initialize_or_restore(session)
                manager.save()
                manager.save()
                assert manager.checkpoints == [f"{folder}/ckpt-{2 * turn + 1}", f"{folder}/ckpt-{2 * turn + 2}"]
                assert tf.train.latest_checkpoint(folder) == gc.train.latest_checkpoint(folder)
