"""The loss of sequences of logits."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.seq2seq.sequence_loss")
def sequence_loss(logits: Any, targets: Any, weights: Any, average_across_timesteps: bool = True,
                  average_across_batch: bool = True, sum_over_timesteps: bool = False, sum_over_batch: bool = False,
                  softmax_loss_function: Callable[..., Any] | None = None, name: str | None = None) -> gc.Tensor:
    """The weighted cross entropy of logits [batch, time, symbols] for targets [batch, time], as
    `tf.contrib.seq2seq.sequence_loss`.

    average_across_...: the sum along that axis, divided by the sum of the weights; sum_over_...: divided by the number
    of weights that are not 0. An axis with neither stays. softmax_loss_function(labels=, logits=) gives the losses of
    flat targets and logits. weights are floats [batch, time], targets int32 or int64: TypeError for others. Raises
    ValueError for other ranks, or if both are asked for of one axis.

    >>> logits, targets = gc.zeros([2, 3, 4]), gc.constant([[0, 1, 2], [3, 0, 0]])
    >>> mask = gc.sequence_mask([3, 1], dtype=gc.float32)
    >>> gc.contrib.seq2seq.sequence_loss(logits, targets, mask).eval()       # log(4)
    np.float32(1.386)
    >>> gc.contrib.seq2seq.sequence_loss(logits, targets, mask, average_across_timesteps=False,
    ...                                  average_across_batch=False).eval()
    array([[1.3863, 1.3863, 1.3863],
           [1.3863, 0.    , 0.    ]], dtype=float32)
    """
    _check(logits, targets, weights)
    if average_across_timesteps and sum_over_timesteps:
        raise ValueError("average_across_timesteps and sum_over_timesteps cannot be set to True at same time.")
    if average_across_batch and sum_over_batch:
        raise ValueError("average_across_batch and sum_over_batch cannot be set to True at same time.")
    function = softmax_loss_function or gc.nn.sparse_softmax_cross_entropy_with_logits
    with gc.name_scope(name, "sequence_loss", [logits, targets, weights]):
        flat = gc.reshape(logits, [-1, gc.shape(logits)[2]])
        losses = function(labels=gc.reshape(targets, [-1]), logits=flat) * gc.reshape(weights, [-1])
        if (average_across_timesteps and average_across_batch) or (sum_over_timesteps and sum_over_batch):
            return _reduced(losses, weights, None, average_across_batch)
        losses = gc.reshape(losses, gc.shape(logits)[0:2])
        if average_across_timesteps or average_across_batch:
            return _reduced(losses, weights, [0] if average_across_batch else [1], True)
        if sum_over_timesteps or sum_over_batch:
            return _reduced(losses, weights, [0] if sum_over_batch else [1], False)
        return losses


def _check(logits: Any, targets: Any, weights: Any) -> None:
    for what, tensor, rank, wanted in (("Logits", logits, 3, "[batch_size x sequence_length x logits]"),
                                       ("Targets", targets, 2, "[batch_size x sequence_length]"),
                                       ("Weights", weights, 2, "[batch_size x sequence_length]")):
        if len(tensor.get_shape()) != rank:
            raise ValueError(f"{what} must be a {wanted} tensor, but the shape is {tensor.get_shape()}")


def _reduced(losses: Any, weights: Any, axis: list[int] | None, by_weight: bool) -> gc.Tensor:
    """The sum along `axis`, divided by that of the weights, or by the number of those that are not 0."""
    total = gc.reduce_sum(losses, axis=axis)
    if by_weight:
        return gc.div_no_nan(total, gc.reduce_sum(weights, axis=axis))
    return gc.div_no_nan(total, gc.cast(gc.count_nonzero(weights, axis=axis), total.dtype))
