"""Pools of one to three spatial axes."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.layers import arguments
from graphc.layers.base import Layer
from graphc.layers.input_spec import InputSpec


class Pooling(Layer):
    """What the pools share: windows of pool_size, strides apart. Raises ValueError if there are no strides."""

    rank: int
    kind: str

    def __init__(self, pool_size: Any, strides: Any, padding: str = "valid", data_format: str | None = "channels_last",
                 name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if strides is None:
            raise ValueError("Argument `strides` must not be None.")
        self.pool_size = arguments.positive_tuple(pool_size, self.rank, "pool_size")
        self.strides = arguments.positive_tuple(strides, self.rank, "strides")
        self.padding = arguments.normalize_padding(padding)
        self.data_format = arguments.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        if self.rank == 1:                       # a pool of pictures that are one point wide
            axis = arguments.spatial_axes(self.data_format, 1)[-1] + 1
            pooled = self._pooled(gc.expand_dims(inputs, axis), (*self.pool_size, 1), (*self.strides, 1))
            return gc.squeeze(pooled, [axis])
        return self._pooled(inputs, self.pool_size, self.strides)

    def _pooled(self, inputs: Any, sizes: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        function: Any = {
            ("max", 2): gc.nn.max_pool, ("max", 3): gc.nn.max_pool3d,
            ("average", 2): gc.nn.avg_pool, ("average", 3): gc.nn.avg_pool3d,
        }[self.kind, len(sizes)]
        return function(inputs, arguments.with_channels(sizes, self.data_format),
                        arguments.with_channels(strides, self.data_format), self.padding.upper(),
                        data_format=arguments.convert_data_format(self.data_format, len(sizes) + 2))

    def compute_output_shape(self, input_shape: Any) -> Any:
        sizes = gc.TensorShape(input_shape).as_list()
        axes = arguments.spatial_axes(self.data_format, self.rank)
        space = [arguments.conv_output_length(sizes[axis], size, self.padding, stride)
                 for axis, size, stride in zip(axes, self.pool_size, self.strides, strict=True)]
        channels = sizes[arguments.channel_axis(self.data_format)]
        return gc.TensorShape(arguments.with_channels(space, self.data_format, sizes[0], channels))


@public("layers.AveragePooling1D", "compat.v1.python.layers.pooling.AveragePooling1D")
class AveragePooling1D(Pooling):
    """The average of each window of [batch, length, channels], as `tf.layers.AveragePooling1D`.

    pool_size and strides: an int, or one an axis; padding "valid" or "same". The inputs are floats; the result has
    their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and formats that do not fit;
    TypeError for inputs that are not floating point.

    >>> layer = gc.layers.AveragePooling1D(pool_size=2, strides=2)
    >>> layer(gc.reshape(gc.range(4.), [1, 4, 1])).eval().ravel()
    array([0.5, 2.5], dtype=float32)
    """

    rank = 1
    kind = "average"


@public("layers.AveragePooling2D", "compat.v1.python.layers.pooling.AveragePooling2D",
        "compat.v1.python.layers.pooling.AvgPool2D")
class AveragePooling2D(Pooling):
    """The average of each window of [batch, height, width, channels], as `tf.layers.AveragePooling2D`.

    pool_size and strides: an int, or one an axis; padding "valid" or "same". The inputs are floats; the result has
    their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and formats that do not fit;
    TypeError for inputs that are not floating point.

    >>> layer = gc.layers.AveragePooling2D(pool_size=2, strides=2)
    >>> layer(gc.reshape(gc.range(16.), [1, 4, 4, 1])).eval().ravel()
    array([ 2.5,  4.5, 10.5, 12.5], dtype=float32)
    """

    rank = 2
    kind = "average"


@public("layers.AveragePooling3D", "compat.v1.python.layers.pooling.AveragePooling3D")
class AveragePooling3D(Pooling):
    """The average of each window of [batch, depth, height, width, channels], as `tf.layers.AveragePooling3D`.

    pool_size and strides: an int, or one an axis; padding "valid" or "same". The inputs are floats; the result has
    their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and formats that do not fit;
    TypeError for inputs that are not floating point.

    >>> layer = gc.layers.AveragePooling3D(pool_size=2, strides=2)
    >>> layer(gc.reshape(gc.range(64.), [1, 4, 4, 4, 1])).eval().ravel()
    array([10.5, 12.5, 18.5, 20.5, 42.5, 44.5, 50.5, 52.5], dtype=float32)
    """

    rank = 3
    kind = "average"


@public("layers.MaxPooling1D", "compat.v1.python.layers.pooling.MaxPooling1D")
class MaxPooling1D(Pooling):
    """The largest of each window of [batch, length, channels], as `tf.layers.MaxPooling1D`.

    pool_size and strides: an int, or one an axis; padding "valid" or "same". The inputs are floats; the result has
    their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and formats that do not fit;
    TypeError for inputs that are not floating point.

    >>> layer = gc.layers.MaxPooling1D(pool_size=2, strides=2)
    >>> layer(gc.reshape(gc.range(4.), [1, 4, 1])).eval().ravel()
    array([1., 3.], dtype=float32)
    """

    rank = 1
    kind = "max"


@public("layers.MaxPooling2D", "compat.v1.python.layers.pooling.MaxPooling2D",
        "compat.v1.python.layers.pooling.MaxPool2D")
class MaxPooling2D(Pooling):
    """The largest of each window of [batch, height, width, channels], as `tf.layers.MaxPooling2D`.

    pool_size and strides: an int, or one an axis; padding "valid" or "same". The inputs are floats; the result has
    their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and formats that do not fit;
    TypeError for inputs that are not floating point.

    >>> layer = gc.layers.MaxPooling2D(pool_size=2, strides=2)
    >>> layer(gc.reshape(gc.range(16.), [1, 4, 4, 1])).eval().ravel()
    array([ 5.,  7., 13., 15.], dtype=float32)
    """

    rank = 2
    kind = "max"


@public("layers.MaxPooling3D", "compat.v1.python.layers.pooling.MaxPooling3D")
class MaxPooling3D(Pooling):
    """The largest of each window of [batch, depth, height, width, channels], as `tf.layers.MaxPooling3D`.

    pool_size and strides: an int, or one an axis; padding "valid" or "same". The inputs are floats; the result has
    their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and formats that do not fit;
    TypeError for inputs that are not floating point.

    >>> layer = gc.layers.MaxPooling3D(pool_size=2, strides=2)
    >>> layer(gc.reshape(gc.range(64.), [1, 4, 4, 4, 1])).eval().ravel()
    array([21., 23., 29., 31., 53., 55., 61., 63.], dtype=float32)
    """

    rank = 3
    kind = "max"


@public("layers.average_pooling1d", "compat.v1.python.layers.pooling.average_pooling1d")
def average_pooling1d(inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
                      data_format: str = "channels_last", name: str | None = None) -> Any:
    """The average of each window of one spatial axis, as `tf.layers.average_pooling1d`.

    Inputs [batch, length, channels], or with the channels second ("channels_first"). The inputs are floats; the result
    has their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and formats that do not
    fit; TypeError for inputs that are not floating point.

    >>> gc.layers.average_pooling1d(gc.reshape(gc.range(4.), [1, 4, 1]), pool_size=2, strides=2).eval().ravel()
    array([0.5, 2.5], dtype=float32)
    """
    return AveragePooling1D(pool_size, strides, padding, data_format, name)(inputs)


@public("layers.average_pooling2d", "compat.v1.python.layers.pooling.average_pooling2d",
        "compat.v1.python.layers.pooling.avg_pool2d")
def average_pooling2d(inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
                      data_format: str = "channels_last", name: str | None = None) -> Any:
    """The average of each window of two spatial axes, as `tf.layers.average_pooling2d`.

    Inputs [batch, height, width, channels], or with the channels second ("channels_first"). The inputs are floats; the
    result has their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and formats that do
    not fit; TypeError for inputs that are not floating point.

    >>> gc.layers.average_pooling2d(gc.reshape(gc.range(16.), [1, 4, 4, 1]), pool_size=2, strides=2).eval().ravel()
    array([ 2.5,  4.5, 10.5, 12.5], dtype=float32)
    """
    return AveragePooling2D(pool_size, strides, padding, data_format, name)(inputs)


@public("layers.average_pooling3d", "compat.v1.python.layers.pooling.average_pooling3d")
def average_pooling3d(inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
                      data_format: str = "channels_last", name: str | None = None) -> Any:
    """The average of each window of three spatial axes, as `tf.layers.average_pooling3d`.

    Inputs [batch, depth, height, width, channels], or with the channels second ("channels_first"). The inputs are
    floats; the result has their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and
    formats that do not fit; TypeError for inputs that are not floating point.

    >>> gc.layers.average_pooling3d(gc.reshape(gc.range(64.), [1, 4, 4, 4, 1]), pool_size=2, strides=2).eval().ravel()
    array([10.5, 12.5, 18.5, 20.5, 42.5, 44.5, 50.5, 52.5], dtype=float32)
    """
    return AveragePooling3D(pool_size, strides, padding, data_format, name)(inputs)


@public("layers.max_pooling1d", "compat.v1.python.layers.pooling.max_pooling1d")
def max_pooling1d(inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
                  data_format: str = "channels_last", name: str | None = None) -> Any:
    """The largest of each window of one spatial axis, as `tf.layers.max_pooling1d`.

    Inputs [batch, length, channels], or with the channels second ("channels_first"). The inputs are floats; the result
    has their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and formats that do not
    fit; TypeError for inputs that are not floating point.

    >>> gc.layers.max_pooling1d(gc.reshape(gc.range(4.), [1, 4, 1]), pool_size=2, strides=2).eval().ravel()
    array([1., 3.], dtype=float32)
    """
    return MaxPooling1D(pool_size, strides, padding, data_format, name)(inputs)


@public("layers.max_pooling2d", "compat.v1.python.layers.pooling.max_pooling2d",
        "compat.v1.python.layers.pooling.max_pool2d")
def max_pooling2d(inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
                  data_format: str = "channels_last", name: str | None = None) -> Any:
    """The largest of each window of two spatial axes, as `tf.layers.max_pooling2d`.

    Inputs [batch, height, width, channels], or with the channels second ("channels_first"). The inputs are floats; the
    result has their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and formats that do
    not fit; TypeError for inputs that are not floating point.

    >>> gc.layers.max_pooling2d(gc.reshape(gc.range(16.), [1, 4, 4, 1]), pool_size=2, strides=2).eval().ravel()
    array([ 5.,  7., 13., 15.], dtype=float32)
    """
    return MaxPooling2D(pool_size, strides, padding, data_format, name)(inputs)


@public("layers.max_pooling3d", "compat.v1.python.layers.pooling.max_pooling3d")
def max_pooling3d(inputs: Any, pool_size: Any, strides: Any, padding: str = "valid",
                  data_format: str = "channels_last", name: str | None = None) -> Any:
    """The largest of each window of three spatial axes, as `tf.layers.max_pooling3d`.

    Inputs [batch, depth, height, width, channels], or with the channels second ("channels_first"). The inputs are
    floats; the result has their dtype. Raises ValueError for another rank, strides of None, or sizes, paddings and
    formats that do not fit; TypeError for inputs that are not floating point.

    >>> gc.layers.max_pooling3d(gc.reshape(gc.range(64.), [1, 4, 4, 4, 1]), pool_size=2, strides=2).eval().ravel()
    array([21., 23., 29., 31., 53., 55., 61., 63.], dtype=float32)
    """
    return MaxPooling3D(pool_size, strides, padding, data_format, name)(inputs)
