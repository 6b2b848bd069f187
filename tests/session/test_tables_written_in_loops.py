"""Variables of which loops and branches write some rows: in one memory, in the order of the script, all or nothing."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.plan.compile import compile_graph
from graphc.plan.plan import BufferKind, Call, Map, Take

ROWS = 1003


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def variable(name: str = "table") -> Any:
    return gc.Variable(np.arange(2.0 * ROWS).reshape(ROWS, 2), name=name)


START = np.arange(2.0 * ROWS).reshape(ROWS, 2)


def added(table: Any, i: Any) -> Any:
    return gc.scatter_add(table, [i, 2 * i], gc.gather(table.read_value(), [i, i + 1]) + 1.0)


def add_rows(table: np.ndarray, i: int) -> None:
    new = table[[i, i + 1]] + 1
    for row, update in zip((i, 2 * i), new, strict=True):
        table[row] += update


def count_copies(fetches: list[Any], targets: list[Any], feeds: list[Any]) -> tuple[int, int]:
    """How many steps write the whole of something of the table's size: in the plan's first body, in the others."""
    plan = compile_graph(fetches, targets=targets, feeds=feeds).plan
    found = [0, 0]
    for number, body in enumerate(plan.bodies):
        large = {d for d, dim in enumerate(body.dims) if dim.value in (ROWS, 2 * ROWS)}
        for step in body.steps:
            if isinstance(step, Call) and step.kernel.startswith("copy"):
                found[number > 0] += bool(large & set(step.dims))
            elif isinstance(step, Map):
                found[number > 0] += bool(large & set(step.domain))
            elif isinstance(step, Take):
                buffer = body.buffers[step.buffer]
                found[number > 0] += bool(large & set(buffer.dims)) and buffer.kind != BufferKind.CARRIED
    return found[0], found[1]


def simple(table: Any, count: Any) -> tuple[Any, Any]:
    def step(i: Any) -> Any:
        with gc.control_dependencies([added(table, i)]):
            return i + 1

    def oracle(t: np.ndarray, n: int) -> None:
        for i in range(n):
            add_rows(t, i)

    return gc.while_loop(lambda i: i < count, step, [0]), oracle


def two_writes(table: Any, count: Any) -> tuple[Any, Any]:
    """One behind the other, then a read of what both made."""
    def step(i: Any, x: Any) -> Any:
        with gc.control_dependencies([added(table, i)]):
            second = gc.scatter_mul(table, [i], gc.constant(0.5, gc.float64))
        with gc.control_dependencies([second]):
            return i + 1, x + gc.reduce_sum(gc.gather(table.read_value(), [i]))

    def oracle(t: np.ndarray, n: int) -> float:
        total = 0.0
        for i in range(n):
            add_rows(t, i)
            t[i] *= 0.5
            total += t[i].sum()
        return total

    return gc.while_loop(lambda i, x: i < count, step, [0, gc.constant(0, gc.float64)])[1], oracle


def nested(table: Any, count: Any) -> tuple[Any, Any]:
    def inner(j: Any) -> Any:
        with gc.control_dependencies([added(table, j)]):
            return j + 1

    def outer(i: Any) -> Any:
        with gc.control_dependencies([gc.while_loop(lambda j: j <= i, inner, [0])]):
            done = gc.scatter_sub(table, [i], gc.constant(1, gc.float64))
        with gc.control_dependencies([done]):
            return i + 1

    def oracle(t: np.ndarray, n: int) -> None:
        for i in range(n):
            for j in range(i + 1):
                add_rows(t, j)
            t[i] -= 1

    return gc.while_loop(lambda i: i < count, outer, [0]), oracle


def branch(table: Any, count: Any) -> tuple[Any, Any]:
    """A branch inside a loop writes; the other one does not."""
    def write(i: Any) -> Any:
        with gc.control_dependencies([added(table, i)]):
            return gc.identity(i)

    def step(i: Any) -> Any:
        with gc.control_dependencies([gc.cond(gc.equal(i % 2, 0), lambda: write(i), lambda: i)]):
            return i + 1

    def oracle(t: np.ndarray, n: int) -> None:
        for i in range(0, n, 2):
            add_rows(t, i)

    return gc.while_loop(lambda i: i < count, step, [0]), oracle


PROGRAMS = [simple, two_writes, nested, branch]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_values(program: Any) -> None:
    table, count = variable(), gc.placeholder(gc.int32, [])
    result, oracle = program(table, count)
    wanted = START.copy()
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for n in (3, 0, 1, 7, 2):
            found, value = session.run(result, {count: n}), oracle(wanted, n)
            np.testing.assert_allclose(session.run(table), wanted, rtol=1e-12)
            assert value is None or found == pytest.approx(value)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_no_iteration_copies_the_table(program: Any) -> None:
    table, count = variable(), gc.placeholder(gc.int32, [])
    result, _ = program(table, count)
    assert count_copies([result], [], [count]) == (1, 0)        # behind the loop: all or nothing


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_a_run_that_fails_changes_nothing(program: Any) -> None:
    table, count = variable(), gc.placeholder(gc.int32, [])
    result, _ = program(table, count)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"is not in \[0, 1003\)"):
            session.run(result, {count: ROWS})
        np.testing.assert_array_equal(session.run(table), START)


def test_old_values_stay_where_they_are_wanted() -> None:
    """Read in front of the loop, behind it, and by a fetch of the old value."""
    table, count = variable(), gc.placeholder(gc.int32, [])
    before = gc.identity(table.value()[:4])
    result, oracle = simple(table, count)
    with gc.control_dependencies([result]):
        after = gc.identity(table.read_value()[:4])
    wanted = START.copy()
    oracle(wanted, 3)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        old, _, new, last = session.run([before, result, after, table], {count: 3})
        np.testing.assert_array_equal(old, START[:4])
        np.testing.assert_allclose(new, wanted[:4])
        np.testing.assert_allclose(last, wanted)


def test_an_old_value_that_goes_on() -> None:
    """The next iteration has what this one has overwritten: that needs a copy, and is right."""
    table = variable()

    def step(i: Any, old: Any) -> Any:
        now = gc.identity(table.read_value())
        with gc.control_dependencies([now]):
            write = gc.scatter_add(table, [i], old[:1])
        with gc.control_dependencies([write]):
            return i + 1, gc.identity(now)

    _, old = gc.while_loop(lambda i, x: i < 3, step, [0, gc.ones([ROWS, 2], gc.float64)])
    wanted, last = START.copy(), np.ones((ROWS, 2))
    for i in range(3):
        now = wanted.copy()
        wanted[i] += last[0]
        last = now
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        np.testing.assert_allclose(session.run(old), last)
        np.testing.assert_allclose(session.run(table), wanted)


def test_a_read_behind_the_loop_of_a_value_from_in_front_of_it() -> None:
    """An inner loop may not change what the outer body still reads."""
    table = variable()

    def inner(j: Any) -> Any:
        with gc.control_dependencies([gc.scatter_add(table, [j], gc.ones([1, 2], gc.float64))]):
            return j + 1

    def outer(i: Any, x: Any) -> Any:
        early = gc.gather(table.value(), [0])
        done = gc.while_loop(lambda j: j < 2, inner, [0])
        with gc.control_dependencies([done]):
            return i + 1, x + early * gc.cast(done, gc.float64)

    _, x = gc.while_loop(lambda i, x: i < 3, outer, [0, gc.zeros([1, 2], gc.float64)])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        np.testing.assert_array_equal(session.run(x)[0], 3 * 2 * START[0])    # unordered: of the start
        np.testing.assert_array_equal(session.run(table)[:3], START[:3] + [[3], [3], [0]])


def test_two_tables_and_one_that_is_passed_on() -> None:
    a, b = variable("a"), variable("b")

    def step(i: Any, c: Any, x: Any) -> Any:
        writes = gc.scatter_add(a, [i], gc.gather(b, [i])), gc.scatter_sub(b, [i], gc.gather(c, [i]))
        with gc.control_dependencies(writes):
            return i + 1, c, x + gc.reduce_sum(gc.gather(c, [i]))

    given = gc.constant(START)
    _, c, x = gc.while_loop(lambda i, c, x: i < 3, step, [0, given, gc.constant(0, gc.float64)])
    assert count_copies([x], [], [])[1] == 0
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        kept, total = session.run([c, x])
        np.testing.assert_array_equal(kept, START)
        assert total == START[:3].sum()
        np.testing.assert_array_equal(session.run(a)[:4], START[:4] * [[2], [2], [2], [1]])
        np.testing.assert_array_equal(session.run(b)[:4], START[:4] * [[0], [0], [0], [1]])


@pytest.mark.parametrize("optimizer", [
    lambda: gc.train.GradientDescentOptimizer(0.5), lambda: gc.train.MomentumOptimizer(0.5, 0.9),
    lambda: gc.train.AdagradOptimizer(0.5)], ids=["descent", "momentum", "adagrad"])
def test_training_inside_a_loop(optimizer: Any) -> None:
    """An optimizer's update of rows as the body of a loop does what as many runs of it do."""
    ids = np.array([[1, 2, 1], [5, 1, 1], [0, 2, 7]])

    def build(name: str) -> tuple[Any, Any]:
        table, made = variable(name), optimizer()

        def step(i: Any) -> Any:
            loss = gc.reduce_sum(gc.square(gc.gather(table.read_value(), gc.constant(ids)[i]) * 0.1 - 1.0))
            with gc.control_dependencies([made.minimize(loss, var_list=[table])]):
                return i + 1

        return table, step

    first, step = build("first")
    looped = gc.while_loop(lambda i: i < 3, step, [0])
    second, once = build("second")
    number = gc.placeholder(gc.int32, [])
    single = once(number)
    assert count_copies([looped], [], [])[1] == 0
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(looped)
        for i in range(3):
            session.run(single, {number: i})
        np.testing.assert_allclose(session.run(first), session.run(second), rtol=1e-12)
        assert not np.array_equal(session.run(first), START)


def test_a_branch_alone() -> None:
    table, take = variable(), gc.placeholder(gc.bool, [])

    def write() -> Any:
        with gc.control_dependencies([gc.scatter_update(table, [3], gc.zeros([1, 2], gc.float64))]):
            return gc.constant(1)

    chosen = gc.cond(take, write, lambda: gc.constant(2))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert session.run(chosen, {take: False}) == 2
        np.testing.assert_array_equal(session.run(table), START)
        assert session.run(chosen, {take: True}) == 1
        assert session.run(table)[3].tolist() == [0, 0]
