"""Helpers that draw: where they must choose the best id, how often they sample, and that seeds repeat it."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

SYMBOLS = 5
TABLE = np.random.default_rng(4).normal(size=(SYMBOLS, SYMBOLS)).astype(np.float32)
NEXT = TABLE.argmax(1)


@pytest.fixture(autouse=True)
def fresh_graph() -> None:
    gc.reset_default_graph()


class NextSymbol(gc.nn.rnn_cell.RNNCell):
    """Its logits are the row of the last symbol, times a factor: inputs are one-hot."""

    state_size = property(lambda self: 1)
    output_size = property(lambda self: SYMBOLS)
    factor = 1.0

    def call(self, inputs: Any, state: Any) -> Any:
        return gc.matmul(inputs, gc.constant(TABLE * self.factor)), state + 1


def decoded(helper: Any, batch: int, factor: float = 1.0, steps: int = 4) -> Any:
    cell = NextSymbol()
    cell.factor = factor
    decoder = gc.contrib.seq2seq.BasicDecoder(cell, helper, gc.zeros([batch, 1]))
    return gc.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=steps)[0]


def followed(start: int, steps: int) -> list[int]:
    found = [start]
    for _ in range(steps):
        found.append(int(NEXT[found[-1]]))
    return found[1:]


def test_a_low_temperature_chooses_the_best() -> None:
    helper = gc.contrib.seq2seq.SampleEmbeddingHelper(np.eye(SYMBOLS, dtype=np.float32), gc.constant([0, 1, 2]), -1,
                                                      softmax_temperature=1e-4, seed=1)
    with gc.Session() as session:
        found = session.run(decoded(helper, 3).sample_id)
    assert found.tolist() == [followed(start, 4) for start in range(3)]


def test_samples_have_the_softmax_distribution() -> None:
    helper = gc.contrib.seq2seq.SampleEmbeddingHelper(gc.eye(SYMBOLS), gc.fill([4000], 3), -1, seed=7)
    samples = decoded(helper, 4000, steps=1).sample_id
    with gc.Session() as session:
        found = session.run(samples)
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(samples), found)        # the seed's, in every new session
    expected = np.exp(TABLE[3]) / np.exp(TABLE[3]).sum()
    np.testing.assert_allclose(np.bincount(found.ravel(), minlength=SYMBOLS) / 4000, expected, atol=0.03)


def test_scheduled_embeddings() -> None:
    """With probability 1 and sharp logits it goes its own way; sample ids are -1 where nothing was drawn."""
    batch, seq2seq = 2000, gc.contrib.seq2seq
    given = gc.one_hot(np.zeros((batch, 4), np.int32), SYMBOLS)
    always = seq2seq.ScheduledEmbeddingTrainingHelper(given[:3], [4, 4, 2], gc.eye(SYMBOLS), 1.0, seed=1)
    ids = decoded(always, 3, factor=1e4).sample_id
    sometimes = seq2seq.ScheduledEmbeddingTrainingHelper(given, [4] * batch, lambda i: gc.one_hot(i, SYMBOLS), 0.3,
                                                         seed=1, scheduling_seed=2)
    rare = decoded(sometimes, batch).sample_id
    with gc.Session() as session:
        found, drawn = session.run([ids, rare])
    assert found[0].tolist() == found[1].tolist() == followed(0, 4) and found[2, :2].tolist() == followed(0, 2)
    assert drawn.min() == -1 and abs((drawn != -1).mean() - 0.3) < 0.02


def test_scheduled_outputs_with_a_probability_of_0() -> None:
    given = np.eye(SYMBOLS, dtype=np.float32)[np.array([[1, 2, 0, 4]])]
    helper = gc.contrib.seq2seq.ScheduledOutputTrainingHelper(given, [4], 0.0)
    outputs = decoded(helper, 1)
    with gc.Session() as session:
        rows, ids = session.run([outputs.rnn_output, outputs.sample_id])
    np.testing.assert_allclose(rows[0], TABLE[[1, 2, 0, 4]], rtol=1e-6)
    assert ids.tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("steps, shape", ((0, (3, 0)), (2, (3, 2))))
def test_a_limit_that_the_run_gives(steps: int, shape: tuple[int, int]) -> None:
    limit = gc.placeholder(gc.int32, [])
    helper = gc.contrib.seq2seq.GreedyEmbeddingHelper(gc.eye(SYMBOLS), gc.constant([0, 1, 2]), -1)
    decoder = gc.contrib.seq2seq.BasicDecoder(NextSymbol(), helper, gc.zeros([3, 1]))
    outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=limit)
    with gc.Session() as session:
        found, last, ends = session.run([outputs, state, lengths], {limit: steps})
    assert found.sample_id.shape == shape and found.rnn_output.shape == (*shape, SYMBOLS)
    assert (last == steps).all() and (ends == steps).all()
