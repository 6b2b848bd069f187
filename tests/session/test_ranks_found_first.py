"""Ranks that nobody told: graphs that do not compile with the first guess; what is done once stays done once."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc


def test_elements_and_python_functions_of_unknown_rank() -> None:
    calls = []

    def load(i: np.ndarray) -> tuple[np.ndarray, np.int64]:
        calls.append(int(i))
        return np.full((2, 3), i, np.float32), np.int64(i % 3)

    data = gc.data.Dataset.range(6).map(lambda i: gc.py_func(load, [i], [gc.float32, gc.int64])).batch(2)
    x, y = data.make_one_shot_iterator().get_next()
    w = gc.Variable(np.ones((3, 4), np.float32))
    count = gc.Variable(0.)
    loss = gc.reduce_mean(gc.reduce_sum(gc.tensordot(x, w, [[-1], [0]]), [1, 2]) * gc.cast(y, gc.float32))
    step = gc.train.GradientDescentOptimizer(0.).minimize(loss)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        found = [session.run([x[:, 1, ::2], count.assign_add(1.), loss, step])[:3] for _ in range(3)]
        assert [f[0].tolist() for f in found] == [[[2. * i] * 2, [2. * i + 1] * 2] for i in range(3)]
        assert [f[1] for f in found] == [1, 2, 3] and session.run(count) == 3
        np.testing.assert_allclose([f[2] for f in found], [12., 24. * (2 * 2) / 2, 24. * (4 * 1 + 5 * 2) / 2])
        with pytest.raises(gc.errors.OutOfRangeError):
            session.run(loss)
    assert calls == list(range(6))


def test_a_variable_is_written_once_where_the_guess_is_found_wrong_in_the_run() -> None:
    data = gc.data.Dataset.from_tensor_slices(gc.placeholder(gc.float32, name="all"))
    iterator = data.batch(2).make_initializable_iterator()
    x = iterator.get_next()
    count = gc.Variable(0.)
    with gc.control_dependencies([count.assign_add(1.)]):
        y = gc.identity(x) * 2.
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(iterator.initializer, {"all:0": np.ones((4, 3), np.float32)})
        assert session.run(y).tolist() == [[2.] * 3] * 2
        assert session.run(count) == 1
        assert session.run(y[..., :1]).tolist() == [[2.], [2.]]
        assert session.run(count) == 2


def test_what_does_not_fit_the_rank_that_is_found_is_the_error() -> None:
    x = gc.py_func(lambda: np.ones((2, 3), np.float32), [], gc.float32)
    with gc.Session() as session, pytest.raises(gc.errors.InvalidArgumentError, match="too many for a tensor of shape"):
        session.run(x[..., 0, 0, 0])


def test_matrices_of_unknown_rank_are_transposed() -> None:
    x = gc.placeholder(gc.float32)
    slope = gc.gradients(gc.reduce_sum(gc.matrix_transpose(x) * gc.matrix_transpose(x)), x)[0]
    with gc.Session() as session:
        for shape in ((2, 3), (4, 3, 1), (2, 0, 3)):
            value = np.random.RandomState(0).rand(*shape).astype(np.float32)
            turned, doubled = session.run([gc.matrix_transpose(x), slope], {x: value})
            np.testing.assert_array_equal(turned, np.swapaxes(value, -1, -2))
            np.testing.assert_array_equal(doubled, 2 * value)
        with pytest.raises(gc.errors.InvalidArgumentError):
            session.run(gc.matrix_transpose(x), {x: [1.]})
