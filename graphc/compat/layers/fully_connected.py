"""contrib.layers.fully_connected and the functions made of it."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope
from graphc.compat.layers.utils import add_to_collections_of, finished, model_variables

_WEIGHTS, _BIASES, _ACTIVATIONS = gc.GraphKeys.WEIGHTS, gc.GraphKeys.BIASES, gc.GraphKeys.ACTIVATIONS


@public("contrib.layers.fully_connected")
@add_arg_scope
def fully_connected(inputs: Any, num_outputs: int, activation_fn: Any = gc.nn.relu, normalizer_fn: Any = None,
                    normalizer_params: dict[str, Any] | None = None,
                    weights_initializer: Any = gc.contrib.layers.xavier_initializer(), weights_regularizer: Any = None,
                    biases_initializer: Any = gc.zeros_initializer(), biases_regularizer: Any = None, reuse: Any = None,
                    variables_collections: Any = None, outputs_collections: Any = None, trainable: bool = True,
                    scope: Any = None) -> Any:
    """activation_fn(inputs @ weights + biases); with normalizer_fn that instead of the biases. As
    `tf.contrib.layers.fully_connected`. Inputs [..., features], whose last size must be known; the result [...,
    num_outputs].

    Inputs are floating point of rank 2 at least, and the result has their dtype. Raises ValueError if num_outputs is no
    int, for a lower or unknown rank or last size; TypeError for other dtypes.

    >>> x = gc.placeholder(gc.float32, [None, 784])
    >>> hidden = gc.contrib.layers.fully_connected(x, 128, scope="hidden")
    >>> logits = gc.contrib.layers.fully_connected(hidden, 10, activation_fn=None, scope="logits")
    >>> [v.op.name for v in gc.trainable_variables()]
    ['hidden/weights', 'hidden/biases', 'logits/weights', 'logits/biases']
    """
    if not isinstance(num_outputs, int):
        raise ValueError(f"num_outputs type should be int, got {type(num_outputs).__name__} {num_outputs!r}.")
    with gc.variable_scope(scope, "fully_connected", [inputs], reuse=reuse,
                           custom_getter=model_variables({"bias": "biases", "kernel": "weights"})) as entered:
        inputs = gc.convert_to_tensor(inputs)
        layer = gc.layers.Dense(
            num_outputs, use_bias=not normalizer_fn and biases_initializer is not None,
            kernel_initializer=weights_initializer, bias_initializer=biases_initializer,
            kernel_regularizer=weights_regularizer, bias_regularizer=biases_regularizer, trainable=trainable,
            name=entered.name, dtype=inputs.dtype.base_dtype, _scope=entered, _reuse=reuse)
        outputs = layer(inputs)
        add_to_collections_of(layer.kernel, variables_collections, "weights")
        if layer.bias is not None:
            add_to_collections_of(layer.bias, variables_collections, "biases")
        if normalizer_fn is not None:
            outputs = normalizer_fn(outputs, **(normalizer_params or {}))
        return finished(outputs, activation_fn, outputs_collections, entered.name)


def _with_activation(name: str, function: Callable[..., Any], activation: Any) -> Callable[..., Any]:
    def layer(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **{"activation_fn": activation, **kwargs})

    layer.__name__ = function.__name__
    layer.__wrapped__ = function  # type: ignore[attr-defined]  (its parameters are that one's)
    layer.__doc__ = f"""gc.contrib.layers.{function.__name__} with {_said(activation)}.

    Shapes, dtypes and errors are its. As `tf.contrib.layers.{name}`.

    >>> x = gc.placeholder(gc.float32, [None, 4])
    >>> gc.contrib.layers.{name}(x, 3).shape.as_list()
    [None, 3]
    """
    return public(f"contrib.layers.{name}")(layer)


def _said(activation: Any) -> str:
    return f"the activation {activation.__name__}" if activation else "no activation"


@public("contrib.layers.legacy_fully_connected")
def legacy_fully_connected(x: Any, num_output_units: int, activation_fn: Any = None,
                           weight_init: Any = gc.contrib.layers.xavier_initializer(),
                           bias_init: Any = gc.zeros_initializer(), name: str | None = None,
                           weight_collections: Any = (_WEIGHTS,), bias_collections: Any = (_BIASES,),
                           output_collections: Any = (_ACTIVATIONS,), trainable: bool = True,
                           weight_regularizer: Any = None, bias_regularizer: Any = None) -> Any:
    """activation_fn(x @ weights + bias) as before TensorFlow 1.0: the variables are called weights and bias, and stand
    in the collections WEIGHTS and BIASES.

    x: [..., features], floating point, of a known rank of 2 at least and a known last size (ValueError if not,
    TypeError for other dtypes); the result is [..., num_output_units] of its dtype. As
    `tf.contrib.layers.legacy_fully_connected`.

    >>> x = gc.placeholder(gc.float32, [None, 4])
    >>> gc.contrib.layers.legacy_fully_connected(x, 3).shape
    TensorShape([Dimension(None), Dimension(3)])
    >>> [v.op.name for v in gc.trainable_variables()]
    ['fully_connected/weights', 'fully_connected/bias']
    """
    with gc.variable_scope(name, "fully_connected", [x]):
        x = gc.convert_to_tensor(x)
        rank = x.get_shape().ndims
        if rank is None or rank < 2:
            raise ValueError(f"rank of x must be known and at least 2, not: {rank}")
        sizes = x.get_shape().as_list()
        if sizes[-1] is None:
            raise ValueError("last dimension of x must be known but is None")
        y = _legacy_product(x, sizes[-1], num_output_units, weight_init, weight_collections, weight_regularizer,
                            trainable)
        if bias_init is not None:
            y = gc.nn.bias_add(y, _legacy_variable("bias", [num_output_units], x, bias_init, bias_collections,
                                                   bias_regularizer, trainable))
        if rank > 2:
            y = gc.reshape(y, gc.stack([*gc.unstack(gc.shape(x), rank)[:-1], num_output_units]))
            y.set_shape([*sizes[:-1], num_output_units])
        if activation_fn is not None:
            y = activation_fn(y)
        gc.add_to_collections([*(output_collections or ()), _ACTIVATIONS], y)
        return y


def _legacy_product(x: Any, size: int, units: int, initializer: Any, collections: Any, regularizer: Any,
                    trainable: bool) -> Any:
    weights = _legacy_variable("weights", [size, units], x, initializer, collections, regularizer, trainable)
    return gc.matmul(x if x.get_shape().ndims == 2 else gc.reshape(x, [-1, size]), weights)


def _legacy_variable(name: str, shape: list[int], x: Any, initializer: Any, collections: Any, regularizer: Any,
                     trainable: bool) -> Any:
    keys = dict.fromkeys([*(collections or ()), gc.GraphKeys.GLOBAL_VARIABLES])
    return gc.get_variable(name, shape, x.dtype.base_dtype, initializer, regularizer, trainable, list(keys))


relu = _with_activation("relu", fully_connected, gc.nn.relu)
relu6 = _with_activation("relu6", fully_connected, gc.nn.relu6)
elu = _with_activation("elu", fully_connected, gc.nn.elu)
linear = _with_activation("linear", fully_connected, None)
legacy_relu = _with_activation("legacy_relu", legacy_fully_connected, gc.nn.relu)
legacy_linear = _with_activation("legacy_linear", legacy_fully_connected, None)
