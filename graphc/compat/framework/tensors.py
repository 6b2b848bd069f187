"""contrib.framework's checks and helpers of tensors."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.framework.assert_scalar_int")
def assert_scalar_int(tensor: Any, name: str | None = None) -> Any:
    """The value as a tensor, if it is an integer scalar. Raises ValueError for another dtype or a known rank that is
    not 0.

    As `tf.contrib.framework.assert_scalar_int`.

    >>> gc.contrib.framework.assert_scalar_int(gc.constant(3, name="steps"))
    <gc.Tensor 'steps:0' shape=() dtype=int32>
    """
    with gc.name_scope(name, "assert_scalar_int", [tensor]) as scope:
        tensor = gc.convert_to_tensor(tensor)
        if not tensor.dtype.base_dtype.is_integer:
            raise ValueError(f"Expected integer type for {tensor.name}, received type: {tensor.dtype.name}.")
        return gc.assert_scalar(tensor, name=scope)


@public("contrib.framework.reduce_sum_n")
def reduce_sum_n(tensors: Sequence[Any], name: str | None = None) -> Any:
    """The sum of all elements of all tensors, a scalar of their one dtype; their shapes may differ.

    tensors: a list, of numbers. Raises ValueError for an empty one, TypeError for strings, bools and dtypes that
    differ. As `tf.contrib.framework.reduce_sum_n`.

    >>> gc.contrib.framework.reduce_sum_n([gc.constant([1., 2.]), gc.constant([[3.], [4.]])]).eval()
    np.float32(10.0)
    """
    if not tensors:
        raise ValueError("No tensors provided.")
    with gc.name_scope(name, "reduce_sum_n", tensors) as scope:
        sums = [gc.reduce_sum(t, name=f"{t.op.name}/sum") for t in tensors]
        return sums[0] if len(sums) == 1 else gc.add_n(sums, name=scope)


@public("contrib.framework.with_shape")
def with_shape(expected_shape: Any, tensor: Any) -> Any:
    """The tensor with this shape: at once where its own is known, else checked in each run.

    tensor: of any dtype. expected_shape: sizes (-1 or None for any), or an int32 vector (TypeError for another dtype),
    which the run compares. Raises ValueError where known sizes cannot agree and for a SparseTensor,
    InvalidArgumentError in the run for a value of another shape. As `tf.contrib.framework.with_shape`.

    >>> x = gc.placeholder(gc.float32)
    >>> y = gc.contrib.framework.with_shape([-1, 2], x)
    >>> y.shape.as_list(), y.eval({x: [[1., 2.]]})
    ([None, 2], array([[1., 2.]], dtype=float32))
    >>> try:
    ...     y.eval({x: [[1., 2., 3.]]})
    ... except gc.errors.InvalidArgumentError:
    ...     print("wrong shape")
    wrong shape
    """
    if isinstance(tensor, gc.SparseTensor):
        raise ValueError("SparseTensor not supported.")
    if gc.is_tensor(expected_shape):
        rank = gc.assert_equal(gc.rank(tensor), gc.size(expected_shape))      # the sizes alone would be broadcast
        with gc.control_dependencies([rank]):
            found = gc.shape(tensor)
        with gc.control_dependencies([gc.assert_equal(expected_shape, found)]):
            return gc.identity(tensor)
    known = isinstance(expected_shape, gc.TensorShape)
    sizes = gc.TensorShape(expected_shape if known else [None if n == -1 else n for n in expected_shape]).as_list()
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
    """`tensor` with the shape of `expected_tensor`, as `with_shape`: a shape that is not known yet is compared in each
    run.

    Both are tensors, of any dtypes. Errors as `gc.contrib.framework.with_shape`. As
    `tf.contrib.framework.with_same_shape`.

    >>> x = gc.placeholder(gc.float32)
    >>> gc.contrib.framework.with_same_shape(gc.zeros([2, 3]), x).shape.as_list()
    [2, 3]
    """
    shape = expected_tensor.get_shape()
    return with_shape(shape.as_list() if shape.is_fully_defined() else gc.shape(expected_tensor), tensor)


@public("contrib.framework.get_placeholders")
def get_placeholders(graph: Any) -> list[Any]:
    """The placeholders of a graph, in the order in which they were made.

    graph: a gc.Graph. A list of tensors. As `tf.contrib.framework.get_placeholders`.

    >>> x = gc.placeholder(gc.float32, [None, 2], name="x")
    >>> y = x + gc.placeholder(gc.float32, [], name="bias")
    >>> [p.op.name for p in gc.contrib.framework.get_placeholders(gc.get_default_graph())]
    ['x', 'bias']
    """
    return [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
