"""Small public functions that are made of others: labels without repetitions, norms, initialisers, what is known of
tensors. Numbers are TensorFlow's."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

LABELS = np.array([[1, 1, 2, 2, 0], [3, 3, 3, 3, 3], [0, 1, 0, 0, 1]], np.int32)
X = np.array([[1, -2, 3], [0, 4, -1]], np.float32)


def value(tensors: Any) -> Any:
    with gc.Session() as session:
        return session.run(tensors)


def test_labels_without_repetitions() -> None:
    for lengths, rows, counts in (([5, 2, 4], [[1, 2, 0], [3, 0, 0], [0, 1, 0]], [3, 1, 3]),
                                  ([0, 0, 0], np.zeros((3, 0)), [0, 0, 0])):
        found, numbers = value(gc.nn.collapse_repeated(LABELS, np.array(lengths)))
        np.testing.assert_array_equal(found, rows)
        np.testing.assert_array_equal(numbers, counts)
        assert numbers.dtype == np.int64
    found, places = value(gc.nn.ctc_unique_labels(LABELS))
    np.testing.assert_array_equal(found, [[1, 2, 0, 0, 0], [3, 0, 0, 0, 0], [0, 1, 0, 0, 0]])
    np.testing.assert_array_equal(places, [[0, 0, 1, 1, 2], [0] * 5, [0, 1, 0, 0, 1]])


def test_norms() -> None:
    a = np.random.default_rng(0).normal(size=(2, 3, 4))
    np.testing.assert_allclose(value(gc.norm(a, 2, axis=[-2, -1])), np.linalg.norm(a, 2, axis=(-2, -1)))
    np.testing.assert_allclose(value(gc.norm(a, 2, axis=(2, 0), keepdims=True)),
                               np.linalg.norm(a, 2, axis=(2, 0), keepdims=True))
    found, length = value(gc.linalg.normalize(X, 1, axis=1))
    np.testing.assert_allclose(found, X / [[6], [5]], rtol=1e-6)
    np.testing.assert_array_equal(length, [[6], [5]])
    norm = np.sqrt(np.sum(X * X))
    np.testing.assert_allclose(value(gc.clip_by_average_norm(X, 0.5)), X * 0.5 * 6 / norm, rtol=1e-6)
    np.testing.assert_allclose(value(gc.clip_by_average_norm(X, 50.0)), X, rtol=1e-6)
    np.testing.assert_array_equal(value(gc.math.reciprocal_no_nan(X))[1], [0, 0.25, -1])


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 5), (3, 3)])
def test_orthogonal_matrices(shape: tuple[int, ...]) -> None:
    q = value(gc.orthogonal_initializer(gain=2.0, seed=3)(shape, dtype=gc.float64)).reshape(-1, shape[-1])
    product = q.T @ q if len(q) >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-9)
    with gc.Graph().as_default():
        v = gc.get_variable("v", shape, initializer=gc.initializers.orthogonal(seed=1))
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            assert session.run(v).shape == shape
    with pytest.raises(ValueError, match="at least two-dimensional"):
        gc.orthogonal_initializer()([3])


def test_names_of_initialisers() -> None:
    for name in ("zeros", "ones", "constant", "random_uniform", "random_normal", "truncated_normal",
                 "uniform_unit_scaling", "variance_scaling", "glorot_uniform", "glorot_normal", "identity"):
        made = getattr(gc.initializers, name)()
        assert value(made([2, 2])).shape == (2, 2)
    assert gc.initializers.global_variables is gc.global_variables_initializer


def test_what_is_known_of_tensors() -> None:
    v = gc.Variable(1.0)
    assert [gc.is_tensor(x) for x in (v, v + 1, np.zeros(2), None, 1.0)] == [True, True, False, False, False]
    sizes = gc.shape(gc.placeholder(gc.float32, [2, None]))
    np.testing.assert_array_equal(gc.get_static_value(gc.constant([1.5, 2])), [1.5, 2])
    assert gc.get_static_value(sizes) is None and gc.get_static_value(v) is None
    assert gc.get_static_value(sizes, partial=True).tolist() == [2, None]
    assert gc.get_static_value(sizes[0]) == 2
    assert gc.dimension_value(gc.Dimension(None)) is None and gc.dimension_value(3) == 3
    assert gc.dimension_at_index(gc.TensorShape([None, 2]), 1).value == 2
    with gc.Graph().as_default():
        assert gc.get_seed(None) == (None, None) and gc.get_seed(5) == (87654321, 5)
        gc.set_random_seed(7)
        assert gc.random.get_seed(5) == (7, 5) and gc.get_seed(None)[0] == 7


def test_gradients_that_pass() -> None:
    x = gc.constant([1.2, 2.6])
    y = gc.grad_pass_through(lambda t: gc.floor(t * 3))(x)
    np.testing.assert_array_equal(value([y, gc.gradients(y * 5.0, x)[0]]), [[3, 7], [5, 5]])
    squared = gc.recompute_grad(lambda t: t * t)(x)
    np.testing.assert_allclose(value(gc.gradients(squared, x)[0]), [2.4, 5.2], rtol=1e-6)
    np.testing.assert_allclose(value(gc.numpy_function(lambda t: t + 1, [x], gc.float32)), [2.2, 3.6], rtol=1e-6)


@pytest.mark.parametrize("dtype", [gc.int32, gc.int64])
def test_a_counter_ends_at_its_limit(dtype: Any) -> None:
    with gc.Graph().as_default():
        counter = gc.Variable(gc.constant(5, dtype))
        number = gc.count_up_to(counter, 7)
        assert number.dtype == dtype
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            assert [session.run(number), session.run(number)] == [5, 6]
            for _ in range(2):
                with pytest.raises(gc.errors.OutOfRangeError, match="Reached limit of 7"):
                    session.run(number)
            assert session.run(counter) == 7
        with pytest.raises(TypeError, match="int32 or int64, but is float32"):
            gc.count_up_to(gc.Variable(1.0), 3)
        with pytest.raises(ValueError, match="must be a variable"):
            gc.count_up_to(gc.constant(1), 3)


def test_conversions_of_own_classes() -> None:
    class Celsius:
        def __init__(self, degrees: float) -> None:
            self.degrees = degrees

    gc.register_tensor_conversion_function(
        Celsius, lambda value, dtype=None, name=None, as_ref=False: gc.constant(value.degrees, dtype, name=name))
    assert value(gc.add(Celsius(1.5), 1.0)) == 2.5
    assert value(gc.constant(2.0, gc.float64) * Celsius(3)) == 6
    gc.register_tensor_conversion_function(Celsius, lambda value, **_: gc.constant(-1.0), priority=200)
    assert value(gc.add(Celsius(1.5), 1.0)) == 2.5
    gc.register_tensor_conversion_function(
        Celsius, lambda value, **_: NotImplemented if value.degrees < 0 else gc.constant(273.0), priority=50)
    assert value(gc.add(Celsius(1.5), 1.0)) == 274
    assert value(gc.add(Celsius(-1.5), 1.0)) == -0.5
    with pytest.raises(TypeError, match="must be callable"):
        gc.register_tensor_conversion_function(Celsius, 3)
    with pytest.raises(TypeError, match="a type or a tuple of types"):
        gc.register_tensor_conversion_function("Celsius", lambda *_: None)
