"""Lists of tensors of varying shapes: where loops and branches keep what their gradients need.

A list is a persistent stack behind a variant scalar: pushing makes a new list and leaves the old one as it was. Push
and pop are each other's gradients, so gradients of any order need no more than these four ops.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphc.api.array.fill import zeros_like
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype, variant

if TYPE_CHECKING:
    from graphc.ir.graph import Tensor
from graphc.ops.control.lists import EmptyTensorList, TensorListLength, TensorListPopBack, TensorListPushBack, _sizes


def empty_tensor_list(element_dtype: Any, element_shape: Sequence[int] | int, name: str | None = None) -> Tensor:
    """An empty list, as `tf.raw_ops.EmptyTensorList`. Sizes that vary are -1; -1 for the shape: any rank."""
    return apply(EmptyTensorList, name=name, element_shape=element_shape, max_num_elements=-1,
                 element_dtype=as_dtype(element_dtype))


def tensor_list_push_back(handle: Tensor, tensor: Tensor, name: str | None = None) -> Tensor:
    """A new list: `handle` with `tensor` on top."""
    return apply(TensorListPushBack, handle, tensor, name=name)


def tensor_list_pop_back(handle: Tensor, element_dtype: Any, element_shape: Any,
                         name: str | None = None) -> tuple[Tensor, Tensor]:
    """(the list without its top, the top). element_shape: as of empty_tensor_list, or a tensor."""
    return apply(TensorListPopBack, handle, name=name, element_shape=element_shape,
                 element_dtype=as_dtype(element_dtype))


def tensor_list_length(handle: Tensor, name: str | None = None) -> Tensor:
    """The number of elements: an int32 scalar."""
    return apply(TensorListLength, handle, name=name)


def zero_like(tensor: Tensor) -> Tensor:
    """The gradient of a tensor that nothing depends on: zeros, or the empty list."""
    if tensor.dtype == variant:
        return empty_tensor_list(variant, ())
    return zeros_like(tensor)


def like(tensor: Tensor) -> Tensor:
    """An empty list for values such as `tensor`."""
    return empty_tensor_list(tensor.dtype, _sizes(tensor))


def push(handle: Tensor, tensor: Tensor) -> Tensor:
    return tensor_list_push_back(handle, tensor)


def pop(handle: Tensor, tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Pops a value that was pushed as `tensor`."""
    return tensor_list_pop_back(handle, tensor.dtype, _sizes(tensor))
