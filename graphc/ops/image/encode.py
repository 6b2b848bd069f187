"""Strings that are files of pictures: PNG and JPEG. JPEG by Pillow."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, int32, string, uint8, uint16
from graphc.ir.host import Host
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec, text
from graphc.ir.tensor import Operation
from graphc.ops.image.jpeg import jpeg_file
from graphc.ops.image.png import png_file
from graphc.ops.image.sample_files import RGB_PIXELS

FORMATS = {"": (1, 3), "grayscale": (1,), "rgb": (3,)}


class _Encode(Host):
    results = ("contents",)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (string,)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


def _check(op: Host, name: str, image: Spec, dtypes: Sequence[DType], channels: Sequence[int]) -> None:
    if image.dtype not in dtypes:
        raise TypeError(f"argument '{name}' must be {' or '.join(d.name for d in dtypes)}, but has dtype "
                        f"{image.dtype.name}; gc.image.convert_image_dtype converts it")
    if image.shape is not None and len(image.shape) != 3:
        raise ValueError(f"argument '{name}' of {op.type} must be 3-dimensional, but has shape {text(image.shape)}")
    if image.shape is not None and isinstance(image.shape[2], int):
        _check_channels(op, name, image.shape[2], channels)


def _check_channels(op: Host, name: str, found: int, channels: Sequence[int]) -> None:
    if found not in channels:
        raise ValueError(f"argument '{name}' of {op.type} must have {' or '.join(map(str, channels))} channels, but "
                         f"has {found}")


@register
class EncodePng(_Encode):
    """The PNG of [height, width, 1 to 4] of uint8 or uint16."""

    operands = ("image",)
    types: ClassVar = {"T": "image"}
    compression: int = attr("int", -1)
    samples: ClassVar = [Sample({"compression": c}, (p,), gradient=False) for c, p in (
        (-1, RGB_PIXELS), (0, RGB_PIXELS[..., :1]), (9, RGB_PIXELS.astype(np.uint16) * 255),
        (-1, RGB_PIXELS[..., [0, 1]]), (5, RGB_PIXELS[:1, :1, [0, 1, 2, 0]].astype(np.uint16) * 199))]

    def infer(self, image: Spec) -> Spec:  # type: ignore[override]
        _check(self, "image", image, (uint8, uint16), (1, 2, 3, 4))
        if not -1 <= self.compression <= 9:
            raise ValueError(f"argument 'compression' should be in [-1, 9], but is {self.compression}")
        return Spec(string, ())

    def compute(self, image: np.ndarray) -> np.ndarray:
        _check_channels(self, "image", image.shape[2], (1, 2, 3, 4))
        if 0 in image.shape:
            raise ValueError(f"a PNG cannot have the shape {image.shape}")
        return np.array(png_file(image, self.compression), object)


@register
class EncodeJpeg(_Encode):
    """The JPEG of [height, width, 1 or 3] of uint8."""

    operands = ("image",)
    extra = "image"
    format: str = attr("string", "")
    quality: int = attr("int", 95)
    progressive: bool = attr("bool", False)
    optimize_size: bool = attr("bool", False)
    chroma_downsampling: bool = attr("bool", True)
    density_unit: str = attr("string", "in")
    x_density: int = attr("int", 300)
    y_density: int = attr("int", 300)
    xmp_metadata: str = attr("string", "")
    samples: ClassVar = [Sample(a, (p,), gradient=False) for a, p in (
        ({}, RGB_PIXELS), ({"quality": 50, "progressive": True}, RGB_PIXELS[..., :1]),
        ({"format": "rgb", "optimize_size": True, "chroma_downsampling": False, "density_unit": "cm", "x_density": 7,
          "y_density": 9, "xmp_metadata": "<x/>"}, RGB_PIXELS), ({"format": "grayscale"}, RGB_PIXELS[:1, :1, :1]))]

    def infer(self, image: Spec) -> Spec:  # type: ignore[override]
        if self.format not in FORMATS:
            raise ValueError(f"argument 'format' must be '', 'grayscale' or 'rgb', but is {self.format!r}")
        _check(self, "image", image, (uint8,), FORMATS[self.format])
        if not 0 <= self.quality <= 100:
            raise ValueError(f"argument 'quality' must be in [0,100], but is {self.quality}")
        if self.density_unit not in ("in", "cm"):
            raise ValueError(f"argument 'density_unit' must be 'in' or 'cm', but is {self.density_unit!r}")
        for name in ("x_density", "y_density"):
            if not 0 <= getattr(self, name) < 2**16:
                raise ValueError(f"argument '{name}' must be from 0 to 65535, but is {getattr(self, name)}")
        return Spec(string, ())

    def compute(self, image: np.ndarray) -> np.ndarray:
        _check_channels(self, "image", image.shape[2], FORMATS[self.format])
        return np.array(jpeg_file(
            image, self.quality, progressive=self.progressive, optimize=self.optimize_size,
            downsampling=self.chroma_downsampling, unit=self.density_unit, density=(self.x_density, self.y_density),
            xmp=self.xmp_metadata.encode()), object)


@register
class EncodeJpegVariableQuality(_Encode):
    """The JPEG of [height, width, 1 or 3] of uint8 whose quality a tensor says."""

    operands = ("images", "quality")
    types: ClassVar = {}
    same: ClassVar = ()
    extra = "image"
    samples: ClassVar = [Sample({}, (p, np.array(q, np.int32)), gradient=False) for p, q in (
        (RGB_PIXELS, 75), (RGB_PIXELS[..., :1], 100))]

    def infer(self, images: Spec, quality: Spec) -> Spec:  # type: ignore[override]
        _check(self, "images", images, (uint8,), (1, 3))
        if quality.dtype != int32:
            raise TypeError(f"argument 'quality' must be int32, but has dtype {quality.dtype.name}")
        if quality.shape is not None and quality.shape != ():
            raise ValueError(f"argument 'quality' must be one number, but has shape {text(quality.shape)}")
        return Spec(string, ())

    def compute(self, images: np.ndarray, quality: np.ndarray) -> np.ndarray:
        _check_channels(self, "images", images.shape[2], (1, 3))
        if not 0 <= quality <= 100:
            raise ValueError(f"quality must be in [0,100], but is {quality}")
        return np.array(jpeg_file(images, int(quality)), object)
