"""The best of many boxes that overlap: NonMaxSuppression."""
from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, int32, int64
from graphc.ir.elementwise import check_rank
from graphc.ir.known import own_symbol, require_nonnegative
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec, require_equal

_CORNERS = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [1, 11.1, 0, 10.1],
                     [0, 100, 1, 101], [3, 3, 3, 9]], np.float32)
_SCORES = np.array([0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.6], np.float32)


_THRESHOLD = "iou_threshold must be in [0, 1]"


def check_floats(op: Op, **specs: tuple[Spec, int]) -> None:
    for name, (spec, rank) in specs.items():
        if spec.dtype != float32:
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but {op.type} takes float32 only; cast it "
                            "(gc.cast)")
        check_rank(name, spec, rank)


def check_threshold(overlap: Any) -> None:
    if not 0 <= overlap <= 1:
        raise InvalidArgumentError(_THRESHOLD)


Similarity = Callable[[int, int], Any]


def picked(similarity: Similarity, scores: np.ndarray, most: int, overlap: float, least: float,
           sigma: float = 0.0) -> tuple[list[int], list[Any]]:
    """The definition: in descending order of scores, what does not overlap one that was picked, and its score.

    sigma above 0: a score falls with each picked one's overlap instead, when its turn has come; then it waits for its
    turn again, or is out if it falls to `least`.
    """
    waiting = [(-score, i, 0) for i, score in enumerate(scores) if score > least]
    heapq.heapify(waiting)
    found: list[int] = []
    kept: list[Any] = []
    while waiting and len(found) < most:
        negative, i, seen = heapq.heappop(waiting)
        if sigma > 0:
            fallen = -negative
            for j in found[seen:]:
                shared = similarity(i, j)
                fallen = np.float32(fallen * np.exp(np.float32(-0.5 / sigma) * shared * shared))
            if fallen > least and fallen != -negative:
                heapq.heappush(waiting, (-fallen, i, len(found)))
            if not fallen > least or fallen != -negative:
                continue
        elif any(similarity(i, j) > overlap for j in found):
            continue
        found.append(i)
        kept.append(-negative)
    return found, kept


def overlap_of(a: np.ndarray, b: np.ndarray) -> np.float32:
    low = [np.minimum(box[:2], box[2:]) for box in (a, b)]
    high = [np.maximum(box[:2], box[2:]) for box in (a, b)]
    areas = [np.prod(h - w) for h, w in zip(high, low, strict=True)]
    if min(areas) <= 0:
        return np.float32(0)
    shared = np.prod(np.maximum(np.minimum(*high) - np.maximum(*low), np.float32(0)))
    return np.float32(shared / (areas[0] + areas[1] - shared))


