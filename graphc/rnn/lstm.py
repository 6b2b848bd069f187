"""Cells with long short-term memory. Gates stand in the kernel in the order i, j, f, o; forget_bias is added to f in
every step."""
from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.activations import activation_of
from graphc.rnn.cell import RNNCell
from graphc.rnn.matrix_cell import MatrixCell


@public("nn.rnn_cell.LSTMStateTuple", "contrib.rnn.LSTMStateTuple")
class LSTMStateTuple(namedtuple("LSTMStateTuple", ("c", "h"))):
    """The state of an LSTM cell, as `tf.nn.rnn_cell.LSTMStateTuple`: the memory c and the output h.

    Both are [batch, size], of one dtype, which is `dtype`: TypeError if they differ.

    >>> cell = gc.nn.rnn_cell.LSTMCell(3)
    >>> cell.state_size
    LSTMStateTuple(c=3, h=3)
    >>> cell.zero_state(2, gc.float32).h.shape
    TensorShape([Dimension(2), Dimension(3)])
    """

    __slots__ = ()

    @property
    def dtype(self) -> Any:
        """The dtype of both. Raises TypeError if they differ."""
        if self.c.dtype != self.h.dtype:
            raise TypeError(f"Inconsistent internal state: {self.c.dtype.name} vs {self.h.dtype.name}")
        return self.c.dtype


def bounded(x: Any, limit: float | None) -> Any:
    """x between -limit and limit; x itself without a limit."""
    return x if limit is None else gc.clip_by_value(x, -limit, limit)


class WithMemory(RNNCell):
    """A cell whose state is a memory of num_units columns and its output, as a tuple or one matrix."""

    _num_units: int
    _num_proj: int | None = None        # the columns of the output, if it is projected
    _state_is_tuple = True

    @property
    def output_size(self) -> int:
        """num_proj, or else num_units."""
        return self._num_proj or self._num_units

    @property
    def state_size(self) -> Any:
        """That of c and h, or their sum if state_is_tuple is False."""
        sizes = LSTMStateTuple(self._num_units, self.output_size)
        return sizes if self._state_is_tuple else sum(sizes)

    def parts(self, state: Any) -> Any:
        """c and h of a state."""
        return state if self._state_is_tuple else gc.split(state, [self._num_units, self.output_size], axis=1)

    def joined(self, c: Any, h: Any) -> Any:
        """The state of c and h."""
        return LSTMStateTuple(c, h) if self._state_is_tuple else gc.concat([c, h], 1)


class LSTM(MatrixCell, WithMemory):
    """What the LSTM cells have in common: the variables of their gates."""

    def __init__(self, num_units: int, state_is_tuple: bool, activation: Any, num_proj: int | None = None,
                 **more: Any) -> None:
        super().__init__(**more)
        self._num_units = num_units
        self._num_proj = num_proj
        self._state_is_tuple = state_is_tuple
        self._activation = activation_of(activation)

    def build_gates(self, inputs_shape: Any, initializer: Any = None, partitioner: Any = None) -> None:
        rows = self.depth_of(inputs_shape) + self.output_size
        self._kernel = self.add_variable("kernel", [rows, 4 * self._num_units], initializer=initializer,
                                         partitioner=partitioner)
        self._bias = self.add_variable("bias", [4 * self._num_units], initializer=gc.zeros_initializer())

    def gates(self, inputs: Any, h: Any) -> Any:
        """i, j, f, o before their functions."""
        product = gc.nn.bias_add(gc.matmul(gc.concat([inputs, h], 1), self._kernel), self._bias)
        return gc.split(product, 4, axis=1)


@public("nn.rnn_cell.BasicLSTMCell", "contrib.rnn.BasicLSTMCell")
class BasicLSTMCell(LSTM):
    """An LSTM cell without clipping, projection and peepholes, as `tf.nn.rnn_cell.BasicLSTMCell`.

    c = sigmoid(f + forget_bias) * c + sigmoid(i) * activation(j); h = sigmoid(o) * activation(c), with i, j, f, o the
    columns of [inputs, h] * kernel + bias. The kernel is [inputs + num_units, 4 * num_units]. Inputs are floats [batch,
    n]. Raises ValueError for inputs that are no floats or no matrices with a known number of columns, and for a state
    of another size; TypeError for a state that is no tuple, unless state_is_tuple is False.

    >>> cell = gc.nn.rnn_cell.BasicLSTMCell(3)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> output.shape, state.c.shape
    (TensorShape([Dimension(2), Dimension(3)]), TensorShape([Dimension(2), Dimension(3)]))
    >>> [(v.op.name, v.shape.as_list()) for v in cell.variables]
    [('basic_lstm_cell/kernel', [7, 12]), ('basic_lstm_cell/bias', [12])]
    """

    def __init__(self, num_units: int, forget_bias: float = 1.0, state_is_tuple: bool = True, activation: Any = None,
                 reuse: bool | None = None, name: str | None = None, dtype: Any = None, **more: Any) -> None:
        super().__init__(num_units, state_is_tuple, activation, _reuse=reuse, name=name, dtype=dtype, **more)
        self._forget_bias = forget_bias

    def build(self, inputs_shape: Any) -> None:
        self.build_gates(inputs_shape)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        c, h = self.parts(state)
        new_c, new_h = basic_step(self._activation, self._forget_bias, c, self.gates(inputs, h))
        return new_h, self.joined(new_c, new_h)


