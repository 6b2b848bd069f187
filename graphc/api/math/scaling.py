"""Scalar factors, casts that saturate, counts of what is not 0, and whether numbers ascend."""
from __future__ import annotations

from graphc.api.array.cast import cast
from graphc.api.array.fill import zeros
from graphc.api.array.shapes import reshape
from graphc.api.math.binary import maximum, minimum, multiply
from graphc.api.math.comparison import not_equal
from graphc.api.math.reduce import deprecated, reduce_all, reduce_sum
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import as_dtype, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.spec import text


@public("scalar_mul", "math.scalar_mul")
def scalar_mul(scalar, x, name=None):
    """scalar * x.

    scalar: a Python number or a scalar tensor of x's dtype; ValueError for any other shape. x: numbers of any shape.
    Raises ValueError for a scalar tensor of another dtype, TypeError for strings and bools. As `tf.scalar_mul`.

    >>> gc.scalar_mul(0.5, gc.constant([[2., 4.], [6., 8.]])).eval()
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """
    x = convert_to_tensor(x, name="x")
    scalar = convert_to_tensor(scalar, dtype=x.dtype.base_dtype, name="scalar")
    if scalar.spec.rank != 0:
        given = "unknown shape" if scalar.spec.shape is None else f"shape {text(scalar.spec.shape)}"
        raise ValueError(f"Only scalar multiply works, got {given}; use gc.multiply")
    return multiply(scalar, x, name=name)


@public("saturate_cast")
def saturate_cast(value, dtype, name=None):
    """value as dtype, numbers beyond the bounds of dtype as those bounds.

    value: real numbers of any shape; fractions are cut off towards 0. `gc.cast` would wrap. Raises TypeError for
    complex numbers, strings and bools, as value or as dtype. As `tf.saturate_cast`.

    >>> gc.saturate_cast([-20., 100.7, 300.], gc.uint8).eval()
    array([  0, 100, 255], dtype=uint8)
    """
    with get_default_graph().name_scope(name or "saturate_cast") as scope:
        value, wanted = convert_to_tensor(value, name="value"), as_dtype(dtype).base_dtype
        if value.dtype.min < wanted.min:
            value = maximum(value, convert_to_tensor(wanted.min, dtype=value.dtype, name="min"))
        if value.dtype.max > wanted.max:
            value = minimum(value, convert_to_tensor(wanted.max, dtype=value.dtype, name="max"))
        return cast(value, wanted, name=scope)


@public("count_nonzero", "math.count_nonzero")
def count_nonzero(
    input_tensor=None,
    axis=None,
    keepdims=None,
    dtype=int64,
    name=None,
    reduction_indices=None,
    keep_dims=None,
    input=None,
):
    """How many elements along `axis` are not 0 (not False, not empty of strings).

    input_tensor: numbers, bools or strings. axis and keepdims and their errors as of `gc.reduce_sum`. The result has
    `dtype`, int64 by default. As `tf.count_nonzero`.

    >>> gc.count_nonzero([[0., 1., 2.], [0., 0., 3.]], axis=1).eval()
    array([2, 1])
    >>> gc.count_nonzero(gc.constant(["a", "", "b"])).eval()
    np.int64(2)
    """
    keepdims = deprecated(keepdims, keep_dims, "keepdims", "keep_dims")
    axis = deprecated(axis, reduction_indices, "axis", "reduction_indices")
    given = deprecated(input_tensor, input, "input_tensor", "input")
    with get_default_graph().name_scope(name or "count_nonzero"):
        x = convert_to_tensor(given, name="input")
        present = cast(not_equal(x, zeros([], x.dtype)), int64)
        return cast(reduce_sum(present, axis, keepdims=bool(keepdims)), dtype)






def _ascending(x, compared, name):
    with get_default_graph().name_scope(name):
        x = reshape(convert_to_tensor(x, name="x"), [-1])
        difference = x[1:] - x[:-1]
        return reduce_all(compared(convert_to_tensor(0, dtype=difference.dtype), difference))
