"""The ops that make summaries, as `tf.raw_ops` has them: graphc/summary adds tags, names and collections.

Each gives one string, a serialised Summary (proto/summary.proto).
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float32, string
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.summary.audio import AudioSummaryV2
from graphc.ops.summary.histogram import HistogramSummary
from graphc.ops.summary.image import ImageSummary
from graphc.ops.summary.scalars import MergeSummary, ScalarSummary
from graphc.ops.summary.tensors import TensorSummaryV2

RED = np.array([255, 0, 0, 255], np.uint8)


@public("raw_ops.ScalarSummary")
def scalar_summary(tags: Any, values: Any, name: str | None = None) -> Tensor:
    """A Summary, serialized: each number under its tag. tags and values are of one shape. As
    `tf.raw_ops.ScalarSummary`.

    `gc.summary.scalar` is the usual way. tags: strings; values: real numbers. Raises TypeError for others; shapes that
    differ are an InvalidArgumentError when run.

    >>> made = gc.raw_ops.ScalarSummary(tags=["loss"], values=[0.5]).eval()
    >>> [(value.tag, value.simple_value) for value in gc.Summary.FromString(made).value]
    [('loss', 0.5)]
    """
    result: Tensor = apply(ScalarSummary, tags, values, name=name)
    return result


@public("raw_ops.HistogramSummary")
def histogram_summary(tag: Any, values: Any, name: str | None = None) -> Tensor:
    """A Summary, serialized: the histogram of all values. As `tf.raw_ops.HistogramSummary`.

    InvalidArgumentError when run if one is not finite. tag: a string scalar; values: real numbers of any shape. Raises
    TypeError for others.

    >>> made = gc.raw_ops.HistogramSummary(tag="w", values=[1., 2., 2.]).eval()
    >>> histogram = gc.Summary.FromString(made).value[0].histo
    >>> histogram.num, histogram.min, histogram.max, histogram.sum
    (3.0, 1.0, 2.0, 5.0)
    """
    result: Tensor = apply(HistogramSummary, tag, values, name=name)
    return result


@public("raw_ops.ImageSummary")
def image_summary(tag: Any, tensor: Any, max_images: int = 3, bad_color: Any = RED, name: str | None = None) -> Tensor:
    """A Summary, serialized: up to max_images pictures of [batch, height, width, 1, 3 or 4], as PNGs.

    tensor: uint8, or floats, which are scaled so that the largest is 255; bad_color: of pixels that are not finite. The
    result is a string scalar. As `tf.raw_ops.ImageSummary`. Raises TypeError for other dtypes, ValueError for
    max_images below 1; other shapes are an InvalidArgumentError when run.

    >>> made = gc.raw_ops.ImageSummary(tag="x", tensor=gc.zeros([2, 3, 4, 1])).eval()
    >>> [(value.tag, value.image.height, value.image.width) for value in gc.Summary.FromString(made).value]
    [('x/image/0', 3, 4), ('x/image/1', 3, 4)]
    """
    result: Tensor = apply(ImageSummary, tag, tensor, name=name, max_images=int(max_images),
                           bad_color=np.asarray(bad_color, np.uint8))
    return result


@public("raw_ops.AudioSummaryV2")
def audio_summary(tag: Any, tensor: Any, sample_rate: Any, max_outputs: int = 3, name: str | None = None) -> Tensor:
    """A Summary, serialized: up to max_outputs sounds of [batch, frames] or [batch, frames, channels], -1 to 1, as
    WAVs.

    sample_rate: frames a second. tensor: float32; the result is a string scalar. As `tf.raw_ops.AudioSummaryV2`. Raises
    TypeError for strings, ValueError for max_outputs below 1 and tensors of other dtypes; other shapes and a
    sample_rate that is not positive are an InvalidArgumentError when run.

    >>> made = gc.raw_ops.AudioSummaryV2(tag="x", tensor=gc.zeros([1, 8]), sample_rate=4000.).eval()
    >>> audio = gc.Summary.FromString(made).value[0].audio
    >>> audio.sample_rate, audio.length_frames
    (4000.0, 8)
    """
    with get_default_graph().name_scope(name or "AudioSummaryV2") as scope:
        text = convert_to_tensor(tag, string, name="tag")
        sounds = convert_to_tensor(tensor, float32, name="tensor")
        result: Tensor = apply(AudioSummaryV2, text, sounds, convert_to_tensor(sample_rate, float32, "sample_rate"),
                               name=scope, max_outputs=int(max_outputs))
    return result


@public("raw_ops.TensorSummaryV2")
def tensor_summary(tag: Any, tensor: Any, serialized_summary_metadata: Any, name: str | None = None) -> Tensor:
    """A Summary, serialized: a whole tensor, with metadata (a serialized SummaryMetadata). As
    `tf.raw_ops.TensorSummaryV2`.

    tag, serialized_summary_metadata: string scalars; tensor: of any dtype and shape; the result is a string scalar.
    Raises TypeError for a tag that is no string.

    >>> made = gc.raw_ops.TensorSummaryV2(tag="x", tensor=[1, 2], serialized_summary_metadata="").eval()
    >>> gc.make_ndarray(gc.Summary.FromString(made).value[0].tensor)
    array([1, 2], dtype=int32)
    """
    result: Tensor = apply(TensorSummaryV2, tag, tensor, serialized_summary_metadata, name=name)
    return result


@public("raw_ops.MergeSummary")
def merge_summary(inputs: Sequence[Any], name: str | None = None) -> Tensor:
    """One Summary, serialized, of what is in all of them. As `tf.raw_ops.MergeSummary`.

    InvalidArgumentError when run if two have one tag. inputs: string scalars, else TypeError; the result is one.

    >>> parts = [gc.raw_ops.ScalarSummary(tags=tag, values=1.) for tag in ("a", "b")]
    >>> made = gc.raw_ops.MergeSummary(inputs=parts).eval()
    >>> [value.tag for value in gc.Summary.FromString(made).value]
    ['a', 'b']
    """
    result: Tensor = apply(MergeSummary, list(inputs), name=name)
    return result
