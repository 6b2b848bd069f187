"""Pictures read from strings that are files of them, and written: `tf.image.decode_png`, `tf.image.encode_jpeg`, ..."""
from __future__ import annotations

from typing import Any

from graphc.api.image.color import convert_image_dtype
from graphc.api.math.comparison import equal
from graphc.api.public import public
from graphc.api.random.random import random_uniform
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import as_dtype, int32, string, uint8
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor
from graphc.ops.image.decode import (
    DecodeAndCropJpeg,
    DecodeBmp,
    DecodeGif,
    DecodeImage,
    DecodeJpeg,
    DecodePng,
    ExtractJpegShape,
)
from graphc.ops.image.encode import EncodeJpeg, EncodeJpegVariableQuality, EncodePng


def _file(contents: Any) -> Tensor:
    return convert_to_tensor(contents, string, name="contents")


@public("image.decode_png", "io.decode_png")
def decode_png(contents: Any, channels: int = 0, dtype: Any = uint8, name: str | None = None) -> Tensor:
    """The pixels of a PNG: uint8 or uint16 [height, width, channels].

    contents: a string scalar. channels: 1 (grey), 3 (colours) or 4 (with opacity), into which the picture is converted;
    0: those of the file. It reads the other formats too. As `tf.image.decode_png`. Raises TypeError for another dtype,
    ValueError for other channels or more than one string; damaged files are an InvalidArgumentError when run.

    >>> file = gc.image.encode_png(gc.constant([[[0], [255]]], gc.uint8))
    >>> gc.image.decode_png(file, channels=3)[0].eval()
    array([[  0,   0,   0],
           [255, 255, 255]], dtype=uint8)
    """
    result: Tensor = apply(DecodePng, _file(contents), channels=channels or 0, dtype=as_dtype(dtype), name=name)
    return result


@public("image.decode_jpeg", "io.decode_jpeg")
def decode_jpeg(contents: Any, channels: int = 0, ratio: int = 1, fancy_upscaling: bool = True,
                try_recover_truncated: bool = False, acceptable_fraction: float = 1, dct_method: str = "",
                name: str | None = None) -> Tensor:
    """The pixels of a JPEG: uint8 [height, width, channels].

    contents: a string scalar. channels: 1 (grey) or 3, into which the picture is converted; 0: those of the file.
    ratio: 1, 2, 4 or 8, by which it is made smaller while it is read. dct_method: "INTEGER_ACCURATE", else the fast
    one. fancy_upscaling: whether colours of fewer pixels change gradually. The pixels are TensorFlow's to the bit; of a
    file that is cut off, and of one of four colours, they are by the accurate method, and gradual. As
    `tf.image.decode_jpeg`. Raises ValueError for other channels or another ratio; damaged files are an
    InvalidArgumentError when run.

    >>> file = gc.image.encode_jpeg(gc.fill([8, 16, 3], gc.constant(128, gc.uint8)))
    >>> image = gc.image.decode_jpeg(file, channels=1).eval()
    >>> image.shape, int(image[0, 0, 0])
    ((8, 16, 1), 128)
    """
    result: Tensor = apply(DecodeJpeg, _file(contents), channels=channels or 0, ratio=ratio or 1,
                           fancy_upscaling=fancy_upscaling, try_recover_truncated=try_recover_truncated,
                           acceptable_fraction=acceptable_fraction, dct_method=dct_method, name=name)
    return result


@public("image.decode_and_crop_jpeg", "io.decode_and_crop_jpeg")
def decode_and_crop_jpeg(contents: Any, crop_window: Any, channels: int = 0, ratio: int = 1,
                         fancy_upscaling: bool = True, try_recover_truncated: bool = False,
                         acceptable_fraction: float = 1, dct_method: str = "", name: str | None = None) -> Tensor:
    """The pixels of a JPEG in crop_window, int32 (y, x, height, width); other arguments as of `decode_jpeg`.

    The result is uint8 [height, width, channels]. As `tf.image.decode_and_crop_jpeg`. Raises TypeError for a
    crop_window that is not of integers, ValueError unless it has four; one that is not inside the picture is an
    InvalidArgumentError when run.

    >>> file = gc.image.encode_jpeg(gc.fill([8, 16, 3], gc.constant(128, gc.uint8)))
    >>> gc.image.decode_and_crop_jpeg(file, [2, 3, 4, 5]).eval().shape
    (4, 5, 3)
    """
    result: Tensor = apply(DecodeAndCropJpeg, _file(contents), crop_window, channels=channels or 0, ratio=ratio or 1,
                           fancy_upscaling=fancy_upscaling, try_recover_truncated=try_recover_truncated,
                           acceptable_fraction=acceptable_fraction, dct_method=dct_method, name=name)
    return result


