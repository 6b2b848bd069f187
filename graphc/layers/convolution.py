"""Convolutions of one to three spatial axes."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.layers import arguments
from graphc.layers.base import Layer
from graphc.layers.input_spec import InputSpec
from graphc.layers.named import activation_of


class Conv(Layer):
    """activation(convolution(inputs, kernel) + bias): what the convolutions of `rank` spatial axes share.

    data_format: channels_last or channels_first. padding: valid, same, or, of one axis only, causal: no output sees an
    input after it. Raises ValueError for strides and dilations that are both above 1.
    """

    rank: int

    def __init__(self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
                 data_format: str | None = "channels_last", dilation_rate: Any = 1, activation: Any = None,
                 use_bias: Any = True, kernel_initializer: Any = None, bias_initializer: Any = "zeros",
                 kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
                 kernel_constraint: Any = None, bias_constraint: Any = None, trainable: bool = True,
                 name: str | None = None, **kwargs: Any) -> None:
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        self.filters = filters
        self.kernel_size = arguments.positive_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = arguments.positive_tuple(strides, self.rank, "strides")
        self.padding = arguments.normalize_padding(padding)
        if self.padding == "causal" and self.rank != 1:
            raise ValueError("Causal padding is only supported for `Conv1D` and `SeparableConv1D`.")
        self.data_format = arguments.normalize_data_format(data_format)
        self.dilation_rate = arguments.positive_tuple(dilation_rate, self.rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(f"strides {self.strides} above 1 are not supported together with dilation_rate "
                             f"{self.dilation_rate} above 1 (layer {self.name})")
        self.activation: Callable[[Any], Any] | None = activation_of(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        """Raises ValueError if the number of channels is not known."""
        self._build_kernels(self._channels_of(input_shape))
        self.bias = self.add_weight("bias", [self.filters], initializer=self.bias_initializer,
                                    regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None
        self.built = True

    def _channels_of(self, input_shape: Any) -> int:
        axis = arguments.channel_axis(self.data_format)
        channels = gc.TensorShape(input_shape)[axis].value
        if channels is None:
            raise ValueError("The channel dimension of the inputs should be defined. Found `None`: "
                             f"{gc.TensorShape(input_shape)} (layer {self.name})")
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels  # type: ignore[no-any-return]

    def _build_kernels(self, channels: int) -> None:
        self.kernel = self.add_weight("kernel", [*self.kernel_size, channels, self.filters],
                                      initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
                                      constraint=self.kernel_constraint)

    @property
    def _layout(self) -> str:
        return arguments.convert_data_format(self.data_format, self.rank + 2)

    @property
    def _op_padding(self) -> str:
        return "VALID" if self.padding == "causal" else self.padding.upper()

    def call(self, inputs: Any) -> Any:
        return self._finished(self._convolved(self._padded(inputs)))

    def _padded(self, inputs: Any) -> Any:
        """The inputs with zeros before the first step, for causal padding."""
        if self.padding != "causal":
            return inputs
        before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
        return gc.pad(inputs, arguments.with_channels([[before, 0]], self.data_format, [0, 0], [0, 0]))

    def _convolved(self, inputs: Any) -> Any:
        strides = arguments.with_channels(self.strides, self.data_format)
        rates = arguments.with_channels(self.dilation_rate, self.data_format)
        function: Any = {1: gc.nn.conv1d, 2: gc.nn.conv2d, 3: gc.nn.conv3d}[self.rank]
        return function(inputs, self.kernel, strides, self._op_padding, data_format=self._layout, dilations=rates)

    def _finished(self, outputs: Any) -> Any:
        """Outputs with bias and activation."""
        if self.bias is not None:
            outputs = gc.nn.bias_add(outputs, self.bias, data_format=self._layout)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = gc.TensorShape(input_shape).as_list()
        axes = arguments.spatial_axes(self.data_format, self.rank)
        padding = "same" if self.padding == "causal" else self.padding
        space = [arguments.conv_output_length(sizes[axis], kernel, padding, stride, rate) for axis, kernel, stride, rate
                 in zip(axes, self.kernel_size, self.strides, self.dilation_rate, strict=True)]
        return gc.TensorShape(arguments.with_channels(space, self.data_format, sizes[0], self.filters))


@public("layers.Conv1D", "compat.v1.python.layers.convolutional.Conv1D",
        "compat.v1.python.layers.convolutional.Convolution1D")
class Conv1D(Conv):
    """The convolution of [batch, length, channels], as `tf.layers.Conv1D`.

    The inputs are floats; the result has their dtype. Raises ValueError for another rank, an unknown number of
    channels, sizes, paddings or formats that do not fit, or strides and dilations both above 1; TypeError for integers,
    booleans and strings.

    >>> layer = gc.layers.Conv1D(filters=8, kernel_size=5, strides=2)
    >>> layer(gc.placeholder(gc.float32, [None, 20, 3])).shape.as_list(), layer.kernel.shape.as_list()
    ([None, 8, 8], [5, 3, 8])
    """

    rank = 1


@public("layers.Conv2D", "compat.v1.python.layers.convolutional.Conv2D",
        "compat.v1.python.layers.convolutional.Convolution2D")
class Conv2D(Conv):
    """The convolution of [batch, height, width, channels], as `tf.layers.Conv2D`.

    The inputs are floats; the result has their dtype. Raises ValueError for another rank, an unknown number of
    channels, sizes, paddings or formats that do not fit, or strides and dilations both above 1; TypeError for integers,
    booleans and strings.

    >>> layer = gc.layers.Conv2D(filters=8, kernel_size=3, padding="same", activation=gc.nn.relu)
    >>> layer(gc.placeholder(gc.float32, [None, 28, 28, 1])).shape.as_list(), layer.kernel.shape.as_list()
    ([None, 28, 28, 8], [3, 3, 1, 8])
    """

    rank = 2


@public("layers.Conv3D", "compat.v1.python.layers.convolutional.Conv3D",
        "compat.v1.python.layers.convolutional.Convolution3D")
class Conv3D(Conv):
    """The convolution of [batch, depth, height, width, channels], as `tf.layers.Conv3D`.

    The inputs are floats; the result has their dtype. Raises ValueError for another rank, an unknown number of
    channels, sizes, paddings or formats that do not fit, or strides and dilations both above 1; TypeError for integers,
    booleans and strings.

    >>> layer = gc.layers.Conv3D(filters=4, kernel_size=3)
    >>> layer(gc.placeholder(gc.float32, [None, 8, 8, 8, 1])).shape.as_list(), layer.kernel.shape.as_list()
    ([None, 6, 6, 6, 4], [3, 3, 3, 1, 4])
    """

    rank = 3


@public("layers.conv1d", "compat.v1.python.layers.convolutional.conv1d",
        "compat.v1.python.layers.convolutional.convolution1d")
def conv1d(inputs: Any, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
           data_format: str = "channels_last", dilation_rate: Any = 1, activation: Any = None, use_bias: bool = True,
           kernel_initializer: Any = None, bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
           bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
           bias_constraint: Any = None, trainable: bool = True, name: str | None = None, reuse: Any = None) -> Any:
    """activation(convolution(inputs, kernel) + bias) of one spatial axis, as `tf.layers.conv1d`.

    Inputs [batch, length, channels]; padding "valid", "same" or "causal". The inputs are floats; the result has their
    dtype. Raises ValueError for another rank, an unknown number of channels, or sizes, paddings and formats that do not
    fit; TypeError for integers, booleans and strings.

    >>> x = gc.placeholder(gc.float32, [None, 20, 3])
    >>> gc.layers.conv1d(x, filters=8, kernel_size=5, padding="causal").shape.as_list()
    [None, 20, 8]
    """
    return Conv1D(filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                  kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
                  kernel_constraint, bias_constraint, trainable, name, _scope=name, _reuse=reuse)(inputs)


@public("layers.conv2d", "compat.v1.python.layers.convolutional.conv2d",
        "compat.v1.python.layers.convolutional.convolution2d")
def conv2d(inputs: Any, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
           data_format: str = "channels_last", dilation_rate: Any = (1, 1), activation: Any = None,
           use_bias: bool = True, kernel_initializer: Any = None, bias_initializer: Any = "zeros",
           kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
           kernel_constraint: Any = None, bias_constraint: Any = None, trainable: bool = True, name: str | None = None,
           reuse: Any = None) -> Any:
    """activation(convolution(inputs, kernel) + bias) of two spatial axes, as `tf.layers.conv2d`.

    Inputs [batch, height, width, channels], or [batch, channels, height, width] with data_format "channels_first";
    sizes an int or two. The variables are called kernel and bias. The inputs are floats; the result has their dtype.
    Raises ValueError for another rank, an unknown number of channels, or sizes, paddings and formats that do not fit;
    TypeError for integers, booleans and strings.

    >>> x = gc.placeholder(gc.float32, [None, 28, 28, 1])
    >>> gc.layers.conv2d(x, filters=32, kernel_size=5, padding="same", activation=gc.nn.relu)
    <gc.Tensor 'conv2d/Relu:0' shape=(?, 28, 28, 32) dtype=float32>
    >>> [v.op.name for v in gc.trainable_variables()]
    ['conv2d/kernel', 'conv2d/bias']
    """
    return Conv2D(filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                  kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
                  kernel_constraint, bias_constraint, trainable, name, _scope=name, _reuse=reuse)(inputs)


@public("layers.conv3d", "compat.v1.python.layers.convolutional.conv3d",
        "compat.v1.python.layers.convolutional.convolution3d")
def conv3d(inputs: Any, filters: int, kernel_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
           data_format: str = "channels_last", dilation_rate: Any = (1, 1, 1), activation: Any = None,
           use_bias: bool = True, kernel_initializer: Any = None, bias_initializer: Any = "zeros",
           kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
           kernel_constraint: Any = None, bias_constraint: Any = None, trainable: bool = True, name: str | None = None,
           reuse: Any = None) -> Any:
    """activation(convolution(inputs, kernel) + bias) of three spatial axes, as `tf.layers.conv3d`.

    Inputs [batch, depth, height, width, channels]. The inputs are floats; the result has their dtype. Raises ValueError
    for another rank, an unknown number of channels, or sizes, paddings and formats that do not fit; TypeError for
    integers, booleans and strings.

    >>> x = gc.placeholder(gc.float32, [None, 8, 8, 8, 1])
    >>> gc.layers.conv3d(x, filters=4, kernel_size=3).shape.as_list()
    [None, 6, 6, 6, 4]
    """
    return Conv3D(filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                  kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
                  kernel_constraint, bias_constraint, trainable, name, _scope=name, _reuse=reuse)(inputs)
