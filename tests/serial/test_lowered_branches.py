"""Branches in TensorFlow 1's form (Switch, Merge). Numbers are computed in the tests."""
from __future__ import annotations

import random

import numpy as np
import pytest
from lowered_files import const, graph_def, loop, node, placeholder, run

import graphc as gc
from graphc import errors

BOOL = gc.bool


def cond(name: str, pred: str, data: str, yes: tuple[str, float], no: tuple[str, float]) -> list:
    """tf.cond of op(data, number) on each side; '<name>/merge' is its result."""
    n = name
    return [node(f"{n}/pred", "Identity", pred, dtype=BOOL), node(f"{n}/switch", "Switch", data, f"{n}/pred"),
            node(f"{n}/pivot", "Switch", pred, pred, dtype=BOOL),
            node(f"{n}/t", "Identity", f"{n}/pivot:1", dtype=BOOL),
            node(f"{n}/f", "Identity", f"{n}/pivot", dtype=BOOL),
            const(f"{n}/a", yes[1], gc.float32, f"^{n}/t"), const(f"{n}/b", no[1], gc.float32, f"^{n}/f"),
            node(f"{n}/yes", yes[0], f"{n}/switch:1", f"{n}/a"), node(f"{n}/no", no[0], f"{n}/switch", f"{n}/b"),
            node(f"{n}/merge", "Merge", f"{n}/no", f"{n}/yes", N=2)]


def inputs() -> list:
    return [placeholder("x"), placeholder("p", BOOL), placeholder("q", BOOL)]


def test_both_sides_in_any_order() -> None:
    nodes = [*inputs(), *cond("c", "p", "x", ("AddV2", 1), ("Mul", 3))]
    for seed in range(20):
        random.Random(seed).shuffle(nodes)
        for p in (True, False):
            graph = graph_def(*nodes)
            assert run(graph, "c/merge:0", {"x:0": 5.0, "p:0": p, "q:0": p}) == (6 if p else 15)


def test_one_after_the_other_on_the_same_predicate() -> None:
    """The second one needs what the first gives: they cannot be one."""
    graph = graph_def(*inputs(), *cond("c", "p", "x", ("AddV2", 1), ("Mul", 3)),
                      node("between", "Square", "c/merge"), *cond("d", "p", "between", ("Sub", 1), ("Mul", 2)))
    assert run(graph, "d/merge:0", {"x:0": 2.0, "p:0": True, "q:0": True}) == 8
    assert run(graph, "d/merge:0", {"x:0": 2.0, "p:0": False, "q:0": True}) == 72


def nested() -> list:
    """In the true side of p, a branch on q, as tf.cond writes it: q enters p's branch by a Switch."""
    return [*inputs(), node("pid", "Identity", "p", dtype=BOOL), node("sx", "Switch", "x", "pid"),
            node("sq", "Switch", "q", "pid", dtype=BOOL), *cond("in", "sq:1", "sx:1", ("AddV2", 1), ("Mul", 3)),
            node("neg", "Neg", "sx"), node("out", "Merge", "neg", "in/merge", N=2)]


def test_nested() -> None:
    for p, q, expected in ((True, True, 6), (True, False, 15), (False, True, -5), (False, False, -5)):
        assert run(graph_def(*nested()), "out:0", {"x:0": 5.0, "p:0": p, "q:0": q}) == expected


def test_a_merge_of_three() -> None:
    """Not nested Merges but one, of all that may come; it tells which."""
    nodes = [n for n in nested() if n.name not in ("in/merge", "out")]
    nodes += [node("out", "Merge", "neg", "in/no", "in/yes", N=3),
              node("which", "Identity", "out:1", dtype=gc.int32)]
    for p, q, expected in ((True, True, (6, 2)), (True, False, (15, 1)), (False, True, (-5, 0))):
        found = run(graph_def(*nodes), ["out:0", "which:0"], {"x:0": 5.0, "p:0": p, "q:0": q})
        assert tuple(found) == expected


