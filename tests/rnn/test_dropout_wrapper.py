"""DropoutWrapper: what is dropped, by how much the rest grows, and when masks are drawn."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rnn_cases import load_waves, wave

import graphc as gc

core = gc.nn.rnn_cell


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def stepped(cell: Any, wrapped: Any, feeds: Any = None) -> Any:
    """(output, new state) of the cell and of the wrapped one, from the same inputs and state."""
    inputs = gc.constant(wave((6, 4), 0.2))
    state = cell.zero_state(6, gc.float32)
    plain = cell(inputs, state)
    with gc.Session() as session:
        fetches = [plain, wrapped(inputs, state)]
        load_waves(session)
        return session.run(fetches, feeds)


def kept(got: np.ndarray, whole: np.ndarray, keep_prob: float) -> np.ndarray:
    """Which elements were kept; the rest must be 0, they themselves must have grown."""
    mask = got != 0
    np.testing.assert_allclose(got, np.where(mask, whole / keep_prob, 0), rtol=1e-5)
    return mask


def test_outputs() -> None:
    cell = core.BasicLSTMCell(50)
    (output, state), (dropped, new_state) = stepped(cell, core.DropoutWrapper(cell, output_keep_prob=0.5))
    mask = kept(dropped, output, 0.5)
    assert 0.3 < mask.mean() < 0.7
    np.testing.assert_array_equal(state.c, new_state.c)
    np.testing.assert_array_equal(state.h, new_state.h)


def test_states_but_not_the_memory() -> None:
    cell = core.BasicLSTMCell(50)
    (output, state), (dropped, new_state) = stepped(cell, core.DropoutWrapper(cell, state_keep_prob=0.25))
    assert 0.1 < kept(new_state.h, state.h, 0.25).mean() < 0.4
    np.testing.assert_array_equal(state.c, new_state.c)
    np.testing.assert_array_equal(output, dropped)


def test_inputs() -> None:
    class Same(core.RNNCell):
        state_size = output_size = 4

        def call(self, inputs: Any, state: Any) -> Any:
            return gc.identity(inputs), state

    cell = Same()
    (inputs, _), (dropped, _) = stepped(cell, core.DropoutWrapper(cell, input_keep_prob=0.5))
    assert 0.1 < kept(dropped, inputs, 0.5).mean() < 0.9


def test_a_probability_may_be_fed() -> None:
    keep = gc.placeholder(gc.float32, [])
    cell = core.GRUCell(50)
    wrapped = core.DropoutWrapper(cell, keep, keep, keep)
    (output, state), (same, same_state) = stepped(cell, wrapped, {keep: 1.0})
    np.testing.assert_array_equal(output, same)
    np.testing.assert_array_equal(state, same_state)
    outputs, _ = gc.nn.dynamic_rnn(core.DropoutWrapper(cell, output_keep_prob=keep), gc.ones([2, 3, 4]),
                                   dtype=gc.float32)
    gradient = gc.gradients(outputs, gc.trainable_variables())[0]
    with gc.Session() as session:
        load_waves(session)
        assert (session.run(outputs, {keep: 0.1}) == 0).mean() > 0.7
        assert np.abs(session.run(gradient, {keep: 1.0})).sum() > 0


def test_each_step_has_its_own_mask() -> None:
    outputs, _ = gc.nn.dynamic_rnn(core.DropoutWrapper(core.GRUCell(50), output_keep_prob=0.5), gc.ones([2, 3, 4]),
                                   dtype=gc.float32)
    with gc.Session() as session:
        load_waves(session)
        first, second = (session.run(outputs) != 0 for _ in range(2))
    assert (first[:, 0] != first[:, 1]).any() and (first[0] != first[1]).any() and (first != second).any()


def test_variational_dropout_has_one_mask_a_run() -> None:
    cell = core.DropoutWrapper(core.GRUCell(50), 0.5, 0.5, 0.5, variational_recurrent=True, dtype=gc.float32,
                               input_size=gc.TensorShape([4]))
    outputs, _ = gc.nn.dynamic_rnn(cell, gc.constant(wave((2, 3, 4), 0.3)), dtype=gc.float32)
    with gc.Session() as session:
        load_waves(session)
        # Without unit 0: its bias is 0, so that its output is 0 where every input is dropped.
        first, second = (session.run(outputs)[..., 1:] != 0 for _ in range(2))
    assert (first == first[0, 0]).all() and (second == second[0, 0]).all() and (first != second).any()
    assert 0.2 < first.mean() < 0.8


def test_a_filter_says_what_is_dropped() -> None:
    cell = core.MultiRNNCell([core.BasicLSTMCell(50), core.GRUCell(50), core.BasicLSTMCell(50)])

    def visitor(part: Any) -> Any:
        if isinstance(part, core.LSTMStateTuple):
            return core.LSTMStateTuple(c=True, h=False)
        return (False, True, True) if isinstance(part, tuple) else True

    (_, state), (_, new_state) = stepped(cell, core.DropoutWrapper(
        cell, state_keep_prob=0.5, dropout_state_filter_visitor=visitor))
    np.testing.assert_array_equal(state[0], new_state[0])
    assert 0.3 < kept(new_state[1], state[1], 0.5).mean() < 0.7
    assert 0.3 < kept(new_state[2].c, state[2].c, 0.5).mean() < 0.7
    np.testing.assert_array_equal(state[2].h, new_state[2].h)
    with pytest.raises(TypeError, match="dropout_state_filter_visitor must give a bool"):
        core.DropoutWrapper(core.GRUCell(4), state_keep_prob=0.5, dropout_state_filter_visitor=lambda part: 1)(
            gc.ones([2, 4]), gc.ones([2, 4]))


def test_seeds() -> None:
    def outputs() -> Any:
        with gc.Graph().as_default():
            cell = core.DropoutWrapper(core.GRUCell(20), 0.5, 0.5, 0.5, seed=3)
            made, _ = gc.nn.dynamic_rnn(cell, gc.ones([2, 3, 4]), dtype=gc.float32)
            with gc.Session() as session:
                load_waves(session)
                return session.run(made)

    np.testing.assert_array_equal(outputs(), outputs())
    # The seed of each part is made of the wrapper's, as in TensorFlow.
    assert core.DropoutWrapper(core.GRUCell(2), seed=3)._seed_of("input", 0) == 371649270


def test_what_is_asked_for_variational_dropout() -> None:
    with pytest.raises(ValueError, match="dtype must be provided"):
        core.DropoutWrapper(core.GRUCell(2), 0.5, variational_recurrent=True)
    with pytest.raises(ValueError, match="input_size must be provided"):
        core.DropoutWrapper(core.GRUCell(2), 0.5, variational_recurrent=True, dtype=gc.float32)
