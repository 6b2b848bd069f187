"""TensorFlow's switches between graphs and eager execution, and between its versions' behaviour. There are graphs only:
what asks for them does nothing, what asks for anything else is an error."""
from __future__ import annotations

from typing import Any, NoReturn

from graphc import errors
from graphc.api.public import public

_GRAPHS_ONLY = "graphc has graphs only: build one, and run it in a gc.Session"


def _refused(name: str, why: str) -> NoReturn:
    raise errors.UnimplementedError(f"tf.{name}: {why}")


@public("compat.v1.executing_eagerly", "compat.v1.executing_eagerly_outside_functions",
        "compat.v1.contrib.eager.executing_eagerly", "compat.v1.contrib.eager.in_eager_mode")
def executing_eagerly() -> bool:
    """False: there are graphs only.

    As `tf.executing_eagerly`.

    >>> gc.compat.v1.executing_eagerly()
    False
    """
    return False


@public("compat.v1.disable_eager_execution")
def disable_eager_execution() -> None:
    """Does nothing: there are graphs only.

    As `tf.disable_eager_execution`.

    >>> gc.compat.v1.disable_eager_execution()
    """


@public("compat.v1.enable_eager_execution", "compat.v1.contrib.eager.enable_eager_execution")
def enable_eager_execution(config: Any = None, device_policy: Any = None, execution_mode: Any = None) -> NoReturn:
    """Raises UnimplementedError: there are graphs only.

    Takes the place of `tf.enable_eager_execution`.

    >>> gc.compat.v1.enable_eager_execution()
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.enable_eager_execution: graphc has graphs only: build one, and run it in a ...
    """
    _refused("enable_eager_execution", _GRAPHS_ONLY)


@public("compat.v1.disable_v2_behavior")
def disable_v2_behavior() -> None:
    """Does nothing: this is TensorFlow 1's behaviour.

    As `tf.disable_v2_behavior`.

    >>> gc.compat.v1.disable_v2_behavior()
    """


@public("compat.v1.enable_v2_behavior")
def enable_v2_behavior() -> NoReturn:
    """Raises UnimplementedError: TensorFlow 2's behaviour is eager.

    Takes the place of `tf.enable_v2_behavior`.

    >>> gc.compat.v1.enable_v2_behavior()
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.enable_v2_behavior: graphc has graphs only: build one, and run it in a ...
    """
    _refused("enable_v2_behavior", _GRAPHS_ONLY)


@public("compat.v1.disable_v2_tensorshape")
def disable_v2_tensorshape() -> None:
    """Does nothing: sizes are Dimensions.

    As `tf.disable_v2_tensorshape`.

    >>> gc.compat.v1.disable_v2_tensorshape()
    >>> gc.zeros([2, 3]).shape[0]
    Dimension(2)
    """


@public("compat.v1.enable_v2_tensorshape")
def enable_v2_tensorshape() -> NoReturn:
    """Raises UnimplementedError: sizes are Dimensions.

    Takes the place of `tf.enable_v2_tensorshape`.

    >>> gc.compat.v1.enable_v2_tensorshape()
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.enable_v2_tensorshape: tensor.shape[i] is a Dimension; write int(tensor...
    """
    _refused("enable_v2_tensorshape", "tensor.shape[i] is a Dimension; write int(tensor.shape[i]), or leave "
                                      "the call out")


@public("compat.v1.disable_tensor_equality")
def disable_tensor_equality() -> None:
    """Does nothing: == of tensors is identity.

    As `tf.disable_tensor_equality`.

    >>> gc.compat.v1.disable_tensor_equality()
    >>> gc.constant(1) == gc.constant(1)
    False
    """


@public("compat.v1.enable_tensor_equality")
def enable_tensor_equality() -> NoReturn:
    """Raises UnimplementedError: == of tensors is identity.

    Takes the place of `tf.enable_tensor_equality`.

    >>> gc.compat.v1.enable_tensor_equality()
    Traceback (most recent call last):
        ...
    graphc.errors.UnimplementedError: tf.enable_tensor_equality: == of tensors is identity; write tf.equal, ...
    """
    _refused("enable_tensor_equality", "== of tensors is identity; write tf.equal, and leave the call out")


class _Switch:
    """One of TensorFlow's switches that change no result here: how it stands is all there is to it."""

    def __init__(self) -> None:
        self.on = False


_RESOURCE_VARIABLES, _CONTROL_FLOW_V2 = _Switch(), _Switch()


@public("compat.v1.enable_resource_variables")
def enable_resource_variables() -> None:
    """Changes no result: variables are always read like resource variables.

    As `tf.enable_resource_variables`.

    >>> gc.compat.v1.enable_resource_variables()
    >>> gc.compat.v1.resource_variables_enabled()
    True
    >>> gc.compat.v1.disable_resource_variables()
    """
    _RESOURCE_VARIABLES.on = True


@public("compat.v1.disable_resource_variables")
def disable_resource_variables() -> None:
    """Changes no result: variables are always read like resource variables.

    As `tf.disable_resource_variables`.

    >>> gc.compat.v1.disable_resource_variables()
    >>> gc.compat.v1.resource_variables_enabled()
    False
    """
    _RESOURCE_VARIABLES.on = False


@public("compat.v1.resource_variables_enabled")
def resource_variables_enabled() -> bool:
    """How the switch of `enable_resource_variables` stands: False at first.

    As `tf.resource_variables_enabled`.

    >>> gc.compat.v1.resource_variables_enabled()
    False
    """
    return _RESOURCE_VARIABLES.on


@public("compat.v1.enable_control_flow_v2")
def enable_control_flow_v2() -> None:
    """Changes no result: loops and branches are functional already.

    As `tf.enable_control_flow_v2`.

    >>> gc.compat.v1.enable_control_flow_v2()
    >>> gc.compat.v1.control_flow_v2_enabled()
    True
    >>> gc.compat.v1.disable_control_flow_v2()
    """
    _CONTROL_FLOW_V2.on = True


@public("compat.v1.disable_control_flow_v2")
def disable_control_flow_v2() -> None:
    """Changes no result: loops and branches stay functional.

    As `tf.disable_control_flow_v2`.

    >>> gc.compat.v1.disable_control_flow_v2()
    >>> gc.compat.v1.control_flow_v2_enabled()
    False
    """
    _CONTROL_FLOW_V2.on = False


@public("compat.v1.control_flow_v2_enabled")
def control_flow_v2_enabled() -> bool:
    """How the switch of `enable_control_flow_v2` stands: False at first.

    As `tf.control_flow_v2_enabled`.

    >>> gc.compat.v1.control_flow_v2_enabled()
    False
    """
    return _CONTROL_FLOW_V2.on
