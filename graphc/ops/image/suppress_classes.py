"""The best boxes of several classes in a batch of pictures: CombinedNonMaxSuppression."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, int32
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal
from graphc.ops.image.suppression import check_floats, check_threshold, overlap_of, picked


def _samples() -> list[Sample]:
    corners = np.random.default_rng(3).uniform(-0.2, 1.2, (2, 9, 3, 4)).astype(np.float32)
    scores = np.random.default_rng(4).permutation(54).reshape(2, 9, 3).astype(np.float32) / 54
    cases = ((3, 5, 0.3, 0.1, False, True, 3), (9, 20, 0.5, 0.4, True, False, 3), (2, 40, 0.0, 0.0, True, True, 1),
             (1, 2, 1.0, 0.9, False, False, 1))
    made = [Sample({"max_output_size_per_class": each, "max_total_size": total, "pad_per_class": pad,
                    "clip_boxes": clip},
                   (corners[:, :, :kinds], scores, np.float32(overlap), np.float32(least)), gradient=False)
            for each, total, overlap, least, pad, clip, kinds in cases]
    few = {"max_output_size_per_class": 2, "max_total_size": 3}
    return [*made, Sample(few, (corners[:0], scores[:0], np.float32(0.5), np.float32(0)), gradient=False),
            Sample(few, (corners[:, :0], scores[:, :0], np.float32(0.5), np.float32(0)), gradient=False)]


@register
class CombinedNonMaxSuppression(Op):
    """Of each picture the boxes, scores and classes of the best boxes, none overlapping another of its class too much,
    padded with zeros, and how many they are."""

    operands = ("boxes", "scores", "max_output_size_per_class", "max_total_size", "iou_threshold", "score_threshold")
    results = ("nmsed_boxes", "nmsed_scores", "nmsed_classes", "valid_detections")
    checks_data = True
    refusal = "iou_threshold must be in [0, 1]"
    max_output_size_per_class: Size = operand_field("int")
    max_total_size: Size = operand_field("int")
    pad_per_class: bool = attr("bool", False)
    clip_boxes: bool = attr("bool", True)
    samples: ClassVar = _samples()

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return float32, float32, float32, int32

    def infer(self, boxes: Spec, scores: Spec, overlap: Spec, least: Spec) -> Any:  # type: ignore[override]
        check_floats(self, boxes=(boxes, 4), scores=(scores, 3), iou_threshold=(overlap, 0),
                     score_threshold=(least, 0))
        for name in ("max_output_size_per_class", "max_total_size"):
            size = getattr(self, name)
            if isinstance(size, int) and size <= 0:
                raise ValueError(f"{name} must be positive, but is {size}")
            require_nonnegative([size], f"{name} must be positive")
        if boxes.shape is None or scores.shape is None:
            # Where padding by class depends on the number of classes, so does the size.
            size = dims.symbol("detections", ("detections",)) if self.pad_per_class else self.max_total_size
            batch: Size = (boxes.shape or scores.shape or (dims.symbol("batch", ("batch",)),))[0]
            return self._results(batch, size)
        require_equal(boxes.shape[0], scores.shape[0], "'boxes' and 'scores' must have one batch size")
        require_equal(boxes.shape[1], scores.shape[1], "'boxes' and 'scores' must have as many boxes")
        require_equal(boxes.shape[3], 4, "argument 'boxes' must have rows of 4 numbers")
        kinds, classes = boxes.shape[2], scores.shape[2]
        if kinds != 1 and isinstance(kinds, int):
            require_equal(kinds, classes, "argument 'boxes' must have boxes for every class, or for all")
        return self._results(boxes.shape[0], self._detections(classes))

    def _detections(self, classes: Size) -> Size:
        if not self.pad_per_class:
            return self.max_total_size
        return dims.minimum(self.max_total_size, self.max_output_size_per_class * classes)

    def _results(self, batch: Size, size: Size) -> tuple[Spec, ...]:
        return (Spec(float32, (batch, size, 4)), Spec(float32, (batch, size)), Spec(float32, (batch, size)),
                Spec(int32, (batch,)))

    def reference(self, *inputs: np.ndarray) -> Any:
        boxes, scores, overlap, least = inputs
        each: Any = self.max_output_size_per_class
        check_threshold(overlap)
        size: Any = self._detections(scores.shape[2])
        made = [np.zeros((len(boxes), size, 4), np.float32), *np.zeros((2, len(boxes), size), np.float32),
                np.zeros(len(boxes), np.int32)]
        for n, (corners, row) in enumerate(zip(boxes, scores, strict=True)):
            listed = []
            for c in range(row.shape[1]):
                of_class = corners[:, min(c, corners.shape[1] - 1)]
                found, kept = picked(lambda i, j, k=of_class: overlap_of(k[i], k[j]),  # type: ignore[misc]
                                     row[:, c], each, float(overlap), float(least))
                listed += [(-score, c, of_class[i]) for i, score in zip(found, kept, strict=True)]
            listed = sorted(listed, key=lambda entry: entry[:2])[:size]
            for i, (score, c, box) in enumerate(listed):
                made[0][n, i] = np.clip(box, 0, 1) if self.clip_boxes else box
                made[1][n, i], made[2][n, i] = -score, c
            made[3][n] = len(listed)
        return tuple(made)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        boxes, scores, *limits = inputs
        b.call("suppress_classes", [boxes, scores, *(b.reshape(t, (1,)) for t in limits), *outputs],
               [*boxes.shape[:3], scores.shape[2], self.max_output_size_per_class, outputs[1].shape[1]],
               [int(self.clip_boxes)])
