"""Summaries as TensorFlow before 1.0 had them, later tf.contrib.deprecated: tags are given, names are made."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.summary.scopes import collect
from graphc.summary.summaries import SUMMARIES, Collections


@public("compat.v1.scalar_summary", "contrib.deprecated.scalar_summary")
def scalar_summary(tags: Any, values: Any, collections: Collections = None, name: str | None = None) -> gc.Tensor:
    """Each number under its tag, as `tf.scalar_summary`.

    tags: strings, of the shape of values, which are real numbers; each is used as it is, without the name scope. The
    result is a string scalar. Raises TypeError for others; shapes that differ are an InvalidArgumentError when run.

    >>> message = gc.Summary.FromString(gc.contrib.deprecated.scalar_summary(["a", "b"], [1., 2.]).eval())
    >>> [(value.tag, value.simple_value) for value in message.value]
    [('a', 1.0), ('b', 2.0)]
    """
    with gc.name_scope(name, "ScalarSummary", [tags, values]) as scope:
        return collect(gc.raw_ops.ScalarSummary(tags, values, name=scope), collections, SUMMARIES)


@public("compat.v1.histogram_summary", "contrib.deprecated.histogram_summary")
def histogram_summary(tag: Any, values: Any, collections: Collections = None, name: str | None = None) -> gc.Tensor:
    """The histogram of all values, as `tf.histogram_summary`.

    tag: a string scalar; values: real numbers of any shape; TypeError for others. The result is a string scalar.

    >>> message = gc.Summary.FromString(gc.contrib.deprecated.histogram_summary("w", [1., 2.]).eval())
    >>> message.value[0].tag, message.value[0].histo.sum
    ('w', 3.0)
    """
    with gc.name_scope(name, "HistogramSummary", [tag, values]) as scope:
        return collect(gc.raw_ops.HistogramSummary(tag, values, name=scope), collections, SUMMARIES)


@public("compat.v1.image_summary", "contrib.deprecated.image_summary")
def image_summary(tag: Any, tensor: Any, max_images: int = 3, collections: Collections = None,
                  name: str | None = None) -> gc.Tensor:
    """Pictures of [batch, height, width, 1, 3 or 4], as `tf.image_summary`.

    tensor: uint8 or floats; TypeError for others. The result is a string scalar. Other shapes are an
    InvalidArgumentError when run.

    >>> message = gc.Summary.FromString(gc.contrib.deprecated.image_summary("photo", gc.zeros([2, 4, 4, 3])).eval())
    >>> [value.tag for value in message.value]
    ['photo/image/0', 'photo/image/1']
    """
    with gc.name_scope(name, "ImageSummary", [tag, tensor]) as scope:
        return collect(gc.raw_ops.ImageSummary(tag, tensor, max_images=max_images, name=scope), collections, SUMMARIES)


@public("compat.v1.audio_summary", "contrib.deprecated.audio_summary")
def audio_summary(tag: Any, tensor: Any, sample_rate: Any, max_outputs: int = 3, collections: Collections = None,
                  name: str | None = None) -> gc.Tensor:
    """Sounds of [batch, frames] or [batch, frames, channels], as `tf.audio_summary`.

    tensor: float32, from -1 to 1; sample_rate: in Hertz. The result is a string scalar. Other shapes are an
    InvalidArgumentError when run.

    >>> gc.contrib.deprecated.audio_summary("beep", gc.zeros([1, 8]), sample_rate=8000.).dtype
    gc.string
    """
    with gc.name_scope(name, "AudioSummary", [tag, tensor]) as scope:
        return collect(gc.raw_ops.AudioSummaryV2(tag, tensor, sample_rate, max_outputs=max_outputs, name=scope),
                       collections, SUMMARIES)


@public("compat.v1.merge_summary", "contrib.deprecated.merge_summary")
def merge_summary(inputs: Sequence[Any], collections: Collections = None, name: str | None = None) -> gc.Tensor:
    """One summary of what is in all of them, as `tf.merge_summary`.

    inputs: a list of string scalars (TypeError); two of one tag end the run with InvalidArgumentError.

    >>> parts = [gc.contrib.deprecated.scalar_summary(tag, 0.5) for tag in ("a", "b")]
    >>> message = gc.Summary.FromString(gc.contrib.deprecated.merge_summary(parts).eval())
    >>> [value.tag for value in message.value]
    ['a', 'b']
    """
    with gc.name_scope(name, "MergeSummary", inputs):
        return collect(gc.raw_ops.MergeSummary(inputs, name=name), collections, ())


@public("compat.v1.merge_all_summaries", "contrib.deprecated.merge_all_summaries")
def merge_all_summaries(key: str = gc.GraphKeys.SUMMARIES) -> gc.Tensor | None:
    """The summary of all in the collection, as `tf.merge_all_summaries`; None if it is empty.

    The result is a string scalar; two of one tag end the run with InvalidArgumentError.

    >>> loss = gc.contrib.deprecated.scalar_summary("loss", 0.5)
    >>> message = gc.Summary.FromString(gc.contrib.deprecated.merge_all_summaries().eval())
    >>> message.value[0].simple_value
    0.5
    """
    summaries = gc.get_collection(key)
    return merge_summary(summaries) if summaries else None
