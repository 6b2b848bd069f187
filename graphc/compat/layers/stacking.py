"""contrib.layers.repeat and stack: a layer applied several times; scale_gradient."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public


def _name_of(layer: Callable[..., Any], otherwise: str) -> str:
    function = layer if hasattr(layer, "__name__") else getattr(layer, "func", None)      # of a functools.partial
    return getattr(function, "__name__", otherwise)


@public("contrib.layers.repeat")
def repeat(inputs: Any, repetitions: int, layer: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The same layer `repetitions` times, in the scopes scope_1, scope_2, ...

    layer(inputs, *args, scope=..., **kwargs) gives the next inputs; the last of them is the result. repetitions: an
    int, TypeError for anything else; with 0 the inputs come back. As `tf.contrib.layers.repeat`.

    >>> x = gc.placeholder(gc.float32, [None, 8])
    >>> y = gc.contrib.layers.repeat(x, 2, gc.contrib.layers.fully_connected, 8, scope="fc")
    >>> [v.op.name for v in gc.trainable_variables()]
    ['fc/fc_1/weights', 'fc/fc_1/biases', 'fc/fc_2/weights', 'fc/fc_2/biases']
    """
    scope = kwargs.pop("scope", None)
    with gc.variable_scope(scope, "Repeat", [inputs]):
        outputs = gc.convert_to_tensor(inputs)
        name = _name_of(layer, "repeat") if scope is None else scope
        for i in range(repetitions):
            outputs = layer(outputs, *args, **{**kwargs, "scope": f"{name}_{i + 1}"})
        return outputs


@public("contrib.layers.stack")
def stack(inputs: Any, layer: Callable[..., Any], stack_args: Sequence[Any], **kwargs: Any) -> Any:
    """The layer once for each of stack_args (an argument, or a list of them), in the scopes scope_1, scope_2, ...

    layer(inputs, *stack_args[i], scope=..., **kwargs) gives the next inputs. Raises ValueError if stack_args is no list
    or tuple. As `tf.contrib.layers.stack`.

    >>> x = gc.placeholder(gc.float32, [None, 8])
    >>> y = gc.contrib.layers.stack(x, gc.contrib.layers.fully_connected, [32, 16], scope="fc")
    >>> [(v.op.name, v.shape.as_list()) for v in gc.trainable_variables()]
    [('fc/fc_1/weights', [8, 32]), ('fc/fc_1/biases', [32]), ('fc/fc_2/weights', [32, 16]), ('fc/fc_2/biases', [16])]
    """
    scope = kwargs.pop("scope", None)
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError(f"stack_args need to be a list or tuple, not {stack_args!r}")
    with gc.variable_scope(scope, "Stack", [inputs]):
        outputs = gc.convert_to_tensor(inputs)
        name = _name_of(layer, "stack") if scope is None else scope
        for i, given in enumerate(stack_args):
            own = given if isinstance(given, (list, tuple)) else [given]
            outputs = layer(outputs, *own, **{**kwargs, "scope": f"{name}_{i + 1}"})
        return outputs


@public("contrib.layers.scale_gradient")
def scale_gradient(inputs: Any, gradient_multiplier: Any) -> Any:
    """The inputs, through which gradients are multiplied.

    The result has the inputs' shape and dtype; gradient_multiplier: of their dtype, of a shape that broadcasts against
    theirs. gc.gradients raises TypeError or ValueError where it does not fit. As `tf.contrib.layers.scale_gradient`.

    >>> x = gc.constant(3.)
    >>> y = gc.contrib.layers.scale_gradient(x, gc.constant(0.5))
    >>> y.eval(), gc.gradients(y, x)[0].eval()
    (np.float32(3.0), np.float32(0.5))
    """
    @gc.custom_gradient
    def scaled(x: Any, factor: Any) -> Any:
        return gc.identity(x), lambda dy: (dy * factor, None)

    return scaled(gc.convert_to_tensor(inputs), gc.convert_to_tensor(gradient_multiplier))
