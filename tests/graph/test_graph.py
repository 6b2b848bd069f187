"""Graph, names, scopes, control dependencies, collections, devices, as TensorFlow 1 has them."""
from __future__ import annotations

import difflib
import threading
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.func_graph import FuncGraph
from graphc.ir.names import suggestion


@pytest.fixture
def graph():
    with gc.Graph().as_default() as made:
        yield made


def test_names_ignore_case(graph):
    names = [gc.constant(1, name=n).op.name for n in ("foo", "Foo", "foo", "FOO_1", "foo_1")]
    assert names == ["foo", "Foo_1", "foo_2", "FOO_1_1", "foo_1_2"]


def test_names_of_helpers_count(graph):
    x = gc.placeholder(gc.float32, [2, 3], name="x")
    assert (x + 1).op.name == "add" and graph.get_operation_by_name("add/y").type == "Const"
    assert gc.transpose(x, [1, 0]).op.name == "transpose"
    assert graph.get_operation_by_name("transpose/perm").type == "Const"
    y = x[0, 1:]
    assert y.op.name == "strided_slice"
    assert [t.op.name for t in y.op.inputs[1:]] == [
        "strided_slice/stack",
        "strided_slice/stack_1",
        "strided_slice/stack_2",
    ]
    assert (x + 1).op.name == "add_1"
    assert x[0].op.name == "strided_slice_1"


def test_scopes_nest_and_are_unique(graph):
    with gc.name_scope("a") as scope:
        assert scope == "a/"
        with gc.name_scope("b"):
            assert gc.constant(1).name == "a/b/Const:0"
    with gc.name_scope("a") as scope:
        assert scope == "a_1/"
    with gc.name_scope("a/"):
        assert gc.constant(1).name == "a/Const:0"
    with gc.name_scope("c"), gc.name_scope(None):
        assert gc.constant(1).name == "Const:0"
    with gc.name_scope(None, "fallback", [1.0]) as scope:
        assert scope == "fallback/"


@pytest.mark.parametrize("name", ["_x", "a b", "x:0", "-"])
def test_bad_names(graph, name):
    with pytest.raises(ValueError, match="not a valid"):
        gc.constant(1, name=name)


def test_lookup(graph):
    c = gc.constant([1.0, 2.0], name="weights")
    assert graph.get_tensor_by_name("weights:0") is c
    assert graph.as_graph_element("weights") is c.op and graph.as_graph_element(c) is c
    with pytest.raises(KeyError, match=r"'weight:0' refers to a Tensor which does not exist.*did you mean 'weights'"):
        graph.get_tensor_by_name("weight:0")
    with pytest.raises(KeyError, match="only has 1 outputs"):
        graph.get_tensor_by_name("weights:1")
    with pytest.raises(ValueError, match="refers to an Operation, not a Tensor; its first output is 'weights:0'"):
        graph.get_tensor_by_name("weights")
    with pytest.raises(ValueError, match="appears to refer to a Tensor"):
        graph.get_operation_by_name("weights:0")
    with pytest.raises(KeyError, match="not in the graph"):
        graph.get_operation_by_name("biases")
    with pytest.raises(TypeError, match="Can not convert a int into a Tensor or Operation"):
        graph.as_graph_element(3)


def test_tensors_of_other_graphs_are_refused(graph):
    c = gc.constant(1.0)
    other = gc.Graph()
    with other.as_default():
        d = gc.constant(2.0)
    with pytest.raises(ValueError, match="belongs to another graph"):
        gc.add(c, d)
    with pytest.raises(ValueError, match="not an element of this graph"):
        graph.as_graph_element(d)


def test_control_dependencies(graph):
    a, b = gc.constant(1.0, name="a"), gc.constant(2.0, name="b")
    with gc.control_dependencies([a]):
        c = gc.identity(b)
        with gc.control_dependencies([b.op]):
            d = gc.constant(3.0)
            e = gc.identity(c)
        with gc.control_dependencies(None):
            f = gc.constant(4.0)
    assert c.op.control_inputs == [a.op]
    assert d.op.control_inputs == [a.op, b.op]
    assert e.op.control_inputs == [b.op], "c waits for a already"
    assert f.op.control_inputs == []


def test_with_dependencies(graph):
    from graphc.compat.v1.python.ops import control_flow_ops

    a, b = gc.constant(1.0), gc.constant(2.0)
    c = control_flow_ops.with_dependencies([a.op], b)
    assert c.name == "control_dependency:0" and c.op.control_inputs == [a.op] and list(c.op.inputs) == [b]
    assert control_flow_ops.with_dependencies([a, b], c, name="d").op.control_inputs == [a.op, b.op]
    rows = control_flow_ops.with_dependencies([a], gc.IndexedSlices(b, gc.constant(0)), name="e")
    assert rows.values.op.control_inputs == [a.op] and rows.values.name == "e:0"


def test_device_scopes_merge(graph):
    with gc.device("/job:worker/task:1"), gc.device("/gpu:0"):
        assert gc.constant(1).device == "/job:worker/task:1/device:GPU:0"
        with gc.device("/cpu:0"):
            assert gc.constant(1).device == "/job:worker/task:1/device:CPU:0"
        with gc.device(None):
            assert gc.constant(1).device == ""
    with pytest.raises(ValueError, match="not a device name"), gc.device("nowhere"):
        gc.constant(1)


def test_collections(graph):
    a, b = gc.constant(1, name="s/a"), gc.constant(2, name="b")
    for t in (a, b):
        gc.add_to_collection(gc.GraphKeys.LOSSES, t)
    assert gc.get_collection("losses") == [a, b] and gc.get_collection("losses", "s/") == [a]
    gc.get_collection("losses").append(1)
    assert len(gc.get_collection("losses")) == 2
    gc.get_collection_ref("losses").append(1)
    assert len(gc.get_collection("losses")) == 3
    graph.clear_collection("losses")
    assert gc.get_collection("losses") == []


