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
from graphc.ir.values import whole
from graphc.ops.array.join_shapes import BroadcastArgs, ShapeN
from graphc.ops.array.shapes import ExpandDims, Rank, Reshape, Shape, Size, Squeeze


@public("shape")
def shape(input: Any, name: str | None = None, out_type: Any = int32) -> Tensor:
    """The shape as a vector of out_type (int32 or int64): what `x.shape` does not know yet, a run does.

    input: a tensor or SparseTensor. Sizes that are known fold where it is used as a shape, so that
    gc.reshape(x, [gc.shape(x)[0], 6]) keeps what is known of the others. Raises TypeError for another out_type. As
    `tf.shape`.

    >>> x = gc.placeholder(gc.float32, [None, 2, 3])
    >>> gc.shape(x).eval({x: np.ones((5, 2, 3))})
    array([5, 2, 3], dtype=int32)
    >>> gc.reshape(x, [gc.shape(x)[0], 6]).shape
    TensorShape([Dimension(None), Dimension(6)])
    """
    if isinstance(input, SparseTensor):
        return cast(input.dense_shape, out_type, name=name)
    result: Tensor = apply(Shape, input, name=name, out_type=as_dtype(out_type))
    return result


@public("size")
def size(input: Any, name: str | None = None, out_type: Any = int32) -> Tensor:
    """The number of elements as a scalar of out_type; of a SparseTensor zeros are counted, too. As `tf.size`.

    input: of any dtype. Raises TypeError for an out_type other than int32 and int64.

    >>> gc.size([[1, 2, 3], [4, 5, 6]]).eval()
    np.int32(6)
    """
    if isinstance(input, SparseTensor):
        count: Tensor = apply(OPS["Prod"], cast(input.dense_shape, out_type), 0, name=name)
        return count
    result: Tensor = apply(Size, input, name=name, out_type=as_dtype(out_type))
    return result


@public("rank")
def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of axes as an int32 scalar. As `tf.rank`.

    >>> gc.rank([[1, 2, 3], [4, 5, 6]]).eval()
    np.int32(2)
    """
    if isinstance(input, SparseTensor):
        return size(input.dense_shape, name)
    result: Tensor = apply(Rank, input, name=name)
    return result


@public("reshape", "manip.reshape")
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The same elements in row-major order under another shape.

    tensor: of any dtype. shape: a list of ints and scalars, or an int32 or int64 vector; one size may be -1: what is
    left. Raises ValueError for a second -1 and if the numbers of elements are known to differ, InvalidArgumentError
    when run; TypeError for Python sizes that are no integers. As `tf.reshape`.

    >>> gc.reshape([1, 2, 3, 4, 5, 6], [2, -1]).eval()
    array([[1, 2, 3],
           [4, 5, 6]], dtype=int32)
    >>> x = gc.placeholder(gc.float32, [None, 28, 28])
    >>> gc.reshape(x, [-1, 28 * 28]).shape
    TensorShape([Dimension(None), Dimension(784)])
    """
    result: Tensor = apply(Reshape, tensor, shape, name=name)
    return result


@public("expand_dims")
def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Tensor:
    """A new axis of size 1 before `axis`; -1: after all.

    input: of any dtype. axis: a Python int from -rank - 1 to rank (ValueError for others, TypeError for broken
    numbers); dim: its older name, of which one must be given (ValueError). As `tf.expand_dims`.

    >>> x = gc.constant([1., 2.])
    >>> gc.expand_dims(x, 0).eval()
    array([[1., 2.]], dtype=float32)
    >>> gc.expand_dims(x, -1).eval()
    array([[1.],
           [2.]], dtype=float32)
    """
    if (axis is None) == (dim is None):
        raise ValueError("expand_dims takes one of axis and (deprecated) dim")
    result: Tensor = apply(ExpandDims, input, dim if axis is None else axis, name=name)
    return result


@public("squeeze")
def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Tensor:
    """Without axes of size 1: `axis` (an int or a list of them), or all that are known to have it.

    Name the axes where sizes are unknown: without them a batch that happens to be 1 would go, too. input: of any dtype.
    Raises ValueError for an axis that is known to be larger, or that is out of range. squeeze_dims: the older name. As
    `tf.squeeze`.

    >>> gc.squeeze([[[1], [2]]]).eval()
    array([1, 2], dtype=int32)
    >>> gc.squeeze([[[1], [2]]], axis=-1).eval()
    array([[1, 2]], dtype=int32)
    """
    if axis is not None and squeeze_dims is not None:
        raise ValueError("squeeze takes one of axis and (deprecated) squeeze_dims")
    axes = squeeze_dims if axis is None else axis
    axes = () if axes is None else (axes,) if np.isscalar(axes) else tuple(axes)
    result: Tensor = apply(Squeeze, input, name=name, squeeze_dims=tuple(whole(a) for a in axes))
    return result


@public("shape_n")
def shape_n(input: Any, out_type: Any = int32, name: str | None = None) -> list[Tensor]:
    """A list of the shapes of the tensors, as vectors of out_type. As `tf.shape_n`.

    input: of any one dtype. Raises ValueError for an empty list, TypeError for dtypes that differ and for an out_type
    other than int32 and int64.

    >>> [s.eval() for s in gc.shape_n([gc.zeros([2, 3]), gc.zeros([4])])]
    [array([2, 3], dtype=int32), array([4], dtype=int32)]
    """
    if not input:
        raise ValueError("shape_n: argument 'input' must hold at least one tensor")
    return list(apply(ShapeN, list(input), name=name, out_type=as_dtype(out_type)))


@public("broadcast_dynamic_shape")
def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape that tensors of these two shapes have together by NumPy's rules, as a tensor.

    shape_x, shape_y: int32 or int64 vectors of one dtype; shapes that do not fit end the run with InvalidArgumentError.
    As `tf.broadcast_dynamic_shape`.

    >>> gc.broadcast_dynamic_shape([2, 1, 3], [4, 1]).eval()
    array([2, 4, 3], dtype=int32)
    """
    result: Tensor = apply(BroadcastArgs, shape_x, shape_y)
    return result
