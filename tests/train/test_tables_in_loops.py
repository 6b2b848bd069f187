"""Gradients of tables that loops and branches gather from: IndexedSlices of the rows of every iteration, never a tensor
of the table's size. The oracle is the same program with one_hot and tensordot, whose gradient is dense."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.op import OPS
from graphc.plan.compile import compile_graph
from graphc.plan.plan import BufferKind

ROWS, WIDTH = 11, 3
TABLE = np.random.RandomState(0).standard_normal((ROWS, WIDTH))
IDS = np.array([[1, 2], [2, 2], [0, 10], [3, 2]])


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def dense(value: Any) -> Any:
    if not isinstance(value, gc.IndexedSlicesValue):
        return value
    made = np.zeros((ROWS, WIDTH))
    np.add.at(made, value.indices, value.values)
    return made


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        return session.run(fetches, feeds)


Rows = Callable[[Any, Any], Any]
Program = Callable[[Rows, Any, Any], Any]


def by_gather(table: Any, ids: Any) -> Any:
    return gc.gather(table, ids)


def by_product(table: Any, ids: Any) -> Any:
    return gc.tensordot(gc.one_hot(ids, ROWS, dtype=gc.float64), table, 1)


def recurrent(rows: Rows, table: Any, count: Any) -> Any:
    ids = gc.constant(IDS)
    step = lambda i, x: (i + 1, gc.tanh(0.5 * x + rows(table, ids[i])))     # noqa: E731
    return gc.while_loop(lambda i, x: i < count, step, [0, gc.zeros([2, WIDTH], gc.float64)])[1]


def carried(rows: Rows, table: Any, count: Any) -> Any:
    """The table as a loop variable, and as a result."""
    ids = gc.constant(IDS)
    step = lambda i, t, x: (i + 1, t, gc.tanh(0.5 * x + rows(t, ids[i])))     # noqa: E731
    _, t, x = gc.while_loop(lambda i, t, x: i < count, step, [0, table, gc.zeros([2, WIDTH], gc.float64)])
    return x + t[:2] if rows is by_product else x + rows(t, [0, 1])


def two_gathers(rows: Rows, table: Any, count: Any) -> Any:
    """Of int32 and int64 indices, a matrix of them and a scalar."""
    ids = gc.constant(IDS)

    def step(i: Any, x: Any) -> Any:
        return i + 1, gc.sin(x + gc.reduce_sum(rows(table, gc.cast(ids[:2], gc.int32) + i), 0)
                             * rows(table, gc.cast(i, gc.int64)))

    return gc.while_loop(lambda i, x: i < count, step, [0, gc.zeros([2, WIDTH], gc.float64)])[1]


def nested(rows: Rows, table: Any, count: Any) -> Any:
    ids = gc.constant(IDS)

    def outer(i: Any, x: Any) -> Any:
        step = lambda j, y: (j + 1, gc.tanh(y + rows(table, ids[j]) * rows(table, ids[i])))     # noqa: E731
        return i + 1, gc.while_loop(lambda j, y: j <= i, step, [0, x])[1]

    return gc.while_loop(lambda i, x: i < count, outer, [0, gc.zeros([2, WIDTH], gc.float64)])[1]


def branch(rows: Rows, table: Any, count: Any) -> Any:
    return gc.cond(gc.equal(count % 2, 0), lambda: rows(table, IDS[1]) ** 2, lambda: gc.ones([2, WIDTH], gc.float64))


def both_branches(rows: Rows, table: Any, count: Any) -> Any:
    """Indices of two dtypes."""
    return gc.cond(gc.equal(count % 2, 0), lambda: rows(table, np.int32(IDS[1])) ** 2,
                   lambda: gc.exp(rows(table, np.int64(IDS[2]))))


def branch_in_loop(rows: Rows, table: Any, count: Any) -> Any:
    ids = gc.constant(IDS)

    def step(i: Any, x: Any) -> Any:
        return i + 1, gc.cond(gc.equal(i % 2, 0), lambda: gc.tanh(x + rows(table, ids[i])), lambda: x * 0.5)

    return gc.while_loop(lambda i, x: i < count, step, [0, gc.zeros([2, WIDTH], gc.float64)])[1]


def loop_in_branch(rows: Rows, table: Any, count: Any) -> Any:
    return gc.cond(count > 1, lambda: recurrent(rows, table, count), lambda: rows(table, [4, 4]))


def mapped(rows: Rows, table: Any, count: Any) -> Any:
    ids = gc.constant(IDS)[:count]
    return gc.map_fn(lambda i: gc.reduce_sum(rows(table, i) ** 2, 0), ids, dtype=gc.float64)


def scanned(rows: Rows, table: Any, count: Any) -> Any:
    ids = gc.constant(IDS)[:count + 1]
    return gc.scan(lambda x, i: gc.tanh(x + rows(table, i)), ids, gc.zeros([2, WIDTH], gc.float64))


PROGRAMS = [recurrent, carried, two_gathers, nested, branch, both_branches, branch_in_loop, loop_in_branch, mapped,
            scanned]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
@pytest.mark.parametrize("shape", [[ROWS, WIDTH], [None, WIDTH], [None, None]], ids=["known", "rows", "unknown"])
def test_gradients(program: Program, shape: Any) -> None:
    count, table = gc.placeholder(gc.int32, []), gc.placeholder(gc.float64, shape)
    first, second = [], []
    for rows in (by_gather, by_product):
        y = program(rows, table, count)
        found = gc.gradients(y * y, table)[0]
        first.append(found)
        whole = found if rows is by_product else gc.unsorted_segment_sum(found.values, found.indices, ROWS)
        second.append(gc.gradients(gc.reduce_sum(whole ** 2 * gc.constant(TABLE)), table)[0])
    assert isinstance(first[0], gc.IndexedSlices) and not isinstance(first[1], gc.IndexedSlices)
    for trips in (0, 1, 4) if program is not mapped else (1, 4):
        gathered, wanted, more, wanted_more = run([*first, *second], {count: trips, table: TABLE})
        assert gathered.dense_shape.tolist() == [ROWS, WIDTH] and len(gathered.indices) <= 60
        np.testing.assert_allclose(dense(gathered), wanted, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(dense(more), wanted_more, rtol=1e-8, atol=1e-11)


def test_a_dense_use_beside_is_dense() -> None:
    table = gc.constant(TABLE)
    step = lambda i, x: (i + 1, x + gc.gather(table, i) + gc.reduce_sum(table * x, 0))     # noqa: E731
    y = gc.while_loop(lambda i, x: i < 3, step, [0, gc.ones([WIDTH], gc.float64)])[1]
    assert not isinstance(gc.gradients(y, table)[0], gc.IndexedSlices)
    z = gc.cond(y[0] > 0, lambda: gc.gather(table, [1]), lambda: table[:1] * 2)
    found = gc.gradients(z, table)[0]
    assert not isinstance(found, gc.IndexedSlices)
    np.testing.assert_array_equal(run(found)[:2, 0] > 0, [run(y[0]) <= 0, run(y[0]) > 0])


def test_other_gathers_of_rows() -> None:
    """GatherNd of single indices, and TF's first Gather."""
    table = gc.constant(TABLE)
    for rows in (gc.gather_nd(table, [[3], [3], [0]]), apply(OPS["Gather"], table, gc.constant([[3, 3], [0, 10]]))):
        found = gc.gradients(rows ** 2, table)[0]
        assert isinstance(found, gc.IndexedSlices)
        times = np.bincount([3, 3, 0, *([10] if rows.shape.ndims == 3 else [])], minlength=ROWS)
        np.testing.assert_allclose(dense(run(found)), 2 * TABLE * times[:, None])
    assert not isinstance(gc.gradients(gc.gather_nd(table, [[3, 1]]), table)[0], gc.IndexedSlices)


