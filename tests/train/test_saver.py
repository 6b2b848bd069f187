"""gc.train.Saver: what it writes, keeps and restores, the nodes that it adds, and what it says if something is wrong.

Names, inputs and messages of nodes are those recorded from TensorFlow 2.21 (tf.compat.v1), which are 1.15's.
"""
from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import errors
from graphc.train.saving.saveables import SaveableObject, SaveSpec


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with gc.Graph().as_default() as made:
        yield made


def variables() -> list[Any]:
    return [gc.get_variable("w", initializer=np.array([1, 2], np.float32)),
            gc.get_variable("b", initializer=np.array([3.5]))]


def initialised() -> gc.Session:
    session = gc.Session()
    session.run(gc.global_variables_initializer())
    return session


def test_save_and_restore(tmp_path: Path) -> None:
    numbers = {"f16": np.float16(1.5), "f32": np.ones((2, 3), np.float32), "f64": np.arange(3.0), "i8": np.int8(-3),
               "u8": np.arange(5, dtype=np.uint8), "i64": np.array([2**40]), "bool": np.array([True, False]),
               "c64": np.array([1 + 2j], np.complex64), "c128": np.array([[3j]]), "empty": np.zeros((0, 4), np.int32)}
    made = {name: gc.Variable(value, name=name) for name, value in numbers.items()}
    made["text"] = gc.Variable(np.array([b"one", b"\xff" * 300], object), name="text")
    saver = gc.train.Saver()
    with initialised() as session:
        before = session.run(made)
        prefix = saver.save(session, str(tmp_path / "model"))
    assert prefix == str(tmp_path / "model")
    assert sorted(os.listdir(tmp_path)) == ["checkpoint", "model.data-00000-of-00001", "model.index", "model.meta"]
    with gc.Session() as session:
        assert saver.restore(session, prefix) is None
        after = session.run(made)
    for name, value in before.items():
        assert after[name].dtype == value.dtype and np.array_equal(after[name], value), name


NODES = """
filename/input Const; filename PlaceholderWithDefault filename/input:0; Const PlaceholderWithDefault filename:0
SaveV2/tensor_names Const; SaveV2/shape_and_slices Const
SaveV2 SaveV2 Const:0 SaveV2/tensor_names:0 SaveV2/shape_and_slices:0 /b:0 /w:0
control_dependency Identity Const:0 ^SaveV2
RestoreV2/tensor_names Const; RestoreV2/shape_and_slices Const
RestoreV2 RestoreV2 Const:0 RestoreV2/tensor_names:0 RestoreV2/shape_and_slices:0
"""
PLAIN = "Assign Assign /b:0 RestoreV2:0; Assign_1 Assign /w:0 RestoreV2:1; restore_all NoOp ^Assign ^Assign_1"
RESHAPED = """
Reshape/shape Const; Reshape Reshape RestoreV2:0 Reshape/shape:0; Assign Assign /b:0 Reshape:0
Reshape_1/shape Const; Reshape_1 Reshape RestoreV2:1 Reshape_1/shape:0; Assign_1 Assign /w:0 Reshape_1:0
restore_all NoOp ^Assign ^Assign_1
"""


@pytest.mark.parametrize(("arguments", "rest"), [({}, PLAIN), ({"reshape": True}, RESHAPED)])
def test_nodes_are_tensorflows(graph: Any, arguments: dict[str, Any], rest: str) -> None:
    variables()
    for scope in ("save/", "save_1/"):
        count = len(graph.get_operations())
        saver = gc.train.Saver(**arguments)
        assert nodes(graph, count, scope) == [n.strip() for n in (NODES + rest).replace("\n", ";").split(";")
                                              if n.strip()]
        made = saver.as_saver_def()
        assert (made.filename_tensor_name, made.save_tensor_name, made.restore_op_name, made.max_to_keep) == (
            f"{scope}Const:0", f"{scope}control_dependency:0", f"{scope}restore_all", 5)


def nodes(graph: Any, first: int, scope: str) -> list[str]:
    def inner(name: str) -> str:
        return name.removeprefix(scope) if name.startswith(scope) else f"/{name}"

    return [" ".join([inner(op.name), op.type, *(inner(t.name) for t in op.inputs),
                      *(f"^{inner(c.name)}" for c in op.control_inputs)]) for op in graph.get_operations()[first:]]


