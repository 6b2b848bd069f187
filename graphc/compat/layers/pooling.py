"""contrib.layers' pools, on those of gc.layers."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope
from graphc.compat.layers.convolution import format_of
from graphc.compat.layers.utils import collect_named_outputs, n_positive_integers


def _pooled(kind: Any, default_scope: str, inputs: Any, kernel_size: Any, stride: Any, padding: str, layout: str,
            outputs_collections: Any, scope: str | None) -> Any:
    with gc.name_scope(scope, default_scope, [inputs]) as entered:
        outputs = kind(kernel_size, stride, padding, layout, _scope=entered)(gc.convert_to_tensor(inputs))
        return collect_named_outputs(outputs_collections, entered, outputs)


@public("contrib.layers.avg_pool2d")
@add_arg_scope
def avg_pool2d(inputs: Any, kernel_size: Any, stride: Any = 2, padding: str = "VALID", data_format: str = "NHWC",
               outputs_collections: Any = None, scope: str | None = None) -> Any:
    """The average of each window, as `tf.contrib.layers.avg_pool2d`.

    Inputs [batch, height, width, channels] ("NHWC") or [batch, channels, height, width]; kernel_size and stride an int
    or two. Inputs are floating point, and the result has their dtype. Raises ValueError for another or unknown rank, a
    window that does not fit, or another padding, data_format or number of sizes; TypeError for other dtypes.

    >>> gc.contrib.layers.avg_pool2d(gc.reshape(gc.range(16.), [1, 4, 4, 1]), 2).eval().ravel()
    array([ 2.5,  4.5, 10.5, 12.5], dtype=float32)
    """
    return _pooled(gc.layers.AveragePooling2D, "AvgPool2D", inputs, kernel_size, stride, padding,
                   format_of(data_format), outputs_collections, scope)


@public("contrib.layers.avg_pool3d")
@add_arg_scope
def avg_pool3d(inputs: Any, kernel_size: Any, stride: Any = 2, padding: str = "VALID", data_format: str = "NDHWC",
               outputs_collections: Any = None, scope: str | None = None) -> Any:
    """The average of each window, as `tf.contrib.layers.avg_pool3d`.

    Inputs [batch, depth, height, width, channels] ("NDHWC") or with the channels second; kernel_size and stride an int
    or three. Inputs are floating point, and the result has their dtype. Raises ValueError for another or unknown rank,
    a window that does not fit, or another padding, data_format or number of sizes; TypeError for other dtypes.

    >>> gc.contrib.layers.avg_pool3d(gc.reshape(gc.range(8.), [1, 2, 2, 2, 1]), 2).eval().ravel()
    array([3.5], dtype=float32)
    """
    return _pooled(gc.layers.AveragePooling3D, "AvgPool3D", inputs, kernel_size, stride, padding,
                   format_of(data_format, ("NDHWC", "NCDHW")), outputs_collections, scope)


@public("contrib.layers.max_pool2d")
@add_arg_scope
def max_pool2d(inputs: Any, kernel_size: Any, stride: Any = 2, padding: str = "VALID", data_format: str = "NHWC",
               outputs_collections: Any = None, scope: str | None = None) -> Any:
    """The largest of each window, as `tf.contrib.layers.max_pool2d`.

    Inputs [batch, height, width, channels] ("NHWC") or [batch, channels, height, width]; kernel_size and stride an int
    or two. Inputs are floating point, and the result has their dtype. Raises ValueError for another or unknown rank, a
    window that does not fit, or another padding, data_format or number of sizes; TypeError for other dtypes.

    >>> gc.contrib.layers.max_pool2d(gc.reshape(gc.range(16.), [1, 4, 4, 1]), 2).eval().ravel()
    array([ 5.,  7., 13., 15.], dtype=float32)
    """
    return _pooled(gc.layers.MaxPooling2D, "MaxPool2D", inputs, kernel_size, stride, padding, format_of(data_format),
                   outputs_collections, scope)


@public("contrib.layers.max_pool3d")
@add_arg_scope
def max_pool3d(inputs: Any, kernel_size: Any, stride: Any = 2, padding: str = "VALID", data_format: str = "NDHWC",
               outputs_collections: Any = None, scope: str | None = None) -> Any:
    """The largest of each window, as `tf.contrib.layers.max_pool3d`.

    Inputs [batch, depth, height, width, channels] ("NDHWC") or with the channels second; kernel_size and stride an int
    or three. Inputs are floating point, and the result has their dtype. Raises ValueError for another or unknown rank,
    a window that does not fit, or another padding, data_format or number of sizes; TypeError for other dtypes.

    >>> gc.contrib.layers.max_pool3d(gc.reshape(gc.range(8.), [1, 2, 2, 2, 1]), 2).eval().ravel()
    array([7.], dtype=float32)
    """
    return _pooled(gc.layers.MaxPooling3D, "MaxPool3D", inputs, kernel_size, stride, padding,
                   format_of(data_format, ("NDHWC", "NCDHW")), outputs_collections, scope)


@public("contrib.layers.pool")
@add_arg_scope
def pool(inputs: Any, kernel_size: Any, pooling_type: str, padding: str = "VALID", data_format: str | None = None,
         dilation_rate: Any = 1, stride: Any = 1, outputs_collections: Any = None, scope: str | None = None) -> Any:
    """A pool (pooling_type "AVG" or "MAX") of any number of spatial axes, as `tf.contrib.layers.pool`.

    Inputs [batch, spatial..., channels], with one to three spatial axes, of floating point; kernel_size, stride and
    dilation_rate a positive int, or one for each axis. Raises ValueError for an unknown or other rank, another
    pooling_type or sizes, or stride and dilation_rate both above 1, TypeError for other dtypes.

    >>> gc.contrib.layers.pool(gc.reshape(gc.range(4.), [1, 4, 1]), 2, "MAX", stride=2).eval().ravel()
    array([1., 3.], dtype=float32)
    """
    with gc.name_scope(scope, f"{pooling_type.lower()}_pool", [inputs]) as entered:
        inputs = gc.convert_to_tensor(inputs)
        rank = inputs.get_shape().ndims
        if rank is None or rank < 3:
            raise ValueError(f"Rank of inputs must be known, and >= 3, but is {rank}")
        outputs = gc.nn.pool(inputs, n_positive_integers(rank - 2, kernel_size), pooling_type, padding,
                             n_positive_integers(rank - 2, dilation_rate), n_positive_integers(rank - 2, stride),
                             name=entered, data_format=data_format)
        return collect_named_outputs(outputs_collections, entered, outputs)
