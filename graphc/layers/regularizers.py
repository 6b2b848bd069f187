"""Regularizers: functions that make a loss of a variable's size."""
from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import given_by, public

Regularizer = Callable[[Any], Any]


def _checked(scale: Any, name: str) -> None:
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"{name} cannot be an integer: {scale}")
    if isinstance(scale, numbers.Real) and scale < 0.0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {name} = {scale}")


def _scaled(scale: Any, size: Callable[[Any], Any], scope: str | None, default: str) -> Regularizer:
    """scale * size(weights); a scale of 0 makes no loss."""
    _checked(scale, "scale")
    if isinstance(scale, numbers.Real) and scale == 0.0:
        return gc.no_regularizer  # type: ignore[no-any-return]

    @given_by(f"what gc.contrib.layers.{default} gives")
    def regularizer(weights: Any, name: str | None = None) -> Any:
        with gc.name_scope(scope, default, [weights]) as entered:
            factor = gc.convert_to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale")
            return gc.multiply(factor, size(weights), name=entered)

    return regularizer


@public("contrib.layers.l1_regularizer")
def l1_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """scale * sum |weights|, as `tf.contrib.layers.l1_regularizer`. Raises ValueError for a scale that is an integer or
    less than 0.

    The function takes floats of any shape, and gives a scalar of their dtype, or None if scale is 0.

    >>> gc.contrib.layers.l1_regularizer(0.5)(gc.constant([1., -2.])).eval()
    np.float32(1.5)
    """
    return _scaled(scale, lambda weights: gc.reduce_sum(gc.abs(weights)), scope, "l1_regularizer")


@public("contrib.layers.l2_regularizer")
def l2_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """scale * sum(weights ** 2) / 2, as `tf.contrib.layers.l2_regularizer`. Raises ValueError for a scale that is an
    integer or less than 0.

    The function takes floats of any shape, and gives a scalar of their dtype, or None if scale is 0.

    >>> gc.contrib.layers.l2_regularizer(0.1)(gc.constant([1., -2.])).eval()
    np.float32(0.25)
    """
    return _scaled(scale, gc.nn.l2_loss, scope, "l2_regularizer")


@public("contrib.layers.l1_l2_regularizer")
def l1_l2_regularizer(scale_l1: float = 1.0, scale_l2: float = 1.0, scope: str | None = None) -> Regularizer:
    """The sum of both, as `tf.contrib.layers.l1_l2_regularizer`.

    The function takes floats of any shape, and gives a scalar of their dtype. Raises ValueError for a scale that is an
    integer or less than 0.

    >>> gc.contrib.layers.l1_l2_regularizer(0.5, 0.1)(gc.constant([1., -2.])).eval()
    np.float32(1.75)
    """
    _checked(scale_l1, "scale_l1")
    _checked(scale_l2, "scale_l2")
    scope = scope or "l1_l2_regularizer"
    if isinstance(scale_l1, numbers.Real) and scale_l1 == 0.0:
        return l2_regularizer(scale_l2, scope)
    if isinstance(scale_l2, numbers.Real) and scale_l2 == 0.0:
        return l1_regularizer(scale_l1, scope)
    both = sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)], scope)
    assert both is not None
    return both


@public("contrib.layers.sum_regularizer")
def sum_regularizer(regularizer_list: Sequence[Regularizer | None], scope: str | None = None) -> Regularizer | None:
    """The sum of regularizers; None if there are none. As `tf.contrib.layers.sum_regularizer`.

    The function takes floats of any shape, and gives a scalar, or None if all of them do.

    >>> l1, l2 = gc.contrib.layers.l1_regularizer(0.5), gc.contrib.layers.l2_regularizer(0.1)
    >>> both = gc.contrib.layers.sum_regularizer([l1, l2])
    >>> both(gc.constant([1., -2.])).eval()
    np.float32(1.75)
    """
    regularizers = [r for r in regularizer_list if r is not None]
    if not regularizers:
        return None

    @given_by("what gc.contrib.layers.sum_regularizer gives")
    def sum_of_all(weights: Any) -> Any:
        with gc.name_scope(scope, "sum_regularizer", [weights]) as entered:
            losses = [loss for r in regularizers if (loss := r(weights)) is not None]
            return gc.add_n(losses, name=entered) if losses else None

    return sum_of_all


@public("contrib.layers.apply_regularization")
def apply_regularization(regularizer: Regularizer, weights_list: Sequence[Any] | None = None) -> Any:
    """The sum of the regularizer's losses of these weights (by default the collection WEIGHTS), which is added to
    REGULARIZATION_LOSSES. As `tf.contrib.layers.apply_regularization`.

    The sum is a scalar. Raises ValueError if there are no weights, or the regularizer gives no scalar.

    >>> w = gc.Variable([1., 2.])
    >>> loss = gc.contrib.layers.apply_regularization(gc.contrib.layers.l2_regularizer(0.1), [w])
    >>> gc.global_variables_initializer().run()
    >>> loss.eval()
    np.float32(0.25)
    """
    weights = list(weights_list or gc.get_collection(gc.GraphKeys.WEIGHTS))
    if not weights:
        raise ValueError("No weights to regularize.")
    with gc.name_scope("get_regularization_penalty", values=weights) as scope:
        losses = [gc.constant(0.0) if (loss := regularizer(w)) is None else loss for w in weights]
        for loss in losses:
            if loss.get_shape().ndims != 0:
                raise ValueError("regularizer must return a scalar Tensor instead of a Tensor with rank "
                                 f"{loss.get_shape().ndims}.")
        total = gc.add_n(losses, name=scope)
    gc.add_to_collection(gc.GraphKeys.REGULARIZATION_LOSSES, total)
    return total
