"""CropAndResize: parts of pictures in one size; and its gradients by the pictures and by the boxes."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import FLOATING, DType, float32, float64, int32, uint8, uint32
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal, require_less
from graphc.ir.tensor import Operation
from graphc.ops.image.resize import check_size

_BOXES = np.array([[0.1, 0.2, 0.8, 0.9], [-0.3, 0.4, 1.2, 0.7], [0.9, 0.8, 0.2, 0.1], [0.3, 0.3, 0.3, 0.6]], np.float32)
_INDEX = np.array([1, 0, 1, 0], np.int32)
_METHODS = {"bilinear": 0, "nearest": 1}


def _check_boxes(op: Op, boxes: Spec, box_ind: Spec) -> None:
    """Raises unless these are float32[n, 4] and int32[n]."""
    for name, spec, dtype, rank in (("boxes", boxes, float32, 2), ("box_ind", box_ind, int32, 1)):
        if spec.dtype != dtype:
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but {op.type} takes {dtype.name} only; "
                            "cast it (gc.cast)")
        check_rank(name, spec, rank)
    if boxes.shape is not None:
        require_equal(boxes.shape[1], 4, "argument 'boxes' must have rows of 4 numbers")
        if box_ind.shape is not None:
            require_equal(boxes.shape[0], box_ind.shape[0], "'boxes' and 'box_ind' must have one length")


def _check_method(op: Any) -> None:
    if op.method not in _METHODS:
        raise ValueError(f"argument 'method' must be 'bilinear' or 'nearest', but is {op.method!r}")


def _check_pixels(shape: Sequence[Size]) -> None:
    for n in shape[1:3]:
        require_less(0, n, "the pictures must have rows and columns")


def _check_image(op: Op, image: Spec) -> None:
    check_dtype(op, "image", image.dtype, "number_in_int64")
    if image.dtype == uint32:
        raise TypeError(f"argument 'image' has dtype uint32, which {op.type} does not take; cast it (gc.cast)")
    check_rank("image", image, 4)
    if image.shape is not None:
        _check_pixels(image.shape)


def _crop_dims(image: Sequence[Size], boxes: Size, crop: Sequence[Size]) -> list[Size]:
    return [*image, boxes, *crop]


def _along(low: np.float32, high: np.float32, size: int, count: int) -> np.ndarray:
    """Where the places of a crop lie along an axis, as TF computes them: in float32."""
    last = np.float32(size - 1)
    if count <= 1:
        return np.full(count, np.float32(0.5) * (low + high) * last, np.float32)
    return low * last + np.arange(count, dtype=np.float32) * ((high - low) * last / np.float32(count - 1))


@register
class CropAndResize(Op):
    """The boxes (y1, x1, y2, x2) of pictures number box_ind, resized to crop_size; `extrapolation_value` outside."""

    checks_data = True
    operands = ("image", "boxes", "box_ind", "crop_size")
    results = ("crops",)
    types: ClassVar = {"T": "image"}
    crop_size: tuple[Size, ...] = operand_field("ints")
    method: str = attr("string", "bilinear")
    extrapolation_value: float = attr("float", 0.0)
    samples: ClassVar = [
        Sample({"crop_size": size, "method": m, "extrapolation_value": e}, (shape, _BOXES, _INDEX), (d,),
               gradient=False, low=0, high=9)
        for size, m, e, shape, d in (
            ((3, 4), "bilinear", 0.0, (2, 5, 6, 3), None), ((3, 4), "nearest", 0.5, (2, 5, 6, 3), None),
            ((1, 1), "bilinear", -1.0, (2, 4, 4, 1), None), ((2, 3), "bilinear", 0.0, (2, 1, 1, 2), float64),
            ((2, 3), "bilinear", 0.25, (3, 5, 4, 2), uint8), ((5, 2), "nearest", 0.0, (2, 3, 4, 1), int32))] + [
        Sample({"crop_size": (2, 2)}, ((2, 3, 3, 1), _BOXES[:0], _INDEX[:0]), gradient=False)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (float32,)

    def infer(self, image: Spec, boxes: Spec, box_ind: Spec) -> Spec:
        _check_image(self, image)
        _check_boxes(self, boxes, box_ind)
        _check_method(self)
        check_size(self.crop_size)
        count = boxes.shape[0] if boxes.shape is not None else None
        if count is None or image.shape is None:
            return Spec(float32, None)
        return Spec(float32, (count, *self.crop_size, image.shape[3]))

    def reference(self, image: np.ndarray, boxes: np.ndarray, box_ind: np.ndarray) -> np.ndarray:
        _, rows, columns, depth = image.shape
        size: Any = self.crop_size
        result = np.full((len(boxes), *size, depth), self.extrapolation_value, np.float32)
        for n, (y1, x1, y2, x2) in enumerate(boxes):
            picture = image[box_ind[n]].astype(np.float64)
            for i, y in enumerate(_along(y1, y2, rows, size[0])):
                for j, x in enumerate(_along(x1, x2, columns, size[1])):
                    if 0 <= y <= rows - 1 and 0 <= x <= columns - 1:
                        result[n, i, j] = self.pixel(picture, float(y), float(x))
        return result

    def pixel(self, picture: np.ndarray, y: float, x: float) -> np.ndarray:
        if self.method == "nearest":
            return picture[int(np.floor(y + 0.5)), int(np.floor(x + 0.5))]
        rows, columns = (np.maximum(0, 1 - np.abs(np.arange(n) - v))
                         for n, v in zip(picture.shape[:2], (y, x), strict=True))
        return np.einsum("i,j,ijc->c", rows, columns, picture)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        image, boxes, box_ind, _ = node.inputs
        by_image = None
        if image.dtype in FLOATING:
            by_image = g.crop_and_resize_grad_image(dy, boxes, box_ind, g.shape(image), T=image.dtype,
                                                    method=self.method)
        return [by_image, g.crop_and_resize_grad_boxes(dy, image, boxes, box_ind), None, None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        image, boxes, box_ind = inputs
        outside = b.constant(np.array([self.extrapolation_value], np.float32))
        b.call("crop_boxes", [image, boxes, box_ind, outside, outputs[0]],
               _crop_dims(image.shape, boxes.shape[0], self.crop_size), [_METHODS[self.method]])


_GRADS = [((4, 3, 4, 3), (2, 5, 6, 3)), ((4, 1, 1, 1), (2, 4, 4, 1)), ((4, 2, 3, 2), (2, 1, 1, 2)),
          ((0, 2, 2, 1), (2, 3, 3, 1))]


@register
class CropAndResizeGradImage(Op):
    """The gradient of CropAndResize by pictures of shape image_size."""

    checks_data = True
    operands = ("grads", "boxes", "box_ind", "image_size")
    results = ("output",)
    image_size: tuple[Size, ...] = operand_field("ints")
    T: DType = attr("type", float32)
    method: str = attr("string", "bilinear")
    samples: ClassVar = [
        Sample({"image_size": shape, "method": m, "T": t}, (s, _BOXES[:s[0]], _INDEX[:s[0]]), gradient=False)
        for s, shape in _GRADS for m, t in (("bilinear", float32), ("nearest", float32), ("bilinear", float64))]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.T,)

    def infer(self, grads: Spec, boxes: Spec, box_ind: Spec) -> Spec:
        if grads.dtype != float32:
            raise TypeError(f"argument 'grads' has dtype {grads.dtype.name}, but {self.type} takes float32 only; cast "
                            "it (gc.cast)")
        check_dtype(self, "T", self.T, "floating")
        check_rank("grads", grads, 4)
        _check_boxes(self, boxes, box_ind)
        _check_method(self)
        if len(self.image_size) != 4:
            raise ValueError(f"argument 'image_size' must have 4 elements, but has {len(self.image_size)}")
        _check_pixels(self.image_size)
        if grads.shape is not None:
            require_equal(grads.shape[3], self.image_size[3], "'grads' and the pictures must have as many channels")
            if boxes.shape is not None:
                require_equal(grads.shape[0], boxes.shape[0], "'grads' and 'boxes' must have one length")
        return Spec(self.T, self.image_size)

    def reference(self, grads: np.ndarray, boxes: np.ndarray, box_ind: np.ndarray) -> np.ndarray:
        # What each pixel does to the crops is what a picture of it alone becomes.
        size: Any = self.image_size
        forward = CropAndResize(grads.shape[1:3], self.method)
        result = np.zeros(size, np.float64)
        for n, row, column in np.ndindex(*size[:3]):
            alone = np.zeros((*size[:3], 1))
            alone[n, row, column] = 1
            result[n, row, column] = (forward.reference(alone, boxes, box_ind) * grads).sum((0, 1, 2), np.float64)
        return result.astype(self.T.numpy)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        grads, boxes, box_ind = inputs
        b.call("crop_boxes_image_grad", [grads, boxes, box_ind, outputs[0]],
               _crop_dims(self.image_size, boxes.shape[0], grads.shape[1:3]), [_METHODS[self.method]])


@register
class CropAndResizeGradBoxes(Op):
    """The gradient of bilinear CropAndResize by the boxes; upon a pixel, as TF's, that of a level picture."""

    checks_data = True
    operands = ("grads", "image", "boxes", "box_ind")
    results = ("output",)
    types: ClassVar = {"T": "image"}
    method: str = attr("string", "bilinear")
    samples: ClassVar = [Sample({}, (s, shape, _BOXES[:s[0]], _INDEX[:s[0]]), (None, d), gradient=False, low=-3, high=9)
                         for s, shape in _GRADS for d in (None, float64, uint8)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (float32,)

    def infer(self, grads: Spec, image: Spec, boxes: Spec, box_ind: Spec) -> Spec:
        if grads.dtype != float32:
            raise TypeError(f"argument 'grads' has dtype {grads.dtype.name}, but {self.type} takes float32 only; cast "
                            "it (gc.cast)")
        check_rank("grads", grads, 4)
        _check_image(self, image)
        _check_boxes(self, boxes, box_ind)
        if grads.shape is not None:
            if image.shape is not None:
                require_equal(grads.shape[3], image.shape[3], "'grads' and the pictures must have as many channels")
            if boxes.shape is not None:
                require_equal(grads.shape[0], boxes.shape[0], "'grads' and 'boxes' must have one length")
        return Spec(float32, boxes.shape)

    def reference(self, grads: np.ndarray, image: np.ndarray, boxes: np.ndarray, box_ind: np.ndarray) -> np.ndarray:
        _, rows, columns, _ = image.shape
        result = np.zeros(boxes.shape, np.float64)
        for n, (y1, x1, y2, x2) in enumerate(boxes):
            picture = image[box_ind[n]].astype(np.float64)
            ys, xs = _along(y1, y2, rows, grads.shape[1]), _along(x1, x2, columns, grads.shape[2])
            for i, j in np.ndindex(len(ys), len(xs)):
                if not (0 <= ys[i] <= rows - 1 and 0 <= xs[j] <= columns - 1):
                    continue
                slopes = [(self.slope(picture, float(ys[i]), float(xs[j]), axis) * grads[n, i, j]).sum()
                          for axis in (0, 1)]
                for axis, (index, count, size) in enumerate(((i, len(ys), rows), (j, len(xs), columns))):
                    far = index / (count - 1) if count > 1 else 0.5
                    result[n, axis] += slopes[axis] * (size - 1) * (1 - far)
                    result[n, axis + 2] += slopes[axis] * (size - 1) * far
        return result.astype(np.float32)

    def slope(self, picture: np.ndarray, y: float, x: float, axis: int) -> np.ndarray:
        """How much each channel grows along an axis."""
        moved, (along, across) = np.moveaxis(picture, axis, 0), ((y, x) if axis == 0 else (x, y))
        low, high = int(np.floor(along)), int(np.ceil(along))
        weights = np.maximum(0, 1 - np.abs(np.arange(moved.shape[1]) - across))
        return np.einsum("j,jc->c", weights, moved[high] - moved[low])

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        grads, image, boxes, box_ind = inputs
        b.call("crop_boxes_box_grad", [grads, image, boxes, box_ind, outputs[0]],
               _crop_dims(image.shape, boxes.shape[0], grads.shape[1:3]))
