"""The pixels in a file of any kind, by the bytes with which it begins."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphc.ops.image import bmp, gif, jpeg, png
from graphc.ops.image.wanted import Wanted


def kind_of(contents: bytes) -> str:
    """png, jpeg, gif or bmp. Raises ValueError for anything else."""
    if not contents:
        raise ValueError("Input is empty.")
    for kind, magic in (("jpeg", jpeg.MAGIC), ("png", png.MAGIC[:4]), ("gif", gif.MAGIC), ("bmp", bmp.MAGIC)):
        if contents.startswith(magic):
            return kind
    raise ValueError(f"Unknown image file format. One of JPEG, PNG, GIF, BMP required; it begins with {contents[:4]!r}")


def picture(contents: bytes, wanted: Wanted, op: str) -> np.ndarray:
    """[height, width, channels] of a JPEG, PNG or GIF of one frame."""
    kind = kind_of(contents)
    if kind == "bmp":
        raise ValueError(f"Trying to decode BMP format using a wrong op. Use `decode_bmp` or `decode_image` instead. "
                         f"Op used: {op}")
    if kind != "gif":
        return READ[kind](contents, wanted)
    if wanted.channels not in (0, 3):
        raise ValueError(f"channels must be 0 or 3 for GIF, got {wanted.channels}")
    frames = gif.gif_pixels(contents)
    if len(frames) != 1:
        raise ValueError(f"Got {len(frames)} frames, but animated gifs can only be decoded by gc.image.decode_gif or "
                         "gc.image.decode_image")
    return frames[0]


READ: dict[str, Callable[[bytes, Wanted], np.ndarray]] = {
    "jpeg": jpeg.jpeg_pixels,
    "png": lambda contents, w: png.png_pixels(contents, w.channels, w.bits),
    "bmp": lambda contents, w: bmp.bmp_pixels(contents, w.channels),
}
