"""Reads of variables by the NumPy evaluator: who depends on a write sees it, through `v/read` too, as in sessions."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference


def reads() -> tuple[list[gc.Tensor], gc.Tensor]:
    """Some fetches, and the placeholder that they need."""
    variable, count = gc.Variable([1.0]), gc.placeholder(gc.int32, [])
    before = variable + 0.0

    def body(k: gc.Tensor, a: gc.Tensor) -> list[gc.Tensor]:
        with gc.control_dependencies([gc.assign_add(variable, [1.0])]):
            return [k + 1, gc.identity(variable)]

    _, last = gc.while_loop(lambda k, a: k < count, body, [0, gc.constant([0.0])])
    with gc.control_dependencies([gc.assign_add(variable, [10.0])]):
        after = variable * 2.0
    return [before, last, last - variable, after, variable._ref()], count


@pytest.mark.parametrize("counts", [(1, 5, 3), (0, 2)])
def test_reads_behind_writes(counts: tuple[int, ...]) -> None:
    with gc.Graph().as_default() as graph:
        fetches, count = reads()
        initializer = gc.global_variables_initializer()
    states: dict[str, np.ndarray] = {}
    run_reference(initializer, states=states)
    with gc.Session(graph=graph) as session:
        session.run(initializer)
        for number, n in enumerate(counts, 1):
            for a, b in zip(session.run(fetches, {count: n}), run_reference(fetches, {count: n}, states, number),
                            strict=True):
                np.testing.assert_array_equal(a, b)


def test_what_no_body_needs_is_not_computed() -> None:
    """A tensor of the graph around that only an unused op of a body reads may be one that cannot be computed."""
    with gc.Graph().as_default() as graph:
        x, p = gc.placeholder(gc.float32, [2]), gc.placeholder(gc.bool, [])
        paddings = gc.placeholder(gc.int32, [1, 2])
        padded = gc.pad(x, paddings)

        def unused() -> gc.Tensor:
            gc.tanh(padded)
            return x * 2.0

        def body(k: gc.Tensor, a: gc.Tensor) -> list[gc.Tensor]:
            gc.cond(p, lambda: gc.tanh(padded), lambda: padded)
            return [k + 1, gc.cond(p, unused, lambda: a)]

        fetches = [gc.cond(p, unused, unused), gc.while_loop(lambda k, a: k < 2, body, [0, x])[1]]
        used = gc.while_loop(lambda k, a: k < 2, lambda k, a: [k + 1, a + gc.reduce_sum(padded)], [0, x])[1]
    feeds = {x: np.float32([1, 2]), paddings: np.int32([[-1, 0]]), p: np.bool_(True)}
    with gc.Session(graph=graph) as session:
        for a, b in zip(session.run(fetches, feeds), run_reference(fetches, feeds), strict=True):
            np.testing.assert_array_equal(a, b)
        with pytest.raises(gc.errors.InvalidArgumentError):
            session.run(used, feeds)
    with pytest.raises(ValueError):
        run_reference(used, feeds)
