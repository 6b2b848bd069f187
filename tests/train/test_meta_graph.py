"""Meta graphs: those that TensorFlow wrote are trained on, ours come back as they were.

tests/train/data/reference.* and resource.* were written by TensorFlow 2.21 (tf.compat.v1): y = x w + b, trained for two
steps of MomentumOptimizer(0.1, 0.9), with reference variables and with resource variables. Of the .meta the list of
ops and the output shapes were taken off, as they are long. LOSSES and Y are what TensorFlow goes on with.
"""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.serial.meta_graph_pb2 import MetaGraphDef

DATA = Path(__file__).parent / "data"
X = np.arange(6, dtype=np.float32).reshape(2, 3) / 6
LOSSES = [0.13375826179981232, 0.11644884943962097, 0.09727415442466736]
Y = [0.6991429924964905, 1.2520793676376343]


@pytest.fixture(autouse=True)
def graph() -> Iterator[Any]:
    with gc.Graph().as_default() as made:
        yield made


@pytest.mark.parametrize("scope", [None, "old"])
@pytest.mark.parametrize("kind", ["reference", "resource"])
def test_training_goes_on_from_tensorflows(kind: str, scope: str | None, tmp_path: Path) -> None:
    saver = gc.train.import_meta_graph(str(DATA / f"{kind}.meta"), import_scope=scope)
    prefix = f"{scope}/" if scope else ""
    assert [v.op.name for v in gc.global_variables()] == [
        prefix + name for name in ("w", "b", "global_step", "w/Momentum", "b/Momentum")]
    assert [v.op.name for v in gc.trainable_variables()] == [f"{prefix}w", f"{prefix}b"]
    step = gc.get_collection("train_op")[0]
    feed = {f"{prefix}x:0": X, f"{prefix}want:0": np.ones((2, 1))}
    with gc.Session() as session:
        saver.restore(session, str(DATA / kind))
        losses = [session.run([step, f"{prefix}loss:0"], feed)[1] for _ in range(3)]
        y = session.run(f"{prefix}y:0", feed)
        assert session.run(gc.train.get_global_step()) == 5
        again = saver.save(session, str(tmp_path / "again"))
    np.testing.assert_allclose(losses, LOSSES, rtol=1e-5)
    np.testing.assert_allclose(y[:, 0], Y, rtol=1e-5)
    with gc.Graph().as_default(), gc.Session() as session:
        gc.train.import_meta_graph(f"{again}.meta").restore(session, again)
        np.testing.assert_array_equal(session.run(f"{prefix}y:0", feed), y)


def model() -> tuple[Any, Any]:
    x = gc.placeholder(gc.float32, [None, 3], name="x")
    with gc.variable_scope("layer"):
        w = gc.get_variable("w", [3, 2])
        b = gc.get_local_variable("b", initializer=gc.zeros([2]))
    y = gc.identity(gc.matmul(x, w) + b, name="y")
    step = gc.train.AdamOptimizer().minimize(gc.reduce_mean(y ** 2), gc.train.get_or_create_global_step())
    gc.add_to_collection("train_op", step)
    for key, value in (("numbers", 3), ("numbers", 4), ("texts", "one"), ("floats", 0.5), ("tensors", y)):
        gc.add_to_collection(key, value)
    return x, y


def test_ours_come_back(tmp_path: Path) -> None:
    x, y = model()
    saver = gc.train.Saver()
    gc.add_to_collection(gc.GraphKeys.SAVERS, saver)
    both = [gc.global_variables_initializer(), gc.local_variables_initializer()]
    with gc.Session() as session:
        session.run(both)
        prefix = saver.save(session, str(tmp_path / "m"), 1)
        expected = session.run(y, {x: X})
    with gc.Graph().as_default() as graph, gc.Session() as session:
        other = gc.train.import_meta_graph(f"{prefix}.meta", clear_devices=True)
        other.restore(session, prefix)
        session.run([v.initializer for v in gc.local_variables()])
        np.testing.assert_array_equal(session.run("y:0", {"x:0": X}), expected)
        assert graph.get_collection("numbers") == [3, 4] and graph.get_collection("floats") == [0.5]
        assert graph.get_collection("texts") == [b"one"] and graph.get_collection("tensors")[0].name == "y:0"
        assert isinstance(graph.get_collection(gc.GraphKeys.SAVERS)[0], gc.train.Saver)
        w = gc.trainable_variables()[0]
        assert isinstance(w, gc.Variable) and w is gc.global_variables()[0]
        assert [v.name for v in gc.local_variables()] == ["layer/b:0"]
        session.run(graph.get_collection("train_op"), {"x:0": X})
        assert session.run(w.assign(w + 1)).shape == (3, 2)      # a variable as any other
        assert session.run(gc.gradients(w * 2, w)[0]).tolist() == [[2, 2]] * 3


