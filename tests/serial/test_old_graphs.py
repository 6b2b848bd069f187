"""What graphs of every age hold: references, missing and unknown attributes, names that are taken."""
from __future__ import annotations

import numpy as np
import pytest
from lowered_files import const, graph_def, node, placeholder, run

import graphc as gc


def variable(name: str) -> list:
    made = node(name, "VariableV2", dtype=gc.float32)
    made.attr["dtype"].type = gc.float32.number
    made.attr["shape"].shape.SetInParent()
    return [made, const(f"{name}/zero", 0.0), node(f"{name}/init", "Assign", name, f"{name}/zero")]


def test_references_through_branches() -> None:
    """As TensorFlow 1.0 wrote a tf.cond that assigns: the variable itself goes through a RefSwitch."""
    graph = graph_def(placeholder("p", gc.bool), *variable("v"), node("r", "RefIdentity", "v"),
                      node("s", "RefSwitch", "r", "p"),
                      node("t", "Switch", "p", "p", dtype=gc.bool), node("yes", "Identity", "t:1", dtype=gc.bool),
                      const("five", 5.0, gc.float32, "^yes"), node("set", "Assign", "s:1", "five"),
                      node("old", "Identity", "s"), node("out", "Merge", "old", "set", N=2))
    with gc.Graph().as_default():
        gc.import_graph_def(graph, name="")
        with gc.Session() as session:
            session.run("v/init")
            assert session.run("out:0", {"p:0": False}) == 0 and session.run("v:0") == 0
            assert session.run("out:0", {"p:0": True}) == 5 and session.run("v:0") == 5


def test_missing_and_unknown_attributes() -> None:
    product = node("y", "MatMul", "x", "x", _class="loc:@x", _output_shapes="", made_by_a_newer_one=True)
    assert "transpose_a" not in product.attr
    x = np.array([[1, 2], [3, 4]], np.float32)
    np.testing.assert_array_equal(run(graph_def(placeholder("x", shape=(2, 2)), product), "y:0", {"x:0": x}), x @ x)


def test_attributes_of_newer_programs() -> None:
    """With the ops of the program that made the graph, those with default values there are dropped."""
    from graphc.serial.meta_graph_pb2 import OpList

    made = OpList()
    op = made.op.add(name="Neg")
    for name, value in (("grain", 3), ("turn", 5)):
        op.attr.add(name=name, type="int").default_value.i = value
    for given, kept in ((None, {"grain", "turn", "other"}), (made, {"turn", "other"})):
        with gc.Graph().as_default():
            graph = graph_def(placeholder("x"), node("y", "Neg", "x", grain=3, turn=6, other=1))
            y, = gc.import_graph_def(graph, return_elements=["y"], producer_op_list=given)
            assert set(y.node_def.attr) == {"T", *kept}


def test_names_that_are_taken() -> None:
    with gc.Graph().as_default() as graph:
        gc.constant(1.0, name="x")
        gc.constant(1.0, name="c/merge")
        branch = [placeholder("p", gc.bool), const("x", 2.0), node("c/s", "Switch", "x", "p"),
                  node("c/no", "Neg", "c/s"), node("c/merge", "Merge", "c/no", "c/s:1", N=2)]
        found = gc.import_graph_def(graph_def(*branch), name="", return_elements=["x", "c/merge:0", "c/no:0"])
        assert [t.name for t in found] == ["x_1", "c/merge_1:0", "c/no:0"]
        with gc.Session(graph=graph) as session:
            assert session.run(found[1:], {"p:0": False}) == [-2, -2]
        again = [gc.import_graph_def(graph_def(*branch), name="d", return_elements=["c/no:0"])[0] for _ in range(2)]
        assert [t.name for t in again] == ["d/c/no:0", "d_1/c/no:0"]


def test_mapped_control_inputs_and_outputs() -> None:
    with gc.Graph().as_default():
        total = gc.Variable(0.0)
        add = gc.assign_add(total, 1.0).op
        graph = graph_def(placeholder("x"), node("before", "NoOp"), node("y", "Neg", "x", "^before"),
                          node("two", "Unpack", "both", num=2, axis=0), const("both", [1.0, 2.0]),
                          node("z", "Neg", "two:1"))
        y, z = gc.import_graph_def(graph, {"^before": add, "two:1": gc.constant(7.0), "x": gc.constant(3.0)},
                                   ["y:0", "z:0"])
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            assert session.run([y, z]) == [-3, -7]
            assert session.run(total) == 1
        with pytest.raises(ValueError, match="'nothing:0'"):
            gc.import_graph_def(graph, {"nothing": gc.constant(1.0)})
