"""How beams are ranked: by the logarithm of their probability, less penalties for length and for what of the source was
not attended to (Wu et al. 2016, arXiv 1609.08144)."""
from __future__ import annotations

from numbers import Real
from typing import Any

import graphc as gc
from graphc.seq2seq.attention_state import AttentionWrapperState


def scores_of(log_probs: Any, lengths: Any, length_weight: Any, coverage_weight: Any, finished: Any,
              attention: Any) -> gc.Tensor:
    """[batch, width, symbols]. attention: the probabilities [batch, width, time] added up over all steps, if
    coverage_weight is not 0."""
    penalty = _length_penalty(lengths, length_weight)
    scores = log_probs if penalty is None else log_probs / gc.cast(penalty, log_probs.dtype)
    weight = gc.convert_to_tensor(coverage_weight, name="coverage_penalty_weight")
    if weight.shape.ndims != 0:
        raise ValueError(f"coverage_penalty_weight should be a scalar, but saw shape: {weight.shape}")
    if attention is None:
        return scores
    seen = gc.where(gc.equal(attention, 0.0), gc.ones_like(attention), attention)      # 0: after the source's end
    coverage = gc.reduce_sum(gc.log(gc.minimum(seen, 1.0)), 2) * gc.cast(finished, seen.dtype)
    return scores + gc.expand_dims(coverage * gc.cast(weight, seen.dtype), 2)


def _length_penalty(lengths: Any, weight: Any) -> Any:
    """((5 + length) / 6) ** weight; None if the weight is known to be 0."""
    weight = gc.convert_to_tensor(weight, name="penalty_factor")
    weight.set_shape(())
    known = gc.get_static_value(weight)
    if known is not None and known == 0:
        return None
    return gc.div((5.0 + gc.cast(lengths, weight.dtype)) ** weight, (5.0 + 1.0) ** weight)


def attention_of(cell_state: Any, coverage_weight: Any) -> Any:
    """The alignments [batch, width, time] of the last step, the mean of all mechanisms; None if coverage_weight is 0.

    Raises ValueError if there is none.
    """
    if isinstance(coverage_weight, Real) and coverage_weight == 0.0:
        return None
    states = cell_state if type(cell_state) is tuple else (cell_state,)
    found = [_mean(state.alignments) for state in states if isinstance(state, AttentionWrapperState)]
    if not found:
        raise ValueError("coverage_penalty_weight must be 0.0 if no cell is attentional.")
    return _mean(tuple(found))


def _mean(parts: Any) -> Any:
    if not isinstance(parts, tuple):
        return parts
    return parts[0] if len(parts) == 1 else gc.reduce_mean(gc.stack(parts, -1), -1)


def log_probabilities(logits: Any, end_token: Any, finished: Any) -> gc.Tensor:
    """log_softmax of logits [batch, width, symbols]; a finished beam has all probability on the end token."""
    found = gc.nn.log_softmax(logits)
    symbols = gc.shape(found)[2]
    ended = gc.one_hot(end_token, symbols, dtype=found.dtype, on_value=gc.convert_to_tensor(0.0, dtype=found.dtype),
                       off_value=gc.convert_to_tensor(found.dtype.min, dtype=found.dtype))
    ended = gc.tile(gc.reshape(ended, [1, 1, -1]), gc.concat([gc.shape(finished), [1]], 0))
    return gc.where(gc.tile(gc.expand_dims(finished, 2), [1, 1, symbols]), ended, found)
