"""Losses of lists of logits, one tensor a step; and models for lengths in buckets: `tf.contrib.legacy_seq2seq`."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.legacy_seq2seq.sequence_loss_by_example",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.sequence_loss_by_example",
        "compat.v1.nn.seq2seq.sequence_loss_by_example", "compat.v1.models.rnn.seq2seq.sequence_loss_by_example")
def sequence_loss_by_example(logits: Sequence[Any], targets: Sequence[Any], weights: Sequence[Any],
                             average_across_timesteps: bool = True,
                             softmax_loss_function: Callable[..., Any] | None = None,
                             name: str | None = None) -> gc.Tensor:
    """[batch]: the cross entropies of logits [batch, symbols] for targets [batch], times weights [batch], added up over
    the steps, and divided by the weights' sum if average_across_timesteps.

    softmax_loss_function(labels=, logits=): instead of the cross entropy. Raises ValueError for lists of different
    lengths and shapes that do not fit, TypeError for logits or weights that are no floats and targets that are no
    integers. As `tf.contrib.legacy_seq2seq.sequence_loss_by_example`.

    >>> logits, targets = [gc.zeros([2, 4])] * 2, [gc.constant([0, 1])] * 2
    >>> weights = [gc.constant([1., 1.]), gc.constant([1., 0.])]
    >>> loss = gc.contrib.legacy_seq2seq.sequence_loss_by_example(
    ...     logits, targets, weights, average_across_timesteps=False)
    >>> loss.eval()                              # 2 * log(4), log(4)
    array([2.7726, 1.3863], dtype=float32)
    """
    if len(targets) != len(logits) or len(weights) != len(logits):
        raise ValueError("Lengths of logits, weights, and targets must be the same "
                         f"{len(logits)}, {len(weights)}, {len(targets)}.")
    with gc.name_scope(name, "sequence_loss_by_example", [*logits, *targets, *weights]):
        total = gc.add_n([_loss(softmax_loss_function, target, logit) * weight
                          for logit, target, weight in zip(logits, targets, weights, strict=True)])
        if average_across_timesteps:
            total /= gc.add_n(list(weights)) + 1e-12
    return total


def _loss(function: Callable[..., Any] | None, target: Any, logit: Any) -> Any:
    if function is None:
        return gc.nn.sparse_softmax_cross_entropy_with_logits(labels=gc.reshape(target, [-1]), logits=logit)
    names = _parameters(function)
    if "labels" in names and "logits" not in names and len(names) == 2:     # sampled_loss(inputs, labels), before 1.0
        other = next(n for n in names if n != "labels")
        return function(**{"labels": target, other: logit})
    return function(labels=target, logits=logit)


def _parameters(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):                # a function that does not say
        return []


@public("contrib.legacy_seq2seq.sequence_loss", "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.sequence_loss",
        "compat.v1.nn.seq2seq.sequence_loss", "compat.v1.models.rnn.seq2seq.sequence_loss")
def sequence_loss(logits: Sequence[Any], targets: Sequence[Any], weights: Sequence[Any],
                  average_across_timesteps: bool = True, average_across_batch: bool = True,
                  softmax_loss_function: Callable[..., Any] | None = None, name: str | None = None) -> gc.Tensor:
    """The sum of sequence_loss_by_example, divided by the batch size if average_across_batch: a scalar.

    Arguments and errors are those of that. As `tf.contrib.legacy_seq2seq.sequence_loss`.

    >>> logits, targets = [gc.zeros([2, 4])] * 3, [gc.constant([0, 1])] * 3
    >>> gc.contrib.legacy_seq2seq.sequence_loss(logits, targets, [gc.ones([2])] * 3).eval()      # log(4)
    np.float32(1.386)
    """
    with gc.name_scope(name, "sequence_loss", [*logits, *targets, *weights]):
        cost = gc.reduce_sum(sequence_loss_by_example(logits, targets, weights, average_across_timesteps,
                                                      softmax_loss_function))
        if not average_across_batch:
            return cost
        return cost / gc.cast(gc.shape(targets[0])[0], cost.dtype)


@public("contrib.legacy_seq2seq.model_with_buckets",
        "compat.v1.contrib.legacy_seq2seq.python.ops.seq2seq.model_with_buckets",
        "compat.v1.nn.seq2seq.model_with_buckets", "compat.v1.models.rnn.seq2seq.model_with_buckets")
def model_with_buckets(encoder_inputs: Sequence[Any], decoder_inputs: Sequence[Any], targets: Sequence[Any],
                       weights: Sequence[Any], buckets: Sequence[tuple[int, int]], seq2seq: Callable[..., Any],
                       softmax_loss_function: Callable[..., Any] | None = None, per_example_loss: bool = False,
                       name: str | None = None) -> tuple[list[Any], list[Any]]:
    """(outputs, losses) of seq2seq(encoder inputs, decoder inputs) for each bucket, a pair of lengths; all share their
    variables. per_example_loss: losses are [batch]. Raises ValueError if inputs are shorter than the last bucket. As
    `tf.contrib.legacy_seq2seq.model_with_buckets`.

    >>> legacy, cell = gc.contrib.legacy_seq2seq, gc.nn.rnn_cell.GRUCell(3)
    >>> read, written, targets = ([gc.constant([1, 2])] * 4 for _ in range(3))
    >>> def translate(x, y):
    ...     return legacy.embedding_rnn_seq2seq(x, y, cell, 10, 8, embedding_size=4)
    >>> outputs, losses = legacy.model_with_buckets(
    ...     read, written, targets, [gc.ones([2])] * 4, buckets=[(2, 2), (4, 4)], seq2seq=translate)
    >>> [len(bucket) for bucket in outputs], [loss.shape for loss in losses]
    ([2, 4], [TensorShape([]), TensorShape([])])
    """
    source, target = buckets[-1]
    for what, given, wanted in (("encoder_inputs", encoder_inputs, source), ("targets", targets, target),
                                ("weights", weights, target)):
        if len(given) < wanted:
            raise ValueError(f"Length of {what} ({len(given)}) must be at least that of last bucket ({wanted}).")
    loss = sequence_loss_by_example if per_example_loss else sequence_loss
    outputs, losses = [], []
    with gc.name_scope(name, "model_with_buckets", [*encoder_inputs, *decoder_inputs, *targets, *weights]):
        for number, (source, target) in enumerate(buckets):
            with gc.variable_scope(gc.get_variable_scope(), reuse=True if number else None):
                found, _ = seq2seq(encoder_inputs[:source], decoder_inputs[:target])
                outputs.append(found)
                losses.append(loss(found, targets[:target], weights[:target],
                                   softmax_loss_function=softmax_loss_function))
    return outputs, losses
