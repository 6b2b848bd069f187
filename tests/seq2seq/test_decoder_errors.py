"""What decoders, helpers and attention say of wrong arguments; and decoders of scripts' own."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def fresh_graph() -> None:
    gc.reset_default_graph()


def test_decoder_arguments() -> None:
    seq2seq, cell = gc.contrib.seq2seq, gc.nn.rnn_cell.GRUCell(3)
    helper = seq2seq.TrainingHelper(gc.zeros([2, 4, 3]), [4, 4])
    with pytest.raises(TypeError, match="helper must be a Helper"):
        seq2seq.BasicDecoder(cell, 3, gc.zeros([2, 3]))
    with pytest.raises(TypeError, match="not an RNNCell"):
        seq2seq.BasicDecoder(3, helper, gc.zeros([2, 3]))
    with pytest.raises(TypeError, match="output_layer must be a Layer"):
        seq2seq.BasicDecoder(cell, helper, gc.zeros([2, 3]), lambda x: x)
    with pytest.raises(TypeError, match="to be type Decoder"):
        seq2seq.dynamic_decode(helper)
    decoder = seq2seq.BasicDecoder(cell, helper, gc.zeros([2, 3]))
    with pytest.raises(ValueError, match="maximum_iterations must be a scalar"):
        seq2seq.dynamic_decode(decoder, maximum_iterations=[1])


def test_helper_arguments() -> None:
    seq2seq, inputs = gc.contrib.seq2seq, gc.zeros([2, 4, 3])
    with pytest.raises(ValueError, match="sequence_length to be a vector"):
        seq2seq.TrainingHelper(inputs, 4)
    with pytest.raises(ValueError, match="sampling_probability must be either a scalar or a vector"):
        seq2seq.ScheduledOutputTrainingHelper(inputs, [4, 4], [[0.5]])
    with pytest.raises(TypeError, match="outputs to be a single Tensor"):
        seq2seq.GreedyEmbeddingHelper(gc.eye(3), [1, 1], 2).sample(0, (inputs,), None)
    custom = seq2seq.CustomHelper(lambda: None, lambda: None, lambda: None)
    with pytest.raises(ValueError, match="before initialize"):
        print(custom.batch_size)


def test_attention_arguments() -> None:
    seq2seq, cell, memory = gc.contrib.seq2seq, gc.nn.rnn_cell.GRUCell(3), gc.ones([2, 4, 3])
    attention = seq2seq.LuongAttention(3, memory)
    with pytest.raises(TypeError, match="must be an AttentionMechanism"):
        seq2seq.AttentionWrapper(cell, memory)
    with pytest.raises(ValueError, match="exactly one integer per attention_mechanism, saw: 1 vs 2"):
        seq2seq.AttentionWrapper(cell, [attention, attention], attention_layer_size=3)
    with pytest.raises(ValueError, match="Only one of"):
        seq2seq.AttentionWrapper(cell, attention, 3, attention_layer=gc.layers.Dense(3))
    with pytest.raises(gc.errors.InvalidArgumentError, match="Non-matching batch sizes"):
        seq2seq.AttentionWrapper(cell, attention).zero_state(5, gc.float32)
    with pytest.raises(TypeError, match="AttentionWrapperState"):
        seq2seq.AttentionWrapper(cell, attention)(gc.ones([2, 3]), gc.ones([2, 3]))
    with pytest.raises(ValueError, match="fully defined inner dims"):
        seq2seq.LuongAttention(3, gc.placeholder(gc.float32, [2, 4, None]))
    with pytest.raises(ValueError, match="set num_units to the keys' dimension"), gc.variable_scope("other"):
        seq2seq.LuongAttention(5, memory)(gc.ones([2, 3]), None)
    with pytest.raises(TypeError, match="probability_fn must be callable"):
        seq2seq.BahdanauAttention(3, memory, probability_fn=3)
    with pytest.raises(ValueError, match="mode must be"):
        seq2seq.monotonic_attention(gc.ones([2, 3]), gc.ones([2, 3]), "soft")


def test_clone_keeps_shapes() -> None:
    seq2seq = gc.contrib.seq2seq
    attention = seq2seq.LuongAttention(3, gc.placeholder(gc.float32, [None, 4, 3]))
    state = seq2seq.AttentionWrapper(gc.nn.rnn_cell.GRUCell(3), attention).zero_state(attention.batch_size, gc.float32)
    with pytest.raises(ValueError, match="tile_batch"):
        state.clone(cell_state=gc.zeros([2, 5]))
    given = gc.placeholder(gc.float32, [None, None])
    cloned = state.clone(cell_state=given)
    assert cloned.cell_state.shape.as_list() == [None, 3] and cloned.time is state.time
    memory = attention.values.op.inputs[0] if attention.values.op.inputs else attention.values
    with gc.Session() as session:
        assert session.run(cloned.cell_state, {given: np.ones((2, 3)), memory: np.ones((2, 4, 3))}).shape == (2, 3)
        with pytest.raises(gc.errors.InvalidArgumentError, match="must have the shape"):
            session.run(cloned.cell_state, {given: np.ones((3, 3)), memory: np.ones((2, 4, 3))})


def test_lengths_of_0_are_refused() -> None:
    lengths = gc.placeholder(gc.int32, [None])
    attention = gc.contrib.seq2seq.LuongAttention(3, gc.ones([2, 4, 3]), lengths)
    with pytest.raises(gc.errors.InvalidArgumentError, match="must be greater than zero"), gc.Session() as session:
        session.run(gc.global_variables_initializer())
        alignments, _ = attention(gc.ones([2, 3]), None)
        session.run(gc.global_variables_initializer())
        session.run(alignments, {lengths: [0, 4]})


def test_a_decoder_of_ones_own_in_a_loop() -> None:
    """Counts down from its start; nested outputs, no finalize, in a loop around the decoder's, twice in one graph."""
    class Countdown(gc.contrib.seq2seq.Decoder):
        def __init__(self, start: Any) -> None:
            self.start = start

        batch_size = property(lambda self: gc.size(self.start))
        output_size = property(lambda self: {"left": gc.TensorShape([]), "pair": (gc.TensorShape([2]),)})
        output_dtype = property(lambda self: {"left": gc.int32, "pair": (gc.float32,)})

        def initialize(self, name: Any = None) -> Any:
            return self.start <= 0, self.start, ()

        def step(self, time: Any, inputs: Any, state: Any, name: Any = None) -> Any:
            left = inputs - 1
            pair = gc.cast(gc.stack([inputs, left], 1), gc.float32)
            return {"left": left, "pair": (pair,)}, state, left, left <= 0

    def decoded(start: Any) -> Any:
        outputs, _, lengths = gc.contrib.seq2seq.dynamic_decode(Countdown(start), impute_finished=True)
        return outputs, lengths

    start = gc.placeholder(gc.int32, [None])
    total = gc.while_loop(lambda i, _: i < 3, lambda i, t: (i + 1, t + gc.reduce_sum(decoded(start + i)[0]["left"])),
                          (0, 0))[1]
    with gc.Session() as session:
        (outputs, lengths), found = session.run([decoded(start), total], {start: [2, 0, 3]})
    assert outputs["left"].tolist() == [[1, 0, 0], [0, 0, 0], [2, 1, 0]] and lengths.tolist() == [2, 0, 3]
    assert outputs["pair"][0].shape == (3, 3, 2) and outputs["pair"][0][0].tolist() == [[2, 1], [1, 0], [0, 0]]
    assert found == sum(sum(range(n)) for i in range(3) for n in (2 + i, i, 3 + i))
