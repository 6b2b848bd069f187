"""contrib.layers' other normalisations: of layers, single examples, groups of channels, and vectors."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope
from graphc.compat.layers.utils import finished, get_variable_collections


def _rank_of(inputs: Any) -> int:
    rank = inputs.get_shape().ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    return rank  # type: ignore[no-any-return]


def _parameter(name: str, wanted: bool, shape: Any, inputs: Any, initializers: dict[str, Any] | None,
               variables_collections: Any, trainable: bool) -> Any:
    """The model variable beta or gamma; None if it is not wanted."""
    if not wanted:
        return None
    default = gc.ones_initializer() if name == "gamma" else gc.zeros_initializer()
    return gc.contrib.framework.model_variable(
        name, shape, inputs.dtype.base_dtype, (initializers or {}).get(name, default), trainable=trainable,
        collections=get_variable_collections(variables_collections, name))


@public("contrib.layers.layer_norm")
@add_arg_scope
def layer_norm(inputs: Any, center: bool = True, scale: bool = True, activation_fn: Any = None, reuse: Any = None,
               variables_collections: Any = None, outputs_collections: Any = None, trainable: bool = True,
               begin_norm_axis: int = 1, begin_params_axis: int = -1, scope: Any = None) -> Any:
    """Normalises over the axes from begin_norm_axis on; beta and gamma have the axes from begin_params_axis on.

    Inputs are floating point of known rank, their sizes from begin_params_axis on known; the result has their shape and
    dtype. Raises ValueError if the rank or these sizes are not known or an axis is not there, TypeError for other
    dtypes. As `tf.contrib.layers.layer_norm`.

    >>> y = gc.contrib.layers.layer_norm(gc.constant([[1., 3.], [10., 30.]]))
    >>> gc.global_variables_initializer().run()
    >>> y.eval()
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """
    with gc.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse) as entered:
        inputs = gc.convert_to_tensor(inputs)
        rank = _rank_of(inputs)
        first = begin_norm_axis + rank if begin_norm_axis < 0 else begin_norm_axis
        if begin_params_axis >= rank or first >= rank:
            raise ValueError(f"begin_params_axis ({begin_params_axis}) and begin_norm_axis ({first}) must be < "
                             f"rank(inputs) ({rank})")
        shape = inputs.get_shape()[begin_params_axis:]
        if not shape.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name}: shape(inputs)[{begin_params_axis}:] is not fully defined: "
                             f"{inputs.get_shape()}")
        beta = _parameter("beta", center, shape, inputs, None, variables_collections, trainable)
        gamma = _parameter("gamma", scale, shape, inputs, None, variables_collections, trainable)
        mean, variance = gc.nn.moments(inputs, list(range(first, rank)), keep_dims=True)
        epsilon = 1e-3 if inputs.dtype == gc.float16 else 1e-12       # the least that half precision bears
        outputs = gc.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
        outputs.set_shape(inputs.get_shape())
        return finished(outputs, activation_fn, outputs_collections, entered.name)


@public("contrib.layers.instance_norm")
@add_arg_scope
def instance_norm(inputs: Any, center: bool = True, scale: bool = True, epsilon: float = 1e-6,
                  activation_fn: Any = None, param_initializers: dict[str, Any] | None = None, reuse: Any = None,
                  variables_collections: Any = None, outputs_collections: Any = None, trainable: bool = True,
                  data_format: str = "NHWC", scope: Any = None) -> Any:
    """Normalises each channel of each example by itself, as `tf.contrib.layers.instance_norm`.

    Inputs are floating point, [batch, ..., channels] ("NHWC") or [batch, channels, ...] ("NCHW"), and the result has
    their shape and dtype. Raises ValueError for an unknown rank or number of channels or another data_format, TypeError
    for other dtypes.

    >>> y = gc.contrib.layers.instance_norm(gc.constant([[[[1., 10.], [3., 30.]]]]))
    >>> gc.global_variables_initializer().run()
    >>> y.eval()
    array([[[[-1., -1.],
             [ 1.,  1.]]]], dtype=float32)
    """
    inputs = gc.convert_to_tensor(inputs)
    rank = _rank_of(inputs)
    if data_format not in ("NHWC", "NCHW"):
        raise ValueError(f"data_format has to be either NCHW or NHWC, but is {data_format!r}.")
    axis = 1 if data_format == "NCHW" else rank - 1
    channels = inputs.get_shape()[axis:axis + 1]
    if not channels.is_fully_defined():
        raise ValueError(f"Inputs {inputs.name} has undefined channels dimension {channels}.")
    with gc.variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse) as entered:
        beta, gamma = (_parameter(name, wanted, channels, inputs, param_initializers, variables_collections, trainable)
                       for name, wanted in (("beta", center), ("gamma", scale)))
        if data_format == "NCHW":
            broadcast = [1, channels[0].value, *[1] * (rank - 2)]
            beta, gamma = (None if v is None else gc.reshape(v, broadcast) for v in (beta, gamma))
        mean, variance = gc.nn.moments(inputs, [a for a in range(1, rank) if a != axis], keep_dims=True)
        outputs = gc.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon, name="instancenorm")
        return finished(outputs, activation_fn, outputs_collections, entered.name)


@public("contrib.layers.group_norm")
@add_arg_scope
def group_norm(inputs: Any, groups: int = 32, channels_axis: int = -1, reduction_axes: Sequence[int] = (-3, -2),
               center: bool = True, scale: bool = True, epsilon: float = 1e-6, activation_fn: Any = None,
               param_initializers: dict[str, Any] | None = None, reuse: Any = None, variables_collections: Any = None,
               outputs_collections: Any = None, trainable: bool = True, scope: Any = None,
               mean_close_to_zero: bool = False) -> Any:
    """Normalises groups of channels, of each example by itself, as `tf.contrib.layers.group_norm`. mean_close_to_zero:
    the variance is computed from the sum of squares in one go.

    Inputs are floating point, [batch, height, width, channels] with the default axes, and the result has their shape
    and dtype. Raises ValueError for an unknown rank, unknown channels or reduced sizes, for axes that are not there or
    overlap, and for groups that do not divide the channels; TypeError for other dtypes.

    >>> y = gc.contrib.layers.group_norm(gc.constant([[[[1., 3., 10., 30.]]]]), groups=2)
    >>> gc.global_variables_initializer().run()
    >>> y.eval()
    array([[[[-1.,  1., -1.,  1.]]]], dtype=float32)
    """
    inputs = gc.convert_to_tensor(inputs)
    rank = _rank_of(inputs)
    axis, reduced = _group_axes(inputs, rank, channels_axis, reduction_axes)
    channels = inputs.get_shape()[axis].value
    if channels is None:
        raise ValueError(f"Inputs {inputs.name} has undefined channel dimension: {axis}.")
    if groups > channels:
        raise ValueError(f"Invalid groups {groups} for {channels} channels.")
    if channels % groups:
        raise ValueError(f"{channels} channels is not commensurate with {groups} groups.")
    sizes = [gc.shape(inputs)[i] if size is None else size for i, size in enumerate(inputs.get_shape().as_list())]
    split = [groups, channels // groups]
    broadcast = [*[1] * axis, *split, *[1] * (rank - axis - 1)]
    grouped = gc.reshape(inputs, [*sizes[:axis], *split, *sizes[axis + 1:]])
    axes = [axis + 1, *(a + 1 if a > axis else a for a in reduced)]
    with gc.variable_scope(scope, "GroupNorm", [inputs], reuse=reuse) as entered:
        beta, gamma = (_parameter(name, wanted, [channels], inputs, param_initializers, variables_collections,
                                  trainable) for name, wanted in (("beta", center), ("gamma", scale)))
        beta, gamma = (None if v is None else gc.reshape(v, broadcast) for v in (beta, gamma))
        outputs = gc.reshape(_normalised(grouped, axes, beta, gamma, epsilon, mean_close_to_zero), sizes)
        outputs.set_shape(inputs.get_shape())
        return finished(outputs, activation_fn, outputs_collections, entered.name)


def _group_axes(inputs: Any, rank: int, channels_axis: int, reduction_axes: Sequence[int]) -> tuple[int, list[int]]:
    """The axis of the channels and those that are reduced beside it, counted from the front."""
    if not -rank <= channels_axis < rank:
        raise ValueError(f"Axis is out of bounds: channels_axis {channels_axis} of rank {rank}.")
    axis = channels_axis % rank
    for a in reduction_axes:
        if not -rank <= a < rank:
            raise ValueError(f"Axis is out of bounds: {a} in reduction_axes of rank {rank}.")
        if a % rank == axis:
            raise ValueError(f"reduction_axis must be mutually exclusive with channels_axis, but both hold {a}")
        if inputs.get_shape()[a % rank].value is None:
            raise ValueError(f"Inputs {inputs.name} has undefined dimensions {a}.")
    return axis, [a % rank for a in reduction_axes]


def _normalised(grouped: Any, axes: list[int], beta: Any, gamma: Any, epsilon: float, in_one_go: bool) -> Any:
    if in_one_go:
        counts, sums, squares, _ = gc.nn.sufficient_statistics(grouped, axes, keep_dims=True)
        mean, variance = gc.nn.normalize_moments(counts, sums, squares, shift=None)
    else:
        mean, variance = gc.nn.moments(grouped, axes, keep_dims=True)
    gain = gc.rsqrt(variance + epsilon)
    offset = -mean * gain
    if gamma is not None:
        gain, offset = gain * gamma, offset * gamma
    if beta is not None:
        offset += beta
    return grouped * gain + offset


@public("contrib.layers.unit_norm")
@add_arg_scope
def unit_norm(inputs: Any, dim: int, epsilon: float = 1e-7, scope: Any = None) -> Any:
    """The inputs divided by their length along the axis `dim`, as `tf.contrib.layers.unit_norm`.

    Inputs are floating point of known rank. Raises ValueError if that is unknown or dim is not from 0 to below it,
    TypeError for other dtypes.

    >>> gc.contrib.layers.unit_norm(gc.constant([[3., 4.]]), dim=1).eval()
    array([[0.6, 0.8]], dtype=float32)
    """
    with gc.variable_scope(scope, "UnitNorm", [inputs]):
        inputs = gc.convert_to_tensor(inputs)
        rank = _rank_of(inputs)
        if not 0 <= dim < rank:
            raise ValueError(f"dim must be positive but smaller than the input rank, but is {dim} of {rank}.")
        lengths = gc.sqrt(epsilon + gc.reduce_sum(gc.square(inputs), dim, keepdims=True))
        return gc.div(inputs, lengths)


@public("contrib.layers.poincare_normalize")
def poincare_normalize(x: Any, axis: Any = 1, epsilon: float = 1e-5, name: str | None = None) -> Any:
    """x scaled down to a length of at most 1 - epsilon along `axis`, as `tf.contrib.layers.poincare_normalize`.

    x: floating point of any shape, which the result has, too. Raises TypeError for integers and strings, ValueError for
    an axis that is not there.

    >>> gc.contrib.layers.poincare_normalize(gc.constant([[3., 4.], [0.3, 0.4]])).eval()
    array([[0.6, 0.8],
           [0.3, 0.4]], dtype=float32)
    """
    with gc.name_scope(name, "poincare_normalize", [x]) as scope:
        x = gc.convert_to_tensor(x, name="x")
        inverse = gc.rsqrt(gc.reduce_sum(gc.square(x), axis, keepdims=True))
        return gc.multiply(x, gc.minimum((1.0 - epsilon) * inverse, 1.0), name=scope)


@public("contrib.layers.maxout")
@add_arg_scope
def maxout(inputs: Any, num_units: int, axis: int = -1, scope: Any = None) -> Any:
    """The largest of each of num_units groups of features, as `tf.contrib.layers.maxout`.

    Inputs are real numbers; the result has their dtype, and num_units along `axis`. Raises ValueError if the rank or
    that size is not known or no multiple of num_units, TypeError for strings.

    >>> gc.contrib.layers.maxout(gc.constant([[1., 5., 3., 2.]]), num_units=2).eval()
    array([[5., 3.]], dtype=float32)
    """
    with gc.variable_scope(scope, "MaxOut", [inputs]):
        inputs = gc.convert_to_tensor(inputs)
        known = inputs.get_shape().as_list()
        if known[axis] is None or known[axis] % num_units:
            raise ValueError(f"number of features({known[axis]}) is not a multiple of num_units({num_units})")
        sizes: list[Any] = [gc.shape(inputs)[i] if size is None else size for i, size in enumerate(known)]
        sizes[axis] = num_units
        outputs = gc.reduce_max(gc.reshape(inputs, [*sizes, known[axis] // num_units]), -1)
        static = np.array(known, object)
        static[axis] = num_units
        outputs.set_shape(static.tolist())
        return outputs