@dataclass(frozen=True, eq=False)
class _Suppression(Op):
    """What the forms of NonMaxSuppression share: `thresholds` operands after max_output_size."""

    results = ("selected_indices",)
    refusal = _THRESHOLD
    kernel: ClassVar[str] = "suppress_boxes"
    max_output_size: Size = operand_field("int")

    def infer(self, boxes: Spec, scores: Spec, *thresholds: Spec) -> Any:  # type: ignore[override]
        check_floats(self, **{self.operands[0]: (boxes, 2), "scores": (scores, 1)})
        for name, spec in zip(self.operands[3:], thresholds, strict=True):
            check_floats(self, **{name: (spec, 0)})
        if boxes.shape is not None:
            self.check_boxes(boxes)
            if scores.shape is not None:
                require_equal(boxes.shape[0], scores.shape[0],
                              f"'{self.operands[0]}' and 'scores' must have one length")
        if isinstance(self.max_output_size, int) and self.max_output_size < 0:
            raise ValueError(f"max_output_size must not be negative, but is {self.max_output_size}")
        require_nonnegative([self.max_output_size], "max_output_size must not be negative")
        return self.results_of_size(own_symbol(self, "picked"))

    def check_boxes(self, boxes: Spec) -> None:
        require_equal(boxes.shape[1], 4, "argument 'boxes' must have rows of 4 numbers")  # type: ignore[index]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (int32,) * len(self.results)

    def results_of_size(self, size: Size) -> Any:
        return Spec(int32, (size,))

    def reference(self, boxes: np.ndarray, scores: np.ndarray, *thresholds: np.ndarray) -> Any:
        overlap = thresholds[0] if thresholds else np.float32(getattr(self, "iou_threshold", 0.5))
        least = thresholds[1] if len(thresholds) > 1 else -np.inf
        sigma = thresholds[2] if len(thresholds) > 2 else 0
        most: Any = self.max_output_size
        if self.kernel == "suppress_boxes":
            check_threshold(overlap)
        return self.form(*picked(self.similarity(boxes), scores, most, float(overlap), float(least), float(sigma)))

    def similarity(self, boxes: np.ndarray) -> Similarity:
        return lambda i, j: overlap_of(boxes[i], boxes[j])

    def form(self, found: list[int], kept: list[Any]) -> Any:
        return np.array(found, np.int32)

    def suppressed(self, b: Any, inputs: Any) -> tuple[Any, Any, Any]:
        """max_output_size numbers of boxes, their scores, and how many of them are good."""
        boxes, scores, *thresholds = inputs
        given = [getattr(self, "iou_threshold", 0.5), -np.inf, 0.0]
        limits = [b.reshape(t, (1,)) for t in thresholds]
        limits += [b.constant(np.array([v], np.float32)) for v in given[len(limits):]]
        found, count = b.temporary(int32, (self.max_output_size,)), b.temporary(int64, (1,))
        kept = b.temporary(float32, (self.max_output_size,))
        b.call(self.kernel, [boxes, scores, *limits, found, kept, count], [boxes.shape[0], self.max_output_size])
        return found, kept, count

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        *found, count = self.suppressed(b, inputs)
        size = outputs[0].shape[0]
        padded = getattr(self, "pad_to_max_output_size", False)
        if not padded:
            b.bind(count, [size])
        lists = outputs[:1] if self.results[-1] != "valid_outputs" else outputs[:-1]
        for made, y in zip(found, lists, strict=False):
            b.copy(made if padded else made.part(0, 0, size), y)
        if len(lists) < len(outputs):
            b.map(lambda s, n: s.cast(n, int32), [count.select(0, 0)], [outputs[-1]])


_CASES = tuple((n, i, s) for n in (0, 3, 30) for i, s in ((0.5, -np.inf), (0.0, 0.55), (0.9, 0.6)))


@register
class NonMaxSuppression(_Suppression):
    """The numbers of at most max_output_size boxes, by descending score, none overlapping another too much."""

    checks_data = True
    operands = ("boxes", "scores", "max_output_size")
    iou_threshold: float = attr("float", 0.5)
    samples: ClassVar = [Sample({"max_output_size": n, "iou_threshold": i}, (_CORNERS, _SCORES), gradient=False)
                         for n, i, _ in _CASES] + [
        Sample({"max_output_size": 3}, (_CORNERS[:0], _SCORES[:0]), gradient=False)]


@register
class NonMaxSuppressionV2(_Suppression):
    """NonMaxSuppression whose iou_threshold is computed."""

    checks_data = True
    operands = ("boxes", "scores", "max_output_size", "iou_threshold")
    types: ClassVar = {"T": "boxes", "T_threshold": "iou_threshold"}
    samples: ClassVar = [Sample({"max_output_size": n}, (_CORNERS, _SCORES, np.float32(i)), gradient=False)
                         for n, i, _ in _CASES]


@register
class NonMaxSuppressionV3(_Suppression):
    """NonMaxSuppressionV2 of the boxes whose score is more than score_threshold."""

    checks_data = True
    operands = ("boxes", "scores", "max_output_size", "iou_threshold", "score_threshold")
    types: ClassVar = {"T": "boxes", "T_threshold": "iou_threshold"}
    samples: ClassVar = [
        Sample({"max_output_size": n}, (_CORNERS, _SCORES, np.float32(i), np.float32(s)), gradient=False)
        for n, i, s in _CASES]


