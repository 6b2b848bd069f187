"""Tensors of unknown rank in loops and branches: gradients of first and second order are those of a known rank, with
one rank after the other in one Session; a rank that changes while running is refused."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc

import native as n
from files import build_runner


def loop(x: Any, w: Any, times: int = 3) -> Any:
    def body(k: Any, a: Any) -> Any:
        return [k + 1, gc.tanh(a * w) + gc.reduce_sum(a, keepdims=True) * 0.1]

    return gc.while_loop(lambda k, a: k < times, body, [0, x])[1]


def branch(x: Any, w: Any) -> Any:
    return gc.cond(gc.reduce_sum(x) > 0, lambda: gc.tanh(x * w), lambda: x * x * w)


def branch_in_loop(x: Any, w: Any) -> Any:
    return gc.while_loop(lambda k, a: k < 3, lambda k, a: [k + 1, branch(a, w)], [0, x])[1]


def loop_in_loop(x: Any, w: Any) -> Any:
    return gc.while_loop(lambda k, a: k < 2, lambda k, a: [k + 1, loop(a, w, 2)], [0, x])[1]


def loop_in_branch(x: Any, w: Any) -> Any:
    return gc.cond(gc.reduce_sum(x) > 0, lambda: loop(x, w), lambda: x * w)


PROGRAMS = [loop, branch, branch_in_loop, loop_in_loop, loop_in_branch]
SHAPES: list[tuple[int, ...]] = [(2, 3), (4,), (), (3, 1, 2), (0, 2)]


def run(program: Callable[..., Any], order: int, declared: Callable[[np.ndarray], Any],
        fed: list[tuple[np.ndarray, np.ndarray]]) -> list[list[np.ndarray]]:
    with gc.Graph().as_default(), gc.Session() as session:
        x, w = (gc.placeholder(gc.float64, declared(fed[0][0])) for _ in range(2))
        y = program(x, w)
        found = gc.gradients(y, [x, w])
        if order == 2:
            found = gc.gradients(gc.reduce_sum(found[0] * found[0]) + gc.reduce_sum(found[1]), [x, w])
        return [session.run([y, *found], {x: a, w: b}) for a, b in fed]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("program", PROGRAMS)
def test_gradients_are_those_of_a_known_rank(program: Callable[..., Any], order: int) -> None:
    random = np.random.default_rng(7)
    fed = [(random.normal(size=s), random.normal(size=s)) for s in SHAPES]
    unranked = run(program, order, lambda a: None, fed * 2)
    for number, one in enumerate(fed * 2):
        for got, expected in zip(unranked[number], run(program, order, np.shape, [one])[0], strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_gradients_in_a_saved_graph() -> None:
    """The saved lists say that their elements have any rank; a graph that imports them finds it again."""
    with gc.Graph().as_default() as graph:
        x, w = gc.placeholder(gc.float64, name="x"), gc.placeholder(gc.float64, name="w")
        gc.identity(gc.gradients(branch_in_loop(x, w), x)[0], name="dx")
        saved = graph.as_graph_def()
    a, b = np.full((2, 3), 0.5), np.full((2, 3), -0.25)
    with gc.Graph().as_default(), gc.Session() as session:
        gc.import_graph_def(saved, name="")
        found = session.run("dx:0", {"x:0": a, "w:0": b})
    np.testing.assert_allclose(found, run(branch_in_loop, 1, np.shape, [(a, b)])[0][1])


def test_a_rank_that_the_run_decides_is_refused() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, y, p = gc.placeholder(gc.float32), gc.placeholder(gc.float32), gc.placeholder(gc.bool, [])
        either = gc.cond(p, lambda: x, lambda: y)
        assert session.run(either, {x: [1.0], y: [2.0, 3.0], p: False}).tolist() == [2.0, 3.0]
        assert session.run(either, {x: [1.0], y: [[2.0]], p: False}).tolist() == [[2.0]]
        with pytest.raises(gc.errors.InvalidArgumentError, match="result 0 has rank 1 and rank 2 in its two branches"):
            session.run(either, {x: [1.0], y: [[2.0]], p: True})
        unused, other = gc.cond(p, lambda: [x, y], lambda: [gc.zeros([1, 1, 1]), x])
        assert session.run(other, {x: [1.0], y: [2.0], p: True}).tolist() == [2.0]
        assert session.run(unused * 2.0, {x: [1.0], y: [2.0], p: False}).shape == (1, 1, 1)
        with pytest.raises(gc.errors.InvalidArgumentError, match="result 0 has rank 1 and rank 3"):
            session.run(unused * 2.0, {x: [1.0], y: [2.0], p: True})
        grown = gc.while_loop(lambda k, a: k < 2, lambda k, a: [k + 1, gc.expand_dims(a, 0)], [0, x],
                              shape_invariants=[gc.TensorShape([]), gc.TensorShape(None)])
        with pytest.raises(gc.errors.UnimplementedError, match=r"loop variable 1 has rank 1 and rank 2 after one") as e:
            session.run(grown, {x: [1.0]})
        assert "test_unknown_ranks_in_bodies.py" in str(e.value)


def _by_number(number: gc.Tensor, x: gc.Tensor) -> gc.Tensor:
    """A choice whose default, a scalar, stands for what never happens."""
    return gc.case([(gc.equal(number, 0), lambda: gc.tanh(x)), (gc.equal(number, 1), lambda: x * 2.0)],
                   default=lambda: gc.constant(0.0), exclusive=True)


def test_a_default_of_another_rank() -> None:
    """It compiles, with its gradient and in a loop, in C++ too; only taking the default is an error."""
    given = np.array([[0.5, -1.0, 2.0]], np.float32)
    with gc.Graph().as_default(), gc.Session() as session:
        x, number = gc.placeholder(gc.float32, [None, 3], name="x"), gc.placeholder(gc.int32, [], name="number")
        y = gc.identity(_by_number(number, x), name="y")
        dx = gc.gradients(y, x)[0]
        _, looped = gc.while_loop(lambda i, v: i < 2, lambda i, v: [i + 1, gc.reshape(_by_number(i, v), [-1, 3])],
                                  [0, x], shape_invariants=[gc.TensorShape([]), gc.TensorShape([None, 3])])
        np.testing.assert_allclose(session.run(y, {x: given, number: 0}), np.tanh(given), rtol=1e-6)
        np.testing.assert_allclose(session.run(dx, {x: given, number: 1}), np.full((1, 3), 2.0))
        np.testing.assert_allclose(session.run(looped, {x: given}), 2 * np.tanh(given), rtol=1e-6)
        with pytest.raises(gc.errors.InvalidArgumentError, match="and this run takes the lower one") as error:
            session.run(y, {x: given, number: 7})
        assert "test_unknown_ranks_in_bodies.py" in str(error.value)
        saved = gc.freeze(session, [y])
    with n.Native(build_runner() / "libgraphc.so").load(saved.SerializeToString()) as model:
        np.testing.assert_array_equal(model.run([given, np.array(1, np.int32)])[0], given * 2)
        with pytest.raises(n.NativeError, match="has rank 2 and rank 0 in its two branches"):
            model.run([given, np.array(5, np.int32)])
