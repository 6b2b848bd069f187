"""Clipping by norm, as compositions of other ops in TF's order of operations. IndexedSlices stay what they are."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like
from graphc.api.array.gather import where
from graphc.api.array.identity import identity
from graphc.api.array.join import stack
from graphc.api.array.shapes import size
from graphc.api.array.source import constant
from graphc.api.gradients.slices import like, values_of
from graphc.api.math.binary import maximum, minimum
from graphc.api.math.comparison import greater
from graphc.api.math.division import divide
from graphc.api.math.reduce import reduce_sum
from graphc.api.math.unary import rsqrt, sqrt, square
from graphc.api.nn.losses import l2_loss
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.graph import get_default_graph


@public("global_norm", "math.global_norm", "linalg.global_norm")
def global_norm(t_list: Sequence[Any], name: str | None = None) -> Any:
    """sqrt of the sum of all squares in a list of tensors; entries that are None are left out. As `tf.global_norm`."""
    with get_default_graph().name_scope(name or "global_norm"):
        halves = [l2_loss(values_of(t)) for t in t_list if t is not None]
        if not halves:
            raise ValueError("global_norm: t_list holds no tensor")
        half = reduce_sum(stack(halves))
        return sqrt(half * constant(2.0, half.dtype), name="global_norm")


@public("clip_by_global_norm", "math.clip_by_global_norm")
def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Any]:
    """(tensors scaled so that their global norm is at most clip_norm, that norm before). As `tf.clip_by_global_norm`.

    A norm that is not finite gives NaN, as in TF 1.15.
    """
    norm = global_norm(t_list, name) if use_norm is None else use_norm
    with get_default_graph().name_scope(name or "clip_by_global_norm") as scope:
        # An infinite norm makes inf - inf = NaN of every result.
        factor = clip_norm * minimum(1.0 / norm, 1.0 / convert_to_tensor(clip_norm, dtype=norm.dtype))
        factor = factor + (norm - norm)
        return [None if t is None else like(t, identity(values_of(t) * factor, name=f"{scope}_{i}"))
                for i, t in enumerate(t_list)], norm


@public("clip_by_norm", "math.clip_by_norm")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """t scaled so that its norm (along `axes`, or of everything) is at most clip_norm. As `tf.clip_by_norm`."""
    with get_default_graph().name_scope(name or "clip_by_norm") as scope:
        values = values_of(t)
        squares = reduce_sum(square(values), axes, keepdims=True)
        # The root's gradient at 0 would be infinite: 1 stands in there.
        present = greater(squares, 0)
        norm = where(present, sqrt(where(present, squares, ones_like(squares))), squares)
        return like(t, divide(values * clip_norm, maximum(norm, clip_norm), name=scope))


@public("clip_by_average_norm")
def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Any:
    """t scaled so that its norm by its number of elements is at most clip_norm. As `tf.clip_by_average_norm`."""
    with get_default_graph().name_scope(name or "clip_by_average_norm") as scope:
        t = convert_to_tensor(t, name="t")
        inverse = rsqrt(reduce_sum(t * t))
        return identity(t * clip_norm * minimum(inverse * cast(size(t), t.dtype), 1.0 / clip_norm), name=scope)
