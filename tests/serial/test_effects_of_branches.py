"""Effects in branches: those of the side that is taken, and of them what the results that are asked for need. The
numbers are TensorFlow 2.21's, of graphs with Switch and Merge and with If and Case alike."""
from __future__ import annotations

import numpy as np
import pytest
from flow_data import EFFECTS, load

import graphc as gc

# What is fetched, what is fed, and what the six variables are afterwards; they start at 0, and x is 1.
RUNS = [("a:0", True, 0, [2, 0, 0, 0, 0, 0]), ("b:0", True, 0, [0, 2, 0, 0, 0, 0]),
        ("a:0", False, 0, [0, 0, 3, 0, 0, 0]), ("b:0", False, 0, [0, 0, 0, 0, 0, 0]),
        ("c:0", True, 0, [0, 0, 0, 1, 0, 0]), ("c:0", True, 1, [0, 0, 0, 0, 1, 0]),
        ("c:0", True, 5, [0, 0, 0, 0, 0, 1]), (["a:0", "b:0"], True, 0, [2, 2, 0, 0, 0, 0])]


@pytest.mark.parametrize("name", ["effects_lowered", "effects_functions"])
def test_of_files(name: str) -> None:
    graph_def, _, _ = load(name, EFFECTS)
    with gc.Graph().as_default():
        gc.import_graph_def(graph_def, name="")
        for fetches, pred, number, expected in RUNS:
            with gc.Session() as session:
                session.run("init")
                session.run(fetches, {"p:0": pred, "n:0": number, "x:0": 1.0})
                assert session.run("all:0").tolist() == expected, (fetches, pred, number)


def test_of_cond() -> None:
    """A result with a known shape that nobody asks for, and an effect beside it. To come after a result is to come
    after all of the branch."""
    with gc.Graph().as_default():
        p, first, second = gc.placeholder(gc.bool), gc.Variable(0.0), gc.Variable([0.0, 0.0])
        a, b = gc.cond(p, lambda: (gc.assign_add(first, 1.0), gc.assign_add(second, [1.0, 2.0])),
                       lambda: (gc.identity(first), gc.identity(second)))
        with gc.control_dependencies([b]):
            later = gc.constant(5.0)
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            assert session.run(a, {p: True}) == 1
            np.testing.assert_array_equal(session.run(second), [0, 0])
            session.run(b, {p: True})
            assert session.run(first) == 1
            session.run(later, {p: True})
            assert session.run(first) == 2
            np.testing.assert_array_equal(session.run(second), [2, 4])


def test_of_a_branch_in_a_loop() -> None:
    with gc.Graph().as_default():
        first, second = gc.Variable(0.0), gc.Variable(0.0)

        def body(i: gc.Tensor) -> gc.Tensor:
            a, _ = gc.cond(i > 1, lambda: (gc.assign_add(first, 1.0), gc.assign_add(second, 1.0)),
                           lambda: (gc.constant(0.0), gc.constant(0.0)))
            return i + 1 + gc.cast(a * 0, gc.int32)

        last = gc.while_loop(lambda i: i < 5, body, [gc.constant(0)])
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            assert session.run(last) == 5
            assert session.run([first, second]) == [3, 0]
