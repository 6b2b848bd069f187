"""Beam search against a search of all sequences, and what it says of wrong arguments."""
from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import graphc as gc

SYMBOLS, END, STEPS = 4, 0, 4
TABLE = np.random.default_rng(2).normal(size=(SYMBOLS, SYMBOLS)).astype(np.float32) * 2


class NextSymbol(gc.nn.rnn_cell.RNNCell):
    """Its logits are the row of the last symbol: inputs are one-hot."""

    state_size = property(lambda self: 1)
    output_size = property(lambda self: SYMBOLS)

    def call(self, inputs: Any, state: Any) -> Any:
        return gc.matmul(inputs, gc.constant(TABLE)), state + 1


def searched(width: int, length_weight: float = 0.0, starts: Any = (1, 2)) -> Any:
    gc.reset_default_graph()
    decoder = gc.contrib.seq2seq.BeamSearchDecoder(
        NextSymbol(), np.eye(SYMBOLS, dtype=np.float32), gc.constant(starts), END,
        gc.zeros([len(starts) * width, 1]), width, length_penalty_weight=length_weight)
    outputs, final, _ = gc.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=STEPS)
    with gc.Session() as session:
        return session.run([outputs.predicted_ids, final.log_probs, final.lengths, final.finished])


def all_sequences(start: int) -> dict[tuple[int, ...], float]:
    """The logarithm of the probability of every sequence that ends, or has all steps."""
    log_probs = TABLE - np.log(np.exp(TABLE).sum(1, keepdims=True))
    found = {}
    for ids in itertools.product(range(SYMBOLS), repeat=STEPS):
        kept = ids[:ids.index(END) + 1] if END in ids else ids
        found[kept] = float(sum(log_probs[a, b] for a, b in itertools.pairwise([start, *kept])))
    return found


def test_wide_beams_find_the_best_sequences() -> None:
    ids, log_probs, lengths, _ = searched(width=64)
    for entry, start in enumerate((1, 2)):
        scores = all_sequences(start)
        for beam, best in enumerate(sorted(scores.values(), reverse=True)[:10]):
            np.testing.assert_allclose(log_probs[entry, beam], best, rtol=1e-5)
            sequence = tuple(ids[entry, :lengths[entry, beam], beam].tolist())
            np.testing.assert_allclose(scores[sequence], best, rtol=1e-5)
            assert set(ids[entry, len(sequence):, beam]) <= {END}


def test_length_penalty_ranks() -> None:
    """Of finished beams the score is log p / ((5 + length) / 6) ** weight; the end token adds nothing to the length
    when it is chosen, as in TensorFlow."""
    short, long = searched(8, 0.0), searched(8, 6.0)
    assert long[2][:, 0].sum() > short[2][:, 0].sum()


def test_end_token_behind_the_end() -> None:
    ids, _, lengths, finished = searched(3, starts=(1, 2, 3))
    assert ids.shape == (3, STEPS, 3)
    for entry, beam in np.ndindex(finished.shape):
        if finished[entry, beam]:
            assert (ids[entry, lengths[entry, beam] - 1:, beam] == END).all()


def test_refusals() -> None:
    gc.reset_default_graph()
    decoder = gc.contrib.seq2seq.BeamSearchDecoder
    table, starts, state = gc.eye(SYMBOLS), gc.constant([1, 2]), gc.zeros([6, 1])
    with pytest.raises(ValueError, match="start_tokens must be a vector"):
        decoder(NextSymbol(), table, gc.constant(1), END, state, 3)
    with pytest.raises(ValueError, match="end_token must be a scalar"):
        decoder(NextSymbol(), table, starts, [END], state, 3)
    with pytest.raises(ValueError, match="batch_size=encoder_batch_size \\* beam_width"):
        decoder(NextSymbol(), table, starts, END, gc.zeros([6, 2]), 3)
    with pytest.raises(TypeError, match="not an RNNCell"):
        decoder(3, table, starts, END, state, 3)
    with pytest.raises(ValueError, match="no cell is attentional"):
        decoder(NextSymbol(), table, starts, END, state, 3, coverage_penalty_weight=0.1).initialize()
    with pytest.raises(ValueError, match="statically known rank"):
        gc.contrib.seq2seq.tile_batch(gc.constant(1), 2)


def test_tile_batch() -> None:
    gc.reset_default_graph()
    x = gc.placeholder(gc.float32, [None, 2])
    tiled = gc.contrib.seq2seq.tile_batch((x, [gc.constant([1, 2])]), 2)
    assert tiled[1][0].shape.as_list() == [4] and tiled[0].shape.as_list() == [None, 2]
    with gc.Session() as session:
        rows, (numbers,) = session.run(tiled, {x: [[1, 2], [3, 4]]})
    assert rows.tolist() == [[1, 2], [1, 2], [3, 4], [3, 4]] and numbers.tolist() == [1, 1, 2, 2]
