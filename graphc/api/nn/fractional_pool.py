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

    As `tf.nn.fractional_max_pool`; the numbers of a seed are not TensorFlow's. deterministic: every run draws the same.
    """
    return _pool(FractionalMaxPool, value, pooling_ratio, name, pseudo_random=pseudo_random, overlapping=overlapping,
                 deterministic=deterministic, seed=seed, seed2=seed2)


@public("nn.fractional_avg_pool")
def fractional_avg_pool(value, pooling_ratio, pseudo_random=False, overlapping=False, deterministic=False, seed=0,
                        seed2=0, name=None):
    """As `fractional_max_pool`, of the windows' means. As `tf.nn.fractional_avg_pool`."""
    return _pool(FractionalAvgPool, value, pooling_ratio, name, pseudo_random=pseudo_random, overlapping=overlapping,
                 deterministic=deterministic, seed=seed, seed2=seed2)
