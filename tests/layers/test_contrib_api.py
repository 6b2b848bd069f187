"""contrib.framework and contrib.layers beside the layers' values: arg_scope, variables, collections, losses, steps."""
from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.compat.v1 as tf

slim = tf.contrib.slim
X = np.arange(12, dtype=np.float32).reshape(3, 4) / 6


def _run(fetches: Any, **feeds: Any) -> Any:
    with gc.Session() as session:
        session.run([gc.global_variables_initializer(), gc.local_variables_initializer()])
        return session.run(fetches, **feeds)


# arg_scope


@slim.add_arg_scope
def _given(a: int, b: int = 0, c: int = 0) -> tuple[int, int, int]:
    """Of the test."""
    return a, b, c


def test_arg_scopes_nest_and_can_be_entered_again() -> None:
    assert _given(1) == (1, 0, 0) and _given.__name__ == "_given" and _given.__doc__ == "Of the test."
    with slim.arg_scope([_given], b=2) as outer:
        assert _given(1) == (1, 2, 0)
        with slim.arg_scope([_given], c=3):
            assert _given(1) == (1, 2, 3) and _given(1, b=5) == (1, 5, 3)
        assert _given(1) == (1, 2, 0)
    assert _given(1) == (1, 0, 0)
    with slim.arg_scope(outer):
        assert _given(1) == (1, 2, 0)
    assert slim.has_arg_scope(slim.conv2d) and slim.arg_scoped_arguments(_given) == ("b", "c")


def test_an_error_inside_leaves_the_arg_scope() -> None:
    with pytest.raises(KeyError), slim.arg_scope([_given], b=2):
        raise KeyError
    assert _given(1) == (1, 0, 0)


def test_wrong_arg_scopes() -> None:
    with pytest.raises(ValueError, match="_run is not decorated with @add_arg_scope"), slim.arg_scope([_run], a=1):
        pass
    with slim.arg_scope([_given], b=2) as outer:
        pass
    with pytest.raises(ValueError, match=r"kwargs must be empty, but they are \['c'\]"), slim.arg_scope(outer, c=1):
        pass
    with pytest.raises(TypeError, match="must either be a list/tuple or reused scope"), slim.arg_scope(_given, b=1):
        pass


# Variables and collections


def test_variables_by_name() -> None:
    with gc.variable_scope("net"):
        slim.fully_connected(X, 2, scope="fc")
        slim.batch_norm(X, scope="bn")
    local = slim.local_variable(1.0, name="counter")
    assert [v.op.name for v in slim.get_model_variables()] == [
        "net/fc/weights", "net/fc/biases", "net/bn/beta", "net/bn/moving_mean", "net/bn/moving_variance"]
    assert slim.get_variables_by_name("weights") == slim.get_variables("net/fc", "weights") == [
        slim.get_unique_variable("net/fc/weights")]
    assert slim.get_trainable_variables("net/bn") == slim.get_variables_by_suffix("beta")
    assert slim.get_local_variables() == [local] and local not in gc.trainable_variables()
    kept = slim.get_variables_to_restore(exclude=["net/bn"])
    assert kept == slim.get_variables_to_restore(["net/fc"]) == slim.filter_variables(
        gc.global_variables(), exclude_patterns=["/bn/"])
    with pytest.raises(ValueError, match="Couldn't find variable net/none"):
        slim.get_unique_variable("net/none")
    with pytest.raises(TypeError, match="include is provided but is not a list"):
        slim.get_variables_to_restore("net")


def test_outputs_and_variables_in_collections() -> None:
    with slim.arg_scope([slim.conv2d, slim.max_pool2d], outputs_collections="ends"), gc.variable_scope("net"):
        y = slim.conv2d(np.zeros([1, 4, 4, 3], np.float32), 2, 3, variables_collections={"biases": ["of_biases"]})
        pooled = slim.max_pool2d(y, 2, scope="pool")
    ends = slim.utils.convert_collection_to_dict("ends", clear_collection=True)
    assert list(ends.items()) == [("net/Conv", y), ("net/pool", pooled)] and gc.get_collection("ends") == []
    assert [v.op.name for v in gc.get_collection("of_biases")] == ["net/Conv/biases"]
    assert slim.utils.get_tensor_aliases(gc.identity(y, name="plain")) == ["plain"]


