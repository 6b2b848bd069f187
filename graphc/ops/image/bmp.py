"""BMP: the pixels in a file without compression, as TensorFlow reads it."""
from __future__ import annotations

import struct

import numpy as np

from graphc.ops.image.png import check_size

MAGIC = b"BM"


def bmp_pixels(contents: bytes, channels: int) -> np.ndarray:
    """The pixels, [height, width, 1, 3 or 4] of uint8. A file of 8 bits a pixel gives what stands in it, no colours."""
    if len(contents) < 32:
        raise ValueError(f"Incomplete bmp content, requires at least 32 bytes, got {len(contents)} bytes")
    start, = struct.unpack_from("<i", contents, 10)
    width, height = struct.unpack_from("<ii", contents, 18)
    bits, = struct.unpack_from("<H", contents, 28)
    own = bits // 8
    if bits not in (8, 24, 32):
        raise ValueError(f"Number of channels must be 1, 3 or 4, was {own}: {bits} bits a pixel")
    if width <= 0:
        raise ValueError("Width must be positive")
    if height == 0:
        raise ValueError("Height must be nonzero")
    rows = abs(height)
    check_size("BMP", rows, width)
    stride = (own * width + 3) // 4 * 4
    last = start + (rows - 1) * stride + own * width
    if start < 0 or last > len(contents):
        raise ValueError(f"Incomplete bmp content, requires at least {last} bytes, got {len(contents)} bytes")
    found = np.lib.stride_tricks.as_strided(np.frombuffer(contents, np.uint8)[start:], (rows, width, own),
                                            (stride, own, 1))
    if height > 0:
        found = found[::-1]
    if own >= 3:
        found = found[..., [2, 1, 0, *range(3, own)]]
    return _with_channels(found, channels or own)


def _with_channels(found: np.ndarray, channels: int) -> np.ndarray:
    own = found.shape[2]
    if channels == 1 and own != 1:
        raise ValueError(f"channels attribute {channels} does not match bits per pixel from file {own}")
    if own == 1 and channels >= 3:
        found = np.repeat(found, 3, 2)
    if channels > found.shape[2]:
        found = np.concatenate([found, np.full((*found.shape[:2], 1), 255, np.uint8)], 2)
    return found[..., :channels].copy()
