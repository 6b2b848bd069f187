"""Maps of the same rows that run together: what NumPy computes, bit by bit what they give alone, and who may not."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

ROWS = 600


def values(rows: int, cols: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, cols)).astype(np.float32)


def scaled(x: Any) -> Any:
    low, high = gc.reduce_min(x, 1, keep_dims=True), gc.reduce_max(x, 1, keep_dims=True)
    return (x - low) / (high - low)


def shares(x: Any) -> Any:
    """Softmax, but for half of the maximum, by which it is not recognised as that."""
    e = gc.exp(x - gc.reduce_max(x, 1, keep_dims=True) * 0.5)
    return e / gc.reduce_sum(e, 1, keep_dims=True)


def loss(x: Any) -> Any:
    normal = gc.nn.l2_normalize(x, 1)
    return gc.gradients(gc.reduce_sum(gc.reduce_logsumexp(normal * 3.0, 1)), [x])[0]


def joined(y: Any, feeds: dict[Any, np.ndarray], threads: int = 1) -> tuple[np.ndarray, int]:
    """The value, the second time, and how many maps another one ran."""
    config, metadata = gc.ConfigProto(intra_op_parallelism_threads=threads), gc.RunMetadata()
    with gc.Session(config=config) as session:
        first = session.run(y, feeds)
        again = session.run(y, feeds, gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), metadata)
    np.testing.assert_array_equal(first, again)
    return again, sum("by the tiles of the one before" in line for line in metadata.kernels)


def numpy_scaled(a: np.ndarray) -> np.ndarray:
    low, high = a.min(1, keepdims=True), a.max(1, keepdims=True)
    return (a - low) / (high - low)


def numpy_shares(a: np.ndarray) -> np.ndarray:
    e = np.exp(a.astype(np.float64) - a.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("make, expected", [(scaled, numpy_scaled), (shares, numpy_shares)])
@pytest.mark.parametrize("cols", [1024, 1031, 4097])
def test_values(make: Any, expected: Any, cols: int) -> None:
    a = values(ROWS, cols)
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None])
        y = make(x)
        one, count = joined(y, {x: a})
        assert count >= 1
        np.testing.assert_allclose(one, expected(a), rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(joined(y, {x: a}, threads=3)[0], one)
        few, alone = joined(y, {x: a[:31]})                # too few rows to run together
        assert alone == 0
        np.testing.assert_allclose(few, one[:31], rtol=1e-6)


def test_the_same_bits_alone() -> None:
    """An op between two maps keeps them apart; no element depends on that."""
    a = values(ROWS, 1025)
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None])
        together, count = joined(scaled(x), {x: a})
        low, high = (gc.reshape(gc.cumsum(gc.reshape(r, [-1, 1]), 1), [-1, 1])      # one element each: as it was
                     for r in (gc.reduce_min(x, 1), gc.reduce_max(x, 1)))
        alone, none = joined((x - low) / (high - low), {x: a})
    assert count == 1 and none == 0
    np.testing.assert_array_equal(together, alone)


def test_a_gradient() -> None:
    a = values(ROWS, 1000)
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None])
        whole, count = joined(loss(x), {x: a})
        parts = np.concatenate([joined(loss(x), {x: a[i:i + 30]})[0] for i in range(0, 60, 30)])
    assert count >= 1
    np.testing.assert_allclose(whole[:60], parts, rtol=1e-4, atol=1e-6)


def test_other_rows_are_waited_for() -> None:
    """What reads rows in another order, a row of the result, or columns of it does not run with them."""
    a = values(ROWS, 1024)
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None])
        largest = gc.reduce_max(x, 1, keep_dims=True)
        for y, expected in (
                (x - gc.reverse(largest, [0]), a - a.max(1)[::-1, None]),
                (x - largest[-1:], a - a[-1].max()),
                (gc.transpose(x[:, :ROWS]) - largest, a[:, :ROWS].T - a.max(1)[:, None]),
                (x[:, :ROWS] - gc.transpose(largest), a[:, :ROWS] - a.max(1))):
            for threads in (1, 3):
                np.testing.assert_array_equal(joined(y, {x: a}, threads)[0], expected)


def test_a_variable_is_changed_behind_what_reads_it() -> None:
    a = values(ROWS, 1024)
    with gc.Graph().as_default():
        v = gc.Variable(a)
        read = v.value()
        step = v.assign(read - gc.reduce_max(read, 1, keep_dims=True))
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            for _ in range(3):
                session.run(step.op)
            np.testing.assert_array_equal(session.run(v), a - a.max(1, keepdims=True))


def test_in_a_loop() -> None:
    a = values(ROWS, 1024)
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None])
        y = gc.while_loop(lambda i, b: i < 4, lambda i, b: (i + 1, scaled(b) * 0.5 + b), [0, x])[1]
        found = joined(y, {x: a}, threads=2)[0]
    for _ in range(4):
        a = numpy_scaled(a) * np.float32(0.5) + a
    np.testing.assert_allclose(found, a, rtol=1e-5, atol=1e-5)
