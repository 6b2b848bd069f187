"""GLSTMCell: an LSTM cell whose units stand in groups, each of which sees its own share of inputs and state."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.linear import linear
from graphc.rnn.lstm import LSTMStateTuple, WithMemory


@public("contrib.rnn.GLSTMCell")
class GLSTMCell(WithMemory):
    """An LSTM cell whose units are groups that see only their share of the inputs (Kuchaiev and Ginsburg), as
    `tf.contrib.rnn.GLSTMCell`. num_units, num_proj and the size of the inputs must be multiples of number_of_groups
    (ValueError). Inputs are floats [batch, n]: ValueError for another rank, TypeError for integers.

    >>> cell = gc.contrib.rnn.GLSTMCell(4, number_of_groups=2)
    >>> output, state = cell(gc.ones([2, 6]), cell.zero_state(2, gc.float32))
    >>> [(v.op.name, v.shape.as_list()) for v in gc.trainable_variables()][::2]
    [('glstm_cell/group0/kernel', [5, 8]), ('glstm_cell/bias_i', [4]), ('glstm_cell/bias_f', [4])]
    """

    def __init__(self, num_units: int, initializer: Any = None, num_proj: int | None = None, number_of_groups: int = 1,
                 forget_bias: float = 1.0, activation: Callable[[Any], Any] = gc.tanh,
                 reuse: bool | None = None) -> None:
        super().__init__(_reuse=reuse)
        for name, size in (("num_units", num_units), ("num_proj", num_proj or 0)):
            if size % number_of_groups:
                raise ValueError(f"{name} must be divisible by number_of_groups, but {size} is not by "
                                 f"{number_of_groups}")
        self._num_units = num_units
        self._initializer = initializer
        self._num_proj = num_proj
        self._groups = number_of_groups
        self._forget_bias = forget_bias
        self._activation = activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        c, h = state
        size = inputs.shape[1].value
        if size is None or size % self._groups:
            raise ValueError(f"input size ({size}) must be known and divisible by number_of_groups ({self._groups})")
        with gc.variable_scope(gc.get_variable_scope(), initializer=self._initializer):
            i, j, f, o = self._gates(inputs, h)
        new_c = gc.sigmoid(f + self._forget_bias) * c + gc.sigmoid(i) * gc.tanh(j)
        new_h = gc.sigmoid(o) * self._activation(new_c)
        if self._num_proj is not None:
            with gc.variable_scope("projection"):
                new_h = linear(new_h, self._num_proj, bias=False)
        return new_h, LSTMStateTuple(new_c, new_h)

    def _gates(self, inputs: Any, h: Any) -> list[Any]:
        shares = zip(gc.split(inputs, self._groups, axis=1), gc.split(h, self._groups, axis=1), strict=True)
        of_groups = []
        for group, (x, own) in enumerate(shares):
            with gc.variable_scope(f"group{group}"):
                product = linear(gc.concat([x, own], 1), 4 * self._num_units // self._groups, bias=False)
            of_groups.append(gc.split(product, 4, axis=1))
        biases = [gc.get_variable(f"bias_{gate}", [self._num_units], inputs.dtype, initializer=gc.zeros_initializer())
                  for gate in "ijfo"]
        return [gc.nn.bias_add(gc.concat(parts, 1), bias)
                for parts, bias in zip(zip(*of_groups, strict=True), biases, strict=True)]