def test_scripts_run_the_nodes_by_name(tmp_path: Path) -> None:
    w, _ = variables()
    gc.train.Saver()
    with initialised() as session:
        feed = {"save/Const:0": str(tmp_path / "x")}
        assert session.run("save/control_dependency:0", feed) == str(tmp_path / "x").encode()
        w.load([7, 7], session)
        session.run("save/restore_all", feed)
        assert session.run(w).tolist() == [1, 2]
        assert session.run("save/RestoreV2:1", feed).tolist() == [1, 2]


def test_sharded(graph: Any, tmp_path: Path) -> None:
    with gc.device("/cpu:0"):
        gc.get_variable("w", initializer=1.0)
    with gc.device("/cpu:1"):
        gc.get_variable("v", initializer=2.0)
    saver = gc.train.Saver(sharded=True)
    types = [op.type for op in graph.get_operations() if op.name.startswith("save/")]
    assert types.count("SaveV2") == types.count("ShardedFilename") == types.count("RestoreV2") == 2
    with initialised() as session:
        prefix = saver.save(session, str(tmp_path / "m"), write_meta_graph=False)
        assert sorted(os.listdir(tmp_path)) == ["checkpoint", "m.data-00000-of-00002", "m.data-00001-of-00002",
                                                "m.index"]
        other = gc.Session()
        saver.restore(other, prefix)
        assert other.run(["w:0", "v:0"]) == [1, 2]


def test_names_and_lists(tmp_path: Path) -> None:
    w, b = variables()
    with initialised() as session:
        prefix = gc.train.Saver({"other/name": w, "b": b}).save(session, str(tmp_path / "m"))
        assert gc.train.list_variables(prefix) == [("b", [1]), ("other/name", [2])]
        w.load([0, 0], session)
        gc.train.Saver({"other/name": w}).restore(session, prefix)
        assert session.run(w).tolist() == [1, 2]
        prefix = gc.train.Saver([w], name="mine").save(session, str(tmp_path / "n"))
    assert gc.train.list_variables(prefix) == [("w", [2])]
    assert gc.get_default_graph().get_operation_by_name("mine/SaveV2")


@pytest.mark.parametrize(("wrong", "error", "message"), [
    (["x"], TypeError, "Variable to save is not a Variable: 'x'"),
    (3, TypeError, "should be passed in a dict or a list"),
    ("constant", TypeError, "Variable to save is not a Variable"),
    ("twice", ValueError, "At least two variables have the same name: w"),
    ("two names", ValueError, "same saveable will be restored with two names: a and b"),
    ("number", TypeError, "Name is not a string: 1"), ([], ValueError, "No variables to save")])
def test_what_cannot_be_saved(wrong: Any, error: type[Exception], message: str) -> None:
    w, _ = variables()
    given = {"constant": [gc.constant(1)], "twice": [w, w], "two names": {"a": w, "b": w}, "number": {1: w}}.get(
        wrong if isinstance(wrong, str) else "", wrong)
    with pytest.raises(error, match=message):
        gc.train.Saver(given)


def test_no_variables(tmp_path: Path) -> None:
    gc.constant(1)
    with pytest.raises(ValueError, match="No variables to save"):
        gc.train.Saver()
    saver = gc.train.Saver(allow_empty=True)
    assert saver.save(gc.Session(), str(tmp_path / "m")) is None
    assert saver.restore(gc.Session(), str(tmp_path / "m")) is None


def test_deferred(graph: Any, tmp_path: Path) -> None:
    saver = gc.train.Saver(defer_build=True)
    w, _ = variables()
    with pytest.raises(RuntimeError, match="build"):
        saver.save(initialised(), str(tmp_path / "m"))
    saver.build()
    count = len(graph.get_operations())
    saver.build()
    session = initialised()
    graph.finalize()
    saver.restore(session, saver.save(session, str(tmp_path / "m")))
    assert session.run(w).tolist() == [1, 2]
    assert len(graph.get_operations()) > count      # the initialiser only


