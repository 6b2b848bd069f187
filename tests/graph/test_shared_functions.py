"""Loops and branches of a file that share a function: each has bodies of its own, for gradients and random numbers."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import graphc as gc
from graphc.errors import DataLossError
from graphc.ops.control.control import bodies

X = np.array([0.5, 1.5, 2.5], np.float32)


def loop(x: gc.Tensor) -> gc.Tensor:
    return gc.while_loop(lambda i, y: i < 3, lambda i, y: [i + 1, y * y * 0.5 + y], [0, x])[1]


def branch(x: gc.Tensor) -> gc.Tensor:
    return gc.cond(gc.placeholder_with_default(True, []), lambda: gc.sin(x) * x, lambda: gc.cos(x) * x)


def branch_in_loop(x: gc.Tensor) -> gc.Tensor:
    return gc.while_loop(lambda i, y: i < 3, lambda i, y: [i + 1, gc.cond(i < 1, lambda: y * y, lambda: gc.sin(y))],
                         [0, x])[1]


def loop_in_branch(x: gc.Tensor) -> gc.Tensor:
    return gc.cond(gc.placeholder_with_default(True, []), lambda: loop(x), lambda: x)


PROGRAMS = [loop, branch, branch_in_loop, loop_in_branch]
TYPES = ("While", "StatelessWhile", "If", "StatelessIf")


def saved(program, inputs: Sequence[str] = ("x", "x2")) -> gc.GraphDef:
    """The program on two inputs, as results y and y2; then every function of the second op is the first one's."""
    with gc.Graph().as_default() as graph:
        for name, result in zip(inputs, ("y", "y2"), strict=True):
            gc.identity(program(gc.placeholder(gc.float32, [3], name=name)), name=result)
        made = graph.as_graph_def()
    first, second = (node for node in made.node if node.op in TYPES)
    for key, value in first.attr.items():
        if value.WhichOneof("value") == "func":
            second.attr[key].CopyFrom(value)
    return gc.GraphDef.FromString(made.SerializeToString())


def imported(made: gc.GraphDef) -> list[gc.Tensor]:
    return gc.import_graph_def(made, return_elements=["x:0", "x2:0", "y:0", "y2:0"], name="")


def expected(program, order: int) -> list[np.ndarray]:
    """The values and gradients of the program built by hand."""
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [3])
        found = [program(x)]
        for _ in range(order):
            found += gc.gradients(found[-1], x)
        return session.run(found, {x: X})


@pytest.mark.parametrize("asked", [[0], [1], [0, 1], [1, 0]], ids=str)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_gradients_of_one_and_both(program, asked: list[int]) -> None:
    made = saved(program)
    with gc.Graph().as_default() as graph, gc.Session() as session:
        x, x2, y, y2 = imported(made)
        inputs, outputs = [x, x2], [y, y2]
        fetches = [y, y2]
        right = [expected(program, 0)[0], *expected(program, 0)]
        for i in asked:
            first = gc.gradients(outputs[i], inputs[i])[0]
            fetches += [outputs[i], first, *gc.gradients(first, inputs[i])]
            right += expected(program, 2)
        for a, b in zip(session.run(fetches, {x: X, x2: X}), right, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
        again = graph.as_graph_def()
    with gc.Graph().as_default(), gc.Session() as session:
        found = imported(gc.GraphDef.FromString(again.SerializeToString()))
        for a in session.run(found[2:], {found[0]: X, found[1]: X}):
            np.testing.assert_allclose(a, right[0], rtol=1e-5)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_every_operation_owns_its_bodies(program) -> None:
    made = saved(program)
    with gc.Graph().as_default() as graph:
        imported(made)
        waiting, found = [graph], []
        while waiting:
            for operation in waiting.pop().get_operations():
                inner = bodies(operation.definition)
                assert all(body.outer_graph is operation.graph for body in inner)
                found += inner
                waiting += inner
    assert len(found) >= 4 and len(set(found)) == len(found) == len({body.name for body in found})


def test_both_branches_may_be_one_function() -> None:
    made = saved(branch)
    for node in made.node:
        if node.op in TYPES:
            node.attr["else_branch"].CopyFrom(node.attr["then_branch"])
    with gc.Graph().as_default(), gc.Session() as session:
        x, x2, y, y2 = imported(made)
        fetches = [y, y2, *gc.gradients(y, x), *gc.gradients(y2, x2)]
        values = session.run(fetches, {x: X, x2: X})
    right = [np.sin(X) * X] * 2 + [np.cos(X) * X + np.sin(X)] * 2
    for a, b in zip(values, right, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_random_numbers_of_a_shared_function_differ() -> None:
    made = saved(lambda x: gc.while_loop(lambda i, y: i < 2, lambda i, y: [i + 1, y + gc.random_uniform([3])],
                                         [0, x])[1])
    with gc.Graph().as_default(), gc.Session() as session:
        x, x2, y, y2 = imported(made)
        a, b = session.run([y, y2], {x: X, x2: X})
    assert not np.array_equal(a, b)


def test_functions_that_would_grow_without_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each function uses the next one twice: 2^40 bodies in a small file."""
    monkeypatch.setattr("graphc.serial.functions._COPIES_LIMIT", 200)
    made = saved(branch)
    template = next(f for f in made.library.function if f.signature.name == next(
        n for n in made.node if n.op in TYPES).attr["then_branch"].func.name)
    node = next(n for n in made.node if n.op in TYPES)
    for i in range(40):
        function = made.library.function.add()
        function.CopyFrom(template)
        function.signature.name = f"deep{i}"
        inner = function.node_def.add()
        inner.CopyFrom(node)
        inner.name = "inner"
        del inner.input[:]
        inner.input.extend(["always:output:0", template.signature.input_arg[0].name])
        always = function.node_def.add(name="always", op="Const")
        always.CopyFrom(next(n for n in made.node if n.op == "Const" and n.attr["dtype"].type == 10))
        always.name = "always"
        for key in ("then_branch", "else_branch"):
            inner.attr[key].func.name = f"deep{i + 1}" if i < 39 else template.signature.name
    node.attr["then_branch"].func.name = "deep0"
    with gc.Graph().as_default() as graph:
        with pytest.raises(DataLossError, match=r"share functions .* more than 200 operations"):
            imported(made)
        assert not graph.get_operations() and not graph.functions
