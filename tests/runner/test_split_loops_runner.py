"""Recurrent networks whose loops are cut at products, and loops that read x[t], in C++: with the Session's bits."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc

import native as n
from files import build_runner

UNITS, DEPTH = 48, 70


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


def network(x: Any) -> list[Any]:
    """Outputs, and the gradient by the input."""
    cell = gc.nn.rnn_cell.MultiRNNCell([gc.nn.rnn_cell.BasicLSTMCell(UNITS) for _ in range(2)])
    outputs, _ = gc.nn.dynamic_rnn(cell, x, dtype=gc.float32)
    return [outputs, *gc.gradients(gc.reduce_mean(gc.square(outputs)), x)]


def slices(x: Any) -> list[Any]:
    """A loop over x[:, t], with a matrix."""
    w = gc.get_variable("w", [DEPTH, DEPTH], initializer=gc.random_normal_initializer(stddev=0.05, seed=3))
    return [gc.while_loop(lambda t, _: t < gc.shape(x)[1], lambda t, h: (t + 1, gc.tanh(gc.matmul(x[:, t] + h, w))),
                          (0, gc.zeros([gc.shape(x)[0], DEPTH])))[1]]


@pytest.mark.parametrize("build", [network, slices])
def test_the_same_bits(build: Any, native: n.Native) -> None:
    with gc.Graph().as_default() as graph, gc.Session(graph=graph) as session:
        gc.set_random_seed(1)
        x = gc.placeholder(gc.float32, [None, None, DEPTH], name="x")
        fetches = build(x)
        session.run(gc.global_variables_initializer())
        file = gc.freeze(session, fetches, [x]).SerializeToString()
        with native.load(file) as model:
            for batch, steps in ((1, 4), (3, 1), (1, 4), (2, 7)):
                value = np.random.default_rng(batch).standard_normal((batch, steps, DEPTH)).astype(np.float32)
                for expected, found in zip(session.run(fetches, {x: value}), model.run([value]), strict=True):
                    np.testing.assert_array_equal(expected, found)
