"""What a graph asserts holds in the C++ runner, too: also in loops, and of a cell over sequences with lengths."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import graphc as gc

import native as n
from files import build_runner


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


@pytest.fixture(autouse=True)
def fresh_graph() -> Iterator[None]:
    with gc.Graph().as_default():
        yield


def test_in_a_loop(native: n.Native) -> None:
    x = gc.placeholder(gc.float32, [None])

    def body(i: gc.Tensor, total: gc.Tensor) -> tuple[gc.Tensor, gc.Tensor]:
        with gc.control_dependencies([gc.assert_less(total, 10.0, message="too much")]):
            return i + 1, total + x

    _, total = gc.while_loop(lambda i, _: i < 3, body, (0, gc.zeros_like(x)))
    with gc.Session() as session, native.load(gc.freeze(session, [total], [x]).SerializeToString()) as model:
        np.testing.assert_array_equal(model.run([np.array([1, 2], np.float32)])[0], [3, 6])
        with pytest.raises(n.NativeError, match=r"host function 'assert:\d+' failed: assertion failed\n  in Assert"):
            model.run([np.array([1, 7], np.float32)])
        assert model.run([np.zeros(0, np.float32)])[0].shape == (0,)


def test_sequences_with_lengths(native: n.Native) -> None:
    x, lengths = gc.placeholder(gc.float32, [None, None, 3]), gc.placeholder(gc.int32, [None])
    outputs, _ = gc.nn.dynamic_rnn(gc.nn.rnn_cell.GRUCell(4), x, lengths, dtype=gc.float32)
    value, until = np.ones((2, 5, 3), np.float32), np.array([5, 2], np.int32)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        expected = session.run(outputs, {x: value, lengths: until})
        file = gc.freeze(session, [outputs], [x, lengths]).SerializeToString()
    with native.load(file) as model:
        np.testing.assert_array_equal(model.run([value, until])[0], expected)
        assert model.run([value[:1], until[:1]])[0].shape == (1, 5, 4)
