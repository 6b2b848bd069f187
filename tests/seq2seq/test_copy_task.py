"""A small model learns to copy: trained with attention, decoded greedily and by beam search on the same variables."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc

START, END, SYMBOLS, UNITS, WIDTH = 1, 2, 9, 32, 3


class CopyModel:
    def __init__(self) -> None:
        self.source, self.lengths = gc.placeholder(gc.int32, [None, None]), gc.placeholder(gc.int32, [None])
        self.batch = gc.shape(self.source)[0]
        self.table = gc.get_variable("table", [SYMBOLS, UNITS])
        self.project = gc.layers.Dense(SYMBOLS, use_bias=False, name="project")
        cell = gc.nn.rnn_cell.GRUCell(UNITS)
        self.memory, self.state = gc.nn.dynamic_rnn(cell, self.embedded(self.source), self.lengths, dtype=gc.float32)

    def embedded(self, ids: Any) -> Any:
        return gc.nn.embedding_lookup(self.table, ids)

    def cell(self, width: int) -> tuple[Any, Any]:
        """(the decoder's cell, its first state), for so many beams."""
        seq2seq = gc.contrib.seq2seq
        memory, lengths, state = self.memory, self.lengths, self.state
        if width > 1:
            memory, lengths, state = (seq2seq.tile_batch(t, width) for t in (memory, lengths, state))
        attention = seq2seq.LuongAttention(UNITS, memory, lengths)
        cell = seq2seq.AttentionWrapper(gc.nn.rnn_cell.GRUCell(UNITS), attention, attention_layer_size=UNITS)
        return cell, cell.zero_state(self.batch * width, gc.float32).clone(cell_state=state)

    def loss(self) -> Any:
        """Of the source and END behind it."""
        seq2seq = gc.contrib.seq2seq
        starts = gc.fill([self.batch, 1], START)
        mask = gc.sequence_mask(self.lengths, gc.shape(self.source)[1], dtype=gc.int32)
        inside = gc.concat([self.source * mask, gc.zeros_like(starts)], 1)
        targets = inside + END * gc.one_hot(self.lengths, gc.shape(inside)[1], dtype=gc.int32)
        cell, state = self.cell(1)
        helper = seq2seq.TrainingHelper(self.embedded(gc.concat([starts, self.source], 1)), self.lengths + 1)
        outputs, _, _ = seq2seq.dynamic_decode(seq2seq.BasicDecoder(cell, helper, state, self.project))
        weights = gc.sequence_mask(self.lengths + 1, gc.shape(targets)[1], dtype=gc.float32)
        steps = gc.shape(outputs.rnn_output)[1]
        return seq2seq.sequence_loss(outputs.rnn_output, targets[:, :steps], weights[:, :steps])

    def greedy(self) -> Any:
        seq2seq = gc.contrib.seq2seq
        cell, state = self.cell(1)
        helper = seq2seq.GreedyEmbeddingHelper(self.table, gc.fill([self.batch], START), END)
        outputs, _, lengths = seq2seq.dynamic_decode(seq2seq.BasicDecoder(cell, helper, state, self.project),
                                                     maximum_iterations=9)
        return outputs.sample_id, lengths

    def beams(self) -> Any:
        seq2seq = gc.contrib.seq2seq
        cell, state = self.cell(WIDTH)
        decoder = seq2seq.BeamSearchDecoder(cell, self.table, gc.fill([self.batch], START), END, state, WIDTH,
                                            self.project)
        outputs, final, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=9)
        return outputs.predicted_ids, final.lengths


def some(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.integers(3, SYMBOLS, (count, 5)).astype(np.int32), rng.integers(2, 6, count).astype(np.int32)


def test_learns_to_copy() -> None:
    gc.reset_default_graph()
    gc.set_random_seed(5)
    with gc.variable_scope("model", initializer=gc.random_uniform_initializer(-0.3, 0.3, seed=1)):
        model = CopyModel()
        with gc.variable_scope("decoder_"):
            loss = model.loss()
        with gc.variable_scope("decoder_", reuse=True):
            greedy = model.greedy()
        with gc.variable_scope("decoder_", reuse=True):
            beams = model.beams()
    train = gc.train.AdamOptimizer(0.01).minimize(loss)
    variables = [v.name for v in gc.trainable_variables()]
    assert len(variables) == 1 + 4 + 4 + 3      # the table, the encoder, the cell; memory, attention, projection
    rng = np.random.default_rng(0)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        losses = []
        for _ in range(250):
            ids, lengths = some(rng, 32)
            losses.append(session.run([loss, train], {model.source: ids, model.lengths: lengths})[0])
        assert losses[0] > 1.9 and np.mean(losses[-10:]) < 0.05
        ids, lengths = some(rng, 20)
        (found, ends), (best, beam_ends) = session.run([greedy, beams], {model.source: ids, model.lengths: lengths})
    for row, length in enumerate(lengths):
        wanted = [*ids[row, :length], END]
        assert found[row, :length + 1].tolist() == wanted and ends[row] == length + 1
        assert best[row, :length + 1, 0].tolist() == wanted and beam_ends[row, 0] == length + 1
