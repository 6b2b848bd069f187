"""An AttentionWrapper is a cell like others: dynamic_rnn runs it, wrappers wrap it, copies share its memory."""
from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from decoding_models import weights_of

import graphc as gc

X, MEMORY = (np.random.default_rng(i).normal(size=s).astype(np.float32) for i, s in ((0, (2, 3, 4)), (1, (2, 5, 4))))


@pytest.fixture(autouse=True)
def fresh_graph() -> None:
    gc.reset_default_graph()


def wrapper(history: bool = False) -> Any:
    attention = gc.contrib.seq2seq.BahdanauAttention(5, MEMORY)
    return gc.contrib.seq2seq.AttentionWrapper(gc.nn.rnn_cell.GRUCell(6), attention, attention_layer_size=7,
                                               alignment_history=history)


@pytest.mark.parametrize("history", (False, True))
def test_dynamic_rnn_does_what_a_decoder_does(history: bool) -> None:
    cell, lengths = wrapper(history), gc.placeholder(gc.int32, [None])
    with gc.variable_scope("run") as scope:
        outputs, state = gc.nn.dynamic_rnn(cell, X, lengths, dtype=gc.float32, scope=scope)
    helper = gc.contrib.seq2seq.TrainingHelper(X, lengths)
    decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, gc.float32))
    decoded, last, _ = gc.contrib.seq2seq.dynamic_decode(decoder, impute_finished=True, scope=scope)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for variable in gc.global_variables():
            variable.load(weights_of(variable, 1.0), session)
        a, b, x, y = session.run([outputs, decoded.rnn_output, state.attention, last.attention], {lengths: [3, 1]})
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
    assert np.abs(a[0]).min() > 0 and not a[1, 1:].any()


@pytest.mark.parametrize("wrapped", (
    lambda cell: gc.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=1.0),
    lambda cell: gc.nn.rnn_cell.ResidualWrapper(cell, lambda inputs, outputs: outputs),
    lambda cell: gc.nn.rnn_cell.MultiRNNCell([cell, gc.nn.rnn_cell.GRUCell(7)])))
def test_inside_of_other_cells(wrapped: Callable[[Any], Any]) -> None:
    outputs, _ = gc.nn.dynamic_rnn(wrapped(wrapper()), X, [3, 2], dtype=gc.float32)
    gradients = gc.gradients(outputs, gc.trainable_variables())
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        found, *slopes = session.run([outputs, *gradients])
    assert found.shape == (2, 3, 7) and all(np.isfinite(s).all() for s in slopes)


def test_a_copy_shares_the_memory() -> None:
    cell = wrapper()
    made = copy.deepcopy(cell)
    assert made is not cell and made._attention_mechanisms[0] is cell._attention_mechanisms[0]
    assert made._cell is not cell._cell
