"""The two networks of canned models: a linear model of columns, and hidden layers over columns."""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import graphc as gc
from graphc.estimator.modes import ModeKeys

_LARGE = 64 << 20                     # bytes of a part of an input layer's variable
_OPTIMIZERS = {"Adagrad": "AdagradOptimizer", "Adam": "AdamOptimizer", "Ftrl": "FtrlOptimizer",
               "RMSProp": "RMSPropOptimizer", "SGD": "GradientDescentOptimizer"}


def optimizer_of(given: Any, learning_rate: float) -> Any:
    """An optimizer: it, what a function makes, or the one of a name with this learning rate."""
    if isinstance(given, str):
        if given not in _OPTIMIZERS:
            raise ValueError(f"Unsupported optimizer name: {given}. Supported names are: {tuple(sorted(_OPTIMIZERS))}")
        return getattr(gc.train, _OPTIMIZERS[given])(learning_rate=learning_rate)
    made = given() if callable(given) else given
    if not isinstance(made, gc.train.Optimizer):
        raise ValueError(f"The given object is not an Optimizer instance. Given: {made!r}")
    return made


def input_partitioner(given: Any, config: Any) -> Any:
    return given or gc.min_max_variable_partitioner(max(1, config.num_ps_replicas), min_slice_size=_LARGE)


def check_features(features: Any) -> None:
    if not isinstance(features, Mapping):
        raise ValueError(f"features should be a dictionary of `Tensor`s. Given type: {type(features)}")


def linear_logits(features: Mapping[str, Any], columns: Sequence[Any], units: int, sparse_combiner: str) -> Any:
    """In the scope "linear", which is entered; with summaries of the weights."""
    of_columns: dict[Any, Any] = {}
    logits = gc.feature_column.linear_model(features, columns, units, sparse_combiner, cols_to_vars=of_columns)
    (bias,) = of_columns.pop("bias")
    if units > 1:
        gc.summary.histogram("bias", bias)
    else:
        gc.summary.scalar("bias", bias[0])
    gc.summary.scalar("fraction_of_zero_weights", _share_of_zeros([v for vs in of_columns.values() for v in vs]))
    return logits


def _share_of_zeros(variables: Sequence[Any]) -> Any:
    zeros = [gc.reduce_sum(gc.cast(gc.equal(v, 0), gc.float32)) for v in variables]
    return gc.add_n(zeros) / sum(math.prod(v.get_shape().as_list()) for v in variables)


def dnn_logits(features: Mapping[str, Any], mode: str, columns: Sequence[Any], units: int, hidden_units: Sequence[int],
               activation_fn: Callable[[Any], Any] | None, dropout: float | None, partitioner: Any,
               batch_norm: bool) -> Any:
    """In the scope "dnn", which is entered; with summaries of the layers."""
    training, glorot = mode == ModeKeys.TRAIN, gc.glorot_uniform_initializer()
    with gc.variable_scope("input_from_feature_columns", partitioner=partitioner):
        net = gc.feature_column.input_layer(features, columns)
    for i, size in enumerate(hidden_units):
        with gc.variable_scope(f"hiddenlayer_{i}") as scope:
            net = gc.layers.dense(net, size, activation_fn, kernel_initializer=glorot, name=scope)
            if dropout is not None and training:
                net = gc.layers.dropout(net, dropout, training=True)
            if batch_norm:
                net = gc.layers.batch_normalization(net, momentum=0.999, training=training, name=f"batchnorm_{i}")
        summarize_layer(net, scope.name)
    with gc.variable_scope("logits") as scope:
        logits = gc.layers.dense(net, units, kernel_initializer=glorot, name=scope)
    summarize_layer(logits, scope.name)
    return logits


def summarize_layer(value: Any, tag: str) -> None:
    gc.summary.scalar(f"{tag}/fraction_of_zero_values", gc.nn.zero_fraction(value))
    gc.summary.histogram(f"{tag}/activation", value)
