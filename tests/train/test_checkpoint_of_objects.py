"""train.Checkpoint and CheckpointManager. data/tracked is TensorFlow 2.21's (tests/peers/record_objects.py)."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors

TRACKED = str(Path(__file__).parent / "data" / "tracked")
START = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)


def program() -> tuple[Any, list[gc.Variable], Any]:
    w, b = gc.Variable(START, name="w"), gc.Variable(np.float32(0.5), name="b")
    optimizer = gc.train.AdamOptimizer(0.1)
    step = optimizer.minimize(gc.reduce_sum(w * w) + b * b)
    made = gc.train.Checkpoint(parts=[b, {"a/b.c": w}], inner=gc.train.Checkpoint(w=w), optimizer=optimizer)
    slots = [optimizer.get_slot(v, name) for v in (w, b) for name in ("m", "v")]
    return made, [w, b, *slots], step


def test_restores_what_tensorflow_wrote() -> None:
    with gc.Graph().as_default():
        checkpoint, (w, b, m, _, _, v), _ = program()
        with gc.Session() as session:
            checkpoint.read(TRACKED).assert_consumed().run_restore_ops(session)
            np.testing.assert_allclose(session.run(w), START - 0.1, rtol=1e-6)
            np.testing.assert_allclose(session.run(m), 0.2 * START, rtol=1e-6)
            np.testing.assert_allclose(session.run([b, v]), [0.4, 0.001], rtol=1e-4)


def test_writes_the_names_that_tensorflow_writes(tmp_path: Path) -> None:
    with gc.Graph().as_default():
        checkpoint, _, step = program()
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            session.run(step)
            path = checkpoint.write(tmp_path / "m", session)
    assert gc.train.list_variables(path) == gc.train.list_variables(TRACKED)
    reader = gc.train.load_checkpoint(path)
    for name, _ in gc.train.list_variables(TRACKED):
        if not name.startswith("_"):
            np.testing.assert_allclose(reader.get_tensor(name), gc.train.load_variable(TRACKED, name), rtol=1e-5)


def test_saves_count_and_go_on(tmp_path: Path) -> None:
    for turn in range(2):                         # the second time as a new program
        with gc.Graph().as_default():
            w = gc.Variable(float(turn), name=f"name_{turn}")
            checkpoint = gc.train.Checkpoint(w=w)
            with gc.Session() as session:
                checkpoint.restore(gc.train.latest_checkpoint(str(tmp_path))).initialize_or_restore()
                assert session.run(w) == 10 * turn
                session.run(gc.assign(w, 10.0))
                nodes = [len(session.graph.get_operations())]
                for number in (1, 2):
                    assert checkpoint.save(tmp_path / "m") == str(tmp_path / f"m-{2 * turn + number}")
                    nodes.append(len(session.graph.get_operations()))
                assert nodes[1] == nodes[2], "each save made nodes"
                assert gc.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / f"m-{2 * turn + 2}")


def test_objects_that_come_later(tmp_path: Path) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        saved = gc.train.Checkpoint(layers=[gc.Variable(1.0), gc.Variable(2.0)])
        session.run(gc.global_variables_initializer())
        path = saved.write(tmp_path / "m")
    with gc.Graph().as_default(), gc.Session() as session:
        checkpoint = gc.train.Checkpoint()
        status = checkpoint.read(path)
        with pytest.raises(AssertionError, match="Nothing except the root"):
            status.assert_nontrivial_match()
        checkpoint.layers = [gc.Variable(5.0)]
        status.assert_existing_objects_matched().assert_nontrivial_match().initialize_or_restore()
        assert session.run(checkpoint.layers[0]) == 1
        with pytest.raises(AssertionError, match=r"Unresolved object .*\(root\)\.layers\.1 \('Variable_1'\)"):
            status.assert_consumed()
        checkpoint.more, checkpoint.nothing = gc.Variable(7.0), []
        with pytest.raises(AssertionError, match=r"not bound to checkpointed values of .*: \(root\)\.more$"):
            status.assert_existing_objects_matched()
        status.initialize_or_restore()
        assert session.run(checkpoint.more) == 7
        checkpoint.layers.append(gc.Variable(9.0))
        del checkpoint.more
        status.assert_consumed().run_restore_ops()
        assert session.run(checkpoint.layers[1]) == 2


def test_layers(tmp_path: Path) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        layer = gc.layers.Dense(3)
        layer(gc.placeholder(gc.float32, [None, 2]))
        session.run(gc.global_variables_initializer())
        path = gc.train.Checkpoint(layer=layer).write(tmp_path / "m")
    assert [name for name, _ in gc.train.list_variables(path)] == [
        "_CHECKPOINTABLE_OBJECT_GRAPH", "layer/bias/.ATTRIBUTES/VARIABLE_VALUE",
        "layer/kernel/.ATTRIBUTES/VARIABLE_VALUE"]


def test_checkpoints_of_savers(tmp_path: Path) -> None:
    """Those are restored by the names of variables."""
    with gc.Graph().as_default(), gc.Session() as session:
        gc.Variable(3.0, name="w"), gc.Variable(4.0, name="other")
        session.run(gc.global_variables_initializer())
        path = gc.train.Saver().save(session, str(tmp_path / "m"), write_meta_graph=False)
    with gc.Graph().as_default(), gc.Session() as session:
        w = gc.Variable(0.0, name="w")
        status = gc.train.Checkpoint(weights=[w]).restore(path)
        status.assert_existing_objects_matched().run_restore_ops()
        assert session.run(w) == 3
        with pytest.raises(AssertionError, match="other"):
            status.assert_consumed()


def test_nothing_to_restore() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        w = gc.Variable(3.0)
        status = gc.train.Checkpoint(w=w).restore(None)
        for check in (status.assert_consumed, status.run_restore_ops, status.assert_nontrivial_match):
            with pytest.raises(AssertionError, match="No checkpoint specified"):
                check()
        status.expect_partial().initialize_or_restore(session)
        assert session.run(w) == 3


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    with gc.Graph().as_default(), pytest.raises(ValueError, match="argument 'number'"):
        gc.train.Checkpoint(number=3)
    with gc.Graph().as_default(), gc.Session(), pytest.raises(ValueError, match="has the key 3"):
        gc.train.Checkpoint(named={3: gc.Variable(1.0)}).write(tmp_path / "m")
    with gc.Graph().as_default(), pytest.raises(ValueError, match="no default session"):
        gc.train.Checkpoint(w=gc.Variable(1.0)).save(tmp_path / "m")
    with gc.Graph().as_default(), pytest.raises(errors.NotFoundError):
        gc.train.Checkpoint(w=gc.Variable(1.0)).restore(str(tmp_path / "none"))


@pytest.mark.parametrize("damage", ["cut", "children", "nothing"])
def test_damaged_objects(damage: str, tmp_path: Path) -> None:
    from graphc.io.checkpoint.write_bundle import write_bundle
    from graphc.serial.checkpoint_state_pb2 import TrackableObjectGraph

    graph = TrackableObjectGraph()
    if damage != "nothing":
        graph.nodes.add().children.add(node_id=7, local_name="w")
    text = graph.SerializeToString()[:-1] if damage == "cut" else graph.SerializeToString()
    write_bundle(str(tmp_path / "m"), [("_CHECKPOINTABLE_OBJECT_GRAPH", "", np.array(text, object))])
    with gc.Graph().as_default(), pytest.raises(errors.DataLossError, match="objects"):
        gc.train.Checkpoint(w=gc.Variable(1.0)).read(tmp_path / "m")


def test_manager(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with gc.Graph().as_default(), gc.Session() as session:
        step = gc.Variable(np.int64(70))
        manager = gc.train.CheckpointManager(gc.train.Checkpoint(w=gc.Variable(1.0)), folder, 2)
        assert manager.latest_checkpoint is None and manager.checkpoints == []
        session.run(gc.global_variables_initializer())
        made = [manager.save(), manager.save(), manager.save(checkpoint_number=step)]
        assert made == [str(folder / name) for name in ("ckpt-1", "ckpt-2", "ckpt-70")]
        assert manager.checkpoints == made[1:] and manager.latest_checkpoint == made[2]
        assert sorted(p.name for p in folder.glob("*.index")) == ["ckpt-2.index", "ckpt-70.index"]
    with gc.Graph().as_default(), gc.Session():
        again = gc.train.CheckpointManager(gc.train.Checkpoint(), folder, 1, keep_checkpoint_every_n_hours=1)
        assert again.checkpoints == made[1:] and again.latest_checkpoint == made[2] and again.directory == str(folder)
        again.save()
        assert len(again.checkpoints) == 1
    with pytest.raises(ValueError, match="positive integer"):
        gc.train.CheckpointManager(gc.train.Checkpoint(), folder, 0)


def test_manager_keeps_one_of_so_many_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    now = time.time()
    with gc.Graph().as_default(), gc.Session() as session:
        manager = gc.train.CheckpointManager(gc.train.Checkpoint(w=gc.Variable(1.0)), tmp_path, 1, 2.0)
        session.run(gc.global_variables_initializer())
        for hours in (0, 1, 2, 3, 4, 5):
            monkeypatch.setattr(time, "time", lambda hours=hours: now + 3600 * hours + 10)
            manager.save()
    assert sorted(p.name for p in tmp_path.glob("*.index")) == [f"ckpt-{n}.index" for n in (3, 5, 6)]