OPTIMIZERS = [gc.train.GradientDescentOptimizer(0.1), gc.train.AdagradOptimizer(0.1),
              gc.train.MomentumOptimizer(0.1, 0.9), gc.train.RMSPropOptimizer(0.1)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("program", [recurrent, nested, branch_in_loop], ids=lambda p: p.__name__)
def test_a_step_takes_no_memory_of_the_tables_size(program: Program, optimizer: Any) -> None:
    rows = 100_003
    table = gc.Variable(gc.fill([rows, WIDTH], gc.constant(0.25, gc.float64)))
    count = gc.placeholder(gc.int32, [])
    y = program(by_gather, table, count)
    step = optimizer.minimize(gc.reduce_sum(gc.square(y - 1.0)))
    plan = compile_graph([], feeds=[count], targets=[step]).plan
    for body in plan.bodies:
        sizes = [(b.kind, [body.dims[d].value for d in b.dims]) for b in body.buffers]
        assert all(kind == BufferKind.STATE for kind, shape in sizes if rows in shape)
        large = {d for d, dim in enumerate(body.dims) if dim.value >= rows}
        assert not any(b.kind != BufferKind.STATE and large & set(b.dims) for b in body.buffers)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for _ in range(3):
            session.run(step, {count: 4})
        changed = np.flatnonzero(np.any(session.run(table) != 0.25, 1))
    assert set(changed) <= set(IDS.ravel()) and len(changed) >= 3


def test_the_unconnected_and_the_passed_on() -> None:
    """What a loop passes on has the gradient that arrives; a table that nothing gathers from has none."""
    table = gc.constant(TABLE)
    _, t, x = gc.while_loop(lambda i, t, x: i < 3, lambda i, t, x: (i + 1, t, x * 2.0), [0, table, 1.0])
    np.testing.assert_array_equal(run(gc.gradients(t * 3.0, table)[0]), np.full_like(TABLE, 3))
    assert gc.gradients(x, table) == [None]
