"""Sizes that follow from those of a plan's inputs; plans in which nothing is CARRIED."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.engine import Engine
from graphc.plan.compile import Compiled, compile_graph
from graphc.plan.known_sizes import known_sizes
from graphc.plan.plan import BufferKind
from graphc.plan.uncarried import uncarried

Shapes = list[tuple[int | None, ...]]


def compiled(fetches: list[gc.Tensor], feeds: list[gc.Tensor]) -> Compiled:
    return compile_graph(fetches, [], feeds)


def shapes_in(fetches: list[gc.Tensor], feeds: list[gc.Tensor], *given: tuple[int, ...]) -> list[Shapes]:
    """Of each body that may run the shapes of its outputs."""
    plan = compiled(fetches, feeds).plan
    tables = known_sizes(plan, given)
    return [[tuple(table[d] for d in body.buffers[b].dims) for b in body.outputs]
            for body, table in zip(plan.bodies, tables, strict=True) if table is not None]


def test_a_loop_that_keeps_its_sizes() -> None:
    x, times = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.int32, [])
    y = gc.while_loop(lambda i, y: i < times, lambda i, y: (i + 1, gc.tanh(gc.concat([y[1:], y[:1]], 0))), [0, x])[1]
    assert shapes_in([y, gc.transpose(y)], [x, times], (5, 3), ()) == [[(5, 3), (3, 5)], [()], [(), (5, 3)]]


def test_a_loop_that_grows() -> None:
    """What is carried has another size each time, but what is made of a part of it has not."""
    x = gc.placeholder(gc.float32, [None, 3])
    i, y, z = gc.while_loop(lambda i, y, z: i < 4, lambda i, y, z: (i + 1, gc.concat([y, x], 0), gc.reduce_sum(y, 0)),
                            [0, x, gc.zeros([3])], shape_invariants=[gc.TensorShape([]), gc.TensorShape([None, 3]),
                                                                     gc.TensorShape([3])])
    del i
    assert shapes_in([y, z], [x], (2, 3)) == [[(None, 3), (3,)], [()], [(), (None, 3), (3,)]]


@pytest.mark.parametrize("rows", [2, 5])
def test_branches(rows: int) -> None:
    """The size of what either makes is known if both make as much."""
    x, flag = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.bool, [])
    y = gc.cond(flag, lambda: gc.sin(x[:2]), lambda: gc.cos(x))
    found = shapes_in([y * 2.], [x, flag], (rows, 3), ())
    assert found == [[(2 if rows == 2 else None, 3)], [(2, 3)], [(rows, 3)]]


def test_sizes_from_data() -> None:
    x = gc.placeholder(gc.float32, [None])
    places = gc.where(x > 0.)
    assert shapes_in([places, gc.reduce_sum(places, 0), gc.gather_nd(x, places)], [x], (7,)) == [
        [(None, 1), (1,), (None,)]]


def test_what_a_loop_keeps_for_its_gradient() -> None:
    """Elements of lists, all of one size."""
    with gc.Graph().as_default():          # without the variables of other tests
        x = gc.placeholder(gc.float32, [2, None, 3])
        y = gc.nn.dynamic_rnn(gc.nn.rnn_cell.BasicLSTMCell(4), x, dtype=gc.float32)[0]
        found = shapes_in(gc.gradients(gc.reduce_sum(y), gc.trainable_variables()), [x], (2, 6, 3))
    assert all(None not in shape for body in found for shape in body) and len(found) > 3


def test_a_body_that_nothing_runs() -> None:
    x = gc.placeholder(gc.float32, [2])
    plan = compiled([gc.while_loop(lambda y: y[0] < 1., lambda y: [y + 1.], [x])], [x]).plan
    alone = plan.__class__(plan.inputs, plan.outputs, (plan.bodies[0], *plan.bodies[1:], plan.bodies[2]), plan.programs)
    assert [table is None for table in known_sizes(alone, [(2,)])] == [False, False, False, True]


def tables(dtype: gc.DType) -> tuple[list[gc.Tensor], list[gc.Tensor]]:
    """A variable whose rows loops in loops and branches change in place."""
    w = gc.Variable(np.arange(12).reshape(4, 3).astype(dtype.as_numpy_dtype), name="w")
    flag = gc.placeholder(gc.bool, [], "flag")

    def put(k: Any, target: int) -> Any:
        return gc.scatter_update(w, [target], gc.gather(w.read_value(), [k]))

    def inner(j: Any) -> Any:
        with gc.control_dependencies([put(j, 3)]):
            return j + 1

    def outer(i: Any) -> Any:
        with gc.control_dependencies([gc.while_loop(lambda j: j <= i, inner, [0])]):
            chosen = gc.cond(flag, lambda: put(i, 0), lambda: put(3, 1))
        with gc.control_dependencies([chosen]):
            return i + 1

    with gc.control_dependencies([gc.while_loop(lambda i: i < 3, outer, [0])]):
        return [w.read_value()], [flag]


@pytest.mark.parametrize("dtype", [gc.float32, gc.complex64, gc.int8, gc.uint64], ids=lambda d: d.name)
def test_uncarried_plans_compute_the_same(dtype: gc.DType) -> None:
    made = compiled(*tables(dtype))
    plan, new = uncarried(made.plan)
    kinds = [[row.kind for row in body.buffers] for body in made.plan.bodies]
    assert sum(found.count(BufferKind.CARRIED) for found in kinds) == sum(new) > 1
    assert not any(row.kind == BufferKind.CARRIED for body in plan.bodies for row in body.buffers)
    start = np.arange(12).reshape(4, 3).astype(dtype.as_numpy_dtype)
    for flag in (True, False):
        ours, theirs = (Engine(one, made.constants, {made.plan.states[0].name: start.copy()}).run([np.array(flag)])[0]
                        for one in (plan, made.plan))
        assert ours.tobytes() == theirs.tobytes() and not np.array_equal(ours, start)
