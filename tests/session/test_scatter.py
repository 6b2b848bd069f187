"""Scatters into variables: in place and in the time of the rows, all or nothing, in order; and the methods of
Variable."""
from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.plan.compile import compile_graph
from graphc.plan.plan import BufferKind, Call


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def started(session: gc.Session) -> gc.Session:
    session.run(gc.global_variables_initializer())
    return session


def test_every_update() -> None:
    start = np.arange(1.0, 11.0, dtype=np.float32).reshape(5, 2)
    functions = {"update": lambda a, b: b, "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
                 "min": np.minimum, "max": np.maximum}
    indices, updates = np.array([4, 0, 4]), np.array([[2, 4], [8, 0.5], [3, 5]], np.float32)
    for name, function in functions.items():
        v = gc.Variable(start)
        changed = getattr(gc, f"scatter_{name}")(v, gc.constant(indices), updates)
        wanted = start.copy()
        for i, update in zip(indices, updates, strict=True):
            wanted[i] = function(wanted[i], update)
        with gc.Session() as session:
            np.testing.assert_allclose(started(session).run(changed), wanted)
            np.testing.assert_allclose(session.run(v), wanted)


def test_a_scalar_updates_whole_rows() -> None:
    v = gc.Variable(np.zeros((3, 2), np.int32))
    with gc.Session() as session:
        np.testing.assert_array_equal(started(session).run(gc.scatter_add(v, [2, 2, 0], 5)), [[5, 5], [0, 0], [10, 10]])


def test_nd_and_batch() -> None:
    v, w = gc.Variable(np.zeros((2, 3), np.float32)), gc.Variable(np.zeros((2, 4), np.float32))
    made = [gc.scatter_nd_update(v, [[0, 1], [1, 2]], [1.0, 2.0])]
    with gc.control_dependencies(made):
        made.append(gc.scatter_nd_add(v, [[1]], [[1.0, 1.0, 1.0]]))
    with gc.control_dependencies(made):
        made.append(gc.scatter_nd_sub(v, [[0, 1], [0, 1]], [1.0, 1.0]))
    batch = gc.batch_scatter_update(w, [[0, 3], [2, 2]], [[1.0, 2.0], [3.0, 4.0]])
    with gc.Session() as session:
        started(session).run([m.op for m in made])
        np.testing.assert_array_equal(session.run(v), [[0, -1, 0], [1, 1, 3]])
        np.testing.assert_array_equal(session.run(batch), [[1, 0, 0, 2], [0, 0, 4, 0]])


def test_a_bad_index_changes_nothing() -> None:
    v, indices = gc.Variable(np.zeros((3, 2), np.float32)), gc.placeholder(gc.int32, [None])
    changed = gc.scatter_add(v, indices, np.ones((1, 2), np.float32) + gc.zeros([gc.size(indices), 2]), name="rows")
    tuples = gc.scatter_nd_update(v, [[0, 5]], [1.0], name="tuples")
    with gc.Session() as session:
        started(session)
        for bad in (3, -1):
            with pytest.raises(gc.errors.InvalidArgumentError, match=rf"ScatterAdd 'rows': index {bad} is not in "
                                                                     rf"\[0, 3\)"):
                session.run(changed, {indices: [0, bad]})
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"'tuples': indices \[0, 5\].*shape \[3, 2\]"):
            session.run(tuples.op)
        np.testing.assert_array_equal(session.run(v), np.zeros((3, 2)))


def test_integers_divided_by_zero_change_nothing() -> None:
    v = gc.Variable([7, -7, 5])
    with gc.Session() as session:
        started(session)
        with pytest.raises(gc.errors.InvalidArgumentError, match="division by zero"):
            session.run(gc.scatter_div(v, [0, 1], [2, 0]))
        np.testing.assert_array_equal(session.run(v), [7, -7, 5])
        np.testing.assert_array_equal(session.run(gc.scatter_div(v, [0, 1], [2, 2])), [3, -3, 5])