def test_a_switch_with_many_outputs() -> None:
    nodes = [placeholder("x"), placeholder("i", gc.int32), node("s", "_SwitchN", "x", "i", num_outs=3),
             node("a", "Neg", "s"), node("b", "Square", "s:1"), node("c", "Abs", "s:2"),
             node("m", "Merge", "a", "b", "c", N=3), node("which", "Identity", "m:1", dtype=gc.int32)]
    for i, expected in ((0, (3, 0)), (1, (9, 1)), (2, (3, 2)), (7, (3, 2)), (-1, (3, 2))):
        assert tuple(run(graph_def(*nodes), ["m:0", "which:0"], {"x:0": -3.0, "i:0": i})) == expected


def test_values_of_a_branch_in_a_later_one() -> None:
    """As gradients of tf.cond use them."""
    graph = graph_def(*inputs(), *cond("c", "p", "x", ("AddV2", 1), ("Mul", 3)),
                      node("between", "Square", "c/merge"), node("s", "Switch", "between", "c/pred"),
                      node("yes", "Mul", "s:1", "c/yes"), node("no", "Sub", "s", "c/no"),
                      node("out", "Merge", "no", "yes", N=2))
    assert run(graph, "out:0", {"x:0": 2.0, "p:0": True, "q:0": True}) == 27
    assert run(graph, "out:0", {"x:0": 2.0, "p:0": False, "q:0": True}) == 30


def test_what_switches_pass_straight_to_a_merge() -> None:
    graph = graph_def(*inputs(), node("s", "Switch", "x", "p"), const("k", 7.0), node("t", "Switch", "k", "p"),
                      node("m", "Merge", "s", "t:1", N=2))
    assert run(graph, "m:0", {"x:0": 2.0, "p:0": True, "q:0": True}) == 7
    assert run(graph, "m:0", {"x:0": 2.0, "p:0": False, "q:0": True}) == 2


def test_what_never_runs() -> None:
    """A side of p in the other side of p; its Merge has one input that can come."""
    graph = graph_def(*inputs(), node("s", "Switch", "x", "p"), node("t", "Switch", "s:1", "p"), node("no", "Neg", "t"),
                      node("yes", "Square", "t:1"), node("m", "Merge", "no", "yes", N=2), node("n", "Neg", "s"),
                      node("out", "Merge", "n", "m", N=2), node("which", "Identity", "m:1", dtype=gc.int32),
                      node("w", "Switch", "zero", "p", dtype=gc.int32), const("zero", 0, gc.int32),
                      node("w2", "Merge", "w", "which", dtype=gc.int32, N=2))
    assert run(graph, ["out:0", "w2:0"], {"x:0": 3.0, "p:0": True, "q:0": True}) == [9, 1]
    assert run(graph, ["out:0", "w2:0"], {"x:0": 3.0, "p:0": False, "q:0": True}) == [-3, 0]


def test_switches_that_do_not_nest() -> None:
    """One on x by p, one on x by q, and a sum of both: it runs if both are taken."""
    graph = graph_def(
        *inputs(), node("sp", "Switch", "x", "p"), node("sq", "Switch", "x", "q"), node("a", "Neg", "sp:1"),
        node("b", "Square", "sq:1"), node("sum", "AddV2", "a", "b"), node("sq2", "Switch", "x", "q"),
        node("spq", "Switch", "sq2", "p"), node("m", "Merge", "sum", "spq:1", N=2),
        node("rest", "Switch", "x", "p"), node("out", "Merge", "m", "rest", N=2))
    for p, q, expected in ((True, True, 6), (True, False, 3), (False, True, 3)):
        assert run(graph, "out:0", {"x:0": 3.0, "p:0": p, "q:0": q}) == expected


def test_a_loop_in_a_branch_and_a_branch_in_a_loop() -> None:
    body = [node("w/less3", "Less", "w/y", "w/three", dtype=gc.float32), const("w/three", 3.0, gc.float32, "^w/y"),
            *cond("w/c", "w/less3", "w/y", ("AddV2", 1), ("Mul", 2))]
    graph = graph_def(*inputs(), node("s", "Switch", "x", "p"), node("pivot", "Identity", "s:1"),
                      const("limit", 20.0, gc.float32, "^pivot"), *loop("w", "limit", "s:1", body, "w/c/merge"),
                      node("no", "Neg", "s"), node("out", "Merge", "w/exit", "no", N=2))
    assert run(graph, "out:0", {"x:0": 1.0, "p:0": True, "q:0": True}) == 24
    assert run(graph, "out:0", {"x:0": 1.0, "p:0": False, "q:0": True}) == -1


