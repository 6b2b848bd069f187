"""What the losses of tf.losses share: weights, reductions, and the collections they are kept in."""
from __future__ import annotations

from typing import Any

from graphc.api.array.broadcast import broadcast_to
from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like, range_, zeros_like
from graphc.api.array.gather import where
from graphc.api.array.shapes import rank, shape, size
from graphc.api.array.source import constant
from graphc.api.math.binary import add_n, multiply
from graphc.api.math.comparison import equal
from graphc.api.math.no_nan import div_no_nan
from graphc.api.math.reduce import reduce_sum
from graphc.api.public import public
from graphc.ir import dims
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ir.graph import get_default_graph
from graphc.ir.names import GraphKeys
from graphc.ir.spec import text
from graphc.ir.tensor import Tensor


@public("losses.Reduction")
class Reduction:
    """How weighted losses become one number, as `tf.losses.Reduction`."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls) -> tuple[str, ...]:
        return (cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_OVER_NONZERO_WEIGHTS,
                cls.SUM_BY_NONZERO_WEIGHTS)

    @classmethod
    def validate(cls, key: str) -> None:
        """Raises ValueError for anything else."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}.")


def fitting_weights(weights: Tensor, values: Tensor) -> Tensor:
    """weights, a scalar or of the values' rank with sizes of 1 or the values'. Raises ValueError if they are not.

    What only the run knows is checked there.
    """
    given, wanted = weights.spec.shape, values.spec.shape
    if given == ():
        return weights
    if given is None or wanted is None:
        checked: Tensor = broadcast_to(weights, shape(values))
        return checked
    known = [(a, b) for a, b in zip(given, wanted, strict=False) if isinstance(a, int) and isinstance(b, int)]
    if len(given) != len(wanted) or any(a not in (1, b) for a, b in known):
        raise ValueError(f"weights can not be broadcast to values. values.rank={len(wanted)}. "
                         f"weights.rank={len(given)}. values.shape={text(wanted)}. weights.shape={text(given)}.")
    if all(dims.same(a, b) or dims.same(a, 1) for a, b in zip(given, wanted, strict=True)):
        return weights
    checked = broadcast_to(weights, shape(values))
    return checked


def num_present(values: Tensor, weights: Tensor, per_batch: bool = False) -> Tensor:
    """How many values have a weight other than 0; per_batch: of each row, the other axes kept."""
    with get_default_graph().name_scope("num_present") as scope:
        present = where(equal(weights, 0.0), zeros_like(weights), ones_like(weights))
        present = multiply(present, ones_like(values))
        if per_batch:
            result: Tensor = reduce_sum(present, axis=range_(1, rank(present)), keepdims=True, name=scope)
        else:
            result = reduce_sum(present, name=scope)
        return result


@public("losses.compute_weighted_loss")
def compute_weighted_loss(losses, weights=1.0, scope=None, loss_collection=GraphKeys.LOSSES,
                          reduction=Reduction.SUM_BY_NONZERO_WEIGHTS):
    """losses * weights, reduced and added to the collection. As `tf.losses.compute_weighted_loss`.

    weights: a number, or of the losses' rank with sizes of 1 or theirs. Raises ValueError otherwise.
    """
    Reduction.validate(reduction)
    with get_default_graph().name_scope(scope or "weighted_loss"):
        losses = convert_to_tensor(losses)
        dtype = losses.dtype
        losses = cast(losses, float32)
        weights = fitting_weights(cast(weights, float32), losses)
        losses = multiply(losses, weights)
        if reduction == Reduction.NONE:
            loss = losses
        else:
            loss = reduce_sum(losses)
            if reduction == Reduction.MEAN:
                loss = div_no_nan(loss, reduce_sum(multiply(ones_like(losses), weights)), name="value")
            elif reduction == Reduction.SUM_BY_NONZERO_WEIGHTS:
                loss = div_no_nan(loss, num_present(losses, weights), name="value")
            elif reduction == Reduction.SUM_OVER_BATCH_SIZE:
                loss = div_no_nan(loss, cast(size(losses), float32), name="value")
        loss = cast(loss, dtype)
        add_loss(loss, loss_collection)
        return loss


@public("losses.add_loss")
def add_loss(loss: Any, loss_collection: Any = GraphKeys.LOSSES) -> None:
    """Adds a loss to a collection; to none if it is None. As `tf.losses.add_loss`."""
    if loss_collection:
        get_default_graph().add_to_collection(loss_collection, loss)


@public("losses.get_losses")
def get_losses(scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES) -> list[Any]:
    """The losses of a collection, those under `scope` only if given. As `tf.losses.get_losses`."""
    found: list[Any] = get_default_graph().get_collection(loss_collection, scope)
    return found


@public("losses.get_regularization_losses")
def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """As `tf.losses.get_regularization_losses`."""
    found: list[Any] = get_default_graph().get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)
    return found


@public("losses.get_regularization_loss")
def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Tensor:
    """The sum of the regularization losses; 0.0 without any. As `tf.losses.get_regularization_loss`."""
    losses = get_regularization_losses(scope)
    result: Tensor = add_n(losses, name=name) if losses else constant(0.0)
    return result


@public("losses.get_total_loss")
def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss",
                   scope: str | None = None) -> Tensor:
    """The sum of all losses, with those of regularization. As `tf.losses.get_total_loss`.

    Raises ValueError if there is none.
    """
    losses = get_losses(scope)
    if add_regularization_losses:
        losses = losses + get_regularization_losses(scope)
    result: Tensor = add_n(losses, name=name)
    return result
