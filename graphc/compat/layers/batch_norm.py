"""contrib.layers.batch_norm: gc.layers.BatchNormalization where it can do what is asked for; else with updates that run
at once or go to other collections, weights of examples, or averages that make up for their start at 0."""
from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope
from graphc.compat.layers.utils import (
    add_to_collections_of,
    collect_named_outputs,
    finished,
    get_variable_collections,
    model_variables,
)
from graphc.layers.batch_norm import in_one_piece

_UPDATE_OPS = gc.GraphKeys.UPDATE_OPS
_choose = gc.contrib.framework.smart_cond
_known = gc.contrib.framework.smart_constant_value


@dataclass
class _Request:
    """What the caller asks for, but for where the variables are."""

    decay: Any
    center: bool
    scale: bool
    epsilon: float
    initializers: dict[str, Any]
    regularizers: dict[str, Any]
    updates_collections: Any
    is_training: Any
    variables_collections: Any
    trainable: bool
    channels_first: bool
    zero_debias: bool

    def variable(self, name: str, shape: Any, dtype: Any) -> Any:
        """beta, gamma, or one of the averages."""
        average = name.startswith("moving")
        default = gc.ones_initializer() if name in ("gamma", "moving_variance") else gc.zeros_initializer()
        with in_one_piece(gc.get_variable_scope()) if average else nullcontext():
            return gc.contrib.framework.model_variable(
                name, shape, dtype, self.initializers.get(name, default), self.regularizers.get(name),
                self.trainable and not average, get_variable_collections(self.variables_collections, name))


@public("contrib.layers.batch_norm")
@add_arg_scope
def batch_norm(inputs: Any, decay: Any = 0.999, center: bool = True, scale: bool = False, epsilon: float = 0.001,
               activation_fn: Any = None, param_initializers: dict[str, Any] | None = None,
               param_regularizers: dict[str, Any] | None = None, updates_collections: Any = _UPDATE_OPS,
               is_training: Any = True, reuse: Any = None, variables_collections: Any = None,
               outputs_collections: Any = None, trainable: bool = True, batch_weights: Any = None,
               fused: bool | None = None, data_format: str = "NHWC", zero_debias_moving_mean: bool = False,
               scope: Any = None, renorm: bool = False, renorm_clipping: dict[str, Any] | None = None,
               renorm_decay: Any = 0.99, adjustment: Callable[[Any], tuple[Any, Any]] | None = None) -> Any:
    """Batch normalisation with decay 0.999 and without gamma, as `tf.contrib.layers.batch_norm`.

    updates_collections: where the updates of the averages go; None runs them with every use of the outputs. is_training
    may be a tensor. batch_weights: how much each example counts. zero_debias_moving_mean: the moving mean makes up for
    its start at 0. The averages' variables are not trained. Inputs are floating point [batch, ..., channels], or
    [batch, channels, ...] with data_format "NCHW"; the result has their shape and dtype. batch_weights: [batch]. Raises
    ValueError for an unknown rank or number of channels, another data_format, weights that do not fit, and renorm with
    batch_weights, zero_debias_moving_mean or other updates_collections; TypeError for other dtypes and an is_training
    that is no bool.

    >>> x = gc.placeholder(gc.float32, [None, 2])
    >>> y = gc.contrib.layers.batch_norm(x, is_training=True, updates_collections=None)
    >>> gc.global_variables_initializer().run()
    >>> y.eval({x: [[1., 10.], [3., 30.]]})
    array([[-0.9995, -1.    ],
           [ 0.9995,  1.    ]], dtype=float32)
    >>> gc.contrib.framework.get_variables_by_name("moving_mean")[0].eval()
    array([0.002, 0.02 ], dtype=float32)
    """
    if data_format not in ("NHWC", "NCHW"):
        raise ValueError(f"data_format has to be either NCHW or NHWC, but is {data_format!r}.")
    inputs = gc.convert_to_tensor(inputs)
    rank = inputs.get_shape().ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    asked = _Request(decay, center, scale, epsilon, param_initializers or {}, param_regularizers or {},
                     updates_collections, is_training, variables_collections, trainable, data_format == "NCHW",
                     zero_debias_moving_mean)
    ordinary = batch_weights is None and updates_collections == _UPDATE_OPS and not zero_debias_moving_mean
    can_fuse = fused is not False and batch_weights is None and not renorm and adjustment is None and rank in (2, 4)
    if can_fuse and (rank == 2 or not ordinary):
        with gc.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse) as entered:
            outputs = _fused(inputs, asked)
            return finished(outputs, activation_fn, outputs_collections, entered.name)
    with gc.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse, custom_getter=model_variables()) as entered:
        if ordinary:
            outputs = _by_layer(inputs, asked, fused is not False, renorm, renorm_clipping, renorm_decay, adjustment,
                                entered, reuse)
        elif renorm:
            raise ValueError("renorm is not supported with batch_weights, updates_collections or "
                             "zero_debias_moving_mean")
        else:
            outputs = _of_moments(inputs, asked, batch_weights)
        return collect_named_outputs(outputs_collections, entered.name,
                                     outputs if activation_fn is None else activation_fn(outputs))


