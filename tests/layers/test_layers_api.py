"""What layers are beside their values: names, properties, collections, errors; in loops, branches, several graphs."""
from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import graphc as gc

X = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_names_and_properties_before_and_after_the_first_call() -> None:
    layer = gc.layers.Dense(2)
    assert (layer.name, layer.built, layer.weights) == ("dense_1", False, [])
    with pytest.raises(ValueError, match="No name available for layer scope"):
        _ = layer.scope_name
    with pytest.raises(ValueError, match="isn't built"):
        layer.count_params()
    y = layer(X)
    assert (y.name, layer.scope_name, layer.dtype, layer.count_params()) == ("dense/BiasAdd:0", "dense", gc.float32, 10)
    assert layer.weights == layer.variables == layer.trainable_weights == [layer.kernel, layer.bias]
    assert layer.apply(X).name == "dense/BiasAdd_1:0"
    assert gc.layers.Dense(2).name == "dense_2"


def test_a_layer_may_be_built_by_hand() -> None:
    layer = gc.layers.Dense(2)
    layer.build((None, 4))
    assert [v.name for v in layer.weights] == ["dense/kernel:0", "dense/bias:0"]
    assert layer(X).shape.as_list() == [3, 2] and len(gc.global_variables()) == 2


def test_not_trainable() -> None:
    layer = gc.layers.BatchNormalization(trainable=False)
    layer(X, training=True)
    assert gc.trainable_variables() == [] == layer.trainable_weights and len(layer.non_trainable_weights) == 4
    assert layer.updates == [] == gc.get_collection(gc.GraphKeys.UPDATE_OPS)


def test_losses_and_updates() -> None:
    layer = gc.layers.Dense(2, kernel_regularizer="l2", activity_regularizer=gc.reduce_sum)
    batch_norm = gc.layers.BatchNormalization()
    x = gc.placeholder(gc.float32, [None, 4])
    batch_norm(layer(x), training=True)
    assert layer.losses == gc.get_collection(gc.GraphKeys.REGULARIZATION_LOSSES)
    assert layer.get_losses_for(None) == layer.losses[:1] and layer.get_losses_for(x) == layer.losses[1:]
    assert layer.losses[0].name.startswith("dense/kernel/Regularizer/")
    assert batch_norm.updates == gc.get_collection(gc.GraphKeys.UPDATE_OPS) == batch_norm.get_updates_for(x)
    assert len(batch_norm.updates) == 2 and batch_norm.get_updates_for(None) == []


def test_a_shared_variable_is_regularized_once() -> None:
    for reuse in (None, True):
        gc.layers.dense(X, 2, name="d", reuse=reuse, kernel_regularizer="l1")
    assert len(gc.get_collection(gc.GraphKeys.REGULARIZATION_LOSSES)) == 1


def test_reuse_without_a_variable_and_twice_without_reuse() -> None:
    with pytest.raises(ValueError, match="Variable d/kernel does not exist"):
        gc.layers.dense(X, 2, name="d", reuse=True)
    gc.layers.dense(X, 2, name="e")
    with pytest.raises(ValueError, match="Variable e/kernel already exists"):
        gc.layers.dense(X, 2, name="e")


@pytest.mark.parametrize(("name", "inputs", "said"), [
    ("rank", np.zeros([3], np.float32), "expected min_ndim=2, found ndim=1"),
    ("size", np.zeros([3, 5], np.float32), "expected axis -1 of input shape to have value 4 but received 5"),
])
def test_inputs_that_do_not_fit(name: str, inputs: Any, said: str) -> None:
    layer = gc.layers.Dense(2)
    layer(X)
    with pytest.raises(ValueError, match=said):
        layer(inputs)


def test_arguments_that_are_wrong() -> None:
    with pytest.raises(ValueError, match="last dimension of the inputs to `Dense` should be defined"):
        gc.layers.dense(gc.placeholder(gc.float32, [3, None]), 2)
    with pytest.raises(TypeError, match="non-floating point dtype int32"):
        gc.layers.dense(np.zeros([2, 3], np.int32), 2)
    with pytest.raises(ValueError, match=r"`kernel_size` argument must be a tuple of 2 integers. Received: \(3"):
        gc.layers.Conv2D(2, (3, 3, 3))
    with pytest.raises(ValueError, match='`padding` argument must be one of "valid"'):
        gc.layers.Conv2D(2, 3, padding="full")
    with pytest.raises(ValueError, match="Unknown activation: 'rellu'; known by name are"):
        gc.layers.Dense(2, activation="rellu")
    with pytest.raises(ValueError, match="`strides` must not be None"):
        gc.layers.MaxPooling2D(2, None)
    with pytest.raises(ValueError, match="Invalid axis: 4 for inputs of rank 2"):
        gc.layers.batch_normalization(X, axis=4)
    with pytest.raises(TypeError):
        gc.layers.Dense(2, colour="red")


