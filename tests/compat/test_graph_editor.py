"""tf.contrib.graph_editor: walks, copies, other inputs."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import graphc.compat.v1 as tf
from graphc.errors import UnimplementedError

ge = tf.contrib.graph_editor


@pytest.fixture
def chain() -> Iterator[dict[str, tf.Tensor]]:
    with tf.Graph().as_default():
        x = tf.placeholder_with_default(tf.constant([1., 2.], name="start"), [2], name="x")
        a = tf.exp(x, name="a/exp")
        b = tf.multiply(a, 2., name="b/mul")
        yield {"x": x, "a": a, "b": b, "c": tf.add(a, b, name="c")}


def names(things: list[object]) -> list[str]:
    return [thing.name for thing in things]


def test_walks(chain: dict[str, tf.Tensor]) -> None:
    a, b, c = (chain[k] for k in "abc")
    assert names(ge.get_backward_walk_ops(c)) == ["c", "a/exp", "b/mul", "x", "b/mul/y", "start"]
    assert names(ge.get_backward_walk_ops(c.op, inclusive=False, stop_at_ts=[a])) == ["b/mul", "b/mul/y"]
    assert names(ge.get_forward_walk_ops(chain["x"].op)) == ["x", "a/exp", "b/mul", "c"]
    assert names(ge.get_forward_walk_ops([a.op], within_ops=[a.op, c.op])) == ["a/exp", "c"]
    assert names(ge.get_forward_walk_ops(a, within_ops_fn=lambda op: op.type != "Mul")) == ["a/exp", "c"]
    with tf.control_dependencies([b.op]):
        last = tf.identity(a, name="last")
    assert "b/mul" in names(ge.get_backward_walk_ops(last, control_inputs=True))


def test_selections(chain: dict[str, tf.Tensor]) -> None:
    graph = tf.get_default_graph()
    assert names(ge.select_ops("[ab]/.*", graph=graph, positive_filter=lambda op: op.type != "Const")) == [
        "a/exp", "b/mul"]
    assert names(ge.filter_ts_from_regex(graph, "exp|mul:0")) == ["a/exp:0", "b/mul:0"]
    assert names(ge.filter_ops_from_regex(graph, "^c$")) == ["c"] and len(ge.get_tensors(graph)) == 6
    with pytest.raises(ValueError, match="keyword argument 'graph'"):
        ge.select_ops("a/.*")
    with pytest.raises(TypeError, match="Expected a Operation"):
        ge.make_list_of_op([chain["a"]])
    with tf.Graph().as_default(), pytest.raises(ValueError, match="several graphs"):
        ge.make_list_of_t([chain["a"], tf.constant(1.)])


def test_copies(chain: dict[str, tf.Tensor]) -> None:
    view = ge.sgv([chain["a"].op, chain["b"].op, chain["c"].op])
    assert names(view.inputs) == ["x:0", "b/mul/y:0"] and names(view.outputs) == ["c:0"]
    other = tf.constant([0., 1.])
    copied, info = ge.copy_with_input_replacements(view, {chain["x"]: other}, dst_scope="again")
    assert names(copied.ops) == ["again/a/exp", "again/b/mul", "again/c"]
    assert info.original(info.transformed(chain["b"])) is chain["b"] and info.transformed(chain["x"]) is None
    replaced = ge.graph_replace([chain["c"], chain["x"]], {chain["x"]: other})
    with tf.Session() as session:
        np.testing.assert_allclose(session.run(info.transformed(chain["c"])), 3 * np.exp([0, 1]), rtol=1e-6)
        np.testing.assert_allclose(session.run(replaced[0]), 3 * np.exp([0, 1]), rtol=1e-6)
        assert replaced[1] is other
    with pytest.raises(TypeError, match="cannot be replaced by"):
        ge.copy_with_input_replacements(view, {chain["x"]: tf.constant([1, 2])})
    with pytest.raises(ValueError, match="not connected"):
        ge.graph_replace(chain["x"], {chain["a"]: other})


def test_other_inputs() -> None:
    x, w = tf.constant([1., 2.]), tf.constant([5., 7.])
    y = tf.square(x) + x
    assert ge.reroute_ts([w], [x], can_modify=[y.op]) == 1
    gradients = tf.gradients(y, [x, w])
    first, then = tf.no_op(), tf.no_op()
    ge.add_control_inputs(then, [first])
    with tf.Session() as session:
        assert session.run([y, *gradients])[0].tolist() == [6., 11.]
        assert [g.tolist() for g in session.run(gradients)] == [[2., 4.], [1., 1.]]
    with pytest.raises(UnimplementedError, match="was made before"):
        ge.reroute_ts([tf.zeros([2])], [w], can_modify=[y.op])
    with pytest.raises(ValueError, match="is already a control_input"):
        ge.add_control_inputs(then, [first])
    with pytest.raises(ValueError, match="different lengths"):
        ge.reroute_ts([w], [x, w])


def test_gradients_that_compute_activations_anew() -> None:
    """What gradient-checkpointing libraries do: a copy behind a cut takes the part of the forward pass."""
    x, weights = tf.constant(np.ones([3, 4], np.float32) / 3), [tf.constant(np.eye(4, dtype=np.float32) * (1 + i / 7))
                                                                for i in range(4)]
    h = x
    hidden = [h := tf.tanh(tf.matmul(h, w)) for w in weights]
    loss = tf.reduce_sum(hidden[-1])
    kept = hidden[1]
    cut = tf.stop_gradient(kept)
    upper = [op for op in ge.get_forward_walk_ops(kept, inclusive=False) if op in ge.get_backward_walk_ops(loss)]
    _, info = ge.copy_with_input_replacements(upper, {})
    ge.reroute_ts([cut], [kept], can_modify=info._transformed_ops.values())
    dcut, *late = tf.gradients(info.transformed(loss), [cut, *weights[2:]])
    early = tf.gradients(kept, weights[:2], grad_ys=dcut)
    with tf.Session() as session:
        for made, plain in zip(*session.run([[*early, *late], tf.gradients(loss, weights)]), strict=True):
            np.testing.assert_allclose(made, plain, rtol=1e-6)
