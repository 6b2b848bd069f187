"""Two loops or branches of one graph are two, however alike they are: values, random numbers, gradients, files."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference

X = np.float32(1.5)


@pytest.fixture(autouse=True)
def fresh_graph():
    with gc.Graph().as_default():
        yield


def inputs() -> tuple[gc.Tensor, gc.Tensor]:
    return gc.placeholder(gc.bool, [], name="p"), gc.placeholder(gc.float32, [], name="x")


def two_branches() -> list[gc.Tensor]:
    p, x = inputs()
    return [gc.cond(p, lambda: x * 2, lambda: x * 3), gc.cond(p, lambda: x * 5, lambda: x * 7)]


def branches_that_differ_in_one() -> list[gc.Tensor]:
    p, x = inputs()
    return [gc.cond(p, lambda: x * 2, lambda: x * 3), gc.cond(p, lambda: x * 2, lambda: -x),
            gc.cond(p, lambda: x * 4, lambda: x * 3)]


def two_bounds() -> list[gc.Tensor]:
    _, x = inputs()
    return [gc.while_loop(lambda i, y, n=n: i < n, lambda i, y: [i + 1, y * 2.0], [0, x])[1] for n in (3, 4)]


def two_bodies() -> list[gc.Tensor]:
    _, x = inputs()
    return [gc.while_loop(lambda i, y: i < 3, lambda i, y, f=f: [i + 1, y * f], [0, x])[1] for f in (2.0, 3.0)]


def nested() -> list[gc.Tensor]:
    p, x = inputs()

    def body(f: float) -> gc.Tensor:
        return gc.while_loop(lambda i, y: i < 3, lambda i, y: [i + 1, gc.cond(p, lambda: y * f, lambda: y + f)],
                             [0, x])[1]

    return [body(2.0), body(3.0), gc.cond(p, lambda: body(4.0), lambda: body(5.0))]


def case_and_its_gradient() -> list[gc.Tensor]:
    p, x = inputs()
    y = gc.case([(p, lambda: x * x), (x > 0, lambda: x * 2)], default=lambda: x * 3)
    return [y, *gc.gradients(y, x)]


def gradients_of_both() -> list[gc.Tensor]:
    p, x = inputs()
    a, b = gc.cond(p, lambda: x * x, lambda: x), gc.cond(p, lambda: x * x * x, lambda: x)
    return [*gc.gradients(a, x), *gc.gradients(b, x), *gc.gradients([a, b], x)]


PROGRAMS = [two_branches, branches_that_differ_in_one, two_bounds, two_bodies, nested, case_and_its_gradient,
            gradients_of_both]


def feeds(graph: gc.Graph, p: bool) -> dict[str, Any]:
    return {name: value for name, value in (("p:0", np.bool_(p)), ("x:0", X))
            if name[0] in {op.name for op in graph.get_operations()}}


@pytest.mark.parametrize("fusion", ["0", "1"])
@pytest.mark.parametrize("p", [True, False])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_values(program: Any, p: bool, fusion: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_FUSION", fusion)
    fetches = program()
    graph = fetches[0].graph
    given = feeds(graph, p)
    expected = run_reference(fetches, {graph.get_tensor_by_name(k): v for k, v in given.items()})
    assert len({float(v) for v in expected}) > 1
    with gc.Session() as session:
        np.testing.assert_allclose(session.run(fetches, given), expected, rtol=1e-6)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_saved_and_loaded(program: Any) -> None:
    fetches = program()
    given = feeds(fetches[0].graph, True)
    names = [gc.identity(t, name=f"y{i}").name for i, t in enumerate(fetches)]
    with gc.Session() as session:
        expected = session.run(names, given)
        saved = gc.freeze(session, names).SerializeToString()
    with gc.Graph().as_default() as graph:
        gc.import_graph_def(gc.GraphDef.FromString(saved), name="")
        given = feeds(graph, True)
        # Once more, inside a body: names of functions must not clash.
        again = gc.cond(gc.constant(True), lambda: gc.import_graph_def(
            gc.GraphDef.FromString(saved), {n: graph.get_tensor_by_name(n) for n in given}, return_elements=names),
            lambda: [graph.get_tensor_by_name(n) for n in names])
        inside = [gc.identity(t, name=f"again{i}").name for i, t in enumerate(
            again if isinstance(again, list) else [again])]
        twice = graph.as_graph_def()
        library = [f.signature.name for f in twice.library.function]
        assert len(set(library)) == len(library)
        with gc.Session() as session:
            np.testing.assert_array_equal(session.run(names, given), expected)
            np.testing.assert_array_equal(session.run(inside, given), expected)
    with gc.Graph().as_default():
        gc.import_graph_def(gc.GraphDef.FromString(twice.SerializeToString()), name="")
        with gc.Session() as session:
            np.testing.assert_array_equal(session.run([*names, *inside], given), [*expected, *expected])


def in_branch(p: gc.Tensor, x: gc.Tensor) -> gc.Tensor:
    return gc.cond(p, lambda: gc.nn.dropout(x, 0.5), lambda: x)


def in_other_branch(p: gc.Tensor, x: gc.Tensor) -> gc.Tensor:
    return gc.cond(p, lambda: gc.random_uniform([64]), lambda: gc.random_uniform([64]))


def in_loop(p: gc.Tensor, x: gc.Tensor) -> gc.Tensor:
    return gc.while_loop(lambda i, y: i < 3, lambda i, y: [i + 1, y + gc.nn.dropout(x, 0.5)], [0, x])[1]


def in_branch_of_loop(p: gc.Tensor, x: gc.Tensor) -> gc.Tensor:
    return gc.while_loop(lambda i, y: i < 3, lambda i, y: [i + 1, y + in_branch(p, x)], [0, x])[1]


@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("make", [in_branch, in_other_branch, in_loop, in_branch_of_loop], ids=lambda f: f.__name__)
def test_random_numbers_of_two_bodies_differ(make: Any, seed: int | None) -> None:
    if seed is not None:
        gc.set_random_seed(seed)
    p, x = gc.placeholder(gc.bool, []), gc.placeholder(gc.float32, [64])
    fetches = [make(p, x), make(p, x), make(p, x)]
    with gc.Session() as session:
        a, b, c = session.run(fetches, {p: True, x: np.ones(64)})
    assert not np.array_equal(a, b) and not np.array_equal(b, c) and not np.array_equal(a, c)


def test_a_graph_seed_repeats_the_numbers_of_bodies() -> None:
    found = []
    for _ in range(2):
        with gc.Graph().as_default():
            gc.set_random_seed(5)
            p, x = gc.placeholder(gc.bool, []), gc.placeholder(gc.float32, [64])
            y = in_branch_of_loop(p, x)
            with gc.Session() as session:
                found.append(session.run(y, {p: True, x: np.ones(64)}))
    np.testing.assert_array_equal(*found)
