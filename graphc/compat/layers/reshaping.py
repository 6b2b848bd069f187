"""contrib.layers' functions without weights (dropout, flatten, one_hot_encoding, softmax, ...), and bias_add."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.compat.framework.arg_scope import add_arg_scope
from graphc.compat.layers.convolution import format_of
from graphc.compat.layers.utils import (
    collect_named_outputs,
    finished,
    get_variable_collections,
    last_dimension,
    model_variables,
)


@public("contrib.layers.bias_add")
@add_arg_scope
def bias_add(inputs: Any, activation_fn: Any = None, initializer: Any = gc.zeros_initializer(), regularizer: Any = None,
             reuse: Any = None, variables_collections: Any = None, outputs_collections: Any = None,
             trainable: bool = True, data_format: str = "NHWC", scope: Any = None) -> Any:
    """activation_fn(inputs + biases), as `tf.contrib.layers.bias_add`.

    The biases [channels] are a variable of the model. Inputs are numbers [..., channels], of rank 2 at least, or with
    data_format "NCHW" [batch, channels, height, width]; the result is like them. Raises ValueError for an unknown rank
    or number of channels, for NCHW of another rank and another data_format; TypeError for strings and bools.

    >>> y = gc.contrib.layers.bias_add(gc.zeros([1, 2]), initializer=gc.ones_initializer())
    >>> gc.global_variables_initializer().run()
    >>> y.eval()
    array([[1., 1.]], dtype=float32)
    """
    first = format_of(data_format) == "channels_first"
    with gc.variable_scope(scope, "BiasAdd", [inputs], reuse=reuse) as entered:
        inputs = gc.convert_to_tensor(inputs)
        shape = inputs.get_shape()
        if shape.ndims is None:
            raise ValueError("Dims of shape must be known but is None")
        if first and shape.ndims != 4:
            raise ValueError("Data format NCHW only supports 4D Tensor")
        size = shape[1 if first else -1].value
        if size is None:
            raise ValueError(f"`C` dimension must be known but is None: {shape}")
        biases = gc.contrib.framework.model_variable(
            "biases", [size], inputs.dtype.base_dtype, initializer, regularizer, trainable,
            get_variable_collections(variables_collections, "biases"))
        outputs = gc.nn.bias_add(inputs, biases, data_format=data_format)
        return finished(outputs, activation_fn, outputs_collections, entered.name)


@public("contrib.layers.dropout")
@add_arg_scope
def dropout(inputs: Any, keep_prob: Any = 0.5, noise_shape: Any = None, is_training: Any = True,
            outputs_collections: Any = None, scope: Any = None, seed: int | None = None) -> Any:
    """In training keeps each element with probability keep_prob, as `tf.contrib.layers.dropout`.

    Elements that are kept are divided by keep_prob; is_training may be a bool or a tensor. Inputs are floating point of
    any shape, and the result is like them; keep_prob: above 0 and at most 1. Raises ValueError for a keep_prob outside
    or integers in training, TypeError for an is_training that is no bool.

    >>> gc.contrib.layers.dropout(gc.ones([2, 2]), keep_prob=0.5, is_training=False).eval()
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """
    with gc.variable_scope(scope, "Dropout", [inputs], custom_getter=model_variables()) as entered:
        layer = gc.layers.Dropout(1 - keep_prob, noise_shape, seed, entered.name, _scope=entered)
        outputs = layer(gc.convert_to_tensor(inputs), training=is_training)
        return collect_named_outputs(outputs_collections, entered.name, outputs)


@public("contrib.layers.flatten")
@add_arg_scope
def flatten(inputs: Any, outputs_collections: Any = None, scope: str | None = None) -> Any:
    """[batch, everything else], as `tf.contrib.layers.flatten`.

    Inputs of any dtype and a known rank of 1 at least: ValueError if it is not. One of 1 gives [batch, 1].

    >>> x = gc.placeholder(gc.float32, [None, 7, 7, 64])
    >>> gc.contrib.layers.flatten(x).shape
    TensorShape([Dimension(None), Dimension(3136)])
    """
    with gc.name_scope(scope, "Flatten", [inputs]) as entered:
        outputs = gc.layers.flatten(gc.convert_to_tensor(inputs))
        return collect_named_outputs(outputs_collections, entered, outputs)


@public("contrib.layers.one_hot_encoding")
@add_arg_scope
def one_hot_encoding(labels: Any, num_classes: Any, on_value: Any = 1.0, off_value: Any = 0.0,
                     outputs_collections: Any = None, scope: str | None = None) -> Any:
    """gc.one_hot of labels, as `tf.contrib.layers.one_hot_encoding`.

    labels: integers of any shape; the result has num_classes after it, of the dtype of on_value and off_value (float32
    by default). A label that is no class gives a row of off_value. Raises TypeError for labels or num_classes that are
    no integers or values of two dtypes, ValueError for a negative num_classes.

    >>> gc.contrib.layers.one_hot_encoding([0, 2], num_classes=3).eval()
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    with gc.name_scope(scope, "OneHotEncoding", [labels, num_classes]) as entered:
        labels = gc.convert_to_tensor(labels)
        if labels.dtype == gc.int32:
            labels = gc.to_int64(labels)
        outputs = gc.one_hot(labels, num_classes, on_value=on_value, off_value=off_value)
        return collect_named_outputs(outputs_collections, entered, outputs)


