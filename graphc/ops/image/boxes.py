"""Boxes that were found: NonMaxSuppression picks the best ones, DrawBoundingBoxes shows them."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, int32, int64
from graphc.ir.elementwise import check_rank
from graphc.ir.known import own_symbol, require_nonnegative
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal, require_less
from graphc.ir.tensor import Operation

_CORNERS = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [1, 11.1, 0, 10.1],
                     [0, 100, 1, 101], [3, 3, 3, 9]], np.float32)
_SCORES = np.array([0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.6], np.float32)


def _check(op: Op, **specs: tuple[Spec, int]) -> None:
    for name, (spec, rank) in specs.items():
        if spec.dtype != float32:
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but {op.type} takes float32 only; cast it "
                            "(gc.cast)")
        check_rank(name, spec, rank)


def _picked(boxes: np.ndarray, scores: np.ndarray, most: int, overlap: float, least: float) -> list[int]:
    """The definition: in descending order of scores, what does not overlap one that was picked."""
    order = sorted((i for i in range(len(boxes)) if scores[i] > least), key=lambda i: (-scores[i], i))
    found: list[int] = []
    for i in order:
        if len(found) < most and all(_overlap(boxes[i], boxes[j]) <= overlap for j in found):
            found.append(i)
    return found


def _overlap(a: np.ndarray, b: np.ndarray) -> np.float32:
    low = [np.minimum(box[:2], box[2:]) for box in (a, b)]
    high = [np.maximum(box[:2], box[2:]) for box in (a, b)]
    areas = [np.prod(h - w) for h, w in zip(high, low, strict=True)]
    if min(areas) <= 0:
        return np.float32(0)
    shared = np.prod(np.maximum(np.minimum(*high) - np.maximum(*low), np.float32(0)))
    return np.float32(shared / (areas[0] + areas[1] - shared))


@dataclass(frozen=True, eq=False)
class _Suppression(Op):
    """What the forms of NonMaxSuppression share: `thresholds` operands behind max_output_size."""

    results = ("selected_indices",)
    max_output_size: Size = operand_field("int")  # noqa: RUF009  (a declaration)

    def infer(self, boxes: Spec, scores: Spec, *thresholds: Spec) -> Any:  # type: ignore[override]
        _check(self, boxes=(boxes, 2), scores=(scores, 1))
        for name, spec in zip(self.operands[3:], thresholds, strict=True):
            _check(self, **{name: (spec, 0)})
        if boxes.shape is not None:
            require_equal(boxes.shape[1], 4, "argument 'boxes' must have rows of 4 numbers")
            if scores.shape is not None:
                require_equal(boxes.shape[0], scores.shape[0], "'boxes' and 'scores' must have one length")
        if isinstance(self.max_output_size, int) and self.max_output_size < 0:
            raise ValueError(f"max_output_size must not be negative, but is {self.max_output_size}")
        require_nonnegative([self.max_output_size], "max_output_size must not be negative")
        return self.picked()

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (int32,) * len(self.results)

    def picked(self) -> Any:
        return Spec(int32, (own_symbol(self, "picked"),))

    def reference(self, boxes: np.ndarray, scores: np.ndarray, *thresholds: np.ndarray) -> Any:
        overlap = thresholds[0] if thresholds else np.float32(getattr(self, "iou_threshold", 0.5))
        least = thresholds[1] if len(thresholds) > 1 else -np.inf
        most: Any = self.max_output_size
        return self.form(_picked(boxes, scores, most, float(overlap), float(least)))

    def form(self, found: list[int]) -> Any:
        return np.array(found, np.int32)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)

    def suppressed(self, b: Any, inputs: Any) -> tuple[Any, Any]:
        """max_output_size numbers of boxes, and how many of them are good."""
        boxes, scores, *thresholds = inputs
        given = [np.float32(getattr(self, "iou_threshold", 0.5)), np.float32(-np.inf)]
        limits = [b.reshape(t, (1,)) for t in thresholds]
        limits += [b.constant(np.array([v])) for v in given[len(limits):]]
        found, count = b.temporary(int32, (self.max_output_size,)), b.temporary(int64, (1,))
        b.call("suppress_boxes", [boxes, scores, *limits, found, count], [boxes.shape[0], self.max_output_size])
        return found, count

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        found, count = self.suppressed(b, inputs)
        b.bind(count, [outputs[0].shape[0]])
        b.copy(found.part(0, 0, outputs[0].shape[0]), outputs[0])


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

    def picked(self) -> Any:
        size = self.max_output_size if self.pad_to_max_output_size else own_symbol(self, "picked")
        return Spec(int32, (size,)), Spec(int32, ())

    def form(self, found: list[int]) -> Any:
        most: Any = self.max_output_size
        padded = found + [0] * (most - len(found)) if self.pad_to_max_output_size else found
        return np.array(padded, np.int32), np.int32(len(found))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        found, count = self.suppressed(b, inputs)
        if self.pad_to_max_output_size:
            b.copy(found, outputs[0])
        else:
            b.bind(count, [outputs[0].shape[0]])
            b.copy(found.part(0, 0, outputs[0].shape[0]), outputs[0])
        b.map(lambda s, n: s.cast(n, int32), [count.select(0, 0)], [outputs[1]])


# The colours that TF draws with, in turn: yellow, blue, red, lime, purple, olive, maroon, navy, aqua, fuchsia.
_COLORS = np.array([[1, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 1], [0, 1, 0, 1], [0.5, 0, 0.5, 1], [0.5, 0.5, 0, 1],
                    [0.5, 0, 0, 1], [0, 0, 0.5, 1], [0, 1, 1, 1], [1, 0, 1, 1]], np.float32)
_DRAWN = np.array([[[0.1, 0.2, 0.8, 0.9], [-0.5, 0.3, 0.4, 1.5], [0.9, 0.9, 0.1, 0.1], [np.nan, 0, 1, 1],
                    [0.5, 0.5, 0.5, 0.5], [-2, -2, 3, 3]]] * 2, np.float32)


@dataclass(frozen=True, eq=False)
class _Drawing(Op):
    """Pictures with boxes [batch, n, (y1, x1, y2, x2)] drawn on them, a pixel wide."""

    results = ("output",)

    def infer(self, images: Spec, boxes: Spec, *colors: Spec) -> Spec:  # type: ignore[override]
        _check(self, images=(images, 4), boxes=(boxes, 3))
        for spec in colors:
            _check(self, colors=(spec, 2))
        if images.shape is not None:
            depth = images.shape[3]
            if isinstance(depth, int) and depth not in (1, 3, 4):
                raise ValueError(f"argument 'images' must have 1, 3 or 4 channels, but has {depth}")
            if boxes.shape is not None:
                require_equal(images.shape[0], boxes.shape[0], "'images' and 'boxes' must have one batch size")
                require_equal(boxes.shape[2], 4, "argument 'boxes' must have rows of 4 numbers")
        return Spec(images.dtype, images.shape)

    def reference(self, images: np.ndarray, boxes: np.ndarray, *colors: np.ndarray) -> np.ndarray:
        result, table = images.copy(), self.colors(images.shape[3], *colors)
        rows, columns = images.shape[1:3]
        for n, listed in enumerate(boxes):
            for i, box in enumerate(listed):
                if np.isfinite(box).all():
                    y1, x1, y2, x2 = np.trunc(box * np.float32([rows - 1, columns - 1] * 2)).astype(np.int64)
                    if y1 <= y2 and x1 <= x2:
                        y, x = np.ogrid[:rows, :columns]
                        inside = (y >= y1) & (y <= y2) & (x >= x1) & (x <= x2)
                        edge = inside & ((y == y1) | (y == y2) | (x == x1) | (x == x2))
                        result[n][edge] = table[i % len(table)][:images.shape[3]]
        return result

    def colors(self, depth: int, *colors: np.ndarray) -> np.ndarray:
        table = colors[0].copy() if colors and len(colors[0]) else _COLORS.copy()
        if depth == 1:
            table[:, 0] = 1
        return table


@register
class DrawBoundingBoxes(_Drawing):
    """images with boxes in ten colours, in turn; white if there is one channel."""

    operands = ("images", "boxes")
    types: ClassVar = {"T": "images"}
    samples: ClassVar = [Sample({}, ((2, 7, 9, c), _DRAWN), gradient=False) for c in (1, 3, 4)] + [
        Sample({}, ((2, 1, 1, 3), _DRAWN[:, :1]), gradient=False), Sample({}, ((1, 4, 5, 3), _DRAWN[:1, :0]),
                                                                         gradient=False)]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        images, boxes = inputs
        b.call("draw_boxes", [images, boxes, b.constant(_COLORS), outputs[0]], [*images.shape, boxes.shape[1], 10, 4])


@register
class DrawBoundingBoxesV2(_Drawing):
    """images with boxes in `colors`, in turn."""

    operands = ("images", "boxes", "colors")
    types: ClassVar = {"T": "images"}
    samples: ClassVar = [Sample({}, ((2, 7, 9, c), _DRAWN, (k, 4)), gradient=False) for c in (3, 4) for k in (1, 3)]

    def infer(self, images: Spec, boxes: Spec, *colors: Spec) -> Spec:
        made = super().infer(images, boxes, *colors)
        if images.shape is not None and images.shape[3] == 1:
            raise ValueError("argument 'images' must have 3 or 4 channels for colours, but has 1; use "
                             "gc.image.grayscale_to_rgb")
        rows = colors[0].shape[0] if colors[0].shape else 0
        if not dims.same(rows, 0):
            require_less(0, rows, "argument 'colors' must have a row or more, where only a run knows how many")
        return made

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        images, boxes, colors = inputs
        if dims.same(colors.shape[0], 0):      # as TF: the ten colours of those who say none
            colors = b.constant(_COLORS)
        b.call("draw_boxes", [images, boxes, colors, outputs[0]], [*images.shape, boxes.shape[1], *colors.shape])
