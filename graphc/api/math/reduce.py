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
from graphc.api.math.unary import exp, log, sqrt, square
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
    """The sum along `axis` (an int, a list, or None for every axis). As `tf.reduce_sum`."""
    return _reduce(reduction.Sum, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_mean", "math.reduce_mean")
def reduce_mean(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """The mean along `axis`; that of integers is rounded towards 0. As `tf.reduce_mean`."""
    return _reduce(reduction.Mean, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_prod", "math.reduce_prod")
def reduce_prod(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """The product along `axis`. As `tf.reduce_prod`."""
    return _reduce(reduction.Prod, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_max", "math.reduce_max")
def reduce_max(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """The largest along `axis`; elements that tie share the gradient. As `tf.reduce_max`."""
    return _reduce(reduction.Max, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_min", "math.reduce_min")
def reduce_min(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """The smallest along `axis`; elements that tie share the gradient. As `tf.reduce_min`."""
    return _reduce(reduction.Min, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_all", "math.reduce_all")
def reduce_all(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Whether all of a bool tensor are true along `axis`. As `tf.reduce_all`."""
    return _reduce(reduction.All, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_any", "math.reduce_any")
def reduce_any(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """Whether any of a bool tensor is true along `axis`. As `tf.reduce_any`."""
    return _reduce(reduction.Any, input_tensor, axis, keepdims, name, reduction_indices, keep_dims)


@public("reduce_logsumexp", "math.reduce_logsumexp")
def reduce_logsumexp(input_tensor, axis=None, keepdims=None, name=None, reduction_indices=None, keep_dims=None):
    """log(sum(exp(x))) along `axis`, without overflow. As `tf.reduce_logsumexp`."""
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
    """The mean squared distance from the mean along `axis`. As `tf.math.reduce_variance`."""
    with get_default_graph().name_scope(name or "reduce_variance"):
        x = convert_to_tensor(input_tensor)
        return reduce_mean(square(x - reduce_mean(x, axis, keepdims=True)), axis, keepdims=keepdims)


@public("reduce_std", "math.reduce_std")
def reduce_std(input_tensor, axis=None, keepdims=False, name=None):
    """The square root of `reduce_variance`. As `tf.math.reduce_std`."""
    with get_default_graph().name_scope(name or "reduce_std"):
        return sqrt(reduce_variance(input_tensor, axis, keepdims))


@public("argmax", "math.argmax")
def argmax(input, axis=None, name=None, dimension=None, output_type=int64):
    """The index of the largest element along `axis` (0 by default), the first one in a tie. As `tf.argmax`."""
    axis = deprecated(axis, dimension, "axis", "dimension")
    return apply(reduction.ArgMax, input, 0 if axis is None else axis, output_type=as_dtype(output_type), name=name)


@public("argmin", "math.argmin")
def argmin(input, axis=None, name=None, dimension=None, output_type=int64):
    """The index of the smallest element along `axis` (0 by default), the first one in a tie. As `tf.argmin`."""
    axis = deprecated(axis, dimension, "axis", "dimension")
    return apply(reduction.ArgMin, input, 0 if axis is None else axis, output_type=as_dtype(output_type), name=name)

@public("arg_max", "math.arg_max")
def arg_max(input, dimension, output_type=int64, name=None):
    """`argmax` with its arguments in the order of before TensorFlow 1.0. As `tf.arg_max`."""
    return argmax(input, dimension, name, output_type=output_type)


@public("arg_min", "math.arg_min")
def arg_min(input, dimension, output_type=int64, name=None):
    """`argmin` with its arguments in the order of before TensorFlow 1.0. As `tf.arg_min`."""
    return argmin(input, dimension, name, output_type=output_type)