def basic_step(activation: Callable[[Any], Any], forget_bias: float, c: Any, gates: Sequence[Any]) -> tuple[Any, Any]:
    """The next c and h. Functions, not operators: they name the ops as TensorFlow's cells do."""
    i, j, f, o = gates
    kept = gc.multiply(c, gc.sigmoid(gc.add(f, forget_bias)))
    new_c = gc.add(kept, gc.multiply(gc.sigmoid(i), activation(j)))
    return new_c, gc.multiply(activation(new_c), gc.sigmoid(o))


@public("nn.rnn_cell.LSTMCell", "contrib.rnn.LSTMCell")
class LSTMCell(LSTM):
    """An LSTM cell, as `tf.nn.rnn_cell.LSTMCell`.

    use_peepholes: the gates see c, too. cell_clip bounds c. num_proj: h is projected to so many columns, bounded by
    proj_clip. num_unit_shards and num_proj_shards part the variables. activation: tanh by default.
    state_is_tuple=False: c and h are the columns of one matrix. Inputs are floats [batch, n]. Raises ValueError for
    inputs that are no floats or no matrices with a known number of columns, and for a state of another size; TypeError
    for a state that is no tuple, unless state_is_tuple is False.

    >>> cell = gc.nn.rnn_cell.LSTMCell(8, use_peepholes=True, num_proj=3)
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([2, 5, 4]), dtype=gc.float32)
    >>> outputs.shape, state.c.shape, state.h.shape
    (TensorShape([Dimension(2), Dimension(5), Dimension(3)]), TensorShape([Dimension(2), Dimension(8)]),
    TensorShape([Dimension(2), Dimension(3)]))
    """

    def __init__(self, num_units: int, use_peepholes: bool = False, cell_clip: float | None = None,
                 initializer: Any = None, num_proj: int | None = None, proj_clip: float | None = None,
                 num_unit_shards: int | None = None, num_proj_shards: int | None = None, forget_bias: float = 1.0,
                 state_is_tuple: bool = True, activation: Any = None, reuse: bool | None = None,
                 name: str | None = None, dtype: Any = None, **more: Any) -> None:
        super().__init__(num_units, state_is_tuple, activation, num_proj, _reuse=reuse, name=name, dtype=dtype, **more)
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._initializer = initializer
        self._proj_clip = proj_clip
        self._num_unit_shards = num_unit_shards
        self._num_proj_shards = num_proj_shards
        self._forget_bias = forget_bias

    def build(self, inputs_shape: Any) -> None:
        self.build_gates(inputs_shape, self._initializer, _partitioner(self._num_unit_shards))
        if self._use_peepholes:
            self._w_f_diag, self._w_i_diag, self._w_o_diag = (
                self.add_variable(name, [self._num_units], initializer=self._initializer)
                for name in ("w_f_diag", "w_i_diag", "w_o_diag"))
        if self._num_proj is not None:
            self._proj_kernel = self.add_variable("projection/kernel", [self._num_units, self._num_proj],
                                                  initializer=self._initializer,
                                                  partitioner=_partitioner(self._num_proj_shards))

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        c, h = self.parts(state)
        i, j, f, o = self.gates(inputs, h)
        f = f + self._forget_bias
        if self._use_peepholes:
            f, i = f + self._w_f_diag * c, i + self._w_i_diag * c
        new_c = gc.sigmoid(f) * c + gc.sigmoid(i) * self._activation(j)
        new_c = self._bounded_memory(new_c)
        if self._use_peepholes:
            o = o + self._w_o_diag * new_c
        new_h = gc.sigmoid(o) * self._activation(new_c)
        if self._num_proj is not None:
            new_h = bounded(gc.matmul(new_h, self._proj_kernel), self._proj_clip)
        return new_h, self.joined(new_c, new_h)

    def _bounded_memory(self, c: Any) -> Any:
        return bounded(c, self._cell_clip)


def _partitioner(shards: int | None) -> Any:
    return None if shards is None else gc.fixed_size_partitioner(shards)