def test_what_is_kept(tmp_path: Path) -> None:
    variables()
    saver, one = gc.train.Saver(max_to_keep=2), gc.train.Saver(max_to_keep=0)
    with initialised() as session:
        step = gc.train.get_or_create_global_step()
        session.run(step.initializer)
        for _ in range(4):
            session.run(gc.assign_add(step, 1))
            last = saver.save(session, str(tmp_path / "m"), global_step=step)
        paths = [str(tmp_path / f"m-{i}") for i in (3, 4)]
        assert last == paths[1] and saver.last_checkpoints == paths
        assert sorted({name.split(".")[0] for name in os.listdir(tmp_path)}) == ["checkpoint", "m-3", "m-4"]
        state = gc.train.get_checkpoint_state(str(tmp_path))
        assert state.model_checkpoint_path == last and list(state.all_model_checkpoint_paths) == paths
        assert gc.train.latest_checkpoint(tmp_path) == last
        assert (tmp_path / "checkpoint").read_text() == (
            f'model_checkpoint_path: "{last}"\n' + "".join(f'all_model_checkpoint_paths: "{p}"\n' for p in paths))
        one.save(session, str(tmp_path / "n"), 7)
        assert one.last_checkpoints == []
        assert list(gc.train.get_checkpoint_state(str(tmp_path)).all_model_checkpoint_paths) == [str(tmp_path / "n-7")]
        assert gc.train.Saver(pad_step_number=True).save(session, str(tmp_path / "n"), 7).endswith("n-00000007")


def test_one_an_hour_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables()
    now = 1e9
    monkeypatch.setattr(time, "time", lambda: now)
    saver = gc.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=1)
    with initialised() as session:
        for i in range(8):
            now += 1000
            saver.save(session, str(tmp_path / "m"), i, write_meta_graph=False)
    assert sorted(name for name in os.listdir(tmp_path) if name.endswith("index")) == ["m-3.index", "m-7.index"]


def test_after_a_restart(tmp_path: Path) -> None:
    variables()
    with initialised() as session:
        paths = [gc.train.Saver().save(session, str(tmp_path / "m"), i, write_meta_graph=False) for i in range(3)]
        saver = gc.train.Saver(max_to_keep=3)
        saver.recover_last_checkpoints([*paths, str(tmp_path / "gone")])
        assert saver.last_checkpoints == paths
        saver.save(session, str(tmp_path / "m"), 3)
        assert not gc.train.checkpoint_exists(paths[0]) and gc.train.checkpoint_exists(paths[1])
        saver.set_last_checkpoints(paths[1:])
        assert saver.last_checkpoints == paths[1:]
        assert len(gc.train.get_checkpoint_mtimes(paths)) == 2
        gc.train.remove_checkpoint(paths[1])
        assert not gc.train.checkpoint_exists(paths[1])


def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables()
    monkeypatch.chdir(tmp_path)
    with initialised() as session:
        assert gc.train.Saver().save(session, "m") == "m"
        assert gc.train.latest_checkpoint("") == "m" and gc.train.latest_checkpoint(".") == "./m"
        assert gc.train.Saver().save(session, "folder/m", 1) == "folder/m-1"
        assert gc.train.latest_checkpoint("folder") == "folder/m-1"
        assert 'model_checkpoint_path: "m-1"' in Path("folder/checkpoint").read_text()
        gc.train.Saver(save_relative_paths=True).save(session, str(tmp_path / "folder/m"), 2)
        os.rename("folder", "moved")
        assert gc.train.latest_checkpoint("moved") == "moved/m-2"
        assert gc.train.latest_checkpoint("moved", "other") is None
        gc.train.Saver().save(session, "moved/m", 3, latest_filename="other")
        assert gc.train.latest_checkpoint("moved", "other") == "moved/m-3"


def test_states_that_are_wrong(tmp_path: Path) -> None:
    assert gc.train.latest_checkpoint(str(tmp_path / "nothing")) is None
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "gone"\n')
    with pytest.warns(UserWarning, match="Couldn't match files for checkpoint"):
        assert gc.train.latest_checkpoint(tmp_path) is None
    (tmp_path / "checkpoint").write_text("no text of a message")
    with pytest.warns(UserWarning, match="Checkpoint ignored"):
        assert gc.train.get_checkpoint_state(tmp_path) is None
    (tmp_path / "checkpoint").write_text("")
    with pytest.raises(ValueError, match="Invalid checkpoint state"):
        gc.train.get_checkpoint_state(tmp_path)
    with pytest.raises(RuntimeError, match="conflicts with path used for checkpoint state"):
        gc.train.update_checkpoint_state(str(tmp_path), str(tmp_path / "checkpoint"))
    with pytest.raises(ValueError, match="must match checkpoint paths"):
        gc.train.generate_checkpoint_state_proto("", "a", ["a"], [1.0, 2.0])


