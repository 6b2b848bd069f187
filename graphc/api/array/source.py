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
    """A tensor of known values.

    Args:
        value: a number, a string, a list of them, or an array.
        dtype: by default that of an array, float32 of Python floats, int32 of ints (int64 if they are too large), bool,
            complex128, string.
        shape: of the result; fewer values than it has are filled up with the last one.
        verify_shape: they are not: the value must have that shape.

    Raises TypeError if the values do not convert, or with verify_shape do not have the shape, ValueError if they do not
    fit it. As `tf.constant`.

    >>> gc.constant([1, 2, 3]).eval()
    array([1, 2, 3], dtype=int32)
    >>> gc.constant(7, gc.float32, shape=[2, 2]).eval()
    array([[7., 7.],
           [7., 7.]], dtype=float32)
    >>> gc.constant(np.arange(3.)).dtype
    gc.float64
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
    """A tensor to be fed at each run.

    dtype: what is fed is converted to it. shape: a list, None for sizes that each run says: one compiled plan serves
    all of them; without a shape any rank is taken, and a plan is compiled for each rank. A run without a feed for it
    ends with InvalidArgumentError, a feed of another shape with ValueError. Raises TypeError for what is no dtype, and
    for sizes that are neither integers nor None. As `tf.placeholder`.

    >>> x = gc.placeholder(gc.float32, [None, 2], name="x")
    >>> total = gc.reduce_sum(x, axis=1)
    >>> total.eval({x: [[1, 2]]})
    array([3.], dtype=float32)
    >>> total.eval({x: [[1, 2], [3, 4], [5, 6]]})
    array([ 3.,  7., 11.], dtype=float32)
    """
    result: Tensor = apply(Placeholder, name=name, dtype=as_dtype(dtype),
                           shape=symbolic_shape(shape, name or "Placeholder"))
    return result


@public("placeholder_with_default")
def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """`input`, unless something is fed in its place: a switch or rate that most runs leave.

    input: of any dtype. shape: what it may have, None for unknown sizes; ValueError if that of input does not fit. As
    `tf.placeholder_with_default`.

    >>> keep = gc.placeholder_with_default(1., shape=[])
    >>> (keep * 10.).eval()
    np.float32(10.0)
    >>> (keep * 10.).eval({keep: 0.5})
    np.float32(5.0)
    """
    result: Tensor = apply(PlaceholderWithDefault, input, name=name,
                           shape=symbolic_shape(shape, name or "PlaceholderWithDefault"))
    return result
