"""Pictures of other sizes: ResizeNearestNeighbor, ResizeBilinear, and their gradients.

Rows and columns are independent: a picture is resized along its columns, then along its rows. What the places of the
new picture are made of is computed by a map, elements are picked by the gather kernel; gradients go the same way back.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import FLOATING, DType, float32, float64, int32, uint8
from graphc.ir.elementwise import check_dtype, check_rank
from graphc.ir.op import Op, Sample, attr, operand_field, register
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec, require_equal, require_less
from graphc.ir.tensor import Operation
from graphc.ops.image.sampling import Sampler, along, check_centers, gathered, places, scattered

SIZES = (((1, 4, 5, 2), (7, 3)), ((2, 3, 3, 1), (3, 3)), ((1, 6, 5, 3), (2, 9)), ((1, 1, 1, 1), (3, 2)),
          ((1, 5, 4, 1), (1, 1)), ((0, 3, 3, 2), (2, 2)), ((1, 3, 3, 0), (2, 2)))
MODES: tuple[dict[str, bool], ...] = ({}, {"align_corners": True}, {"half_pixel_centers": True})


def resize_samples(*dtypes: DType) -> list[Sample]:
    made = [Sample({"size": size, **mode}, (shape,), gradient=False) for shape, size in SIZES for mode in MODES]
    return made + [Sample({"size": (5, 2)}, ((1, 3, 4, 2),), (d,), gradient=False, low=0, high=9) for d in dtypes]


@dataclass(frozen=True, eq=False)
class Resize(Op):
    """images, resized to `size`: (rows, columns)."""

    operands = ("images", "size")
    results = ("resized_images",)
    types: ClassVar = {"T": "images"}
    size: tuple[Size, ...] = operand_field("ints")
    align_corners: bool = attr("bool", False)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.made_of(inputs[0].dtype),)

    def made_of(self, dtype: DType) -> DType:
        return float32

    def infer(self, images: Spec) -> Spec:  # type: ignore[override]
        check_dtype(self, "images", images.dtype, "number")
        check_rank("images", images, 4)
        check_centers(self.align_corners, getattr(self, "half_pixel_centers", False))
        check_size(self.size)
        if images.shape is None:
            return Spec(self.made_of(images.dtype), None)
        batch, _, _, channels = images.shape
        check_pixels("images", images)
        return Spec(self.made_of(images.dtype), (batch, *self.size, channels))

    def sampler(self, b: Any, images: Any, axis: int) -> Sampler:
        return Sampler(b, images.shape[axis], self.size[axis - 1], self.align_corners,
                       getattr(self, "half_pixel_centers", False))

    def places(self, x: np.ndarray, axis: int) -> np.ndarray:
        size: Any = self.size[axis - 1]
        return places(x.shape[axis], size, self.align_corners, getattr(self, "half_pixel_centers", False))


def check_pixels(name: str, images: Spec) -> None:
    """Raises ValueError if the pictures, of rank 4, have no rows or no columns."""
    for what, n in zip(("rows", "columns"), (images.shape or ())[1:3], strict=False):
        require_less(0, n, f"argument '{name}' must have {what}")


def check_size(size: Sequence[Size]) -> None:
    if len(size) != 2:
        raise ValueError(f"argument 'size' must be (rows, columns), but has {len(size)} elements")
    for n in size:
        require_less(0, n, "argument 'size' must be positive")


@register
class ResizeNearestNeighbor(Resize):
    """Every new element is the old one that lies nearest."""

    half_pixel_centers: bool = attr("bool", False)
    samples: ClassVar = [
        *(Sample({"size": size, **mode}, (shape,)) for shape, size in SIZES for mode in MODES),
        Sample({"size": (5, 2)}, ((1, 3, 4, 2),), (uint8,), gradient=False, low=0, high=200),
        Sample({"size": (5, 2)}, ((1, 3, 4, 2),), (float64,)),
        Sample({"size": (5, 2)}, ((1, 3, 4, 2),), (int32,), gradient=False, low=0, high=200)]

    def made_of(self, dtype: DType) -> DType:
        return dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        for axis in (1, 2):
            place = self.places(x, axis)
            if self.half_pixel_centers:
                place = place + np.float32(0.5)
            index = np.floor(place.astype(np.float64) + (0.5 if self.align_corners else 0.0))
            x = np.take(x, np.minimum(index.astype(np.int64), x.shape[axis] - 1), axis)
        return x

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.resize_nearest_neighbor_grad(dy, g.shape(node.inputs[0])[1:3], align_corners=self.align_corners,
                                               half_pixel_centers=self.half_pixel_centers), None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x = gathered(b, inputs[0], self.sampler(b, inputs[0], 1).nearest(), 1)
        b.copy(gathered(b, x, self.sampler(b, inputs[0], 2).nearest(), 2), outputs[0])


@register
class ResizeNearestNeighborGrad(Op):
    """The gradient of ResizeNearestNeighbor by pictures of `size`: the sum of what each old element went to."""

    operands = ("grads", "size")
    results = ("output",)
    types: ClassVar = {"T": "grads"}
    size: tuple[Size, ...] = operand_field("ints")
    align_corners: bool = attr("bool", False)
    half_pixel_centers: bool = attr("bool", False)
    samples: ClassVar = [
        *(Sample({"size": shape[1:3], **mode}, ((shape[0], *size, shape[3]),)) for shape, size in SIZES
          for mode in MODES),
        Sample({"size": (3, 4)}, ((1, 5, 2, 2),), (float64,)),
        Sample({"size": (3, 4)}, ((1, 5, 2, 2),), (int32,), gradient=False, low=-9, high=9)]

    def infer(self, grads: Spec) -> Spec:
        check_dtype(self, "grads", grads.dtype, "wide")
        check_rank("grads", grads, 4)
        check_centers(self.align_corners, self.half_pixel_centers)
        check_size(self.size)
        check_pixels("grads", grads)
        if grads.shape is None:
            return Spec(grads.dtype, None)
        return Spec(grads.dtype, (grads.shape[0], *self.size, grads.shape[3]))

    def reference(self, grads: np.ndarray) -> np.ndarray:
        # The derivative of a function that picks: each old element by itself.
        batch, rows, columns, channels = grads.shape
        size: Any = self.size
        number = np.arange(size[0] * size[1]).reshape(1, *size, 1)
        went = ResizeNearestNeighbor((rows, columns), self.align_corners, self.half_pixel_centers).reference(number)
        result = np.zeros((batch, size[0] * size[1], channels), grads.dtype)
        flat = grads.reshape(batch, rows * columns, channels)
        for i, target in enumerate(went.ravel()):
            result[:, target] += flat[:, i]
        return result.reshape(batch, *size, channels)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.resize_nearest_neighbor(dy, g.shape(node.inputs[0])[1:3], align_corners=self.align_corners,
                                          half_pixel_centers=self.half_pixel_centers), None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x = inputs[0]
        for axis in (2, 1):
            sampler = Sampler(b, self.size[axis - 1], x.shape[axis], self.align_corners, self.half_pixel_centers)
            x = scattered(b, x, sampler.nearest(), axis, self.size[axis - 1])
        b.copy(x, outputs[0])


@register
class ResizeBilinear(Resize):
    """Every new element lies between four old ones, and is mixed from them linearly. The result is float32."""

    half_pixel_centers: bool = attr("bool", False)
    samples: ClassVar = resize_samples(uint8, int32, float64)

    def reference(self, x: np.ndarray) -> np.ndarray:
        x = x.astype(np.float32)
        for axis in (2, 1):
            place, last = self.places(x, axis), x.shape[axis] - 1
            low = np.floor(place)
            part = (place - low).reshape((-1,) + (1,) * (3 - axis))
            below, above = (np.take(x, np.clip(i, 0, last).astype(np.int64), axis) for i in (low, low + 1))
            x = below + (above - below) * part
        return x

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        if node.inputs[0].dtype not in FLOATING:
            return [None, None]
        return [g.resize_bilinear_grad(dy, node.inputs[0], align_corners=self.align_corners,
                                       half_pixel_centers=self.half_pixel_centers), None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x = inputs[0]
        for axis in (2, 1):
            low, high, part = self.sampler(b, inputs[0], axis).linear()
            y = outputs[0] if axis == 1 else b.temporary(float32, (*x.shape[:2], self.size[1], x.shape[3]))

            def mixed(s: Any, below: Any, above: Any, part: Any) -> Any:
                below, above = s.cast(below, float32), s.cast(above, float32)
                return s("add", below, s("mul", s("sub", above, below), part))

            b.elementwise(mixed, [gathered(b, x, low, axis), gathered(b, x, high, axis), along(part, axis)], [y])
            x = y


@dataclass(frozen=True, eq=False)
class ResizeGradient(Op):
    """The gradient of a resize by original_image, of whose values only dtype and sizes matter."""

    operands = ("grads", "original_image")
    results = ("output",)
    types: ClassVar = {"T": "original_image"}
    align_corners: bool = attr("bool", False)
    half_pixel_centers: bool = attr("bool", False)
    samples: ClassVar = [
        *(Sample(mode, ((shape[0], *size, shape[3]), shape), gradient=False) for shape, size in SIZES
          for mode in MODES),
        Sample({}, ((1, 5, 2, 2), (1, 3, 4, 2)), (float32, float64), gradient=False)]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (inputs[1].dtype,)

    def infer(self, grads: Spec, original_image: Spec) -> Spec:
        if grads.dtype != float32:
            raise TypeError(f"argument 'grads' has dtype {grads.dtype.name}, but {self.type} takes float32 only; cast "
                            "it (gc.cast)")
        check_dtype(self, "original_image", original_image.dtype, "floating")
        check_rank("grads", grads, 4)
        check_rank("original_image", original_image, 4)
        check_pixels("grads", grads)
        check_pixels("original_image", original_image)
        if grads.shape is not None and original_image.shape is not None:
            for axis, what in ((0, "batch"), (3, "channels")):
                require_equal(grads.shape[axis], original_image.shape[axis], f"{what} of grads and of original_image")
        check_centers(self.align_corners, self.half_pixel_centers)
        return Spec(original_image.dtype, original_image.shape)


@register
class ResizeBilinearGrad(ResizeGradient):
    """The gradient of ResizeBilinear."""

    def reference(self, grads: np.ndarray, original: np.ndarray) -> np.ndarray:
        # What each old element has to do with the new ones is what a picture of it alone becomes.
        rows, columns = original.shape[1:3]
        alone = np.eye(rows * columns, dtype=np.float32).reshape(rows * columns, rows, columns, 1)
        share = ResizeBilinear(grads.shape[1:3], self.align_corners, self.half_pixel_centers).reference(alone)
        made = np.einsum("kij,bijc->bkc", share[..., 0].astype(np.float64), grads.astype(np.float64))
        return made.reshape(original.shape).astype(original.dtype)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.resize_bilinear(dy, g.shape(node.inputs[0])[1:3], align_corners=self.align_corners,
                                  half_pixel_centers=self.half_pixel_centers), None]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, image = inputs
        for axis in (1, 2):
            size = image.shape[axis]
            low, high, part = Sampler(b, size, x.shape[axis], self.align_corners, self.half_pixel_centers).linear()
            below, above = b.temporary(float32, x.shape), b.temporary(float32, x.shape)

            def split(s: Any, x: Any, part: Any) -> Any:
                return s("mul", x, s("sub", s.constant(1, float32), part)), s("mul", x, part)

            b.elementwise(split, [x, along(part, axis).broadcast(x.shape)], [below, above])
            parts = [scattered(b, below, low, axis, size), scattered(b, above, high, axis, size)]
            x = outputs[0] if axis == 2 else b.temporary(float32, parts[0].shape)
            b.map(lambda s, a, c, dtype=x.dtype: s.cast(s("add", a, c), dtype), parts, [x])
