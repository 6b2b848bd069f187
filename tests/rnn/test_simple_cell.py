"""keras.layers.SimpleRNNCell: alone, in dynamic_rnn with a batch of any size, with dropout."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.compat.v1 as tf

Cell = tf.keras.layers.SimpleRNNCell


def test_one_step_and_names() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        cell = Cell(3, activation="relu", bias_initializer="ones", kernel_regularizer="l2")
        x, state = gc.constant(np.linspace(-1, 1, 8).reshape(2, 4), gc.float32), gc.constant(np.eye(2, 3), gc.float32)
        output, new = cell(x, [state])
        assert new == [output] and (cell.state_size, cell.output_size, cell.units) == (3, 3, 3)
        assert [v.name for v in cell.weights] == [
            "simple_rnn_cell/kernel:0", "simple_rnn_cell/recurrent_kernel:0", "simple_rnn_cell/bias:0"]
        assert len(gc.get_collection(gc.GraphKeys.REGULARIZATION_LOSSES)) == 1
        plain = Cell(3, activation=None, use_bias=False)
        plain(x, [state])
        assert [v.name for v in plain.weights] == ["simple_rnn_cell_1/kernel:0", "simple_rnn_cell_1/recurrent_kernel:0"]
        session.run(gc.global_variables_initializer())
        got, w, u, given, before = session.run([output, cell.kernel, cell.recurrent_kernel, x, state])
    np.testing.assert_allclose(got, np.maximum(given @ w + 1 + before @ u, 0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(u.T @ u, np.eye(3), atol=1e-5)                                     # orthogonal


def test_in_dynamic_rnn_with_gradients() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, None, 2])
        cell = Cell(3)
        outputs, state = gc.nn.dynamic_rnn(cell, x, dtype=gc.float32, sequence_length=[3, 1])
        gradient = gc.gradients(gc.reduce_sum(state), cell.bias)[0]
        session.run(gc.global_variables_initializer())
        value = np.random.RandomState(0).rand(2, 3, 2).astype(np.float32)
        got, last, slope, w, u = session.run([outputs, state, gradient, cell.kernel, cell.recurrent_kernel], {x: value})

        def final(bias: np.ndarray) -> Any:
            h, kept = np.zeros((2, 3)), np.zeros((2, 3))
            for t in range(3):
                h = np.tanh(value[:, t] @ w + bias + h @ u)
                kept[np.array([3, 1]) > t] = h[np.array([3, 1]) > t]
            return kept
    np.testing.assert_allclose(last, final(np.zeros(3)), rtol=1e-5, atol=1e-6)
    assert (got[1, 1:] == 0).all() and got.shape == (2, 3, 3)
    small = 1e-4 * np.eye(3)
    numeric = [(final(row).sum() - final(-row).sum()) / 2e-4 for row in small]
    np.testing.assert_allclose(slope, numeric, rtol=1e-3)


@pytest.mark.parametrize("as_tensor", [False, True])
def test_dropout_leaves_out_the_same_until_it_is_reset(as_tensor: bool) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        training = gc.placeholder(gc.bool, []) if as_tensor else True
        cell = Cell(64, None, use_bias=False, kernel_initializer="identity", recurrent_initializer="zeros", dropout=0.5)
        x, state = gc.ones([2, 64]), [gc.zeros([2, 64])]
        one, again = cell(x, state, training=training)[0], cell(x, state, training=training)[0]
        cell.reset_dropout_mask()
        other = cell(x, state, training=training)[0]
        still = cell(x, state)[0]
        session.run(gc.global_variables_initializer())
        a, b, c, d = session.run([one, again, other, still], {training: True} if as_tensor else None)
        assert set(np.unique(a)) == {0, 2} and (a == b).all() and (a != c).any() and (d == 1).all()
        if as_tensor:
            assert (session.run(one, {training: False}) == 1).all()
