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
    """How weighted losses become one number, as `tf.losses.Reduction`.

    NONE: not at all; SUM; MEAN: the sum over the sum of the weights; SUM_BY_NONZERO_WEIGHTS: over the number of losses
    with a weight other than 0, the default; SUM_OVER_BATCH_SIZE: over the number of all losses.

    >>> for reduction in gc.losses.Reduction.all()[:5]:
    ...     loss = gc.losses.compute_weighted_loss([1., 2., 3.], [2., 0., 2.], reduction=reduction)
    ...     print(reduction, loss.eval())
    none [2. 0. 6.]
    weighted_sum 8.0
    weighted_mean 2.0
    weighted_sum_over_batch_size 2.6666667
    weighted_sum_by_nonzero_weights 4.0
    """

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All values."""
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
    """losses * weights, reduced to a scalar of their dtype and added to the collection.

    losses: any shape; weights: a number, or of the losses' rank with sizes of 1 or theirs: [batch, 1] weighs rows, and
    zeros are a mask. reduction: one of `gc.losses.Reduction`. Raises ValueError for other shapes and reductions,
    TypeError for strings. As `tf.losses.compute_weighted_loss`.

    >>> losses = gc.constant([[1., 2.], [30., 40.]])
    >>> gc.losses.compute_weighted_loss(losses, weights=[[1.], [0.]]).eval()
    np.float32(1.5)
    >>> gc.losses.compute_weighted_loss(losses, reduction=gc.losses.Reduction.NONE).eval()
    array([[ 1.,  2.],
           [30., 40.]], dtype=float32)
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
    """Adds a loss to a collection, by default that which `gc.losses.get_total_loss` sums up; to none if it is None.

    loss: a tensor, as a rule a scalar. As `tf.losses.add_loss`.

    >>> gc.losses.add_loss(gc.constant(2.5))
    >>> gc.losses.get_total_loss().eval()
    np.float32(2.5)
    """
    if loss_collection:
        get_default_graph().add_to_collection(loss_collection, loss)


@public("losses.get_losses")
def get_losses(scope: str | None = None, loss_collection: Any = GraphKeys.LOSSES) -> list[Any]:
    """The losses of a collection, a list; those whose names start with `scope` only, if it is given.

    As `tf.losses.get_losses`.

    >>> loss = gc.losses.mean_squared_error([1.], [3.])
    >>> gc.losses.get_losses() == [loss]
    True
    """
    found: list[Any] = get_default_graph().get_collection(loss_collection, scope)
    return found


@public("losses.get_regularization_losses")
def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """The list of what regularizers of variables have added, those under `scope` only if it is given.

    As `tf.losses.get_regularization_losses`.

    >>> w = gc.get_variable("w", [2], regularizer=lambda w: 0.1 * gc.nn.l2_loss(w))
    >>> len(gc.losses.get_regularization_losses())
    1
    """
    found: list[Any] = get_default_graph().get_collection(GraphKeys.REGULARIZATION_LOSSES, scope)
    return found


@public("losses.get_regularization_loss")
def get_regularization_loss(scope: str | None = None, name: str = "total_regularization_loss") -> Tensor:
    """The sum of the regularization losses, a scalar; 0.0 without any. As `tf.losses.get_regularization_loss`.

    >>> w = gc.get_variable("w", initializer=[3., 4.], regularizer=lambda w: 0.1 * gc.nn.l2_loss(w))
    >>> gc.global_variables_initializer().run()
    >>> gc.losses.get_regularization_loss().eval()
    np.float32(1.25)
    """
    losses = get_regularization_losses(scope)
    result: Tensor = add_n(losses, name=name) if losses else constant(0.0)
    return result


@public("losses.get_total_loss")
def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss",
                   scope: str | None = None) -> Tensor:
    """The sum of all losses in the collection, with those of regularization unless add_regularization_losses is False.

    scope: those under it only. As `tf.losses.get_total_loss`. Raises ValueError if there is none or if their shapes
    differ, TypeError if their dtypes do.

    >>> first = gc.losses.mean_squared_error([1.], [3.])
    >>> second = gc.losses.absolute_difference([1.], [3.])
    >>> gc.losses.get_total_loss().eval()
    np.float32(6.0)
    """
    losses = get_losses(scope)
    if add_regularization_losses:
        losses = losses + get_regularization_losses(scope)
    result: Tensor = add_n(losses, name=name)
    return result
