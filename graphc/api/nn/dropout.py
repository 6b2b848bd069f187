"""Dropout, as a composition of other ops in the order of TF 1.15. The gradient sees the draw of the forward pass."""
from __future__ import annotations

import numbers

from graphc.api.array.cast import cast
from graphc.api.array.shapes import shape
from graphc.api.math.comparison import greater_equal
from graphc.api.public import public
from graphc.api.random.random import random_uniform
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.graph import get_default_graph


@public("nn.dropout")
def dropout(x, keep_prob=None, noise_shape=None, seed=None, name=None, rate=None):
    """x with each element set to 0 with probability `rate` (= 1 - keep_prob), the others scaled by 1 / (1 - rate).

    Each run draws again, and the gradient sees the same draw. noise_shape: the shape of the draw, which is broadcast
    against x, so that whole rows or channels are dropped together; None in it stands for x's size. rate may be a
    tensor, 0 for evaluation. As `tf.nn.dropout`, but for the numbers of a seed (for those: `gc.set_random_mode`).
    Raises ValueError if neither or both of keep_prob and rate are given, if rate is outside [0, 1), or x is no float.

    >>> x = gc.ones([2, 6])
    >>> gc.nn.dropout(x, rate=0.5, seed=3).eval()
    array([[2., 2., 0., 2., 0., 0.],
           [2., 2., 0., 0., 2., 0.]], dtype=float32)
    >>> gc.nn.dropout(x, rate=0.5, noise_shape=[2, 1], seed=2).eval()
    array([[2., 2., 2., 2., 2., 2.],
           [0., 0., 0., 0., 0., 0.]], dtype=float32)
    """
    if keep_prob is not None and rate is not None:
        raise ValueError("Cannot specify both 'rate' and 'keep_prob': rate is 1 - keep_prob")
    if keep_prob is None and rate is None:
        raise ValueError("You must provide a rate to dropout.")
    if rate is None:
        if isinstance(keep_prob, numbers.Real) and not 0 < keep_prob <= 1:
            raise ValueError(f"keep_prob must be in the range (0, 1], got {keep_prob}")
        rate = 1 - keep_prob
    if isinstance(rate, numbers.Real) and not 0 <= rate < 1:
        raise ValueError(f"rate must be a scalar tensor or a float in the range [0, 1), got {rate}")
    with get_default_graph().name_scope(name or "dropout"):
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_floating:
            raise ValueError(
                f"x has to be a floating point tensor since it's going to be scaled. Got a {x.dtype.name} tensor."
            )
        if isinstance(rate, numbers.Real) and rate == 0:
            return x
        rate = convert_to_tensor(rate, dtype=x.dtype, name="rate")
        drawn = random_uniform(_noise_shape(x, noise_shape), seed=seed, dtype=x.dtype)
        scale = 1 / (1 - rate)
        kept = x * scale * cast(greater_equal(drawn, rate), x.dtype)
        kept.set_shape(x.shape)                      # however little is known of rate's and noise_shape's
        return kept


def _noise_shape(x, noise_shape):
    if noise_shape is None:
        return shape(x)
    if is_tensor_like(noise_shape):
        return noise_shape
    sizes = noise_shape.as_list() if hasattr(noise_shape, "as_list") else list(noise_shape)
    return [shape(x)[i] if size is None else size for i, size in enumerate(sizes)]
