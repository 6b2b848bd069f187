"""Pictures in strings that are files of them: PNG, JPEG (by simplejpeg), GIF (by Pillow) and BMP."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, int32, int64, uint8, uint16
from graphc.ir.elementwise import check_one_string
from graphc.ir.host import Host
from graphc.ir.known import own_symbol, require_nonnegative
from graphc.ir.op import Sample, attr, operand_field, register
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape, Spec
from graphc.ir.tensor import Operation
from graphc.ops.image import sample_files as files
from graphc.ops.image.bmp import bmp_pixels
from graphc.ops.image.gif import gif_pixels
from graphc.ops.image.jpeg import jpeg_pixels, jpeg_shape
from graphc.ops.image.pictures import kind_of, picture
from graphc.ops.image.wanted import Wanted

DCT_METHODS = ("", "INTEGER_FAST", "INTEGER_ACCURATE")


def check_channels(op: Any, allowed: Sequence[int]) -> None:
    if op.channels not in allowed:
        raise ValueError(f"argument 'channels' of {op.type} must be one of {', '.join(map(str, allowed))}, but is "
                         f"{op.channels}")


@dataclass(frozen=True, eq=False)
class Decode(Host):
    """What the ops have in common. allowed: numbers of channels."""

    operands = ("contents",)
    results = ("image",)
    extra = "image"
    slow = True
    allowed: ClassVar[tuple[int, ...]] = (0, 1, 3, 4)

    def infer(self, contents: Spec) -> Spec:  # type: ignore[override]
        check_one_string(self, "contents", contents)
        check_channels(self, self.allowed)
        return Spec(self.result_dtypes()[0], (*self.sides(), self.depth()))

    def sides(self) -> Shape:
        return own_symbol(self, "height"), own_symbol(self, "width")

    def depth(self) -> Size:
        channels: int = self.channels  # type: ignore[attr-defined]
        return channels or own_symbol(self, "channels")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (uint8,)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [None] * len(node.inputs)


@register
class DecodePng(Decode):
    """[height, width, channels] of a PNG (or of a JPEG, or of a GIF of one frame)."""

    channels: int = attr("int", 0)
    dtype: DType = attr("type", uint8)
    samples: ClassVar = [Sample({"channels": c, "dtype": d}, (files.one(f),), gradient=False) for c, d, f in (
        (0, uint8, files.png(np.uint8, 3)), (1, uint8, files.png(np.uint8, 3)), (4, uint8, files.png(np.uint8, 1)),
        (3, uint16, files.png(np.uint8, 4)), (0, uint16, files.png(np.uint16, 4)), (3, uint8, files.png(np.uint16, 2)),
        (0, uint8, files.GIF_OF_ONE), (0, uint8, files.JPEG_GREY))]

    def infer(self, contents: Spec) -> Spec:  # type: ignore[override]
        if self.dtype not in (uint8, uint16):
            raise TypeError(f"argument 'dtype' of DecodePng must be uint8 or uint16, but is {self.dtype.name}")
        return super().infer(contents)

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.dtype,)

    def compute(self, contents: np.ndarray) -> np.ndarray:
        wide = self.dtype == uint16
        found = picture(contents.item(), Wanted(self.channels, 16 if wide else 8), self.type)
        return found.astype(np.uint16) * 257 if wide and found.dtype == np.uint8 else found


class _OfJpeg(Decode):
    allowed = (0, 1, 3)
    channels: int
    ratio: int
    fancy_upscaling: bool
    try_recover_truncated: bool
    acceptable_fraction: float
    dct_method: str

    def infer(self, contents: Spec) -> Spec:  # type: ignore[override]
        if self.ratio not in (1, 2, 4, 8):
            raise ValueError(f"argument 'ratio' of {self.type} must be 1, 2, 4, or 8, but is {self.ratio}")
        if self.dct_method not in DCT_METHODS:
            raise ValueError(f"argument 'dct_method' of {self.type} must be one of {DCT_METHODS}, but is "
                             f"{self.dct_method!r}")
        return super().infer(contents)

    def wanted(self) -> Wanted:
        return Wanted(self.channels, 8, self.ratio, self.try_recover_truncated, self.acceptable_fraction,
                      self.dct_method == "INTEGER_ACCURATE", self.fancy_upscaling)


@register
class DecodeJpeg(_OfJpeg):
    """[height, width, channels] of a JPEG (or of a PNG, or of a GIF of one frame)."""

    channels: int = attr("int", 0)
    ratio: int = attr("int", 1)
    fancy_upscaling: bool = attr("bool", True)
    try_recover_truncated: bool = attr("bool", False)
    acceptable_fraction: float = attr("float", 1.0)
    dct_method: str = attr("string", "")
    samples: ClassVar = [Sample(a, (files.one(f),), gradient=False) for a, f in (
        ({}, files.JPEG_RGB), ({"channels": 1}, files.JPEG_RGB), ({"channels": 3, "ratio": 2}, files.JPEG_GREY),
        ({"dct_method": "INTEGER_ACCURATE"}, files.JPEG_GREY), ({"channels": 3, "ratio": 4}, files.JPEG_RGB),
        ({}, files.png(np.uint8, 3)),
        ({"try_recover_truncated": True, "dct_method": "INTEGER_FAST"}, files.JPEG_RGB[:-6]))]

    def compute(self, contents: np.ndarray) -> np.ndarray:
        return picture(contents.item(), self.wanted(), self.type)


@register
class DecodeAndCropJpeg(_OfJpeg):
    """crop_window (y, x, height, width) of a JPEG."""

    operands = ("contents", "crop_window")
    crop_window: tuple[Size, ...] = operand_field("ints")
    channels: int = attr("int", 0)
    ratio: int = attr("int", 1)
    fancy_upscaling: bool = attr("bool", True)
    try_recover_truncated: bool = attr("bool", False)
    acceptable_fraction: float = attr("float", 1.0)
    dct_method: str = attr("string", "")
    samples: ClassVar = [Sample(a, (files.one(f),), gradient=False) for a, f in (
        ({"crop_window": (1, 2, 3, 4)}, files.JPEG_RGB),
        ({"crop_window": (0, 0, 9, 7), "channels": 3}, files.JPEG_GREY),
        ({"crop_window": (4, 3, 1, 1), "ratio": 2, "channels": 1}, files.JPEG_RGB))]

    def infer(self, contents: Spec) -> Spec:  # type: ignore[override]
        if self.crop_window is not None:
            if len(self.crop_window) != 4:
                raise ValueError("argument 'crop_window' must hold y, x, height and width, but has "
                                 f"{len(self.crop_window)} elements")
            require_nonnegative(self.crop_window, "Invalid JPEG data or crop window: a number of it is negative")
        return super().infer(contents)

    def sides(self) -> Shape:
        if self.crop_window is None:
            return super().sides()
        return self.crop_window[2], self.crop_window[3]

    def compute(self, contents: np.ndarray) -> np.ndarray:
        found = jpeg_pixels(contents.item(), self.wanted())
        y, x, height, width = (int(v) for v in self.crop_window)  # type: ignore[call-overload]
        if min(height, width) < 1 or y + height > found.shape[0] or x + width > found.shape[1]:
            raise ValueError(f"Invalid JPEG data or crop window: y, x, height, width are {(y, x, height, width)}, but "
                             f"the picture has {found.shape[0]} x {found.shape[1]} pixels")
        return found[y:y + height, x:x + width]


@register
class DecodeBmp(Decode):
    """[height, width, channels] of a BMP without compression."""

    extra = ""
    channels: int = attr("int", 0)
    samples: ClassVar = [Sample({"channels": c}, (files.one(files.bmp(p)),), gradient=False) for c, p in (
        (0, files.RGB_PIXELS), (3, files.RGB_PIXELS), (4, files.RGB_PIXELS), (0, files.RGB_PIXELS[..., :1]),
        (3, files.RGB_PIXELS[:1, :1, [0, 1, 2, 0]]))]

    def compute(self, contents: np.ndarray) -> np.ndarray:
        data = contents.item()
        kind = kind_of(data)
        if kind != "bmp":
            raise ValueError(f"Trying to decode {kind.upper()} format using DecodeBmp op. Use `decode_{kind}` or "
                             "`decode_image` instead.")
        return bmp_pixels(data, self.channels)


@register
class DecodeGif(Decode):
    """[frames, height, width, 3] of a GIF (or of a PNG or JPEG, as one frame)."""

    channels: ClassVar[int] = 3
    samples: ClassVar = [Sample({}, (files.one(f),), gradient=False) for f in (
        files.GIF, files.GIF_OF_ONE, files.png(np.uint8, 3))]

    def sides(self) -> Shape:
        return own_symbol(self, "frames"), *super().sides()

    def compute(self, contents: np.ndarray) -> np.ndarray:
        data = contents.item()
        return gif_pixels(data) if kind_of(data) == "gif" else picture(data, Wanted(3), self.type)[None]


@register
class DecodeImage(Decode):
    """[height, width, channels] of a file of any kind, as dtype; of a GIF [frames, height, width, 3] if
    expand_animations, else its first frame.

    So the rank is not known. A plan is made for what the user says by set_shape, else for pictures without frames.
    """

    usual_rank = 3
    channels: int = attr("int", 0)
    dtype: DType = attr("type", uint8)
    expand_animations: bool = attr("bool", True)
    samples: ClassVar = [Sample({"expand_animations": False, **a}, (files.one(f),), gradient=False) for a, f in (
        ({}, files.png(np.uint8, 4)), ({"channels": 3}, files.JPEG_GREY), ({"dtype": uint16}, files.JPEG_RGB),
        ({"dtype": float32, "channels": 3}, files.bmp(files.RGB_PIXELS)), ({}, files.GIF),
        ({"dtype": float32}, files.png(np.uint16, 3)), ({"dtype": uint16, "channels": 1}, files.png(np.uint16, 3)))]

    def infer(self, contents: Spec) -> Spec:  # type: ignore[override]
        if self.dtype not in (uint8, uint16, float32):
            raise TypeError(f"argument 'dtype' of DecodeImage must be uint8, uint16 or float32, but is "
                            f"{self.dtype.name}; gc.image.convert_image_dtype makes others of them")
        found = super().infer(contents)
        return Spec(self.dtype, None) if self.expand_animations else found

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.dtype,)

    def compute(self, contents: np.ndarray) -> np.ndarray:
        data = contents.item()
        kind = kind_of(data)
        if kind == "gif":
            if self.channels not in (0, 3):
                raise ValueError("Channels must be in (None, 0, 3) when decoding GIF images")
            found = gif_pixels(data)
            return self._converted(found if self.expand_animations else found[0])
        if kind == "bmp":
            return self._converted(bmp_pixels(data, self.channels))
        bits = 8 if self.dtype == uint8 else 16
        return self._converted(picture(data, Wanted(self.channels, bits), self.type))

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        b.compute(_OfRank(self.channels, self.dtype, self.expand_animations, outputs[0].rank), inputs, outputs)

    def _converted(self, found: np.ndarray) -> np.ndarray:
        """As gc.image.convert_image_dtype does it."""
        if self.dtype == float32:
            return found.astype(np.float32) * np.float32(1 / np.iinfo(found.dtype).max)
        if self.dtype == uint16 and found.dtype == np.uint8:
            return found.astype(np.uint16) * 256
        return found


@dataclass(frozen=True)
class _OfRank(DecodeImage):
    """In a plan, which was made for that rank."""

    type: ClassVar[str] = "DecodeImage"
    rank: int = 3

    def compute(self, contents: np.ndarray) -> np.ndarray:
        found = super().compute(contents)
        if found.ndim != self.rank:
            what = "a GIF, with" if found.ndim == 4 else "a picture without"
            raise ValueError(f"the file holds {what} frames: {list(found.shape)}, but rank {self.rank} is expected; "
                             "say which by set_shape on the result of decode_image, or give it "
                             "expand_animations=False")
        return found


@register
class ExtractJpegShape(Host):
    """Height, width and channels of a JPEG, as its header says."""

    operands = ("contents",)
    results = ("image_shape",)
    output_type: DType = attr("type", int32)
    samples: ClassVar = [Sample({"output_type": d}, (files.one(f),), gradient=False) for d, f in (
        (int32, files.JPEG_RGB), (int64, files.JPEG_GREY))]

    def infer(self, contents: Spec) -> Spec:  # type: ignore[override]
        check_one_string(self, "contents", contents)
        if self.output_type not in (int32, int64):
            raise TypeError(f"argument 'output_type' must be int32 or int64, but is {self.output_type.name}")
        return Spec(self.output_type, (3,))

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.output_type,)

    def compute(self, contents: np.ndarray) -> np.ndarray:
        return np.array(jpeg_shape(contents.item()), self.output_type.numpy)

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return [None]
