"""One step of beam search: of all continuations of all beams those with the best scores."""
from __future__ import annotations

from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public
from graphc.seq2seq.beam_scores import attention_of, log_probabilities, scores_of
from graphc.seq2seq.beams import Beams


@public("contrib.seq2seq.BeamSearchDecoderState")
class BeamSearchDecoderState(NamedTuple):
    """Of each beam [batch, width, ...]: the state of its cell, the logarithm of its probability, whether it is
    finished, its length (int64), and the attention added up, or ().

    As `tf.contrib.seq2seq.BeamSearchDecoderState`.

    >>> gc.contrib.seq2seq.BeamSearchDecoderState._fields
    ('cell_state', 'log_probs', 'finished', 'lengths', 'accumulated_attention_probs')
    """

    cell_state: Any
    log_probs: Any
    finished: Any
    lengths: Any
    accumulated_attention_probs: Any


@public("contrib.seq2seq.BeamSearchDecoderOutput")
class BeamSearchDecoderOutput(NamedTuple):
    """Of each beam [batch, width]: its score, its last id, and the beam of the step before that it continues.

    Scores are floats, the other two int32. As `tf.contrib.seq2seq.BeamSearchDecoderOutput`.

    >>> gc.contrib.seq2seq.BeamSearchDecoderOutput(scores=gc.float32, predicted_ids=gc.int32, parent_ids=gc.int32)
    BeamSearchDecoderOutput(scores=gc.float32, predicted_ids=gc.int32, parent_ids=gc.int32)
    """

    scores: Any
    predicted_ids: Any
    parent_ids: Any


@public("contrib.seq2seq.FinalBeamSearchDecoderOutput")
class FinalBeamSearchDecoderOutput(NamedTuple):
    """The ids of whole beams, the best beam first; and what the steps gave.

    predicted_ids: int32[batch, time, width], or time first; beam_search_decoder_output: a BeamSearchDecoderOutput. As
    `tf.contrib.seq2seq.FinalBeamSearchDecoderOutput`.

    >>> gc.contrib.seq2seq.FinalBeamSearchDecoderOutput._fields
    ('predicted_ids', 'beam_search_decoder_output')
    """

    predicted_ids: Any
    beam_search_decoder_output: Any


class Search(NamedTuple):
    """What stays the same from step to step."""

    beams: Beams
    end_token: Any
    length_penalty_weight: Any
    coverage_penalty_weight: Any

    def step(self, logits: Any, cell_state: Any,
             before: BeamSearchDecoderState) -> tuple[BeamSearchDecoderOutput, BeamSearchDecoderState]:
        """The best continuations. logits [batch, width, symbols] and cell_state are those after `before`."""
        beams, width = self.beams, self.beams.width
        symbols = logits.shape[-1].value
        symbols = gc.shape(logits)[-1] if symbols is None else symbols
        total = gc.expand_dims(before.log_probs, 2) + log_probabilities(logits, self.end_token, before.finished)
        attention = self._attention(cell_state, before)
        scores = scores_of(total, self._lengths(before, symbols), self.length_penalty_weight,
                           self.coverage_penalty_weight, before.finished, attention)
        best, places = gc.nn.top_k(gc.reshape(scores, [beams.batch_size, -1]), k=width)
        for tensor in (best, places):
            tensor.set_shape([beams.static_batch, width])
        ids = gc.cast(gc.mod(places, symbols, name="next_beam_word_ids"), gc.int32)
        parents = gc.cast(gc.floordiv(places, symbols), gc.int32, name="next_beam_parent_ids")
        ended = beams.pick(before.finished, parents, width)
        flat = gc.reshape(total, [beams.batch_size, width * symbols])
        state = BeamSearchDecoderState(
            cell_state=gc.nest.map_structure(lambda part: beams.pick_state(part, parents), cell_state),
            log_probs=beams.pick(flat, places, width * symbols, name="next_beam_probs"),
            finished=gc.logical_or(ended, gc.equal(ids, self.end_token), name="next_beam_finished"),
            lengths=beams.pick(before.lengths, parents, width) + gc.cast(gc.logical_not(ended), gc.int64),
            accumulated_attention_probs=() if attention is None else beams.pick(
                attention, parents, width, name="next_accumulated_attention_probs"))
        return BeamSearchDecoderOutput(best, ids, parents), state

    def _lengths(self, before: BeamSearchDecoderState, symbols: Any) -> gc.Tensor:
        """int64[batch, width, symbols]: the length that each continuation counts as: the end token adds nothing."""
        one = gc.one_hot(gc.fill([self.beams.batch_size, self.beams.width], self.end_token), depth=symbols,
                         on_value=gc.constant(0, gc.int64), off_value=gc.constant(1, gc.int64), dtype=gc.int64)
        goes_on = gc.cast(gc.logical_not(before.finished), gc.int64)
        return one * gc.expand_dims(goes_on, 2) + gc.expand_dims(before.lengths, 2)

    def _attention(self, cell_state: Any, before: BeamSearchDecoderState) -> Any:
        """The attention added up; that of finished beams stays."""
        found = attention_of(cell_state, self.coverage_penalty_weight)
        if found is None:
            return None
        goes_on = gc.expand_dims(gc.cast(gc.logical_not(before.finished), found.dtype), 2)
        return before.accumulated_attention_probs + found * goes_on