def test_forms_of_the_message(tmp_path: Path) -> None:
    model()
    saver = gc.train.Saver()
    message = gc.train.export_meta_graph(str(tmp_path / "text"), as_text=True, saver_def=saver.as_saver_def(),
                                         collection_list=["numbers", "variables"])
    assert isinstance(message, MetaGraphDef) and sorted(message.collection_def) == ["numbers", "variables"]
    for given in (message, str(tmp_path / "text"), (tmp_path / "text")):
        with gc.Graph().as_default():
            assert gc.train.import_meta_graph(given).as_saver_def() == saver.as_saver_def()
    with gc.Graph().as_default():
        message.ClearField("saver_def")
        assert gc.train.import_meta_graph(message).as_saver_def().restore_op_name == "save/restore_all_1"  # as TF
    with gc.Graph().as_default():
        gc.constant(1)
        assert gc.train.import_meta_graph(gc.train.export_meta_graph(graph=gc.get_default_graph())) is None


def test_part_of_a_graph() -> None:
    """A scope is exported without its name; what it takes from outside is mapped when it is read."""
    outside = gc.constant([1.0, 2.0], name="outside")
    with gc.name_scope("inner"), gc.device("/gpu:0"):
        v = gc.Variable([3.0, 4.0], name="v")
        gc.add(v, outside, name="sum")
    message = gc.train.export_meta_graph(export_scope="inner", clear_devices=True)
    names = {node.name for node in message.graph_def.node}
    assert {"v", "v/read", "sum"} <= names and "outside" not in names
    assert not any(node.device for node in message.graph_def.node)
    assert list(message.collection_def["unbound_inputs"].bytes_list.value) == [b"$unbound_inputs_outside"]
    with gc.Graph().as_default():
        with pytest.raises(ValueError, match=r"Graph contains unbound inputs: .unbound_inputs_outside"):
            gc.train.import_meta_graph(message)
        ten = gc.constant([10.0, 20.0])
        gc.train.import_meta_graph(message, import_scope="new", input_map={"$unbound_inputs_outside": ten})
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            assert session.run("new/sum:0").tolist() == [13, 24]


def test_other_savers_are_left_out() -> None:
    gc.Variable(1.0, name="v")
    gc.train.Saver()
    saver = gc.train.Saver()
    message = saver.export_meta_graph(clear_extraneous_savers=True)
    assert {node.name.partition("/")[0] for node in message.graph_def.node} == {"v", "save_1"}


def test_default_attributes_are_left_out() -> None:
    a = gc.constant([[1.0, 2.0]])
    gc.matmul(a, a, transpose_b=True, name="product")
    gc.truncated_normal([2])
    message = gc.train.export_meta_graph(strip_default_attrs=True)
    node = next(n for n in message.graph_def.node if n.name == "product")
    assert message.meta_info_def.stripped_default_attrs
    assert node.attr["transpose_b"].b and "transpose_a" not in node.attr and "T" in node.attr
    drawn = next(n for n in message.graph_def.node if n.op == "TruncatedNormal")
    assert "dtype" in drawn.attr and "seed" not in drawn.attr           # TensorFlow's op has no default for the dtype
    with gc.Graph().as_default(), gc.Session() as session:
        gc.train.import_meta_graph(message)
        assert session.run("product:0").tolist() == [[5]]


def test_queue_runners_come_back() -> None:
    name = gc.train.string_input_producer(["a"], num_epochs=2, shuffle=False).dequeue(name="next").name
    message = gc.train.export_meta_graph()
    with gc.Graph().as_default(), gc.Session() as session:
        gc.train.import_meta_graph(message)
        session.run([v.initializer for v in gc.local_variables()])
        coordinator = gc.train.Coordinator()
        threads = gc.train.start_queue_runners(session, coordinator)
        assert [session.run(name) for _ in range(2)] == [b"a", b"a"]
        with pytest.raises(gc.errors.OutOfRangeError):
            session.run(name)
        coordinator.request_stop()
        coordinator.join(threads)


def test_what_has_no_form(tmp_path: Path) -> None:
    gc.Variable(1.0)
    gc.add_to_collection("odd", {"a": 1})
    with pytest.warns(UserWarning, match="the collection 'odd' is not saved, as dict has no form"):
        assert "odd" not in gc.train.export_meta_graph().collection_def
    with pytest.raises(OSError, match="does not exist"):
        gc.train.import_meta_graph(str(tmp_path / "nothing.meta"))
    (tmp_path / "other").write_bytes(b"\xff\xfe no message")
    with pytest.raises(OSError, match="Cannot parse file"):
        gc.train.import_meta_graph(str(tmp_path / "other"))
