"""contrib.layers.spatial_softmax: where in a picture each channel is strongest."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope
from graphc.compat.layers.convolution import format_of
from graphc.compat.layers.utils import get_variable_collections


@public("contrib.layers.spatial_softmax")
@add_arg_scope
def spatial_softmax(features: Any, temperature: Any = None, name: Any = None, variables_collections: Any = None,
                    trainable: bool = True, data_format: str = "NHWC") -> Any:
    """The expected position (x, y from -1 to 1) of each channel under the softmax over its points: [batch, channels *
    2]. temperature: its initial value; it is trained if `trainable`.

    features: a float32 tensor [batch, height, width, channels] ("NHWC") or [batch, channels, height, width] ("NCHW");
    the result is float32. Raises ValueError for unknown channels or another data_format, TypeError for other dtypes. As
    `tf.contrib.layers.spatial_softmax`.

    >>> picture = np.zeros([1, 3, 3, 1], np.float32)
    >>> picture[0, 2, 0, 0] = 100.                   # bright in the last row, the first column
    >>> y = gc.contrib.layers.spatial_softmax(gc.constant(picture))
    >>> gc.global_variables_initializer().run()
    >>> y.eval()
    array([[ 1., -1.]], dtype=float32)
    """
    first = format_of(data_format) == "channels_first"
    with gc.variable_scope(name, "spatial_softmax"):
        shape, channels = gc.shape(features), features.get_shape()[1 if first else 3].value
        if channels is None:
            raise ValueError("The num_channels dimension of the inputs to `spatial_softmax` should be defined. Found "
                             f"`None`: {features.get_shape()}")
        height, width = (shape[2], shape[3]) if first else (shape[1], shape[2])
        with gc.name_scope("spatial_softmax_op", "spatial_softmax_op", [features]):
            x, y = (gc.reshape(p, [height * width]) for p in gc.meshgrid(
                gc.lin_space(-1.0, 1.0, height), gc.lin_space(-1.0, 1.0, width), indexing="ij"))
            initial = gc.ones_initializer() if temperature is None else gc.constant_initializer(temperature)
            collections = get_variable_collections(variables_collections, "temperature") if trainable else None
            heat = gc.contrib.framework.model_variable("temperature", (), gc.float32, initial, trainable=trainable,
                                                       collections=collections)
            planes = features if first else gc.transpose(features, [0, 3, 1, 2])
            attention = gc.nn.softmax(gc.reshape(planes, [-1, height * width]) / heat)
            expected = gc.concat([gc.reduce_sum(p * attention, [1], keepdims=True) for p in (x, y)], 1)
            points = gc.reshape(expected, [-1, channels * 2])
            points.set_shape([None, channels * 2])
            return points