def _by_layer(inputs: Any, asked: _Request, fused: bool, renorm: bool, renorm_clipping: Any, renorm_decay: Any,
              adjustment: Any, scope: Any, reuse: Any) -> Any:
    given = {f"{name}_initializer": value for name, value in asked.initializers.items()}
    given |= {f"{name}_regularizer": value for name, value in asked.regularizers.items() if name in ("beta", "gamma")}
    layer = gc.layers.BatchNormalization(
        1 if asked.channels_first else -1, asked.decay, asked.epsilon, asked.center, asked.scale, renorm=renorm,
        renorm_clipping=renorm_clipping, renorm_momentum=renorm_decay, fused=fused, trainable=asked.trainable,
        adjustment=adjustment, name=scope.name, _scope=scope, _reuse=reuse, **given)
    outputs = layer(inputs, training=asked.is_training)
    for name in ("moving_mean", "moving_variance", "beta", "gamma"):
        if getattr(layer, name) is not None:
            add_to_collections_of(getattr(layer, name), asked.variables_collections, name)
    return outputs


def _channels(inputs: Any, asked: _Request) -> list[int]:
    size = inputs.get_shape()[1 if asked.channels_first else -1].value
    if size is None:
        raise ValueError(f"Inputs {inputs.name} has undefined channels dimension: {inputs.get_shape()}.")
    return [size]


def _updates(asked: _Request, moving_mean: Any, moving_variance: Any, mean: Any, variance: Any) -> tuple[Any, Any]:
    move = gc.train.assign_moving_average
    return (move(moving_mean, mean, asked.decay, zero_debias=asked.zero_debias),
            move(moving_variance, variance, asked.decay, zero_debias=False))


def _later(asked: _Request, moving_mean: Any, moving_variance: Any, mean: Any, variance: Any) -> None:
    """Puts the updates into their collections."""
    updates = _choose(asked.is_training, lambda: _updates(asked, moving_mean, moving_variance, mean, variance),
                      lambda: (gc.convert_to_tensor(moving_mean), gc.convert_to_tensor(moving_variance)))
    for update in updates:
        gc.add_to_collections(asked.updates_collections, update)


