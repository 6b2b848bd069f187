"""LSTM cells of before cells had layers: their matrix may be made of several variables, W_0, W_1, ..."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.cell import RNNCell
from graphc.rnn.lstm import WithMemory, bounded
from graphc.rnn.normalise import layer_norm


def sharded(name: str, shape: list[int], dtype: Any, shards: int) -> Any:
    """The variables name_0, name_1, ... below each other, with `shape` together."""
    rows, columns = shape
    if shards > rows:
        raise ValueError(f"Too many shards: shape={shape}, num_shards={shards}")
    sizes = [rows // shards + (i < rows % shards) for i in range(shards)]
    parts = [gc.get_variable(f"{name}_{i}", [size, columns], dtype) for i, size in enumerate(sizes)]
    return parts[0] if shards == 1 else gc.concat(parts, 0, name=f"{name}/concat")


@public("contrib.rnn.CoupledInputForgetGateLSTMCell")
class CoupledInputForgetGateLSTMCell(WithMemory):
    """An LSTM cell whose input gate is 1 - forget gate, as `tf.contrib.rnn.CoupledInputForgetGateLSTMCell`.

    layer_norm: gates and memory are normalised, and the bias is not added. initializer has no effect, as in TensorFlow.
    Inputs are floats [batch, n]. Raises ValueError for inputs of another rank and a state of another size, TypeError
    for integers and a state that is no tuple.

    >>> cell = gc.contrib.rnn.CoupledInputForgetGateLSTMCell(3)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> output.shape, [(v.op.name, v.shape.as_list()) for v in gc.trainable_variables()]
    (TensorShape([Dimension(2), Dimension(3)]), [('coupled_input_forget_gate_lstm_cell/W_0', [7, 9]),
    ('coupled_input_forget_gate_lstm_cell/B', [9])])
    """

    def __init__(self, num_units: int, use_peepholes: bool = False, initializer: Any = None,
                 num_proj: int | None = None, proj_clip: float | None = None, num_unit_shards: int = 1,
                 num_proj_shards: int = 1, forget_bias: float = 1.0, state_is_tuple: bool = True,
                 activation: Callable[[Any], Any] = gc.tanh, reuse: bool | None = None, layer_norm: bool = False,
                 norm_gain: float = 1.0, norm_shift: float = 0.0) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._shards = (num_unit_shards, num_proj_shards)
        self._forget_bias = forget_bias
        self._state_is_tuple = state_is_tuple
        self._activation = activation
        self._layer_norm = layer_norm
        self._norm = (norm_gain, norm_shift)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        c, h = self.parts(state)
        j, f, o = self._gates(gc.concat([inputs, h], 1))
        f = f + self._forget_bias
        if self._use_peepholes:
            w_f, w_o = (gc.get_variable(f"W_{gate}_diag", [self._num_units], inputs.dtype) for gate in "FO")
            f = f + w_f * c
        forget = gc.sigmoid(f)
        new_c = forget * c + (1 - forget) * self._activation(j)
        if self._layer_norm:
            new_c = layer_norm(new_c, "state", *self._norm)
        if self._use_peepholes:
            o = o + w_o * new_c
        new_h = gc.sigmoid(o) * self._activation(new_c)
        if self._num_proj is not None:
            matrix = sharded("W_P", [self._num_units, self._num_proj], inputs.dtype, self._shards[1])
            new_h = bounded(gc.matmul(new_h, matrix), self._proj_clip)
        return new_h, self.joined(new_c, new_h)

    def _gates(self, x: Any) -> list[Any]:
        columns = 3 * self._num_units
        product = gc.matmul(x, sharded("W", [x.shape[1].value, columns], x.dtype, self._shards[0]))
        bias = gc.get_variable("B", [columns], x.dtype, initializer=gc.zeros_initializer())
        if not self._layer_norm:
            return gc.split(gc.nn.bias_add(product, bias), 3, axis=1)
        return [layer_norm(gate, name, *self._norm) for gate, name
                in zip(gc.split(product, 3, axis=1), ("transform", "forget", "output"), strict=True)]


@public("contrib.rnn.TimeFreqLSTMCell")
class TimeFreqLSTMCell(RNNCell):
    """An LSTM over time and over windows of the inputs, as `tf.contrib.rnn.TimeFreqLSTMCell`.

    A window has feature_size columns, and begins frequency_skip after the one before. As in TensorFlow, state_size is
    2 * num_units, though the state has so many columns for each window: give the first state yourself if there are
    several. initializer has no effect. Inputs are floats [batch, n]. Raises ValueError without feature_size and for
    inputs of another rank, TypeError for integers.

    >>> cell = gc.contrib.rnn.TimeFreqLSTMCell(2, feature_size=3, frequency_skip=3)
    >>> output, state = cell(gc.ones([1, 6]), gc.zeros([1, 2 * 2 * 2]))
    >>> output.shape, state.shape
    (TensorShape([Dimension(1), Dimension(4)]), TensorShape([Dimension(1), Dimension(8)]))
    """

    def __init__(self, num_units: int, use_peepholes: bool = False, cell_clip: float | None = None,
                 initializer: Any = None, num_unit_shards: int = 1, forget_bias: float = 1.0,
                 feature_size: int | None = None, frequency_skip: int = 1, reuse: bool | None = None) -> None:
        super().__init__(_reuse=reuse)
        if feature_size is None:
            raise ValueError("TimeFreqLSTMCell: argument 'feature_size' must be given: the columns of a window")
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._shards = num_unit_shards
        self._forget_bias = forget_bias
        self._feature_size = feature_size
        self._frequency_skip = frequency_skip

    @property
    def state_size(self) -> Any:
        return 2 * self._num_units

    @property
    def output_size(self) -> Any:
        return self._num_units

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        units, dtype = self._num_units, inputs.dtype
        matrix = sharded("W", [self._feature_size + 2 * units, 4 * units], dtype, self._shards)
        bias = gc.get_variable("B", [4 * units], dtype, initializer=gc.zeros_initializer())
        factors = [gc.get_variable(f"W_{gate}_diag", [units], dtype) for gate in "FIO"] if self._use_peepholes else None
        below = gc.zeros_like(state[:, :units])
        outputs, states = [], []
        for k, window in enumerate(windows(inputs, self._feature_size, self._frequency_skip)):
            c, h = state[:, 2 * k * units:(2 * k + 1) * units], state[:, (2 * k + 1) * units:(2 * k + 2) * units]
            product = gc.nn.bias_add(gc.matmul(gc.concat([window, h, below], 1), matrix), bias)
            new_c, below = self._gated(gc.split(product, 4, axis=1), c, factors)
            outputs.append(below)
            states += [new_c, below]
        return gc.concat(outputs, 1), gc.concat(states, 1)

    def _gated(self, gates: list[Any], c: Any, factors: list[Any] | None) -> tuple[Any, Any]:
        i, j, f, o = gates
        f = f + self._forget_bias
        if factors is not None:
            f, i = f + factors[0] * c, i + factors[1] * c
        new_c = bounded(gc.sigmoid(f) * c + gc.sigmoid(i) * gc.tanh(j), self._cell_clip)
        if factors is not None:
            o = o + factors[2] * new_c
        return new_c, gc.sigmoid(o) * gc.tanh(new_c)


def windows(inputs: Any, size: int, step: int) -> list[Any]:
    """Windows of `size` columns, each `step` columns after the one before."""
    columns = inputs.shape[1].value
    if columns is None:
        raise ValueError("Cannot infer input_size from static shape inference.")
    return [inputs[:, first:first + size] for first in range(0, columns - size + 1, step)]