@pytest.mark.parametrize(("function", "given"), [
    ("two_element_tuple", ([1, 2, 3],)), ("n_positive_integers", (2, [1, 0])), ("n_positive_integers", (2, "ab")),
    ("last_dimension", (gc.TensorShape([2, None]),)), ("last_dimension", (gc.TensorShape([2]), 2)),
    ("channel_dimension", (gc.TensorShape(None), "channels_first")), ("constant_value", (None,)),
])
def test_wrong_sizes(function: str, given: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        getattr(slim.utils, function)(*given)


def test_known_values() -> None:
    assert slim.utils.two_element_tuple(3) == (3, 3) and slim.utils.n_positive_integers(2, [3, 4]) == (3, 4)
    smart = gc.contrib.framework
    assert smart.smart_constant_value(gc.constant(True)) is True and smart.smart_constant_value(0) is False
    assert smart.smart_constant_value(gc.placeholder(gc.bool, [])) is None
    assert smart.smart_cond(np.True_, lambda: 1, lambda: 2) == 1
    assert smart.smart_case([(False, lambda: 1), (True, lambda: 2)]) == 2
    with pytest.raises(TypeError, match="must be a Tensor, or a Python bool"):
        smart.smart_constant_value("yes")


def test_with_shape() -> None:
    x = gc.placeholder(gc.float32, [None, 2])
    y = tf.contrib.framework.with_shape([3, 2], x)
    assert y.shape.as_list() == [3, 2]
    assert _run(y, feed_dict={x: np.ones([3, 2])}).shape == (3, 2)
    with pytest.raises(gc.errors.InvalidArgumentError):
        _run(y, feed_dict={x: np.ones([4, 2])})
    with pytest.raises(ValueError, match="Invalid shape for tensor"):
        tf.contrib.framework.with_shape([3, 3], x)


@pytest.mark.parametrize("sizes", [[-1, 2], (None, 2), np.array([-1, 2]), tf.TensorShape([None, 2])])
def test_with_shape_takes_any_size_for_minus_one(sizes: Any) -> None:
    assert tf.contrib.framework.with_shape(sizes, tf.placeholder(tf.float32)).shape.as_list() == [None, 2]


def test_with_shape_of_a_tensor_compares_the_ranks_too() -> None:
    x, sizes = tf.placeholder(tf.float32), tf.placeholder(tf.int32, [None])
    y = tf.contrib.framework.with_shape(sizes, x)
    with tf.Session() as session:
        assert session.run(y, {x: [1, 2], sizes: [2]}).shape == (2,)
        for shape in ([2, 2], []):           # [2] == [2, 2], if sizes were broadcast
            with pytest.raises(tf.errors.InvalidArgumentError):
                session.run(y, {x: np.zeros(shape), sizes: [2]})


# Initialisers, regularizers, losses


def test_xavier_and_variance_scaling() -> None:
    shape = [3, 3, 20, 40]
    uniform, normal = slim.xavier_initializer(seed=1)(shape), slim.variance_scaling_initializer(seed=2)(shape)
    flat = slim.variance_scaling_initializer(1.0, "FAN_OUT", uniform=True, seed=3)([50, 8])
    a, b, c = _run([uniform, normal, flat])
    limit = np.sqrt(6 / (9 * 60))
    assert 0.95 * limit < np.abs(a).max() <= limit
    deviation = np.sqrt(1.3 * 2 / 180)
    assert np.abs(b).max() <= 2 * deviation and abs(b.std() - 0.88 * deviation) < 0.05 * deviation
    assert np.abs(c).max() <= np.sqrt(3 / 8)
    with pytest.raises(TypeError, match="Unknown mode 'FAN'"):
        slim.variance_scaling_initializer(mode="FAN")
    with pytest.raises(TypeError, match="non-floating point type, but dtype is int32"):
        slim.xavier_initializer(dtype=gc.int32)


def test_regularizers() -> None:
    w = gc.constant([1.0, -2.0, 2.0])
    made = [slim.l1_regularizer(0.5)(w), slim.l2_regularizer(0.5)(w), slim.l1_l2_regularizer(0.5, 0.1)(w)]
    total = slim.apply_regularization(slim.l2_regularizer(1.0), [w, w])
    np.testing.assert_allclose(_run([*made, total]), [2.5, 2.25, 2.95, 9.0], rtol=1e-6)
    assert gc.get_collection(gc.GraphKeys.REGULARIZATION_LOSSES) == [total]
    assert slim.l2_regularizer(0.0)(w) is None and slim.sum_regularizer([None]) is None
    with pytest.raises(ValueError, match="scale cannot be an integer: 1"):
        slim.l2_regularizer(1)
    with pytest.raises(ValueError, match="less than 0"):
        slim.l1_regularizer(-0.1)


def test_losses_with_predictions_first() -> None:
    p, y, w = X, np.float32(1) - X, np.array([1.0, 0.0, 3.0], np.float32)
    weighted = (np.abs(p - y).sum(1) * w).sum() / 8                # elements whose weight is not 0
    logits, hot = X * 3, np.eye(4, dtype=np.float32)[[0, 1, 2]]
    entropy = -(hot * np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))).sum(1).mean()
    made = [
        slim.losses.absolute_difference(gc.constant(p), gc.constant(y), w),
        slim.losses.mean_squared_error(gc.constant(p), gc.constant(y)),
        slim.losses.softmax_cross_entropy(gc.constant(logits), gc.constant(hot)),
        slim.losses.sparse_softmax_cross_entropy(gc.constant(logits), gc.constant([[0], [1], [2]])),
    ]
    assert slim.losses.get_losses() == made
    pairwise = slim.losses.mean_pairwise_squared_error(gc.constant(p), gc.constant(y))
    d = p - y
    every = sum(((row[:, None] - row[None, :]) ** 2).mean() for row in d)
    found = _run([*made, slim.losses.get_total_loss(), pairwise])
    wanted = [weighted, ((p - y) ** 2).mean(), entropy, entropy]
    np.testing.assert_allclose(found[:4], wanted, rtol=1e-5)
    np.testing.assert_allclose(found[4:], [sum(wanted) + every, every], rtol=1e-5)


