"""ImageSummary: pictures of a batch as PNG files."""
from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from graphc.errors import InternalError, InvalidArgumentError
from graphc.io.wire import bytes_field, varint_field
from graphc.ir.dtypes import float16, float32, float64, uint8
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ops.image.png import MAX_PIXELS, png_file
from graphc.ops.strings.base import text
from graphc.ops.summary.base import SummaryOp, check_strings, of_bytes, only_tag, value_bytes

IMAGE = 4                                          # Summary.Value
HEIGHT, WIDTH, COLORSPACE, ENCODED = range(1, 5)   # Summary.Image
DTYPES = (uint8, float32, float16, float64)
NEARLY_ZERO = np.float32(1e-6)


@register
class ImageSummary(SummaryOp):
    """The first `max_images` of [batch, height, width, 1, 3 or 4].

    Floats are scaled so that the largest is 255 if none is below 0, else so that 0 is 128 and the largest magnitude 127
    away from it. bad_color: of pixels that are not finite; None is red.
    """

    operands = ("tag", "tensor")
    types: ClassVar = {"T": "tensor"}
    max_images: int = attr("int", 3)
    bad_color: np.ndarray | None = attr("tensor", None)
    samples: ClassVar = [Sample(f, (text("i"), x), gradient=False) for f, x in (
        ({}, np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)),
        ({"max_images": 1}, np.array([1.0, -2.0, np.nan, 0.5], np.float32).reshape(1, 2, 2, 1)),
        ({}, np.linspace(0, 3, 16).reshape(1, 2, 2, 4)))]

    def check(self, *inputs: Spec) -> None:
        check_strings("tag", inputs[0])
        if inputs[1].dtype not in DTYPES:
            raise TypeError(f"argument 'tensor' must be {', '.join(d.name for d in DTYPES)}, but has dtype "
                            f"{inputs[1].dtype.name}; cast it (gc.cast)")
        if self.max_images < 1:
            raise ValueError(f"argument 'max_images' must be at least 1, but is {self.max_images}")
        if self.bad_color is not None and (self.bad_color.dtype != np.uint8 or self.bad_color.ndim != 1):
            raise ValueError("argument 'bad_color' must be a vector of uint8")

    def compute(self, *inputs: np.ndarray) -> np.ndarray:
        tag, batch = only_tag("Tags", inputs[0]), inputs[1]
        if batch.ndim != 4 or batch.shape[3] not in (1, 3, 4):
            raise InvalidArgumentError(f"Tensor must be 4-D with last dim 1, 3, or 4, not {list(batch.shape)}")
        if batch.shape[1] * batch.shape[2] >= MAX_PIXELS:
            raise InvalidArgumentError(f"Tensor too large for summary {list(batch.shape)}")
        images = batch[:self.max_images]
        if images.size == 0 and len(images):
            raise InternalError(f"PNG encoding failed: there are no pixels, the shape is {list(batch.shape)}")
        return of_bytes(b"".join(self._value(tag, i, image) for i, image in enumerate(images)))

    def _value(self, tag: bytes, number: int, image: np.ndarray) -> bytes:
        pixels = image if image.dtype == np.uint8 else _scaled(image, self._bad_color(image.shape[2]))
        height, width, channels = pixels.shape
        suffix = f"/image/{number}" if self.max_images > 1 else "/image"
        return value_bytes(tag + suffix.encode(), bytes_field(IMAGE, b"".join((
            varint_field(HEIGHT, height), varint_field(WIDTH, width), varint_field(COLORSPACE, channels),
            bytes_field(ENCODED, png_file(pixels, -1))))))

    def _bad_color(self, channels: int) -> np.ndarray:
        color = np.array([255, 0, 0, 255], np.uint8) if self.bad_color is None else self.bad_color
        if len(color) < channels:
            raise InvalidArgumentError(f"expected depth <= bad_color.size, got depth = {channels}, bad_color.size = "
                                       f"{len(color)}")
        return color[:channels]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ImageSummary) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> Any:
        return self.max_images, None if self.bad_color is None else self.bad_color.tobytes()


def _scaled(image: np.ndarray, bad_color: np.ndarray) -> np.ndarray:
    """In the arithmetic of the image's dtype; smallest and largest are float32."""
    kind, finite = image.dtype.type, np.isfinite(image).all(2)
    low = high = np.float32(0)
    if finite.any():
        low, high = (np.float32(v) for v in (image[finite].min(), image[finite].max()))
    if low < 0:
        largest, size, offset = max(abs(low), abs(high)), np.float32(127), kind(128)
    else:
        largest, size, offset = high, np.float32(255), kind(0)
    scale = kind(0 if largest < NEARLY_ZERO else size / largest)
    pixels = np.where(finite[..., None], image, kind(0)) * scale + offset
    return np.where(finite[..., None], pixels.astype(np.int32).astype(np.uint8), bad_color)
