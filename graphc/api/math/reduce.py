"""The public reductions, with the deprecated names of their arguments."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.api.array.fill import range_, zeros_like
from graphc.api.array.gather import where
from graphc.api.array.identity import stop_gradient
from graphc.api.array.shapes import rank, reshape, shape
from graphc.api.array.source import constant
from graphc.api.math.binary import add, subtract
from graphc.api.math.comparison import is_finite
from graphc.api.math.unary import abs, exp, log, sqrt, square
from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.math import reduction


def deprecated(new: Any, old: Any, new_name: str, old_name: str, unset: Any = None) -> Any:
    """The value of an argument that has an older name. Raises ValueError if both names were given."""
    if old is unset:
        return new
    if new is not unset:
        raise ValueError(f"Cannot specify both '{old_name}' and '{new_name}'")
    return old


def all_axes(x: Tensor, axis: Any) -> Any:
    """axis, or every axis of x for None."""
    if axis is not None:
        return axis
    if x.spec.shape is None:
        return range_(0, rank(x))
    return constant(np.arange(len(x.spec.shape), dtype=np.int32))


def _reduce(op: Any, x: Any, axis: Any, keepdims: Any, name: str | None, reduction_indices: Any, keep_dims: Any) -> Any:
    x = convert_to_tensor(x)
    axis = deprecated(axis, reduction_indices, "axis", "reduction_indices")
    keepdims = deprecated(keepdims, keep_dims, "keepdims", "keep_dims")
    result = apply(op, x, all_axes(x, axis), keep_dims=bool(keepdims), name=name)
    if axis is None and not keepdims:
        result.set_shape([])               # whatever the rank of x
    return result


@public("reduce_sum", "math.reduce_sum")
def reduce_sum(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """The sum along `axis`.

    Args:
        input_tensor: numbers; the result has their dtype, and integers wrap.
        axis: an int, a list of them, negative ones from the end, or None for all axes (then the result is a scalar).
        keepdims: those axes stay, with size 1, so that the result broadcasts against input_tensor.
        reduction_indices, keep_dims: older names of axis and keepdims; both at once are a ValueError.

    The sum of no elements is 0. The numbers do not depend on how many threads sum. Raises TypeError for strings, bools
    and an axis that is no integer, ValueError for one that is not there, is named twice or that only a run knows. As
    `tf.reduce_sum`.

    >>> x = gc.constant([[1., 2., 3.], [4., 5., 6.]])
    >>> gc.reduce_sum(x).eval()
    np.float32(21.0)
    >>> gc.reduce_sum(x, axis=1).eval()
    array([ 6., 15.], dtype=float32)
    >>> (x / gc.reduce_sum(x, axis=1, keepdims=True)).eval()         # every row by its sum
    array([[0.1667, 0.3333, 0.5   ],
           [0.2667, 0.3333, 0.4   ]], dtype=float32)
    """
    return _reduce(reduction.Sum, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_mean", "math.reduce_mean")
def reduce_mean(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """The mean along `axis`; arguments as of `gc.reduce_sum`.

    input_tensor: numbers; the mean of integers is an integer, rounded towards 0: cast them before. The mean of no
    elements is NaN. Errors as of `gc.reduce_sum`, too. As `tf.reduce_mean`.

    >>> x = gc.placeholder(gc.float32, [None, 2])
    >>> gc.reduce_mean(x, axis=0).eval({x: [[1., 2.], [3., 4.], [8., 6.]]})
    array([4., 4.], dtype=float32)
    >>> gc.reduce_mean([1, 2, 4]).eval()
    np.int32(2)
    """
    return _reduce(reduction.Mean, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_prod", "math.reduce_prod")
def reduce_prod(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """The product along `axis`; arguments as of `gc.reduce_sum`.

    input_tensor: numbers; integers wrap, and the product of no elements is 1. The gradient is right where factors are
    0. Errors as of `gc.reduce_sum`, too. As `tf.reduce_prod`.

    >>> gc.reduce_prod([[1., 2., 3.], [4., 5., 6.]], axis=1).eval()
    array([  6., 120.], dtype=float32)
    """
    return _reduce(reduction.Prod, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_max", "math.reduce_max")
def reduce_max(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """The largest along `axis`; arguments as of `gc.reduce_sum`.

    input_tensor: real numbers; of no elements it is -inf, or the least integer. Elements that tie share the gradient
    equally. Raises TypeError for complex numbers, strings and bools; errors of axis as of `gc.reduce_sum`. As
    `tf.reduce_max`.

    >>> x = gc.constant([[1., 7., 7.], [4., 5., 6.]])
    >>> gc.reduce_max(x, axis=1).eval()
    array([7., 6.], dtype=float32)
    >>> gc.gradients(gc.reduce_max(x), x)[0].eval()
    array([[0. , 0.5, 0.5],
           [0. , 0. , 0. ]], dtype=float32)
    """
    return _reduce(reduction.Max, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_min", "math.reduce_min")
def reduce_min(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """The smallest along `axis`; arguments as of `gc.reduce_sum`.

    input_tensor: real numbers; of no elements it is inf, or the greatest integer. Elements that tie share the gradient
    equally. Raises TypeError for complex numbers, strings and bools; errors of axis as of `gc.reduce_sum`. As
    `tf.reduce_min`.

    >>> gc.reduce_min([[1., 7., 7.], [4., 5., 6.]], axis=0).eval()
    array([1., 5., 6.], dtype=float32)
    """
    return _reduce(reduction.Min, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_all", "math.reduce_all")
def reduce_all(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Whether all elements are true along `axis`; arguments as of `gc.reduce_sum`.

    input_tensor: bool, else TypeError; of no elements True. Errors of axis as of `gc.reduce_sum`. As `tf.reduce_all`.

    >>> gc.reduce_all([[True, True], [True, False]], axis=1).eval()
    array([ True, False])
    """
    return _reduce(reduction.All, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_any", "math.reduce_any")
def reduce_any(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Whether any element is true along `axis`; arguments as of `gc.reduce_sum`.

    input_tensor: bool, else TypeError; of no elements False. Errors of axis as of `gc.reduce_sum`. As `tf.reduce_any`.

    >>> gc.reduce_any([[True, False], [False, False]], axis=1).eval()
    array([ True, False])
    """
    return _reduce(reduction.Any, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_logsumexp", "math.reduce_logsumexp")
def reduce_logsumexp(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """log(sum(exp(x))) along `axis`, without overflow for large x and without log(0) for small ones.

    input_tensor: floating point; arguments and errors as of `gc.reduce_sum`. The gradient is softmax(x). Raises
    TypeError for other dtypes. As `tf.reduce_logsumexp`.

    >>> gc.reduce_logsumexp([[0., 0.], [1000., 1000.]], axis=1).eval()
    array([   0.6931, 1000.6932], dtype=float32)
    """
    axis = deprecated(axis, reduction_indices, "axis", "reduction_indices")
    keepdims = bool(deprecated(keepdims, keep_dims, "keepdims", "keep_dims"))
    with get_default_graph().name_scope(name or "ReduceLogSumExp") as scope:
        x = convert_to_tensor(input_tensor)
        largest = reduce_max(x, axis, keepdims=True)
        largest = stop_gradient(where(is_finite(largest), largest, zeros_like(largest)))
        result = log(reduce_sum(exp(subtract(x, largest)), axis, keepdims=keepdims))
        if not keepdims:
            largest = reshape(largest, shape(result))
        return add(result, largest, name=scope)


@public("reduce_variance", "math.reduce_variance")
def reduce_variance(input_tensor, axis=None, keepdims=False, name=None):
    """The mean squared distance from the mean along `axis`: the variance by N, not by N - 1.

    input_tensor: floating point or complex (then real numbers); integers are a TypeError. axis, keepdims as of
    `gc.reduce_sum`. As `tf.math.reduce_variance`.

    >>> gc.math.reduce_variance([[1., 2., 3., 4.], [0., 0., 4., 4.]], axis=1).eval()
    array([1.25, 4.  ], dtype=float32)
    """
    with get_default_graph().name_scope(name or "reduce_variance"):
        x = convert_to_tensor(input_tensor)
        if not (x.dtype.is_floating or x.dtype.is_complex):
            raise TypeError(f"reduce_variance: argument 'input_tensor' has dtype {x.dtype.name}, but must be floating "
                            "point or complex; cast it (gc.cast)")
        distance = x - reduce_mean(x, axis, keepdims=True)
        return reduce_mean(square(abs(distance) if x.dtype.is_complex else distance), axis, keepdims=keepdims)


@public("reduce_std", "math.reduce_std")
def reduce_std(input_tensor, axis=None, keepdims=False, name=None):
    """The standard deviation along `axis`: the square root of `gc.math.reduce_variance`, and of what that takes.

    Dtypes, shapes and errors are those of `gc.math.reduce_variance`. As `tf.math.reduce_std`.

    >>> gc.math.reduce_std([[1., 3.], [0., 8.]], axis=1).eval()
    array([1., 4.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "reduce_std"):
        return sqrt(reduce_variance(input_tensor, axis, keepdims))


@public("argmax", "math.argmax")
def argmax(input, axis=None, name=None, dimension=None, output_type=int64):
    """The index of the largest element along `axis`, of the first one in a tie.

    input: real numbers; the result has its shape without that axis. axis: an int, 0 by default (so of a batch of logits
    give 1 or -1); dimension is its older name. output_type: int64 or int32. It has no gradient. Raises TypeError for
    other dtypes, ValueError for an axis that is not there or empty, or for both of its names. As `tf.argmax`.

    >>> logits = gc.placeholder(gc.float32, [None, 3])
    >>> gc.argmax(logits, axis=1).eval({logits: [[0.1, 0.7, 0.2], [0.5, 0.5, 0.]]})
    array([1, 0])
    """
    axis = deprecated(axis, dimension, "axis", "dimension")
    return apply(reduction.ArgMax, input, 0 if axis is None else axis, output_type=as_dtype(output_type), name=name)


@public("argmin", "math.argmin")
def argmin(input, axis=None, name=None, dimension=None, output_type=int64):
    """The index of the smallest element along `axis`, of the first one in a tie; arguments as of `gc.argmax`. As
    `tf.argmin`.

    Dtypes, shapes and errors as of `gc.argmax`, too.

    >>> gc.argmin([[3., 1., 2.], [0., 5., 0.]], axis=1, output_type=gc.int32).eval()
    array([1, 0], dtype=int32)
    """
    axis = deprecated(axis, dimension, "axis", "dimension")
    return apply(reduction.ArgMin, input, 0 if axis is None else axis, output_type=as_dtype(output_type), name=name)

@public("arg_max", "math.arg_max")
def arg_max(input, dimension, output_type=int64, name=None):
    """`gc.argmax` with its arguments as before TensorFlow 1.0: dimension is required. As `tf.arg_max`.

    Dtypes, shapes and errors as of `gc.argmax`.

    >>> gc.arg_max([[3., 1.], [0., 5.]], 1).eval()
    array([0, 1])
    """
    return argmax(input, dimension, name, output_type=output_type)


@public("arg_min", "math.arg_min")
def arg_min(input, dimension, output_type=int64, name=None):
    """`gc.argmin` with its arguments as before TensorFlow 1.0: dimension is required. As `tf.arg_min`.

    Dtypes, shapes and errors as of `gc.argmin`.

    >>> gc.arg_min([[3., 1.], [0., 5.]], 1).eval()
    array([1, 0])
    """
    return argmin(input, dimension, name, output_type=output_type)
