"""Loops, branches, sizes known only while running; their gradients: Plans in NumPy against the graph's reference."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

from checking import check_compiled

pytestmark = pytest.mark.usefixtures("graph")

RNG = np.random.default_rng(4)


def row() -> Any:
    return gc.placeholder("float32", (None,), name="x")


def test_loop() -> None:
    x = row()
    i, y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * 2.0 + x), [0, x])
    check_compiled([y, i], [x], [np.ones(4, np.float32)])


def test_growing_loop_and_its_gradient() -> None:
    x, w = row(), gc.placeholder("float32", ())
    _, y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, gc.concat([y * w, y[:1]], 0)), [0, x],
                         shape_invariants=[[], [None]])
    check_compiled([y, *gc.gradients(gc.reduce_sum(y * y), [x, w])], [x, w], [np.arange(4.0) + 1, 2.0])


def test_gradient_of_a_loop() -> None:
    x, w = row(), gc.placeholder("float32", ())
    _, y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * w), [0, x])
    check_compiled([y, *gc.gradients(gc.reduce_sum(y), [x, w])], [x, w], [np.arange(4.0) + 1, 2.0])


@pytest.mark.parametrize("taken", [True, False])
def test_branch_and_gradient(taken: bool) -> None:
    x, p = row(), gc.placeholder("bool", ())
    y = gc.cond(p, lambda: x * x, lambda: x * 3.0)
    check_compiled([y, *gc.gradients(y, x)], [x, p], [np.arange(4.0), taken])


@pytest.mark.parametrize("taken", [True, False])
def test_branches_of_different_sizes(taken: bool) -> None:
    x, p = row(), gc.placeholder("bool", ())
    check_compiled([gc.cond(p, lambda: x * 2.0, lambda: x[:1])], [x, p], [np.arange(4.0), taken])


@pytest.mark.parametrize("taken", [True, False])
def test_assignment_in_a_branch(taken: bool) -> None:
    v = gc.Variable(np.ones(3, np.float32), name="v")
    p = gc.placeholder("bool", ())
    y = gc.cond(p, lambda: gc.assign_add(v, np.full(3, 2, np.float32)), lambda: v * 1.0)
    check_compiled([y, v._ref()], [p], [taken], {"v": np.arange(3, dtype=np.float32)})


def test_assignment_in_a_loop(graph: Any) -> None:
    v = gc.Variable(np.float32(0), name="v")

    def body(i: Any) -> Any:
        with graph_of(i).control_dependencies([gc.assign_add(v, 2.0)]):
            return i + 1

    i = gc.while_loop(lambda i: i < 3, body, [0])
    check_compiled([i, v._ref()], [], [], {"v": np.float32(1)})


def graph_of(tensor: Any) -> Any:
    return tensor.graph


def test_a_loop_reads_the_old_value_of_a_variable_written_later() -> None:
    v = gc.Variable(np.ones((3, 3), np.float32), name="v")
    x = gc.placeholder("float32", (None, 3))
    _, y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, gc.matmul(y, v)), [0, x])
    state = RNG.random((3, 3)).astype(np.float32)
    check_compiled([y, v._ref()], [x], [RNG.random((2, 3))], {"v": state}, [gc.assign(v, v * 0.5).op])


def test_boolean_mask() -> None:
    x, m, w = gc.placeholder("float32", (None, 3)), gc.placeholder("bool", (None,)), gc.placeholder("float32", (3, 2))
    check_compiled([gc.matmul(gc.boolean_mask(x, m), w)], [x, m, w],
                   [RNG.random((4, 3)), np.array([1, 0, 1, 1], bool), RNG.random((3, 2))])


def test_sizes_from_fed_integers() -> None:
    n, x, s = gc.placeholder("int32", ()), gc.placeholder("float32", (None, 3)), gc.placeholder("int32", (2,))
    check_compiled([gc.zeros([n, 3]) + 1.0, gc.reshape(x, s)], [n, x, s], [5, RNG.random((4, 3)), np.array([6, 2])])


def test_a_size_of_the_graph_around_a_loop() -> None:
    x = gc.placeholder("float32", (None, 3))
    n = gc.shape(x)[0]
    _, y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y + gc.ones([n, 3])), [0, x])
    check_compiled([y], [x], [RNG.random((4, 3))])


def test_initialised_value() -> None:
    v = gc.Variable(np.ones(3, np.float32), name="v")
    w = gc.Variable(v.initialized_value() * 2.0, name="w")
    check_compiled([w._ref()], [], [], {}, [gc.global_variables_initializer()])


def test_nested_loops_and_branches() -> None:
    x = row()

    def outer(i: Any, y: Any) -> Any:
        _, z = gc.while_loop(lambda j, z: j < 2, lambda j, z: (j + 1, z + x), [0, y])
        return i + 1, gc.cond(i < 1, lambda: z * 2.0, lambda: z)

    _, y = gc.while_loop(lambda i, y: i < 3, outer, [0, x])
    check_compiled([y, *gc.gradients(y, x)], [x], [np.arange(4.0)])