def copies(targets: list[Any], feeds: list[Any] | None = None) -> int:
    """How many steps copy a whole variable."""
    plan = compile_graph([], targets=targets, feeds=feeds or [], feed_ranks=[1] * len(feeds or [])).plan
    body = plan.bodies[0]
    states = {i for i, buffer in enumerate(body.buffers) if buffer.kind == BufferKind.STATE}
    return sum(isinstance(step, Call) and step.kernel.startswith("copy") and bool(states & set(step.operands))
               for step in body.steps)


def test_a_scatter_writes_the_rows_where_they_are() -> None:
    v = gc.Variable(np.zeros((1000, 4), np.float32))
    first = gc.scatter_add(v, [1, 2], np.ones((2, 4), np.float32))
    assert copies([first.op]) == 0
    assert copies([gc.scatter_sub(v, [1], gc.gather(v, [2])).op]) == 0
    with gc.control_dependencies([first]):
        second = gc.scatter_update(v, [5], np.ones((1, 4), np.float32))
    assert copies([second.op]) == 0
    fed = gc.placeholder(gc.int32, [None])
    with gc.control_dependencies([gc.scatter_add(v, fed, 1.0)]):
        assert copies([gc.scatter_sub(v, fed, 2.0).op], [fed]) == 0


def test_chains_apply_in_order() -> None:
    v, fed = gc.Variable(np.zeros((4, 2), np.float32)), gc.placeholder(gc.int32, [None])
    first = gc.scatter_add(v, fed, 3.0)
    with gc.control_dependencies([first]):
        middle = gc.identity(v.read_value())
        second = gc.scatter_mul(v, fed, 2.0)
    with gc.control_dependencies([second]):
        third = gc.scatter_sub(v, fed[:1], 1.0)
    with gc.Session() as session:
        started(session).run(third.op, {fed: [1, 3]})
        np.testing.assert_array_equal(session.run(v)[:, 0], [0, 5, 0, 6])
        seen, _ = session.run([middle, third.op], {fed: [1, 3]})
        np.testing.assert_array_equal(seen[:, 0], [0, 8, 0, 9])
        np.testing.assert_array_equal(session.run(v)[:, 0], [0, 15, 0, 18])


def test_a_reader_of_the_old_value_still_sees_it() -> None:
    v = gc.Variable(np.arange(3.0, dtype=np.float32))
    changed = gc.scatter_update(v, [1], [9.0])
    with gc.control_dependencies([changed]):
        after = gc.identity(v.read_value() * 2.0)
    with gc.Session() as session:
        before, _, doubled = started(session).run([v * 1.0, changed.op, after])
        np.testing.assert_array_equal(before, [0, 1, 2])
        np.testing.assert_array_equal(doubled, [0, 18, 4])
        np.testing.assert_array_equal(session.run(gc.scatter_add(v, [0, 1, 2], v)), [0, 18, 4])


def test_methods() -> None:
    v = gc.Variable(np.zeros((3, 2), np.float32))
    delta = types.SimpleNamespace(indices=gc.constant([2]), values=gc.constant([[1.0, 2.0]]))
    with gc.Session() as session:
        np.testing.assert_array_equal(started(session).run(v.scatter_add(delta))[2], [1, 2])
        np.testing.assert_array_equal(session.run(v.scatter_nd_add([[0, 1]], [4.0]))[0], [0, 4])
        np.testing.assert_array_equal(session.run(v.sparse_read([2])), [[1, 2]])
        np.testing.assert_array_equal(session.run(v.gather_nd([[0, 1]])), [4])
    with pytest.raises(TypeError, match="IndexedSlices"):
        v.scatter_update(np.zeros(3))


def test_what_is_no_variable_or_does_not_fit() -> None:
    v = gc.Variable(np.zeros((3, 2), np.float32))
    with pytest.raises(ValueError, match="must be a variable"):
        gc.scatter_add(gc.constant([1.0]), [0], [1.0])
    with pytest.raises(ValueError, match=r"'updates' of shape \(2, 3\) must have shape \(2, 2\)"):
        gc.scatter_add(v, [0, 1], np.zeros((2, 3), np.float32))
    with pytest.raises(TypeError, match=r"float32.*int32|int32.*float32"):
        gc.scatter_add(v, [0], gc.constant([[1, 2]]))
