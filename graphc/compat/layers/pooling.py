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
    """The average of each window, as `tf.contrib.layers.avg_pool2d`."""
    return _pooled(gc.layers.AveragePooling2D, "AvgPool2D", inputs, kernel_size, stride, padding,
                   format_of(data_format), outputs_collections, scope)


@public("contrib.layers.avg_pool3d")
@add_arg_scope
def avg_pool3d(inputs: Any, kernel_size: Any, stride: Any = 2, padding: str = "VALID", data_format: str = "NDHWC",
               outputs_collections: Any = None, scope: str | None = None) -> Any:
    """The average of each window, as `tf.contrib.layers.avg_pool3d`."""
    return _pooled(gc.layers.AveragePooling3D, "AvgPool3D", inputs, kernel_size, stride, padding,
                   format_of(data_format, ("NDHWC", "NCDHW")), outputs_collections, scope)


@public("contrib.layers.max_pool2d")
@add_arg_scope
def max_pool2d(inputs: Any, kernel_size: Any, stride: Any = 2, padding: str = "VALID", data_format: str = "NHWC",
               outputs_collections: Any = None, scope: str | None = None) -> Any:
    """The largest of each window, as `tf.contrib.layers.max_pool2d`."""
    return _pooled(gc.layers.MaxPooling2D, "MaxPool2D", inputs, kernel_size, stride, padding, format_of(data_format),
                   outputs_collections, scope)


@public("contrib.layers.max_pool3d")
@add_arg_scope
def max_pool3d(inputs: Any, kernel_size: Any, stride: Any = 2, padding: str = "VALID", data_format: str = "NDHWC",
               outputs_collections: Any = None, scope: str | None = None) -> Any:
    """The largest of each window, as `tf.contrib.layers.max_pool3d`."""
    return _pooled(gc.layers.MaxPooling3D, "MaxPool3D", inputs, kernel_size, stride, padding,
                   format_of(data_format, ("NDHWC", "NCDHW")), outputs_collections, scope)


@public("contrib.layers.pool")
@add_arg_scope
def pool(inputs: Any, kernel_size: Any, pooling_type: str, padding: str = "VALID", data_format: str | None = None,
         dilation_rate: Any = 1, stride: Any = 1, outputs_collections: Any = None, scope: str | None = None) -> Any:
    """A pool (pooling_type "AVG" or "MAX") of any number of spatial axes, as `tf.contrib.layers.pool`."""
    with gc.name_scope(scope, f"{pooling_type.lower()}_pool", [inputs]) as entered:
        inputs = gc.convert_to_tensor(inputs)
        rank = inputs.get_shape().ndims
        if rank is None or rank < 3:
            raise ValueError(f"Rank of inputs must be known, and >= 3, but is {rank}")
        outputs = gc.nn.pool(inputs, n_positive_integers(rank - 2, kernel_size), pooling_type, padding,
                             n_positive_integers(rank - 2, dilation_rate), n_positive_integers(rank - 2, stride),
                             name=entered, data_format=data_format)
        return collect_named_outputs(outputs_collections, entered, outputs)
