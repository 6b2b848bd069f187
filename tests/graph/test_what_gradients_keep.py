"""What the gradient of a loop keeps on lists: no sizes that no iteration changes, no indices that follow of counters;
and that it is right where sizes and steps do change."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.node import Flow
from graphc.passes.loops.unused_results import unused_results
from graphc.passes.snapshot.snapshot import take_snapshot

Body = Callable[[Any, Any, Any], Any]
RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def pushes(fetches: Any, feeds: list[Any]) -> int:
    """How many values the loops of the run's graph keep, at any depth."""
    def count(flow: Flow) -> int:
        found = sum(node.op.type == "TensorListPushBack" for node in flow.nodes())
        return found + sum(count(inner) for node in flow.nested for inner in node.op.flows)  # type: ignore[attr-defined]

    return count(unused_results(take_snapshot(list(fetches), [], feeds, [len(x.shape) for x in feeds])))


def unrolled(body: Body, x: Any, n: int, start: int, step: int) -> Any:
    y = x
    for i in range(start, start + n * step, step):
        y = body(gc.constant(i), y, x)
    return y


def looped(body: Body, x: Any, n: Any, start: int = 0, step: int = 1) -> Any:
    shapes = [gc.TensorShape([]), gc.TensorShape([]), gc.TensorShape([None, *x.shape.as_list()[1:]])]
    return gc.while_loop(lambda k, i, y: k < n, lambda k, i, y: (k + 1, i + step, body(i, y, x)), [0, start, x],
                         shape_invariants=shapes)[2]


def cell(i: Any, y: Any, x: Any) -> Any:
    return gc.tanh(y * 0.9 + gc.reduce_sum(x, 0)) * gc.sigmoid(y) + x


def branching(i: Any, y: Any, x: Any) -> Any:
    return gc.cond(gc.equal(i % 3, 1), lambda: gc.sin(y) * x, lambda: y * gc.cast(i, gc.float32) * 0.25)


def growing(i: Any, y: Any, x: Any) -> Any:
    return gc.tanh(gc.concat([y * gc.reduce_mean(y), x], 0))


def looping(i: Any, y: Any, x: Any) -> Any:
    return gc.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, gc.tanh(z * x + gc.cast(j, gc.float32))), [0, y])[1]


def check(body: Body, n: int, start: int = 0, step: int = 1, rows: int = 3) -> None:
    x = gc.placeholder("float32", (None, 2))
    value = RNG.normal(size=(rows, 2)).astype(np.float32)
    fetches = []
    for y in (looped(body, x, n, start, step), unrolled(body, x, n, start, step)):
        first, = gc.gradients(gc.reduce_sum(y * y), [x])
        second, = gc.gradients(gc.reduce_sum(first * first), [x])
        fetches.append([y, first, second])
    with gc.Session() as session:
        for _ in range(2):
            for found, expected in zip(*session.run(fetches, {x: value}), strict=True):
                np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("rows", [0, 1, 5])
@pytest.mark.parametrize("n", [0, 1, 4])
def test_sizes_that_stay(rows: int, n: int) -> None:
    check(cell, n, rows=rows)


@pytest.mark.parametrize(("start", "step"), [(0, 1), (5, -2), (-3, 3)], ids=str)
@pytest.mark.parametrize("body", [branching, growing, looping], ids=lambda f: f.__name__)
def test_sizes_and_counters_that_change(body: Body, start: int, step: int) -> None:
    check(body, 3, start, step)


def test_known_and_unknown_sizes_keep_the_same() -> None:
    kept = []
    for rows in (3, None):
        x = gc.placeholder("float32", (rows, 2))
        kept.append(pushes(gc.gradients(looped(cell, x, 4), [x]), [x]))
    assert kept[0] == kept[1] > 0


def test_counters_are_not_kept() -> None:
    x = gc.placeholder("float32", (None, 2))
    taken = gc.while_loop(lambda i, s: i < 4, lambda i, s: (i + 1, s + x[3 - i]), [0, gc.zeros([2])])[1]
    assert pushes(gc.gradients(taken, [x]), [x]) == 0
    assert pushes(gc.gradients(looped(branching, x, 4, 1, 2), [x]), [x]) > 0       # what the branches compute


def test_a_counter_that_wraps() -> None:
    x = gc.placeholder("float32", ())
    last = np.iinfo(np.int64).max

    def body(i: Any, y: Any) -> Any:
        return i + last, y * gc.cond(i < 0, lambda: x, lambda: x * x)

    y = gc.while_loop(lambda i, y: y < 40.0, body, [gc.constant(1, gc.int64), gc.constant(1.0)])[1]
    # i: 1, min, -1, max - 1, -3, ...: the powers of x are 2, 1, 1, 2, 1
    with gc.Session() as session:
        np.testing.assert_allclose(session.run([y, *gc.gradients(y, [x])], {x: 2.0}), [64.0, 6 * 32.0])
