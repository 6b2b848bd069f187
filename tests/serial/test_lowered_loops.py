"""Loops in TensorFlow 1's form (Enter, Merge, Switch, NextIteration, Exit). Numbers are computed in the tests."""
from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from lowered_files import const, enter, graph_def, loop, node, placeholder, run

import graphc as gc
from graphc import errors


def doubling() -> list:
    """x, 2x + 1, ... while it is below 20."""
    return [placeholder("x"), const("limit", 20.0), *loop("w", "limit", "x", [
        const("w/two", 2.0, gc.float32, "^w/y"), const("w/one", 1.0, gc.float32, "^w/y"),
        node("w/mul", "Mul", "w/y", "w/two"), node("w/add", "AddV2", "w/mul", "w/one")], "w/add")]


def doubled(x: float) -> float:
    while x < 20:
        x = 2 * x + 1
    return x


def test_nodes_stand_in_any_order() -> None:
    nodes = doubling()
    for seed in range(20):
        random.Random(seed).shuffle(nodes)
        assert run(graph_def(*nodes), "w/exit:0", {"x:0": 1.0}) == doubled(1)
        assert run(graph_def(*nodes), "w/exit:0", {"x:0": 50.0}) == 50


def test_a_loop_in_a_loop_shares_nothing_but_what_enters() -> None:
    inner = [enter("i/two", "w/two", "i", constant=True), *loop("i", "w/four", "w/y", [
        node("i/mul", "Mul", "i/y", "i/two")], "i/mul")]
    graph = graph_def(placeholder("x"), const("limit", 100.0), const("two", 2.0), const("four", 4.0),
                      enter("w/two", "two", "w", constant=True), enter("w/four", "four", "w", constant=True),
                      *loop("w", "limit", "x", [*inner, node("w/add", "AddV2", "i/exit", "w/four")], "w/add"))
    x = 1.5
    while x < 100:
        while x < 4:
            x *= 2
        x += 4
    assert run(graph, "w/exit:0", {"x:0": 1.5}) == x


def test_one_frame_in_each_of_two_loops_of_the_same_name() -> None:
    """Frames are told apart by the frame around them, too."""
    def outer(frame: str) -> list:
        parts = [placeholder(f"{frame}/x"), *loop(frame, "limit", f"{frame}/x", [
            const(f"{frame}/four", 4.0, gc.float32, f"^{frame}/y"), const(f"{frame}/k", 1.0, gc.float32, f"^{frame}/y"),
            *loop(f"{frame}/same", f"{frame}/four", f"{frame}/y", [
                node(f"{frame}/same/sum", "AddV2", f"{frame}/same/y", f"{frame}/same/limit")], f"{frame}/same/sum"),
            node(f"{frame}/add", "AddV2", f"{frame}/same/exit", f"{frame}/k")], f"{frame}/add")]
        for part in parts:
            if part.op == "Enter" and part.attr["frame_name"].s == f"{frame}/same".encode():
                part.attr["frame_name"].s = b"same"
        return parts

    graph = graph_def(const("limit", 10.0), *outer("a"), *outer("b"))
    # Below 4, 4 is added; 1 is added in any case.
    assert run(graph, ["a/exit:0", "b/exit:0"], {"a/x:0": 0.0, "b/x:0": 3.5}) == [10.0, 10.5]


def test_shapes_that_change() -> None:
    graph = graph_def(
        placeholder("x", shape=(2,)), const("limit", 8, gc.int32),
        enter("w/enter", "x", "w"), enter("w/limit", "limit", "w", gc.int32, True),
        node("w/merge", "Merge", "w/enter", "w/next"), node("w/size", "Size", "w/merge", out_type=gc.int32),
        node("w/less", "Less", "w/size", "w/limit", dtype=gc.int32), node("w/test", "LoopCond", "w/less"),
        node("w/switch", "Switch", "w/merge", "w/test"), node("w/y", "Identity", "w/switch:1"),
        const("w/axis", 0, gc.int32, "^w/y"), node("w/double", "ConcatV2", "w/y", "w/y", "w/axis", N=2, Tidx=gc.int32),
        node("w/next", "NextIteration", "w/double"), node("w/exit", "Exit", "w/switch"))
    np.testing.assert_array_equal(run(graph, "w/exit:0", {"x:0": [1, 2]}), [1, 2] * 4)


