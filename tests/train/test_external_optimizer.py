"""ScipyOptimizerInterface against scipy.optimize called with NumPy's own functions, and the examples of TensorFlow's
documentation."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize as scipy_optimize

import graphc as gc

Interface = gc.contrib.opt.ScipyOptimizerInterface


@pytest.fixture(autouse=True)
def own_graph() -> None:
    gc.reset_default_graph()


def minimum(loss: Any, **more: Any) -> list[np.ndarray]:
    """The trainable variables behind minimize."""
    optimizer = Interface(loss, **more)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        optimizer.minimize(session)
        return session.run(gc.trainable_variables())


def test_rosenbrock_as_scipy_finds_it() -> None:
    start = np.array([-1.2, 1.0, 0.5, 2.0])
    x = gc.Variable(start[:2], name="x")
    y = gc.Variable(start[2:].reshape(1, 2), name="y")
    z = gc.concat([x, gc.reshape(y, [-1])], 0)
    loss = gc.reduce_sum(100.0 * gc.square(z[1:] - gc.square(z[:-1])) + gc.square(1.0 - z[:-1]))
    for method in ("L-BFGS-B", "CG", "BFGS"):
        wanted = scipy_optimize.minimize(scipy_optimize.rosen, start, jac=scipy_optimize.rosen_der, method=method,
                                         options={"maxiter": 12}).x
        found = minimum(loss, method=method, options={"maxiter": 12})
        np.testing.assert_allclose(np.concatenate([f.ravel() for f in found]), wanted, rtol=1e-6, atol=1e-6)
        assert found[0].shape == (2,) and found[1].shape == (1, 2)


def test_the_documented_examples() -> None:
    vector = gc.Variable([7.0, 7.0], name="vector")
    loss = gc.reduce_sum(gc.square(vector))
    np.testing.assert_allclose(minimum(loss, options={"maxiter": 100})[0], [0, 0], atol=1e-5)
    np.testing.assert_allclose(minimum(loss, var_to_bounds={vector: ([1, 2], np.inf)})[0], [1, 2], atol=1e-5)
    np.testing.assert_allclose(minimum(loss, var_to_bounds={vector: (None, [-1, 3])})[0], [-1, 0], atol=1e-5)
    found = minimum(loss, equalities=[vector[1] - 1.0], inequalities=[vector[0] - 1.0], method="SLSQP")
    np.testing.assert_allclose(found[0], [1, 1], atol=1e-5)


def test_callbacks_feeds_and_variables_left_out() -> None:
    v, other = gc.Variable([3.0]), gc.Variable([1.0])
    target = gc.placeholder(gc.float32, [])
    loss = gc.reduce_sum(gc.square(v - target)) + gc.reduce_sum(other)
    optimizer = Interface(loss, var_list=[v], options={"maxiter": 50})
    steps: list[np.ndarray] = []
    losses: list[tuple[Any, ...]] = []
    with gc.Session().as_default() as session:
        session.run(gc.global_variables_initializer())
        assert optimizer.minimize(feed_dict={target: 2.0}, fetches=[loss, v], step_callback=steps.append,
                                  loss_callback=lambda *values: losses.append(values)) is None
        np.testing.assert_allclose(session.run([v, other]), [[2], [1]], atol=1e-5)
    assert losses[0][0] == 2 and losses[0][1] == 3 and losses[-1][0] < 1.001
    np.testing.assert_allclose(steps[-1], [2], atol=1e-5)


def test_a_loss_that_does_not_depend_on_a_variable() -> None:
    v, w = gc.Variable([3.0]), gc.Variable([4.0])
    np.testing.assert_allclose(minimum(gc.reduce_sum(gc.square(v)))[0], [0], atol=1e-5)
    assert w.name == "Variable_1:0"


def test_what_is_refused() -> None:
    v = gc.Variable([3.0])
    loss = gc.reduce_sum(gc.square(v))
    for name, message in (("bounds", "must be set using the var_to_bounds argument"), ("jac", "set automatically")):
        with pytest.raises(ValueError, match=message):
            minimum(loss, **{name: None})
    with pytest.raises(ValueError, match="there is no session"):
        Interface(loss).minimize()
    with gc.Session() as session, pytest.raises(NotImplementedError, match="implement the _minimize"):
        session.run(v.initializer)
        gc.contrib.opt.ExternalOptimizerInterface(loss).minimize(session)


def test_an_algorithm_of_ones_own() -> None:
    class Descent(gc.contrib.opt.ExternalOptimizerInterface):
        def _minimize(self, initial_val: Any, loss_grad_func: Any, optimizer_kwargs: Any, **more: Any) -> Any:
            for _ in range(optimizer_kwargs["steps"]):
                initial_val = initial_val - 0.25 * loss_grad_func(initial_val)[1]
            return initial_val

    v = gc.Variable([4.0, 2.0])
    with gc.Session() as session:
        session.run(v.initializer)
        Descent(gc.reduce_sum(gc.square(v)), steps=2).minimize(session)
        assert session.run(v).tolist() == [1, 0.5]
