"""What a graph asserts holds in the C++ runner, too: also in loops, and of a cell over sequences with lengths. And
indices are looked at."""
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


@pytest.mark.parametrize("columns", [0, 3])
def test_indices_of_rows_that_may_be_empty(native: n.Native, columns: int) -> None:
    indices, rows = gc.placeholder(gc.int32, [None, 1]), gc.placeholder(gc.float32, [None, None])
    made = gc.scatter_nd(indices, rows, gc.stack([4, gc.shape(rows)[1]]))
    with gc.Session() as session, native.load(gc.freeze(session, [made], [indices, rows]).SerializeToString()) as model:
        given = np.ones((2, columns), np.float32)
        np.testing.assert_array_equal(model.run([np.array([[3], [1]], np.int32), given])[0][1], np.ones(columns))
        for index in (4, -1):
            with pytest.raises(n.NativeError, match=f"index {index} is out of range: it must be at least 0 and less"):
                model.run([np.array([[0], [index]], np.int32), given])
