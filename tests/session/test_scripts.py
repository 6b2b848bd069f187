"""Small scripts as TensorFlow 1 users write them: what they print is checked against NumPy."""
from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import graphc as gc

X = np.arange(12.0, dtype=np.float32).reshape(3, 4) - 5


@pytest.fixture(autouse=True)
def fresh_graph() -> Iterator[None]:
    with gc.Graph().as_default():
        yield


@pytest.mark.parametrize(("made", "expected"), [
    (lambda x: gc.concat([x, x], 1), np.concatenate([X, X], 1)),
    (lambda x: gc.concat([x, x], 0), np.concatenate([X, X], 0)),
    (lambda x: gc.pad(x, [[1, 0], [2, 0]]), np.pad(X, [[1, 0], [2, 0]])),
    (lambda x: gc.stack([x, x]), np.stack([X, X])),
    (lambda x: gc.tile(x, [2, 1]), np.tile(X, [2, 1])),
    (lambda x: gc.cumsum(x, 1), X.cumsum(1)),
    (lambda x: gc.gather(x, [1, 0]), X[[1, 0]]),
    (lambda x: gc.gradients(x[:, 0], x)[0], np.tile(np.float32([1, 0, 0, 0]), (3, 1))),
    (lambda x: gc.gradients(x[::2, 1:3], x)[0], np.outer(np.float32([1, 0, 1]), np.float32([0, 1, 1, 0]))),
])
def test_elementwise_ops_behind_any_op(made: Callable[[gc.Tensor], gc.Tensor], expected: np.ndarray) -> None:
    """Whether it is a kernel that takes them as its epilogue or is made of maps."""
    x = gc.placeholder(gc.float32, [None, 4])
    y = made(x)
    values = gc.Session().run([gc.nn.relu(y) * 2.0 + gc.reshape(x, [-1])[0], y], {x: X})
    np.testing.assert_allclose(values[0], np.maximum(expected, 0) * 2 - 5, rtol=1e-6)
    np.testing.assert_allclose(values[1], expected, rtol=1e-6)


def test_hello() -> None:
    hello, words = gc.constant("Hello"), gc.identity(gc.constant(["a", "b"]))
    with gc.Session() as session:
        assert session.run(hello) == b"Hello"
        values = session.run({"a": [hello, gc.constant(1) + 1], "b": words})
    assert values["a"] == [b"Hello", 2] and values["b"].tolist() == [b"a", b"b"]


def test_strings_for_python_functions() -> None:
    x = gc.placeholder(gc.float32, [None])
    size = gc.py_func(lambda name, value: np.int64(len(name) + len(value)), [gc.constant("abc"), x], gc.int64)
    size.set_shape([])
    with gc.Session() as session:
        assert session.run(size * 2, {x: [1.0, 2.0]}) == 10


def test_report_of_uninitialised_variables() -> None:
    v, w = gc.Variable(1.0, name="v"), gc.Variable(2.0, name="w")
    report = gc.report_uninitialized_variables()
    with gc.Session() as session:
        session.run(v.initializer)
        names, value = session.run([report, v])
        assert names.tolist() == [b"w"] and value == 1
        session.run(w.initializer)
        assert report.eval().size == 0 and session.run(gc.report_uninitialized_variables([v])).shape == (0,)


def test_names_of_random_ops() -> None:
    """As in TensorFlow 1.15: scripts hold literal names."""
    gc.get_variable("w", [3, 2], initializer=gc.truncated_normal_initializer())
    gc.random_uniform([3], 1.0, 2.0)
    names = [op.name for op in gc.get_default_graph().get_operations()]
    scope = "w/Initializer/truncated_normal"
    assert names == [
        f"{scope}/shape", f"{scope}/mean", f"{scope}/stddev", f"{scope}/TruncatedNormal", f"{scope}/mul", scope,
        "w", "w/Assign", "w/read", "random_uniform/shape", "random_uniform/min", "random_uniform/max",
        "random_uniform/RandomUniform", "random_uniform/sub", "random_uniform/mul", "random_uniform"]


def test_variable_without_shape() -> None:
    with pytest.raises(ValueError, match=r"^Shape of a new variable \(q\) must be fully defined, but instead was"):
        gc.get_variable("q")