# Embeddings, training steps, tools


def test_embeddings() -> None:
    ids = gc.constant([[0, 2, 1], [2, 0, 0]])
    with gc.variable_scope("a"):
        plain = slim.embed_sequence(ids, 4, 3, scope="e")
    with gc.variable_scope("a", reuse=True):
        unique = slim.embed_sequence(ids, unique=True, scope="e", reuse=True)
    bag = slim.bow_encoder(ids, 4, 3, scope="bag")
    slope = gc.gradients(unique, slim.get_unique_variable("a/e/embeddings"))[0]
    values, same, means, table, rows = _run([plain, unique, bag, slim.get_unique_variable("bag/embeddings"),
                                             gc.convert_to_tensor(slope)])
    np.testing.assert_array_equal(values, same)
    np.testing.assert_allclose(means, [(table[2] + table[1]) / 2, table[2]], rtol=1e-6)
    np.testing.assert_array_equal(rows[:, 0], [3, 1, 2, 0])
    with pytest.raises(ValueError, match="Must specify vocab size and embedding dimension when not reusing"):
        slim.embed_sequence(ids)


@pytest.mark.parametrize("optimizer", ["SGD", gc.train.GradientDescentOptimizer,
                                       gc.train.GradientDescentOptimizer(0.5), gc.train.GradientDescentOptimizer])
def test_optimize_loss_steps_counts_and_runs_the_updates(optimizer: Any) -> None:
    step = gc.train.get_or_create_global_step()
    w = gc.get_variable("w", initializer=3.0)
    v = gc.get_variable("v", initializer=1.0)
    counter = gc.Variable(0.0, trainable=False)
    gc.add_to_collection(gc.GraphKeys.UPDATE_OPS, counter.assign_add(1.0))
    loss = slim.optimize_loss(w * w + v, step, 0.5, optimizer, gradient_multipliers={"v:0": 2.0}, clip_gradients=10.0,
                              summaries=[])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        assert session.run(loss) == 10.0
        np.testing.assert_allclose(session.run([w, v, counter, step]), [0.0, 0.0, 1.0, 1.0])


def test_optimize_loss_says_what_it_cannot_do() -> None:
    loss = gc.get_variable("w", initializer=3.0) * 2.0
    for given, said in ((("SDG", 0.1), "Optimizer name should be one of"), (("SGD", None), "Learning rate is None"),
                        ((1, 0.1), "Unrecognized optimizer"), (("SGD", 1), "should be 0d Tensor or float")):
        with pytest.raises(ValueError, match=said):
            slim.optimize_loss(loss, None, given[1], given[0], summaries=[])
    with pytest.raises(ValueError, match="Summaries should be one of"):
        slim.optimize_loss(loss, None, 0.1, "SGD", summaries=["colours"])


def test_scale_gradient() -> None:
    x = gc.constant([1.0, 2.0])
    y = tf.contrib.layers.scale_gradient(x, 3.0) * 2.0
    value, slope = _run([y, gc.gradients(y, x)[0]])
    assert value.tolist() == [2.0, 4.0] and slope.tolist() == [6.0, 6.0]


def test_analyze_vars() -> None:
    v = gc.get_variable("v", [3, 4])
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert slim.model_analyzer.analyze_vars([v], print_info=True) == (12, 48)
    assert "v:0 (float32_ref 3x4) [12, bytes: 48]" in printed.getvalue()
    assert slim.model_analyzer.analyze_ops(gc.get_default_graph()) >= 12


def test_is_training_as_a_tensor_with_updates_at_once() -> None:
    training = gc.placeholder(gc.bool, [])
    y = slim.batch_norm(X, decay=0.5, is_training=training, updates_collections=None)
    mean = slim.get_variables_by_name("moving_mean")[0]
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        np.testing.assert_allclose(session.run(y, {training: False}), X / np.sqrt(1.001), rtol=1e-5)
        assert session.run(mean).tolist() == [0.0] * 4
        np.testing.assert_allclose(session.run(y, {training: True}).mean(0), np.zeros(4), atol=1e-6)
        np.testing.assert_allclose(session.run(mean), X.mean(0) / 2, rtol=1e-6)
