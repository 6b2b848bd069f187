"""Losses: the public cross entropies and norms."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.ir.graph import get_default_graph
from graphc.ir.op import Composite, Sample, normalise_axis, register
from graphc.ir.spec import Spec
from graphc.ops.activations import relu
from graphc.ops.build import apply, convert_to_tensor, is_tensor_like
from graphc.ops.elementwise import SHAPES, check_kind
from graphc.ops.reduce import deprecated, reduce_sum
from graphc.ops.reduction import Sum
from graphc.ops.softmax import SoftmaxCrossEntropyWithLogits, SparseSoftmaxCrossEntropyWithLogits
from graphc.ops.unary import abs, exp, log1p, negative, rsqrt, square


@register
class L2Loss(Composite):
    """sum(t ** 2) / 2"""

    operands = ("t",)
    results = ("output",)
    types = {"T": "t"}
    samples = [Sample({}, (shape,)) for shape in SHAPES]

    def infer(self, *inputs: Spec) -> Spec:
        check_kind(self, inputs, "floating")
        return Spec(inputs[0].dtype, ())

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0].astype(np.float64)
        return np.asarray((x * x).sum() / 2, inputs[0].dtype)

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        return emit(_HalfSquares(axis=tuple(range(len(inputs[0].spec.shape)))), inputs[0])

    def grad(self, node, dy):
        return [node.inputs[0] * dy]


@register
class _HalfSquares(Sum):
    """The sum of squares along axes, halved. graphc's own op: only L2Loss is made of it."""

    samples = [Sample({"axis": (0, 1)}, ((3, 17),)), Sample({"axis": (1,), "keep_dims": True}, ((2, 3, 5),))]

    def map_element(self, s: Any, x: Any) -> Any:
        return s("square", x)

    def finish(self, s: Any, total: Any, count: Any) -> Any:
        return s("mul", total, s.constant(0.5, s.dtype(total)))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        return super().reference(np.square(inputs[0])) * inputs[0].dtype.type(0.5)

    def grad(self, node, dy):
        return [node.inputs[0] * self.spread(node, dy), None]


def l2_loss(t, name=None):
    """sum(t ** 2) / 2, a scalar. As `tf.nn.l2_loss`."""
    return apply(L2Loss, t, name=name)


def l2_normalize(x, axis=None, epsilon=1e-12, name=None, dim=None):
    """x / sqrt(max(sum(x ** 2, axis), epsilon)). As `tf.nn.l2_normalize`."""
    from graphc.ops.binary import maximum, multiply

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


def softmax_cross_entropy_with_logits_v2(labels, logits, axis=None, name=None, dim=None):
    """-sum(labels log_softmax(logits)) along `axis`; labels have gradients too. As
    `tf.nn.softmax_cross_entropy_with_logits_v2`.

    labels and logits have one shape; the loss lacks the axis.
    """
    from graphc.ops.shapes import reshape, shape
    from graphc.ops.transpose import transpose

    axis = deprecated(axis, dim, "axis", "dim")
    axis = -1 if axis is None else axis
    with get_default_graph().name_scope(name or "softmax_cross_entropy_with_logits") as scope:
        logits = convert_to_tensor(logits)
        labels = convert_to_tensor(labels, dtype=None if is_tensor_like(labels) else logits.dtype)
        if logits.spec.shape is None and labels.spec.shape is not None:
            logits.set_shape([None] * len(labels.spec.shape))
        rank = None if logits.spec.shape is None else len(logits.spec.shape)
        if axis != -1 and axis != (rank and rank - 1):
            perm = _axis_last(logits, axis)
            logits, labels = transpose(logits, perm), transpose(labels, perm)
        if rank == 2:
            return apply(SoftmaxCrossEntropyWithLogits, logits, labels, name=scope)[0]
        rows = shape(logits)[:-1]
        classes = shape(logits)[-1]
        loss = apply(SoftmaxCrossEntropyWithLogits, reshape(logits, [-1, classes]), reshape(labels, [-1, classes]))[0]
        return reshape(loss, rows, name=scope)


