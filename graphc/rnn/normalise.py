"""Cells whose gates are normalised."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.linear import linear
from graphc.rnn.lstm import LSTMStateTuple, WithMemory, bounded


def layer_norm(x: Any, scope: str, gain: float, shift: float) -> Any:
    """Each row of x with mean 0 and variance 1, times scope/gamma plus scope/beta, which begin as gain and shift."""
    size = [x.shape[-1].value]
    with gc.variable_scope(scope):
        gamma = gc.get_variable("gamma", size, x.dtype, initializer=gc.constant_initializer(gain))
        beta = gc.get_variable("beta", size, x.dtype, initializer=gc.constant_initializer(shift))
        mean, variance = gc.nn.moments(x, [1], keep_dims=True)
        return gc.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3 if x.dtype == gc.float16 else 1e-12)


@public("contrib.rnn.LayerNormBasicLSTMCell")
class LayerNormBasicLSTMCell(WithMemory):
    """An LSTM cell with normalised gates and memory, and dropout of what is added to the memory; as
    `tf.contrib.rnn.LayerNormBasicLSTMCell`. input_size has no effect.

    Inputs are floats [batch, n], the state is an LSTMStateTuple of [batch, num_units]. Raises ValueError for inputs of
    another rank and a state of another size, TypeError for integers and a state that is no tuple.

    >>> cell = gc.contrib.rnn.LayerNormBasicLSTMCell(3, dropout_keep_prob=0.9)
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([2, 5, 4]), dtype=gc.float32)
    >>> outputs.shape, state.c.shape
    (TensorShape([Dimension(2), Dimension(5), Dimension(3)]), TensorShape([Dimension(2), Dimension(3)]))
    """

    def __init__(self, num_units: int, forget_bias: float = 1.0, input_size: Any = None,
                 activation: Callable[[Any], Any] = gc.tanh, layer_norm: bool = True, norm_gain: float = 1.0,
                 norm_shift: float = 0.0, dropout_keep_prob: Any = 1.0, dropout_prob_seed: int | None = None,
                 reuse: bool | None = None) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._activation = activation
        self._forget_bias = forget_bias
        self._keep_prob = dropout_keep_prob
        self._seed = dropout_prob_seed
        self._layer_norm = layer_norm
        self._norm = (norm_gain, norm_shift)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        c, h = state
        i, j, f, o = gc.split(self._gates(gc.concat([inputs, h], 1)), 4, axis=1)
        if self._layer_norm:
            i, j, f, o = (layer_norm(x, name, *self._norm)
                          for x, name in ((i, "input"), (j, "transform"), (f, "forget"), (o, "output")))
        new = self._activation(j)
        if not isinstance(self._keep_prob, float) or self._keep_prob < 1:
            new = gc.nn.dropout(new, self._keep_prob, seed=self._seed)
        new_c = c * gc.sigmoid(f + self._forget_bias) + gc.sigmoid(i) * new
        if self._layer_norm:
            new_c = layer_norm(new_c, "state", *self._norm)
        new_h = self._activation(new_c) * gc.sigmoid(o)
        return new_h, LSTMStateTuple(new_c, new_h)

    def _gates(self, x: Any) -> Any:
        columns = 4 * self._num_units
        product = gc.matmul(x, gc.get_variable("kernel", [x.shape[-1].value, columns], x.dtype))
        if self._layer_norm:
            return product
        return gc.nn.bias_add(product, gc.get_variable("bias", [columns], x.dtype))


@public("contrib.rnn.LayerNormLSTMCell")
class LayerNormLSTMCell(WithMemory):
    """LSTMCell with normalised gates and memory if layer_norm, as TensorFlow's contrib has it. Then the bias is there,
    but not added.

    Inputs are floats [batch, n]. Raises ValueError for inputs of another rank, TypeError for integers.

    >>> cell = gc.contrib.rnn.LayerNormLSTMCell(3, layer_norm=True)
    >>> output, state = cell(gc.ones([2, 4]), cell.zero_state(2, gc.float32))
    >>> output.shape
    TensorShape([Dimension(2), Dimension(3)])
    """

    def __init__(self, num_units: int, use_peepholes: bool = False, cell_clip: float | None = None,
                 initializer: Any = None, num_proj: int | None = None, proj_clip: float | None = None,
                 forget_bias: float = 1.0, activation: Callable[[Any], Any] | None = None, layer_norm: bool = False,
                 norm_gain: float = 1.0, norm_shift: float = 0.0, reuse: bool | None = None) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._cell_clip = cell_clip
        self._initializer = initializer
        self._num_proj = num_proj
        self._proj_clip = proj_clip
        self._forget_bias = forget_bias
        self._activation = activation or gc.tanh
        self._layer_norm = layer_norm
        self._norm = (norm_gain, norm_shift)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        with gc.variable_scope(gc.get_variable_scope(), initializer=self._initializer):
            c, h = state
            i, j, f, o = self._gates(gc.concat([inputs, h], 1))
            f = f + self._forget_bias
            if self._use_peepholes:
                w_f, w_i, w_o = (gc.get_variable(f"w_{gate}_diag", [self._num_units], inputs.dtype) for gate in "fio")
                f, i = f + w_f * c, i + w_i * c
            new_c = gc.sigmoid(f) * c + gc.sigmoid(i) * self._activation(j)
            if self._layer_norm:
                new_c = layer_norm(new_c, "state", *self._norm)
            new_c = bounded(new_c, self._cell_clip)
            if self._use_peepholes:
                o = o + w_o * new_c
            new_h = gc.sigmoid(o) * self._activation(new_c)
            if self._num_proj is not None:
                with gc.variable_scope("projection"):
                    new_h = bounded(linear(new_h, self._num_proj, bias=False), self._proj_clip)
            return new_h, LSTMStateTuple(new_c, new_h)

    def _gates(self, x: Any) -> list[Any]:
        columns = 4 * self._num_units
        if not self._layer_norm:
            return gc.split(linear(x, columns, bias=True), 4, axis=1)
        product = linear(x, columns, bias=False)
        gc.get_variable("bias", [columns], x.dtype, initializer=gc.zeros_initializer())
        names = ("input", "transform", "forget", "output")
        return [layer_norm(gate, name, *self._norm)
                for gate, name in zip(gc.split(product, 4, axis=1), names, strict=True)]
