"""Cells around a cell that keep its state and add something to each step."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn import structures
from graphc.rnn.cell import RNNCell


class Wrapper(RNNCell):
    """What the wrappers have in common: sizes, state and variables are those of the cell inside, and so is the scope.
    """

    def __init__(self, cell: Any, **more: Any) -> None:
        super().__init__(**more)
        structures.assert_like_rnncell("cell", cell)
        self.cell = cell

    wrapped_cell = property(lambda self: self.cell, doc="The cell inside.")
    _cell = property(lambda self: self.cell, doc="The cell inside, as TensorFlow named it before 1.14.")

    @property
    def state_size(self) -> Any:
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        return self.cell.output_size

    @property
    def trainable_weights(self) -> list[Any]:
        return list(getattr(self.cell, "trainable_weights", ())) if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        frozen = [] if self.trainable else getattr(self.cell, "trainable_weights", ())
        return [*frozen, *getattr(self.cell, "non_trainable_weights", ())]

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with gc.name_scope(f"{type(self).__name__}ZeroState"):
            return self.cell.zero_state(batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        return self._around_call(inputs, state, lambda x: self.cell(x, state, scope=scope) if scope is not None
                                 else self.cell(x, state))

    def _around_call(self, inputs: Any, state: Any, call: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, Any]:
        """What the wrapper makes of call(inputs), the step of the cell inside."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it adds to a step")


@public("nn.rnn_cell.ResidualWrapper", "contrib.rnn.ResidualWrapper")
class ResidualWrapper(Wrapper):
    """Adds its inputs to the cell's outputs, or gives residual_fn(inputs, outputs); as
    `tf.nn.rnn_cell.ResidualWrapper`.

    Raises TypeError for what is no cell; when called ValueError if, without residual_fn, inputs and outputs differ in
    structure or shape.

    >>> cell = gc.nn.rnn_cell.ResidualWrapper(gc.nn.rnn_cell.GRUCell(3))
    >>> inputs = gc.constant([[1., 2., 3.]])
    >>> output, state = cell(inputs, gc.zeros([1, 3]))
    >>> gc.global_variables_initializer().run()
    >>> (output - state).eval()
    array([[1., 2., 3.]], dtype=float32)
    """

    def __init__(self, cell: Any, residual_fn: Callable[[Any, Any], Any] | None = None, **more: Any) -> None:
        super().__init__(cell, **more)
        self._residual_fn = residual_fn

    def _around_call(self, inputs: Any, state: Any, call: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, Any]:
        outputs, new_state = call(inputs)
        return (self._residual_fn or _sum)(inputs, outputs), new_state


def _sum(inputs: Any, outputs: Any) -> Any:
    check_alike(inputs, outputs)
    return structures.map_structure(lambda x, y: x + y, inputs, outputs)


def check_alike(inputs: Any, outputs: Any) -> None:
    """Raises ValueError unless inputs and outputs have one structure and shapes that fit."""
    structures.assert_same_structure(inputs, outputs)
    for x, y in zip(structures.flatten(inputs), structures.flatten(outputs), strict=True):
        x.shape.assert_is_compatible_with(y.shape)


@public("nn.rnn_cell.DeviceWrapper", "contrib.rnn.DeviceWrapper")
class DeviceWrapper(Wrapper):
    """Makes the cell's ops under gc.device(device), as `tf.nn.rnn_cell.DeviceWrapper`.

    Inputs and outputs are the cell's. Raises TypeError for what is no cell.

    >>> cell = gc.nn.rnn_cell.DeviceWrapper(gc.nn.rnn_cell.GRUCell(3), "/device:GPU:0")
    >>> output, state = cell(gc.ones([2, 4]), gc.zeros([2, 3]))
    >>> output.device
    '/device:GPU:0'
    """

    def __init__(self, cell: Any, device: Any, **more: Any) -> None:
        super().__init__(cell, **more)
        self._device = device

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        with gc.device(self._device):
            return super().zero_state(batch_size, dtype)

    def _around_call(self, inputs: Any, state: Any, call: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, Any]:
        with gc.device(self._device):
            return call(inputs)


@public("contrib.rnn.HighwayWrapper")
class HighwayWrapper(Wrapper):
    """carry * inputs + transform * outputs, the gates learned from the inputs; as `tf.contrib.rnn.HighwayWrapper`.

    couple_carry_transform_gates: transform is 1 - carry. carry_bias_init: the first bias of the carry gate. Inputs are
    floats [batch, n], n the cell's output size. Raises TypeError for what is no cell; when called ValueError if inputs
    and outputs differ in structure or shape.

    >>> cell = gc.contrib.rnn.HighwayWrapper(gc.nn.rnn_cell.GRUCell(3), carry_bias_init=20.)
    >>> output, state = cell(gc.constant([[1., 2., 3.]]), gc.zeros([1, 3]))
    >>> gc.global_variables_initializer().run()
    >>> output.eval()                            # so much is carried that it is the inputs
    array([[1., 2., 3.]], dtype=float32)
    """

    def __init__(self, cell: Any, couple_carry_transform_gates: bool = True, carry_bias_init: float = 1.0) -> None:
        super().__init__(cell)
        self._couple_carry_transform_gates = couple_carry_transform_gates
        self._carry_bias_init = carry_bias_init

    def _around_call(self, inputs: Any, state: Any, call: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, Any]:
        outputs, new_state = call(inputs)
        check_alike(inputs, outputs)
        return structures.map_structure(self._highway, inputs, outputs), new_state

    def _highway(self, x: Any, y: Any) -> Any:
        carry = self._gate("carry", x, self._carry_bias_init)
        transform = 1 - carry if self._couple_carry_transform_gates else self._gate("transform", x,
                                                                                    -self._carry_bias_init)
        return x * carry + y * transform

    def _gate(self, name: str, x: Any, bias: float) -> Any:
        size = x.shape[1].value
        weights = gc.get_variable(f"{name}_w", [size, size], x.dtype)
        biases = gc.get_variable(f"{name}_b", [size], x.dtype, initializer=gc.constant_initializer(bias))
        return gc.sigmoid(gc.nn.xw_plus_b(x, weights, biases))


@public("contrib.rnn.CompiledWrapper")
class CompiledWrapper(Wrapper):
    """The cell itself, as `tf.contrib.rnn.CompiledWrapper`: all of a graph is compiled here, so compile_stateful has no
    effect.

    Inputs and outputs are the cell's. Raises TypeError for what is no cell.

    >>> cell = gc.contrib.rnn.CompiledWrapper(gc.nn.rnn_cell.GRUCell(3))
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> output.shape
    TensorShape([Dimension(2), Dimension(3)])
    """

    def __init__(self, cell: Any, compile_stateful: bool = False) -> None:
        super().__init__(cell)

    def _around_call(self, inputs: Any, state: Any, call: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, Any]:
        return call(inputs)
