"""contrib.losses: gc.losses with the predictions first, and one weight an example for losses of any rank."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public

_LOSSES = gc.GraphKeys.LOSSES


def _fitted(weights: Any, losses: Any) -> Any:
    """The weights with axes of size 1 behind them, up to the rank of the losses."""
    weights, rank = gc.to_float(weights), losses.get_shape().ndims
    shape = weights.get_shape()
    if rank is None or shape.ndims is None:
        raise ValueError(f"ranks must be known, but that of the losses is {rank}, that of the weights {shape.ndims}")
    if shape.ndims > 1 and shape[-1].is_compatible_with(1):
        weights = gc.squeeze(weights, [-1])
    return weights if shape.ndims == 0 else gc.reshape(
        weights, gc.concat([gc.shape(weights), [1] * (rank - weights.get_shape().ndims)], 0))


@public("contrib.losses.compute_weighted_loss")
def compute_weighted_loss(losses: Any, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The mean of the losses whose weight is not 0, each times its weight."""
    losses = gc.convert_to_tensor(losses)
    return gc.losses.compute_weighted_loss(losses, _fitted(weights, losses), scope)


@public("contrib.losses.add_loss")
def add_loss(loss: Any, loss_collection: Any = _LOSSES) -> None:
    gc.losses.add_loss(loss, loss_collection)


@public("contrib.losses.get_losses")
def get_losses(scope: str | None = None, loss_collection: Any = _LOSSES) -> list[Any]:
    return gc.losses.get_losses(scope, loss_collection)


@public("contrib.losses.get_regularization_losses")
def get_regularization_losses(scope: str | None = None) -> list[Any]:
    return gc.losses.get_regularization_losses(scope)


@public("contrib.losses.get_total_loss")
def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> Any:
    return gc.losses.get_total_loss(add_regularization_losses, name)


@public("contrib.losses.absolute_difference")
def absolute_difference(predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None) -> Any:
    return gc.losses.absolute_difference(labels, predictions, _fitted(weights, predictions), scope)


@public("contrib.losses.mean_squared_error")
def mean_squared_error(predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None) -> Any:
    return gc.losses.mean_squared_error(labels, predictions, _fitted(weights, predictions), scope)


@public("contrib.losses.log_loss")
def log_loss(predictions: Any, labels: Any = None, weights: Any = 1.0, epsilon: float = 1e-7,
             scope: str | None = None) -> Any:
    return gc.losses.log_loss(labels, predictions, _fitted(weights, predictions), epsilon, scope)


@public("contrib.losses.sigmoid_cross_entropy")
def sigmoid_cross_entropy(logits: Any, multi_class_labels: Any, weights: Any = 1.0, label_smoothing: Any = 0,
                          scope: str | None = None) -> Any:
    return gc.losses.sigmoid_cross_entropy(multi_class_labels, logits, _fitted(weights, logits), label_smoothing, scope)


@public("contrib.losses.softmax_cross_entropy")
def softmax_cross_entropy(logits: Any, onehot_labels: Any, weights: Any = 1.0, label_smoothing: Any = 0,
                          scope: str | None = None) -> Any:
    return gc.losses.softmax_cross_entropy(onehot_labels, logits, _fitted(weights, logits[..., 0]), label_smoothing,
                                           scope)


@public("contrib.losses.sparse_softmax_cross_entropy")
def sparse_softmax_cross_entropy(logits: Any, labels: Any, weights: Any = 1.0, scope: str | None = None) -> Any:
    """Labels are [batch] or [batch, 1]."""
    labels = gc.convert_to_tensor(labels)
    flat = gc.reshape(labels, [gc.shape(labels)[0]])
    return gc.losses.sparse_softmax_cross_entropy(flat, logits, _fitted(weights, flat), scope)


@public("contrib.losses.hinge_loss")
def hinge_loss(logits: Any, labels: Any = None, scope: str | None = None) -> Any:
    """The loss of each element, in no collection."""
    return gc.losses.hinge_loss(labels, logits, scope=scope, loss_collection=None, reduction=gc.losses.Reduction.NONE)


@public("contrib.losses.cosine_distance")
def cosine_distance(predictions: Any, labels: Any = None, axis: Any = None, weights: Any = 1.0,
                    scope: str | None = None, dim: Any = None) -> Any:
    return gc.losses.cosine_distance(labels, predictions, axis, _fitted(weights, predictions), scope, dim=dim)


@public("contrib.losses.mean_pairwise_squared_error")
def mean_pairwise_squared_error(predictions: Any, labels: Any = None, weights: Any = 1.0,
                                scope: str | None = None) -> Any:
    """The mean over all pairs of elements of an example, those of an element with itself too (gc.losses leaves these
    out), of the squared difference between their differences."""
    with gc.name_scope(scope, "mean_pairwise_squared_error", [predictions, labels, weights]):
        predictions.get_shape().assert_is_compatible_with(labels.get_shape())
        differences = gc.to_float(predictions) - gc.to_float(labels)
        axes = list(range(1, differences.get_shape().ndims))
        weights = gc.to_float(weights)
        counted = gc.to_float(gc.not_equal(_fitted(weights, differences), 0.0)) * gc.ones_like(differences)
        present = gc.reduce_sum(counted, axes)
        squares = 2.0 * gc.div_no_nan(gc.reduce_sum(gc.square(differences), axes), present)
        means = 2.0 * gc.div_no_nan(gc.square(gc.reduce_sum(differences, axes)), gc.square(present))
        one_each = squares - means
        loss = gc.reduce_sum(one_each * _fitted(weights, one_each))
        add_loss(loss)
        return loss
