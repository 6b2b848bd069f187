"""Clipping by value and by norm, as compositions of other ops in TF's order of operations. IndexedSlices stay what they
are."""
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


@public("clip_by_value", "math.clip_by_value")
def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """t cut to the range from clip_value_min to clip_value_max: max(min(t, clip_value_max), clip_value_min).

    t: real numbers, or IndexedSlices, which the result is then, too. The bounds are scalars, or of shapes that
    broadcast to that of t (ValueError if they make it larger). The gradient is 0 where t was cut. If clip_value_min is
    above clip_value_max, it wins. Raises TypeError for other or different dtypes. As `tf.clip_by_value`.

    >>> gc.clip_by_value([-5., 0.3, 9.], -1., 1.).eval()
    array([-1. ,  0.3,  1. ], dtype=float32)
    """
    with get_default_graph().name_scope(name or "clip_by_value") as scope:
        values = values_of(t)
        clipped = maximum(minimum(values, clip_value_max), clip_value_min, name=scope)
        if not clipped.shape.is_compatible_with(values.shape):
            raise ValueError(f"clip_by_value: the bounds make shape {clipped.shape} of t's shape {values.shape}; they "
                             "must broadcast to the latter")
        return like(t, clipped)


@public("global_norm", "math.global_norm", "linalg.global_norm")
def global_norm(t_list: Sequence[Any], name: str | None = None) -> Any:
    """The norm of a list of tensors as if they were one vector: sqrt(sum of the squares of all their elements).

    t_list: floating point tensors or IndexedSlices of any shapes; None is left out. The result is a scalar, 0 if
    nothing is left. Raises TypeError for other dtypes and for what is no list, ValueError for different dtypes. As
    `tf.global_norm`.

    >>> gc.global_norm([gc.constant([3., 0.]), None, gc.constant([[4.]])]).eval()
    np.float32(5.0)
    """
    with get_default_graph().name_scope(name or "global_norm"):
        halves = [l2_loss(values_of(t)) for t in t_list if t is not None]
        half = reduce_sum(stack(halves)) if halves else constant(0.0)
        return sqrt(half * constant(2.0, half.dtype), name="global_norm")


@public("clip_by_global_norm", "math.clip_by_global_norm")
def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Any]:
    """(list, norm): all tensors times clip_norm / norm if their global norm is above clip_norm, and that norm.

    t_list: gradients, say: tensors, IndexedSlices or None (which stay that). clip_norm: a scalar of their dtype.
    use_norm: the norm, a tensor, if it is known already. A norm that is not finite makes all NaN, as in TensorFlow
    1.15: a step that fails is seen. Errors as of `gc.global_norm`. As `tf.clip_by_global_norm`.

    >>> w = gc.constant([3., 4.])
    >>> gradients = gc.gradients(gc.reduce_sum(gc.square(w)), [w])
    >>> clipped, norm = gc.clip_by_global_norm(gradients, 5.)
    >>> norm.eval()
    np.float32(10.0)
    >>> clipped[0].eval()
    array([3., 4.], dtype=float32)
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
    """t times clip_norm / norm where its L2 norm is above clip_norm, else t.

    t: a floating point tensor or IndexedSlices. axes: the axes over which each norm is taken, by default all: [1] clips
    every row of a matrix by itself. The result has the shape and dtype of t. Raises TypeError for other dtypes,
    ValueError for axes that are not there. As `tf.clip_by_norm`.

    >>> t = gc.constant([[3., 4.], [0.3, 0.4]])
    >>> gc.clip_by_norm(t, 1., axes=[1]).eval()
    array([[0.6, 0.8],
           [0.3, 0.4]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "clip_by_norm") as scope:
        values = values_of(t)
        squares = reduce_sum(square(values), axes, keepdims=True)
        # The root's gradient at 0 would be infinite: 1 stands in there.
        present = greater(squares, 0)
        norm = where(present, sqrt(where(present, squares, ones_like(squares))), squares)
        return like(t, divide(values * clip_norm, maximum(norm, clip_norm), name=scope))


@public("clip_by_average_norm")
def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Any:
    """t times clip_norm / a where a, its L2 norm by its number of elements, is above clip_norm, else t.

    t: a floating point tensor; clip_norm: a scalar. The result has the shape and dtype of t. Raises TypeError for other
    dtypes. As `tf.clip_by_average_norm`.

    >>> gc.clip_by_average_norm([3., 4.], 0.5).eval()
    array([0.6, 0.8], dtype=float32)
    """
    with get_default_graph().name_scope(name or "clip_by_average_norm") as scope:
        t = convert_to_tensor(t, name="t")
        inverse = rsqrt(reduce_sum(t * t))
        return identity(t * clip_norm * minimum(inverse * cast(size(t), t.dtype), 1.0 / clip_norm), name=scope)
