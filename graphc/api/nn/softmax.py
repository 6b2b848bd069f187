"""Softmax and log-softmax along any axis."""
from __future__ import annotations

from typing import Any

from graphc.api.array.transpose import transpose
from graphc.api.math.reduce import deprecated
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.op import normalise_axis
from graphc.ops.nn.softmax import (
    LogSoftmax,
    Softmax,
)


def _along(op: Any, logits: Any, axis: int | None, name: str | None) -> Any:
    """op along any axis: the axis is moved to the end and back."""
    logits = convert_to_tensor(logits)
    if logits.spec.shape is None or axis in (None, -1) or axis == len(logits.spec.shape) - 1:
        if logits.spec.shape is None and axis not in (None, -1):
            raise ValueError("along an axis other than the last, the rank of the logits must be known")
        return apply(op, logits, name=name)
    rank = len(logits.spec.shape)
    at = normalise_axis(axis, rank)
    swap = [rank - 1 if i == at else at if i == rank - 1 else i for i in range(rank)]
    return transpose(apply(op, transpose(logits, swap)), swap, name=name or "transpose")


@public("softmax", "nn.softmax", "math.softmax")
def softmax(logits, axis=None, name=None, dim=None):
    """exp(x) / sum(exp(x)) along `axis`, the last by default: numbers above 0 that sum up to 1.

    logits: floats of rank 1 or more; large ones do not overflow. `dim` is an older name of axis. As `tf.nn.softmax`.
    Raises TypeError for other dtypes, ValueError for scalars, an axis out of range, and along another axis than the
    last if the rank is not known.

    >>> gc.nn.softmax([[1., 2., 3.], [1000., 1000., 0.]]).eval()
    array([[0.09  , 0.2447, 0.6652],
           [0.5   , 0.5   , 0.    ]], dtype=float32)
    >>> gc.nn.softmax([[1., 2.], [1., 4.]], axis=0).eval()
    array([[0.5   , 0.1192],
           [0.5   , 0.8808]], dtype=float32)
    """
    return _along(Softmax, logits, deprecated(axis, dim, "axis", "dim"), name)


@public("log_softmax", "nn.log_softmax", "math.log_softmax")
def log_softmax(logits, axis=None, name=None, dim=None):
    """x - log(sum(exp(x))) along `axis`, the last by default: log(softmax(x)), finite where softmax has become 0.

    logits: floats of rank 1 or more. Raises as `softmax`. As `tf.nn.log_softmax`.

    >>> gc.nn.log_softmax([[0., 0.], [1000., 0.]]).eval()
    array([[   -0.6931,    -0.6931],
           [    0.    , -1000.    ]], dtype=float32)
    """
    return _along(LogSoftmax, logits, deprecated(axis, dim, "axis", "dim"), name)
