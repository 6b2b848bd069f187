"""Cells under other names and with arguments of other times: blocks, cuDNN's, before TensorFlow 1.2."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rnn_cases import leaves, load_waves, wave

import graphc as gc

core, contrib = gc.nn.rnn_cell, gc.contrib.rnn


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def run(cell: Any) -> tuple[list[str], list[Any]]:
    """Names of variables, and outputs, states and gradients with the same weights in the same order."""
    with gc.Graph().as_default():
        outputs, state = gc.nn.dynamic_rnn(cell(), gc.constant(wave((2, 3, 4), 0.1)), dtype=gc.float32)
        with gc.Session() as session:
            variables = load_waves(session)
            gradients = gc.gradients(gc.reduce_sum(outputs ** 2), variables)
            return [v.op.name for v in variables], session.run([outputs, leaves(state), gradients])


def assert_equal(a: Any, b: Any) -> None:
    for x, y in zip(leaves(a), leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)


def test_lstm_blocks_are_lstm_cells() -> None:
    names, values = run(lambda: contrib.LSTMBlockCell(3, forget_bias=0.5, use_peephole=True))
    wanted_names, wanted = run(lambda: core.LSTMCell(3, use_peepholes=True, forget_bias=0.5))
    assert names == wanted_names
    assert_equal(values, wanted)


def test_the_bound_of_a_block_lets_gradients_pass() -> None:
    _, (outputs, _, gradients) = run(lambda: contrib.LSTMBlockCell(3, cell_clip=0.01))
    _, (wanted, _, bounded) = run(lambda: core.LSTMCell(3, cell_clip=0.01))
    np.testing.assert_allclose(outputs, wanted, rtol=1e-5)
    assert np.abs(gradients[0]).sum() > 2 * np.abs(bounded[0]).sum()
    assert_equal(run(lambda: contrib.LSTMBlockCell(3, cell_clip=-1)), run(lambda: contrib.LSTMBlockCell(3)))


def test_gru_blocks_are_gru_cells() -> None:
    names, values = run(lambda: contrib.GRUBlockCellV2(3))
    wanted_names, wanted = run(lambda: core.GRUCell(3))
    assert names == wanted_names
    assert_equal(values, wanted)
    names, _ = run(lambda: contrib.GRUBlockCell(cell_size=3))
    assert names == [f"rnn/gru_cell/{name}" for name in ("b_c", "b_ru", "w_c", "w_ru")]
    with pytest.raises(ValueError, match="Exactly one of num_units or cell_size"):
        contrib.GRUBlockCell()


def test_cells_for_weights_of_cudnn() -> None:
    names, values = run(lambda: gc.contrib.cudnn_rnn.CudnnCompatibleLSTMCell(3))
    assert names == ["rnn/cudnn_compatible_lstm_cell/bias", "rnn/cudnn_compatible_lstm_cell/kernel"]
    assert_equal(values, run(lambda: core.LSTMCell(3, forget_bias=0.0))[1])
    scope = "rnn/cudnn_compatible_gru_cell"
    cell = gc.contrib.cudnn_rnn.CudnnCompatibleGRUCell(3)
    x, h = wave((2, 4), 0.1), wave((2, 3), 0.2)
    with gc.variable_scope("rnn"):
        output, _ = cell(gc.constant(x), gc.constant(h))
    with gc.Session() as session:
        variables = {v.op.name.removeprefix(f"{scope}/"): v for v in load_waves(session)}
        got, w = session.run([output, variables])
    gates = 1 / (1 + np.exp(-(np.concatenate([x, h], 1) @ w["gates/kernel"] + w["gates/bias"])))
    new, old = (value @ w[f"candidate/{name}_projection/kernel"] + w[f"candidate/{name}_projection/bias"]
                for value, name in ((x, "input"), (h, "hidden")))
    candidate = np.tanh(new + gates[:, :3] * old)
    np.testing.assert_allclose(got, gates[:, 3:] * h + (1 - gates[:, 3:]) * candidate, rtol=1e-5)


def test_cells_of_before_1_2_were_told_the_size_of_their_inputs() -> None:
    for make in (core.BasicRNNCell, core.GRUCell, core.BasicLSTMCell, core.LSTMCell):
        assert_equal(run(lambda make=make: make(3, input_size=4))[1], run(lambda make=make: make(3))[1])


def test_one_cell_for_several_layers_shares_its_variables() -> None:
    cell = core.GRUCell(4)
    with pytest.warns(UserWarning, match="are the same object and share their variables"):
        stack = core.MultiRNNCell([cell] * 2)
    gc.nn.dynamic_rnn(stack, gc.ones([2, 3, 4]), dtype=gc.float32)
    assert len(gc.global_variables()) == 4


def test_the_linear_map_that_scripts_import() -> None:
    from graphc.rnn.linear import Linear, linear

    x, y = gc.constant(wave((2, 3), 0.1)), gc.constant(wave((2, 4), 0.2))
    with gc.variable_scope("a"):
        first = linear([x, y], 5, True, bias_initializer=gc.ones_initializer())
    with gc.variable_scope("b"):
        own = Linear([x, y], 2, False)
    outputs = [first, own([x, y]), own([x, y])]
    assert [v.op.name for v in gc.global_variables()] == ["a/kernel", "a/bias", "b/kernel"]
    with gc.Session() as session:
        variables = load_waves(session)
        got, (bias, kernel, matrix) = session.run([outputs, variables])
    rows = np.concatenate([wave((2, 3), 0.1), wave((2, 4), 0.2)], 1)
    np.testing.assert_allclose(got[0], rows @ kernel + bias, rtol=1e-5)
    np.testing.assert_allclose(got[1], rows @ matrix, rtol=1e-5)
    np.testing.assert_array_equal(got[1], got[2])
    with pytest.raises(ValueError, match="linear is expecting 2D arguments"):
        linear(gc.ones([2, 3, 4]), 2, True)