def test_effects_happen_on_the_side_that_is_taken_and_only_for_what_is_asked() -> None:
    def assign(name: str, value: float) -> list:
        variable = node(f"{name}_v", "VariableV2", dtype=gc.float32)
        variable.attr["dtype"].type = gc.float32.number
        variable.attr["shape"].shape.SetInParent()
        return [variable, const(f"{name}_zero", 0.0), node(f"{name}_init", "Assign", f"{name}_v", f"{name}_zero"),
                const(f"{name}_k", value, gc.float32, "^t"), node(f"{name}_set", "Assign", f"{name}_v", f"{name}_k"),
                node(f"{name}_done", "Identity", f"{name}_k", f"^{name}_set"),
                node(f"{name}_m", "Merge", f"{name}_done", "s", N=2)]

    graph = graph_def(*inputs(), node("s", "Switch", "x", "p"), node("t", "Identity", "s:1"),
                      *assign("a", 5.0), *assign("b", 6.0))
    with gc.Graph().as_default():
        gc.import_graph_def(graph, name="")
        with gc.Session() as session:
            session.run(["a_init", "b_init"])
            feeds = {"x:0": 2.0, "p:0": False, "q:0": True}
            assert session.run("a_m:0", feeds) == 2
            assert session.run(["a_v:0", "b_v:0"]) == [0, 0]
            assert session.run("a_m:0", {**feeds, "p:0": True}) == 5
            assert session.run(["a_v:0", "b_v:0"]) == [5, 0]


def test_nodes_of_branches_are_fetched_by_name() -> None:
    """As TensorFlow says: 'Retval[0] does not have value' if the side is not taken."""
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(graph_def(*nested()), name="old")
        with gc.Session() as session:
            feeds = {"old/x:0": 5.0, "old/p:0": True, "old/q:0": False}
            assert session.run(["old/in/no:0", "old/out:0"], feeds) == [15, 15]
            for name in ("old/in/yes:0", "old/neg:0"):
                with pytest.raises(errors.InvalidArgumentError):
                    session.run(name, feeds)
            assert graph.get_operation_by_name("old/in/yes").outputs[0].name == "old/in/yes:0"
            with pytest.raises(KeyError, match="did you mean"):
                graph.get_operation_by_name("old/in/yess")
            assert session.run("old/out:0", feeds) == 15
    with gc.Graph().as_default():
        no, operation = gc.import_graph_def(graph_def(*nested()), return_elements=["in/no:0", "in/yes"], name="")
        with gc.Session() as session:
            assert session.run(no, {"x:0": 5.0, "p:0": True, "q:0": False}) == 15
        assert operation.name == "in/yes"


def test_gradients_of_imported_branches() -> None:
    with gc.Graph().as_default():
        y, x = gc.import_graph_def(graph_def(*nested()), return_elements=["out:0", "x:0"], name="")
        slope, = gc.gradients(y, x)
        with gc.Session() as session:
            for p, q, expected in ((True, True, 1), (True, False, 3), (False, True, -1)):
                assert session.run(slope, {"x:0": 5.0, "p:0": p, "q:0": q}) == expected


def test_mapped_inputs() -> None:
    with gc.Graph().as_default():
        yes = gc.placeholder(BOOL, [])
        given = {"p": yes, "q:0": gc.constant(False), "x": gc.constant([1.0, 2.0])}
        y, = gc.import_graph_def(graph_def(*nested()), given, ["out:0"])
        with gc.Session() as session:
            np.testing.assert_array_equal(session.run(y, {yes: True}), [3, 6])
            np.testing.assert_array_equal(session.run(y, {yes: False}), [-1, -2])


@pytest.mark.parametrize(("nodes", "message"), [
    ([node("s", "Switch", "x", "p"), node("m", "Merge", "s", "x", N=2)], "Merge 'm': its inputs s, x are not those"),
    ([node("s", "Switch", "x", "p"), node("m", "Merge", "s:1", N=1)], "Merge 'm' has one input"),
    ([node("s", "Switch", "x", "p"), node("t", "Switch", "x", "q"), node("m", "Merge", "s", "t:1", N=2)],
     "'p:0' is 0; 'q:0' is 1"),
])
def test_refused(nodes: list, message: str) -> None:
    with pytest.raises(errors.UnimplementedError, match=message):
        run(graph_def(*inputs(), *nodes), "x:0")
