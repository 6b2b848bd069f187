"""The best of many boxes that overlap."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import float32
from graphc.ir.tensor import Tensor
from graphc.ops.image.suppress_classes import CombinedNonMaxSuppression
from graphc.ops.image.suppression import (
    NonMaxSuppressionV3,
    NonMaxSuppressionV4,
    NonMaxSuppressionV5,
    NonMaxSuppressionWithOverlaps,
)


def _single(value: Any) -> Tensor:
    return convert_to_tensor(value, float32)


@public("image.non_max_suppression")
def non_max_suppression(boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5,
                        score_threshold: Any = float("-inf"), name: str | None = None) -> Tensor:
    """The numbers of the best boxes that do not overlap much, as `tf.image.non_max_suppression`."""
    made: Tensor = apply(NonMaxSuppressionV3, _single(boxes), _single(scores), max_output_size, _single(iou_threshold),
                         _single(score_threshold), name=name or "non_max_suppression")
    return made


@public("image.non_max_suppression_padded")
def non_max_suppression_padded(boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5,
                               score_threshold: Any = float("-inf"), pad_to_max_output_size: bool = False,
                               name: str | None = None) -> tuple[Tensor, Tensor]:
    """(numbers of boxes, how many), as `tf.image.non_max_suppression_padded`."""
    numbers, count = apply(NonMaxSuppressionV4, _single(boxes), _single(scores), max_output_size,
                           _single(iou_threshold), _single(score_threshold),
                           pad_to_max_output_size=bool(pad_to_max_output_size), name=name or "non_max_suppression")
    return numbers, count


@public("image.non_max_suppression_with_scores")
def non_max_suppression_with_scores(boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5,
                                    score_threshold: Any = float("-inf"), soft_nms_sigma: Any = 0.0,
                                    name: str | None = None) -> tuple[Tensor, Tensor]:
    """(numbers of boxes, their scores), as `tf.image.non_max_suppression_with_scores`. With a soft_nms_sigma above 0
    scores fall with the overlap, and nothing is suppressed but by its score."""
    numbers, kept, _ = apply(NonMaxSuppressionV5, _single(boxes), _single(scores), max_output_size,
                             _single(iou_threshold), _single(score_threshold), _single(soft_nms_sigma),
                             name=name or "non_max_suppression_with_scores")
    return numbers, kept


@public("image.non_max_suppression_overlaps")
def non_max_suppression_with_overlaps(overlaps: Any, scores: Any, max_output_size: Any, overlap_threshold: Any = 0.5,
                                      score_threshold: Any = float("-inf"), name: str | None = None) -> Tensor:
    """As `non_max_suppression`, by a table of how much box i overlaps box j. As
    `tf.image.non_max_suppression_overlaps`."""
    made: Tensor = apply(NonMaxSuppressionWithOverlaps, _single(overlaps), _single(scores), max_output_size,
                         _single(overlap_threshold), _single(score_threshold),
                         name=name or "non_max_suppression_overlaps")
    return made


@public("image.combined_non_max_suppression")
def combined_non_max_suppression(boxes: Any, scores: Any, max_output_size_per_class: Any, max_total_size: Any,
                                 iou_threshold: Any = 0.5, score_threshold: Any = float("-inf"),
                                 pad_per_class: bool = False, clip_boxes: bool = True,
                                 name: str | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(boxes, scores, classes, how many) of the best boxes of each picture, class by class. As
    `tf.image.combined_non_max_suppression`; of equal scores the lower class comes first."""
    made: tuple[Tensor, Tensor, Tensor, Tensor] = apply(
        CombinedNonMaxSuppression, _single(boxes), _single(scores), max_output_size_per_class, max_total_size,
        _single(iou_threshold), _single(score_threshold), pad_per_class=bool(pad_per_class),
        clip_boxes=bool(clip_boxes), name=name or "combined_non_max_suppression")
    return made
