"""Where values come from: constants and placeholders."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir import dims
from graphc.ir.apply import apply, const_of
from graphc.ir.dtypes import as_dtype
from graphc.ir.spec import Shape
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import as_shape
from graphc.ir.values import to_array
from graphc.ops.array.source import Placeholder, PlaceholderWithDefault


@public("constant")
def constant(
    value: Any, dtype: Any = None, shape: Any = None, name: str = "Const", verify_shape: bool = False
) -> Tensor:
    """A tensor of known values, as `tf.constant`.

    Arrays keep their dtype, Python floats give float32, Python ints int32. shape: fewer values are filled up with the
    last one, unless verify_shape. Raises TypeError if the values do not convert, ValueError if they do not fit the
    shape.
    """
    array = to_array(value, None if dtype is None else as_dtype(dtype), None if verify_shape else shape)
    if verify_shape and shape is not None and not as_shape(shape).is_compatible_with(array.shape):
        raise TypeError(f"Expected Tensor's shape: {tuple(as_shape(shape).as_list())}, got {array.shape}.")
    return const_of(array, name)


def symbolic_shape(shape: Any, name: str) -> Shape | None:
    """A user's shape with a new symbol for each unknown size."""
    sizes = as_shape(shape).sizes
    if sizes is None:
        return None
    return tuple(dims.symbol(f"{name}.{i}", ("size", i)) if s is None else s for i, s in enumerate(sizes))


@public("placeholder")
def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor to be fed at each run, as `tf.placeholder`. Unknown sizes are None; shape None: any rank."""
    result: Tensor = apply(Placeholder, name=name, dtype=as_dtype(dtype),
                           shape=symbolic_shape(shape, name or "Placeholder"))
    return result


@public("placeholder_with_default")
def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """`input`, unless something is fed in its place, as `tf.placeholder_with_default`."""
    result: Tensor = apply(PlaceholderWithDefault, input, name=name,
                           shape=symbolic_shape(shape, name or "PlaceholderWithDefault"))
    return result
