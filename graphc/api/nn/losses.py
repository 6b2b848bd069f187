"""Cross entropies and norms."""
from __future__ import annotations

from typing import Any

from graphc.api.array.broadcast import broadcast_to
from graphc.api.array.cast import cast
from graphc.api.array.fill import range_, zeros_like
from graphc.api.array.gather import where
from graphc.api.array.identity import stop_gradient
from graphc.api.array.join import concat, stack
from graphc.api.array.shapes import rank, reshape, shape
from graphc.api.array.transpose import transpose
from graphc.api.math.binary import add, maximum, multiply
from graphc.api.math.comparison import greater_equal
from graphc.api.math.reduce import deprecated, reduce_sum
from graphc.api.math.unary import abs, exp, log1p, negative, rsqrt, square
from graphc.api.nn.activations import relu
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.graph import get_default_graph
from graphc.ir.op import normalise_axis
from graphc.ops.nn.losses import L2Loss
from graphc.ops.nn.softmax import SoftmaxCrossEntropyWithLogits, SparseSoftmaxCrossEntropyWithLogits


@public("nn.l2_loss")
def l2_loss(t, name=None):
    """sum(t ** 2) / 2, a scalar: what weight decay adds to a loss.

    t: floats of any shape; TypeError for other dtypes. As `tf.nn.l2_loss`.

    >>> gc.nn.l2_loss([[1., 2.], [3., 0.]]).eval()
    np.float32(7.0)
    """
    return apply(L2Loss, t, name=name)


@public("l2_normalize", "nn.l2_normalize", "math.l2_normalize", "linalg.l2_normalize")
def l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    """x / sqrt(max(sum(x ** 2, axis), epsilon)): vectors of length 1 along `axis`, of all elements if it is None.

    axis: an int or a list; `dim` is its older name. x: floats, of any shape, which stays. Raises TypeError for other
    dtypes, ValueError for an axis out of range or if both names are given. As `tf.nn.l2_normalize`.

    >>> gc.nn.l2_normalize(gc.constant([[3., 4.], [0., 0.]]), axis=1).eval()
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    axis = deprecated(axis, dim, "axis", "dim")
    with get_default_graph().name_scope(name or "l2_normalize") as scope:
        x = convert_to_tensor(x)
        total = reduce_sum(square(x), axis, keepdims=True)
        return multiply(x, rsqrt(maximum(total, epsilon)), name=scope)


def _named_only(function: str, sentinel: Any, labels: Any, logits: Any) -> None:
    if sentinel is not None:
        raise ValueError(f"Only call `{function}` with named arguments (labels=..., logits=..., ...)")
    if labels is None or logits is None:
        raise ValueError("Both labels and logits must be provided.")


@public("nn.softmax_cross_entropy_with_logits_v2")
def softmax_cross_entropy_with_logits_v2(labels, logits, axis=None, name=None, dim=None):
    """-sum(labels log_softmax(logits)) along `axis`, the last by default; labels have gradients too.

    labels and logits: one shape, which the loss has without the axis; the logits are not normalised, the labels sum up
    to 1 along the axis. Labels of another dtype are cast. Of rank 2 an axis that is known to be of size 1 is broadcast,
    and labels may have more axes before the rows of logits, if they are as many rows. Exact for large logits. As
    `tf.nn.softmax_cross_entropy_with_logits_v2`. Raises ValueError for other shapes and an axis out of range, TypeError
    for integer logits.

    >>> logits = gc.constant([[2., 1., 0.], [0., 0., 100.]])
    >>> gc.nn.softmax_cross_entropy_with_logits_v2([[1., 0., 0.], [0., .5, .5]], logits).eval()
    array([ 0.4076, 50.    ], dtype=float32)
    """
    axis = deprecated(axis, dim, "axis", "dim")
    axis = -1 if axis is None else axis
    with get_default_graph().name_scope(name or "softmax_cross_entropy_with_logits") as scope:
        logits = convert_to_tensor(logits)
        labels = convert_to_tensor(labels, dtype=None if is_tensor_like(labels) else logits.dtype)
        labels = cast(labels, logits.dtype)
        if logits.spec.shape is None and labels.spec.shape is not None:
            logits.set_shape([None] * len(labels.spec.shape))
        rank = None if logits.spec.shape is None else len(logits.spec.shape)
        if axis != -1 and axis != (rank and rank - 1):
            perm = _axis_last(logits, axis)
            logits, labels = transpose(logits, perm), transpose(labels, perm)
        if rank == 2:
            if labels.spec.shape is not None and len(labels.spec.shape) > 2:      # rows count, not how they are stacked
                labels = reshape(labels, stack([-1, shape(labels)[-1]]))
            logits, labels = _stretched(logits, labels), _stretched(labels, logits)
            loss = apply(SoftmaxCrossEntropyWithLogits, logits, labels, name=scope)[0]
            return reshape(loss, [-1], name="Reshape_2")      # as TensorFlow calls it
        rows = shape(logits)[:-1]
        classes = shape(logits)[-1]
        loss = apply(SoftmaxCrossEntropyWithLogits, reshape(logits, [-1, classes]), reshape(labels, [-1, classes]),
                     name=scope)[0]
        return reshape(loss, rows)


def _stretched(x: Any, other: Any) -> Any:
    """x as long as `other` along axes where its size is 1 and the other's may be more."""
    own, wanted = x.spec.shape, other.spec.shape
    if own is None or wanted is None or len(own) != len(wanted):
        return x
    if not any(a == 1 and b != 1 for a, b in zip(own, wanted, strict=True)):
        return x
    sizes = shape(other)
    return broadcast_to(x, stack([sizes[i] if a == 1 else shape(x)[i] for i, a in enumerate(own)]))


