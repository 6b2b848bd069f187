"""Gradients of the user's own, Hessians, gc.test.compute_gradient."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        return session.run(fetches, feeds)


@gc.RegisterGradient("TestTwice")
def _twice(op: Any, grad: Any) -> Any:
    assert op.inputs[0].dtype == gc.float32
    return 2 * grad


@gc.RegisterGradient("TestTooMany")
def _too_many(op: Any, grad: Any) -> Any:
    return [grad, grad]


@gc.RegisterGradient("TestWrongShape")
def _wrong_shape(op: Any, grad: Any) -> Any:
    return gc.constant([1.0, 2.0])


@gc.RegisterGradient("TestBoth")
def _both(op: Any, low: Any, high: Any) -> Any:
    return [None, gc.concat([3 * low, 4 * high], 0)]


def test_gradient_override_map(graph: Any) -> None:
    x, p = gc.placeholder(gc.float32, [3], name="x"), gc.placeholder(gc.bool, [])
    with graph.gradient_override_map({"Square": "TestTwice"}):
        y = gc.square(x, name="y")
        loop = gc.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, gc.square(a)), (0, x))[1]
        branch = gc.cond(p, lambda: gc.square(x), lambda: x)
        with graph.gradient_override_map({"Sin": "TestTwice"}):
            s = gc.sin(x)
        z = gc.sin(x)
    after = gc.square(x)
    slopes = [gc.gradients(t, x)[0] for t in (y, loop, branch, s, z, after)]
    feeds = {x: [1.0, 2.0, 3.0], p: True}
    wanted = [[2, 2, 2], [4, 4, 4], [2, 2, 2], [2, 2, 2], np.cos([1, 2, 3]), [2, 4, 6]]
    np.testing.assert_allclose(run(slopes, feeds), wanted, 1e-6)
    np.testing.assert_array_equal(run(y, feeds), [1, 4, 9])
    saved = graph.as_graph_def()
    with gc.Graph().as_default() as loaded:
        gc.import_graph_def(saved, name="")
        again = loaded.get_tensor_by_name("x:0")
        slope = gc.gradients(loaded.get_tensor_by_name("y:0"), again)[0]
        np.testing.assert_array_equal(run(slope, {again: [1, 2, 3]}), [2, 2, 2])


def test_registered_gradient_of_several_outputs(graph: Any) -> None:
    x = gc.placeholder(gc.float32, [4])
    with graph.gradient_override_map({"Split": "TestBoth"}):
        low, high = gc.split(x, 2)
    np.testing.assert_array_equal(run(gc.gradients([low, 10 * high], x)[0], {x: [1] * 4}), [3, 3, 40, 40])
    np.testing.assert_array_equal(run(gc.gradients(high, x)[0], {x: [1] * 4}), [0, 0, 4, 4])


def test_registering_refuses(graph: Any) -> None:
    for name in ("TestTwice", "Sin"):
        with pytest.raises(KeyError, match=f"Registering two gradient with name '{name}'"):
            gc.RegisterGradient(name)(lambda op, grad: grad)
        with pytest.raises(KeyError, match=f"Registering two gradient with name '{name}'"):
            gc.NotDifferentiable(name)
    with pytest.raises(TypeError, match="op_type must be a string"):
        gc.RegisterGradient(3)
    with pytest.raises(TypeError, match="must be a dictionary mapping strings to strings"):
        with graph.gradient_override_map({"Sin": 3}):
            pass
    x = gc.placeholder(gc.float32, [3])
    with graph.gradient_override_map({"Sin": "TestNowhere", "Cos": "TestTooMany", "Exp": "TestWrongShape"}):
        a, b, c = gc.sin(x), gc.cos(x), gc.exp(x)
    with pytest.raises(LookupError, match=r"No gradient defined for operation 'Sin' .*under the name 'TestNowhere'"):
        gc.gradients(a, x)
    with pytest.raises(ValueError, match="Num gradients 2 generated for op Cos 'Cos' do not match num inputs 1"):
        gc.gradients(b, x)
    with pytest.raises(ValueError, match="Incompatible shapes between op input and calculated input gradient"):
        gc.gradients(c, x)
    with pytest.raises(ValueError, match="Invalid aggregation_method specified 7"):
        gc.gradients(a, x, aggregation_method=7)


def test_not_differentiable(graph: Any) -> None:
    gc.NoGradient("TestConstant")
    assert gc.NoGradient is gc.NotDifferentiable
    x = gc.placeholder(gc.float32, [3])
    with graph.gradient_override_map({"Sin": "TestConstant"}):
        y = gc.sin(x)
    assert gc.gradients(y, x) == [None]
    np.testing.assert_array_equal(run(gc.gradients(y * x, x)[0], {x: [0, 0, 0]}), [0, 0, 0])


def test_custom_gradient() -> None:
    @gc.custom_gradient
    def log1pexp(x: Any) -> Any:
        """Its name and words stay."""
        e = gc.exp(x)
        return gc.log(1 + e), lambda dy: dy * (1 - 1 / (1 + e))

    assert log1pexp.__doc__ == "Its name and words stay."
    x = gc.placeholder(gc.float32, [3])
    y = log1pexp(x)
    _, total = gc.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, a + log1pexp(x)), (0, gc.zeros([3])))
    slope = gc.gradients(y, x)[0]
    found = run([y, slope, gc.gradients(total, x)[0], gc.gradients(slope, x)[0]], {x: [0, 100, -1]})
    sigmoid = 1 / (1 + np.exp(-np.array([0.0, 100.0, -1.0])))
    np.testing.assert_allclose(found[1], sigmoid, 1e-6)
    np.testing.assert_allclose(found[2], 2 * sigmoid, 1e-6)
    np.testing.assert_allclose(found[3][[0, 2]], (sigmoid * (1 - sigmoid))[[0, 2]], 1e-5)


def test_custom_gradient_of_several_and_of_variables() -> None:
    v = gc.Variable([1.0, 2.0, 3.0])

    @gc.custom_gradient
    def both(a: Any, b: Any, shift: float = 0.0) -> Any:
        def grad(da: Any, db: Any, variables: Any = None) -> Any:
            assert variables == [v]
            return [da * 10, None], [db * 100]
        return {"p": a * v, "q": b + shift}, grad

    x, y = gc.constant([1.0, 1.0, 2.0]), gc.constant([5.0, 5.0, 5.0])
    found = both(x, y, shift=2.0)
    slopes = gc.gradients([found["p"], 3 * found["q"]], [x, y, v])
    assert slopes[1] is None
    values = run([found, slopes[0], slopes[2]])
    np.testing.assert_array_equal(values[0]["p"], [1, 2, 6])
    np.testing.assert_array_equal(values[0]["q"], [7, 7, 7])
    np.testing.assert_array_equal(values[1], [10, 10, 10])
    np.testing.assert_array_equal(values[2], [300, 300, 300])
    with pytest.raises(TypeError, match="grad_fn must accept a 'variables' keyword argument"):
        gc.custom_gradient(lambda a: (a * v, lambda da: da))(x)
    wrong = gc.custom_gradient(lambda a: (a * 1.0, lambda da: [da, da]))(x)
    with pytest.raises(ValueError, match="expected to return 1 gradients but returned 2"):
        gc.gradients(wrong, x)


def test_hessians() -> None:
    x, m = gc.placeholder(gc.float64, [3]), gc.constant(np.array([[1.0, 2.0], [3.0, 4.0]]))
    point = np.array([1.0, -2.0, 0.5])
    (cubic,) = gc.hessians(gc.reduce_sum(x) ** 3, x)
    of_matrix, of_vector = gc.hessians(gc.reduce_sum(m**3) + gc.reduce_sum(x**2), [m, x])
    found = run([cubic, of_matrix, of_vector], {x: point})
    np.testing.assert_allclose(found[0], np.full((3, 3), 6 * point.sum()))
    np.testing.assert_allclose(found[1].reshape(4, 4), np.diag([6, 12, 18, 24]))
    np.testing.assert_allclose(found[2], 2 * np.eye(3))
    with pytest.raises(ValueError, match="no y depends on"):
        gc.hessians(m, x)
    unknown = gc.placeholder(gc.float32, [None])
    with pytest.raises(gc.errors.UnimplementedError, match="must be of known shape"):
        gc.hessians(unknown**2, unknown)


def test_compute_gradient() -> None:
    x, y = gc.placeholder(gc.float64, [3]), gc.placeholder(gc.float64, [2, 2])
    z = gc.reshape(y, [1, 4]) * gc.reshape(x**2, [3, 1])
    point = np.array([1.0, 2.0, 3.0])
    with gc.Session():
        by_gradients, by_differences = gc.test.compute_gradient(x, [3], x**2, [3], x_init_value=point)
        np.testing.assert_allclose(by_gradients, np.diag(2 * point))
        np.testing.assert_allclose(by_differences, np.diag(2 * point), atol=1e-6)
        rows = gc.test.compute_gradient_error(x, [3], gc.gather(x, [0, 0, 2]) ** 2, [3])
        assert rows < 1e-6
        pairs = gc.test.compute_gradient([x], [[3]], z, [3, 4], extra_feed_dict={y: np.ones((2, 2))})
        assert len(pairs) == 1 and pairs[0][0].shape == (3, 12)
        with gc.get_default_graph().gradient_override_map({"Exp": "TestZero"}):
            wrong = gc.exp(x)
        assert gc.test.compute_gradient_error(x, [3], wrong, [3], x_init_value=point) > 1
        with pytest.raises(ValueError, match="does not depend on"):
            gc.test.compute_gradient(x, [3], y * 1.0, [2, 2])
        with pytest.raises(TypeError, match=r"argument 'x' must be floating point, but .* is int32"):
            gc.test.compute_gradient(gc.placeholder(gc.int32, [3]), [3], x, [3])
        with pytest.raises(ValueError, match=r"'x_init_value' has shape \[2\], but x_shape is \[3\]"):
            gc.test.compute_gradient(x, [3], x, [3], x_init_value=point[:2])
    with pytest.raises(ValueError, match="no default session"):
        gc.test.compute_gradient(x, [3], x, [3])


@gc.RegisterGradient("TestZero")
def _zero(op: Any, grad: Any) -> Any:
    return 0 * grad
