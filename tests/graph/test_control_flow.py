"""while_loop and cond, and their gradients of first and second order against finite differences.

Everything is run twice: by the NumPy evaluator of graphs, and by a Session.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference
from graphc.ops.control.control import StatelessWhile


@pytest.fixture(autouse=True, params=["reference", "session"])
def fresh_graph(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(globals(), "evaluate", run_reference if request.param == "reference" else run_session)
    with gc.Graph().as_default():
        yield


def run_session(fetches: Any, feeds: dict[gc.Tensor, Any] | None = None, states: dict[str, Any] | None = None) -> Any:
    """As run_reference, by a session."""
    with gc.Session() as session:
        for name, value in (states or {}).items():
            session._states.assign(name, value)
        found = session.run(fetches, feeds)
        for name in states or {}:
            states[name] = session._states.read(name)
    return found


evaluate: Callable[..., Any] = run_reference


def check_gradients(y: gc.Tensor, feeds: dict[gc.Tensor, np.ndarray], order: int = 2, step: float = 1e-5) -> None:
    """The gradients of sum(y) against central differences along one random direction, up to `order`. Feeds are float64.
    """
    rng = np.random.default_rng(0)
    xs = list(feeds)
    value = gc.reduce_sum(y)
    for _ in range(order):
        grads = [g if g is not None else gc.zeros_like(x) for g, x in zip(gc.gradients(value, xs), xs, strict=True)]
        directions = [rng.standard_normal(v.shape) for v in feeds.values()]

        def at(amount: float, value: gc.Tensor = value, directions: list[np.ndarray] = directions) -> float:
            moved = {x: v + amount * d for (x, v), d in zip(feeds.items(), directions, strict=True)}
            return float(evaluate(value, moved))

        numeric = (at(step) - at(-step)) / (2 * step)
        exact = sum(float(np.sum(g * d)) for g, d in zip(evaluate(grads, feeds), directions, strict=True))
        np.testing.assert_allclose(exact, numeric, rtol=2e-5, atol=1e-7)
        value = gc.add_n([gc.reduce_sum(g * gc.constant(rng.standard_normal(feeds[x].shape)))
                          for g, x in zip(grads, xs, strict=True)])


def doubles(*shapes: tuple[int, ...]) -> dict[gc.Tensor, np.ndarray]:
    rng = np.random.default_rng(1)
    return {gc.placeholder(gc.float64, [None] * len(s)): rng.uniform(0.5, 1.5, s) for s in shapes}


def loop_of(body: Callable[..., Sequence[gc.Tensor]], *start: gc.Tensor, times: int = 3,
            **more: object) -> list[gc.Tensor]:
    made = gc.while_loop(lambda i, *_: i < times, lambda i, *v: [i + 1, *body(*v)], [gc.constant(0), *start], **more)
    return made[1:]


def test_values() -> None:
    i, x = gc.while_loop(lambda i, x: i < 10, lambda i, x: (i + 1, x * 2.0), [0, 1.0])
    assert evaluate([i, x]) == [10, 1024.0]


def test_single_variable_gives_a_tensor() -> None:
    i = gc.while_loop(lambda i: i < 10, lambda i: i + 3, [gc.constant(0)])
    assert isinstance(i, gc.Tensor) and evaluate(i) == 12


def test_maximum_iterations() -> None:
    i = gc.while_loop(lambda i: i < 100, lambda i: i + 1, [gc.constant(0)], maximum_iterations=7)
    assert evaluate(i) == 7


def test_gradient_of_loop() -> None:
    feeds = doubles((2, 3), (3, 3))
    x, w = feeds
    h, = loop_of(lambda h: [gc.tanh(gc.matmul(h, w))], x)
    check_gradients(h, feeds)


def test_gradient_without_iterations() -> None:
    feeds = doubles((2,))
    x, = feeds
    h, = loop_of(lambda h: [h * h], x, times=0)
    check_gradients(h * h, feeds)


def test_gradient_of_growing_loop() -> None:
    feeds = doubles((2,), ())
    x, w = feeds
    h, = loop_of(lambda h: [gc.concat([gc.sin(h) * w, h[:1]], 0)], x,
                 shape_invariants=[gc.TensorShape([]), gc.TensorShape([None])])
    check_gradients(h, feeds)


def test_gradient_through_two_carried_values() -> None:
    feeds = doubles((3,), (3,))
    x, y = feeds
    a, b = loop_of(lambda a, b: [a * b, gc.sin(a) + b], x, y)
    check_gradients(a, feeds)       # b matters only through a
    check_gradients(a * b, feeds, order=1)


def test_gradient_of_nested_loops() -> None:
    feeds = doubles((2,), (2,))
    x, w = feeds

    def outer(h: gc.Tensor) -> list[gc.Tensor]:
        inner, = loop_of(lambda g: [gc.tanh(g * w) + h], h, times=2)
        return [inner * h]

    h, = loop_of(outer, x, times=2)
    check_gradients(h, feeds)


def test_gradient_of_cond() -> None:
    for picked in (True, False):
        feeds = doubles((2, 2), (2, 2))
        x, w = feeds
        y = gc.cond(gc.constant(picked), lambda x=x, w=w: gc.tanh(x * w) * x, lambda x=x: gc.exp(x) * x)
        check_gradients(y, feeds)


def test_gradient_of_cond_inside_loop() -> None:
    feeds = doubles((3,), (3,))
    x, w = feeds
    _, h = gc.while_loop(lambda i, h: i < 4,
                         lambda i, h: (i + 1, gc.cond(i < 2, lambda: gc.sin(h * w), lambda: h * h)),
                         [gc.constant(0), x])
    check_gradients(h, feeds)


def test_gradient_of_loop_inside_cond() -> None:
    feeds = doubles((3,), (3,))
    x, w = feeds
    y = gc.cond(gc.constant(True), lambda: loop_of(lambda h: [gc.sin(h * w)], x)[0], lambda: x)
    check_gradients(y, feeds)


def test_python_function_in_a_differentiated_loop_runs_once_an_iteration() -> None:
    calls = []

    def noise(x: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.full_like(x, len(calls))

    x = gc.placeholder(gc.float64, [2])

    def body(h: gc.Tensor) -> list[gc.Tensor]:
        factor = gc.py_func(noise, [h], gc.float64)
        factor.set_shape([2])
        return [h * factor]

    h, = loop_of(body, x)
    dx, = gc.gradients(h, x)
    h_value, dx_value = evaluate([h, dx], {x: np.ones(2)})
    assert len(calls) == 3
    np.testing.assert_allclose(h_value, [6, 6])
    np.testing.assert_allclose(dx_value, [6, 6])


def test_loop_is_not_doubled_by_its_gradient() -> None:
    x = gc.placeholder(gc.float64, [2])
    h, = loop_of(lambda h: [gc.sin(h)], x)
    before = h.op
    gc.gradients(h, x)
    loops = [op for op in h.graph.get_operations() if isinstance(op.definition, StatelessWhile)]
    assert h.op is before and len(loops) == 2    # the loop and its gradient


def test_only_the_shape_is_kept_where_only_it_is_needed() -> None:
    x = gc.placeholder(gc.float64, [None])
    h, = loop_of(lambda h: [gc.tile(gc.reduce_sum(h, keep_dims=True), [4])], x,
                 shape_invariants=[gc.TensorShape([]), gc.TensorShape([None])])
    gc.gradients(h, x)
    body = h.op.definition.body
    pushed = [t.op.inputs[1] for t in body.outputs if t.op.type == "TensorListPushBack"]
    assert pushed and all(t.dtype == gc.int32 for t in pushed)


def test_variables_and_captured_values() -> None:
    w = gc.Variable(np.array([1.5, 0.5]), name="w")
    h, = loop_of(lambda h: [h * w], gc.constant([1.0, 2.0], gc.float64))
    dw, = gc.gradients(h, w)
    np.testing.assert_allclose(evaluate(dw, states={"w": np.array([1.5, 0.5])}), [3 * 1.5**2, 2 * 3 * 0.5**2])


def test_assign_in_the_branch_taken_only() -> None:
    v = gc.Variable(1.0, name="v")
    p = gc.placeholder(gc.bool, [])
    y = gc.cond(p, lambda: v.assign_add(10.0), lambda: v.read_value())
    states = {"v": np.float32(1)}
    assert evaluate(y, {p: False}, states) == 1 and states["v"] == 1
    assert evaluate(y, {p: True}, states) == 11 and states["v"] == 11


@pytest.mark.parametrize("place", ["branch", "loop", "branch in loop"])
def test_what_no_body_needs_does_not_run(place: str) -> None:
    """A value that waits for an update, captured by an op that no result needs: the update is not made."""
    v = gc.Variable([1.0], name="v")
    with gc.control_dependencies([gc.assign_add(v, [1.0])]):
        late = gc.constant([3.0]) * 2.0
    p, x = gc.placeholder(gc.bool, []), gc.constant([5.0])

    def branch(a: gc.Tensor, used: bool) -> gc.Tensor:
        def then() -> gc.Tensor:
            found = gc.tanh(late)
            return found * 0.0 + a if used else a * 1.0
        return gc.cond(p, then, lambda: a * 1.0)

    def loop(step: Callable[[gc.Tensor], gc.Tensor]) -> gc.Tensor:
        return gc.while_loop(lambda k, a: k < 2, lambda k, a: [k + 1, step(a)], [0, x])[1]

    def build(used: bool) -> gc.Tensor:
        if place == "loop":
            return loop(lambda a: (gc.tanh(late) * 0.0 if used else [gc.tanh(late), 0.0][1]) + a)
        return branch(x, used) if place == "branch" else loop(lambda a: branch(a, used))

    for used in (False, True):
        states = {"v": np.float32([1.0])}
        assert evaluate(build(used), {p: True}, states).tolist() == [5.0]
        assert states["v"].tolist() == [2.0 if used else 1.0]


@pytest.mark.parametrize("place", ["loop", "loop in loop", "branch", "branch in loop"])
def test_reads_that_nothing_orders_behind_a_write_of_the_body(place: str) -> None:
    """They see the variable as it was in front, in every iteration; those ordered behind see what was written."""
    v, p = gc.Variable([1.0], name="v"), gc.placeholder(gc.bool, [])

    def body(total: Any, last: Any, ordered: Any) -> list[Any]:
        write = gc.assign_add(v, [1.0])
        with gc.control_dependencies([write]):
            behind = gc.identity(v)
        return [total + v, v, ordered + behind]

    def loop(step: Callable[..., list[Any]], start: Sequence[Any]) -> list[Any]:
        return list(gc.while_loop(lambda k, *_: k < 3, lambda k, *parts: [k + 1, *step(*parts)], [0, *start])[1:])

    zeros = [gc.zeros([1]), gc.zeros([1]), gc.zeros([1])]
    places: dict[str, Callable[[], list[Any]]] = {
        "loop": lambda: loop(body, zeros), "branch": lambda: list(gc.cond(p, lambda: body(*zeros), lambda: zeros)),
        "loop in loop": lambda: loop(lambda *parts: loop(body, parts), zeros),
        "branch in loop": lambda: loop(
            lambda *parts: list(gc.cond(p, lambda: body(*parts), lambda: list(parts))), zeros),
    }
    times = {"branch": 1, "loop in loop": 9}.get(place, 3)
    states = {"v": np.float32([1.0])}
    total, last, ordered = (x.tolist() for x in evaluate(places[place](), {p: True}, states))
    assert states["v"].tolist() == [1.0 + times]
    assert total == [1.0 * times] and last == [1.0]
    assert ordered == [sum(range(2, times + 2))]


def test_errors() -> None:
    with pytest.raises(ValueError, match="No loop variables provided"):
        gc.while_loop(lambda: True, lambda: [], [])
    with pytest.raises(ValueError, match=r"enters the loop with shape \(1,\), but has shape \(2,\) after one "
                                         r"iteration"):
        gc.while_loop(lambda x: gc.reduce_sum(x) < 1, lambda x: gc.concat([x, x], 0), [gc.zeros([1])])
    with pytest.raises(TypeError, match="enters the loop with dtype float32, but has dtype int32"):
        gc.while_loop(lambda x: x < 1.0, lambda x: gc.cast(x, gc.int32), [0.0])
    with pytest.raises(ValueError, match="don't have the same nested structure"):
        gc.while_loop(lambda x: x < 1.0, lambda x: (x, x), [0.0])
    with pytest.raises(TypeError, match="cond must return a boolean scalar"):
        gc.while_loop(lambda x: x, lambda x: x, [0.0])
    with pytest.raises(TypeError, match="pred must not be a Python bool"):
        gc.cond(True, lambda: 1, lambda: 2)
    with pytest.raises(ValueError, match="must have the same type: int32, float32"):
        gc.cond(gc.constant(True), lambda: 1, lambda: 2.0)
    inner = []
    gc.cond(gc.constant(True), lambda: inner.append(gc.constant(1.0) * 2) or gc.constant(1), lambda: gc.constant(2))
    with pytest.raises(ValueError, match=r"cannot be used outside of it|belongs to another graph"):
        gc.constant(1.0) + inner[0]


def test_cond_results() -> None:
    p = gc.placeholder(gc.bool, [])
    assert isinstance(gc.cond(p, lambda: [gc.constant(1)], lambda: [gc.constant(2)]), gc.Tensor)
    a, b = gc.cond(p, lambda: (gc.constant(1), 2.0), lambda: (gc.constant(3), 4.0))
    assert evaluate([a, b], {p: False}) == [3, 4.0]
    chosen = gc.case([(p, lambda: gc.constant(1)), (gc.logical_not(p), lambda: gc.constant(2))],
                     default=lambda: gc.constant(3))
    assert evaluate(chosen, {p: False}) == 2


def test_assert_takes_a_python_bool():
    with gc.Session() as session:
        session.run(gc.Assert(True, ["good"]))
        with pytest.raises(gc.errors.InvalidArgumentError, match="no good"):
            session.run(gc.Assert(False, ["no good"]))