def _axis_last(x: Any, axis: int) -> Any:
    """The permutation that moves `axis` behind the others; as a tensor if the rank of x is not known yet."""
    from graphc.ops.fill import range_
    from graphc.ops.join import concat
    from graphc.ops.shapes import rank

    if x.spec.shape is not None:
        axis = normalise_axis(axis, len(x.spec.shape))
        return [i for i in range(len(x.spec.shape)) if i != axis] + [axis]
    count = rank(x)
    axis = axis if axis >= 0 else count + axis
    return concat([range_(0, axis), range_(axis + 1, count), [axis]], 0)


def softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, dim=-1, name=None, axis=None):
    """As `softmax_cross_entropy_with_logits_v2`, without gradient by the labels (rule 19).

    As `tf.nn.softmax_cross_entropy_with_logits`; arguments by name only.
    """
    from graphc.ops.identity import stop_gradient

    _named_only("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with get_default_graph().name_scope(name or "softmax_cross_entropy_with_logits_sg"):
        logits = convert_to_tensor(logits)
        labels = stop_gradient(convert_to_tensor(labels, dtype=None if is_tensor_like(labels) else logits.dtype),
                               name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels, logits, dim if axis is None else axis, name=name)


def sparse_softmax_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    """-log_softmax(logits) at each row's label. As `tf.nn.sparse_softmax_cross_entropy_with_logits`; arguments by name
    only.

    labels (int32 or int64) has the shape of logits without the last axis. Raises ValueError if the ranks do not fit.
    """
    from graphc.ops.join import stack
    from graphc.ops.shapes import reshape, shape

    _named_only("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with get_default_graph().name_scope(name or "SparseSoftmaxCrossEntropyWithLogits"):
        logits, labels = convert_to_tensor(logits), convert_to_tensor(labels)
        of_logits, of_labels = logits.spec.shape, labels.spec.shape
        if of_logits is not None and of_labels is not None and len(of_labels) != len(of_logits) - 1:
            raise ValueError(
                f"Rank mismatch: Rank of labels (received {len(of_labels)}) should equal rank of logits minus 1 "
                f"(received {len(of_logits)})."
            )
        if of_logits is not None and len(of_logits) == 2:
            return apply(SparseSoftmaxCrossEntropyWithLogits, logits, labels)[0]
        loss = apply(
            SparseSoftmaxCrossEntropyWithLogits, reshape(logits, stack([-1, shape(logits)[-1]])), reshape(labels, [-1])
        )[0]
        return reshape(loss, shape(labels))


def sigmoid_cross_entropy_with_logits(_sentinel=None, labels=None, logits=None, name=None):
    """max(x, 0) - x z + log(1 + exp(-|x|)) for logits x and labels z. As `tf.nn.sigmoid_cross_entropy_with_logits`."""
    from graphc.ops.binary import add
    from graphc.ops.comparison import greater_equal
    from graphc.ops.fill import zeros_like
    from graphc.ops.gather import where

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


def weighted_cross_entropy_with_logits(labels=None, logits=None, pos_weight=None, name=None, targets=None):
    """Sigmoid cross entropy with positives weighted. As `tf.nn.weighted_cross_entropy_with_logits`."""
    from graphc.ops.binary import add

    labels = deprecated(labels, targets, "labels", "targets")
    with get_default_graph().name_scope(name or "logistic_loss") as scope:
        logits = convert_to_tensor(logits)
        labels = convert_to_tensor(labels, dtype=None if is_tensor_like(labels) else logits.dtype)
        weight = 1 + (pos_weight - 1) * labels
        return add(
            (1 - labels) * logits, weight * (log1p(exp(negative(abs(logits)))) + relu(negative(logits))), name=scope
        )
