"""Pictures of other sizes by more than two old elements an axis: ResizeBicubic with its gradient, ResizeArea."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import FLOATING, DType, float32, float64, int32, uint8
from graphc.ir.op import attr, register
from graphc.ir.tensor import Operation
from graphc.ops.image.resize import Resize, ResizeGradient, resize_samples
from graphc.ops.image.sampling import Sampler, along, gathered, scale, scattered


def _keys(x: np.ndarray, a: float) -> np.ndarray:
    """The kernel of bicubic convolution at distances x."""
    x = np.abs(x)
    near = (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1
    return np.where(x <= 1, near, np.where(x < 2, a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a, 0.0))


@register
class ResizeBicubic(Resize):
    """Every new element is mixed from sixteen old ones by bicubic convolution. The result is float32."""

    half_pixel_centers: bool = attr("bool", False)
    samples: ClassVar = resize_samples(uint8, int32, float64)

    def reference(self, x: np.ndarray) -> np.ndarray:
        for axis in (2, 1):
            x = np.moveaxis(np.tensordot(self.weights(x.shape[axis], axis), x.astype(np.float64), (1, axis)), 0, axis)
        return x.astype(np.float32)

    def weights(self, old: int, axis: int) -> np.ndarray:
        """The matrix from the old axis to the new one."""
        place = self.places(np.empty((1, old, old, 1)), axis)
        low = np.floor(place)
        part = np.rint((place - low) * np.float32(1024)) / 1024
        matrix = np.zeros((place.size, old))
        for k in (-1, 0, 1, 2):
            index = low.astype(np.int64) + k
            weight = _keys(part - k, -0.5 if self.half_pixel_centers else -0.75)
            if self.half_pixel_centers:
                weight = np.where((index < 0) | (index >= old), 0.0, weight)
            np.add.at(matrix, (np.arange(place.size), np.clip(index, 0, old - 1)), weight)
        return matrix / matrix.sum(1, keepdims=True)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        if node.inputs[0].dtype not in FLOATING:
            return [None, None]
        return [g.resize_bicubic_grad(dy, node.inputs[0], align_corners=self.align_corners,
                                      half_pixel_centers=self.half_pixel_centers), None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x = inputs[0]
        for axis in (2, 1):
            taps = self.sampler(b, inputs[0], axis).cubic()
            y = outputs[0] if axis == 1 else b.temporary(float32, (*x.shape[:2], self.size[1], x.shape[3]))
            b.elementwise(_mixed, [*(gathered(b, x, index, axis) for index, _ in taps),
                                   *(along(weight, axis) for _, weight in taps)], [y])
            x = y


def _mixed(s: Any, *loaded: Any) -> Any:
    parts = [s("mul", s.cast(x, float32), w) for x, w in zip(loaded[:4], loaded[4:], strict=True)]
    return s("add", s("add", s("add", parts[0], parts[1]), parts[2]), parts[3])


@register
class ResizeBicubicGrad(ResizeGradient):
    """The gradient of ResizeBicubic."""

    def reference(self, grads: np.ndarray, original: np.ndarray) -> np.ndarray:
        forward, x = ResizeBicubic(grads.shape[1:3], self.align_corners, self.half_pixel_centers), grads
        for axis in (1, 2):
            weights = forward.weights(original.shape[axis], axis)
            x = np.moveaxis(np.tensordot(weights, x.astype(np.float64), (0, axis)), 0, axis)
        return x.astype(original.dtype)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.resize_bicubic(dy, g.shape(node.inputs[0])[1:3], align_corners=self.align_corners,
                                 half_pixel_centers=self.half_pixel_centers), None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, image = inputs
        for axis in (1, 2):
            size, parts = image.shape[axis], []
            for index, weight in Sampler(b, size, x.shape[axis], self.align_corners, self.half_pixel_centers).cubic():
                share = b.temporary(float32, x.shape)
                b.elementwise(lambda s, x, w: s("mul", x, w), [x, along(weight, axis)], [share])
                parts.append(scattered(b, share, index, axis, size))
            x = outputs[0] if axis == 2 else b.temporary(float32, parts[0].shape)

            def total(s: Any, p: Any, q: Any, r: Any, t: Any, dtype: DType = x.dtype) -> Any:
                return s.cast(s("add", s("add", s("add", p, q), r), t), dtype)

            b.map(total, parts, [x])


@register
class ResizeArea(Resize):
    """Every new element is the mean of the area that it covers. The result is float32; TF has no gradient."""

    samples: ClassVar = [s for s in resize_samples(uint8, int32, float64) if "half_pixel_centers" not in s.attributes]

    def reference(self, x: np.ndarray) -> np.ndarray:
        x = x.astype(np.float64)
        size: Any = self.size
        for axis in (1, 2):
            old, new = x.shape[axis], size[axis - 1]
            step = scale(old, new, self.align_corners)
            rows = []
            for i in range(new):
                begin, end = np.float32(i) * step, np.float32(i + 1) * step
                covered = np.arange(int(np.floor(begin)), max(int(np.ceil(end)), int(np.floor(begin)) + 1))
                share = (np.minimum(covered + 1, end) - np.maximum(covered, begin)).reshape((-1,) + (1,) * (3 - axis))
                with np.errstate(invalid="ignore"):         # of corners of one place, as TF: no area
                    rows.append((np.take(x, np.minimum(covered, old - 1), axis) * share).sum(axis) / step)
            x = np.stack(rows, axis)
        return x.astype(np.float32)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x = inputs[0]
        batch, rows, columns, channels = x.shape
        single = b.temporary(float32, x.shape)
        b.map(lambda s, v: s.cast(v, float32), [x], [single])
        high, wide = self.sampler(b, x, 1).areas(), self.sampler(b, x, 2).areas()
        # All rows of a picture at once; then each row as a matrix of columns by channels.
        middle = b.temporary(float32, (batch, self.size[0], columns, channels))
        inner = dims.product((columns, channels))
        b.call("matmul", [high, single, middle],
               dims=[batch, self.size[0], inner, rows, 0, dims.product((rows, inner))], attrs=[0, 0])
        b.call("matmul", [wide, middle, outputs[0]],
               dims=[dims.product((batch, self.size[0])), self.size[1], channels, columns, 0, inner], attrs=[0, 0])