def test_uninitialised(tmp_path: Path) -> None:
    variables()
    saver = gc.train.Saver()
    with pytest.raises(errors.FailedPreconditionError, match="Attempting to use uninitialized value b"):
        saver.save(gc.Session(), str(tmp_path / "m"))
    assert os.listdir(tmp_path) == []


def test_wrong_paths(tmp_path: Path) -> None:
    variables()
    saver, session = gc.train.Saver(), initialised()
    with pytest.raises(ValueError, match="Can't load save_path when it is None"):
        saver.restore(session, None)
    saver.save(session, str(tmp_path / "model"), 1)
    with pytest.raises(ValueError, match=r"not a valid checkpoint: .*model; did you mean 'model-1'"):
        saver.restore(session, str(tmp_path / "model"))
    with pytest.raises(errors.DataLossError, match=r"without the ending: '.*model-1'"):
        saver.restore(session, str(tmp_path / "model-1.meta"))
    with pytest.raises(ValueError, match="must not contain path components"):
        saver.save(session, "m", latest_filename="a/b")
    with pytest.raises(ValueError, match="'latest_filename' collides with 'save_path'"):
        saver.save(session, str(tmp_path / "checkpoint"))
    with pytest.raises(TypeError, match="'sess' must be a Session"):
        saver.save(None, "m")


@pytest.mark.quotes
def test_what_a_checkpoint_lacks(tmp_path: Path) -> None:
    """All names that it lacks, the nearest that it has, and the lines of the variables."""
    variables()
    prefix = gc.train.Saver().save(initialised(), str(tmp_path / "m"))
    with gc.Graph().as_default():
        gc.get_variable("W", [2])
        gc.get_variable("bias", [1])
        with pytest.raises(errors.NotFoundError, match="Variable name or other graph key that is missing") as caught:
            gc.train.Saver().restore(gc.Session(), prefix)
        text = str(caught.value)
        assert "Key W not found in checkpoint" in text and "Key bias not found in checkpoint" in text
        assert 'gc.get_variable("bias", [1])' in text


def test_all_that_does_not_fit_is_said_at_once(tmp_path: Path) -> None:
    """What is missing, with the nearest names, what has another shape, what is not used; 20 of each."""
    for i in range(30):
        gc.get_variable(f"old/layer_{i:02d}/kernel", [1])
    gc.get_variable("shape", [3])
    prefix = gc.train.Saver().save(initialised(), str(tmp_path / "m"))
    with gc.Graph().as_default():
        for i in range(30):
            gc.get_variable(f"new/layer_{i:02d}/kernel", [1])
        gc.get_variable("shape", [4])
        with pytest.raises(errors.NotFoundError) as caught:
            gc.train.Saver().restore(gc.Session(), prefix)
    text = str(caught.value)
    assert f"Key new/layer_07/kernel not found in checkpoint {prefix}; did you mean 'old/layer_07/kernel'" in text
    assert text.count("not found in checkpoint") == 20 and text.count("and 10 more") == 2
    assert "lhs shape= [4] rhs shape= [3]" in text
    assert "of the checkpoint are not used: 'old/layer_00/kernel' [1], 'old/layer_01/kernel' [1]," in text


def test_damage_while_restoring(tmp_path: Path) -> None:
    """Values are read where they belong: after an error the variables have none, rather than some of each."""
    w, b = variables()
    saver, session = gc.train.Saver(), initialised()
    prefix = saver.save(session, str(tmp_path / "m"))
    data = tmp_path / "m.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-1] + b"\x99")
    with pytest.raises(errors.DataLossError, match="the checksum of tensor 'w' is wrong"):
        saver.restore(session, prefix)
    for one in (w, b):
        with pytest.raises(errors.FailedPreconditionError, match="uninitialized"):
            session.run(one)
    session.run(gc.global_variables_initializer())
    assert session.run(b).tolist() == [3.5]
    session.close()
    with pytest.raises(RuntimeError, match="closed Session"):
        saver.restore(session, prefix)