@public("image.decode_bmp", "io.decode_bmp")
def decode_bmp(contents: Any, channels: int = 0, name: str | None = None) -> Tensor:
    """The pixels of a BMP: uint8 [height, width, channels].

    channels: 0 (those of the file), 1, 3 or 4. contents: a string scalar. As `tf.image.decode_bmp`. Raises ValueError
    for other channels; damaged files are an InvalidArgumentError when run.

    >>> header = b"BM" + bytes([58, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 24, 0])
    >>> file = header + bytes(24) + bytes([3, 2, 1, 0])                          # one pixel: blue, green, red
    >>> gc.image.decode_bmp(file).eval()
    array([[[1, 2, 3]]], dtype=uint8)
    """
    result: Tensor = apply(DecodeBmp, _file(contents), channels=channels or 0, name=name)
    return result


@public("image.decode_gif", "io.decode_gif")
def decode_gif(contents: Any, name: str | None = None) -> Tensor:
    """The pixels of a GIF: uint8 [frames, height, width, 3].

    contents: a string scalar (ValueError for more than one). As `tf.image.decode_gif`. Damaged files are an
    InvalidArgumentError when run.

    >>> file = (b"GIF89a" + bytes([1, 0, 1, 0, 0x80, 0, 0, 10, 20, 30, 0, 0, 0]) + b","
    ...         + bytes([0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0]) + b";")
    >>> gc.image.decode_gif(file).eval()
    array([[[[10, 20, 30]]]], dtype=uint8)
    """
    result: Tensor = apply(DecodeGif, _file(contents), name=name)
    return result


@public("image.decode_image", "io.decode_image")
def decode_image(contents: Any, channels: int | None = None, dtype: Any = uint8, name: str | None = None,
                 expand_animations: bool = True) -> Tensor:
    """The pixels of a PNG, JPEG, BMP or GIF, [height, width, channels] of `dtype`.

    A run takes it for a picture of [height, width, channels]; say of a GIF by set_shape([None] * 4) that it has frames,
    or give expand_animations=False for the first one. dtype: uint8, uint16 or float32 (0 to 1). As
    `tf.image.decode_image`. Raises ValueError for channels other than 0, 1, 3 and 4, TypeError for other dtypes;
    damaged files are an InvalidArgumentError when run.

    >>> file = gc.image.encode_png(gc.constant([[[0], [255]]], gc.uint8))
    >>> gc.image.decode_image(file, dtype=gc.float32)[0].eval()
    array([[0.],
           [1.]], dtype=float32)
    """
    if channels not in (None, 0, 1, 3, 4):
        raise ValueError("channels must be in (None, 0, 1, 3, 4)")
    made: Tensor = apply(DecodeImage, _file(contents), channels=channels or 0, dtype=as_dtype(dtype),
                         expand_animations=expand_animations, name=name or "decode_image")
    return made


@public("image.is_jpeg", "io.is_jpeg")
def is_jpeg(contents: Any, name: str | None = None) -> Tensor:
    """Whether the string begins as a JPEG does. As `tf.image.is_jpeg`.

    contents: strings; the result is bool, of their shape. Raises TypeError for anything else.

    >>> gc.image.is_jpeg(gc.image.encode_jpeg(gc.zeros([1, 1, 3], gc.uint8))).eval(), gc.image.is_jpeg("GIF89a").eval()
    (np.True_, np.False_)
    """
    with get_default_graph().name_scope(name or "is_jpeg"):
        start = apply(OPS["Substr"], _file(contents), convert_to_tensor(0, int32), convert_to_tensor(3, int32))
        return equal(start, b"\xff\xd8\xff", name=name)


@public("image.extract_jpeg_shape", "io.extract_jpeg_shape")
def extract_jpeg_shape(contents: Any, output_type: Any = int32, name: str | None = None) -> Tensor:
    """int32[3]: height, width and channels of a JPEG, without reading its pixels. As `tf.image.extract_jpeg_shape`.

    contents: a string scalar; output_type: int32 or int64 (TypeError). Raises ValueError for more than one string; what
    is no JPEG is an InvalidArgumentError when run.

    >>> gc.image.extract_jpeg_shape(gc.image.encode_jpeg(gc.zeros([2, 3, 1], gc.uint8))).eval()
    array([2, 3, 1], dtype=int32)
    """
    result: Tensor = apply(ExtractJpegShape, _file(contents), output_type=as_dtype(output_type), name=name)
    return result


