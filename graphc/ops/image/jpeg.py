"""JPEG: the pixels in a file, and a file of pixels, by libjpeg.

simplejpeg (libjpeg-turbo) decodes whole files, to the bit as TensorFlow does. Those that are cut off or damaged, or
have four colours, are Pillow's, which gives what there is, by the accurate method and with smoothed colours.
"""
from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np

from graphc.ops.image.png import check_size
from graphc.ops.image.wanted import Wanted

MAGIC = b"\xff\xd8\xff"
END = b"\xff\xd9"
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
XMP = b"http://ns.adobe.com/xap/1.0/\0"
UNITS = {"in": 1, "cm": 2}


def jpeg_shape(contents: bytes) -> tuple[int, int, int]:
    """Height, width and channels, as the header says."""
    position = 2
    while contents[:2] == MAGIC[:2] and position + 4 <= len(contents):
        if contents[position] != 0xFF:
            break
        marker = contents[position + 1]
        if marker == 0xFF or marker in WITHOUT_LENGTH:
            position += 1 if marker == 0xFF else 2
            continue
        if marker in FRAMES and position + 10 <= len(contents):
            height, width, channels = struct.unpack_from(">HHB", contents, position + 5)
            if height and width:
                return height, width, channels
            break
        position += 2 + struct.unpack_from(">H", contents, position + 2)[0]
    raise ValueError(f"Invalid JPEG data, size {len(contents)}")


def jpeg_pixels(contents: bytes, wanted: Wanted) -> np.ndarray:
    """The pixels, [height, width, 1 or 3] of uint8; channels 0: as many as the file has, of four 3."""
    height, width, own = jpeg_shape(contents)
    check_size("JPEG", height, width)
    channels = wanted.channels or min(own, 3)
    if own in (1, 3):
        found = _whole(contents, channels, -(-height // wanted.ratio), -(-width // wanted.ratio), wanted)
        if found is not None:
            return found
    return _parts(contents, channels, wanted)


def _whole(contents: bytes, channels: int, height: int, width: int, wanted: Wanted) -> np.ndarray | None:
    """The pixels of a file without faults; None of another."""
    from simplejpeg import decode_jpeg

    try:
        found: np.ndarray = decode_jpeg(
            contents, "GRAY" if channels == 1 else "RGB", fastdct=not wanted.accurate, fastupsample=not wanted.smooth,
            min_height=height, min_width=width, min_factor=1, strict=True)
    except ValueError:
        return None
    return found


def _parts(contents: bytes, channels: int, wanted: Wanted) -> np.ndarray:
    """What there is of the pixels."""
    recover = wanted.recover
    picture, whole = _loaded(contents + 4 * END if recover else contents, channels, wanted.ratio)
    found = _array(picture, len(contents))
    made = _channels(found, channels, "adobe" in picture.info)
    if not whole and recover and not found.any():
        raise ValueError(f"Invalid JPEG data, size {len(contents)}: it ends before its first row")
    if not whole and not recover:
        rows = int(np.flatnonzero(found.reshape(len(found), -1).any(1))[-1]) + 1 if found.any() else 0
        if rows < min(1.0, wanted.fraction) * len(found) or (not rows and "progressive" in picture.info):
            raise ValueError(f"Invalid JPEG data or crop window, data size {len(contents)}: it ends in row {rows} of "
                             f"{len(found)}; try_recover_truncated=True reads it")
        made[rows:] = 0
    return made


def _loaded(contents: bytes, channels: int, ratio: int) -> tuple[Any, bool]:
    """Pillow's picture, and whether the file reaches all of its rows."""
    from PIL.JpegImagePlugin import JpegImageFile

    try:
        picture: Any = JpegImageFile(io.BytesIO(contents))
        if min(picture.size) < ratio:
            raise ValueError(f"JPEG of {picture.size[1]} x {picture.size[0]} pixels: ratio {ratio} is larger than it "
                             "is; use a smaller one")
        picture.draft("L" if channels == 1 else None, tuple(s // ratio for s in picture.size))
    except (OSError, SyntaxError, EOFError, struct.error, IndexError) as error:
        raise ValueError(f"Invalid JPEG data, size {len(contents)}: {error}") from None
    try:
        picture.load()
        return picture, True
    except (OSError, SyntaxError, EOFError):
        picture.tile = []                # nothing more to load: what is there is the picture
        return picture, False


def _array(picture: Any, size: int) -> np.ndarray:
    try:
        return np.array(picture)
    except OSError as error:
        raise ValueError(f"Invalid JPEG data, size {size}: {error}") from None


def _channels(found: np.ndarray, channels: int, adobe: bool) -> np.ndarray:
    if found.ndim == 2:
        return np.repeat(found[..., None], channels, 2)
    if found.shape[2] == 4 and channels == 3:
        # Pillow takes all files of four colours for Adobe's, which hold them inverted.
        ink = found.astype(np.int64) if not adobe else 255 - found.astype(np.int64)
        return (ink[..., :3] * ink[..., 3:] // 255).astype(np.uint8)
    if found.shape[2] != channels:
        raise ValueError(f"a JPEG of {found.shape[2]} colours cannot be decoded to {channels} channels")
    return found


def jpeg_file(pixels: np.ndarray, quality: int, *, progressive: bool = False, optimize: bool = False,
              downsampling: bool = True, unit: str = "in", density: tuple[int, int] = (300, 300),
              xmp: bytes = b"") -> bytes:
    """A file of [height, width, 1 or 3] of uint8."""
    from PIL import Image

    if 0 in pixels.shape or max(pixels.shape) > 65500:
        raise ValueError(f"a JPEG cannot have the shape {pixels.shape}")
    if len(xmp) + len(XMP) > 65533:
        raise ValueError(f"xmp_metadata has {len(xmp)} bytes; at most {65533 - len(XMP)} fit into a JPEG")
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=max(quality, 1), progressive=progressive, optimize=optimize,
                 subsampling=2 if downsampling else 0, dpi=(1, 1))
    made = bytearray(file.getvalue())
    if made[2:4] != b"\xff\xe0" or made[6:11] != b"JFIF\0":
        raise ValueError("the JPEG that Pillow wrote does not begin with a JFIF header")
    made[13:18] = struct.pack(">BHH", UNITS[unit], *density)
    behind = 4 + struct.unpack_from(">H", made, 4)[0]
    if xmp:
        made[behind:behind] = b"\xff\xe1" + struct.pack(">H", 2 + len(XMP) + len(xmp)) + XMP + xmp
    return bytes(made)
