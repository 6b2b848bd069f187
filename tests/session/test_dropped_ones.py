"""Squeeze without axes drops what has size 1 in this run: a Session compiles for the feeds' sizes that are 1."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc


@pytest.mark.parametrize("shape", [(3, 1), (1, 1), (1, 4), (2, 4), (0, 1), (3, 1)])
def test_squeeze_of_a_feed(shape: tuple[int, ...]) -> None:
    x = gc.placeholder(gc.float32, [None, None])
    y = gc.reduce_sum(gc.squeeze(gc.square(x)) * 2.0)
    value = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    with gc.Session() as session:
        for fed in (np.ones((5, 2), np.float32), value, np.ones((1, 2), np.float32), value):
            squeezed, total, slope = session.run([gc.squeeze(x), y, gc.gradients(y, x)[0]], {x: fed})
            np.testing.assert_array_equal(squeezed, np.squeeze(fed))
            np.testing.assert_allclose(total, 2 * (fed ** 2).sum())
            np.testing.assert_allclose(slope, 4 * fed)


def test_the_last_batch_has_one_row() -> None:
    """logits of [batch, 1], squeezed, against labels of [batch]: the usual form, with batches of 3 and then of 1."""
    x, labels = gc.placeholder(gc.float32, [None, 2]), gc.placeholder(gc.float32, [None])
    w = gc.Variable(gc.ones([2, 1]))
    loss = gc.reduce_mean(gc.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=gc.squeeze(gc.matmul(x, w), 1)))
    score = gc.squeeze(gc.matmul(x, w))
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for n in (3, 1, 3):
            found, _ = session.run([score, loss], {x: np.ones((n, 2)), labels: np.ones(n)})
            assert np.shape(found) == (() if n == 1 else (n,))


def test_inside_a_loop() -> None:
    x = gc.placeholder(gc.float32, [None, 3])

    def body(i: Any, total: Any) -> Any:
        return i + 1, total + gc.reduce_sum(gc.squeeze(x) * 2.0)

    total = gc.while_loop(lambda i, _: i < 3, body, [0, 0.0])[1]
    with gc.Session() as session:
        for n in (1, 2, 1):
            assert session.run(total, {x: np.ones((n, 3))}) == 18 * n


def test_sizes_that_are_no_feeds_are_refused() -> None:
    x = gc.placeholder(gc.float32, [None])
    kept = gc.squeeze(gc.boolean_mask(x, x > 0))
    with gc.Session() as session:
        assert session.run(kept, {x: [1, -1, 2]}).tolist() == [1, 2]
        with pytest.raises(gc.errors.InvalidArgumentError, match="squeeze without axis would drop axis 0"):
            session.run(kept, {x: [1, -1, -2]})