def test_gradients_of_an_imported_loop() -> None:
    with gc.Graph().as_default():
        exit_, x = gc.import_graph_def(graph_def(*doubling()), return_elements=["w/exit:0", "x:0"])
        slope, = gc.gradients(exit_, x)
        with gc.Session() as session:
            assert session.run([exit_, slope], {x: 1.0}) == [31, 16]


def test_saved_as_a_while_and_run_again() -> None:
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(graph_def(*doubling()), name="")
        saved = graph.as_graph_def()
    assert {n.op for n in saved.node} == {"Placeholder", "Const", "StatelessWhile", "Identity"}
    assert run(gc.GraphDef.FromString(saved.SerializeToString()), "w/exit:0", {"x:0": 1.0}) == doubled(1)


def test_twice_under_scopes() -> None:
    with gc.Graph().as_default():
        graph = graph_def(*doubling())
        a, = gc.import_graph_def(graph, return_elements=["w/exit:0"])
        b, = gc.import_graph_def(graph, input_map={"x": a + 1.0}, return_elements=["w/exit:0"])
        assert (a.name, b.name) == ("import/w/exit:0", "import_1/w/exit:0")
        with gc.Session() as session:
            assert session.run([a, b], {"import/x:0": 1.0}) == [31, 32]


def changed(*drop: str, **inputs: list[str]) -> list:
    """The doubling loop without some nodes, with other inputs of others."""
    nodes = [n for n in doubling() if n.name not in drop]
    for each, (name, texts) in itertools.product(nodes, inputs.items()):
        if each.name == name.replace("__", "/"):
            each.input[:] = texts
    return nodes


@pytest.mark.parametrize(("nodes", "error", "message"), [
    (changed("w/test", w__switch=["w/merge", "w/less"]), errors.UnimplementedError, "frame 'w' has 0 LoopConds"),
    (changed(w__less=["w/merge", "limit"]), errors.DataLossError, "Less 'w/less' has inputs from different frames"),
    (changed(w__merge=["w/enter", "w/next", "w/limit"]), errors.UnimplementedError, "Merge 'w/merge' in the frame 'w'"),
    (changed(w__switch=["w/merge"]), errors.DataLossError, "Switch 'w/switch' has the inputs w/merge, but takes 2"),
    (changed(w__exit=["w/mul"]), errors.UnimplementedError, "Exit 'w/exit' gives 'w/mul' out of the frame"),
    (changed(w__exit=["x"]), errors.DataLossError, "Exit 'w/exit' is in no frame"),
    (changed(w__next=["w/nothing"]), ValueError, "Unknown input node 'w/nothing'"),
    (changed(w__mul=["w/y", "w/add"]), errors.DataLossError, "depend on each other"),
    ([node("n", "NextIteration", "m"), node("m", "Merge", "n")], errors.DataLossError, "NextIteration .n. is in no"),
])
def test_refused(nodes: list, error: type[Exception], message: str) -> None:
    with gc.Graph().as_default() as graph:
        with pytest.raises(error, match=message):
            gc.import_graph_def(graph_def(*nodes))
        assert not graph.get_operations() and not graph.functions


def test_nesting_without_end() -> None:
    nodes, value = [placeholder("x")], "x"
    for i in range(100):
        nodes.append(enter(f"e{i}", value, f"f{i}"))
        value = f"e{i}"
    with pytest.raises(errors.DataLossError, match="nest more than 64 deep"):
        run(graph_def(*nodes), "x:0")
