"""Separable convolutions: one of each channel by itself, then one of single points that mixes channels."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.layers import arguments
from graphc.layers.convolution import Conv


class SeparableConv(Conv):
    """What the separable convolutions of one and two axes share. depth_multiplier: outputs of each channel in between.
    """

    def __init__(self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
                 data_format: str | None = "channels_last", dilation_rate: Any = 1, depth_multiplier: int = 1,
                 activation: Any = None, use_bias: Any = True, depthwise_initializer: Any = None,
                 pointwise_initializer: Any = None, bias_initializer: Any = "zeros", depthwise_regularizer: Any = None,
                 pointwise_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
                 depthwise_constraint: Any = None, pointwise_constraint: Any = None, bias_constraint: Any = None,
                 trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
                         None, bias_initializer, None, bias_regularizer, activity_regularizer, None, bias_constraint,
                         trainable, name, **kwargs)
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = depthwise_initializer
        self.pointwise_initializer = pointwise_initializer
        self.depthwise_regularizer = depthwise_regularizer
        self.pointwise_regularizer = pointwise_regularizer
        self.depthwise_constraint = depthwise_constraint
        self.pointwise_constraint = pointwise_constraint

    def _build_kernels(self, channels: int) -> None:
        self.depthwise_kernel = self.add_weight(
            "depthwise_kernel", [*self.kernel_size, channels, self.depth_multiplier],
            initializer=self.depthwise_initializer, regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint)
        self.pointwise_kernel = self.add_weight(
            "pointwise_kernel", [1] * self.rank + [channels * self.depth_multiplier, self.filters],
            initializer=self.pointwise_initializer, regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint)


@public("layers.SeparableConv1D", "compat.v1.python.layers.convolutional.SeparableConv1D",
        "compat.v1.python.layers.convolutional.SeparableConvolution1D")
class SeparableConv1D(SeparableConv):
    """The separable convolution of [batch, length, channels], as `tf.layers.SeparableConv1D`.

    The inputs are floats; the result has their dtype. Raises ValueError for another rank, an unknown number of
    channels, or sizes, paddings and formats that do not fit; TypeError for integers, booleans and strings.

    >>> layer = gc.layers.SeparableConv1D(filters=8, kernel_size=5)
    >>> y = layer(gc.placeholder(gc.float32, [None, 20, 3]))
    >>> y.shape.as_list(), layer.depthwise_kernel.shape.as_list(), layer.pointwise_kernel.shape.as_list()
    ([None, 16, 8], [5, 3, 1], [1, 3, 8])
    """

    rank = 1

    def call(self, inputs: Any) -> Any:
        axis = arguments.spatial_axes(self.data_format, 1)[0]
        layout = arguments.convert_data_format(self.data_format, 4)
        outputs = gc.nn.separable_conv2d(
            gc.expand_dims(self._padded(inputs), axis), gc.expand_dims(self.depthwise_kernel, 0),
            gc.expand_dims(self.pointwise_kernel, 0), arguments.with_channels(self.strides * 2, self.data_format),
            self._op_padding, rate=[1, *self.dilation_rate], data_format=layout)
        if self.bias is not None:
            outputs = gc.nn.bias_add(outputs, self.bias, data_format=layout)
        outputs = gc.squeeze(outputs, [axis])
        return outputs if self.activation is None else self.activation(outputs)


@public("layers.SeparableConv2D", "compat.v1.python.layers.convolutional.SeparableConv2D",
        "compat.v1.python.layers.convolutional.SeparableConvolution2D")
class SeparableConv2D(SeparableConv):
    """The separable convolution of [batch, height, width, channels], as `tf.layers.SeparableConv2D`.

    The inputs are floats; the result has their dtype. Raises ValueError for another rank, an unknown number of
    channels, or sizes, paddings and formats that do not fit; TypeError for integers, booleans and strings.

    >>> layer = gc.layers.SeparableConv2D(filters=8, kernel_size=3)
    >>> y = layer(gc.placeholder(gc.float32, [None, 28, 28, 16]))
    >>> y.shape.as_list(), layer.depthwise_kernel.shape.as_list(), layer.pointwise_kernel.shape.as_list()
    ([None, 26, 26, 8], [3, 3, 16, 1], [1, 1, 16, 8])
    """

    rank = 2

    def _convolved(self, inputs: Any) -> Any:
        return gc.nn.separable_conv2d(
            inputs, self.depthwise_kernel, self.pointwise_kernel,
            arguments.with_channels(self.strides, self.data_format), self._op_padding, rate=list(self.dilation_rate),
            data_format=self._layout)


@public("layers.separable_conv1d", "compat.v1.python.layers.convolutional.separable_conv1d")
def separable_conv1d(inputs: Any, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
                     data_format: str = "channels_last", dilation_rate: Any = 1, depth_multiplier: int = 1,
                     activation: Any = None, use_bias: bool = True, depthwise_initializer: Any = None,
                     pointwise_initializer: Any = None, bias_initializer: Any = "zeros",
                     depthwise_regularizer: Any = None, pointwise_regularizer: Any = None, bias_regularizer: Any = None,
                     activity_regularizer: Any = None, depthwise_constraint: Any = None,
                     pointwise_constraint: Any = None, bias_constraint: Any = None, trainable: bool = True,
                     name: str | None = None, reuse: Any = None) -> Any:
    """The separable convolution of one spatial axis, as `tf.layers.separable_conv1d`.

    Inputs [batch, length, channels]. The inputs are floats; the result has their dtype. Raises ValueError for another
    rank, an unknown number of channels, or sizes, paddings and formats that do not fit; TypeError for integers,
    booleans and strings.

    >>> x = gc.placeholder(gc.float32, [None, 20, 3])
    >>> gc.layers.separable_conv1d(x, filters=8, kernel_size=5).shape.as_list()
    [None, 16, 8]
    """
    return SeparableConv1D(filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier,
                           activation, use_bias, depthwise_initializer, pointwise_initializer, bias_initializer,
                           depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer,
                           depthwise_constraint, pointwise_constraint, bias_constraint, trainable, name, _scope=name,
                           _reuse=reuse)(inputs)


@public("layers.separable_conv2d", "compat.v1.python.layers.convolutional.separable_conv2d",
        "compat.v1.python.layers.convolutional.separable_convolution2d")
def separable_conv2d(inputs: Any, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
                     data_format: str = "channels_last", dilation_rate: Any = (1, 1), depth_multiplier: int = 1,
                     activation: Any = None, use_bias: bool = True, depthwise_initializer: Any = None,
                     pointwise_initializer: Any = None, bias_initializer: Any = "zeros",
                     depthwise_regularizer: Any = None, pointwise_regularizer: Any = None, bias_regularizer: Any = None,
                     activity_regularizer: Any = None, depthwise_constraint: Any = None,
                     pointwise_constraint: Any = None, bias_constraint: Any = None, trainable: bool = True,
                     name: str | None = None, reuse: Any = None) -> Any:
    """The separable convolution of two spatial axes, as `tf.layers.separable_conv2d`.

    Inputs [batch, height, width, channels]: each channel convolved by itself, then single points that mix them. The
    inputs are floats; the result has their dtype. Raises ValueError for another rank, an unknown number of channels, or
    sizes, paddings and formats that do not fit; TypeError for integers, booleans and strings.

    >>> x = gc.placeholder(gc.float32, [None, 28, 28, 16])
    >>> gc.layers.separable_conv2d(x, filters=32, kernel_size=3, padding="same").shape.as_list()
    [None, 28, 28, 32]
    >>> [(v.op.name, v.shape.as_list()) for v in gc.trainable_variables()][:2]
    [('separable_conv2d/depthwise_kernel', [3, 3, 16, 1]), ('separable_conv2d/pointwise_kernel', [1, 1, 16, 32])]
    """
    return SeparableConv2D(filters, kernel_size, strides, padding, data_format, dilation_rate, depth_multiplier,
                           activation, use_bias, depthwise_initializer, pointwise_initializer, bias_initializer,
                           depthwise_regularizer, pointwise_regularizer, bias_regularizer, activity_regularizer,
                           depthwise_constraint, pointwise_constraint, bias_constraint, trainable, name, _scope=name,
                           _reuse=reuse)(inputs)
