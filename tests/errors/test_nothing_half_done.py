"""A run that fails leaves no trace: variables keep their values, whatever order the ops were made in."""
from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc

OpError = gc.errors.OpError


def fail(value: np.ndarray) -> np.ndarray:
    raise ValueError(f"not {value}")


def failing_gather(index: Any) -> gc.Tensor:
    return gc.gather(gc.constant([1.0, 2.0]), index)


def failing_python(index: Any) -> gc.Tensor:
    return gc.py_func(lambda i: np.float32(i) if i.max() < 2 else fail(i), [index], gc.float32)


def failing_label(index: Any) -> gc.Tensor:
    return gc.nn.sparse_softmax_cross_entropy_with_logits(labels=index, logits=gc.zeros([1, 2]))


def failing_check(index: Any) -> gc.Tensor:
    with gc.control_dependencies([gc.Assert(gc.reduce_all(index < 2), ["too large:", index])]):
        return gc.cast(index, gc.float32)


def failing_size(index: Any) -> gc.Tensor:
    return gc.ones([2])[index[0]]


def failing_loop(index: Any) -> gc.Tensor:
    return gc.while_loop(lambda k, total: k < 3, lambda k, total: (k + 1, total + gc.reduce_sum(failing_gather(index))),
                         [0, 0.0])[1]


def uninitialised(index: Any) -> gc.Tensor:
    other = gc.Variable([1.0, 2.0])
    return gc.cond(index[0] < 2, lambda: gc.constant(0.0), lambda: gc.reduce_sum(other))


ALL = [failing_gather, failing_python, failing_label, failing_check, failing_size, failing_loop,
       uninitialised]


@pytest.mark.parametrize(("order", "failing"), [
    *((order, failing) for order in ("write first", "write last", "failure behind") for failing in ALL),
    *(("write behind", failing) for failing in (failing_python, failing_check))])   # other ops run only if needed
def test_variables_are_unchanged(order: str, failing: Callable[[Any], gc.Tensor]) -> None:
    index = gc.placeholder(gc.int32, [1])
    v, w = gc.Variable([1.0, 2.0]), gc.Variable(np.ones(100, np.float32))

    def write() -> list[gc.Tensor]:
        return [v.assign_add([1.0, 1.0]), w.assign(w * 2.0)]

    if order == "write first":
        run = [write(), failing(index)]
    elif order == "write last":
        run = [failing(index), write()]
    elif order == "write behind":
        first = failing(index)
        with gc.control_dependencies([first]):
            run = [write()]
    else:
        first = write()
        with gc.control_dependencies(first):
            run = [failing(index + gc.cast(v[0] * 0.0, gc.int32))]
    session = gc.Session()
    session.run([v.initializer, w.initializer])
    for good in range(2):
        with pytest.raises(OpError):
            session.run(run, {index: [7]})
        values = session.run([v, w])
        np.testing.assert_array_equal(values[0], [1.0 + good, 2.0 + good])
        np.testing.assert_array_equal(values[1], np.full(100, 2.0 ** good, np.float32))
        session.run(run, {index: [1]})


def test_training_step_that_fails_changes_nothing() -> None:
    x, labels = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.int32, [None])
    hidden = gc.nn.relu(gc.matmul(x, gc.Variable(gc.random_normal([3, 4], seed=1))) + gc.Variable(gc.zeros([4])))
    logits = gc.matmul(hidden, gc.Variable(gc.random_normal([4, 2], seed=2)))
    loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    step = gc.train.get_or_create_global_step()
    train = gc.train.AdamOptimizer(0.1).minimize(loss, global_step=step)
    session = gc.Session()
    session.run(gc.global_variables_initializer())
    before = session.run(gc.global_variables())
    for bad in ({x: np.ones((2, 3)), labels: [0, 2]}, {x: np.ones((2, 3)), labels: [0]}):
        with pytest.raises(gc.errors.InvalidArgumentError):
            session.run([train, loss], bad)
    for old, new in zip(before, session.run(gc.global_variables()), strict=True):
        np.testing.assert_array_equal(old, new)
    session.run(train, {x: np.ones((2, 3)), labels: [0, 1]})
    assert session.run(step) == 1


def test_writes_still_happen_in_place() -> None:
    """The order alone does it: Adam's step copies no variable."""
    x = gc.placeholder(gc.float32, [None, 8])
    labels = gc.placeholder(gc.int32, [None])
    logits = gc.matmul(x, gc.Variable(gc.zeros([8, 3])))
    loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    train = gc.train.AdamOptimizer(0.1).minimize(loss)
    session = gc.Session()
    session.run(gc.global_variables_initializer())
    data = gc.RunMetadata()
    feeds = {x: np.ones((2, 8)), labels: [0, 1]}
    session.run(train, feeds, gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), data)
    assert data.kernels and not any("copy." in row for row in data.kernels)


FAILING = """
import sys
sys.path.insert(0, sys.argv[1])
import graphc as gc
from test_nothing_half_done import ALL
for failing in ALL:
    with gc.Graph().as_default(), gc.Session() as session:
        index = gc.placeholder(gc.int32, [1])
        y = failing(index)
        session.run(y, {index: [1]})
        before = set(sys.modules)
        try:
            session.run(y, {index: [7]})
        except gc.errors.OpError:
            print(failing.__name__, *(set(sys.modules) - before))
"""


def test_a_failure_imports_nothing() -> None:
    """A signal that strikes an import leaves half a module: what tells of a failure is there since the first run."""
    done = subprocess.run([sys.executable, "-c", FAILING, str(Path(__file__).parent)], capture_output=True, text=True,
                          check=False)
    assert done.stdout.splitlines() == [failing.__name__ for failing in ALL], done.stderr