@register
class NonMaxSuppressionV4(_Suppression):
    """NonMaxSuppressionV3 that also says how many boxes it picked; padded with zeros to max_output_size if wanted."""

    checks_data = True
    operands = ("boxes", "scores", "max_output_size", "iou_threshold", "score_threshold")
    results = ("selected_indices", "valid_outputs")
    types: ClassVar = {"T": "boxes", "T_threshold": "iou_threshold"}
    pad_to_max_output_size: bool = attr("bool", False)
    samples: ClassVar = [
        Sample({"max_output_size": n, "pad_to_max_output_size": p}, (_CORNERS, _SCORES, np.float32(i), np.float32(s)),
               gradient=False) for n, i, s in _CASES for p in (False, True)]

    def results_of_size(self, size: Size) -> Any:
        return Spec(int32, (self.max_output_size if self.pad_to_max_output_size else size,)), Spec(int32, ())

    def form(self, found: list[int], kept: list[Any]) -> Any:
        return _padded(self, found, np.int32), np.int32(len(found))


def _padded(op: Any, found: list[Any], dtype: Any) -> np.ndarray:
    rest = op.max_output_size - len(found) if op.pad_to_max_output_size else 0
    return np.array(found + [0] * rest, dtype)


_SOFT = ((0, 0.5, -np.inf, 0.5), (3, 0.5, -np.inf, 0.5), (30, 0.5, 0.1, 0.5), (30, 0.3, 0.2, 0.1), (4, 0.5, 0.1, 0.0))


@register
class NonMaxSuppressionV5(_Suppression):
    """NonMaxSuppressionV4 that says the picked boxes' scores, too. They fall with the overlap if soft_nms_sigma is
    above 0, by a factor exp(-overlap^2 / (2 soft_nms_sigma)), and nothing is suppressed but by its score."""

    checks_data = True
    operands = ("boxes", "scores", "max_output_size", "iou_threshold", "score_threshold", "soft_nms_sigma")
    results = ("selected_indices", "selected_scores", "valid_outputs")
    types: ClassVar = {"T": "boxes"}
    pad_to_max_output_size: bool = attr("bool", False)
    samples: ClassVar = [
        Sample({"max_output_size": n, "pad_to_max_output_size": p},
               (_CORNERS, _SCORES, np.float32(i), np.float32(s), np.float32(sigma)), gradient=False)
        for n, i, s, sigma in _SOFT for p in (False, True)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return int32, float32, int32

    def results_of_size(self, size: Size) -> Any:
        size = self.max_output_size if self.pad_to_max_output_size else size
        return Spec(int32, (size,)), Spec(float32, (size,)), Spec(int32, ())

    def form(self, found: list[int], kept: list[Any]) -> Any:
        return _padded(self, found, np.int32), _padded(self, kept, np.float32), np.int32(len(found))


_OVERLAPS = np.array([[overlap_of(a, b) for b in _CORNERS] for a in _CORNERS], np.float32)


@register
class NonMaxSuppressionWithOverlaps(_Suppression):
    """NonMaxSuppressionV3 by a table of how much box i (row) overlaps box j."""

    checks_data = True
    kernel = "suppress_overlaps"
    operands = ("overlaps", "scores", "max_output_size", "overlap_threshold", "score_threshold")
    samples: ClassVar = [
        Sample({"max_output_size": n}, (_OVERLAPS * 3, _SCORES, np.float32(i * 3), np.float32(s)), gradient=False)
        for n, i, s in _CASES]

    def check_boxes(self, boxes: Spec) -> None:
        rows, columns = boxes.shape  # type: ignore[misc]
        require_equal(rows, columns, "argument 'overlaps' must be square")

    def similarity(self, boxes: np.ndarray) -> Similarity:
        return lambda i, j: boxes[i, j]
