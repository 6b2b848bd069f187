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
    """Each number under its tag, as `tf.raw_ops.ScalarSummary`; tags and values are of one shape."""
    result: Tensor = apply(ScalarSummary, tags, values, name=name)
    return result


@public("raw_ops.HistogramSummary")
def histogram_summary(tag: Any, values: Any, name: str | None = None) -> Tensor:
    """The histogram of all values, as `tf.raw_ops.HistogramSummary`. InvalidArgumentError if one is not finite."""
    result: Tensor = apply(HistogramSummary, tag, values, name=name)
    return result


@public("raw_ops.ImageSummary")
def image_summary(tag: Any, tensor: Any, max_images: int = 3, bad_color: Any = RED, name: str | None = None) -> Tensor:
    """Pictures of [batch, height, width, 1, 3 or 4], as `tf.raw_ops.ImageSummary`."""
    result: Tensor = apply(ImageSummary, tag, tensor, name=name, max_images=int(max_images),
                           bad_color=np.asarray(bad_color, np.uint8))
    return result


@public("raw_ops.AudioSummaryV2")
def audio_summary(tag: Any, tensor: Any, sample_rate: Any, max_outputs: int = 3, name: str | None = None) -> Tensor:
    """Sounds of [batch, frames] or [batch, frames, channels], as `tf.raw_ops.AudioSummaryV2`."""
    with get_default_graph().name_scope(name or "AudioSummaryV2") as scope:
        text = convert_to_tensor(tag, string, name="tag")
        sounds = convert_to_tensor(tensor, float32, name="tensor")
        result: Tensor = apply(AudioSummaryV2, text, sounds, convert_to_tensor(sample_rate, float32, "sample_rate"),
                               name=scope, max_outputs=int(max_outputs))
    return result


@public("raw_ops.TensorSummaryV2")
def tensor_summary(tag: Any, tensor: Any, serialized_summary_metadata: Any, name: str | None = None) -> Tensor:
    """A whole tensor, as `tf.raw_ops.TensorSummaryV2`."""
    result: Tensor = apply(TensorSummaryV2, tag, tensor, serialized_summary_metadata, name=name)
    return result


@public("raw_ops.MergeSummary")
def merge_summary(inputs: Sequence[Any], name: str | None = None) -> Tensor:
    """One summary of what is in all of them, as `tf.raw_ops.MergeSummary`. InvalidArgumentError if two have one tag."""
    result: Tensor = apply(MergeSummary, list(inputs), name=name)
    return result
