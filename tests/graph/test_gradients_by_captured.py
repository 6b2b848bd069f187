"""tf.gradients inside of a body by tensors outside that what the body uses depends on: the same as outside."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.api.gradients.slices import IndexedSlices

X = np.array([[0.3, -1.2, 0.7], [1.1, 0.4, -0.6]], np.float32)


def squares(x: Any) -> Any:
    return gc.sin(x) * x


def looped(x: Any) -> Any:
    return gc.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, gc.tanh(y) * x), [0, x])[1]


def chosen(x: Any) -> Any:
    return gc.cond(gc.reduce_sum(x) > 0, lambda: gc.exp(x), lambda: -x)


def sloped(x: Any) -> Any:
    return gc.gradients(gc.tanh(x) * x, x)[0]


def in_a_loop(made: Callable[[], Any]) -> Any:
    return gc.while_loop(lambda i, _: i < 2, lambda i, _: (i + 1, made()), [0, gc.zeros(X.shape)])[1]


def in_a_branch(made: Callable[[], Any]) -> Any:
    return gc.cond(gc.constant(1) > 0, made, lambda: gc.zeros(X.shape))


def in_both(made: Callable[[], Any]) -> Any:
    return in_a_loop(lambda: in_a_branch(made))


@pytest.mark.parametrize("around", [in_a_loop, in_a_branch, in_both])
@pytest.mark.parametrize("outer", [squares, looped, chosen, sloped])
def test_as_outside(outer: Callable[[Any], Any], around: Callable[..., Any]) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, X.shape)
        a = outer(x)

        def slope() -> Any:
            return gc.gradients(gc.reduce_sum(gc.square(a) * x + a), x)[0]     # by a, and by x itself
        inside, outside = around(slope), slope()
        found, right = session.run([inside, outside], {x: X})
    np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)


def test_products_with_a_curvature_in_a_loop() -> None:
    """Conjugate gradients need products of a hessian with what the loop carries."""
    with gc.Graph().as_default(), gc.Session() as session:
        w = gc.Variable(X)
        slope = gc.gradients(gc.reduce_sum(gc.tanh(w) * w), w)[0]

        def curved(v: Any) -> Any:
            return gc.gradients(gc.reduce_sum(slope * gc.stop_gradient(v)), w)[0]
        _, found = gc.while_loop(lambda i, _: i < 3, lambda i, v: (i + 1, curved(v)), [0, gc.ones(X.shape)])
        right = curved(curved(curved(gc.ones(X.shape))))
        session.run(gc.global_variables_initializer())
        found, right = session.run([found, right])
    np.testing.assert_allclose(found, right, rtol=1e-5)


def test_rows_stay_rows() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        table = gc.Variable(np.ones((9, 2), np.float32))
        rows = gc.gather(table, [4, 4, 1])
        kinds: list[Any] = []

        def branch() -> Any:
            kinds.append(gc.gradients(rows * 2.0, table)[0])
            return gc.convert_to_tensor(kinds[-1])
        found = gc.cond(gc.constant(1) > 0, branch, lambda: gc.zeros([9, 2]))
        session.run(gc.global_variables_initializer())
        value = session.run(found)
    assert isinstance(kinds[0], IndexedSlices)
    assert value[:, 0].tolist() == [0, 2, 0, 0, 4, 0, 0, 0, 0]


def test_stops_and_what_does_not_depend() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, other = gc.placeholder(gc.float32, [3]), gc.placeholder(gc.float32, [3])
        a = gc.square(x)
        none: list[Any] = []

        def branch() -> Any:
            y = gc.reduce_sum(a * x)
            none.append(gc.gradients(y, other)[0])
            return gc.gradients(y, [x, a], stop_gradients=[a])
        by_x, by_a = gc.cond(gc.constant(1) > 0, branch, lambda: [x, x])
        found = session.run([by_x, by_a], {x: X[0]})
    assert none == [None]
    np.testing.assert_allclose(found, [X[0] ** 2, X[0]], rtol=1e-6)


@pytest.mark.parametrize("write", [
    lambda v, x: v.assign(x), lambda v, x: v.assign_add(x), lambda v, x: v.assign_sub(x),
    lambda v, x: gc.scatter_add(v, [0, 1], x), lambda v, x: gc.scatter_nd_update(v, [[0], [1]], x)])
def test_nothing_goes_through_a_write(write: Callable[[Any, Any], Any]) -> None:
    """As in TensorFlow: a range that follows the activations counts as a constant."""
    with gc.Graph().as_default(), gc.Session() as session:
        x, v = gc.placeholder(gc.float32, [2, 3]), gc.Variable(np.zeros((2, 3), np.float32))
        written = write(v, x * 2.0)
        by_x, by_v = gc.gradients(written * x, [x, v])
        session.run(gc.global_variables_initializer())
        found, value = session.run([by_x, written], {x: X})
    assert by_v is None
    np.testing.assert_array_equal(found, value)
