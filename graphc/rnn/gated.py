"""Cells with other gates than GRU and LSTM have."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.activations import activation_of
from graphc.rnn.linear import linear
from graphc.rnn.lstm import LSTMStateTuple, WithMemory
from graphc.rnn.matrix_cell import MatrixCell, OneSize


@public("contrib.rnn.NASCell")
class NASCell(MatrixCell, WithMemory):
    """A cell found by search, as `tf.contrib.rnn.NASCell`. num_proj: its output is projected to so many columns.

    Inputs are floats [batch, n]. The state is an LSTMStateTuple. Raises ValueError for inputs that are no floats or no
    matrices with a known number of columns, and for a state of another size; TypeError for a state that is no tuple.

    >>> cell = gc.contrib.rnn.NASCell(4, num_proj=2)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> output.shape, cell.state_size
    (TensorShape([Dimension(2), Dimension(2)]), LSTMStateTuple(c=4, h=2))
    """

    def __init__(self, num_units: int, num_proj: int | None = None, use_bias: bool = False, reuse: bool | None = None,
                 **more: Any) -> None:
        super().__init__(_reuse=reuse, **more)
        self._num_units = num_units
        self._num_proj = num_proj
        self._use_bias = use_bias

    def build(self, inputs_shape: Any) -> None:
        columns = 8 * self._num_units
        self.recurrent_kernel = self.add_variable("recurrent_kernel", [self.output_size, columns])
        self.kernel = self.add_variable("kernel", [self.depth_of(inputs_shape), columns])
        if self._use_bias:
            self.bias = self.add_variable("bias", [columns], initializer=gc.zeros_initializer())
        if self._num_proj is not None:
            self.projection_weights = self.add_variable("projection_weights", [self._num_units, self._num_proj])

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        c, h = state
        recurrent = gc.matmul(h, self.recurrent_kernel)
        if self._use_bias:
            recurrent = gc.nn.bias_add(recurrent, self.bias)
        m, x = gc.split(recurrent, 8, axis=1), gc.split(gc.matmul(inputs, self.kernel), 8, axis=1)
        sigmoid, tanh, relu = gc.sigmoid, gc.tanh, gc.nn.relu
        first = tanh(sigmoid(x[0] + m[0]) * relu(x[1] + m[1]))
        second = tanh(sigmoid(x[2] + m[2]) + relu(x[3] * m[3]))
        third = tanh(tanh(x[4] + m[4]) * sigmoid(x[5] + m[5]))
        fourth = sigmoid(tanh(x[6] + m[6]) + sigmoid(x[7] + m[7]))
        new_c = tanh(first + c) * second
        new_h = tanh(new_c * tanh(third + fourth))
        if self._num_proj is not None:
            new_h = gc.matmul(new_h, self.projection_weights)
        return new_h, LSTMStateTuple(new_c, new_h)


@public("contrib.rnn.UGRNNCell")
class UGRNNCell(OneSize):
    """One gate that chooses between the old state and a new one, as `tf.contrib.rnn.UGRNNCell`.

    Inputs are floats [batch, n]. The state is [batch, num_units]. Raises ValueError for inputs of another rank and a
    state of another size, TypeError for integers.

    >>> cell = gc.contrib.rnn.UGRNNCell(3)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> output.shape, [(v.op.name, v.shape.as_list()) for v in gc.trainable_variables()]
    (TensorShape([Dimension(2), Dimension(3)]), [('ugrnn_cell/kernel', [7, 6]), ('ugrnn_cell/bias', [6])])
    """

    def __init__(self, num_units: int, initializer: Any = None, forget_bias: float = 1.0,
                 activation: Callable[[Any], Any] = gc.tanh, reuse: bool | None = None) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._initializer = initializer
        self._forget_bias = forget_bias
        self._activation = activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        with gc.variable_scope(gc.get_variable_scope(), initializer=self._initializer):
            both = linear([inputs, state], 2 * self._num_units, bias=True)
        gate, candidate = gc.split(both, 2, axis=1)
        keep = gc.sigmoid(gate + self._forget_bias)
        new_state = keep * state + (1.0 - keep) * self._activation(candidate)
        return new_state, new_state


@public("contrib.rnn.IntersectionRNNCell")
class IntersectionRNNCell(OneSize):
    """Gates for the state and for the depth, as `tf.contrib.rnn.IntersectionRNNCell`. num_in_proj: inputs of another
    size than num_units are projected; without it they are refused.

    Inputs are floats [batch, n], the state is [batch, num_units]. Raises ValueError for these, TypeError for integers.

    >>> cell = gc.contrib.rnn.IntersectionRNNCell(3, num_in_proj=3)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> output.shape, state.shape
    (TensorShape([Dimension(2), Dimension(3)]), TensorShape([Dimension(2), Dimension(3)]))
    """

    def __init__(self, num_units: int, num_in_proj: int | None = None, initializer: Any = None,
                 forget_bias: float = 1.0, y_activation: Callable[[Any], Any] = gc.nn.relu,
                 reuse: bool | None = None) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._num_in_proj = num_in_proj
        self._initializer = initializer
        self._forget_bias = forget_bias
        self._y_activation = y_activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        with gc.variable_scope(gc.get_variable_scope(), initializer=self._initializer):
            inputs = self._projected(inputs)
            gh, h, gy, y = gc.split(linear([inputs, state], 4 * self._num_units, bias=True), 4, axis=1)
        gh, gy = gc.sigmoid(gh + self._forget_bias), gc.sigmoid(gy + self._forget_bias)
        return gy * inputs + (1.0 - gy) * self._y_activation(y), gh * state + (1.0 - gh) * gc.tanh(h)

    def _projected(self, inputs: Any) -> Any:
        if inputs.shape[1].value == self._num_units:
            return inputs
        if not self._num_in_proj:
            raise ValueError("Must have input size == output size for Intersection RNN. To fix, num_in_proj should be "
                             "set to num_units at cell init.")
        with gc.variable_scope("in_projection"):
            return linear(inputs, self._num_units, bias=True)


@public("contrib.rnn.SRUCell")
class SRUCell(MatrixCell, OneSize):
    """A simple recurrent unit: no product with the state; as `tf.contrib.rnn.SRUCell`.

    Inputs are floats [batch, n]. The state is [batch, num_units]. Raises ValueError for inputs that are no floats or no
    matrices with a known number of columns, and for a state of another size.

    >>> cell = gc.contrib.rnn.SRUCell(3)
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([2, 5, 4]), dtype=gc.float32)
    >>> outputs.shape, state.shape
    (TensorShape([Dimension(2), Dimension(5), Dimension(3)]), TensorShape([Dimension(2), Dimension(3)]))
    """

    def __init__(self, num_units: int, activation: Any = None, reuse: bool | None = None, name: str | None = None,
                 **more: Any) -> None:
        super().__init__(_reuse=reuse, name=name, **more)
        self._num_units = num_units
        self._activation = activation_of(activation)

    def build(self, inputs_shape: Any) -> None:
        self._kernel = self.add_variable("kernel", [self.depth_of(inputs_shape), 4 * self._num_units])
        self._bias = self.add_variable("bias", [2 * self._num_units], initializer=gc.zeros_initializer())

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        units = self._num_units
        new, gates, direct = gc.split(gc.matmul(inputs, self._kernel), [units, 2 * units, units], axis=1)
        forget, reset = gc.split(gc.sigmoid(gc.nn.bias_add(gates, self._bias)), 2, axis=1)
        c = forget * state + (1.0 - forget) * new
        return reset * self._activation(c) + (1.0 - reset) * direct, c
