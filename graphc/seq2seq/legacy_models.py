"""Models from ids to logits, unrolled into the graph: `tf.contrib.legacy_seq2seq`.

feed_previous: a Python bool, or a bool scalar tensor, by which each run chooses: whether the decoder reads the best
symbol of its last output instead of its inputs. output_projection: (weights, biases), if the outputs of the cell are no
logits yet; without it a projection of the decoder's own makes them.
"""
from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.seq2seq.legacy_attention import embedding_attention_decoder
from graphc.seq2seq.legacy_decoders import argmax_embedded, check_projection, embedding_rnn_decoder, tied_rnn_seq2seq

Found = tuple[list[Any], Any]


def _chosen(feed_previous: Any, decoder: Callable[[bool], Found]) -> Found:
    """decoder(feed_previous) for a tensor: both ways share their variables."""
    def one(feeds: bool) -> Found:
        with gc.variable_scope(gc.get_variable_scope(), reuse=None if feeds else True):
            return decoder(feeds)

    outputs, state = gc.cond(feed_previous, lambda: one(True), lambda: one(False))
    return list(outputs), state


def _encoder(cell: Any, symbols: int, size: int) -> Any:
    return gc.contrib.rnn.EmbeddingWrapper(cell, embedding_classes=symbols, embedding_size=size)


@public("contrib.legacy_seq2seq.embedding_rnn_seq2seq",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.embedding_rnn_seq2seq",
        "compat.v1.nn.seq2seq.embedding_rnn_seq2seq", "compat.v1.models.rnn.seq2seq.embedding_rnn_seq2seq")
