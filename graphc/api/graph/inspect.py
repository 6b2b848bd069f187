"""What can be asked of tensors and sizes while a graph is built."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.public import public
from graphc.ir.apply import is_tensor_like, register_conversion
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import Dimension, TensorShape


@public("is_tensor")
def is_tensor(x: Any) -> bool:
    """Whether x is a tensor, a variable, or made of tensors as a SparseTensor is. As `tf.is_tensor`.

    >>> gc.is_tensor(gc.constant(1.)), gc.is_tensor(gc.Variable(1.)), gc.is_tensor([1.])
    (True, True, False)
    """
    return is_tensor_like(x)


@public("get_static_value", "contrib.util.constant_value")
def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The tensor's value as an array if it is known while the graph is built, else None.

    partial: of a vector of sizes, an array of objects in which None stands for those not known. As
    `tf.get_static_value`.

    >>> x = gc.placeholder(gc.float32, [None, 3])
    >>> gc.get_static_value(gc.shape(x)[1] * 2), gc.get_static_value(x)
    (array(6, dtype=int32), None)
    >>> gc.get_static_value(gc.shape(x), partial=True)
    array([None, 3], dtype=object)
    """
    if not isinstance(tensor, Tensor):
        return np.asarray(tensor) if not is_tensor_like(tensor) else None
    if tensor.op.type == "Const":
        return np.array(tensor.op.definition.value)
    value, shape = tensor.spec.value, tensor.spec.static_shape
    if value is None or shape is None:
        return None
    if all(isinstance(v, int) for v in value):
        return np.array(value, tensor.dtype.as_numpy_dtype).reshape(shape)  # type: ignore[arg-type]
    return np.array([v if isinstance(v, int) else None for v in value], object) if partial else None


@public("dimension_value")
def dimension_value(dimension: Any) -> int | None:
    """The size of a Dimension or an int, None if it is not known. As `tf.dimension_value`.

    >>> gc.dimension_value(gc.Dimension(3)), gc.dimension_value(3), gc.dimension_value(gc.Dimension(None))
    (3, 3, None)
    """
    value: int | None = dimension.value if isinstance(dimension, Dimension) else dimension
    return value


@public("dimension_at_index")
def dimension_at_index(shape: TensorShape, index: int) -> Dimension:
    """Dimension number `index` of a shape, unknown if the rank is. As `tf.dimension_at_index`.

    shape: a TensorShape; index: an int, IndexError beyond the rank.

    >>> gc.dimension_at_index(gc.TensorShape([2, 3]), 1), gc.dimension_at_index(gc.TensorShape(None), 1)
    (Dimension(3), Dimension(None))
    """
    return Dimension(None) if shape.ndims is None else shape[index]


@public("register_tensor_conversion_function")
def register_tensor_conversion_function(base_type: Any, conversion_func: Any, priority: int = 100) -> None:
    """From now on values of the class base_type, or of several classes, become tensors by
    conversion_func(value, dtype=None, name=None, as_ref=False).

    Of several functions that of the least priority is asked first, the next one if it gives NotImplemented. As
    `tf.register_tensor_conversion_function`. Raises TypeError for what is no class, and a function that cannot be
    called.

    >>> class Metres:
    ...     def __init__(self, value):
    ...         self.value = value
    >>> def as_tensor(metres, dtype=None, name=None, as_ref=False):
    ...     return gc.constant(metres.value, dtype, name=name or "metres")
    >>> gc.register_tensor_conversion_function(Metres, as_tensor)
    >>> gc.add(1., Metres(2.5)).eval()
    np.float32(3.5)
    """
    if not callable(conversion_func):
        raise TypeError(f"conversion_func must be callable, but is {conversion_func!r}")

    def convert(value: Any, dtype: Any, name: str | None) -> Any:
        return conversion_func(value, dtype=dtype, name=name, as_ref=False)

    for kind in base_type if isinstance(base_type, tuple) else (base_type,):
        if not isinstance(kind, type):
            raise TypeError(f"base_type must be a type or a tuple of types, but is {base_type!r}")
        register_conversion(kind, convert, priority)
