"""x[...]: NumPy's notation for StridedSlice, as in TensorFlow 1."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.cast import cast
from graphc.api.array.join import stack
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import bool_, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.late_imports import load
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import Dimension
from graphc.ops.array.slicing import StridedSlice


def getitem(tensor: Tensor, key: Any) -> Tensor:
    """The part of `tensor` that `key` names: ints, slices, None, Ellipsis, integer scalar tensors, or a tuple of them.

    A mask (a bool tensor or array) gives the elements where it is true. Raises TypeError for other keys (lists,
    floats): use gc.gather.
    """
    if getattr(key, "dtype", None) in (bool_, np.dtype(bool)) and getattr(key, "shape", ()) != ():
        made: Tensor = load("graphc.api.array.gather").boolean_mask(tensor, key)
        return made
    begin: list[Any] = []
    end: list[Any] = []
    strides: list[Any] = []
    masks = {"begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 0}
    for i, item in enumerate(key if isinstance(key, tuple) else (key,)):
        bit = 1 << i
        first, last, step = 0, 0, 1
        if isinstance(item, slice):
            first, last, step, mask = _slice_entry(item)
            for name in mask:
                masks[name] |= bit
        elif item is Ellipsis:
            masks["ellipsis_mask"] |= bit
        elif item is None:
            masks["new_axis_mask"] |= bit
        else:
            first = _index(item)
            last = first + 1
            masks["shrink_axis_mask"] |= bit
        begin.append(first)
        end.append(last)
        strides.append(step)
    with get_default_graph().name_scope("strided_slice") as scope:
        packed = [_packed(values, begin + end + strides) for values in (begin, end, strides)]
        result: Tensor = apply(StridedSlice, tensor, *packed, name=scope, **masks)
    return result


def _slice_entry(item: slice) -> tuple[Any, Any, Any, list[str]]:
    masks = []
    if item.start is None:
        masks.append("begin_mask")
    if item.stop is None:
        masks.append("end_mask")
    return (0 if item.start is None else _index(item.start), 0 if item.stop is None else _index(item.stop),
            1 if item.step is None else _index(item.step), masks)


def _index(item: Any) -> Any:
    if isinstance(item, Dimension):
        return int(item)
    if isinstance(item, (bool, np.bool_)):
        raise TypeError(_WRONG.format(item, "bool"))
    if isinstance(item, (int, np.integer)):
        return int(item)
    if is_tensor_like(item):
        tensor = convert_to_tensor(item)
        if tensor.dtype.is_integer and tensor.spec.rank in (0, None):
            return tensor
        raise TypeError(_WRONG.format(item, f"{tensor.dtype.name} of rank {tensor.spec.rank}"))
    if isinstance(item, np.ndarray) and item.ndim == 0 and item.dtype.kind in "iu":
        return int(item)
    raise TypeError(_WRONG.format(item, type(item).__name__))


_WRONG = (
    "a tensor is indexed by ints, slices (`:`), ellipsis (`...`), None and scalar integer tensors, not by {!r} ({}); "
    "use "
    "gc.gather for lists of indices and gc.boolean_mask for masks"
)


def _packed(values: list[Any], entries: list[Any]) -> Any:
    if any(isinstance(v, Tensor) and v.dtype == int64 for v in entries):
        values = [cast(v, int64) if isinstance(v, Tensor) else v for v in values]
        return stack(values) if any(isinstance(v, Tensor) for v in values) else np.array(values, np.int64)
    return stack(values, name="stack")
