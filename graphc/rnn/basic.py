"""The plain recurrent cell and the gated one, whose state is their output."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.activations import activation_of
from graphc.rnn.matrix_cell import MatrixCell, OneSize


@public("nn.rnn_cell.BasicRNNCell", "contrib.rnn.BasicRNNCell")
class BasicRNNCell(MatrixCell, OneSize):
    """output = state = activation(W * [inputs, state] + b), as `tf.nn.rnn_cell.BasicRNNCell`.

    activation: tanh by default. Inputs are [batch, n], the state and output [batch, num_units]. Raises ValueError for
    inputs that are no floats or no matrices with a known number of columns, and for a state of another size.

    >>> with gc.variable_scope("ones", initializer=gc.ones_initializer()):
    ...     cell = gc.nn.rnn_cell.BasicRNNCell(2)
    ...     output, state = cell(gc.constant([[0.1, 0.2]]), gc.zeros([1, 2]))
    >>> gc.global_variables_initializer().run()
    >>> output.eval()                            # tanh(0.3)
    array([[0.2913, 0.2913]], dtype=float32)
    """

    def __init__(self, num_units: int, activation: Any = None, reuse: bool | None = None, name: str | None = None,
                 dtype: Any = None, **more: Any) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **more)
        self._num_units = num_units
        self._activation = activation_of(activation)

    def build(self, inputs_shape: Any) -> None:
        rows = self.depth_of(inputs_shape) + self._num_units
        self._kernel = self.add_variable("kernel", [rows, self._num_units])
        self._bias = self.add_variable("bias", [self._num_units], initializer=gc.zeros_initializer())

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        product = gc.matmul(gc.concat([inputs, state], 1), self._kernel)
        output = self._activation(gc.nn.bias_add(product, self._bias))
        return output, output


@public("nn.rnn_cell.GRUCell", "contrib.rnn.GRUCell")
class GRUCell(MatrixCell, OneSize):
    """A gated recurrent unit, as `tf.nn.rnn_cell.GRUCell`: the reset gate is applied before the product.

    r, u = sigmoid([inputs, state] * gates); c = activation([inputs, r * state] * candidate), tanh by default; the
    output and new state are u * state + (1 - u) * c. Inputs are [batch, n], the state is [batch, num_units]. Raises
    ValueError for inputs that are no floats or no matrices with a known number of columns, and for a state of another
    size.

    >>> cell = gc.nn.rnn_cell.GRUCell(3)
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([2, 5, 4]), dtype=gc.float32)
    >>> outputs.shape, state.shape
    (TensorShape([Dimension(2), Dimension(5), Dimension(3)]), TensorShape([Dimension(2), Dimension(3)]))
    >>> [(v.op.name, v.shape.as_list()) for v in cell.variables]
    [('rnn/gru_cell/gates/kernel', [7, 6]), ('rnn/gru_cell/gates/bias', [6]), ('rnn/gru_cell/candidate/kernel', [7,
    3]), ('rnn/gru_cell/candidate/bias', [3])]
    """

    variable_names = ("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")

    def __init__(self, num_units: int, activation: Any = None, reuse: bool | None = None,
                 kernel_initializer: Any = None, bias_initializer: Any = None, name: str | None = None,
                 dtype: Any = None, **more: Any) -> None:
        super().__init__(_reuse=reuse, name=name, dtype=dtype, **more)
        self._num_units = num_units
        self._activation = activation_of(activation)
        self._kernel_initializer = kernel_initializer
        self._bias_initializer = bias_initializer

    def build(self, inputs_shape: Any) -> None:
        units, rows, names = self._num_units, self.depth_of(inputs_shape) + self._num_units, self.variable_names
        self._gate_kernel = self.add_variable(names[0], [rows, 2 * units], initializer=self._kernel_initializer)
        self._gate_bias = self.add_variable(names[1], [2 * units], initializer=self._bias(1.0))
        self._candidate_kernel = self.add_variable(names[2], [rows, units], initializer=self._kernel_initializer)
        self._candidate_bias = self.add_variable(names[3], [units], initializer=self._bias(0.0))

    def _bias(self, usual: float) -> Any:
        return gc.constant_initializer(usual) if self._bias_initializer is None else self._bias_initializer

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        gates = gc.matmul(gc.concat([inputs, state], 1), self._gate_kernel)
        reset, update = gc.split(gc.sigmoid(gc.nn.bias_add(gates, self._gate_bias)), 2, axis=1)
        candidate = gc.matmul(gc.concat([inputs, reset * state], 1), self._candidate_kernel)
        candidate = self._activation(gc.nn.bias_add(candidate, self._candidate_bias))
        new_state = update * state + (1 - update) * candidate
        return new_state, new_state
