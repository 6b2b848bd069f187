"""Cells whose units see no other unit's state: the recurrent matrix is a row of factors."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.activations import activation_of
from graphc.rnn.lstm import LSTMStateTuple, WithMemory, basic_step
from graphc.rnn.matrix_cell import MatrixCell, OneSize


class Independent(MatrixCell):
    """What these cells have in common."""

    def __init__(self, num_units: int, activation: Any, kernel_initializer: Any = None, bias_initializer: Any = None,
                 **more: Any) -> None:
        super().__init__(**more)
        self._num_units = num_units
        self._activation = activation_of(activation)
        self._kernel_initializer = kernel_initializer
        self._bias_initializer = bias_initializer

    def weights_of(self, names: tuple[str, str, str], rows: int, columns: int, bias: float = 0.0) -> tuple[Any, ...]:
        """Factors of the inputs and of the state, and the bias."""
        bias_initializer = self._bias_initializer
        return (self.add_variable(names[0], [rows, columns], initializer=self._kernel_initializer),
                self.add_variable(names[1], [1, columns], initializer=gc.random_uniform_initializer(-1, 1)),
                self.add_variable(names[2], [columns], initializer=gc.constant_initializer(bias)
                                  if bias_initializer is None else bias_initializer))


def combined(inputs: Any, state: Any, weights: tuple[Any, ...], times: int) -> Any:
    """inputs * matrix + state, `times` side by side, * factors + bias."""
    matrix, factors, bias = weights
    repeated = gc.tile(state, [1, times]) if times > 1 else state
    return gc.nn.bias_add(gc.matmul(inputs, matrix) + repeated * factors, bias)


@public("contrib.rnn.IndRNNCell")
class IndRNNCell(Independent, OneSize):
    """BasicRNNCell with independent units, as `tf.contrib.rnn.IndRNNCell`.

    A unit sees of the state only itself: output = activation(inputs * w + u * state + b), u of [num_units]. Inputs are
    floats [batch, n]. Raises ValueError for inputs that are no floats or no matrices with a known number of columns,
    and for a state of another size.

    >>> cell = gc.contrib.rnn.IndRNNCell(3)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> [(v.op.name, v.shape.as_list()) for v in cell.variables]
    [('ind_rnn_cell/kernel_w', [4, 3]), ('ind_rnn_cell/kernel_u', [1, 3]), ('ind_rnn_cell/bias', [3])]
    """

    def __init__(self, num_units: int, activation: Any = None, reuse: bool | None = None, name: str | None = None,
                 dtype: Any = None) -> None:
        super().__init__(num_units, activation, _reuse=reuse, name=name, dtype=dtype)

    def build(self, inputs_shape: Any) -> None:
        self._weights = self.weights_of(("kernel_w", "kernel_u", "bias"), self.depth_of(inputs_shape), self._num_units)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        output = self._activation(combined(inputs, state, self._weights, 1))
        return output, output


@public("contrib.rnn.IndyGRUCell")
class IndyGRUCell(Independent, OneSize):
    """GRUCell with independent units (each sees of the state only itself), as `tf.contrib.rnn.IndyGRUCell`.

    Inputs are floats [batch, n]. The state is [batch, num_units]. Raises ValueError for inputs that are no floats or no
    matrices with a known number of columns, and for a state of another size.

    >>> cell = gc.contrib.rnn.IndyGRUCell(3)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> [(v.op.name, v.shape.as_list()) for v in cell.variables][:3]
    [('indy_gru_cell/gates/kernel_w', [4, 6]), ('indy_gru_cell/gates/kernel_u', [1, 6]),
    ('indy_gru_cell/gates/bias', [6])]
    """

    def __init__(self, num_units: int, activation: Any = None, reuse: bool | None = None,
                 kernel_initializer: Any = None, bias_initializer: Any = None, name: str | None = None,
                 dtype: Any = None) -> None:
        super().__init__(num_units, activation, kernel_initializer, bias_initializer, _reuse=reuse, name=name,
                         dtype=dtype)

    def build(self, inputs_shape: Any) -> None:
        rows, units = self.depth_of(inputs_shape), self._num_units
        self._gates = self.weights_of(("gates/kernel_w", "gates/kernel_u", "gates/bias"), rows, 2 * units, bias=1.0)
        self._candidate = self.weights_of(("candidate/kernel", "candidate/kernel_u", "candidate/bias"), rows, units)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        reset, update = gc.split(gc.sigmoid(combined(inputs, state, self._gates, 2)), 2, axis=1)
        candidate = self._activation(combined(inputs, reset * state, self._candidate, 1))
        new_state = update * state + (1 - update) * candidate
        return new_state, new_state


@public("contrib.rnn.IndyLSTMCell")
class IndyLSTMCell(Independent, WithMemory):
    """BasicLSTMCell with independent units (each sees of the state only itself), as `tf.contrib.rnn.IndyLSTMCell`.

    Inputs are floats [batch, n]. The state is an LSTMStateTuple of [batch, num_units]. Raises ValueError for inputs
    that are no floats or no matrices with a known number of columns, and for a state of another size; TypeError for a
    state that is no tuple.

    >>> cell = gc.contrib.rnn.IndyLSTMCell(3)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> [(v.op.name, v.shape.as_list()) for v in cell.variables]
    [('indy_lstm_cell/kernel_w', [4, 12]), ('indy_lstm_cell/kernel_u', [1, 12]), ('indy_lstm_cell/bias', [12])]
    """

    def __init__(self, num_units: int, forget_bias: float = 1.0, activation: Any = None, reuse: bool | None = None,
                 kernel_initializer: Any = None, bias_initializer: Any = None, name: str | None = None,
                 dtype: Any = None) -> None:
        super().__init__(num_units, activation, kernel_initializer, bias_initializer, _reuse=reuse, name=name,
                         dtype=dtype)
        self._forget_bias = forget_bias

    def build(self, inputs_shape: Any) -> None:
        rows = self.depth_of(inputs_shape)
        self._weights = self.weights_of(("kernel_w", "kernel_u", "bias"), rows, 4 * self._num_units)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        c, h = state
        gates = gc.split(combined(inputs, h, self._weights, 4), 4, axis=1)
        new_c, new_h = basic_step(self._activation, self._forget_bias, c, gates)
        return new_h, LSTMStateTuple(new_c, new_h)
