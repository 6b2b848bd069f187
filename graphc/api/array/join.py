"""Tensors put together and taken apart along an axis: concat, stack, unstack, split."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.array.identity import identity
from graphc.api.public import public
from graphc.ir.apply import _first_dtype, _holds_tensors, apply, convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ir.op import normalise_axis
from graphc.ir.tensor import Tensor
from graphc.ops.array.join import ConcatV2, Pack, Split, SplitV, Unpack
from graphc.ops.array.join_shapes import ParallelConcat
from graphc.ops.array.shapes import ExpandDims


@public("concat", "concat_v2")
def concat(values: Any, axis: Any, name: str = "concat") -> Tensor:
    """The values one behind the other along `axis`, as `tf.concat`; concat(axis, values), the order before TF 1.0,
    too."""
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
    """The values, all of one shape, along a new axis, as `tf.stack`. Lists of numbers become a constant."""
    if isinstance(values, Tensor):
        values = unstack(values)
    if axis == 0 and isinstance(values, (list, tuple, np.ndarray)):
        return convert_to_tensor(values, name=name)
    dtype = _first_dtype(values)
    parts = [v if isinstance(v, Tensor) else convert_to_tensor(v, None if _holds_tensors(v) else dtype) for v in values]
    result: Tensor = apply(Pack, parts, name=name, axis=int(axis))
    return result


@public("unstack", "unpack")
def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Tensor]:
    """The slices along `axis`, as `tf.unstack`. Raises ValueError if their number is neither static nor given as
    num."""
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
    """Parts along `axis`: a number of equal ones, or one for each size of a list, as `tf.split`.

    split(axis, number, value), the order before TF 1.0, is understood where it cannot mean anything else.
    """
    if isinstance(value, (int, np.integer)) and isinstance(axis, (Tensor, list, tuple, np.ndarray)):
        value, axis = axis, value
    value = convert_to_tensor(value)
    if isinstance(num_or_size_splits, (int, np.integer)):
        return list(apply(Split, axis, value, name=name, num_split=int(num_or_size_splits)))
    sizes = convert_to_tensor(num_or_size_splits)
    if num is None:
        if sizes.spec.shape is None or not isinstance(sizes.spec.shape[0], int):
            raise ValueError("split: the number of parts is not known; give num")
        num = sizes.spec.shape[0]
    return list(apply(SplitV, value, sizes, axis, name=name, num_split=num))


@public("parallel_stack")
def parallel_stack(values: Sequence[Any], name: str = "parallel_stack") -> Tensor:
    """The values, whose shapes are known, along a new first axis, as `tf.parallel_stack`."""
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
