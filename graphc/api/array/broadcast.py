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
    """The tensor repeated to `shape` by NumPy's rules, as `tf.broadcast_to`."""
    result: Tensor = apply(BroadcastTo, input, shape, name=name)
    return result


def sum_to(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """x summed over the axes along which a tensor of `shape` was broadcast to it. (graphc's own)"""
    result: Tensor = apply(_SumTo, x, shape, name=name or "SumTo")
    return result


@public("tile", "manip.tile")
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """The tensor repeated multiples[i] times along axis i, as `tf.tile`."""
    result: Tensor = apply(Tile, input, multiples, name=name)
    return result


@public("broadcast_static_shape")
def broadcast_static_shape(shape_x: Any, shape_y: Any) -> Any:
    """The static shape of an elementwise op on these two, as `tf.broadcast_static_shape`."""
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
