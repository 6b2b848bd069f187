"""contrib.sparsemax: the shares nearest to some numbers, many of them 0 (Martins and Astudillo 2016), and a loss."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.sparsemax.sparsemax")
def sparsemax(logits: Any, name: str | None = None) -> Any:
    """The point of the simplex that is nearest to each row: of shares that are 0 or more and whose sum is 1.

    logits: floats [rows, classes]. Rows that hold NaN or +inf are NaN. As `tf.contrib.sparsemax.sparsemax`. Raises
    ValueError for another rank, TypeError for other dtypes.

    >>> gc.contrib.sparsemax.sparsemax([[0.5, 0.4, -1.], [3., 0., 0.]]).eval()
    array([[0.55, 0.45, 0.  ],
           [1.  , 0.  , 0.  ]], dtype=float32)
    """
    with gc.name_scope(name, "sparsemax", [logits]):
        logits = _matrix(logits, "sparsemax")
        # The shares are max(0, z - level). That of the k greatest, were they the ones above 0, is (their sum - 1) / k.
        z = logits - gc.reduce_max(logits, axis=1, keepdims=True)
        greatest, _ = gc.nn.top_k(z, gc.shape(z)[1])
        sums = gc.cumsum(greatest, axis=1)
        count = gc.cast(gc.range(1, gc.shape(z)[1] + 1), z.dtype)
        is_above = greatest * count > sums - 1.0
        total = gc.reduce_sum(gc.where(is_above, greatest, gc.zeros_like(greatest)), axis=1, keepdims=True)
        level = (total - 1.0) / gc.reduce_sum(gc.cast(is_above, z.dtype), axis=1, keepdims=True)
        return gc.maximum(z - level, 0.0)


@public("contrib.sparsemax.sparsemax_loss")
def sparsemax_loss(logits: Any, sparsemax: Any, labels: Any, name: str | None = None) -> Any:
    """The loss whose gradient by logits is sparsemax - labels, for each row.

    logits, sparsemax (of these logits) and labels, shares themselves: floats [rows, classes] of one dtype. As
    `tf.contrib.sparsemax.sparsemax_loss`. Raises ValueError for another rank.

    >>> logits = gc.constant([[2., 0., 0.]])
    >>> shares = gc.contrib.sparsemax.sparsemax(logits)
    >>> gc.contrib.sparsemax.sparsemax_loss(logits, shares, [[0., 1., 0.]]).eval()
    array([2.], dtype=float32)
    """
    with gc.name_scope(name, "sparsemax_loss", [logits, sparsemax, labels]):
        logits, shares = _matrix(logits, "sparsemax_loss"), gc.convert_to_tensor(sparsemax)
        labels = gc.convert_to_tensor(labels, logits.dtype)
        above = gc.where(shares > 0.0, shares * (logits - 0.5 * shares), gc.zeros_like(logits))
        wanted = gc.where(gc.equal(labels, 0.0), gc.zeros_like(logits), labels * (0.5 * labels - logits))
        return gc.reduce_sum(above + wanted, axis=1)


def _matrix(logits: Any, function: str) -> Any:
    made = gc.convert_to_tensor(logits, name="logits")
    if made.shape.ndims not in (2, None):
        raise ValueError(f"{function}: argument 'logits' must have rank 2, but has the shape {made.shape}")
    return made