def test_runs_see_what_was_restored(tmp_path: Path) -> None:
    """Also plans that keep weights in a form of their own, of which they know when it is out of date."""
    w = gc.get_variable("w", initializer=np.eye(70, dtype=np.float32))
    text = gc.get_variable("text", initializer=["a", "b"])
    x = gc.placeholder(gc.float32, [None, 70])
    y = gc.matmul(x, w)
    saver, session = gc.train.Saver(), initialised()
    prefix = saver.save(session, str(tmp_path / "m"))
    rows = np.random.RandomState(0).randn(80, 70).astype(np.float32)
    session.run([w.assign(w * 3), text.assign(["c", "d"])])
    for _ in range(6):
        np.testing.assert_allclose(session.run(y, {x: rows}), 3 * rows, rtol=1e-5)
    saver.restore(session, prefix)
    np.testing.assert_allclose(session.run(y, {x: rows}), rows, rtol=1e-5)
    assert session.run(text).tolist() == [b"a", b"b"]
    session.run([w.assign(w * 2), text.assign(["c", "d"])])
    np.testing.assert_allclose(session.run(y, {x: rows}), 2 * rows, rtol=1e-5)


def test_restored_as_a_graph(tmp_path: Path) -> None:
    """A restore operation that does more than to restore is run, and one of an object that is only like a session."""
    class Wrapped:
        def __init__(self, session: gc.Session) -> None:
            self.graph, self.run = session.graph, session.run

    w, b = variables()
    saver, session = gc.train.Saver(), initialised()
    prefix = saver.save(session, str(tmp_path / "m"))
    session.run([w.assign(w * 0), b.assign(b * 0)])
    saver.restore(Wrapped(session), prefix)
    assert [v.tolist() for v in session.run([w, b])] == [[1, 2], [3.5]]
    restore = gc.get_default_graph().get_operation_by_name(saver.as_saver_def().restore_op_name)
    with gc.control_dependencies([restore]):
        saver.saver_def.restore_op_name = gc.assign_add(b, [1.0], name="more").op.name
    saver.restore(session, prefix)
    assert [v.tolist() for v in session.run([w, b])] == [[1, 2], [4.5]]
    with gc.Graph().as_default():
        gc.get_variable("W", [2])
        with pytest.raises(errors.NotFoundError, match=r"(?s)Key W not found .*not used: 'b' \[1\]"):
            gc.train.Saver().restore(Wrapped(gc.Session()), prefix)


@pytest.mark.quotes
def test_other_shapes_and_dtypes(tmp_path: Path) -> None:
    variables()
    prefix = gc.train.Saver().save(initialised(), str(tmp_path / "m"))
    with gc.Graph().as_default():
        w, b = gc.get_variable("w", [1, 2]), gc.get_variable("b", [3], gc.float64)
        with pytest.raises(errors.InvalidArgumentError, match=r"lhs shape= \[3\] rhs shape= \[1\]") as caught:
            gc.train.Saver().restore(gc.Session(), prefix)
        assert 'lhs shape= [1, 2] rhs shape= [2]' in str(caught.value)
        assert "w, b = gc.get_variable" in str(caught.value)
        with pytest.raises(errors.InvalidArgumentError, match=r"lhs shape= \[3\] rhs shape= \[1\]"):
            gc.train.Saver([b]).restore(gc.Session(), prefix)
        with gc.Session() as session:
            gc.train.Saver([w], reshape=True).restore(session, prefix)
            assert session.run(w).tolist() == [[1, 2]]
    with gc.Graph().as_default():
        gc.get_variable("w", [2], gc.float64)
        with pytest.raises(errors.InvalidArgumentError, match="dtype float64, the checkpoint float32"):
            gc.train.Saver().restore(gc.Session(), prefix)


def test_parts_of_partitioned_variables(tmp_path: Path) -> None:
    """They are one tensor of the checkpoint, which a variable in one piece, or other parts, may read."""
    info = gc.Variable.SaveSliceInfo
    for i in range(2):
        part = gc.get_variable(f"whole/part_{i}", initializer=np.full((2, 3), i, np.float32))
        part._save_slice_info = info("whole", [4, 3], [2 * i, 0], [2, 3])
    prefix = gc.train.Saver().save(initialised(), str(tmp_path / "m"))
    assert gc.train.list_variables(prefix) == [("whole", [4, 3])]
    with gc.Graph().as_default():
        whole = gc.get_variable("whole", [4, 3])
        part = gc.get_variable("part", [3, 1])
        part._save_slice_info = info("whole", [4, 3], [1, 2], [3, 1])
        with gc.Session() as session:
            gc.train.Saver([whole]).restore(session, prefix)
            gc.train.Saver([part]).restore(session, prefix)
            assert session.run(whole)[:, 0].tolist() == [0, 0, 1, 1]
            assert session.run(part).tolist() == [[0], [1], [1]]


