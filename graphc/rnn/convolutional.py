"""LSTM cells whose gates are convolutions."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.cell import RNNCell
from graphc.rnn.lstm import LSTMStateTuple


@public("contrib.rnn.ConvLSTMCell")
class ConvLSTMCell(RNNCell):
    """An LSTM cell over pictures [batch, *input_shape], channels last; as `tf.contrib.rnn.ConvLSTMCell`.

    conv_ndims: 1, 2 or 3. skip_connection: the inputs are put beside the output. initializers has no effect, as in
    TensorFlow. Inputs and state are floats. Raises ValueError for an input_shape that has not conv_ndims + 1 sizes, a
    kernel_shape that does not fit it, or inputs of another shape; TypeError for integers.

    >>> cell = gc.contrib.rnn.ConvLSTMCell(2, input_shape=[6, 6, 1], output_channels=4, kernel_shape=[3, 3],
    ...                                    skip_connection=True)
    >>> output, state = cell(gc.ones([2, 6, 6, 1]), cell.zero_state(2, gc.float32))
    >>> output.shape, state.c.shape
    (TensorShape([Dimension(2), Dimension(6), Dimension(6), Dimension(5)]), TensorShape([Dimension(2), Dimension(6),
    Dimension(6), Dimension(4)]))
    """

    def __init__(self, conv_ndims: int, input_shape: Sequence[int], output_channels: int, kernel_shape: Sequence[int],
                 use_bias: bool = True, skip_connection: bool = False, forget_bias: float = 1.0,
                 initializers: Any = None, name: str = "conv_lstm_cell") -> None:
        super().__init__(name=name)
        if conv_ndims != len(input_shape) - 1 or conv_ndims not in (1, 2, 3):
            raise ValueError(f"Invalid input_shape {input_shape} for conv_ndims={conv_ndims}.")
        self._conv_ndims = conv_ndims
        self._input_shape = list(input_shape)
        self._output_channels = output_channels
        self._kernel_shape = list(kernel_shape)
        self._use_bias = use_bias
        self._skip_connection = skip_connection
        self._forget_bias = forget_bias

    def _with_channels(self, channels: int) -> Any:
        return gc.TensorShape([*self._input_shape[:-1], channels])

    @property
    def state_size(self) -> Any:
        size = self._with_channels(self._output_channels)
        return LSTMStateTuple(size, size)

    @property
    def output_size(self) -> Any:
        return self._with_channels(self._output_channels + (self._input_shape[-1] if self._skip_connection else 0))

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        c, h = state
        i, j, f, o = gc.split(self._gates(gc.concat([inputs, h], -1)), 4, axis=self._conv_ndims + 1)
        new_c = gc.sigmoid(f + self._forget_bias) * c + gc.sigmoid(i) * gc.tanh(j)
        output = gc.tanh(new_c) * gc.sigmoid(o)
        if self._skip_connection:
            output = gc.concat([output, inputs], -1)
        return output, LSTMStateTuple(new_c, output)

    def _gates(self, x: Any) -> Any:
        channels = 4 * self._output_channels
        kernel = gc.get_variable("kernel", [*self._kernel_shape, x.shape[-1].value, channels], x.dtype)
        convolve = (gc.nn.conv1d, gc.nn.conv2d, gc.nn.conv3d)[self._conv_ndims - 1]
        strides = 1 if self._conv_ndims == 1 else [1] * (self._conv_ndims + 2)
        product = convolve(x, kernel, strides, "SAME")
        if not self._use_bias:
            return product
        return product + gc.get_variable("biases", [channels], x.dtype, initializer=gc.zeros_initializer())


@public("contrib.rnn.Conv1DLSTMCell")
class Conv1DLSTMCell(ConvLSTMCell):
    """ConvLSTMCell with conv_ndims=1, as `tf.contrib.rnn.Conv1DLSTMCell`.

    Inputs, state and errors are those of that.

    >>> cell = gc.contrib.rnn.Conv1DLSTMCell(input_shape=[8, 3], output_channels=4, kernel_shape=[3])
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([2, 5, 8, 3]), dtype=gc.float32)
    >>> outputs.shape
    TensorShape([Dimension(2), Dimension(5), Dimension(8), Dimension(4)])
    """

    def __init__(self, name: str = "conv_1d_lstm_cell", **more: Any) -> None:
        super().__init__(conv_ndims=1, name=name, **more)


@public("contrib.rnn.Conv2DLSTMCell")
class Conv2DLSTMCell(ConvLSTMCell):
    """ConvLSTMCell with conv_ndims=2, as `tf.contrib.rnn.Conv2DLSTMCell`.

    Inputs, state and errors are those of that.

    >>> cell = gc.contrib.rnn.Conv2DLSTMCell(input_shape=[6, 6, 1], output_channels=4, kernel_shape=[3, 3])
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([2, 3, 6, 6, 1]), dtype=gc.float32)
    >>> outputs.shape
    TensorShape([Dimension(2), Dimension(3), Dimension(6), Dimension(6), Dimension(4)])
    """

    def __init__(self, name: str = "conv_2d_lstm_cell", **more: Any) -> None:
        super().__init__(conv_ndims=2, name=name, **more)


@public("contrib.rnn.Conv3DLSTMCell")
class Conv3DLSTMCell(ConvLSTMCell):
    """ConvLSTMCell with conv_ndims=3, as `tf.contrib.rnn.Conv3DLSTMCell`.

    Inputs, state and errors are those of that.

    >>> cell = gc.contrib.rnn.Conv3DLSTMCell(input_shape=[4, 4, 4, 1], output_channels=2, kernel_shape=[3, 3, 3])
    >>> output, state = cell(gc.ones([1, 4, 4, 4, 1]), cell.zero_state(1, gc.float32))
    >>> output.shape
    TensorShape([Dimension(1), Dimension(4), Dimension(4), Dimension(4), Dimension(2)])
    """

    def __init__(self, name: str = "conv_3d_lstm_cell", **more: Any) -> None:
        super().__init__(conv_ndims=3, name=name, **more)