def _fused(inputs: Any, asked: _Request) -> Any:
    """By gc.nn.fused_batch_norm: inputs of two axes are pictures of one point."""
    shape, rank, channels = inputs.get_shape(), inputs.get_shape().ndims, _channels(inputs, asked)
    dtype = inputs.dtype.base_dtype if inputs.dtype == gc.float64 else gc.float32
    pictures = inputs if rank == 4 else gc.reshape(
        inputs, [-1, *channels, 1, 1] if asked.channels_first else [-1, 1, 1, *channels])
    beta = asked.variable("beta", channels, dtype) if asked.center else gc.zeros(channels, dtype)
    gamma = asked.variable("gamma", channels, dtype) if asked.scale else gc.ones(channels, dtype)
    moving_mean = asked.variable("moving_mean", channels, dtype)
    moving_variance = asked.variable("moving_variance", channels, dtype)
    layout = "NCHW" if asked.channels_first else "NHWC"

    def of_batch() -> Any:
        return gc.nn.fused_batch_norm(pictures, gamma, beta, epsilon=asked.epsilon, data_format=layout)

    def of_averages() -> Any:
        return gc.nn.fused_batch_norm(pictures, gamma, beta, moving_mean, moving_variance, asked.epsilon, layout,
                                      is_training=False)

    outputs, mean, variance = _choose(asked.is_training, of_batch, of_averages)
    if _known(asked.is_training) is not False:
        if asked.updates_collections is None:
            def updated() -> Any:
                with gc.control_dependencies(_updates(asked, moving_mean, moving_variance, mean, variance)):
                    return gc.identity(outputs)

            outputs = _choose(asked.is_training, updated, lambda: outputs)
        else:
            _later(asked, moving_mean, moving_variance, mean, variance)
    if rank == 2:
        outputs = gc.reshape(outputs, gc.shape(inputs))
    outputs.set_shape(shape)
    return outputs


def _of_moments(inputs: Any, asked: _Request, batch_weights: Any) -> Any:
    """From gc.nn.moments, weighted if there are weights."""
    rank, channels, dtype = inputs.get_shape().ndims, _channels(inputs, asked), inputs.dtype.base_dtype
    beta = asked.variable("beta", channels, dtype) if asked.center else None
    gamma = asked.variable("gamma", channels, dtype) if asked.scale else None
    moving_mean = asked.variable("moving_mean", channels, dtype)
    moving_variance = asked.variable("moving_variance", channels, dtype)
    mean, variance = gc.convert_to_tensor(moving_mean), gc.convert_to_tensor(moving_variance)
    if _known(asked.is_training) is not False:
        mean, variance = _moments(inputs, asked, batch_weights)
        batch_mean, batch_variance = mean, variance

        def averages() -> tuple[Any, Any]:
            return gc.convert_to_tensor(moving_mean), gc.convert_to_tensor(moving_variance)

        def updated() -> tuple[Any, Any]:
            with gc.control_dependencies(_updates(asked, moving_mean, moving_variance, batch_mean, batch_variance)):
                return gc.identity(batch_mean), gc.identity(batch_variance)

        if asked.updates_collections is None:
            mean, variance = _choose(asked.is_training, updated, averages)
        else:
            _later(asked, moving_mean, moving_variance, batch_mean, batch_variance)
            mean, variance = _choose(asked.is_training, lambda: (batch_mean, batch_variance), averages)
    if asked.channels_first:
        shape = [1, *channels, *[1] * (rank - 2)]
        mean, variance, beta, gamma = (None if v is None else gc.reshape(v, shape)
                                       for v in (mean, variance, beta, gamma))
    outputs = gc.nn.batch_normalization(inputs, mean, variance, beta, gamma, asked.epsilon)
    outputs.set_shape(inputs.get_shape())
    return outputs


def _moments(inputs: Any, asked: _Request, batch_weights: Any) -> tuple[Any, Any]:
    rank = inputs.get_shape().ndims
    axes = [0, *range(2, rank)] if asked.channels_first else list(range(rank - 1))
    if batch_weights is None:
        return gc.nn.moments(inputs, axes)  # type: ignore[no-any-return]
    weights = gc.convert_to_tensor(batch_weights)
    inputs.get_shape()[:1].assert_is_compatible_with(weights.get_shape())
    shaped = gc.reshape(weights, [-1, *[1] * (rank - 1)])
    return gc.nn.weighted_moments(inputs, axes, shaped)  # type: ignore[no-any-return]