def test_named_arguments() -> None:
    layer = gc.layers.Dense(2, "relu", kernel_initializer="ones", kernel_regularizer="l1_l2",
                            kernel_constraint="max_norm")
    y = layer(X)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        np.testing.assert_array_equal(session.run(y), np.repeat(X.sum(1, keepdims=True), 2, 1))
        np.testing.assert_allclose(session.run(layer.losses), [0.01 * 8 + 0.01 * 8], rtol=1e-6)
        limited = session.run(layer.kernel.constraint(gc.constant([[3.0, 0.3], [4.0, 0.4]])))
        np.testing.assert_allclose(limited, [[1.2, 0.3], [1.6, 0.4]], rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_dtypes(dtype: Any) -> None:
    x = X[:, None, None].astype(dtype)
    y = gc.layers.batch_normalization(gc.layers.conv2d(x, 3, 1), training=True)
    y = gc.layers.dropout(gc.layers.dense(gc.layers.flatten(y), 2), training=True)
    gradients = gc.gradients(y, gc.trainable_variables())
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert session.run(y).dtype == dtype
        assert all(np.isfinite(g).all() for g in session.run(gradients))


def test_training_that_only_the_run_knows() -> None:
    training = gc.placeholder_with_default(False, [])
    x = gc.placeholder(gc.float32, [None, 4])
    y = gc.layers.batch_normalization(x, training=training, momentum=0.5)
    dropped = gc.layers.dropout(x, 0.5, training=training)
    updates = gc.get_collection(gc.GraphKeys.UPDATE_OPS)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for _ in range(2):
            out, kept, *averages = session.run([y, dropped, *updates], {x: X})
            np.testing.assert_allclose(out, X / np.sqrt(1.001), rtol=1e-5)
            np.testing.assert_array_equal(kept, X)
            np.testing.assert_array_equal(averages, [np.zeros(4), np.ones(4)])
        out, kept, *averages = session.run([y, dropped, *updates], {x: X, training: True})
        np.testing.assert_allclose(out.mean(0), np.zeros(4), atol=1e-6)
        assert set(np.unique(kept / np.where(X, X, 1))) <= {0.0, 2.0}
        np.testing.assert_allclose(averages, [X.mean(0) / 2, 0.5 + X.var(0) / 2], rtol=1e-5)


def test_layers_in_loops_and_branches() -> None:
    layer = gc.layers.Dense(4, kernel_initializer="identity")
    chosen = gc.cond(gc.placeholder_with_default(True, []), lambda: layer(X), lambda: layer(2 * X))
    _, looped = gc.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, layer(y) + 1.0), [0, gc.constant(X)])
    gradient = gc.gradients(looped, layer.kernel)[0]
    assert [v.name for v in gc.global_variables()] == ["dense/kernel:0", "dense/bias:0"]
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        np.testing.assert_array_equal(session.run(chosen), X)
        np.testing.assert_array_equal(session.run(looped), X + 3)
        # d/dW of sum((((x W + 1) W + 1) W) + 1) at W = 1
        column = (3 * X + 3).sum(0)
        np.testing.assert_allclose(session.run(gradient), np.repeat(column[:, None], 4, 1), rtol=1e-5)


def test_several_graphs_and_copies() -> None:
    for _ in range(2):
        with gc.Graph().as_default():
            layer = gc.layers.Dense(2)
            assert (layer(X).name, layer.name) == ("dense/BiasAdd:0", "dense_1")
    layer = gc.layers.Dense(2)
    fresh = copy.deepcopy(layer)
    layer(X)
    assert fresh(X).name == "dense_1/BiasAdd:0" and fresh.kernel is not layer.kernel
    assert copy.deepcopy(layer).kernel is layer.kernel


def test_a_layer_of_the_users() -> None:
    class Scaled(gc.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.factor = self.add_variable("factor", [input_shape[-1].value], initializer=gc.ones_initializer())
            super().build(input_shape)

        def call(self, inputs: Any, scope: Any = None) -> Any:
            assert scope.name == "scaled"
            return inputs * self.factor

    layer = Scaled()
    assert layer(X).name == "scaled/mul:0" and layer.factor.name == "scaled/factor:0"
    with pytest.raises(NotImplementedError, match="Scaled does not say the shape"):
        layer.compute_output_shape((3, 4))


def test_shapes_that_only_the_run_knows() -> None:
    x = gc.placeholder(gc.float32, [None, None, None, 3])
    y = gc.layers.conv2d_transpose(gc.layers.conv2d(x, 4, 3, 2, "same"), 2, 3, 2, "same")
    flat = gc.layers.flatten(y)
    assert y.shape.as_list() == [None, None, None, 2] and flat.shape.as_list() == [None, None]
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for size in (4, 6):
            assert session.run(flat, {x: np.zeros([2, size, size, 3])}).shape == (2, size * size * 2)


def test_virtual_batches_that_do_not_divide() -> None:
    x = gc.placeholder(gc.float32, [None, 2])
    y = gc.layers.batch_normalization(x, training=True, virtual_batch_size=2)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        with pytest.raises(gc.errors.InvalidArgumentError):
            session.run(y, {x: np.zeros([3, 2])})
