"""Cells that compute as cuDNN's layers do, with the variables that a checkpoint of those has."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.basic import GRUCell
from graphc.rnn.blocks import LSTMBlockCell


@public("contrib.cudnn_rnn.CudnnCompatibleLSTMCell")
class CudnnCompatibleLSTMCell(LSTMBlockCell):
    """LSTMBlockCell without forget_bias, as `tf.contrib.cudnn_rnn.CudnnCompatibleLSTMCell`.

    Inputs, state and errors are those of that.

    >>> cell = gc.contrib.cudnn_rnn.CudnnCompatibleLSTMCell(3)
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([2, 5, 4]), dtype=gc.float32)
    >>> outputs.shape, state.h.shape
    (TensorShape([Dimension(2), Dimension(5), Dimension(3)]), TensorShape([Dimension(2), Dimension(3)]))
    """

    def __init__(self, num_units: int, reuse: bool | None = None) -> None:
        super().__init__(num_units, forget_bias=0.0, reuse=reuse, name="cudnn_compatible_lstm_cell")


@public("contrib.cudnn_rnn.CudnnCompatibleGRUCell")
class CudnnCompatibleGRUCell(GRUCell):
    """GRUCell whose reset gate is applied after the product, as `tf.contrib.cudnn_rnn.CudnnCompatibleGRUCell`.

    Inputs, state and errors are those of GRUCell.

    >>> cell = gc.contrib.cudnn_rnn.CudnnCompatibleGRUCell(3)
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([2, 5, 4]), dtype=gc.float32)
    >>> outputs.shape
    TensorShape([Dimension(2), Dimension(5), Dimension(3)])
    >>> [(v.op.name, v.shape.as_list()) for v in gc.trainable_variables()]
    [('rnn/cudnn_compatible_gru_cell/gates/kernel', [7, 6]), ('rnn/cudnn_compatible_gru_cell/gates/bias', [6]),
    ('rnn/cudnn_compatible_gru_cell/candidate/input_projection/kernel', [4, 3]),
    ('rnn/cudnn_compatible_gru_cell/candidate/input_projection/bias', [3]),
    ('rnn/cudnn_compatible_gru_cell/candidate/hidden_projection/kernel', [3, 3]),
    ('rnn/cudnn_compatible_gru_cell/candidate/hidden_projection/bias', [3])]
    """

    def __init__(self, num_units: int, reuse: bool | None = None, kernel_initializer: Any = None) -> None:
        super().__init__(num_units, reuse=reuse, kernel_initializer=kernel_initializer)

    def build(self, inputs_shape: Any) -> None:
        units, depth = self._num_units, self.depth_of(inputs_shape)
        self._gate_kernel = self.add_variable("gates/kernel", [depth + units, 2 * units],
                                              initializer=self._kernel_initializer)
        self._gate_bias = self.add_variable("gates/bias", [2 * units], initializer=gc.ones_initializer())
        self._projections = {}
        for source, rows in (("input", depth), ("hidden", units)):
            name = f"candidate/{source}_projection"
            kernel = self.add_variable(f"{name}/kernel", [rows, units], initializer=self._kernel_initializer)
            bias = self.add_variable(f"{name}/bias", [units], initializer=gc.zeros_initializer())
            self._projections[source] = (kernel, bias)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        gates = gc.matmul(gc.concat([inputs, state], 1), self._gate_kernel)
        reset, update = gc.split(gc.sigmoid(gc.nn.bias_add(gates, self._gate_bias)), 2, axis=1)
        projected = self._projected("input", inputs) + reset * self._projected("hidden", state)
        new_state = update * state + (1 - update) * self._activation(projected)
        return new_state, new_state

    def _projected(self, source: str, x: Any) -> Any:
        kernel, bias = self._projections[source]
        return gc.nn.bias_add(gc.matmul(x, kernel), bias)
