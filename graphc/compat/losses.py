"""contrib.losses: gc.losses with the predictions first, and one weight an example for losses of any rank."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public

_LOSSES = gc.GraphKeys.LOSSES


def _fitted(weights: Any, losses: Any) -> Any:
    """The weights with axes of size 1 after them, up to the rank of the losses."""
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
    """The mean of the losses whose weight is not 0, each times its weight.

    Losses of any shape; weights a number, [batch] or the losses' shape. A scalar of the losses' dtype, which joins the
    collection LOSSES. Raises ValueError if a rank is not known or the weights do not fit, TypeError for strings. As
    `tf.contrib.losses.compute_weighted_loss`.

    >>> gc.contrib.losses.compute_weighted_loss([[1., 3.], [5., 7.]], weights=[1., 0.]).eval()
    np.float32(2.0)
    """
    losses = gc.convert_to_tensor(losses)
    return gc.losses.compute_weighted_loss(losses, _fitted(weights, losses), scope)


@public("contrib.losses.add_loss")
def add_loss(loss: Any, loss_collection: Any = _LOSSES) -> None:
    """Puts a loss into a collection, from where `get_total_loss` adds it up.

    loss: a tensor, a scalar by rule; it is kept as it is. As `tf.contrib.losses.add_loss`.

    >>> gc.contrib.losses.add_loss(gc.constant(2.5, name="mine"))
    >>> gc.contrib.losses.get_losses()
    [<gc.Tensor 'mine:0' shape=() dtype=float32>]
    """
    gc.losses.add_loss(loss, loss_collection)


@public("contrib.losses.get_losses")
def get_losses(scope: str | None = None, loss_collection: Any = _LOSSES) -> list[Any]:
    """The losses of a collection, those of one scope for `scope`.

    A list of tensors. scope: a regular expression that their names match at the start. As
    `tf.contrib.losses.get_losses`.

    >>> loss = gc.contrib.losses.mean_squared_error(gc.constant([1., 2.]), gc.constant([1., 4.]))
    >>> gc.contrib.losses.get_losses() == [loss]
    True
    """
    return gc.losses.get_losses(scope, loss_collection)


@public("contrib.losses.get_regularization_losses")
def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The losses of regularizers that variables were made with.

    A list of scalars, those of one scope for `scope`. As `tf.contrib.losses.get_regularization_losses`.

    >>> w = gc.get_variable("w", [2], regularizer=gc.contrib.layers.l2_regularizer(0.1))
    >>> len(gc.contrib.losses.get_regularization_losses())
    1
    """
    return gc.losses.get_regularization_losses(scope)


@public("contrib.losses.get_total_loss")
def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> Any:
    """The sum of all losses of the collection LOSSES, and of the regularizers' if wanted.

    A tensor of the losses' shape and dtype. Raises ValueError if there is none or their shapes differ, TypeError if
    their dtypes do. As `tf.contrib.losses.get_total_loss`.

    >>> gc.contrib.losses.add_loss(gc.constant(2.0))
    >>> gc.contrib.losses.add_loss(gc.constant(0.5))
    >>> gc.contrib.losses.get_total_loss().eval()
    np.float32(2.5)
    """
    return gc.losses.get_total_loss(add_regularization_losses, name)


