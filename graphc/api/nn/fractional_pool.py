"""Fractional pooling."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ops.nn.fractional_pool import FractionalAvgPool, FractionalMaxPool


def _pool(op: Any, value: Any, pooling_ratio: Any, name: str | None, **attributes: Any) -> Any:
    return apply(op, value, pooling_ratio=tuple(float(r) for r in pooling_ratio), name=name,
                 **{key: int(v) if key.startswith("seed") else bool(v) for key, v in attributes.items()})


@public("nn.fractional_max_pool")
def fractional_max_pool(value, pooling_ratio, pseudo_random=False, overlapping=False, deterministic=False, seed=0,
                        seed2=0, name=None):
    """(the largest elements of windows of two sizes, in an order drawn at random; where rows begin; where columns do).

    value: float32, float64, int32 or int64 [batch, height, width, channels]; pooling_ratio: four numbers of at least 1,
    those of batch and channels 1: a size n becomes floor(n / ratio). overlapping: windows share their edges.
    deterministic: every run draws the same. As `tf.nn.fractional_max_pool`, but for the numbers of a seed. Raises
    TypeError for other dtypes, ValueError for another rank, a ratio below 1, and for other than four of them.

    >>> x = gc.reshape(gc.range(25.), [1, 5, 5, 1])
    >>> y, rows, columns = gc.nn.fractional_max_pool(x, [1., 2.5, 1., 1.], deterministic=True, seed=1, seed2=2)
    >>> y.shape.as_list(), columns.eval()
    ([1, 2, 5, 1], array([0, 1, 2, 3, 4, 5]))
    """
    return _pool(FractionalMaxPool, value, pooling_ratio, name, pseudo_random=pseudo_random, overlapping=overlapping,
                 deterministic=deterministic, seed=seed, seed2=seed2)


@public("nn.fractional_avg_pool")
def fractional_avg_pool(value, pooling_ratio, pseudo_random=False, overlapping=False, deterministic=False, seed=0,
                        seed2=0, name=None):
    """As `fractional_max_pool`, of the windows' means. As `tf.nn.fractional_avg_pool`.

    Raises as `fractional_max_pool`.

    >>> x = gc.reshape(gc.range(16.), [1, 4, 4, 1])
    >>> y, rows, columns = gc.nn.fractional_avg_pool(x, [1., 2., 2., 1.])
    >>> y[0, :, :, 0].eval(), rows.eval()
    (array([[ 2.5,  4.5],
           [10.5, 12.5]], dtype=float32), array([0, 2, 4]))
    """
    return _pool(FractionalAvgPool, value, pooling_ratio, name, pseudo_random=pseudo_random, overlapping=overlapping,
                 deterministic=deterministic, seed=seed, seed2=seed2)
