"""Saved loops: the wire form is TensorFlow's, and every form that there is reads back."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import graphc as gc
from graphc.serial.graph_pb2 import GraphDef, NodeDef

FEEDS = {"n:0": 3, "x:0": np.arange(6.0).reshape(2, 3), "a/y:0": np.full((2, 3), 0.5)}


def _one() -> list[gc.Tensor]:
    n, x, y = _fed()
    return gc.while_loop(lambda k, a: k < n, lambda k, a: [k + 1, a * y], [0, x])


def _nested() -> list[gc.Tensor]:
    n, x, y = _fed()
    return gc.while_loop(lambda k, a: k < n, lambda k, a: [k + 1, gc.while_loop(
        lambda j, c: j < k, lambda j, c: [j + 1, c * y + x], [0, a])[1]], [0, x])


def _in_a_branch() -> list[gc.Tensor]:
    n, x, y = _fed()
    return [gc.cond(n > 1, lambda: gc.while_loop(lambda k, a: k < n, lambda k, a: [k + 1, a - y], [0, x])[1],
                    lambda: x)]


def _gradient() -> list[gc.Tensor]:
    n, x, y = _fed()
    _, last = gc.while_loop(lambda k, a: k < n, lambda k, a: [k + 1, gc.tanh(a) * y], [0, x])
    return gc.gradients(last, [x, y])


def _variable() -> list[gc.Tensor]:
    n, x, _ = _fed()
    v = gc.Variable(np.float32([1, 2, 3]), name="v")
    return gc.while_loop(lambda k, a: k < n, lambda k, a: [k + 1, a + v], [0, x])


def _nothing_captured() -> list[gc.Tensor]:
    _, x, _ = _fed()
    return gc.while_loop(lambda k, a: k < 3, lambda k, a: [k + 1, a + a], [0, x])


def _fed() -> tuple[gc.Tensor, gc.Tensor, gc.Tensor]:
    return (gc.placeholder(gc.int32, [], name="n"), gc.placeholder(gc.float32, [2, 3], name="x"),
            gc.placeholder(gc.float32, [2, 3], name="a/y"))


LOOPS = [_one, _nested, _in_a_branch, _gradient, _variable, _nothing_captured]


def saved(make) -> tuple[GraphDef, list[str], str, list[np.ndarray]]:
    """The graph, its fetches' names, its initializer's and what a session gives."""
    with gc.Graph().as_default() as graph:
        fetches = make()
        init = gc.global_variables_initializer()
        with gc.Session() as session:
            session.run(init)
            values = session.run(fetches, FEEDS)
        graph_def = GraphDef.FromString(graph.as_graph_def().SerializeToString())
        return graph_def, [f.name for f in fetches], init.name, values


def loops(graph_def: GraphDef) -> Iterator[NodeDef]:
    for nodes in (graph_def.node, *(f.node_def for f in graph_def.library.function)):
        yield from (n for n in nodes if n.op in ("While", "StatelessWhile"))


@pytest.mark.parametrize("make", LOOPS)
def test_a_loop_has_an_output_for_every_input(make) -> None:
    """What TensorFlow checks when it reads a While."""
    graph_def, _, _, _ = saved(make)
    functions = {f.signature.name: f for f in graph_def.library.function}
    assert list(loops(graph_def))
    for node in loops(graph_def):
        types = list(node.attr["T"].list.type)
        assert len(node.attr["output_shapes"].list.shape) == len(types) == len(node.input)
        cond, body = (functions[node.attr[name].func.name] for name in ("cond", "body"))
        assert [a.type for a in cond.signature.input_arg] == types
        assert [a.type for a in body.signature.input_arg] == types
        assert [a.type for a in body.signature.output_arg] == types
        assert set(body.ret) == {a.name for a in body.signature.output_arg}


@pytest.mark.parametrize("make", LOOPS)
@pytest.mark.parametrize("form", ["graphc's", "TensorFlow's", "without results for what is captured"])
def test_every_form_reads_back(make, form: str) -> None:
    graph_def, fetches, init, values = saved(make)
    before = {n.name: n.attr["_carried"].i for n in loops(graph_def) if "_carried" in n.attr}
    functions = {f.signature.name: f for f in graph_def.library.function}
    for node in loops(graph_def) if form != "graphc's" else ():
        carried = node.attr["_carried"].i if "_carried" in node.attr else len(node.input)
        if form != "TensorFlow's":
            body = functions[node.attr["body"].func.name]
            for result in body.signature.output_arg[carried:]:
                del body.ret[result.name]
            del body.signature.output_arg[carried:]
            del node.attr["output_shapes"].list.shape[carried:]
        node.attr.pop("_carried", None)
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(graph_def, name="")
        with gc.Session() as session:
            session.run(init)
            for found, expected in zip(session.run(fetches, FEEDS), values, strict=True):
                np.testing.assert_array_equal(found, expected)
        again = {n.name: n.attr["_carried"].i for n in loops(graph.as_graph_def()) if "_carried" in n.attr}
        assert again == ({} if form == "TensorFlow's" else before)


def test_an_imported_loop_has_a_gradient() -> None:
    graph_def, (_, last), _, _ = saved(_one)
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(graph_def, name="")
        x, y, last = (graph.get_tensor_by_name(name) for name in ("x:0", "a/y:0", last))
        dx, dy = gc.gradients(last, [x, y])
        with gc.Session() as session:
            dx, dy = session.run([dx, dy], FEEDS)
    np.testing.assert_allclose(dx, np.full((2, 3), 0.125))
    np.testing.assert_allclose(dy, np.arange(6.0).reshape(2, 3) * 3 * 0.25)


@pytest.mark.parametrize(("carried", "message"), [(-1, "carries -1"), (0, "changes"), (1, "changes"), (9, "carries 9")])
def test_a_wrong_number_of_carried_values_is_damage(carried: int, message: str) -> None:
    graph_def, _, _, _ = saved(_one)
    for node in loops(graph_def):
        node.attr["_carried"].i = carried
    with gc.Graph().as_default(), pytest.raises(gc.errors.DataLossError, match=message):
        gc.import_graph_def(graph_def, name="")


def test_loops_that_share_a_function_may_carry_different_values() -> None:
    graph_def, _, _, _ = saved(_one)
    node = next(loops(graph_def))
    other = graph_def.node.add()
    other.CopyFrom(node)
    other.name = "other"
    other.attr.pop("_carried")
    with gc.Graph().as_default() as graph, gc.Session() as session:
        gc.import_graph_def(graph_def, name="")
        one, all_inputs = (graph.get_operation_by_name(name) for name in (node.name, "other"))
        assert len(one.outputs) < len(all_inputs.outputs) == len(node.input)
        found, again = session.run([list(one.outputs), list(all_inputs.outputs[:len(one.outputs)])], FEEDS)
        for a, b in zip(found, again, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_saved_branch_says_the_shapes_that_both_results_have() -> None:
    """Others believe it: a size in which the branches differ is not known."""
    with gc.Graph().as_default() as graph:
        p, x = gc.placeholder(gc.bool, []), gc.placeholder(gc.float32, [None, 3])
        results = gc.cond(p, lambda: [gc.zeros([1, 2]), gc.zeros([4]), x, gc.zeros([1])],
                          lambda: [gc.zeros([5, 2]), gc.zeros([4]), x * 2.0, gc.zeros([2, 2])])
    node = next(n for n in graph.as_graph_def().node if n.op in ("If", "StatelessIf"))
    said = [None if s.unknown_rank else [d.size for d in s.dim] for s in node.attr["output_shapes"].list.shape]
    assert said == [[-1, 2], [4], [-1, 3], None]
    assert [None if r.shape.ndims is None else r.shape.as_list() for r in results] == [[None, 2], [4], [None, 3], None]
