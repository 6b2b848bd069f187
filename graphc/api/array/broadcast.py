"""Repeated elements: broadcast_to, tile, and the shapes of broadcasts."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir import dims
from graphc.ir.apply import apply
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape
from graphc.ops.array.broadcast import (
    BroadcastTo,
    Tile,
    _SumTo,
)


@public("broadcast_to")
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """input repeated to `shape` by NumPy's rules: axes of size 1 grow, and axes that are missing come in front.

    input: of any dtype. shape: a list or an int32 or int64 vector, also of sizes that only a run knows. Raises
    ValueError for shapes that are known not to fit, TypeError for Python sizes that are no integers. The gradient sums
    over what was repeated. As `tf.broadcast_to`.

    >>> gc.broadcast_to([[1], [2]], [2, 3]).eval()
    array([[1, 1, 1],
           [2, 2, 2]], dtype=int32)
    """
    result: Tensor = apply(BroadcastTo, input, shape, name=name)
    return result


def sum_to(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """x summed over the axes along which a tensor of `shape` was broadcast to it. (graphc's own)"""
    result: Tensor = apply(_SumTo, x, shape, name=name or "SumTo")
    return result


@public("tile", "manip.tile")
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """input repeated multiples[i] times along axis i.

    input: of any dtype. multiples: a list or an int32 or int64 vector, one number of at least 0 for each axis
    (ValueError for another length or negative numbers, TypeError for broken ones). As `tf.tile`.

    >>> gc.tile([[1, 2], [3, 4]], [1, 2]).eval()
    array([[1, 2, 1, 2],
           [3, 4, 3, 4]], dtype=int32)
    >>> batch = gc.placeholder(gc.float32, [None, 2])
    >>> gc.tile([[0.5, 0.5]], [gc.shape(batch)[0], 1]).eval({batch: np.ones((3, 2))})
    array([[0.5, 0.5],
           [0.5, 0.5],
           [0.5, 0.5]], dtype=float32)
    """
    result: Tensor = apply(Tile, input, multiples, name=name)
    return result


@public("broadcast_static_shape")
def broadcast_static_shape(shape_x: Any, shape_y: Any) -> Any:
    """The TensorShape that an elementwise op on tensors of these two static shapes has. Raises ValueError if they do
    not fit.

    Sizes that are not known may be given as None. As `tf.broadcast_static_shape`.

    >>> gc.broadcast_static_shape(gc.TensorShape([None, 3]), gc.TensorShape([1, 3])).as_list()
    [None, 3]
    """
    a, b = TensorShape(shape_x).sizes, TensorShape(shape_y).sizes
    if a is None or b is None:
        return TensorShape(None)
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b, strict=True)
    sizes: list[int | None] = []
    for x, y in pairs:
        if x == 1 or y == 1:
            sizes.append(y if x == 1 else x)
        elif x is None or y is None:
            sizes.append(x if y is None else y)
        else:
            sizes.append(int(dims.broadcast(x, y)))  # type: ignore[arg-type]
    return TensorShape(sizes)
