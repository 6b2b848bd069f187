"""The losses of tf.losses: a value an element, weighted, reduced and kept in a collection (weighted_loss.py)."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like, range_, zeros_like
from graphc.api.array.gather import where
from graphc.api.array.identity import stop_gradient
from graphc.api.array.shapes import rank, shape, squeeze
from graphc.api.math.binary import add, maximum, minimum, multiply, squared_difference, subtract
from graphc.api.math.comparison import greater
from graphc.api.math.no_nan import div_no_nan
from graphc.api.math.reduce import deprecated, reduce_sum
from graphc.api.math.unary import abs as absolute
from graphc.api.math.unary import log, negative, square
from graphc.api.nn.activations import relu
from graphc.api.nn.losses import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)
from graphc.api.nn.weighted_loss import (
    Reduction,
    add_loss,
    compute_weighted_loss,
    fitting_weights,
    num_present,
)
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ir.graph import get_default_graph
from graphc.ir.names import GraphKeys
from graphc.ir.tensor import Tensor

_LOSSES, _REDUCTION = GraphKeys.LOSSES, Reduction.SUM_BY_NONZERO_WEIGHTS


def _given(**arguments: Any) -> None:
    """Raises ValueError if one of them is None."""
    for name, value in arguments.items():
        if value is None:
            raise ValueError(f"{name} must not be None.")


def _both(labels: Any, predictions: Any) -> tuple[Tensor, Tensor]:
    """Both in float32. Raises ValueError if their shapes are known to differ."""
    predictions, labels = cast(predictions, float32), cast(labels, float32)
    predictions.shape.assert_is_compatible_with(labels.shape)
    return labels, predictions


@public("losses.absolute_difference")
def absolute_difference(labels, predictions, weights=1.0, scope=None, loss_collection=_LOSSES, reduction=_REDUCTION):
    """|predictions - labels|, weighted and reduced, by default to the mean: a scalar, which joins the losses'
    collection.

    labels, predictions: one shape (ValueError), computed in float32. weights, reduction: as of
    `gc.losses.compute_weighted_loss`. As `tf.losses.absolute_difference`.

    >>> gc.losses.absolute_difference([1., 2.], [2., 5.]).eval()
    np.float32(2.0)
    """
    _given(labels=labels, predictions=predictions)
    with get_default_graph().name_scope(scope or "absolute_difference") as scope:
        labels, predictions = _both(labels, predictions)
        losses = absolute(subtract(predictions, labels))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@public("losses.cosine_distance")
def cosine_distance(labels, predictions, axis=None, weights=1.0, scope=None, loss_collection=_LOSSES,
                    reduction=_REDUCTION, dim=None):
    """1 - the inner product along `axis` of vectors that are normalised already; `dim` is an older name of axis.

    labels, predictions: one shape, computed in float32. The mean by default. Raises ValueError without axis and if the
    shapes differ. As `tf.losses.cosine_distance`.

    >>> gc.losses.cosine_distance([[1., 0.], [0., 1.]], [[0.6, 0.8], [0., -1.]], axis=1).eval()
    np.float32(1.2)
    """
    axis = deprecated(axis, dim, "axis", "dim")
    if axis is None:
        raise ValueError("You must specify 'axis'.")
    _given(labels=labels, predictions=predictions)
    with get_default_graph().name_scope(scope or "cosine_distance_loss") as scope:
        labels, predictions = _both(labels, predictions)
        losses = 1 - reduce_sum(multiply(predictions, labels), axis=(axis,), keepdims=True)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@public("losses.hinge_loss")
def hinge_loss(labels, logits, weights=1.0, scope=None, loss_collection=_LOSSES, reduction=_REDUCTION):
    """max(0, 1 - t logits), t = 2 labels - 1, for labels of 0 and 1; the mean by default.

    labels, logits: numbers of one shape (ValueError if it differs; TypeError for strings), computed in float32.
    weights, reduction: as of `gc.losses.compute_weighted_loss`. As `tf.losses.hinge_loss`.

    >>> gc.losses.hinge_loss([1., 0., 1.], [2., -0.5, -1.], reduction="none").eval()
    array([0. , 0.5, 2. ], dtype=float32)
    """
    _given(labels=labels, logits=logits)
    with get_default_graph().name_scope(scope or "hinge_loss") as scope:
        labels, logits = _both(labels, logits)
        ones = ones_like(labels)
        signs = subtract(2 * labels, ones)
        losses = relu(subtract(ones, multiply(signs, logits)))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@public("losses.huber_loss")
def huber_loss(labels, predictions, weights=1.0, delta=1.0, scope=None, loss_collection=_LOSSES,
               reduction=_REDUCTION):
    """Half the square of the error up to delta, delta (|error| - delta / 2) beyond: outliers count less. The mean by
    default.

    labels, predictions: numbers of one shape (ValueError if it differs; TypeError for strings), computed in float32.
    weights, reduction: as of `gc.losses.compute_weighted_loss`. As `tf.losses.huber_loss`.

    >>> gc.losses.huber_loss([0., 0.], [0.5, 3.], delta=1., reduction="none").eval()
    array([0.125, 2.5  ], dtype=float32)
    """
    _given(labels=labels, predictions=predictions)
    with get_default_graph().name_scope(scope or "huber_loss") as scope:
        labels, predictions = _both(labels, predictions)
        error = absolute(subtract(predictions, labels))
        quadratic = minimum(error, delta)
        # The same as max(error - delta, 0), with a gradient of 0 at error = delta.
        linear = subtract(error, quadratic)
        losses = add(multiply(0.5, multiply(quadratic, quadratic)), multiply(delta, linear))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@public("losses.log_loss")
def log_loss(labels, predictions, weights=1.0, epsilon=1e-7, scope=None, loss_collection=_LOSSES,
             reduction=_REDUCTION):
    """-labels log(predictions) - (1 - labels) log(1 - predictions), epsilon added to both; the mean by default.

    labels, predictions: numbers of one shape (ValueError if it differs; TypeError for strings), computed in float32;
    predictions are probabilities. weights, reduction: as of `gc.losses.compute_weighted_loss`. For logits use
    `gc.losses.sigmoid_cross_entropy`. As `tf.losses.log_loss`.

    >>> gc.losses.log_loss([1., 0., 1.], [0.9, 0.1, 0.], reduction="none").eval()
    array([ 0.1054,  0.1054, 16.1181], dtype=float32)
    """
    _given(labels=labels, predictions=predictions)
    with get_default_graph().name_scope(scope or "log_loss") as scope:
        labels, predictions = _both(labels, predictions)
        losses = negative(multiply(labels, log(predictions + epsilon))) - multiply(
            1 - labels, log(1 - predictions + epsilon))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@public("losses.mean_pairwise_squared_error")
def mean_pairwise_squared_error(labels, predictions, weights=1.0, scope=None, loss_collection=_LOSSES):
    """The mean, over pairs of elements of a row, of the squared difference between their differences in labels and in
    predictions: a constant added to a row costs nothing.

    weights: a number, [batch], or of the labels' shape. As `tf.losses.mean_pairwise_squared_error`.

    >>> gc.losses.mean_pairwise_squared_error([[0., 1., 2.]], [[10., 11., 12.]]).eval()
    np.float32(0.0)
    >>> gc.losses.mean_pairwise_squared_error([[0., 1.]], [[0., 3.]]).eval()
    np.float32(4.0)
    """
    _given(labels=labels, predictions=predictions)
    with get_default_graph().name_scope(scope or "mean_pairwise_squared_error") as scope:
        labels, predictions = _both(labels, predictions)
        weights = fitting_weights(cast(weights, float32), labels)
        diffs = subtract(predictions, labels)
        axes = range_(1, rank(diffs))
        present = num_present(diffs, weights, per_batch=True)
        squares = reduce_sum(square(diffs), axis=axes, keepdims=True)
        total = reduce_sum(diffs, axis=axes, keepdims=True)
        first = 2.0 * div_no_nan(squares, maximum(present - 1, 0), name="value")
        second = 2.0 * div_no_nan(square(total), maximum(multiply(present, present - 1), 0), name="value")
        loss = reduce_sum(multiply(first - second, weights))
        mean_loss = where(greater(reduce_sum(present), 0), loss, zeros_like(loss), name="value")
        add_loss(mean_loss, loss_collection)
        return mean_loss


@public("losses.mean_squared_error")
def mean_squared_error(labels, predictions, weights=1.0, scope=None, loss_collection=_LOSSES, reduction=_REDUCTION):
    """(predictions - labels)^2, weighted and reduced, by default to the mean; a scalar, which joins the losses'
    collection.

    labels, predictions: one shape (ValueError), computed in float32. weights, reduction: as of
    `gc.losses.compute_weighted_loss`. As `tf.losses.mean_squared_error`.

    >>> gc.losses.mean_squared_error([1., 2., 3.], [2., 3., 7.]).eval()
    np.float32(6.0)
    >>> gc.losses.mean_squared_error([1., 2., 3.], [2., 3., 7.], weights=[1., 1., 0.]).eval()
    np.float32(1.0)
    """
    _given(labels=labels, predictions=predictions)
    with get_default_graph().name_scope(scope or "mean_squared_error") as scope:
        labels, predictions = _both(labels, predictions)
        losses = squared_difference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@public("losses.sigmoid_cross_entropy")
def sigmoid_cross_entropy(multi_class_labels, logits, weights=1.0, label_smoothing=0, scope=None,
                          loss_collection=_LOSSES, reduction=_REDUCTION):
    """Sigmoid cross entropy, the mean by default; label_smoothing moves the labels towards 1/2.

    multi_class_labels: 0 or 1, of the logits' shape (ValueError), cast to their dtype. logits: floats (TypeError). As
    `tf.losses.sigmoid_cross_entropy`.

    >>> gc.losses.sigmoid_cross_entropy([[1, 0]], [[0., 2.]], reduction="none").eval()
    array([[0.6931, 2.1269]], dtype=float32)
    """
    _given(multi_class_labels=multi_class_labels, logits=logits)
    with get_default_graph().name_scope(scope or "sigmoid_cross_entropy_loss") as scope:
        logits = convert_to_tensor(logits)
        labels = cast(multi_class_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@public("losses.softmax_cross_entropy")
def softmax_cross_entropy(onehot_labels, logits, weights=1.0, label_smoothing=0, scope=None,
                          loss_collection=_LOSSES, reduction=_REDUCTION):
    """Softmax cross entropy along the last axis, the mean by default; label_smoothing moves labels towards 1 / classes.

    onehot_labels, logits: [batch, classes]; weights: a number or [batch]. Labels have no gradient. Raises ValueError if
    their shapes differ, TypeError for integer logits. As `tf.losses.softmax_cross_entropy`.

    >>> onehot = gc.one_hot([0, 1], 2)
    >>> gc.losses.softmax_cross_entropy(onehot, [[2., 0.], [0., 0.]], reduction="none").eval()
    array([0.1269, 0.6931], dtype=float32)
    >>> gc.losses.softmax_cross_entropy(onehot, [[2., 0.], [0., 0.]], weights=[0., 1.], reduction="none").eval()
    array([0.    , 0.6931], dtype=float32)
    """
    _given(onehot_labels=onehot_labels, logits=logits)
    with get_default_graph().name_scope(scope or "softmax_cross_entropy_loss") as scope:
        logits = convert_to_tensor(logits)
        labels = cast(onehot_labels, logits.dtype)
        logits.shape.assert_is_compatible_with(labels.shape)
        if label_smoothing > 0:
            classes = cast(shape(labels)[-1], logits.dtype)
            labels = labels * (1.0 - label_smoothing) + label_smoothing / classes
        labels = stop_gradient(labels, name="labels_stop_gradient")
        losses = softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


@public("losses.sparse_softmax_cross_entropy")
def sparse_softmax_cross_entropy(labels, logits, weights=1.0, scope=None, loss_collection=_LOSSES,
                                 reduction=_REDUCTION):
    """Softmax cross entropy with one class number a row, the mean by default.

    labels: int[batch] or int[batch, 1]; logits: [batch, classes]; weights: a number, [batch] or [batch, 1]. Raises
    TypeError for labels that are no integers or logits that are no floats, ValueError for shapes that do not fit; a
    label that is no class ends the run with InvalidArgumentError. As `tf.losses.sparse_softmax_cross_entropy`.

    >>> gc.losses.sparse_softmax_cross_entropy([0, 1], [[2., 0.], [0., 0.]], reduction="none").eval()
    array([0.1269, 0.6931], dtype=float32)
    """
    _given(labels=labels, logits=logits)
    with get_default_graph().name_scope(scope or "sparse_softmax_cross_entropy_loss") as scope:
        labels, logits = convert_to_tensor(labels), convert_to_tensor(logits)
        weights = convert_to_tensor(weights)
        of_labels, of_logits, of_weights = labels.spec.rank, logits.spec.rank, weights.spec.rank
        if of_labels is not None and of_logits is not None:
            if of_logits - of_labels == 2:
                logits = squeeze(logits, [-1])
            elif of_logits == of_labels:
                labels = squeeze(labels, [-1])
                of_labels -= 1
        if of_labels is not None and of_weights is not None and of_weights - of_labels == 1:
            weights = squeeze(weights, [-1])
        losses = sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)
