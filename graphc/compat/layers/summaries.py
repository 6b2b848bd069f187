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
    """A scalar's summary, or a histogram; None for strings and bools. As `tf.contrib.layers.summarize_tensor`."""
    if tensor.dtype.base_dtype in (gc.string, gc.bool):
        return None
    kind = gc.summary.scalar if tensor.get_shape().ndims == 0 else gc.summary.histogram
    return kind(tag or f"{tensor.op.name}_summary", tensor)


@public("contrib.layers.summarize_activation")
def summarize_activation(op: Any) -> Any:
    """A histogram of an activation; of a relu the part of zeros, too (and of sixes, of a relu6). As
    `tf.contrib.layers.summarize_activation`."""
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
    return [summarizer(tensor) for tensor in tensors]


@public("contrib.layers.summarize_collection")
def summarize_collection(collection: Any, name_filter: str | None = None,
                         summarizer: Summarizer = summarize_tensor) -> list[Any]:
    """Summaries of what is in a collection and whose name matches the filter (a regular expression) at its start."""
    return summarize_tensors([t for t in gc.get_collection(collection)
                              if name_filter is None or re.match(name_filter, t.op.name)], summarizer)


@public("contrib.layers.summarize_activations")
def summarize_activations(name_filter: str | None = None,
                          summarizer: Summarizer = summarize_activation) -> list[Any]:
    return summarize_collection(gc.GraphKeys.ACTIVATIONS, name_filter, summarizer)


@public("contrib.layers.summarize_variables")
def summarize_variables(name_filter: str | None = None, summarizer: Summarizer = summarize_tensor) -> list[Any]:
    return summarize_collection(gc.GraphKeys.GLOBAL_VARIABLES, name_filter, summarizer)


@public("contrib.layers.summarize_weights")
def summarize_weights(name_filter: str | None = None, summarizer: Summarizer = summarize_tensor) -> list[Any]:
    return summarize_collection(gc.GraphKeys.WEIGHTS, name_filter, summarizer)


@public("contrib.layers.summarize_biases")
def summarize_biases(name_filter: str | None = None, summarizer: Summarizer = summarize_tensor) -> list[Any]:
    return summarize_collection(gc.GraphKeys.BIASES, name_filter, summarizer)
