"""Layers without variables: dropout and flatten."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.layers.arguments import CHANNELS_FIRST, normalize_data_format
from graphc.layers.base import Layer
from graphc.layers.input_spec import InputSpec


@public("layers.Dropout", "compat.v1.python.layers.core.Dropout")
class Dropout(Layer):
    """In training sets each element to 0 with probability `rate` and scales the rest by 1 / (1 - rate), as
    `tf.layers.Dropout`. noise_shape: None in it stands for the input's size; 1 drops a whole axis together.

    Inputs and result: floats of one shape and dtype. In training raises ValueError for a rate outside [0, 1), other
    dtypes, or a noise_shape that does not broadcast; TypeError for a `training` that is no bool, 0 or 1.

    >>> gc.layers.Dropout(rate=0.5)(gc.ones([2, 2]), training=False).eval()
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """

    def __init__(self, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, name: str | None = None,
                 **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs: Any, training: Any = False) -> Any:
        def dropped() -> Any:
            return gc.nn.dropout(inputs, noise_shape=self.noise_shape, seed=self.seed, rate=self.rate)

        return gc.contrib.framework.smart_cond(training, dropped, lambda: gc.identity(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@public("layers.dropout", "compat.v1.python.layers.core.dropout")
def dropout(inputs: Any, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None, training: Any = False,
            name: str | None = None) -> Any:
    """Dropout if `training` (a bool, or a tensor of one), else the inputs. As `tf.layers.dropout`.

    Each element becomes 0 with probability `rate`, and the rest are divided by 1 - rate. Inputs and result: floats of
    one shape and dtype. In training raises ValueError for a rate outside [0, 1), other dtypes, or a noise_shape that
    does not broadcast; TypeError for a `training` that is no bool, 0 or 1.

    >>> training = gc.placeholder_with_default(False, [])
    >>> y = gc.layers.dropout(gc.ones([1000]), rate=0.5, training=training, seed=1)
    >>> y.eval().max(), y.eval({training: True}).max()
    (np.float32(1.0), np.float32(2.0))
    """
    return Dropout(rate, noise_shape, seed, name)(inputs, training=training)


@public("layers.Flatten", "compat.v1.python.layers.core.Flatten")
class Flatten(Layer):
    """[batch, everything else], as `tf.layers.Flatten`. channels_first: the channels are moved to the end before.

    Inputs of any dtype, which they keep; of a vector [batch, 1]. Raises ValueError for a scalar, an unknown rank or
    another data_format.

    >>> gc.layers.Flatten()(gc.placeholder(gc.float32, [None, 7, 7, 64])).shape.as_list()
    [None, 3136]
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = normalize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        rank = inputs.get_shape().ndims
        if self.data_format == CHANNELS_FIRST and rank > 1:
            inputs = gc.transpose(inputs, [0, *range(2, rank), 1])
        sizes = inputs.get_shape().as_list()
        if None not in sizes[1:]:
            outputs = gc.reshape(inputs, [-1, int(np.prod(sizes[1:]))])
        else:
            outputs = gc.reshape(inputs, [gc.shape(inputs)[0] if sizes[0] is None else sizes[0], -1])
        outputs.set_shape(self.compute_output_shape(inputs.get_shape()))
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, *sizes = gc.TensorShape(input_shape).as_list()
        return gc.TensorShape([batch, None if None in sizes else int(np.prod(sizes))])


@public("layers.flatten", "compat.v1.python.layers.core.flatten")
def flatten(inputs: Any, name: str | None = None, data_format: str = "channels_last") -> Any:
    """[batch, everything else], as `tf.layers.flatten`.

    Inputs of any dtype, which they keep; of a vector [batch, 1]. Raises ValueError for a scalar, an unknown rank or
    another data_format.

    >>> gc.layers.flatten(gc.placeholder(gc.float32, [None, 7, 7, 64])).shape.as_list()
    [None, 3136]
    """
    return Flatten(data_format, name=name)(inputs)
