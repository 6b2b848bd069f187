"""Losses over a sample of the classes: noise-contrastive estimation and sampled softmax."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import fill, ones_like, zeros_like
from graphc.api.array.gather import gather, where
from graphc.api.array.identity import stop_gradient
from graphc.api.array.join import concat, stack
from graphc.api.array.shapes import expand_dims, reshape, shape
from graphc.api.math.binary import multiply
from graphc.api.math.division import divide
from graphc.api.math.matmul import matmul
from graphc.api.math.reduce import reduce_sum
from graphc.api.math.unary import log
from graphc.api.nn.candidates import LOWEST, accidental_hits, log_uniform_candidate_sampler
from graphc.api.nn.losses import sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits_v2
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import int64
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


@public("nn.nce_loss")
def nce_loss(weights, biases, labels, inputs, num_sampled, num_classes, num_true=1, sampled_values=None,
             remove_accidental_hits=False, partition_strategy="mod", name="nce_loss"):
    """float[batch]: the noise-contrastive loss of each row, sigmoid cross entropy over the true and num_sampled drawn
    classes.

    Args:
        weights: [num_classes, dim], maybe a list of parts by partition_strategy ("mod" or "div").
        biases: [num_classes].
        labels: int[batch, num_true]; inputs: [batch, dim].
        num_sampled: how many classes are drawn for the whole batch, by `log_uniform_candidate_sampler` unless
            sampled_values (what a sampler returns) is given.
        remove_accidental_hits: drawn classes that are true ones of a row do not count there.

    weights, biases and inputs are floats (TypeError for integers). Raises ValueError for shapes that do not fit, for
    more draws than classes, and for another partition_strategy. For training with many classes; for evaluation use all
    of them. As `tf.nn.nce_loss`.

    >>> weights, biases = gc.constant([[1., 0.], [0., 1.], [1., 1.], [0., 0.]]), gc.zeros([4])
    >>> inputs, labels = gc.constant([[1., 2.]]), gc.constant([[1]])
    >>> every = gc.nn.all_candidate_sampler(gc.cast(labels, gc.int64), 1, 4, True)
    >>> gc.nn.nce_loss(weights, biases, labels, inputs, 4, 4, sampled_values=every).eval()
    array([7.3089], dtype=float32)
    """
    with get_default_graph().name_scope(name or "nce_loss"):
        logits, targets = _sampled_logits(weights, biases, labels, inputs, num_sampled, num_classes, num_true,
                                          sampled_values, remove_accidental_hits, partition_strategy, None)
        losses = sigmoid_cross_entropy_with_logits(labels=targets, logits=logits, name="sampled_losses")
        return reduce_sum(losses, 1)


@public("nn.sampled_softmax_loss")
def sampled_softmax_loss(weights, biases, labels, inputs, num_sampled, num_classes, num_true=1, sampled_values=None,
                         remove_accidental_hits=True, partition_strategy="mod", name="sampled_softmax_loss",
                         seed=None):
    """float[batch]: the softmax cross entropy of each row over the true and num_sampled drawn classes.

    Arguments and errors as of `nce_loss`; accidental hits are removed by default. As `tf.nn.sampled_softmax_loss`.

    >>> weights, biases = gc.constant([[1., 0.], [0., 1.], [1., 1.], [0., 0.]]), gc.zeros([4])
    >>> inputs, labels = gc.constant([[1., 2.]]), gc.constant([[1]])
    >>> every = gc.nn.all_candidate_sampler(gc.cast(labels, gc.int64), 1, 4, True)
    >>> gc.nn.sampled_softmax_loss(weights, biases, labels, inputs, 4, 4, sampled_values=every).eval()
    array([1.4402], dtype=float32)
    >>> logits = gc.matmul(inputs, weights, transpose_b=True)
    >>> gc.nn.sparse_softmax_cross_entropy_with_logits(labels=[1], logits=logits).eval()
    array([1.4402], dtype=float32)
    """
    with get_default_graph().name_scope(name or "sampled_softmax_loss"):
        logits, targets = _sampled_logits(weights, biases, labels, inputs, num_sampled, num_classes, num_true,
                                          sampled_values, remove_accidental_hits, partition_strategy, seed)
        targets = stop_gradient(targets, name="labels_stop_gradient")
        return softmax_cross_entropy_with_logits_v2(labels=targets, logits=logits)


def _sampled_logits(weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int,
                    num_true: int, sampled_values: Any, remove_accidental_hits: bool, partition_strategy: str,
                    seed: int | None) -> tuple[Tensor, Tensor]:
    """Logits of the true and of the drawn classes, less the logarithm of how often each is expected; their targets."""
    inputs, labels = convert_to_tensor(inputs, name="inputs"), convert_to_tensor(labels, name="labels")
    labels = cast(labels, int64)
    true = reshape(labels, [-1])
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(labels, num_true, num_sampled, True, num_classes, seed=seed)
    sampled, of_true, of_sampled = (stop_gradient(s) for s in sampled_values)
    sampled = cast(sampled, int64)
    count = shape(true)[0]
    classes = concat([true, sampled], 0)
    rows = lookup(weights, classes, partition_strategy)
    shifts = reshape(lookup(biases, classes, partition_strategy), [-1])
    of_inputs = multiply(expand_dims(inputs, 1), reshape(rows[:count], stack([-1, num_true, shape(rows)[1]])))
    true_logits = reduce_sum(of_inputs, 2) + reshape(shifts[:count], [-1, num_true])
    sampled_logits = matmul(inputs, rows[count:], transpose_b=True) + shifts[count:]
    if remove_accidental_hits:
        hits = accidental_hits(labels, sampled)
        sampled_logits += where(hits, fill(shape(hits), LOWEST), zeros_like(sampled_logits))
    true_logits -= log(cast(of_true, true_logits.dtype))
    sampled_logits -= log(cast(of_sampled, sampled_logits.dtype))
    targets = concat([divide(ones_like(true_logits), num_true), zeros_like(sampled_logits)], 1)
    return concat([true_logits, sampled_logits], 1), targets


def lookup(parts: Any, ids: Tensor, strategy: str) -> Tensor:
    """Rows of a table that may come in parts: by "div" one part after the other, by "mod" class c in part
    c % parts."""
    listed = list(parts) if isinstance(parts, (list, tuple)) else [parts]
    if strategy not in ("mod", "div"):
        raise ValueError(f"Unrecognized partition strategy: {strategy}")
    if len(listed) == 1:
        return gather(listed[0], ids)
    listed = [convert_to_tensor(p) for p in listed]
    whole = concat(listed, 0)
    if strategy == "div":
        return gather(whole, ids)
    sizes = stack([cast(shape(p)[0], int64) for p in listed])
    starts = stack([reduce_sum(sizes[:i]) for i in range(len(listed))])
    return gather(whole, gather(starts, ids % len(listed)) + ids // len(listed))
