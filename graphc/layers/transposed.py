"""Transposed convolutions: from the outputs of a convolution back to the shape of its inputs."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.layers import arguments
from graphc.layers.convolution import Conv


class ConvTranspose(Conv):
    """What the transposed convolutions of two and three axes share: the kernel is [spatial..., filters, channels]."""

    def __init__(self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
                 data_format: str | None = "channels_last", activation: Any = None, use_bias: Any = True,
                 kernel_initializer: Any = None, bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
                 bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
                 bias_constraint: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, strides, padding, data_format, 1, activation, use_bias,
                         kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                         activity_regularizer, kernel_constraint, bias_constraint, trainable, name, **kwargs)

    def _build_kernels(self, channels: int) -> None:
        self.kernel = self.add_weight("kernel", [*self.kernel_size, self.filters, channels],
                                      initializer=self.kernel_initializer, regularizer=self.kernel_regularizer,
                                      constraint=self.kernel_constraint)

    def _convolved(self, inputs: Any) -> Any:
        shape = gc.shape(inputs)
        wanted = self._lengths([shape[axis] for axis in arguments.spatial_axes(self.data_format, self.rank)])
        output_shape = gc.stack(arguments.with_channels(wanted, self.data_format, shape[0], self.filters))
        function: Any = {2: gc.nn.conv2d_transpose, 3: gc.nn.conv3d_transpose}[self.rank]
        outputs = function(inputs, self.kernel, output_shape, arguments.with_channels(self.strides, self.data_format),
                           self._op_padding, data_format=self._layout)
        outputs.set_shape(self.compute_output_shape(inputs.get_shape()))
        return outputs

    def _lengths(self, spatial: list[Any]) -> list[Any]:
        return [arguments.deconv_output_length(size, kernel, self.padding, stride)
                for size, kernel, stride in zip(spatial, self.kernel_size, self.strides, strict=True)]

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = gc.TensorShape(input_shape).as_list()
        space = self._lengths([sizes[axis] for axis in arguments.spatial_axes(self.data_format, self.rank)])
        return gc.TensorShape(arguments.with_channels(space, self.data_format, sizes[0], self.filters))


@public("layers.Conv2DTranspose", "compat.v1.python.layers.convolutional.Conv2DTranspose",
        "compat.v1.python.layers.convolutional.Convolution2DTranspose",
        "compat.v1.python.layers.convolutional.Deconvolution2D")
class Conv2DTranspose(ConvTranspose):
    """The transposed convolution of [batch, height, width, channels], as `tf.layers.Conv2DTranspose`.

    The inputs are floats; the result has their dtype. Raises ValueError for another rank, an unknown number of
    channels, or sizes, paddings and formats that do not fit; TypeError for integers, booleans and strings.

    >>> layer = gc.layers.Conv2DTranspose(filters=8, kernel_size=4, strides=2, padding="same")
    >>> layer(gc.placeholder(gc.float32, [None, 7, 7, 16])).shape.as_list(), layer.kernel.shape.as_list()
    ([None, 14, 14, 8], [4, 4, 8, 16])
    """

    rank = 2


@public("layers.Conv3DTranspose", "compat.v1.python.layers.convolutional.Conv3DTranspose",
        "compat.v1.python.layers.convolutional.Convolution3DTranspose",
        "compat.v1.python.layers.convolutional.Deconvolution3D")
class Conv3DTranspose(ConvTranspose):
    """The transposed convolution of [batch, depth, height, width, channels], as `tf.layers.Conv3DTranspose`.

    The inputs are floats; the result has their dtype. Raises ValueError for another rank, an unknown number of
    channels, or sizes, paddings and formats that do not fit; TypeError for integers, booleans and strings.

    >>> layer = gc.layers.Conv3DTranspose(filters=3, kernel_size=2, strides=2)
    >>> layer(gc.placeholder(gc.float32, [None, 4, 4, 4, 2])).shape.as_list(), layer.kernel.shape.as_list()
    ([None, 8, 8, 8, 3], [2, 2, 2, 3, 2])
    """

    rank = 3


@public("layers.conv2d_transpose", "compat.v1.python.layers.convolutional.conv2d_transpose",
        "compat.v1.python.layers.convolutional.convolution2d_transpose",
        "compat.v1.python.layers.convolutional.deconvolution2d")
def conv2d_transpose(inputs: Any, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
                     data_format: str = "channels_last", activation: Any = None, use_bias: bool = True,
                     kernel_initializer: Any = None, bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
                     bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
                     bias_constraint: Any = None, trainable: bool = True, name: str | None = None,
                     reuse: Any = None) -> Any:
    """The transposed convolution of two spatial axes, as `tf.layers.conv2d_transpose`.

    Inputs [batch, height, width, channels]; with padding "same" sizes are multiplied by the strides. The inputs are
    floats; the result has their dtype. Raises ValueError for another rank, an unknown number of channels, or sizes,
    paddings and formats that do not fit; TypeError for integers, booleans and strings.

    >>> x = gc.placeholder(gc.float32, [None, 7, 7, 16])
    >>> gc.layers.conv2d_transpose(x, filters=8, kernel_size=4, strides=2, padding="same").shape.as_list()
    [None, 14, 14, 8]
    """
    return Conv2DTranspose(filters, kernel_size, strides, padding, data_format, activation, use_bias,
                           kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                           activity_regularizer, kernel_constraint, bias_constraint, trainable, name, _scope=name,
                           _reuse=reuse)(inputs)


@public("layers.conv3d_transpose", "compat.v1.python.layers.convolutional.conv3d_transpose",
        "compat.v1.python.layers.convolutional.convolution3d_transpose",
        "compat.v1.python.layers.convolutional.deconvolution3d")
def conv3d_transpose(inputs: Any, filters: int, kernel_size: Any, strides: Any = (1, 1, 1), padding: str = "valid",
                     data_format: str = "channels_last", activation: Any = None, use_bias: bool = True,
                     kernel_initializer: Any = None, bias_initializer: Any = "zeros", kernel_regularizer: Any = None,
                     bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
                     bias_constraint: Any = None, trainable: bool = True, name: str | None = None,
                     reuse: Any = None) -> Any:
    """The transposed convolution of three spatial axes, as `tf.layers.conv3d_transpose`.

    Inputs [batch, depth, height, width, channels]. The inputs are floats; the result has their dtype. Raises ValueError
    for another rank, an unknown number of channels, or sizes, paddings and formats that do not fit; TypeError for
    integers, booleans and strings.

    >>> x = gc.placeholder(gc.float32, [None, 4, 4, 4, 2])
    >>> gc.layers.conv3d_transpose(x, filters=3, kernel_size=2, strides=2).shape.as_list()
    [None, 8, 8, 8, 3]
    """
    return Conv3DTranspose(filters, kernel_size, strides, padding, data_format, activation, use_bias,
                           kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
                           activity_regularizer, kernel_constraint, bias_constraint, trainable, name, _scope=name,
                           _reuse=reuse)(inputs)
