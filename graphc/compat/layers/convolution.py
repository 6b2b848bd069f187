"""contrib.layers' convolutions, on those of gc.layers."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope
from graphc.compat.layers.utils import (
    add_to_collections_of,
    finished,
    get_variable_collections,
    last_dimension,
    model_variables,
    two_element_tuple,
)

_RENAMED = {"bias": "biases", "kernel": "weights"}
_XAVIER = gc.contrib.layers.xavier_initializer()
_ZEROS = gc.zeros_initializer()


def format_of(data_format: str | None, known: tuple[str, ...] = ("NHWC", "NCHW")) -> str:
    """channels_first or channels_last, of TensorFlow's letters. Raises ValueError for others than the known ones."""
    if data_format not in known:
        raise ValueError(f"data_format has to be one of {known}, but is {data_format!r}")
    return "channels_first" if data_format and data_format.startswith("NC") else "channels_last"


def _applied(layer: Any, inputs: Any, scope: str, normalizer_fn: Any, normalizer_params: Any, activation_fn: Any,
             variables_collections: Any, outputs_collections: Any) -> Any:
    """The layer's outputs, normalised and activated; its variables and they in their collections."""
    outputs = layer(inputs)
    add_to_collections_of(layer.kernel, variables_collections, "weights")
    if layer.bias is not None:
        add_to_collections_of(layer.bias, variables_collections, "biases")
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    return finished(outputs, activation_fn, outputs_collections, scope)


@public("contrib.layers.convolution")
@add_arg_scope
def convolution(inputs: Any, num_outputs: int, kernel_size: Any, stride: Any = 1, padding: str = "SAME",
                data_format: str | None = None, rate: Any = 1, activation_fn: Any = gc.nn.relu,
                normalizer_fn: Any = None, normalizer_params: dict[str, Any] | None = None,
                weights_initializer: Any = _XAVIER, weights_regularizer: Any = None, biases_initializer: Any = _ZEROS,
                biases_regularizer: Any = None, reuse: Any = None, variables_collections: Any = None,
                outputs_collections: Any = None, trainable: bool = True, scope: Any = None,
                conv_dims: int | None = None) -> Any:
    """activation_fn(convolution(inputs, weights) + biases) of one to three spatial axes; with normalizer_fn that
    instead of the biases. As `tf.contrib.layers.convolution`. conv_dims: the number of spatial axes that is asked for.

    Inputs are floating point, [batch, spatial..., channels] or with the channels second (data_format "NC..."); the
    result has num_outputs channels and their dtype. kernel_size, stride and rate: an int, or one for each spatial axis;
    stride and rate are not both above 1. Raises ValueError for another or unknown rank, unknown channels, or a padding,
    data_format, kernel_size or stride that does not fit; TypeError for inputs that are not floating point.

    >>> x = gc.placeholder(gc.float32, [None, 32, 32, 3])
    >>> gc.contrib.layers.convolution(x, 8, 3, rate=2, normalizer_fn=gc.contrib.layers.batch_norm, scope="conv")
    <gc.Tensor 'conv/Relu:0' shape=(?, 32, 32, 8) dtype=float32>
    >>> [v.op.name for v in gc.trainable_variables()]
    ['conv/weights', 'conv/BatchNorm/beta']
    """
    layout = format_of(data_format, (None, "NWC", "NCW", "NHWC", "NCHW", "NDHWC", "NCDHW"))  # type: ignore[arg-type]
    with gc.variable_scope(scope, "Conv", [inputs], reuse=reuse, custom_getter=model_variables(_RENAMED)) as entered:
        inputs = gc.convert_to_tensor(inputs)
        rank = inputs.get_shape().ndims
        if conv_dims is not None and conv_dims + 2 != rank:
            raise ValueError(f"Convolution expects input with rank {conv_dims + 2}, got {rank}")
        if rank not in (3, 4, 5):
            raise ValueError(f"Convolution not supported for input with rank {rank}")
        kind = {3: gc.layers.Conv1D, 4: gc.layers.Conv2D, 5: gc.layers.Conv3D}[rank]
        layer = kind(num_outputs, kernel_size, stride, padding, layout, rate,
                     use_bias=not normalizer_fn and biases_initializer is not None,
                     kernel_initializer=weights_initializer, bias_initializer=biases_initializer,
                     kernel_regularizer=weights_regularizer, bias_regularizer=biases_regularizer, trainable=trainable,
                     name=entered.name, dtype=inputs.dtype.base_dtype, _scope=entered, _reuse=reuse)
        return _applied(layer, inputs, entered.name, normalizer_fn, normalizer_params, activation_fn,
                        variables_collections, outputs_collections)