@public("contrib.losses.absolute_difference")
def absolute_difference(predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The weighted mean of |predictions - labels|: a float32 scalar in the collection LOSSES. Both of one shape,
    weights a number, [batch] or that shape.

    Predictions are a tensor of numbers or bools. Raises ValueError if labels are None, shapes differ, weights do not
    fit or a rank is not known, TypeError for strings. As `tf.contrib.losses.absolute_difference`.

    >>> gc.contrib.losses.absolute_difference(gc.constant([1., 2., 6.]), gc.constant([1., 4., 2.])).eval()
    np.float32(2.0)
    """
    return gc.losses.absolute_difference(labels, predictions, _fitted(weights, predictions), scope)


@public("contrib.losses.mean_squared_error")
def mean_squared_error(predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The weighted mean of (predictions - labels) ** 2: a float32 scalar in the collection LOSSES. Shapes, dtypes and
    errors as `gc.contrib.losses.absolute_difference`. As `tf.contrib.losses.mean_squared_error`.

    >>> gc.contrib.losses.mean_squared_error(gc.constant([1., 2.]), gc.constant([1., 4.])).eval()
    np.float32(2.0)
    """
    return gc.losses.mean_squared_error(labels, predictions, _fitted(weights, predictions), scope)


@public("contrib.losses.log_loss")
def log_loss(predictions: Any, labels: Any = None, weights: Any = 1.0, epsilon: float = 1e-7,
             scope: str | None = None) -> Any:
    """The weighted mean of -labels * log(p + epsilon) - (1 - labels) * log(1 - p + epsilon), where the predictions p
    are probabilities. Shapes, dtypes and errors as `gc.contrib.losses.absolute_difference`. As
    `tf.contrib.losses.log_loss`.

    >>> gc.contrib.losses.log_loss(gc.constant([0.9, 0.5]), gc.constant([1., 0.])).eval()
    np.float32(0.3993)
    """
    return gc.losses.log_loss(labels, predictions, _fitted(weights, predictions), epsilon, scope)


@public("contrib.losses.sigmoid_cross_entropy")
def sigmoid_cross_entropy(logits: Any, multi_class_labels: Any, weights: Any = 1.0, label_smoothing: Any = 0,
                          scope: str | None = None) -> Any:
    """The weighted mean of the cross entropy between labels of 0 to 1 and sigmoid(logits), one shape; smoothing moves
    the labels towards 1/2.

    Logits are a floating point tensor, labels numbers; the loss is a scalar of the logits' dtype in the collection
    LOSSES. Raises ValueError if shapes differ, weights do not fit or a rank is not known, TypeError for integer logits.
    As `tf.contrib.losses.sigmoid_cross_entropy`.

    >>> logits, labels = gc.constant([[2., -1.]]), gc.constant([[1., 0.]])
    >>> gc.contrib.losses.sigmoid_cross_entropy(logits, labels).eval()
    np.float32(0.2201)
    """
    return gc.losses.sigmoid_cross_entropy(multi_class_labels, logits, _fitted(weights, logits), label_smoothing, scope)


@public("contrib.losses.softmax_cross_entropy")
def softmax_cross_entropy(logits: Any, onehot_labels: Any, weights: Any = 1.0, label_smoothing: Any = 0,
                          scope: str | None = None) -> Any:
    """The weighted mean of the cross entropy between rows of labels and softmax(logits), both [batch, classes];
    smoothing moves the labels towards 1/classes.

    Logits are a floating point tensor, labels numbers; the loss is a scalar of the logits' dtype in the collection
    LOSSES. Raises ValueError if shapes differ, weights do not fit or a rank is not known, TypeError for integer logits.
    As `tf.contrib.losses.softmax_cross_entropy`.

    >>> logits, labels = gc.constant([[2., 0.], [0., 0.]]), gc.constant([[1., 0.], [0., 1.]])
    >>> gc.contrib.losses.softmax_cross_entropy(logits, labels).eval()
    np.float32(0.41)
    """
    return gc.losses.softmax_cross_entropy(onehot_labels, logits, _fitted(weights, logits[..., 0]), label_smoothing,
                                           scope)


@public("contrib.losses.sparse_softmax_cross_entropy")
def sparse_softmax_cross_entropy(logits: Any, labels: Any, weights: Any = 1.0, scope: str | None = None) -> Any:
    """The cross entropy of softmax(logits) [batch, classes] for labels [batch] or [batch, 1]: its weighted mean.

    Logits are floating point, labels int32 or int64; the loss is a scalar of the logits' dtype in the collection
    LOSSES. Raises ValueError if the rows or weights do not fit, TypeError for other dtypes; a label that is no class
    ends the run with InvalidArgumentError. As `tf.contrib.losses.sparse_softmax_cross_entropy`.

    >>> gc.contrib.losses.sparse_softmax_cross_entropy(gc.constant([[2., 0.], [0., 0.]]), [0, 1]).eval()
    np.float32(0.41)
    """
    labels = gc.convert_to_tensor(labels)
    flat = gc.reshape(labels, [gc.shape(labels)[0]])
    return gc.losses.sparse_softmax_cross_entropy(flat, logits, _fitted(weights, flat), scope)


@public("contrib.losses.hinge_loss")
def hinge_loss(logits: Any, labels: Any = None, scope: str | None = None) -> Any:
    """max(0, 1 - (2 * labels - 1) * logits) of each element, labels of 0 and 1; the result has their shape, in no
    collection.

    Logits and labels are numbers; the result is float32. Raises ValueError if labels are None or shapes differ,
    TypeError for strings. As `tf.contrib.losses.hinge_loss`.

    >>> gc.contrib.losses.hinge_loss(gc.constant([[0.3, 2.]]), gc.constant([[1., 0.]])).eval()
    array([[0.7, 3. ]], dtype=float32)
    """
    return gc.losses.hinge_loss(labels, logits, scope=scope, loss_collection=None, reduction=gc.losses.Reduction.NONE)


@public("contrib.losses.cosine_distance")
def cosine_distance(predictions: Any, labels: Any = None, axis: Any = None, weights: Any = 1.0,
                    scope: str | None = None, dim: Any = None) -> Any:
    """The weighted mean of 1 - the dot product along `axis` of predictions and labels that have length 1.

    Both are tensors of one shape, weights a number, [batch] or that shape with the size 1 at `axis`; the loss is a
    float32 scalar in the collection LOSSES. Raises ValueError without axis, with axis and dim, if labels are None,
    shapes differ or weights do not fit. As `tf.contrib.losses.cosine_distance`.

    >>> a, b = gc.constant([[1., 0.], [0., 1.]]), gc.constant([[1., 0.], [0.6, 0.8]])
    >>> gc.contrib.losses.cosine_distance(a, b, axis=1).eval()
    np.float32(0.1)
    """
    return gc.losses.cosine_distance(labels, predictions, axis, _fitted(weights, predictions), scope, dim=dim)


@public("contrib.losses.mean_pairwise_squared_error")
def mean_pairwise_squared_error(predictions: Any, labels: Any = None, weights: Any = 1.0,
                                scope: str | None = None) -> Any:
    """The mean over all pairs of elements of an example, those of an element with itself too (gc.losses leaves these
    out), of the squared difference between their differences. Predictions and labels are of one shape [batch, ...]; the
    loss joins the collection LOSSES.

    A float32 scalar, of tensors of numbers. Raises ValueError if shapes differ or weights do not fit, TypeError for
    strings. As `tf.contrib.losses.mean_pairwise_squared_error`.

    >>> gc.contrib.losses.mean_pairwise_squared_error(gc.constant([[1., 4.]]), gc.constant([[1., 2.]])).eval()
    np.float32(2.0)
    """
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
