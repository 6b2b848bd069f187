"""contrib.layers.summarize_*: summaries of tensors, one by one or of whole collections."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import graphc as gc
from graphc.api.public import public

Summarizer = Callable[[Any], Any]


@public("contrib.layers.summarize_tensor")
def summarize_tensor(tensor: Any, tag: str | None = None) -> Any:
    """A scalar's summary, or a histogram; None for strings and bools.

    tensor: real numbers of any shape; the summary is a string scalar. tag: by default its name and _summary. Raises
    TypeError for complex numbers. As `tf.contrib.layers.summarize_tensor`.

    >>> summary = gc.contrib.layers.summarize_tensor(gc.constant(2., name="loss"))
    >>> gc.Summary.FromString(summary.eval()).value[0].simple_value
    2.0
    """
    if tensor.dtype.base_dtype in (gc.string, gc.bool):
        return None
    kind = gc.summary.scalar if tensor.get_shape().ndims == 0 else gc.summary.histogram
    return kind(tag or f"{tensor.op.name}_summary", tensor)


@public("contrib.layers.summarize_activation")
def summarize_activation(op: Any) -> Any:
    """A histogram of an activation; of a relu the part of zeros, too (and of sixes, of a relu6).

    op: a tensor of real numbers of any shape; the result, the histogram, is a string scalar. Raises TypeError for other
    dtypes. As `tf.contrib.layers.summarize_activation`.

    >>> gc.contrib.layers.summarize_activation(gc.nn.relu(gc.constant([-1., 2.]), name="relu"))
    <gc.Tensor 'relu/activation:0' shape=() dtype=string>
    >>> len(gc.get_collection(gc.GraphKeys.SUMMARIES))
    2
    """
    kind, name = op.op.type, op.op.name
    if kind in ("Relu", "Softplus", "Relu6"):
        before = op.op.inputs[0]
        _share(gc.less(before, gc.cast(0.0, before.dtype)), f"{name}/zeros")
    if kind == "Relu6":
        _share(gc.greater(before, gc.cast(6.0, before.dtype)), f"{name}/sixes")
    return gc.summary.histogram(f"{name}/activation", op)


def _share(of: Any, tag: str) -> None:
    gc.summary.scalar(tag, gc.reduce_mean(gc.to_float(of)))


@public("contrib.layers.summarize_tensors")
def summarize_tensors(tensors: Iterable[Any], summarizer: Summarizer = summarize_tensor) -> list[Any]:
    """The summaries of several tensors.

    A list of what summarizer gives for each: string scalars, and None for strings and bools. As
    `tf.contrib.layers.summarize_tensors`.

    >>> len(gc.contrib.layers.summarize_tensors([gc.constant(1.), gc.constant([1., 2.])]))
    2
    """
    return [summarizer(tensor) for tensor in tensors]


@public("contrib.layers.summarize_collection")
def summarize_collection(collection: Any, name_filter: str | None = None,
                         summarizer: Summarizer = summarize_tensor) -> list[Any]:
    """Summaries of what is in a collection and whose name matches the filter (a regular expression) at its start.

    A list of what summarizer gives for each tensor. A filter that is no regular expression is re's error. As
    `tf.contrib.layers.summarize_collection`.

    >>> for name in ("loss_1", "other"):
    ...     gc.add_to_collection("mine", gc.constant(1., name=name))
    >>> len(gc.contrib.layers.summarize_collection("mine", name_filter="loss"))
    1
    """
    return summarize_tensors([t for t in gc.get_collection(collection)
                              if name_filter is None or re.match(name_filter, t.op.name)], summarizer)


@public("contrib.layers.summarize_activations")
def summarize_activations(name_filter: str | None = None,
                          summarizer: Summarizer = summarize_activation) -> list[Any]:
    """summarize_activation of what is in the collection ACTIVATIONS.

    A list of string scalars; name_filter as `gc.contrib.layers.summarize_collection`. As
    `tf.contrib.layers.summarize_activations`.

    >>> y = gc.contrib.layers.fully_connected(gc.zeros([1, 2]), 3, outputs_collections=gc.GraphKeys.ACTIVATIONS)
    >>> len(gc.contrib.layers.summarize_activations())
    1
    """
    return summarize_collection(gc.GraphKeys.ACTIVATIONS, name_filter, summarizer)


@public("contrib.layers.summarize_variables")
def summarize_variables(name_filter: str | None = None, summarizer: Summarizer = summarize_tensor) -> list[Any]:
    """Summaries of the global variables, trainable or not.

    A list of string scalars; name_filter as `gc.contrib.layers.summarize_collection`. As
    `tf.contrib.layers.summarize_variables`.

    >>> w = gc.Variable([1., 2.])
    >>> len(gc.contrib.layers.summarize_variables())
    1
    """
    return summarize_collection(gc.GraphKeys.GLOBAL_VARIABLES, name_filter, summarizer)


@public("contrib.layers.summarize_weights")
def summarize_weights(name_filter: str | None = None, summarizer: Summarizer = summarize_tensor) -> list[Any]:
    """Summaries of the collection WEIGHTS.

    A list of string scalars; name_filter as `gc.contrib.layers.summarize_collection`. As
    `tf.contrib.layers.summarize_weights`.

    >>> gc.add_to_collection(gc.GraphKeys.WEIGHTS, gc.Variable([[1., 2.]], name="w"))
    >>> len(gc.contrib.layers.summarize_weights())
    1
    """
    return summarize_collection(gc.GraphKeys.WEIGHTS, name_filter, summarizer)


@public("contrib.layers.summarize_biases")
def summarize_biases(name_filter: str | None = None, summarizer: Summarizer = summarize_tensor) -> list[Any]:
    """Summaries of the collection BIASES.

    A list of string scalars; name_filter as `gc.contrib.layers.summarize_collection`. As
    `tf.contrib.layers.summarize_biases`.

    >>> gc.add_to_collection(gc.GraphKeys.BIASES, gc.Variable([1., 2.], name="b"))
    >>> len(gc.contrib.layers.summarize_biases())
    1
    """
    return summarize_collection(gc.GraphKeys.BIASES, name_filter, summarizer)
