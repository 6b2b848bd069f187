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
    """int32: the numbers of the best boxes, best first, of which no two overlap by more than iou_threshold.

    boxes: float32[n, (y1, x1, y2, x2)] in any unit; scores: float32[n]; only those above score_threshold count. Overlap
    is the common area over the area of both together. max_output_size: an int32 scalar. As
    `tf.image.non_max_suppression`. Raises ValueError for boxes without four numbers, scores of another length and a
    negative max_output_size; an iou_threshold outside [0, 1] is an InvalidArgumentError when run.

    >>> boxes = [[0., 0., 1., 1.], [0., 0.1, 1., 1.1], [0., 5., 1., 6.]]
    >>> gc.image.non_max_suppression(boxes, scores=[0.8, 0.9, 0.3], max_output_size=2).eval()
    array([1, 2], dtype=int32)
    """
    made: Tensor = apply(NonMaxSuppressionV3, _single(boxes), _single(scores), max_output_size, _single(iou_threshold),
                         _single(score_threshold), name=name or "non_max_suppression")
    return made


@public("image.non_max_suppression_padded")
def non_max_suppression_padded(boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5,
                               score_threshold: Any = float("-inf"), pad_to_max_output_size: bool = False,
                               name: str | None = None) -> tuple[Tensor, Tensor]:
    """(numbers of boxes, how many): as `non_max_suppression`, with pad_to_max_output_size filled up with zeros.

    Both are int32, [max_output_size] if padded, and a scalar. As `tf.image.non_max_suppression_padded`. Raises
    ValueError for shapes that do not fit.

    >>> boxes = [[0., 0., 1., 1.], [0., 0.1, 1., 1.1], [0., 5., 1., 6.]]
    >>> numbers, count = gc.image.non_max_suppression_padded(boxes, [0.8, 0.9, 0.3], 3, pad_to_max_output_size=True)
    >>> numbers.eval(), count.eval()
    (array([1, 2, 0], dtype=int32), np.int32(2))
    """
    numbers, count = apply(NonMaxSuppressionV4, _single(boxes), _single(scores), max_output_size,
                           _single(iou_threshold), _single(score_threshold),
                           pad_to_max_output_size=bool(pad_to_max_output_size), name=name or "non_max_suppression")
    return numbers, count


@public("image.non_max_suppression_with_scores")
def non_max_suppression_with_scores(boxes: Any, scores: Any, max_output_size: Any, iou_threshold: Any = 0.5,
                                    score_threshold: Any = float("-inf"), soft_nms_sigma: Any = 0.0,
                                    name: str | None = None) -> tuple[Tensor, Tensor]:
    """(numbers of boxes, their scores): as `non_max_suppression`.

    With a soft_nms_sigma above 0 scores fall with the overlap (Bodla et al.), and nothing is suppressed but by its
    score. int32 and float32, of one length. As `tf.image.non_max_suppression_with_scores`. Raises ValueError for shapes
    that do not fit.

    >>> boxes = [[0., 0., 1., 1.], [0., 0.1, 1., 1.1], [0., 5., 1., 6.]]
    >>> numbers, scores = gc.image.non_max_suppression_with_scores(boxes, [0.8, 0.9, 0.3], 3, soft_nms_sigma=0.5)
    >>> numbers.eval(), scores.eval()
    (array([1, 0, 2], dtype=int32), array([0.9   , 0.4096, 0.3   ], dtype=float32))
    """
    numbers, kept, _ = apply(NonMaxSuppressionV5, _single(boxes), _single(scores), max_output_size,
                             _single(iou_threshold), _single(score_threshold), _single(soft_nms_sigma),
                             name=name or "non_max_suppression_with_scores")
    return numbers, kept


@public("image.non_max_suppression_overlaps")
def non_max_suppression_with_overlaps(overlaps: Any, scores: Any, max_output_size: Any, overlap_threshold: Any = 0.5,
                                      score_threshold: Any = float("-inf"), name: str | None = None) -> Tensor:
    """As `non_max_suppression`, by a table float32[n, n] of how much box i overlaps box j.

    As `tf.image.non_max_suppression_overlaps`. Raises ValueError unless overlaps is square, and as long as scores.

    >>> overlaps = [[1., 0.8, 0.], [0.8, 1., 0.1], [0., 0.1, 1.]]
    >>> gc.image.non_max_suppression_overlaps(overlaps, [0.8, 0.9, 0.3], 3).eval()
    array([1, 2], dtype=int32)
    """
    made: Tensor = apply(NonMaxSuppressionWithOverlaps, _single(overlaps), _single(scores), max_output_size,
                         _single(overlap_threshold), _single(score_threshold),
                         name=name or "non_max_suppression_overlaps")
    return made


@public("image.combined_non_max_suppression")
def combined_non_max_suppression(boxes: Any, scores: Any, max_output_size_per_class: Any, max_total_size: Any,
                                 iou_threshold: Any = 0.5, score_threshold: Any = float("-inf"),
                                 pad_per_class: bool = False, clip_boxes: bool = True,
                                 name: str | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(boxes, scores, classes, how many) of the best boxes of each picture, class by class, best first.

    boxes: float32[batch, n, 1 or classes, (y1, x1, y2, x2)]; scores: float32[batch, n, classes]. The results are filled
    up with zeros to max_total_size a picture (pad_per_class: or to max_output_size_per_class * classes, if that is
    less). clip_boxes: to 0 to 1. The first three are float32, how many int32[batch]. As
    `tf.image.combined_non_max_suppression`; of equal scores the lower class comes first. Raises ValueError for other
    shapes, and limits that are not positive.

    >>> boxes = gc.constant([[[[0., 0., 1., 0.5]], [[0., 0.1, 1., 0.6]]]])
    >>> scores = gc.constant([[[0.9, 0.1], [0.8, 0.7]]])
    >>> _, best, classes, count = gc.image.combined_non_max_suppression(boxes, scores, 2, 3)
    >>> best.eval(), classes.eval(), count.eval()
    (array([[0.9, 0.7, 0. ]], dtype=float32), array([[0., 1., 0.]], dtype=float32), array([2], dtype=int32))
    """
    made: tuple[Tensor, Tensor, Tensor, Tensor] = apply(
        CombinedNonMaxSuppression, _single(boxes), _single(scores), max_output_size_per_class, max_total_size,
        _single(iou_threshold), _single(score_threshold), pad_per_class=bool(pad_per_class),
        clip_boxes=bool(clip_boxes), name=name or "combined_non_max_suppression")
    return made