@public("contrib.layers.conv1d", "contrib.layers.convolution1d")
@add_arg_scope
def convolution1d(inputs: Any, num_outputs: int, kernel_size: Any, stride: Any = 1, padding: str = "SAME",
                  data_format: str | None = None, rate: Any = 1, activation_fn: Any = gc.nn.relu,
                  normalizer_fn: Any = None, normalizer_params: dict[str, Any] | None = None,
                  weights_initializer: Any = _XAVIER, weights_regularizer: Any = None, biases_initializer: Any = _ZEROS,
                  biases_regularizer: Any = None, reuse: Any = None, variables_collections: Any = None,
                  outputs_collections: Any = None, trainable: bool = True, scope: Any = None) -> Any:
    """`convolution` of one spatial axis.

    Inputs [batch, length, channels]; dtypes and errors are its. As `tf.contrib.layers.convolution1d`.

    >>> x = gc.placeholder(gc.float32, [None, 10, 3])
    >>> gc.contrib.layers.conv1d(x, num_outputs=8, kernel_size=5, stride=2)
    <gc.Tensor 'Conv/Relu:0' shape=(?, 5, 8) dtype=float32>
    """
    return convolution(inputs, num_outputs, kernel_size, stride, padding, data_format, rate, activation_fn,
                       normalizer_fn, normalizer_params, weights_initializer, weights_regularizer, biases_initializer,
                       biases_regularizer, reuse, variables_collections, outputs_collections, trainable, scope, 1)


@public("contrib.layers.conv2d", "contrib.layers.convolution2d")
@add_arg_scope
def convolution2d(inputs: Any, num_outputs: int, kernel_size: Any, stride: Any = 1, padding: str = "SAME",
                  data_format: str | None = None, rate: Any = 1, activation_fn: Any = gc.nn.relu,
                  normalizer_fn: Any = None, normalizer_params: dict[str, Any] | None = None,
                  weights_initializer: Any = _XAVIER, weights_regularizer: Any = None, biases_initializer: Any = _ZEROS,
                  biases_regularizer: Any = None, reuse: Any = None, variables_collections: Any = None,
                  outputs_collections: Any = None, trainable: bool = True, scope: Any = None) -> Any:
    """`convolution` of two spatial axes.

    Inputs [batch, height, width, channels], or [batch, channels, height, width] (data_format "NCHW"); dtypes and errors
    are its. As `tf.contrib.layers.convolution2d`.

    >>> x = gc.placeholder(gc.float32, [None, 28, 28, 1])
    >>> gc.contrib.layers.conv2d(x, num_outputs=8, kernel_size=[5, 5], stride=2)
    <gc.Tensor 'Conv/Relu:0' shape=(?, 14, 14, 8) dtype=float32>
    >>> [v.op.name for v in gc.trainable_variables()]
    ['Conv/weights', 'Conv/biases']
    """
    return convolution(inputs, num_outputs, kernel_size, stride, padding, data_format, rate, activation_fn,
                       normalizer_fn, normalizer_params, weights_initializer, weights_regularizer, biases_initializer,
                       biases_regularizer, reuse, variables_collections, outputs_collections, trainable, scope, 2)


