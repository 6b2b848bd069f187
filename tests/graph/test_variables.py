"""Variables, variable scopes and optimizers: names, sharing, collections."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import run_reference


@pytest.fixture(autouse=True)
def fresh_graph():
    with gc.Graph().as_default() as graph:
        yield graph


def names(graph: gc.Graph) -> list[str]:
    return [op.name for op in graph.get_operations()]


def test_ops_of_a_variable(fresh_graph: gc.Graph) -> None:
    v = gc.Variable(1.0, name="v")
    assert names(fresh_graph) == ["v/initial_value", "v", "v/Assign", "v/read"]
    assert (v.name, v.op.type, v.dtype, v.shape.as_list()) == ("v:0", "VariableV2", gc.float32, [])
    assert v.value().name == "v/read:0" and v.initializer.name == "v/Assign"
    assert gc.Variable(1.0).name == "Variable:0" and gc.Variable(1.0).name == "Variable_1:0"


def test_get_variable(fresh_graph: gc.Graph) -> None:
    with gc.variable_scope("a"):
        w = gc.get_variable("w", [2, 3])
    assert w.name == "a/w:0" and "a/w/Initializer/random_uniform" in names(fresh_graph)
    with gc.variable_scope("a", reuse=True):
        assert gc.get_variable("w", [2, 3]) is w
    with gc.variable_scope("a", reuse=gc.AUTO_REUSE):
        assert gc.get_variable("w") is w and gc.get_variable("b", [3]).name == "a/b:0"
    with gc.variable_scope("a") as scope:
        scope.reuse_variables()
        assert gc.get_variable("w") is w


def test_reentering_a_scope() -> None:
    with gc.variable_scope("a"):
        assert gc.get_variable("w", []).name == "a/w:0" and (gc.constant(1.0, name="c")).name == "a/c:0"
    with gc.variable_scope("a") as scope:
        assert gc.get_variable("v", []).name == "a/v:0" and gc.constant(1.0, name="c").name == "a_1/c:0"
    with gc.variable_scope(scope):
        assert gc.Variable(1.0, name="v").name == "a_2/v:0" and gc.get_variable("u", []).name == "a/u:0"


def test_default_names_count() -> None:
    found = []
    for _ in range(2):
        with gc.variable_scope(None, default_name="dense"):
            found.append(gc.get_variable("kernel", [1]).name)
    with gc.variable_scope("outer"), gc.variable_scope(None, default_name="dense"):
        found.append(gc.get_variable("kernel", [1]).name)
    assert found == ["dense/kernel:0", "dense_1/kernel:0", "outer/dense/kernel:0"]


def test_scope_defaults_and_regularizers() -> None:
    with gc.variable_scope("a", initializer=gc.constant_initializer(2.0), regularizer=lambda w: gc.reduce_sum(w)):
        w = gc.get_variable("w", [3])
        gc.get_variable("b", [3], regularizer=gc.no_regularizer)
    np.testing.assert_array_equal(run_reference(w.initial_value), [2, 2, 2])
    losses = gc.get_collection(gc.GraphKeys.REGULARIZATION_LOSSES)
    assert len(losses) == 1 and run_reference(losses[0], states={"a/w": np.ones(3, np.float32)}) == 3


def test_custom_getter() -> None:
    asked = []

    def getter(original, name, *arguments, **more):
        asked.append(name)
        return original(name, *arguments, **more)

    with gc.variable_scope("a", custom_getter=getter):
        gc.get_variable("w", [1])
    assert asked == ["a/w"]


def test_collections_and_scopes() -> None:
    with gc.variable_scope("a"):
        w = gc.get_variable("w", [1])
        fixed = gc.get_variable("f", [1], trainable=False)
        local = gc.get_local_variable("l", [1])
    assert gc.trainable_variables() == [w] and gc.global_variables("a/") == [w, fixed]
    assert gc.local_variables() == [local]


def test_initializers() -> None:
    for name, low, high in (("glorot_uniform_initializer", -1.1, 1.1), ("truncated_normal_initializer", -2, 2)):
        value = run_reference(getattr(gc, name)(seed=1)([3, 2]))
        assert value.shape == (3, 2) and value.dtype == np.float32 and low <= value.min() and value.max() <= high
    scaled = run_reference(gc.variance_scaling_initializer(2.0, "fan_in", seed=3)([1000, 50]))
    np.testing.assert_allclose(scaled.std(), np.sqrt(2 / 1000), rtol=0.02)
    np.testing.assert_array_equal(run_reference(gc.constant_initializer([1, 2])([3])), [1, 2, 2])
    assert run_reference(gc.ones_initializer()([2], dtype=gc.int32)).dtype == np.int32
    with pytest.raises(ValueError, match="Invalid `mode`"):
        gc.variance_scaling_initializer(mode="fan")


def test_operators_and_methods() -> None:
    v = gc.Variable([1.0, 2.0], name="v")
    states = {"v": np.array([1, 2], np.float32)}
    for tensor, expected in ((v + 1.0, [2, 3]), (2.0 * v, [2, 4]), (-v, [-1, -2]), (v[1:], [2]), (v / v, [1, 1]),
                             (v ** 2.0, [1, 4]), (np.ones(2, np.float32) * v, [1, 2]), (v > 1.5, [False, True])):
        np.testing.assert_array_equal(run_reference(tensor, states=states), expected)
    assert v, "a variable is no tensor: it is there"
    with pytest.raises(TypeError):
        iter(v)


def test_variable_made_inside_a_body_belongs_to_the_graph(fresh_graph: gc.Graph) -> None:
    def body(x: gc.Tensor) -> gc.Tensor:
        return x + gc.get_variable("step", initializer=gc.constant_initializer(2.0), shape=[])

    y = gc.while_loop(lambda x: x < 5.0, body, [0.0])
    assert "step" in names(fresh_graph)
    assert run_reference(y, states={"step": np.float32(2)}) == 6


def test_names_of_slots(fresh_graph: gc.Graph) -> None:
    with gc.variable_scope("net"):
        v = gc.get_variable("v", [2])
    optimizer = gc.train.AdamOptimizer()
    with gc.name_scope("train"):
        optimizer.minimize(gc.reduce_sum(v * v))
    made = {x.name for x in gc.global_variables()}
    assert made == {"net/v:0", "net/v/Adam:0", "net/v/Adam_1:0", "train/beta1_power:0", "train/beta2_power:0"}
    assert optimizer.get_slot(v, "m").name == "net/v/Adam:0" and optimizer.get_slot_names() == ["m", "v"]
    assert "train/Adam" in names(fresh_graph)


def test_adam_is_tensorflows() -> None:
    v = gc.Variable([1.0, -2.0], name="v")
    gradient = np.array([0.5, 4.0], np.float32)
    train = gc.train.AdamOptimizer(0.1).apply_gradients([(gc.constant(gradient), v)])
    states = {"v": np.array([1, -2], np.float32), "v/Adam": np.zeros(2, np.float32), 
              "v/Adam_1": np.zeros(2, np.float32),
              "beta1_power": np.float32(0.9), "beta2_power": np.float32(0.999)}
    x, m, u = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    for t in range(1, 4):
        run_reference(train, states=states)
        m, u = 0.9 * m + 0.1 * gradient, 0.999 * u + 0.001 * gradient**2
        x = x - 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(u) + 1e-8)
        np.testing.assert_allclose(states["v"], x, rtol=1e-5)


def test_global_step_and_decay() -> None:
    step = gc.train.get_or_create_global_step()
    assert gc.train.get_or_create_global_step() is step and step.name == "global_step:0" and step.dtype == gc.int64
    rate = gc.train.exponential_decay(0.1, step, 10, 0.5, staircase=True)
    np.testing.assert_allclose(run_reference(rate, states={"global_step": np.int64(25)}), 0.025)
