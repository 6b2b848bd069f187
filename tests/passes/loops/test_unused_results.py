"""unused_results: what a loop or branch gives out and nobody uses is not computed; what an iteration, its condition, an
effect or a size needs stays."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.node import Flow
from graphc.passes.loops.unused_results import unused_results

from checking import check_compiled, flow_of

pytestmark = pytest.mark.usefixtures("graph")

X = np.arange(4, dtype=np.float32)


def row() -> Any:
    return gc.placeholder("float32", (None,), name="x")


def results(flow: Flow) -> list[int]:
    """How many results each loop and branch of the flow has."""
    return [len(node.specs) for node in flow.nested]


def smaller(fetches: Sequence[Any], feeds: Sequence[Any], arrays: Sequence[Any], targets: Sequence[Any] = (),
            states: Any = None) -> Flow:
    """The flow without unused results; compiled, it must compute what the graph's reference does."""
    check_compiled(fetches, feeds, arrays, states, targets)
    flow = unused_results(flow_of(fetches, feeds, targets))
    assert unused_results(flow) is flow
    return flow


def test_a_forward_run_keeps_nothing_for_gradients() -> None:
    x = row()
    _, y = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, gc.tanh(y * x)), [0, x])
    before = flow_of([y], [x])
    gradient, = gc.gradients(y, [x])
    after = smaller([y], [x], [X])
    assert results(flow_of([y], [x])) > results(after) == results(before) == [2]
    assert len(after.nested[0].op.body.outputs) == 2
    assert results(flow_of([y, gradient], [x])) == [6, 6]
    assert results(smaller([y, gradient], [x], [X])) == [5, 5]          # y has the size of x: no list of shapes


def test_what_iterations_need_stays() -> None:
    x = row()
    loop = gc.while_loop(lambda i, *_: i < 3, lambda i, a, b, c, d: (i + 1, a + b, b * 2.0, c * d, d + 1.0),
                         [0, x, x, x, x])
    assert results(smaller([loop[1]], [x], [X])) == [3]               # the counter, a, and b for a
    assert results(smaller([loop[4]], [x], [X])) == [2]
    assert results(smaller([loop[0]], [x], [X])) == [1]


def test_a_size_that_only_an_unused_result_tells_stays() -> None:
    x = row()
    _, y, _ = gc.while_loop(lambda i, *_: i < 3, lambda i, y, z: (i + 1, gc.concat([y, y[:1]], 0), z * 2.0), [0, x, x],
                            shape_invariants=[[], [None], [None]])
    assert results(smaller([gc.size(y)], [x], [X])) == [2]


def test_effects_stay() -> None:
    v = gc.Variable(np.ones(3, np.float32), name="v")
    seen: list[float] = []

    def body(i: Any, y: Any, z: Any) -> Any:
        noted = gc.py_func(lambda value: seen.append(float(value)), [y[0]], [])
        with gc.control_dependencies([noted, v.assign_add(y)]):
            return i + 1, y * 2.0, z * 2.0

    i, *_ = gc.while_loop(lambda i, *_: i < 3, body, [0, gc.ones([3]), gc.ones([3])])
    flow = unused_results(flow_of([i]))
    assert results(flow) == [3]                                       # the counter, y, and v
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert session.run(i) == 3
        np.testing.assert_array_equal(session.run(v), [8, 8, 8])
    assert seen == [1, 2, 4]


@pytest.mark.parametrize("taken", [True, False])
def test_branches(taken: bool) -> None:
    x, p = row(), gc.placeholder("bool", ())
    y, _, z = gc.cond(p, lambda: (x * x, gc.exp(x), x[:1]), lambda: (x * 3.0, gc.sin(x), x[:2]))
    assert results(smaller([y], [x, p], [X, taken])) == [1]
    assert results(smaller([y, gc.shape(z)], [x, p], [X, taken])) == [2]           # z's size is known by z alone
    assert results(smaller([z], [x, p], [X, taken])) == [1]


def test_inside_loops_and_branches() -> None:
    x = row()

    def body(i: Any, y: Any, z: Any) -> Any:
        _, inner, other = gc.while_loop(lambda j, *_: j < 2, lambda j, a, b: (j + 1, a * 2.0, b + 1.0), [0, y, z])
        return i + 1, inner, other

    _, y, z = gc.while_loop(lambda i, *_: i < 3, body, [0, x, x])
    flow = smaller([y], [x], [X])
    assert results(flow) == [2] and results(flow.nested[0].op.body) == [2]
    both = smaller([y, z], [x], [X])
    assert results(both) == [3] and results(both.nested[0].op.body) == [3]