@public("contrib.layers.conv3d", "contrib.layers.convolution3d")
@add_arg_scope
def convolution3d(inputs: Any, num_outputs: int, kernel_size: Any, stride: Any = 1, padding: str = "SAME",
                  data_format: str | None = None, rate: Any = 1, activation_fn: Any = gc.nn.relu,
                  normalizer_fn: Any = None, normalizer_params: dict[str, Any] | None = None,
                  weights_initializer: Any = _XAVIER, weights_regularizer: Any = None, biases_initializer: Any = _ZEROS,
                  biases_regularizer: Any = None, reuse: Any = None, variables_collections: Any = None,
                  outputs_collections: Any = None, trainable: bool = True, scope: Any = None) -> Any:
    """`convolution` of three spatial axes.

    Inputs [batch, depth, height, width, channels], or with the channels second (data_format "NCDHW"); dtypes and errors
    are its. As `tf.contrib.layers.convolution3d`.

    >>> x = gc.placeholder(gc.float32, [None, 8, 8, 8, 1])
    >>> gc.contrib.layers.conv3d(x, num_outputs=4, kernel_size=3, padding="VALID")
    <gc.Tensor 'Conv/Relu:0' shape=(?, 6, 6, 6, 4) dtype=float32>
    """
    return convolution(inputs, num_outputs, kernel_size, stride, padding, data_format, rate, activation_fn,
                       normalizer_fn, normalizer_params, weights_initializer, weights_regularizer, biases_initializer,
                       biases_regularizer, reuse, variables_collections, outputs_collections, trainable, scope, 3)


def _transposed(kind: Any, default_scope: str, inputs: Any, num_outputs: int, kernel_size: Any, stride: Any,
                padding: str, layout: str, activation_fn: Any, normalizer_fn: Any, normalizer_params: Any,
                weights_initializer: Any, weights_regularizer: Any, biases_initializer: Any, biases_regularizer: Any,
                reuse: Any, variables_collections: Any, outputs_collections: Any, trainable: bool, scope: Any) -> Any:
    with gc.variable_scope(scope, default_scope, [inputs], reuse=reuse,
                           custom_getter=model_variables(_RENAMED)) as entered:
        inputs = gc.convert_to_tensor(inputs)
        layer = kind(num_outputs, kernel_size, stride, padding, layout,
                     use_bias=not normalizer_fn and biases_initializer is not None,
                     kernel_initializer=weights_initializer, bias_initializer=biases_initializer,
                     kernel_regularizer=weights_regularizer, bias_regularizer=biases_regularizer, trainable=trainable,
                     name=entered.name, dtype=inputs.dtype.base_dtype, _scope=entered, _reuse=reuse)
        return _applied(layer, inputs, entered.name, normalizer_fn, normalizer_params, activation_fn,
                        variables_collections, outputs_collections)


@public("contrib.layers.conv2d_transpose", "contrib.layers.convolution2d_transpose")
@add_arg_scope
def convolution2d_transpose(inputs: Any, num_outputs: int, kernel_size: Any, stride: Any = 1, padding: str = "SAME",
                            data_format: str = "NHWC", activation_fn: Any = gc.nn.relu, normalizer_fn: Any = None,
                            normalizer_params: dict[str, Any] | None = None, weights_initializer: Any = _XAVIER,
                            weights_regularizer: Any = None, biases_initializer: Any = _ZEROS,
                            biases_regularizer: Any = None, reuse: Any = None, variables_collections: Any = None,
                            outputs_collections: Any = None, trainable: bool = True, scope: Any = None) -> Any:
    """The transposed convolution of two spatial axes, as `tf.contrib.layers.conv2d_transpose`.

    Inputs [batch, height, width, channels] ("NHWC") or [batch, channels, height, width] ("NCHW"), floating point; the
    result has num_outputs channels and their dtype, with SAME stride times their height and width. Raises ValueError
    for another or unknown rank, unknown channels or another data_format; TypeError for other dtypes.

    >>> x = gc.placeholder(gc.float32, [None, 7, 7, 16])
    >>> gc.contrib.layers.conv2d_transpose(x, num_outputs=8, kernel_size=4, stride=2)
    <gc.Tensor 'Conv2d_transpose/Relu:0' shape=(?, 14, 14, 8) dtype=float32>
    """
    return _transposed(gc.layers.Conv2DTranspose, "Conv2d_transpose", inputs, num_outputs, kernel_size, stride,
                       padding, format_of(data_format), activation_fn, normalizer_fn, normalizer_params,
                       weights_initializer, weights_regularizer, biases_initializer, biases_regularizer, reuse,
                       variables_collections, outputs_collections, trainable, scope)