def test_finalize(graph):
    gc.constant(1)
    graph.finalize()
    with pytest.raises(RuntimeError, match="finalized and cannot be modified"):
        gc.constant(2)


def test_default_graph_is_the_threads_own(graph):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(gc.get_default_graph()))
    thread.start()
    thread.join()
    assert gc.get_default_graph() is graph and seen[0] is not graph


def test_reset_inside_a_graph(graph):
    with pytest.raises(AssertionError, match="leave the block first"):
        gc.reset_default_graph()


def test_many_threads_make_unique_names(graph):
    def build():
        with graph.as_default():
            for _ in range(50):
                gc.constant(1.0, name="c")

    threads = [threading.Thread(target=build) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len({op.name for op in graph.get_operations()}) == len(graph.get_operations()) == 200


def test_tensor_as_python_object(graph):
    a, b = gc.constant([1.0, 2.0]), gc.constant([1.0, 2.0])
    assert (a == b) is False and a == a and len({a, b}) == 2
    for misuse in (bool, iter, len, float, np.asarray):
        with pytest.raises(TypeError, match="Const:0"):
            misuse(a)
    assert isinstance(np.ones(2, np.float32) * a, gc.Tensor)
    assert isinstance(np.float32(2) - a, gc.Tensor)


@pytest.mark.quotes
def test_origin_is_the_users_line(graph):
    tensor = gc.nn.relu(gc.placeholder(gc.float32, [2]))
    assert tensor.op.origin.file == __file__
    assert "gc.nn.relu" in tensor.op.traceback[0][3]


@pytest.mark.quotes
def test_errors_name_op_arguments_line_and_remedy(graph):
    x = gc.placeholder(gc.float32, [None, 3], name="x")
    with pytest.raises(ValueError) as error:
        gc.concat([x, gc.zeros([2, 4])], 0, name="joined")
    message = str(error.value)
    for part in ("ConcatV2 'joined'", "values[0]: float32[", "from 'x:0'", "values[1]: float32[2, 4]", __file__,
                 "gc.concat([x, gc.zeros([2, 4])]"):
        assert part in message


def test_shapes(graph):
    x = gc.placeholder(gc.float32, [None, 3])
    assert x.shape[0].value is None and x.shape[1].value == 3 and int(x.shape[1]) == 3
    assert (x.shape[0] == 3) is None and x.shape[1] == 3 and (x.shape[0] > 1) is None
    assert x.get_shape().as_list() == [None, 3] and x.shape.ndims == 2 and not x.shape.is_fully_defined()
    assert str(x.shape) == "(?, 3)" and (x.shape[0] + 1).value is None and (x.shape[1] * 2).value == 6
    with pytest.raises(ValueError, match="unknown TensorShape"):
        gc.placeholder(gc.float32).shape.as_list()
    x.set_shape([5, None])
    assert x.shape.as_list() == [5, 3]
    with pytest.raises(ValueError, match="incompatible"):
        x.set_shape([6, 3])
    assert gc.TensorShape([None, 3]).merge_with([2, None]) == gc.TensorShape([2, 3])
    assert gc.TensorShape([2]).concatenate([None]).as_list() == [2, None]


def test_shape_chains_fold(graph):
    x = gc.placeholder(gc.float32, [None, 28, 28, 1])
    assert gc.reshape(x, [-1, 784]).shape.as_list() == [None, 784]
    rows = gc.shape(x)[0]
    flat = gc.reshape(x, gc.stack([rows, 28 * 28]))
    assert flat.spec.shape[0] is x.spec.shape[0]
    assert gc.reshape(x, [rows * 2, -1]).shape.as_list() == [None, 392]
    assert gc.zeros(gc.stack([gc.shape(x)[1], 3])).shape.as_list() == [28, 3]
    with pytest.raises(ValueError, match="784"):
        gc.reshape(gc.zeros([28, 28]), [-1, 5])


def test_functions_capture(graph):
    x = gc.placeholder(gc.float32, [None, 3], name="x")
    body = FuncGraph("body", graph)
    with body.as_default():
        y = gc.multiply(x, 2.0)
        z = gc.add(y, x)
    assert list(body.captures) == [x] and body.inputs == [body.captures[x]]
    assert z.shape.as_list() == [None, 3] and z.graph is body
    inner = FuncGraph("inner", body)
    with inner.as_default():
        gc.add(x, z)
    assert list(inner.captures) == [body.captures[x], z]
    with pytest.raises(ValueError, match="made inside a branch or loop body"):
        with FuncGraph("other", graph).as_default():
            gc.identity(z)


def test_names_that_are_not_there_cost_little_in_large_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs look whether a name is there by catching the error."""
    names = [f"tower_{i % 4}/block_{i}/layer_{i % 7}/weights/Adam_{i % 2}/read" for i in range(5_000)]
    compared: list[int] = []
    nearest = difflib.get_close_matches

    def counting(name: str, choice: list[str], **options: Any) -> list[str]:
        compared.append(len(choice))
        return nearest(name, choice, **options)

    monkeypatch.setattr(difflib, "get_close_matches", counting)
    for wrong in (names[999].replace("layer", "layr"), names[999].removesuffix("d"), names[999] + "er"):
        assert names[999] in suggestion(wrong, names)
    assert suggestion("matmull", names[:10] + ["matmul"]) == "; did you mean 'matmul'?"
    assert len(compared) == 4 and max(compared) <= 50
