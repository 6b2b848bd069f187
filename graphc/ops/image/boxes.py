"""Boxes shown: DrawBoundingBoxes."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.op import Op, Sample, register
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec, require_equal, require_less, require_less_equal
from graphc.ir.tensor import Operation
from graphc.ops.image.suppression import check_floats

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
        check_floats(self, images=(images, 4), boxes=(boxes, 3))
        for spec in colors:
            check_floats(self, colors=(spec, 2))
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
        if images.shape is not None and colors[0].shape is not None:
            require_less_equal(images.shape[3], colors[0].shape[1],
                               "argument 'colors' must have a column or more for each channel of 'images'")
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
