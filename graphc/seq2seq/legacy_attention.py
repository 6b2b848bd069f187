"""A decoder that attends to states of the encoder, unrolled into the graph (Vinyals et al. 2014, arXiv 1412.7449)."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.linear import linear
from graphc.seq2seq.legacy_decoders import LoopFunction, argmax_embedded, check_projection
from graphc.seq2seq.samples import size_of


class _Heads:
    """Several readings of the attention states, each with variables of its own."""

    def __init__(self, states: Any, count: int, dtype: Any) -> None:
        self.dtype = dtype
        self.length, self.size = size_of(states, 1), states.shape[2].value
        self.hidden = gc.reshape(states, [-1, self.length, 1, self.size])
        self.features, self.v = [], []
        for i in range(count):
            kernel = gc.get_variable(f"AttnW_{i}", [1, 1, self.size, self.size], dtype=dtype)
            self.features.append(gc.nn.conv2d(self.hidden, kernel, [1, 1, 1, 1], "SAME"))
            self.v.append(gc.get_variable(f"AttnV_{i}", [self.size], dtype=dtype))

    def zeros(self, batch_size: Any) -> list[Any]:
        """What is read before the first step."""
        made = [gc.zeros(gc.stack([batch_size, self.size]), dtype=self.dtype) for _ in self.v]
        for zero in made:
            zero.set_shape([None, self.size])
        return made

    def read(self, query: Any) -> list[Any]:
        """[batch, size] for each head: the states' sum, weighted by how well they answer the query, a cell's state."""
        if gc.nest.is_nested(query):
            query = gc.concat(gc.nest.flatten(query), 1)
        return [self._read(i, query) for i in range(len(self.v))]

    def _read(self, i: int, query: Any) -> Any:
        with gc.variable_scope(f"Attention_{i}"):
            asked = gc.cast(gc.reshape(linear(query, self.size, True), [-1, 1, 1, self.size]), self.dtype)
            score = gc.reduce_sum(self.v[i] * gc.tanh(self.features[i] + asked), [2, 3])
            weights = gc.cast(gc.nn.softmax(gc.cast(score, gc.float32)), self.dtype)
            found = gc.reduce_sum(gc.reshape(weights, [-1, self.length, 1, 1]) * self.hidden, [1, 2])
            return gc.reshape(found, [-1, self.size])


@public("contrib.legacy_seq2seq.attention_decoder",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.attention_decoder",
        "compat.v1.nn.seq2seq.attention_decoder", "compat.v1.models.rnn.seq2seq.attention_decoder")
def attention_decoder(decoder_inputs: Sequence[Any], initial_state: Any, attention_states: Any, cell: Any,
                      output_size: int | None = None, num_heads: int = 1, loop_function: LoopFunction | None = None,
                      dtype: Any = None, scope: Any = None,
                      initial_state_attention: bool = False) -> tuple[list[Any], Any]:
    """(outputs [batch, output_size], final state) of the cell over a list of inputs; it reads each along with what
    num_heads heads found in attention_states [batch, time, size].

    output_size: by default the cell's. initial_state_attention: the first step reads with the initial state, else it
    gets zeros. decoder_inputs: a list of floats [batch, n]; initial_state as the cell's. Raises ValueError for an empty
    list, num_heads below 1, and if n or the size of attention_states is not known. As
    `tf.contrib.legacy_seq2seq.attention_decoder`.

    >>> cell, words = gc.nn.rnn_cell.GRUCell(3), [gc.ones([2, 4]) for _ in range(5)]
    >>> memory = gc.ones([2, 7, 6])
    >>> outputs, state = gc.contrib.legacy_seq2seq.attention_decoder(words, gc.zeros([2, 3]), memory, cell)
    >>> len(outputs), outputs[0].shape, state.shape
    (5, TensorShape([Dimension(2), Dimension(3)]), TensorShape([Dimension(2), Dimension(3)]))
    """
    if not decoder_inputs:
        raise ValueError("Must provide at least 1 input to attention decoder.")
    if num_heads < 1:
        raise ValueError("With less than 1 heads, use a non-attention decoder.")
    if attention_states.get_shape()[2].value is None:
        raise ValueError(f"Shape[2] of attention_states must be known: {attention_states.get_shape()}")
    size = cell.output_size if output_size is None else output_size
    with gc.variable_scope(scope or "attention_decoder", dtype=dtype) as entered:
        heads = _Heads(attention_states, num_heads, entered.dtype)
        state, outputs = initial_state, []
        found = heads.read(state) if initial_state_attention else heads.zeros(gc.shape(decoder_inputs[0])[0])
        for i, given in enumerate(decoder_inputs):
            step = given
            if i > 0:
                entered.reuse_variables()
            if loop_function is not None and outputs:
                with gc.variable_scope("loop_function", reuse=True):
                    step = loop_function(outputs[-1], i)
            output, state = cell(_mixed(step, found, entered.dtype), state)
            if i == 0 and initial_state_attention:
                with gc.variable_scope(entered, reuse=True):
                    found = heads.read(state)
            else:
                found = heads.read(state)
            with gc.variable_scope("AttnOutputProjection"):
                outputs.append(linear([gc.cast(output, entered.dtype), *found], size, True))
    return outputs, state


def _mixed(step: Any, found: list[Any], dtype: Any) -> Any:
    """The input and what was found, as one of the input's size."""
    size = step.get_shape().with_rank(2)[1].value
    if size is None:
        raise ValueError(f"Could not infer input size from input: {step.name}")
    return linear([gc.cast(part, dtype) for part in (step, *found)], size, True)


@public("contrib.legacy_seq2seq.embedding_attention_decoder",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.embedding_attention_decoder",
        "compat.v1.nn.seq2seq.embedding_attention_decoder", "compat.v1.models.rnn.seq2seq.embedding_attention_decoder")
def embedding_attention_decoder(decoder_inputs: Sequence[Any], initial_state: Any, attention_states: Any, cell: Any,
                                num_symbols: int, embedding_size: int, num_heads: int = 1,
                                output_size: int | None = None, output_projection: Any = None,
                                feed_previous: bool = False, update_embedding_for_previous: bool = True,
                                dtype: Any = None, scope: Any = None,
                                initial_state_attention: bool = False) -> tuple[list[Any], Any]:
    """attention_decoder of ids, whose embeddings are a variable; parameters as embedding_rnn_decoder's.

    Ids are a list of int32 or int64 [batch]: TypeError for others. Raises ValueError as attention_decoder. As
    `tf.contrib.legacy_seq2seq.embedding_attention_decoder`.

    >>> cell, ids = gc.nn.rnn_cell.GRUCell(3), [gc.constant([1, 2])] * 5
    >>> outputs, state = gc.contrib.legacy_seq2seq.embedding_attention_decoder(
    ...     ids, gc.zeros([2, 3]), gc.ones([2, 7, 6]), cell, num_symbols=10, embedding_size=4)
    >>> len(outputs), outputs[0].shape
    (5, TensorShape([Dimension(2), Dimension(3)]))
    """
    size = cell.output_size if output_size is None else output_size
    if output_projection is not None:
        check_projection(output_projection, num_symbols, dtype, weights=False)
    with gc.variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        embedding = gc.get_variable("embedding", [num_symbols, embedding_size])
        loop_function = argmax_embedded(embedding, output_projection,
                                        update_embedding_for_previous) if feed_previous else None
        inputs = [gc.nn.embedding_lookup(embedding, i) for i in decoder_inputs]
        return attention_decoder(inputs, initial_state, attention_states, cell, size, num_heads, loop_function,
                                 initial_state_attention=initial_state_attention)
