"""contrib.framework's checks and helpers of tensors."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.framework.assert_scalar_int")
def assert_scalar_int(tensor: Any, name: str | None = None) -> Any:
    """The tensor; raises ValueError if it is no integer scalar."""
    with gc.name_scope(name, "assert_scalar_int", [tensor]) as scope:
        tensor = gc.convert_to_tensor(tensor)
        if not tensor.dtype.base_dtype.is_integer:
            raise ValueError(f"Expected integer type for {tensor.name}, received type: {tensor.dtype.name}.")
        return gc.assert_scalar(tensor, name=scope)


@public("contrib.framework.reduce_sum_n")
def reduce_sum_n(tensors: Sequence[Any], name: str | None = None) -> Any:
    """The sum of all elements of all tensors."""
    if not tensors:
        raise ValueError("No tensors provided.")
    with gc.name_scope(name, "reduce_sum_n", tensors) as scope:
        sums = [gc.reduce_sum(t, name=f"{t.op.name}/sum") for t in tensors]
        return sums[0] if len(sums) == 1 else gc.add_n(sums, name=scope)


@public("contrib.framework.with_shape")
def with_shape(expected_shape: Any, tensor: Any) -> Any:
    """The tensor with this shape (-1 or None in it for any size), which is checked when it runs if it is not known
    before. Raises ValueError if it cannot be."""
    if isinstance(tensor, gc.SparseTensor):
        raise ValueError("SparseTensor not supported.")
    if gc.is_tensor(expected_shape):
        with gc.control_dependencies([gc.assert_equal(expected_shape, gc.shape(tensor))]):
            return gc.identity(tensor)
    sizes = [None if size in (None, -1) else int(size) for size in gc.TensorShape(expected_shape).as_list()]
    if not tensor.get_shape().is_compatible_with(sizes):
        raise ValueError(f"Invalid shape for tensor {tensor.name}, expected {sizes}, got {tensor.get_shape()}.")
    if tensor.get_shape().is_fully_defined():
        return tensor
    where = [i for i, size in enumerate(sizes) if size is not None]
    rank = gc.assert_equal(gc.rank(tensor), len(sizes))
    with gc.control_dependencies([rank]):
        found = gc.shape(tensor)
        check = gc.assert_equal([found[i] for i in where], [sizes[i] for i in where]) if where else rank
    with gc.control_dependencies([check]):
        made = gc.identity(tensor)
    made.set_shape(sizes)
    return made


@public("contrib.framework.with_same_shape")
def with_same_shape(expected_tensor: Any, tensor: Any) -> Any:
    """The tensor with the shape of another one, as with_shape."""
    shape = expected_tensor.get_shape()
    return with_shape(shape.as_list() if shape.is_fully_defined() else gc.shape(expected_tensor), tensor)


@public("contrib.framework.get_placeholders")
def get_placeholders(graph: Any) -> list[Any]:
    """The placeholders of a graph."""
    return [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