def embedding_rnn_seq2seq(encoder_inputs: Sequence[Any], decoder_inputs: Sequence[Any], cell: Any,
                          num_encoder_symbols: int, num_decoder_symbols: int, embedding_size: int,
                          output_projection: Any = None, feed_previous: Any = False, dtype: Any = None,
                          scope: Any = None) -> Found:
    """(outputs, final state): `cell` reads the embeddings of the encoder's ids, another one of its kind goes on from
    there over those of the decoder's.

    Ids are lists of int32 or int64 [batch]: TypeError for others; an empty one for the encoder is a ValueError. As
    `tf.contrib.legacy_seq2seq.embedding_rnn_seq2seq`.

    >>> read, written = [gc.constant([1, 2])] * 3, [gc.constant([0, 0])] * 5
    >>> outputs, state = gc.contrib.legacy_seq2seq.embedding_rnn_seq2seq(
    ...     read, written, gc.nn.rnn_cell.GRUCell(3), num_encoder_symbols=10, num_decoder_symbols=8, embedding_size=4)
    >>> len(outputs), outputs[0].shape
    (5, TensorShape([Dimension(2), Dimension(8)]))
    """
    with gc.variable_scope(scope or "embedding_rnn_seq2seq", dtype=dtype) as entered:
        encoder = _encoder(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        _, state = gc.nn.static_rnn(encoder, encoder_inputs, dtype=entered.dtype)
        if output_projection is None:
            cell = gc.contrib.rnn.OutputProjectionWrapper(cell, num_decoder_symbols)

        def decoder(feeds: bool, update: bool) -> Found:
            return embedding_rnn_decoder(decoder_inputs, state, cell, num_decoder_symbols, embedding_size,
                                         output_projection, feeds, update)

        if isinstance(feed_previous, bool):
            return decoder(feed_previous, True)
        return _chosen(feed_previous, lambda feeds: decoder(feeds, False))


@public("contrib.legacy_seq2seq.embedding_tied_rnn_seq2seq",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.embedding_tied_rnn_seq2seq",
        "compat.v1.nn.seq2seq.embedding_tied_rnn_seq2seq", "compat.v1.models.rnn.seq2seq.embedding_tied_rnn_seq2seq")
def embedding_tied_rnn_seq2seq(encoder_inputs: Sequence[Any], decoder_inputs: Sequence[Any], cell: Any,
                               num_symbols: int, embedding_size: int, num_decoder_symbols: int | None = None,
                               output_projection: Any = None, feed_previous: Any = False, dtype: Any = None,
                               scope: Any = None) -> Found:
    """(outputs, final state) of one cell that reads the encoder's and then the decoder's ids, of one set of symbols.

    num_decoder_symbols: the number of logits, if it is not num_symbols. Ids are lists of int32 or int64 [batch]:
    TypeError for others; an empty one for the encoder is a ValueError. As
    `tf.contrib.legacy_seq2seq.embedding_tied_rnn_seq2seq`.

    >>> read, written = [gc.constant([1, 2])] * 3, [gc.constant([0, 0])] * 5
    >>> outputs, state = gc.contrib.legacy_seq2seq.embedding_tied_rnn_seq2seq(
    ...     read, written, gc.nn.rnn_cell.GRUCell(3), num_symbols=10, embedding_size=4)
    >>> len(outputs), outputs[0].shape
    (5, TensorShape([Dimension(2), Dimension(10)]))
    """
    with gc.variable_scope(scope or "embedding_tied_rnn_seq2seq", dtype=dtype) as entered:
        if output_projection is not None:
            check_projection(output_projection, num_symbols, entered.dtype)
        embedding = gc.get_variable("embedding", [num_symbols, embedding_size], dtype=entered.dtype)
        encoded, decoded = ([gc.nn.embedding_lookup(embedding, i) for i in ids]
                            for ids in (encoder_inputs, decoder_inputs))
        if output_projection is None:
            cell = gc.contrib.rnn.OutputProjectionWrapper(cell, num_decoder_symbols or num_symbols)

        def model(feeds: bool, update: bool) -> Found:
            function = argmax_embedded(embedding, output_projection, update) if feeds else None
            return tied_rnn_seq2seq(encoded, decoded, cell, function, entered.dtype)

        if isinstance(feed_previous, bool):
            return model(feed_previous, True)
        return _chosen(feed_previous, lambda feeds: model(feeds, False))


@public("contrib.legacy_seq2seq.embedding_attention_seq2seq",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.embedding_attention_seq2seq",
        "compat.v1.nn.seq2seq.embedding_attention_seq2seq", "compat.v1.models.rnn.seq2seq.embedding_attention_seq2seq")
def embedding_attention_seq2seq(encoder_inputs: Sequence[Any], decoder_inputs: Sequence[Any], cell: Any,
                                num_encoder_symbols: int, num_decoder_symbols: int, embedding_size: int,
                                num_heads: int = 1, output_projection: Any = None, feed_previous: Any = False,
                                dtype: Any = None, scope: Any = None, initial_state_attention: bool = False) -> Found:
    """embedding_rnn_seq2seq whose decoder attends to the encoder's outputs with num_heads heads.

    Ids are lists of int32 or int64 [batch]: TypeError for others; empty ones and num_heads below 1 are a ValueError. As
    `tf.contrib.legacy_seq2seq.embedding_attention_seq2seq`.

    >>> read, written = [gc.constant([1, 2])] * 3, [gc.constant([0, 0])] * 5
    >>> outputs, state = gc.contrib.legacy_seq2seq.embedding_attention_seq2seq(
    ...     read, written, gc.nn.rnn_cell.GRUCell(3), num_encoder_symbols=10, num_decoder_symbols=8, embedding_size=4,
    ...     feed_previous=True)
    >>> len(outputs), outputs[0].shape
    (5, TensorShape([Dimension(2), Dimension(8)]))
    """
    with gc.variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as entered:
        encoder = _encoder(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        outputs, state = gc.nn.static_rnn(encoder, encoder_inputs, dtype=entered.dtype)
        states = gc.concat([gc.reshape(output, [-1, 1, cell.output_size]) for output in outputs], 1)
        size = None
        if output_projection is None:
            cell, size = gc.contrib.rnn.OutputProjectionWrapper(cell, num_decoder_symbols), num_decoder_symbols

        def decoder(feeds: bool, update: bool) -> Found:
            return embedding_attention_decoder(
                decoder_inputs, state, states, cell, num_decoder_symbols, embedding_size, num_heads, size,
                output_projection, feeds, update, initial_state_attention=initial_state_attention)

        if isinstance(feed_previous, bool):
            return decoder(feed_previous, True)
        return _chosen(feed_previous, lambda feeds: decoder(feeds, False))


@public("contrib.legacy_seq2seq.one2many_rnn_seq2seq",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.one2many_rnn_seq2seq",
        "compat.v1.nn.seq2seq.one2many_rnn_seq2seq")
def one2many_rnn_seq2seq(encoder_inputs: Sequence[Any], decoder_inputs_dict: Mapping[Any, Sequence[Any]], enc_cell: Any,
                         dec_cells_dict: Mapping[Any, Any], num_encoder_symbols: int,
                         num_decoder_symbols_dict: Mapping[Any, int], embedding_size: int, feed_previous: Any = False,
                         dtype: Any = None, scope: Any = None) -> tuple[dict[Any, list[Any]], dict[Any, Any]]:
    """(outputs, final states) by name, of one encoder and several decoders that go on from its final state.

    Raises ValueError if the cells and the inputs of the decoders have not the same names, TypeError for what is no
    cell. As `tf.contrib.legacy_seq2seq.one2many_rnn_seq2seq`.

    >>> cells = {name: gc.nn.rnn_cell.GRUCell(3) for name in ("de", "fr")}
    >>> words = {name: [gc.constant([0, 0])] * 5 for name in cells}
    >>> outputs, states = gc.contrib.legacy_seq2seq.one2many_rnn_seq2seq(
    ...     [gc.constant([1, 2])] * 3, words, gc.nn.rnn_cell.GRUCell(3), cells, num_encoder_symbols=10,
    ...     num_decoder_symbols_dict={"de": 8, "fr": 6}, embedding_size=4)
    >>> outputs["de"][0].shape, outputs["fr"][0].shape
    (TensorShape([Dimension(2), Dimension(8)]), TensorShape([Dimension(2), Dimension(6)]))
    """
    if set(dec_cells_dict) != set(decoder_inputs_dict):
        raise ValueError("keys of dec_cells_dict != keys of decoder_inputs_dict")
    for what, cell in (("enc_cell", enc_cell), *(("dec_cell", c) for c in dec_cells_dict.values())):
        if not isinstance(cell, gc.nn.rnn_cell.RNNCell):
            raise TypeError(f"{what} is not an RNNCell: {type(cell)}")
    outputs, states = {}, {}
    with gc.variable_scope(scope or "one2many_rnn_seq2seq", dtype=dtype) as entered:
        encoder = _encoder(enc_cell, num_encoder_symbols, embedding_size)
        _, state = gc.nn.static_rnn(encoder, encoder_inputs, dtype=entered.dtype)
        for name, inputs in decoder_inputs_dict.items():
            symbols = num_decoder_symbols_dict[name]
            with gc.variable_scope(f"one2many_decoder_{name}"):
                cell = gc.contrib.rnn.OutputProjectionWrapper(dec_cells_dict[name], symbols)

                def decoder(feeds: bool, inputs: Any = inputs, cell: Any = cell, symbols: int = symbols) -> Found:
                    return embedding_rnn_decoder(inputs, state, cell, symbols, embedding_size, feed_previous=feeds)

                found = (decoder(feed_previous) if isinstance(feed_previous, bool)
                         else _chosen(feed_previous, decoder))
            outputs[name], states[name] = found
    return outputs, states
