"""Elementwise arithmetic of two arguments, sums of many, and clip_by_value."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, string
from graphc.ir.graph import get_default_graph
from graphc.ir.late_imports import load
from graphc.ir.tensor_shape import as_shape
from graphc.ops.math.binary import Add, AddN, AddV2, Maximum, Minimum, Mul, Pow, SquaredDifference, Sub


@public("add", "math.add")
def add(x, y, name=None):
    """x + y, broadcast; of strings one behind the other. As `tf.add`."""
    return _joined(x, y, name) if _is_string(x) or _is_string(y) else apply(Add, x, y, name=name)


def add_v2(x, y, name=None):
    """x + y, broadcast; the op behind the operator +."""
    return _joined(x, y, name) if _is_string(x) or _is_string(y) else apply(AddV2, x, y, name=name)


def _is_string(x):
    while isinstance(x, (list, tuple)) and x:
        x = x[0]
    return isinstance(x, (str, bytes)) or getattr(x, "dtype", None) is string


def _joined(x, y, name):
    functions = load("graphc.api.strings.letters")       # not loaded for numbers
    return functions.joined_broadcast(x, y, name)


@public("subtract", "math.subtract", "sub", "math.sub")
def subtract(x, y, name=None):
    """x - y, broadcast. As `tf.subtract`."""
    return apply(Sub, x, y, name=name)


@public("multiply", "math.multiply", "mul", "math.mul")
def multiply(x, y, name=None):
    """x * y, broadcast. As `tf.multiply`."""
    return apply(Mul, x, y, name=name)


@public("pow", "math.pow")
def pow(x, y, name=None):
    """x ** y. As `tf.pow`."""
    return apply(Pow, x, y, name=name)


@public("maximum", "math.maximum")
def maximum(x, y, name=None):
    """The larger of x and y; in a tie the gradient goes to x. As `tf.maximum`."""
    return apply(Maximum, x, y, name=name)


@public("minimum", "math.minimum")
def minimum(x, y, name=None):
    """The smaller of x and y; in a tie the gradient goes to x. As `tf.minimum`."""
    return apply(Minimum, x, y, name=name)


@public("squared_difference", "math.squared_difference")
def squared_difference(x, y, name=None):
    """(x - y) ** 2. As `tf.squared_difference`."""
    return apply(SquaredDifference, x, y, name=name)


@public("add_n", "math.add_n")
def add_n(inputs, name=None):
    """The sum of tensors of one shape and dtype. As `tf.add_n`.

    Raises ValueError if `inputs` is no non-empty list.
    """
    if not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError("add_n: inputs must be a list of at least one tensor with the same dtype and shape")
    if len(inputs) == 1 and name is None:
        return convert_to_tensor(inputs[0])
    return apply(AddN, list(inputs), name=name)


@public("accumulate_n", "math.accumulate_n")
def accumulate_n(inputs, shape=None, tensor_dtype=None, name=None):
    """The sum of tensors of one shape and dtype. As `tf.accumulate_n`; shape, tensor_dtype: what they must have, and
    what is known of the result."""
    total = add_n(inputs, name=name or "AccumulateNV2")
    if tensor_dtype is not None and total.dtype != as_dtype(tensor_dtype):
        raise TypeError(f"accumulate_n: argument 'tensor_dtype' is {as_dtype(tensor_dtype).name}, but the inputs are "
                        f"of {total.dtype.name}")
    known = as_shape(shape)
    for x in total.op.inputs:
        known = known.merge_with(x.shape)
    total.set_shape(known)
    return total


@public("clip_by_value", "math.clip_by_value")
def clip_by_value(t, clip_value_min, clip_value_max, name=None):
    """min(max(t, clip_value_min), clip_value_max) in TF's order of ops. As `tf.clip_by_value`."""
    with get_default_graph().name_scope(name or "clip_by_value") as scope:
        t = convert_to_tensor(t)
        return maximum(minimum(t, clip_value_max), clip_value_min, name=scope)
