"""Tensors put together and taken apart along an axis: concat, stack, unstack, split."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.array.identity import identity
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, first_dtype, holds_tensors
from graphc.ir.graph import get_default_graph
from graphc.ir.op import normalise_axis
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import Dimension
from graphc.ops.array.join import ConcatV2, Pack, Split, SplitV, Unpack
from graphc.ops.array.join_shapes import ParallelConcat
from graphc.ops.array.shapes import ExpandDims


@public("concat", "concat_v2")
def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """The values one after the other along `axis`; all their other sizes are equal.

    values: a list of tensors of one dtype, with one of them that one (its axis is not looked at). axis: an int,
    negative ones from the end. Raises ValueError for an empty list, an axis out of range and shapes that are known not
    to fit, TypeError for dtypes that differ. concat(axis, values), the order before TensorFlow 1.0, is understood. As
    `tf.concat`.

    >>> a, b = gc.constant([[1, 2]]), gc.constant([[3, 4], [5, 6]])
    >>> gc.concat([a, b], 0).eval()
    array([[1, 2],
           [3, 4],
           [5, 6]], dtype=int32)
    >>> gc.concat([b, b], axis=-1).eval()
    array([[3, 4, 3, 4],
           [5, 6, 5, 6]], dtype=int32)
    """
    if isinstance(values, (int, np.integer)) and isinstance(axis, (list, tuple)):
        values, axis = axis, values
    if not isinstance(values, (list, tuple)):
        values = [values]
    if len(values) == 1:
        return identity(values[0], name=name)
    result: Tensor = apply(ConcatV2, list(values), axis, name=name)
    return result


@public("stack", "pack")
def stack(values: Any, axis: int = 0, name: str = "stack") -> Tensor:
    """The values, all of one shape and dtype, along a new axis; `gc.pack` is the older name.

    values: a list, or a tensor, whose rows it takes. axis: where the new axis stands. Lists of Python numbers become a
    constant. Raises ValueError for tensors whose shapes or dtypes differ and for an axis out of range. As `tf.stack`.

    >>> x, y = gc.constant([1, 4]), gc.constant([2, 5])
    >>> gc.stack([x, y]).eval()
    array([[1, 4],
           [2, 5]], dtype=int32)
    >>> gc.stack([x, y], axis=1).eval()
    array([[1, 2],
           [4, 5]], dtype=int32)
    """
    if isinstance(values, Tensor):
        values = unstack(values)
    if axis == 0 and isinstance(values, (list, tuple, np.ndarray)):
        return convert_to_tensor(values, name=name)
    dtype = first_dtype(values)
    parts = [v if isinstance(v, Tensor) else convert_to_tensor(v, None if holds_tensors(v) else dtype) for v in values]
    result: Tensor = apply(Pack, parts, name=name, axis=int(axis))
    return result


@public("unstack", "unpack")
def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Tensor]:
    """The slices along `axis` as a list of tensors without that axis; `gc.unpack` is the older name.

    num: how many there are: needed where the size of the axis is not known (ValueError without). value: of any dtype,
    of rank 1 or more. Raises ValueError for an axis out of range, or if it has another size (InvalidArgumentError when
    run). As `tf.unstack`.

    >>> a, b = gc.unstack([[1, 2, 3], [4, 5, 6]])
    >>> b.eval()
    array([4, 5, 6], dtype=int32)
    >>> sequence = gc.placeholder(gc.float32, [None, 10, 4])
    >>> len(gc.unstack(sequence, axis=1))
    10
    """
    value = convert_to_tensor(value)
    if num is None:
        if value.spec.shape is None:
            raise ValueError(f"unstack: the rank of {value!r} is not known; give num")
        size = value.spec.shape[normalise_axis(axis, len(value.spec.shape))]
        if not isinstance(size, int):
            raise ValueError(f"unstack: the size of axis {axis} of {value!r} is not known; give num")
        num = size
    made = apply(Unpack, value, name=name, num=int(num), axis=int(axis))
    return list(made) if num else []      # an op without results comes back itself


@public("split")
def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str = "split"
) -> list[Tensor]:
    """A list of parts of value along `axis`: a number of equal ones, or one for each size of a list, of which one may
    be -1.

    Args:
        value: of any dtype.
        num_or_size_splits: an int that divides the size of the axis, or a vector of sizes whose sum it is.
        axis: an int.
        num: the number of sizes, where it is not known.

    split(axis, number, value), the order before TensorFlow 1.0, is understood where it cannot mean anything else.
    Raises ValueError for other numbers and sums, and for an axis out of range; sizes that only a run knows end it with
    InvalidArgumentError. As `tf.split`.

    >>> a, b = gc.split([[1, 2, 3, 4], [5, 6, 7, 8]], 2, axis=1)
    >>> b.eval()
    array([[3, 4],
           [7, 8]], dtype=int32)
    >>> [part.eval() for part in gc.split([1, 2, 3, 4, 5], [1, -1, 2])]
    [array([1], dtype=int32), array([2, 3], dtype=int32), array([4, 5], dtype=int32)]
    """
    if isinstance(value, (int, np.integer)) and isinstance(axis, (Tensor, list, tuple, np.ndarray)):
        value, axis = axis, value
    value = convert_to_tensor(value)
    if isinstance(num_or_size_splits, Dimension) and num_or_size_splits.value is not None:
        num_or_size_splits = num_or_size_splits.value
    if isinstance(num_or_size_splits, (int, np.integer)):
        if num_or_size_splits < 1:
            raise ValueError(f"split: argument 'num_or_size_splits' must be at least 1, but is {num_or_size_splits}")
        return list(apply(Split, axis, value, name=name, num_split=int(num_or_size_splits)))
    sizes = convert_to_tensor(num_or_size_splits)
    if not sizes.dtype.is_integer or sizes.spec.shape == ():
        raise TypeError("split: argument 'num_or_size_splits' must be an int or a vector of integers, but is "
                        f"{num_or_size_splits!r}")
    if num is None:
        if sizes.spec.shape is None or not isinstance(sizes.spec.shape[0], int):
            raise ValueError("split: the number of parts is not known; give num")
        num = sizes.spec.shape[0]
    return list(apply(SplitV, value, sizes, axis, name=name, num_split=num))


@public("parallel_stack")
def parallel_stack(values: Sequence[Any], name: str = "parallel_stack") -> Tensor:
    """The values along a new first axis, as `gc.stack`; their shapes must be known (ValueError). As
    `tf.parallel_stack`.

    Raises ValueError for an empty list and for shapes that differ, TypeError for dtypes that differ.

    >>> gc.parallel_stack([gc.constant([1, 4]), gc.constant([2, 5])]).eval()
    array([[1, 4],
           [2, 5]], dtype=int32)
    """
    with get_default_graph().name_scope(name):
        parts = [convert_to_tensor(v) for v in values]
        if not parts:
            raise ValueError("parallel_stack: at least one value is needed")
        shape = (len(parts), *parts[0].shape.as_list())
        if None in shape:
            raise ValueError(f"parallel_stack: the shape of {parts[0]!r} must be known; use gc.stack")
        rows: list[Tensor] = [apply(ExpandDims, part, 0) for part in parts]
        result: Tensor = apply(ParallelConcat, rows, shape=shape)
        return result
