"""What must hold of ops that read and write files of pictures: that Pillow, asked plainly, sees the same pixels."""
from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

Equations = Iterator[tuple[Any, Any]]     # what must be equal


def opened(contents: bytes) -> np.ndarray:
    """[frames, height, width, channels] of 8 bits."""
    with Image.open(io.BytesIO(contents)) as picture:
        frames = [np.asarray(f.convert("RGB") if f.mode == "P" or picture.format == "GIF" else f)
                  for f in ImageSequence.Iterator(picture)]
    return np.stack([f if f.ndim == 3 else f[..., None] for f in frames])


def in_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    own = pixels.shape[-1]
    colours, alpha = pixels, np.full_like(pixels[..., :1], 255)
    if own in (2, 4):
        colours, alpha = pixels[..., :-1], pixels[..., -1:]
    if channels in (3, 4) and colours.shape[-1] == 1:
        colours = np.repeat(colours, 3, -1)
    if channels in (1, 2) and colours.shape[-1] == 3:
        colours = np.floor(colours @ [0.299, 0.587, 0.114])[..., None]
    return np.concatenate([colours, alpha], -1) if channels in (2, 4) else colours


def by_fast_method(op: Any, contents: np.ndarray) -> bool:
    """Whether it is a JPEG, and not decoded by the accurate method, which is Pillow's."""
    return contents.item()[:2] == b"\xff\xd8" and getattr(op, "dct_method", "") != "INTEGER_ACCURATE"


def decoded(op: Any, contents: np.ndarray, found: np.ndarray) -> Equations:
    """Grey made of colours differs by roundings, and so does what has more than 8 bits."""
    channels, wide = getattr(op, "channels", 0), found.dtype == np.uint16
    pixels = opened(contents.item())
    if found.ndim == 3:
        pixels = pixels[0]
    expected = in_channels(pixels, channels or pixels.shape[-1]).astype(np.float64)
    scale = {"f": 255.0, "u": 1 / 257 if wide else 1.0}[found.dtype.kind]
    assert found.shape == expected.shape
    fast = by_fast_method(op, contents)
    assert np.abs(found * scale - expected).max() <= 1.01 + (channels == 1 and pixels.shape[-1] == 3) + 8 * fast
    if not fast and not wide and found.dtype.kind == "u" and channels in (0, pixels.shape[-1]):
        yield found, expected


def decoded_jpeg(op: Any, contents: np.ndarray, found: np.ndarray) -> Equations:
    if op.try_recover_truncated:
        assert found.shape == (9, 7, 3) and found.any()
    elif op.ratio == 1:
        yield from decoded(op, contents, found)
    else:
        whole = opened(contents.item())[0]
        height, width, own = whole.shape
        yield found.shape, (-(-height // op.ratio), -(-width // op.ratio), op.channels or own)
        assert abs(found.mean() - in_channels(whole, op.channels or own).mean()) < 12


def cropped(op: Any, contents: np.ndarray, found: np.ndarray) -> Equations:
    y, x, height, width = op.crop_window
    yield found.shape[:2], (height, width)
    if op.ratio == 1:
        whole = opened(contents.item())[0]
        expected = in_channels(whole, op.channels or whole.shape[-1])[y:y + height, x:x + width]
        if by_fast_method(op, contents):
            assert np.abs(found - expected.astype(np.float64)).max() <= 8
        else:
            yield found, expected


def shape_of(op: Any, contents: np.ndarray, found: np.ndarray) -> Equations:
    yield found, opened(contents.item()).shape[1:]


def encoded_png(op: Any, image: np.ndarray, contents: np.ndarray) -> Equations:
    assert contents.item()[24] == 8 * image.dtype.itemsize
    pixels = opened(contents.item())[0]
    if image.dtype == np.uint8:
        yield pixels, image
    elif image.shape[2] != 1:
        yield pixels, image >> 8


def encoded_jpeg(op: Any, image: np.ndarray, *more: np.ndarray) -> Equations:
    contents = more[-1].item()
    pixels = opened(contents)[0]
    assert pixels.shape == image.shape and np.abs(pixels.astype(int) - image).mean() < 16
    assert (b"\xff\xc2" in contents) == getattr(op, "progressive", False)
    assert contents[13] == (2 if getattr(op, "density_unit", "in") == "cm" else 1)
    yield list(contents[14:18]), [d >> s & 255 for d in (getattr(op, "x_density", 300), getattr(op, "y_density", 300))
                                  for s in (8, 0)]
    assert getattr(op, "xmp_metadata", "").encode() in contents


PICTURES: dict[str, Callable[..., Equations]] = {
    "DecodePng": decoded, "DecodeJpeg": decoded_jpeg, "DecodeAndCropJpeg": cropped, "DecodeBmp": decoded,
    "DecodeGif": decoded, "DecodeImage": decoded, "ExtractJpegShape": shape_of, "EncodePng": encoded_png,
    "EncodeJpeg": encoded_jpeg, "EncodeJpegVariableQuality": encoded_jpeg,
}
