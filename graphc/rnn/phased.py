"""PhasedLSTMCell: units that are open in a part of a period of their own only."""
from __future__ import annotations

import math
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.linear import linear
from graphc.rnn.lstm import LSTMStateTuple, WithMemory


@public("contrib.rnn.PhasedLSTMCell")
class PhasedLSTMCell(WithMemory):
    """An LSTM cell whose units are open for a part of a learned period, for events at any time (Neil et al.), as
    `tf.contrib.rnn.PhasedLSTMCell`: inputs are (time [batch, 1], features [batch, n]).

    leak: what a closed unit lets through. ratio_on: the part of the period in which a unit is open. Periods begin as
    exp of uniform numbers between the logarithms of period_init_min and period_init_max. Times and features are of one
    floating point dtype: TypeError if they differ or if inputs are no pair, ValueError for times that are a vector.

    >>> cell = gc.contrib.rnn.PhasedLSTMCell(3)
    >>> times = gc.constant([[[0.1], [0.7], [2.5]]])
    >>> outputs, state = gc.nn.dynamic_rnn(cell, (times, gc.ones([1, 3, 4])), dtype=gc.float32)
    >>> outputs.shape
    TensorShape([Dimension(1), Dimension(3), Dimension(3)])
    """

    def __init__(self, num_units: int, use_peepholes: bool = False, leak: float = 0.001, ratio_on: float = 0.1,
                 trainable_ratio_on: bool = True, period_init_min: float = 1.0, period_init_max: float = 1000.0,
                 reuse: bool | None = None) -> None:
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self._use_peepholes = use_peepholes
        self._leak = leak
        self._ratio_on = ratio_on
        self._trainable_ratio_on = trainable_ratio_on
        self._period_init = (period_init_min, period_init_max)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        c, h = state
        time, x = inputs
        units = self._num_units
        with gc.variable_scope("mask_gates"):
            gates = gc.sigmoid(linear([x, h, c] if self._use_peepholes else [x, h], 2 * units, bias=True))
        i, f = gc.split(gates, 2, axis=1)
        with gc.variable_scope("new_input"):
            candidate = gc.tanh(linear([x, h], units, bias=True))
        new_c = c * f + i * candidate
        with gc.variable_scope("output_gate"):
            o = gc.sigmoid(linear([x, h, new_c] if self._use_peepholes else [x, h], units, bias=True))
        new_h = gc.tanh(new_c) * o
        open_ = self._openness(time, x.dtype)
        new_c, new_h = open_ * new_c + (1 - open_) * c, open_ * new_h + (1 - open_) * h
        return new_h, LSTMStateTuple(new_c, new_h)

    def _openness(self, time: Any, dtype: Any) -> Any:
        """How far each unit is open at this time: rising, falling, or closed but for the leak."""
        period = gc.get_variable("period", [self._num_units], dtype, initializer=self._periods)
        phase = gc.get_variable("phase", [self._num_units], dtype, initializer=lambda shape, dtype, **_: (
            gc.random_uniform(shape, dtype=dtype) * period.initialized_value()))
        ratio_on = gc.get_variable("ratio_on", [self._num_units], dtype, trainable=self._trainable_ratio_on,
                                   initializer=gc.constant_initializer(self._ratio_on))
        shifted, period = time - gc.cast(phase, time.dtype), gc.cast(period, time.dtype)
        # The remainder passes its gradient straight on.
        remainder = gc.stop_gradient(gc.mod(shifted, period) - shifted) + shifted
        cycle = gc.cast(remainder / period, dtype)
        rising = 2 * cycle / ratio_on
        falling_or_closed = gc.where(cycle < ratio_on, 2 - rising, self._leak * cycle)
        return gc.where(cycle < 0.5 * ratio_on, rising, falling_or_closed)

    def _periods(self, shape: Any, dtype: Any = gc.float32, **_: Any) -> Any:
        low, high = (math.log(bound) for bound in self._period_init)
        return gc.exp(gc.random_uniform(shape, low, high, dtype))
