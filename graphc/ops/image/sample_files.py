"""Small pictures in files, and what asks for them as operands: samples of the ops that read pictures."""
from __future__ import annotations

import base64
import struct
from typing import Any

import numpy as np

from graphc.ops.image.png import png_file

_X, _Y = np.meshgrid(np.arange(7), np.arange(9))
RGB_PIXELS = np.stack([20 * _X + 5 * _Y, 255 - 25 * _Y, 30 * ((_X + _Y) % 8)], -1).astype(np.uint8)

JPEG_RGB = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5"
    "PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjL/wAAR"
    "CAAJAAcDASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAQG/8QAIBAAAQMCBwAAAAAAAAAAAAAAAAECAwUGERIhIjJRcf/EABQBAQAA"
    "AAAAAAAAAAAAAAAAAAP/xAAdEQABBAIDAAAAAAAAAAAAAAABAAIDBAURQZGx/9oADAMBAAIRAxEAPwCinXTkajI5N2Gq9AwdE4p4BIcRHYYJ"
    "A4tHAB0B16kpYOqIQNL/2Q==")
JPEG_GREY = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5"
    "PTgyPC4zNDL/wAALCAAJAAcBAREA/8QAFQABAQAAAAAAAAAAAAAAAAAABAb/xAAgEAAABQMFAAAAAAAAAAAAAAAAAQIDBQYREiEiMlFx/9oA"
    "CAEBAAA/AER1U4JJDbm62p9CDhOJeD//2Q==")
GIF = base64.b64decode(
    "R0lGODdhBQAEAIEAAAoUHsgAAAAAAAAAACwAAAAABQAEAAAIDAABCBwIIADBgwMDAgAh+QQBAAACACwCAAEAAgACAIEKFB4AyGQAAAAAAAAIBwAB"
    "CBAQICAAOw==")
GIF_OF_ONE = GIF[:50] + b";"


def bmp(pixels: np.ndarray) -> bytes:
    """A file of [height, width, 1, 3 or 4] of uint8."""
    height, width, channels = pixels.shape
    colours = pixels if channels == 1 else pixels[..., [2, 1, 0, *range(3, channels)]]
    rows = np.zeros((height, (width * channels + 3) // 4 * 4), np.uint8)
    rows[:, :width * channels] = colours[::-1].reshape(height, -1)
    greys = bytes(v for i in range(256) for v in (i, i, i, 0)) if channels == 1 else b""
    start = 54 + len(greys)
    return (struct.pack("<2sIII", b"BM", start + rows.size, 0, start)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8 * channels, 0, rows.size, 0, 0, 0, 0)
            + greys + rows.tobytes())


def png(dtype: Any, channels: int) -> bytes:
    pixels = np.concatenate([RGB_PIXELS, RGB_PIXELS[..., :1] // 2], 2)[..., :channels]
    return png_file(pixels.astype(dtype) * (257 if dtype == np.uint16 else 1), -1)


def one(contents: bytes) -> np.ndarray:
    """A scalar operand."""
    made = np.empty((), object)
    made[()] = contents
    return made
