"""erased_elements: nothing is erased from a list that nothing reads any more; what may be read again is. And prune:
what a loop passes on as it is becomes an operand."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.driver import everywhere
from graphc.passes.loops.erased_elements import erased_elements
from graphc.passes.loops.prune import prune
from graphc.passes.loops.unused_results import unused_results
from graphc.passes.simplification.simplify import simplify

from checking import check_compiled, flow_of

pytestmark = pytest.mark.usefixtures("graph")

X = np.array([[0.3, -0.7], [0.1, 0.9], [-0.4, 0.2]], np.float32)


def erasing(fetches: Sequence[Any], feeds: Sequence[Any], arrays: Sequence[Any]) -> int:
    """How many steps of bodies erase; compiled, the graph must compute what its reference does."""
    check_compiled(fetches, feeds, arrays)
    flow = erased_elements(everywhere(unused_results(flow_of(fetches, feeds)), simplify))
    return sum(n.op.type == "_TensorListErase" for loop in flow.nested for n in loop.op.body.nodes())


def written(x: Any, array: Any, index: Any) -> Any:
    """The array's elements, behind a loop that writes row i of x, changed, at index(i)."""
    return gc.while_loop(lambda i, _: i < 3, lambda i, a: (i + 1, a.write(index(i), gc.tanh(x[i]))), [0, array])[1]


@pytest.mark.parametrize("index", [lambda i: i, lambda i: 2 - i, lambda i: i + i], ids=["up", "down", "even"])
def test_another_index_every_time(index: Any) -> None:
    x = gc.placeholder("float32", (3, 2))
    y = written(x, gc.TensorArray(gc.float32, 5, element_shape=[2]), index).stack()
    assert erasing(gc.gradients(gc.reduce_sum(y * y), [x]), [x], [X]) == 0


def test_an_index_that_comes_again() -> None:
    x = gc.placeholder("float32", (3, 2))
    for index in (lambda i: i // 2, lambda i: 0 * i):
        y = written(x, gc.TensorArray(gc.float32, 3, element_shape=[2]), index).stack()
        assert erasing(gc.gradients(gc.reduce_sum(y * y), [x]), [x], [X]) == 1


def test_what_the_array_held_before_has_no_gradient_where_it_was_written() -> None:
    x = gc.placeholder("float32", (3, 2))
    y = written(x, gc.TensorArray(gc.float32, 3).unstack(x * 2.0), lambda i: i).stack()
    gradient = gc.gradients(y, [x])
    assert erasing(gradient, [x], [X]) == 1
    with gc.Session() as session:
        np.testing.assert_allclose(session.run(gradient[0], {x: X}), 1 - np.tanh(X) ** 2, rtol=1e-5)


def test_unchanged_values_are_operands() -> None:
    x = gc.placeholder("float32", (None,))
    loop = gc.while_loop(lambda i, y, a, b: i < 3, lambda i, y, a, b: (i + 1, y * a + b, a, b),
                         [0, x, x + 1.0, x * 2.0],
                         shape_invariants=[[], [None], [None], [None]])
    check_compiled(loop, [x], [X[0]])
    flow = prune(flow_of(loop, [x]))
    node, = flow.nested
    assert node.op.carried == 2 and flow.outputs[2:] == node.inputs[2:]


def test_a_loop_of_nothing_but_unchanged_values_ends_if_it_does_not_begin() -> None:
    x = gc.placeholder("float32", (2,))
    same = gc.while_loop(lambda y: gc.reduce_sum(y) > 100.0, lambda y: gc.identity(y), [x])
    check_compiled([same], [x], [X[0]])


def test_effects_of_a_loop_stay() -> None:
    counter = gc.Variable(0.0)
    x = gc.placeholder("float32", ())

    def body(y: Any, i: Any) -> Any:
        with gc.control_dependencies([counter.assign_add(1.0)]):
            return gc.identity(y), i + 1

    y, _ = gc.while_loop(lambda y, i: i < 3, body, [x, 0])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert session.run(y, {x: 5.0}) == 5.0
        assert session.run(counter) == 3.0