@public("image.encode_png")
def encode_png(image: Any, compression: int = -1, name: str | None = None) -> Tensor:
    r"""The PNG of pixels, a string.

    image: [height, width, 1 to 4] of uint8 or uint16 (TypeError). compression: -1 or 0 (fast) to 9 (small). As
    `tf.image.encode_png`. Raises ValueError for other shapes or another compression.

    >>> file = gc.image.encode_png(gc.zeros([2, 3, 3], gc.uint8))
    >>> file.eval()[:4]
    b'\x89PNG'
    >>> gc.write_file("black.png", file).run()
    """
    image = image if is_tensor_like(image) or hasattr(image, "dtype") else convert_to_tensor(image, uint8)
    result: Tensor = apply(EncodePng, image, compression=compression, name=name)
    return result


@public("image.encode_jpeg", "io.encode_jpeg")
def encode_jpeg(image: Any, format: str = "", quality: int = 95, progressive: bool = False,
                optimize_size: bool = False, chroma_downsampling: bool = True, density_unit: str = "in",
                x_density: int = 300, y_density: int = 300, xmp_metadata: str = "", name: str | None = None) -> Tensor:
    r"""The JPEG of pixels, a string.

    image: uint8 [height, width, 1 or 3]; format: "", "grayscale" or "rgb"; quality: 0 to 100; chroma_downsampling:
    colours at half the size; the densities and xmp_metadata are written into the file. As `tf.image.encode_jpeg`, by
    Pillow. Raises TypeError for a picture that is not uint8, ValueError for other shapes, channels that do not fit the
    format, and an unknown format, quality or density_unit.

    >>> image = gc.fill([16, 16, 3], gc.constant(200, gc.uint8))
    >>> file = gc.image.encode_jpeg(image, quality=90).eval()
    >>> file[:2], gc.image.decode_jpeg(file).eval()[0, 0]
    (b'\xff\xd8', array([200, 200, 200], dtype=uint8))
    """
    result: Tensor = apply(EncodeJpeg, convert_to_tensor(image, uint8, name="image"), format=format, quality=quality,
                           progressive=progressive, optimize_size=optimize_size,
                           chroma_downsampling=chroma_downsampling, density_unit=density_unit, x_density=x_density,
                           y_density=y_density, xmp_metadata=xmp_metadata, name=name)
    return result


@public("image.adjust_jpeg_quality")
def adjust_jpeg_quality(image: Any, jpeg_quality: Any, name: str | None = None) -> Tensor:
    """What a JPEG of that quality, 0 to 100, makes of a picture, of its dtype.

    image: [height, width, 1 or 3]. jpeg_quality: an int or an int32 scalar (TypeError for a float). As
    `tf.image.adjust_jpeg_quality`. Raises ValueError for other shapes; a quality outside the range is an
    InvalidArgumentError when run.

    >>> image = gc.fill([8, 8, 3], 0.5)
    >>> gc.image.adjust_jpeg_quality(image, 75)[0, 0].eval()
    array([0.498, 0.498, 0.498], dtype=float32)
    """
    with get_default_graph().name_scope(name or "adjust_jpeg_quality"):
        image = convert_to_tensor(image, name="image")
        quality = jpeg_quality if is_tensor_like(jpeg_quality) else convert_to_tensor(jpeg_quality, int32)
        file = apply(EncodeJpegVariableQuality, convert_image_dtype(image, uint8), quality)
        known = image.shape.ndims == 3 and image.shape[2].value in (1, 3)
        return convert_image_dtype(decode_jpeg(file, image.shape[2].value if known else 0), image.dtype)


@public("image.random_jpeg_quality")
def random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: int | None = None) -> Tensor:
    """What a JPEG of a random quality in [min_jpeg_quality, max_jpeg_quality) makes of a picture.

    image: [height, width, 1 or 3], whose dtype the result has. As `tf.image.random_jpeg_quality`. Raises ValueError
    unless 0 <= min < max <= 100.

    >>> gc.image.random_jpeg_quality(gc.fill([8, 8, 3], 0.5), 60, 90, seed=1).eval().shape
    (8, 8, 3)
    """
    if min_jpeg_quality < 0 or max_jpeg_quality < 0 or min_jpeg_quality > 100 or max_jpeg_quality > 100:
        raise ValueError("jpeg encoding range must be between 0 and 100.")
    if min_jpeg_quality >= max_jpeg_quality:
        raise ValueError("min_jpeg_quality must be less than max_jpeg_quality.")
    quality = random_uniform([], min_jpeg_quality, max_jpeg_quality, seed=seed, dtype=int32)
    return adjust_jpeg_quality(image, quality)