@public("contrib.layers.softmax")
@add_arg_scope
def softmax(logits: Any, scope: Any = None) -> Any:
    """The softmax over the last axis of any rank from two on, as `tf.contrib.layers.softmax`.

    logits: a floating point tensor, whose last size is known; the result is like it. Raises ValueError if the size is
    not known or the rank below 2, TypeError for other dtypes.

    >>> gc.contrib.layers.softmax(gc.constant([[0., np.log(3.)]])).eval()
    array([[0.25, 0.75]], dtype=float32)
    """
    with gc.variable_scope(scope, "softmax", [logits]):
        size = last_dimension(logits.get_shape(), min_rank=2)
        rows = gc.nn.softmax(gc.reshape(logits, [-1, size]))
        outputs = gc.reshape(rows, gc.shape(logits))
        outputs.set_shape(logits.get_shape())
        return outputs


@public("contrib.layers.dense_to_sparse")
@add_arg_scope
def dense_to_sparse(tensor: Any, eos_token: Any = 0, outputs_collections: Any = None, scope: Any = None) -> Any:
    """The elements that are not eos_token as a SparseTensor, as `tf.contrib.layers.dense_to_sparse`.

    tensor: of any dtype, and rank 1 at least (ValueError for a scalar); eos_token: of its dtype, else TypeError, so ""
    has to be given for strings.

    >>> sparse = gc.contrib.layers.dense_to_sparse(gc.constant([[5, 0], [0, 7]]))
    >>> sparse.eval().indices, sparse.eval().values
    (array([[0, 0],
           [1, 1]]), array([5, 7], dtype=int32))
    """
    with gc.variable_scope(scope, "dense_to_sparse", [tensor]) as entered:
        tensor = gc.convert_to_tensor(tensor)
        indices = gc.where(gc.not_equal(tensor, gc.constant(eos_token, tensor.dtype)))
        outputs = gc.SparseTensor(indices, gc.gather_nd(tensor, indices), gc.shape(tensor, out_type=gc.int64))
        return collect_named_outputs(outputs_collections, entered.name, outputs)


@public("contrib.layers.images_to_sequence")
@add_arg_scope
def images_to_sequence(inputs: Any, data_format: str = "NHWC", outputs_collections: Any = None,
                       scope: str | None = None) -> Any:
    """Pictures as sequences of their columns: [width, batch * height, channels], as
    `tf.contrib.layers.images_to_sequence`.

    Inputs of any dtype, [batch, height, width, channels] ("NHWC") or [batch, channels, height, width] ("NCHW"), width
    and channels known. Raises ValueError if they are not, and for another rank or data_format.

    >>> gc.contrib.layers.images_to_sequence(gc.zeros([2, 3, 4, 5])).shape
    TensorShape([Dimension(4), Dimension(6), Dimension(5)])
    """
    first = format_of(data_format) == "channels_first"
    with gc.name_scope(scope, "ImagesToSequence", [inputs]) as entered:
        inputs = gc.convert_to_tensor(inputs)
        if first:
            inputs = gc.transpose(inputs, [0, 2, 3, 1])
        _, _, width, depth = inputs.get_shape().as_list()
        shape = gc.shape(inputs)
        outputs = gc.reshape(gc.transpose(inputs, [2, 0, 1, 3]), [width, shape[0] * shape[1], depth])
        return collect_named_outputs(outputs_collections, entered, outputs)


@public("contrib.layers.sequence_to_images")
@add_arg_scope
def sequence_to_images(inputs: Any, height: int, output_data_format: str = "channels_last",
                       outputs_collections: Any = None, scope: str | None = None) -> Any:
    """The inverse of images_to_sequence for pictures of this height, as `tf.contrib.layers.sequence_to_images`.

    Inputs of any dtype, [width, batch * height, channels]; the result is [batch, height, width, channels], or [batch,
    channels, height, width] for "channels_first". Raises ValueError for another rank or a height that does not divide,
    TypeError if width or channels is not known.

    >>> gc.contrib.layers.sequence_to_images(gc.zeros([4, 6, 5]), height=3).shape
    TensorShape([Dimension(2), Dimension(3), Dimension(4), Dimension(5)])
    """
    with gc.name_scope(scope, "SequenceToImages", [inputs]) as entered:
        inputs = gc.convert_to_tensor(inputs)
        width, batches, depth = inputs.get_shape().as_list()
        pictures = gc.reshape(inputs, [width, -1 if batches is None else batches // height, height, depth])
        order = [1, 3, 2, 0] if output_data_format == "channels_first" else [1, 2, 0, 3]
        return collect_named_outputs(outputs_collections, entered, gc.transpose(pictures, order))