def _axis_last(x: Any, axis: int) -> Any:
    """The permutation that moves `axis` after the others; as a tensor if the rank of x is not known yet."""
    if x.spec.shape is not None:
        axis = normalise_axis(axis, len(x.spec.shape))
        return [i for i in range(len(x.spec.shape)) if i != axis] + [axis]
    count = rank(x)
    axis = axis if axis >= 0 else count + axis
    return concat([range_(0, axis), range_(axis + 1, count), [axis]], 0)


@public("nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, dim=-1, name=None, axis=None):
    """As `softmax_cross_entropy_with_logits_v2`, without gradient by the labels; arguments by name only (ValueError).

    Shapes, dtypes and other errors are those of that. As `tf.nn.softmax_cross_entropy_with_logits`.

    >>> logits = gc.constant([[2., 1., 0.]])
    >>> loss = gc.nn.softmax_cross_entropy_with_logits(labels=[[1., 0., 0.]], logits=logits)
    >>> loss.eval()
    array([0.4076], dtype=float32)
    >>> gc.gradients(loss, logits)[0].eval()     # softmax(logits) - labels
    array([[-0.3348,  0.2447,  0.09  ]], dtype=float32)
    """
    _named_only("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with get_default_graph().name_scope(name or "softmax_cross_entropy_with_logits_sg") as scope:
        logits = convert_to_tensor(logits)
        labels = stop_gradient(convert_to_tensor(labels, dtype=None if is_tensor_like(labels) else logits.dtype),
                               name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels, logits, dim if axis is None else axis, name=scope)


@public("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    """-log_softmax(logits) at each row's label; arguments by name only (ValueError).

    logits: floats [..., classes], not normalised; labels: int32 or int64, of their shape without the last axis, as the
    loss is. Raises ValueError if the ranks do not fit, TypeError for other dtypes; a label that is no class is an
    InvalidArgumentError when run. As `tf.nn.sparse_softmax_cross_entropy_with_logits`.

    >>> logits = gc.constant([[2., 1., 0.], [0., 3., 0.]])
    >>> gc.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 2], logits=logits).eval()
    array([0.4076, 3.0949], dtype=float32)
    """
    _named_only("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with get_default_graph().name_scope(name or "SparseSoftmaxCrossEntropyWithLogits"):
        logits, labels = convert_to_tensor(logits), convert_to_tensor(labels)
        of_logits, of_labels = logits.spec.shape, labels.spec.shape
        if of_logits is not None and of_labels is not None and len(of_labels) != len(of_logits) - 1:
            raise ValueError(
                f"Rank mismatch: Rank of labels (received {len(of_labels)}) should equal rank of logits minus 1 "
                f"(received {len(of_logits)}). Labels are numbers of classes here; rows of probabilities go to "
                "gc.nn.softmax_cross_entropy_with_logits."
            )
        if of_logits is not None and len(of_logits) == 2:
            return apply(SparseSoftmaxCrossEntropyWithLogits, logits, labels)[0]
        loss = apply(
            SparseSoftmaxCrossEntropyWithLogits, reshape(logits, stack([-1, shape(logits)[-1]])), reshape(labels, [-1])
        )[0]
        return reshape(loss, shape(labels))


@public("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    """-z log(sigmoid(x)) - (1 - z) log(1 - sigmoid(x)) for logits x and labels z, elementwise: classes that do not
    exclude each other.

    Computed as max(x, 0) - x z + log(1 + exp(-|x|)), exact for large x. labels and logits: floats of one dtype
    (TypeError) and shape (ValueError), given by name. As `tf.nn.sigmoid_cross_entropy_with_logits`.

    >>> gc.nn.sigmoid_cross_entropy_with_logits(labels=[1., 0., 0.], logits=[0., 0., 1000.]).eval()
    array([   0.6931,    0.6931, 1000.    ], dtype=float32)
    """
    _named_only("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
    with get_default_graph().name_scope(name or "logistic_loss") as scope:
        logits = convert_to_tensor(logits)
        labels = convert_to_tensor(labels, dtype=None if is_tensor_like(labels) else logits.dtype)
        if not labels.shape.is_compatible_with(logits.shape):
            raise ValueError(f"logits and labels must have the same shape ({logits.shape} vs {labels.shape})")
        # As TF writes it, so that second derivatives exist at 0 and nothing overflows.
        zeros = zeros_like(logits)
        positive = greater_equal(logits, zeros)
        return add(where(positive, logits, zeros) - logits * labels,
                   log1p(exp(where(positive, negative(logits), logits))), name=scope)


@public("nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(labels=None, logits=None, pos_weight=None, name=None, targets=None):
    """`sigmoid_cross_entropy_with_logits` with the term of the positives, z log(sigmoid(x)), times pos_weight.

    labels, logits: floats of one dtype, of shapes that broadcast (ValueError). pos_weight: a number or a tensor that
    broadcasts; above 1 it finds more of the positives. `targets` is an older name of labels. Raises TypeError for
    integers. As `tf.nn.weighted_cross_entropy_with_logits`.

    >>> gc.nn.weighted_cross_entropy_with_logits(labels=[1., 0.], logits=[0., 0.], pos_weight=3.).eval()
    array([2.0794, 0.6931], dtype=float32)
    """
    labels = deprecated(labels, targets, "labels", "targets")
    with get_default_graph().name_scope(name or "logistic_loss") as scope:
        logits = convert_to_tensor(logits)
        labels = convert_to_tensor(labels, dtype=None if is_tensor_like(labels) else logits.dtype)
        weight = 1 + (pos_weight - 1) * labels
        return add(
            (1 - labels) * logits, weight * (log1p(exp(negative(abs(logits)))) + relu(negative(logits))), name=scope
        )
