"""Shapes as tensors (shape, size, rank) and other shapes of the same elements (reshape, expand_dims, squeeze)."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.public import public
from graphc.api.sparse.tensor import SparseTensor
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype, int32
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.ops.array.join_shapes import BroadcastArgs, ShapeN
from graphc.ops.array.shapes import ExpandDims, Rank, Reshape, Shape, Size, Squeeze


@public("shape")
def shape(input: Any, name: str | None = None, out_type: Any = int32) -> Tensor:
    """The shape as a tensor of out_type (int32, int64), as `tf.shape`. Static sizes fold when it is used as a shape."""
    if isinstance(input, SparseTensor):
        return cast(input.dense_shape, out_type, name=name)
    result: Tensor = apply(Shape, input, name=name, out_type=as_dtype(out_type))
    return result


@public("size")
def size(input: Any, name: str | None = None, out_type: Any = int32) -> Tensor:
    """The number of elements as a scalar, as `tf.size`; of a sparse tensor, zeros counted."""
    if isinstance(input, SparseTensor):
        count: Tensor = apply(OPS["Prod"], cast(input.dense_shape, out_type), 0, name=name)
        return count
    result: Tensor = apply(Size, input, name=name, out_type=as_dtype(out_type))
    return result


@public("rank")
def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of axes as an int32 scalar, as `tf.rank`."""
    if isinstance(input, SparseTensor):
        return size(input.dense_shape, name)
    result: Tensor = apply(Rank, input, name=name)
    return result


@public("reshape", "manip.reshape")
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements in row-major order under another shape, as `tf.reshape`. One size may be -1.

    Raises ValueError if the numbers of elements differ.
    """
    result: Tensor = apply(Reshape, tensor, shape, name=name)
    return result


@public("expand_dims")
def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """A new axis of size 1 before `axis`, as `tf.expand_dims` (dim: the old name of axis)."""
    if (axis is None) == (dim is None):
        raise ValueError("expand_dims takes one of axis and (deprecated) dim")
    result: Tensor = apply(ExpandDims, input, dim if axis is None else axis, name=name)
    return result


@public("squeeze")
def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Tensor:
    """Without axes of size 1: `axis` (an int or a list), or all of them, as `tf.squeeze`."""
    if axis is not None and squeeze_dims is not None:
        raise ValueError("squeeze takes one of axis and (deprecated) squeeze_dims")
    axes = squeeze_dims if axis is None else axis
    axes = () if axes is None else (axes,) if np.isscalar(axes) else tuple(axes)
    result: Tensor = apply(Squeeze, input, name=name, squeeze_dims=tuple(int(a) for a in axes))
    return result


@public("shape_n")
def shape_n(input: Any, out_type: Any = int32, name: str | None = None) -> list[Tensor]:
    """The shapes of the tensors, as `tf.shape_n`."""
    return list(apply(ShapeN, list(input), name=name, out_type=as_dtype(out_type)))


@public("broadcast_dynamic_shape")
def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape that tensors of these two have together, as a tensor, as `tf.broadcast_dynamic_shape`."""
    result: Tensor = apply(BroadcastArgs, shape_x, shape_y)
    return result
