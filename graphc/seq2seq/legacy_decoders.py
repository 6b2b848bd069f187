"""Decoders that are unrolled into the graph, and models of one cell around them: `tf.contrib.legacy_seq2seq`.

loop_function(output, step) gives the next input from the last output, instead of the one that is given.
"""
from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public

LoopFunction = Callable[[Any, int], Any]


@public("contrib.legacy_seq2seq.rnn_decoder", "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.rnn_decoder",
        "compat.v1.nn.seq2seq.rnn_decoder", "compat.v1.models.rnn.seq2seq.rnn_decoder")
def rnn_decoder(decoder_inputs: Iterable[Any], initial_state: Any, cell: Any, loop_function: LoopFunction | None = None,
                scope: Any = None) -> tuple[list[Any], Any]:
    """(outputs, final state) of the cell over a list of inputs.

    loop_function(output, step): the next input, from the output before; then all inputs but the first are not read.
    decoder_inputs: a list of floats [batch, n]; initial_state as the cell's: ValueError for another size. As
    `tf.contrib.legacy_seq2seq.rnn_decoder`.

    >>> inputs = [gc.ones([2, 3])] * 5
    >>> outputs, state = gc.contrib.legacy_seq2seq.rnn_decoder(
    ...     inputs, gc.zeros([2, 3]), gc.nn.rnn_cell.GRUCell(3), loop_function=lambda output, step: output)
    >>> len(outputs), outputs[0].shape
    (5, TensorShape([Dimension(2), Dimension(3)]))
    """
    with gc.variable_scope(scope or "rnn_decoder") as entered:
        state, outputs = initial_state, []
        for i, given in enumerate(decoder_inputs):
            step = given
            if loop_function is not None and outputs:
                with gc.variable_scope("loop_function", reuse=True):
                    step = loop_function(outputs[-1], i)
            if i > 0:
                entered.reuse_variables()
            output, state = cell(step, state)
            outputs.append(output)
    return outputs, state


@public("contrib.legacy_seq2seq.basic_rnn_seq2seq",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.basic_rnn_seq2seq",
        "compat.v1.nn.seq2seq.basic_rnn_seq2seq", "compat.v1.models.rnn.seq2seq.basic_rnn_seq2seq")
def basic_rnn_seq2seq(encoder_inputs: Sequence[Any], decoder_inputs: Sequence[Any], cell: Any,
                      dtype: Any = gc.float32, scope: Any = None) -> tuple[list[Any], Any]:
    """(outputs, final state) of a decoder that begins at the encoder's final state; both are `cell`, with variables of
    their own.

    Inputs are lists of floats [batch, n]; an empty one for the encoder is a ValueError. As
    `tf.contrib.legacy_seq2seq.basic_rnn_seq2seq`.

    >>> read, written = [gc.ones([2, 4])] * 3, [gc.ones([2, 4])] * 5
    >>> outputs, state = gc.contrib.legacy_seq2seq.basic_rnn_seq2seq(read, written, gc.nn.rnn_cell.GRUCell(3))
    >>> len(outputs), outputs[0].shape
    (5, TensorShape([Dimension(2), Dimension(3)]))
    """
    with gc.variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = gc.nn.static_rnn(copy.deepcopy(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


@public("contrib.legacy_seq2seq.tied_rnn_seq2seq",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.tied_rnn_seq2seq",
        "compat.v1.nn.seq2seq.tied_rnn_seq2seq", "compat.v1.models.rnn.seq2seq.tied_rnn_seq2seq")
def tied_rnn_seq2seq(encoder_inputs: Sequence[Any], decoder_inputs: Sequence[Any], cell: Any,
                     loop_function: LoopFunction | None = None, dtype: Any = gc.float32,
                     scope: Any = None) -> tuple[list[Any], Any]:
    """basic_rnn_seq2seq whose encoder and decoder share their variables.

    Inputs and errors are those of that. As `tf.contrib.legacy_seq2seq.tied_rnn_seq2seq`.

    >>> read, written = [gc.ones([2, 4])] * 3, [gc.ones([2, 4])] * 5
    >>> outputs, state = gc.contrib.legacy_seq2seq.tied_rnn_seq2seq(read, written, gc.nn.rnn_cell.GRUCell(3))
    >>> len(outputs), len(gc.trainable_variables())
    (5, 4)
    """
    with gc.variable_scope("combined_tied_rnn_seq2seq") as entered:
        scope = scope or "tied_rnn_seq2seq"
        _, state = gc.nn.static_rnn(cell, encoder_inputs, dtype=dtype, scope=scope)
        entered.reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function, scope)


@public("contrib.legacy_seq2seq.embedding_rnn_decoder",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.embedding_rnn_decoder",
        "compat.v1.nn.seq2seq.embedding_rnn_decoder", "compat.v1.models.rnn.seq2seq.embedding_rnn_decoder")
def embedding_rnn_decoder(decoder_inputs: Sequence[Any], initial_state: Any, cell: Any, num_symbols: int,
                          embedding_size: int, output_projection: Any = None, feed_previous: bool = False,
                          update_embedding_for_previous: bool = True, scope: Any = None) -> tuple[list[Any], Any]:
    """rnn_decoder of ids, whose embeddings are a variable.

    output_projection: (weights, biases) that make logits of outputs. feed_previous: only the first input is read, then
    the best symbol of the last output; update_embedding_for_previous=False keeps gradients from its embedding. Ids are
    a list of int32 or int64 [batch]: TypeError for others. Raises ValueError if output_projection is not [size,
    num_symbols] and [num_symbols]. As `tf.contrib.legacy_seq2seq.embedding_rnn_decoder`.

    >>> cell, ids = gc.nn.rnn_cell.GRUCell(3), [gc.constant([1, 2])] * 5
    >>> projection = gc.ones([3, 10]), gc.zeros([10])
    >>> outputs, state = gc.contrib.legacy_seq2seq.embedding_rnn_decoder(
    ...     ids, gc.zeros([2, 3]), cell, num_symbols=10, embedding_size=4, output_projection=projection,
    ...     feed_previous=True)
    >>> len(outputs), outputs[0].shape
    (5, TensorShape([Dimension(2), Dimension(3)]))
    """
    with gc.variable_scope(scope or "embedding_rnn_decoder") as entered:
        if output_projection is not None:
            check_projection(output_projection, num_symbols, entered.dtype)
        embedding = gc.get_variable("embedding", [num_symbols, embedding_size])
        loop_function = argmax_embedded(embedding, output_projection,
                                        update_embedding_for_previous) if feed_previous else None
        inputs = (gc.nn.embedding_lookup(embedding, i) for i in decoder_inputs)
        return rnn_decoder(inputs, initial_state, cell, loop_function)


def check_projection(projection: Any, num_symbols: int, dtype: Any, weights: bool = True) -> None:
    """Raises ValueError unless (weights, biases) give num_symbols columns."""
    if weights:
        gc.convert_to_tensor(projection[0], dtype=dtype).get_shape().assert_is_compatible_with([None, num_symbols])
    gc.convert_to_tensor(projection[1], dtype=dtype).get_shape().assert_is_compatible_with([num_symbols])


def argmax_embedded(embedding: Any, projection: Any, update: bool) -> LoopFunction:
    """The loop function: the embedding of the best symbol of the last output."""
    def function(previous: Any, _: int) -> Any:
        if projection is not None:
            previous = gc.nn.xw_plus_b(previous, projection[0], projection[1])
        found = gc.nn.embedding_lookup(embedding, gc.argmax(previous, 1))
        return found if update else gc.stop_gradient(found)

    return function
