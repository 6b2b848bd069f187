"""Lists of tensors in a graph (ops/control/lists.py): where loops and branches keep what their gradients need."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.api.array.source import constant
from graphc.ir.apply import apply
from graphc.ir.dtypes import DType, as_dtype, int64
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.ops.control.lists import HANDLE as HANDLE
from graphc.ops.control.lists import EmptyTensorList, TensorListPopBack, TensorListPushBack, element_sizes


def empty(element_dtype: Any, element_shape: Sequence[int] | int) -> Tensor:
    """An empty list, as `tf.raw_ops.EmptyTensorList`. Sizes that vary are -1; -1 for the shape: any rank."""
    made: Tensor = apply(EmptyTensorList, element_shape=element_shape, max_num_elements=-1,
                         element_dtype=as_dtype(element_dtype))
    return made


def like(tensor: Tensor) -> Tensor:
    """An empty list for values such as `tensor`."""
    return empty(tensor.dtype, element_sizes(tensor))


def push(handle: Tensor, tensor: Tensor) -> Tensor:
    """A new list: `handle` with `tensor` on top."""
    made: Tensor = apply(TensorListPushBack, handle, tensor)
    return made


def reserve(length: Tensor, tensor: Tensor) -> Tensor:
    """A list of `length` elements such as `tensor`, none of which is set."""
    made: Tensor = apply(OPS["TensorListReserve"], element_sizes(tensor), length, element_dtype=tensor.dtype)
    return made


def set_element(handle: Tensor, index: Tensor, tensor: Tensor) -> Tensor:
    """The list `handle` with `tensor` at `index`."""
    made: Tensor = apply(OPS["TensorListSetItem"], handle, index, tensor)
    return made


def add(a: Tensor, b: Tensor) -> Tensor:
    """The list of the sums of the elements of two; one that is missing counts as zeros."""
    made: Tensor = apply(OPS["_TensorListAdd"], a, b)
    return made


def pop(handle: Tensor, tensor: Tensor) -> tuple[Tensor, Tensor]:
    """(the list without its top, the top), which was pushed as `tensor`."""
    rest, top = apply(TensorListPopBack, handle, element_shape=element_sizes(tensor), element_dtype=tensor.dtype)
    return rest, top


def concat(handle: Tensor, element_shape: Any, element_dtype: DType) -> Tensor:
    """The elements, one after the other along their first axes."""
    none = constant([], int64, shape=[0])
    joined, _ = apply(OPS["TensorListConcatV2"], handle, element_shape, none, element_dtype=element_dtype)
    return joined  # type: ignore[no-any-return]
