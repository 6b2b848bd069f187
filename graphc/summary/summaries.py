"""scalar, histogram, image, audio, text, tensor_summary, merge, merge_all.

Each gives a string tensor, a serialised Summary for FileWriter.add_summary, and is in the collection
GraphKeys.SUMMARIES unless `collections` says otherwise. family: a prefix of the tag, by which TensorBoard groups.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.summary.scopes import clean_tag, collect, summary_scope

SUMMARIES = (gc.GraphKeys.SUMMARIES,)
Collections = Sequence[str] | None


@public("summary.scalar")
def scalar(name: str, tensor: Any, collections: Collections = None, family: str | None = None) -> gc.Tensor:
    """One number, as `tf.summary.scalar`.

    The tag is the name with the name scopes; family: put before it, so that TensorBoard shows those together. The
    result is a string scalar, the message Summary, for FileWriter.add_summary. tensor: a real number. Raises TypeError
    for strings, booleans and complex numbers; a tensor that is no scalar is an InvalidArgumentError when run.

    >>> with gc.name_scope("train"):
    ...     summary = gc.summary.scalar("loss", 0.5)
    >>> print(gc.Summary.FromString(summary.eval()))
    value {
      tag: "train/loss"
      simple_value: 0.5
    }
    """
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        return collect(gc.raw_ops.ScalarSummary(tag, tensor, name=scope), collections, SUMMARIES)


@public("summary.histogram")
def histogram(name: str, values: Any, collections: Collections = None, family: str | None = None) -> gc.Tensor:
    """How often which values occur, as `tf.summary.histogram`. InvalidArgumentError if one is not finite.

    values: real numbers of any shape; TypeError for others. The result is a string scalar.

    >>> message = gc.Summary.FromString(gc.summary.histogram("w", [1., 2., 2.]).eval())
    >>> values = message.value[0].histo
    >>> values.num, values.sum, values.min, values.max
    (3.0, 5.0, 1.0, 2.0)
    """
    with summary_scope(name, family, "HistogramSummary", [values]) as (tag, scope):
        return collect(gc.raw_ops.HistogramSummary(tag, values, name=scope), collections, SUMMARIES)


@public("summary.image")
def image(name: str, tensor: Any, max_outputs: int = 3, collections: Collections = None,
          family: str | None = None) -> gc.Tensor:
    """Up to max_outputs pictures of [batch, height, width, 1, 3 or 4], as `tf.summary.image`. uint8 is shown as it is,
    floats are scaled, each picture by itself.

    The result is a string scalar. Raises TypeError for other dtypes, ValueError for max_outputs below 1. Other shapes
    are an InvalidArgumentError when run.

    >>> pictures = gc.zeros([5, 4, 6, 3], gc.uint8)
    >>> message = gc.Summary.FromString(gc.summary.image("photo", pictures, max_outputs=2).eval())
    >>> [(value.tag, value.image.height, value.image.width) for value in message.value]
    [('photo/image/0', 4, 6), ('photo/image/1', 4, 6)]
    """
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        return collect(gc.raw_ops.ImageSummary(tag, tensor, max_images=max_outputs, name=scope), collections, SUMMARIES)


@public("summary.audio")
def audio(name: str, tensor: Any, sample_rate: Any, max_outputs: int = 3, collections: Collections = None,
          family: str | None = None) -> gc.Tensor:
    """Up to max_outputs sounds of [batch, frames] or [batch, frames, channels] between -1 and 1, as
    `tf.summary.audio`.
    sample_rate: in Hertz, a number or a scalar tensor.

    The result is a string scalar. Raises ValueError for max_outputs below 1, and tensors that are not float32; other
    shapes and a sample_rate that is not positive are an InvalidArgumentError when run.

    >>> sounds = gc.sin(gc.reshape(gc.range(200.) / 10., [2, 100]))
    >>> message = gc.Summary.FromString(gc.summary.audio("beep", sounds, sample_rate=8000.).eval())
    >>> [(value.tag, value.audio.length_frames, value.audio.content_type) for value in message.value]
    [('beep/audio/0', 100, 'audio/wav'), ('beep/audio/1', 100, 'audio/wav')]
    """
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        rate = gc.convert_to_tensor(sample_rate, gc.float32, name="sample_rate")
        return collect(gc.raw_ops.AudioSummaryV2(tag, tensor, rate, max_outputs=max_outputs, name=scope), collections,
                       SUMMARIES)


@public("summary.tensor_summary")
def tensor_summary(name: str, tensor: Any, summary_description: str | None = None, collections: Collections = None,
                   summary_metadata: gc.SummaryMetadata | None = None, family: str | None = None,
                   display_name: str | None = None) -> gc.Tensor:
    """A whole tensor of any dtype, as a message TensorProto; as `tf.summary.tensor_summary`.

    summary_description, display_name: strings for TensorBoard; summary_metadata: a SummaryMetadata to begin with. The
    result is a string scalar; TypeError for what is no tensor.

    >>> message = gc.Summary.FromString(gc.summary.tensor_summary("x", [1., 2.]).eval())
    >>> gc.make_ndarray(message.value[0].tensor)
    array([1., 2.], dtype=float32)
    """
    metadata = gc.SummaryMetadata()
    if summary_metadata is not None:
        metadata.CopyFrom(summary_metadata)
    if summary_description is not None:
        metadata.summary_description = summary_description
    if display_name is not None:
        metadata.display_name = display_name
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        return collect(gc.raw_ops.TensorSummaryV2(tag, tensor, metadata.SerializeToString(), name=scope), collections,
                       SUMMARIES)


@public("summary.text")
def text(name: str, tensor: gc.Tensor, collections: Collections = None) -> gc.Tensor:
    """Strings, shown as Markdown, as `tf.summary.text`; of 2 dimensions a table.

    tensor: a tensor of strings, else ValueError. The result is a string scalar.

    >>> message = gc.Summary.FromString(gc.summary.text("note", gc.constant("*slow* today")).eval())
    >>> gc.make_ndarray(message.value[0].tensor)
    array(b'*slow* today', dtype=object)
    """
    if tensor.dtype != gc.string:
        raise ValueError(f"Expected tensor {tensor.name} to have dtype string, got {tensor.dtype}")
    metadata = gc.SummaryMetadata(plugin_data=gc.SummaryMetadata.PluginData(plugin_name="text"))
    return tensor_summary(name, tensor, collections=collections, summary_metadata=metadata)


@public("summary.merge")
def merge(inputs: Sequence[Any], collections: Collections = None, name: str | None = None) -> gc.Tensor:
    """One summary of what is in all of them, as `tf.summary.merge`. InvalidArgumentError if two have one tag.

    inputs: a list of string scalars (TypeError); the result is one.

    >>> merged = gc.summary.merge([gc.summary.scalar("a", 1.), gc.summary.scalar("b", 2.)])
    >>> [(value.tag, value.simple_value) for value in gc.Summary.FromString(merged.eval()).value]
    [('a', 1.0), ('b', 2.0)]
    """
    with gc.name_scope(clean_tag(name), "Merge", inputs):
        return collect(gc.raw_ops.MergeSummary(inputs, name=clean_tag(name)), collections, ())


@public("summary.merge_all")
def merge_all(key: str = gc.GraphKeys.SUMMARIES, scope: str | None = None,
              name: str | None = None) -> gc.Tensor | None:
    """The summary of all in the collection, as `tf.summary.merge_all`; None if it is empty. scope: only those whose
    names match that regular expression.

    The result is a string scalar; two of one tag end the run with InvalidArgumentError.

    >>> loss, rate = gc.summary.scalar("loss", 0.5), gc.summary.scalar("rate", 0.25)
    >>> [value.tag for value in gc.Summary.FromString(gc.summary.merge_all().eval()).value]
    ['loss', 'rate']
    >>> [value.tag for value in gc.Summary.FromString(gc.summary.merge_all(scope="loss").eval()).value]
    ['loss']
    """
    summaries = gc.get_collection(key, scope=scope)
    return merge(summaries, name=name) if summaries else None


@public("summary.get_summary_description")
def get_summary_description(node_def: gc.NodeDef) -> gc.summary.SummaryDescription:
    """What a node of type TensorSummary says of itself, as `tf.summary.get_summary_description`.

    Raises ValueError for other types; gc.summary.tensor_summary makes nodes of type TensorSummaryV2.

    >>> node = gc.NodeDef(op="TensorSummary")
    >>> node.attr["description"].s = b'{"typeHint": "vector"}'
    >>> gc.summary.get_summary_description(node).type_hint
    'vector'
    """
    from google.protobuf import json_format

    if node_def.op != "TensorSummary":
        raise ValueError(f"Can't get_summary_description on {node_def.op}")
    made = gc.summary.SummaryDescription()
    json_format.Parse(node_def.attr["description"].s.decode(), made)
    return made