@public("contrib.layers.conv3d_transpose", "contrib.layers.convolution3d_transpose")
@add_arg_scope
def convolution3d_transpose(inputs: Any, num_outputs: int, kernel_size: Any, stride: Any = 1, padding: str = "SAME",
                            data_format: str = "NDHWC", activation_fn: Any = gc.nn.relu, normalizer_fn: Any = None,
                            normalizer_params: dict[str, Any] | None = None, weights_initializer: Any = _XAVIER,
                            weights_regularizer: Any = None, biases_initializer: Any = _ZEROS,
                            biases_regularizer: Any = None, reuse: Any = None, variables_collections: Any = None,
                            outputs_collections: Any = None, trainable: bool = True, scope: Any = None) -> Any:
    """The transposed convolution of three spatial axes, as `tf.contrib.layers.conv3d_transpose`.

    Inputs [batch, depth, height, width, channels] ("NDHWC") or with the channels second ("NCDHW"), floating point;
    errors as `gc.contrib.layers.conv2d_transpose`.

    >>> x = gc.placeholder(gc.float32, [None, 4, 4, 4, 2])
    >>> gc.contrib.layers.conv3d_transpose(x, num_outputs=3, kernel_size=2, stride=2)
    <gc.Tensor 'Conv3d_transpose/Relu:0' shape=(?, 8, 8, 8, 3) dtype=float32>
    """
    return _transposed(gc.layers.Conv3DTranspose, "Conv3d_transpose", inputs, num_outputs, kernel_size, stride,
                       padding, format_of(data_format, ("NDHWC", "NCDHW")), activation_fn, normalizer_fn,
                       normalizer_params, weights_initializer, weights_regularizer, biases_initializer,
                       biases_regularizer, reuse, variables_collections, outputs_collections, trainable, scope)


@public("contrib.layers.conv2d_in_plane", "contrib.layers.convolution2d_in_plane")
@add_arg_scope
def convolution2d_in_plane(inputs: Any, kernel_size: Any, stride: Any = 1, padding: str = "SAME",
                           activation_fn: Any = gc.nn.relu, normalizer_fn: Any = None,
                           normalizer_params: dict[str, Any] | None = None, weights_initializer: Any = _XAVIER,
                           weights_regularizer: Any = None, biases_initializer: Any = _ZEROS,
                           biases_regularizer: Any = None, reuse: Any = None, variables_collections: Any = None,
                           outputs_collections: Any = None, trainable: bool = True, scope: Any = None) -> Any:
    """Each channel convolved with the same weights, as `tf.contrib.layers.conv2d_in_plane`.

    Inputs [batch, height, width, channels], the weights [height, width, 1, 1]. Raises ValueError for another rank,
    unknown channels, or a padding or kernel_size that does not fit; TypeError for inputs that are not floating point.

    >>> x = gc.reshape(gc.range(8.), [1, 2, 2, 2])
    >>> y = gc.contrib.layers.conv2d_in_plane(x, [1, 2], padding="VALID", weights_initializer=gc.ones_initializer())
    >>> gc.global_variables_initializer().run()
    >>> y.eval().ravel()
    array([ 2.,  4., 10., 12.], dtype=float32)
    """
    model_variable = gc.contrib.framework.model_variable
    with gc.variable_scope(scope, "ConvInPlane", [inputs], reuse=reuse) as entered:
        inputs = gc.convert_to_tensor(inputs)
        channels = last_dimension(inputs.get_shape(), min_rank=4)
        weights = model_variable("weights", [*two_element_tuple(kernel_size), 1, 1], inputs.dtype.base_dtype,
                                 weights_initializer, weights_regularizer, trainable,
                                 get_variable_collections(variables_collections, "weights"))
        outputs = gc.nn.depthwise_conv2d(inputs, gc.tile(weights, [1, 1, channels, 1]),
                                         [1, *two_element_tuple(stride), 1], padding)
        if normalizer_fn is not None:
            outputs = normalizer_fn(outputs, **(normalizer_params or {}))
        elif biases_initializer is not None:
            biases = model_variable("biases", [channels], inputs.dtype.base_dtype, biases_initializer,
                                    biases_regularizer, trainable,
                                    get_variable_collections(variables_collections, "biases"))
            outputs = gc.nn.bias_add(outputs, biases)
        return finished(outputs, activation_fn, outputs_collections, entered.name)
