"""BeamSearchDecoder: keeps the best beams of every step, and gives whole sequences in the end."""
from __future__ import annotations

import math
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.structures import assert_like_rnncell
from graphc.seq2seq.beam_history import sorted_history
from graphc.seq2seq.beam_scores import attention_of
from graphc.seq2seq.beam_search import (
    BeamSearchDecoderOutput,
    BeamSearchDecoderState,
    FinalBeamSearchDecoderOutput,
    Search,
)
from graphc.seq2seq.beams import Beams
from graphc.seq2seq.decoder import Decoder
from graphc.seq2seq.samples import check_layer, embedding_function, sizes_behind, start_and_end
from graphc.wording import warn


@public("contrib.seq2seq.BeamSearchDecoder")
class BeamSearchDecoder(Decoder):
    """Keeps the beam_width most probable sequences of each entry of the batch, as
    `tf.contrib.seq2seq.BeamSearchDecoder`.

    embedding: a function of ids, or a table; start_tokens: int32[batch]; end_token: int32 scalar. initial_state has a
    batch of batch * beam_width entries, as tile_batch makes it; memories of an AttentionWrapper, too. output_layer:
    makes logits of the cell's outputs. length_penalty_weight and coverage_penalty_weight: 0 is without.
    reorder_tensor_arrays: a TensorArray in the state (an alignment history) is given as a tensor, in the order of the
    final beams. Raises TypeError for what is no cell, an output_layer that is no layer, and tokens that are no
    integers; ValueError for tensors of tokens of another dtype or rank, for a state of another batch or of unknown
    rank, and when decoding for a coverage_penalty_weight without an AttentionWrapper.

    >>> cell, encoded = gc.nn.rnn_cell.GRUCell(8), gc.ones([2, 8])
    >>> decoder = gc.contrib.seq2seq.BeamSearchDecoder(
    ...     cell, gc.get_variable("embedding", [10, 4]), start_tokens=gc.fill([2], 1), end_token=0,
    ...     initial_state=gc.contrib.seq2seq.tile_batch(encoded, 3), beam_width=3, output_layer=gc.layers.Dense(10))
    >>> outputs, state, lengths = gc.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=5)
    >>> gc.global_variables_initializer().run()
    >>> outputs.predicted_ids.eval().shape       # [batch, time, beam]
    (2, 5, 3)
    """

    tracks_own_finished = True       # beams change places, so that the loop cannot

    def __init__(self, cell: Any, embedding: Any, start_tokens: Any, end_token: Any, initial_state: Any,
                 beam_width: int, output_layer: Any = None, length_penalty_weight: Any = 0.0,
                 coverage_penalty_weight: Any = 0.0, reorder_tensor_arrays: bool = True) -> None:
        assert_like_rnncell("cell", cell)
        check_layer("output_layer", output_layer)
        self._cell = cell
        self._output_layer = output_layer
        self._reorder_tensor_arrays = reorder_tensor_arrays
        self._embedding_fn = embedding_function(embedding)
        self._start_tokens, self._end_token = start_and_end(start_tokens, end_token)
        self._batch_size = gc.size(self._start_tokens)
        self._beam_width = beam_width
        self._beams = Beams(self._batch_size, beam_width)
        self._search = Search(self._beams, self._end_token, length_penalty_weight, coverage_penalty_weight)
        self._initial_cell_state = gc.nest.map_structure(self._beams.split_state, initial_state, cell.state_size)
        self._start_tokens = gc.tile(gc.expand_dims(self._start_tokens, 1), [1, beam_width])
        self._start_inputs = self._embedding_fn(self._start_tokens)
        self._finished = gc.one_hot(gc.zeros([self._batch_size], dtype=gc.int32), depth=beam_width, on_value=False,
                                    off_value=True, dtype=gc.bool)

    @property
    def batch_size(self) -> Any:
        return self._batch_size

    @property
    def output_size(self) -> BeamSearchDecoderOutput:
        return BeamSearchDecoderOutput(*(gc.TensorShape([self._beam_width]) for _ in range(3)))

    @property
    def output_dtype(self) -> BeamSearchDecoderOutput:
        """That of the first tensor of the state for the scores, int32 for ids."""
        dtype = gc.nest.flatten(self._initial_cell_state)[0].dtype
        size = sizes_behind(self._output_layer, self._cell.output_size)
        return BeamSearchDecoderOutput(gc.nest.map_structure(lambda _: dtype, size), gc.int32, gc.int32)

    def initialize(self, name: str | None = None) -> Any:
        """Of each entry the first beam only is alive: all are equal yet."""
        dtype = gc.nest.flatten(self._initial_cell_state)[0].dtype
        log_probs = gc.one_hot(gc.zeros([self._batch_size], dtype=gc.int32), depth=self._beam_width,
                               on_value=gc.convert_to_tensor(0.0, dtype=dtype),
                               off_value=gc.convert_to_tensor(-math.inf, dtype=dtype), dtype=dtype)
        attention = attention_of(self._initial_cell_state, self._search.coverage_penalty_weight)
        state = BeamSearchDecoderState(
            cell_state=self._initial_cell_state, log_probs=log_probs, finished=self._finished,
            lengths=gc.zeros([self._batch_size, self._beam_width], dtype=gc.int64),
            accumulated_attention_probs=() if attention is None else attention)
        return self._finished, self._start_inputs, state

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        beams, sizes = self._beams, self._cell.state_size
        with gc.name_scope(name, "BeamSearchDecoderStep", [time]):
            inputs = gc.nest.map_structure(lambda part: beams.merge(part, part.shape[2:]), inputs)
            cell_state = gc.nest.map_structure(beams.merge_state, state.cell_state, sizes)
            outputs, cell_state = self._cell(inputs, cell_state)
            outputs = gc.nest.map_structure(lambda part: beams.split(part, part.shape[1:]), outputs)
            cell_state = gc.nest.map_structure(beams.split_state, cell_state, sizes)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            output, next_state = self._search.step(outputs, cell_state, state)
            next_inputs = gc.cond(gc.reduce_all(next_state.finished), lambda: self._start_inputs,
                                  lambda: self._embedding_fn(output.predicted_ids))
        return output, next_state, next_inputs, next_state.finished

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        """Whole beams. sequence_lengths does not matter: those of beams are in final_state."""
        longest = gc.cast(gc.reduce_max(final_state.lengths, axis=1), gc.int32)
        ids = gc.contrib.seq2seq.gather_tree(outputs.predicted_ids, outputs.parent_ids, max_sequence_lengths=longest,
                                             end_token=self._end_token)
        if self._reorder_tensor_arrays:
            final_state = final_state._replace(cell_state=gc.nest.map_structure(
                lambda part: self._in_order(part, outputs.parent_ids, final_state.lengths), final_state.cell_state))
        return FinalBeamSearchDecoderOutput(ids, outputs), final_state

    def _in_order(self, part: Any, parent_ids: Any, lengths: Any) -> Any:
        """An array as a tensor in the order of the final beams, if its elements have beams; all else as it is."""
        if not isinstance(part, gc.TensorArray):
            return part
        shape, batch, width = part.element_shape, self._beams.static_batch, self._beam_width
        if shape.ndims is None or shape.ndims < 1:
            warn("BeamSearchDecoder: a TensorArray in the cell state is not brought into the order of the "
                 f"beams: the shape of its elements must be known and have an axis, but is {shape}")
            return part
        if batch is not None and not _has_beams([s.value for s in shape[:2]], batch, width):
            warn("BeamSearchDecoder: a TensorArray in the cell state is not brought into the order of the "
                 f"beams: its elements have the shape {shape}, and not [{batch}, {width}, ...] or "
                 f"[{batch * width}, ?, ...]; reorder_tensor_arrays=False leaves arrays alone")
            return part
        return sorted_history(part.stack(), parent_ids, lengths, self._beams)


def _has_beams(sizes: list[int | None], batch: int, width: int) -> bool:
    """Whether elements whose first sizes these are belong to beams. As TensorFlow, which asks for [batch, width] if the
    second size is known, too: so histories of a memory of known length stay arrays."""
    if sizes[0] is None:
        return True
    if sizes[0] != batch * width:
        return False
    return len(sizes) < 2 or sizes[1] is None or sizes == [batch, width]
