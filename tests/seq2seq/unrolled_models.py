"""Models of contrib.legacy_seq2seq, by name, whose results tests compare with TensorFlow's numbers."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gc

BATCH, TIME, SOURCE, TARGET, SIZE, UNITS = 3, 4, 7, 9, 5, 6


class Lists:
    """Lists of inputs. feeds_back: a tensor by which the run chooses."""

    def __init__(self) -> None:
        self.source = [gc.placeholder(gc.int32, [None]) for _ in range(TIME)]
        self.target = [gc.placeholder(gc.int32, [None]) for _ in range(TIME + 1)]
        self.weights = [gc.placeholder(gc.float32, [None]) for _ in range(TIME + 1)]
        self.feeds_back = gc.placeholder(gc.bool, [])

    def feeds(self, back: bool) -> dict[Any, Any]:
        given: dict[Any, Any] = {self.feeds_back: back}
        for i, ids in enumerate(self.source + self.target):
            given[ids] = (np.arange(BATCH) * 3 + i * 2) % SOURCE
        for i, weights in enumerate(self.weights):
            given[weights] = np.array([1.0, 0.5 * (i < 3), i < 2], np.float32)
        return given


def lstm() -> Any:
    return gc.nn.rnn_cell.BasicLSTMCell(UNITS)


def one_hot(ids: list[Any]) -> list[Any]:
    return [gc.one_hot(i, SOURCE) for i in ids]


Model = Callable[[Lists, Any], tuple[Any, Any]]
_legacy: Any = gc.contrib.legacy_seq2seq
FEEDING: dict[str, Model] = {       # whose second argument is feed_previous
    "embedding_rnn": lambda x, back: _legacy.embedding_rnn_seq2seq(
        x.source, x.target[:TIME], lstm(), SOURCE, TARGET, SIZE, feed_previous=back),
    "embedding_tied_rnn": lambda x, back: _legacy.embedding_tied_rnn_seq2seq(
        x.source, x.target[:TIME], lstm(), TARGET, SIZE, feed_previous=back),
    "embedding_attention": lambda x, back: _legacy.embedding_attention_seq2seq(
        x.source, x.target[:TIME], gc.nn.rnn_cell.MultiRNNCell([lstm(), lstm()]), SOURCE, TARGET, SIZE, num_heads=2,
        feed_previous=back),
    "initial_state_attention": lambda x, back: _legacy.embedding_attention_seq2seq(
        x.source, x.target[:TIME], lstm(), SOURCE, TARGET, SIZE, feed_previous=back, initial_state_attention=True),
    "one2many": lambda x, back: _legacy.one2many_rnn_seq2seq(
        x.source, {"a": x.target[:TIME], "b": x.target[:TIME]}, lstm(), {"a": lstm(), "b": lstm()}, SOURCE,
        {"a": TARGET, "b": TARGET}, SIZE, feed_previous=back),
}
PLAIN: dict[str, Model] = {
    "basic_rnn": lambda x, _: _legacy.basic_rnn_seq2seq(one_hot(x.source), one_hot(x.target[:TIME]),
                                                        gc.nn.rnn_cell.GRUCell(TARGET)),
    "tied_rnn": lambda x, _: _legacy.tied_rnn_seq2seq(one_hot(x.source), one_hot(x.target[:TIME]),
                                                      gc.nn.rnn_cell.BasicRNNCell(TARGET)),
}


def fetches_of(model: Model, x: Lists, back: Any) -> Any:
    """Outputs, final states, losses, and the gradients of the losses."""
    outputs, state = model(x, back)
    if isinstance(outputs, dict):
        losses = [_legacy.sequence_loss(outputs[key], x.target[1:], x.weights[:TIME]) for key in sorted(outputs)]
    else:
        losses = [_legacy.sequence_loss(outputs, x.target[1:], x.weights[:TIME]),
                  _legacy.sequence_loss_by_example(outputs, x.target[1:], x.weights[:TIME],
                                                   average_across_timesteps=False)]
    return [outputs, state, losses, _gradients(losses)]


def buckets(x: Lists, per_example: bool) -> Any:
    outputs, losses = _legacy.model_with_buckets(
        x.source, x.target, x.target[1:], x.weights, [(2, 2), (4, 4)],
        lambda source, target: _legacy.embedding_attention_seq2seq(source, target, lstm(), SOURCE, TARGET, SIZE),
        per_example_loss=per_example)
    return [outputs, losses, _gradients(losses)]


def _gradients(losses: Any) -> list[Any]:
    found = gc.gradients(losses, sorted(gc.trainable_variables(), key=lambda v: v.name))
    return [g for g in found if g is not None]
