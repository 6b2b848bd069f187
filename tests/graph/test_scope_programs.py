"""The programs of scope_programs.py give what TensorFlow gave; and what the errors of scopes say."""
from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import graphc as gc

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from scope_programs import CASES

RECORDED = json.loads((HERE / "scopes_in_tensorflow.json").read_text())


@pytest.fixture(autouse=True)
def fresh() -> None:
    gc.reset_default_graph()


@pytest.mark.parametrize("name", CASES)
def test_as_in_tensorflow(name: str) -> None:
    found: list[object] = []
    CASES[name](gc, found)
    assert json.loads(json.dumps(found, default=str)) == RECORDED[name]


def test_a_clash_shows_both_lines_and_the_word_that_mends_it() -> None:
    with gc.variable_scope("a"):
        gc.get_variable("v", [1])
        with pytest.raises(ValueError, match=r"first made at .*test_scope_programs.py:\d+\n  made again at .*py:\d+\n"
                                             r"  to share it write gc.variable_scope\(..., reuse=gc.AUTO_REUSE\)"):
            gc.get_variable("v", [1])


def test_parts_train_as_the_whole() -> None:
    """The same steps with a table in one piece and in three, and they must agree."""
    def trained(partitioner):
        with gc.Graph().as_default():
            table = gc.get_variable("t", [7, 2], initializer=gc.constant_initializer(1.0), partitioner=partitioner)
            rows = gc.nn.embedding_lookup(table, [0, 3, 6, 3], partition_strategy="div")
            loss = gc.reduce_sum(gc.square(rows)) + gc.reduce_mean(gc.matmul(table, gc.ones([2, 1])))
            step = gc.train.AdamOptimizer(0.1).minimize(loss)
            with gc.Session() as session:
                session.run(gc.global_variables_initializer())
                for _ in range(3):
                    session.run(step)
                return session.run(gc.identity(table))

    np.testing.assert_allclose(trained(gc.fixed_size_partitioner(3)), trained(None), rtol=1e-6)


def test_initializers_are_told_of_the_whole() -> None:
    asked = []

    def initializer(shape, dtype=None, partition_info=None):
        asked.append((shape, partition_info.full_shape, partition_info.var_offset, partition_info.single_offset(shape)))
        return gc.zeros(shape, dtype)

    gc.get_variable("v", [5, 2], initializer=initializer, partitioner=gc.fixed_size_partitioner(2))
    assert asked == [([3, 2], [5, 2], [0, 0], 0), ([2, 2], [5, 2], [3, 0], 3)]
    pairs = gc.fixed_size_partitioner(2)
    whole = gc.get_variable("i", [3, 3], initializer=gc.initializers.identity(), partitioner=pairs)
    scaled = gc.get_variable("g", [1000, 1000], partitioner=gc.fixed_size_partitioner(10))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert session.run(whole.as_tensor()).tolist() == np.eye(3).tolist()
        assert 0.9 * 0.0547 < np.abs(session.run(scaled.as_tensor())).max() < 0.0548      # sqrt(6 / 2000)


def test_assigning_parts() -> None:
    v = gc.get_variable("v", [3], initializer=gc.zeros_initializer(), partitioner=gc.fixed_size_partitioner(2))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(v.assign(np.array([1.0, 2.0, 3.0])))
        session.run(v.assign_add([[1.0, 1.0], [1.0]], read_value=False))
        assert session.run(v + 0.0).tolist() == [2, 3, 4]


@pytest.mark.parametrize(("partitions", "message"), [
    ([1], "does not match the Variable's rank"), ([2, 2], "Can only slice a variable along one dimension"),
    ([0, 1], "zero partitions"), (3, "must return a sequence"), ([9, 1], "Cannot cut 'v'")])
def test_partitions_that_are_none(partitions: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gc.get_variable("v", [4, 4], partitioner=lambda shape, dtype: partitions)


@pytest.mark.parametrize("key", [0, slice(1, 3), (slice(None), 1), (Ellipsis, slice(None, None, -2)), (-1, 2)], ids=str)
def test_assigning_a_part_of_a_variable(key: object) -> None:
    wanted = np.arange(12.0).reshape(3, 4).astype(np.float32)
    v = gc.Variable(wanted)
    update = v[key].assign(-1.0)
    wanted[key] = -1
    with gc.Session() as session:
        session.run(v.initializer)
        assert session.run(update).tolist() == session.run(v).tolist() == wanted.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_, object])
def test_assigning_a_part_that_only_a_run_knows(dtype: type) -> None:
    value = np.arange(12).reshape(3, 4).astype(np.float32 if dtype is object else dtype)
    wanted = value.astype(str).astype(object) if dtype is object else value
    new: object = b"new" if dtype is object else np.array(1, dtype)
    v = gc.Variable(wanted)
    n = gc.placeholder(gc.int32, [])
    updates = [(gc.assign(v[n], new), np.s_[2]), (gc.assign(v[:n, ::2], new), np.s_[:2, ::2]),
               (v[n:, n - 1].assign([new]), np.s_[2:, 1]), (v[1, n].assign(new), np.s_[1, 2]),
               (v[n + 1:].assign(new), np.s_[3:])]
    wanted = np.array([[str(x).encode() for x in row] for row in wanted], object) if dtype is object else wanted.copy()
    with gc.Session() as session:
        session.run(v.initializer)
        for update, key in updates:
            wanted[key] = new
            found = session.run(update, {n: 2})
            assert found.tolist() == session.run(v).tolist() == wanted.tolist()
        with pytest.raises(gc.errors.InvalidArgumentError):
            session.run(updates[0][0], {n: 3})


def test_a_part_is_no_variable() -> None:
    v = gc.Variable([1.0, 2.0])
    with pytest.raises(ValueError, match="must be a variable"):
        gc.assign_add(v[1:], [1.0])
    with pytest.raises(TypeError, match="lists of indices"):
        v[[0, 1]].assign(1.0)


def test_variable_of_a_definition() -> None:
    from types import SimpleNamespace

    made = gc.Variable([1.0, 2.0], name="v")
    names = SimpleNamespace(variable_name="v:0", initializer_name="v/Assign", snapshot_name="v/read:0",
                            initial_value_name="v/initial_value:0", trainable=False, is_resource=False)
    again = gc.Variable.from_proto(names)
    assert again.op is made.op and again.initializer is made.initializer and not again.trainable
    with gc.Session() as session:
        session.run(again.initializer)
        assert session.run(again + 1.0).tolist() == [2, 3]


def test_pre_1_0_scopes() -> None:
    x = gc.placeholder(gc.float32, [], name="x")
    with gc.op_scope([x], None, "plus") as scope:
        assert scope == "plus/"
    with gc.variable_op_scope([x], None, "layer") as scope:
        assert scope.name == "layer" and gc.get_variable("w", [1]).name == "layer/w:0"


def test_uninitialized_variables_are_a_tensor() -> None:
    a, b = gc.Variable(1.0, name="a"), gc.Variable(2.0, name="b")
    left = gc.size(gc.report_uninitialized_variables())
    with gc.Session() as session:
        assert session.run(left) == 2
        session.run([a.initializer, b.initializer])
        assert session.run(left) == 0
