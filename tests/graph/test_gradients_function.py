"""gc.gradients against TensorFlow's documentation of it: what xs, ys, grad_ys and stop_gradients may be."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def fresh_graph():
    with gc.Graph().as_default():
        yield


def value(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        return session.run(fetches, feeds)


def test_stop_gradients_gives_partial_derivatives() -> None:
    """The manual's example."""
    a = gc.constant(0.0)
    b = 2 * a
    assert value(gc.gradients(a + b, [a, b], stop_gradients=[a, b])) == [1, 1]
    assert value(gc.gradients(a + b, [a, b])) == [3, 1]
    assert value(gc.gradients(a + gc.stop_gradient(b), a)) == [1]
    assert gc.gradients(b, a, stop_gradients=b) == [None]
    assert value(gc.gradients(b, b, stop_gradients=b)) == [1]
    assert value(gc.gradients(b * a, [a], stop_gradients=a)) == [0]


def test_stop_gradients_in_the_middle_and_of_one_of_several_outputs() -> None:
    x = gc.placeholder(gc.float64, [4])
    left, right = gc.split(x, 2)
    found = gc.gradients(left * 2.0 + right * 3.0, [x, left], stop_gradients=left)
    dx, d_left = value(found, {x: np.ones(4)})
    np.testing.assert_array_equal(dx, [0, 0, 3, 3])
    np.testing.assert_array_equal(d_left, [2, 2])


def test_stop_gradients_of_variables() -> None:
    v, w = gc.Variable(2.0), gc.Variable(3.0)
    product = v * w
    assert value(gc.gradients(product * v, [v, w], stop_gradients=[v])) == [12, 4]
    assert value(gc.gradients(product * v, [v, w], stop_gradients=[product])[0]) == 6


@pytest.mark.parametrize("dtype", [gc.int32, gc.int64, gc.bool, gc.uint8])
def test_integers_have_no_gradients(dtype: Any) -> None:
    n = gc.placeholder(dtype, [3])
    x = gc.placeholder(gc.float32, [3])
    y = gc.cast(n, gc.float32) * x
    assert gc.gradients(n, x) == [None] and gc.gradients(y, n) == [None] and gc.gradients(n, n) == [None]
    dx, dn = gc.gradients([y, n], [x, n])
    assert dn is None and value(dx, {x: np.ones(3), n: np.ones(3)}).tolist() == [1, 1, 1]
    zero, = gc.gradients(y, n, unconnected_gradients="zero")
    assert zero.dtype == dtype and not value(zero, {n: np.ones(3)}).any()


def test_strings_are_refused() -> None:
    with pytest.raises(TypeError, match="only numbers have gradients"):
        gc.gradients(gc.constant("text"), gc.constant(1.0))


def test_repeated_xs_and_ys() -> None:
    x = gc.placeholder(gc.float32, [])
    y = x * x
    assert value(gc.gradients([y, y], [x, x]), {x: 3}) == [12, 12]
    assert value(gc.gradients([y, y * x], [x, y]), {x: 3}) == [6 + 27, 1 + 3]


def test_ys_that_depend_on_each_other_and_y_in_xs() -> None:
    x = gc.placeholder(gc.float32, [])
    y = x * x
    z = y * 5.0
    assert value(gc.gradients([y, z], [x, y, z]), {x: 3}) == [36, 6, 1]
    assert value(gc.gradients([y, z], x, grad_ys=[gc.constant(2.0), None]), {x: 3}) == [2 * 6 + 30]
    assert value(gc.gradients(y, y), {x: 3}) == [1]


def test_nothing_to_differentiate() -> None:
    x = gc.placeholder(gc.float32, [])
    assert gc.gradients([], x) == [None] and gc.gradients(x, []) == []


def test_variables_and_their_reads() -> None:
    v = gc.Variable([1.0, 2.0])
    y = gc.reduce_sum(v * v) + gc.reduce_sum(v.read_value() * 3.0)
    assert value(gc.gradients(y, v))[0].tolist() == [5, 7]
    assert value(gc.gradients(v, v))[0].tolist() == [1, 1]


CONTROL = {
    "cond": lambda f, p: gc.cond(p, f, lambda: gc.constant(0.0)),
    "case": lambda f, p: gc.case([(p, f)], default=lambda: gc.constant(0.0)),
    "loop": lambda f, p: gc.while_loop(lambda i, y: i < 2, lambda i, y: [i + 1, y + f() / 2], [0, 0.0])[1],
    "cond in loop": lambda f, p: gc.while_loop(
        lambda i, y: i < 2, lambda i, y: [i + 1, y + gc.cond(p, f, lambda: y) / 2], [0, 0.0])[1],
    "loop in cond": lambda f, p: gc.cond(p, lambda: CONTROL["loop"](f, p), lambda: gc.constant(0.0)),
    "loop in loop": lambda f, p: gc.while_loop(
        lambda i, y: i < 2, lambda i, y: [i + 1, y + CONTROL["loop"](f, p) / 2], [0, 0.0])[1],
}
SOURCES = {
    "placeholder": lambda: gc.placeholder_with_default(3.0, []), "constant": lambda: gc.constant(3.0),
    "variable": lambda: gc.Variable(3.0), "computed": lambda: gc.constant(1.5) * 2.0,
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("control", CONTROL)
def test_captured_tensors(control: str, source: str) -> None:
    """The gradient of a body by what it captured, of first and second order, taken outside and inside."""
    p, x = gc.placeholder_with_default(True, []), SOURCES[source]()
    y = CONTROL[control](lambda: x * x * x, p)
    first, = gc.gradients(y, x)
    second, = gc.gradients(first, x)
    inside = CONTROL[control](lambda: gc.gradients(x * x * x, x)[0], p)
    assert value([y, first, second, inside]) == [27, 27, 18, 27]


def test_grad_ys_may_have_further_axes_of_size_1() -> None:
    """TensorFlow does not look at the shapes of grad_ys: a [1, 3] in front of a reshape to [3] is right there."""
    x = gc.constant([1.0, 2.0, 3.0])
    weights = gc.constant([[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(value(gc.gradients(x * x, x, grad_ys=weights)[0]), [2.0, 8.0, 18.0])
    with pytest.raises(ValueError, match=r"grad_ys\[0\] has shape \(3, 1\), but 'mul_1:0' has \(2, 2\)"):
        y = gc.ones([2, 2])
        gc.gradients(y * y, y, grad_ys=gc.ones([3, 1]))