def test_other_objects_are_saved(tmp_path: Path) -> None:
    """A class of the collection SAVEABLE_OBJECTS says how it is saved and restored."""
    class Doubled(SaveableObject):
        def restore(self, restored_tensors: Any, restored_shapes: Any) -> Any:
            return gc.assign(self.op, restored_tensors[0] * 2)

    w, _ = variables()
    gc.add_to_collection(gc.GraphKeys.SAVEABLE_OBJECTS, Doubled(w._ref(), [SaveSpec(w._ref(), "", "twice")], "twice"))
    saver = gc.train.Saver([gc.get_collection(gc.GraphKeys.SAVEABLE_OBJECTS)[0]])
    with initialised() as session:
        prefix = saver.save(session, str(tmp_path / "m"))
        saver.restore(session, prefix)
        assert session.run(w).tolist() == [2, 4]


def test_first_version_of_checkpoints(tmp_path: Path) -> None:
    """One file, which takes the place of a checkpoint of version 2; partitioned variables in parts."""
    values = {"f32": np.ones((2, 3), np.float32), "f64": np.arange(3.0), "i8": np.int8(-3), "i64": np.array([2**40]),
              "bool": np.array([True, False]), "c64": np.array([1 + 2j], np.complex64), "f16": np.float16(1.5),
              "text": np.array([b"one", b"\xff" * 300], object), "empty": np.zeros((0, 4), np.int32)}
    made = {name: gc.Variable(value, name=name) for name, value in values.items()}
    parts = gc.get_variable("rows", [5, 2], initializer=gc.ones_initializer(), partitioner=gc.fixed_size_partitioner(2))
    prefix = str(tmp_path / "m")
    with initialised() as session:
        gc.train.Saver().save(session, prefix)
        assert gc.train.Saver(write_version=gc.train.SaverDef.V1).save(session, prefix) == prefix
        assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint", "m", "m.meta"]
        listed = dict(gc.train.list_variables(prefix))
        assert listed == {"rows": [5, 2], **{name: list(np.shape(value)) for name, value in values.items()}}
        session.run([gc.assign(v, gc.zeros_like(v)) for n, v in made.items() if n != "text"])
        session.run([gc.assign(part, gc.zeros_like(part)) for part in parts])
        gc.train.Saver().restore(session, prefix)
        for name, value in values.items():
            np.testing.assert_array_equal(session.run(made[name]), value)
        np.testing.assert_array_equal(session.run(gc.convert_to_tensor(parts)), np.ones((5, 2)))


def test_what_is_not_there() -> None:
    variables()
    for arguments in ({"builder": object()}, {"write_version": gc.train.SaverDef.V1, "sharded": True}):
        with pytest.raises(errors.UnimplementedError):
            gc.train.Saver(**arguments)
    with pytest.raises(ValueError, match="write_version is 3"):
        gc.train.Saver(write_version=3)
    with pytest.raises(ValueError, match="build cannot be deferred"):
        gc.train.Saver(gc.global_variables(), defer_build=True)


def test_the_first_op_that_saved_is_read_from_files(tmp_path: Path) -> None:
    """A Save node of before TensorFlow 1.0: SaveSlices without slices."""
    gc.raw_ops.SaveSlices(filename=str(tmp_path / "m"), tensor_names=["w"], shapes_and_slices=[""],
                          data=[gc.constant([1.0, 2.0])], name="save")
    graph_def = gc.get_default_graph().as_graph_def()
    node, = (node for node in graph_def.node if node.op == "SaveSlices")
    node.op = "Save"
    del node.input[2]
    with gc.Graph().as_default() as graph, gc.Session() as session:
        gc.import_graph_def(graph_def, name="")
        session.run(graph.get_operation_by_name("save"))
    np.testing.assert_array_equal(gc.train.load_variable(str(tmp_path / "m"), "w"), [1.0, 2.0])
