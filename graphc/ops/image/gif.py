"""GIF: the frames of a file, each drawn over the one before it, as TensorFlow reads it. Pillow unpacks each frame."""
from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from graphc.ir.records import dataclass
from graphc.ops.image.png import check_size

MAGIC = b"GIF8"
IMAGE, EXTENSION, END = 0x2C, 0x21, 0x3B


@dataclass(frozen=True)
class Frame:
    """left, top, width, height; the table of its colours; the index that leaves a pixel as it was (or -1); packed."""

    box: tuple[int, int, int, int]
    colours: bytes
    transparent: int
    interlaced: bool
    packed: bytes


def gif_pixels(contents: bytes) -> np.ndarray:
    """[frames, height, width, 3] of uint8. The size is that of the largest frame."""
    if contents[:6] not in (b"GIF87a", b"GIF89a") or len(contents) < 13:
        raise ValueError(f"Invalid GIF data (size {len(contents)}), no header")
    frames: list[Frame] = []
    try:
        frames.extend(_frames(contents))
    except ValueError:
        if not frames:                   # of a file that is cut off, the frames that are whole
            raise
    if not frames:
        raise ValueError(f"Invalid GIF data (size {len(contents)}), no frame")
    width, height = (max(f.box[i] for f in frames) for i in (2, 3))
    check_size("GIF", height, width)
    made = np.zeros((len(frames), height, width, 3), np.uint8)
    for i, frame in enumerate(frames):
        if i:
            made[i] = made[i - 1]
        _draw(frame, made[i], i, len(contents))
    return made


def _frames(contents: bytes) -> Iterator[Frame]:
    flags = contents[10]
    position = 13
    shared = b""
    if flags & 0x80:
        size = 3 << ((flags & 7) + 1)
        shared, position = contents[position:position + size], position + size
    transparent = -1
    while position < len(contents) and contents[position] != END:
        kind = contents[position]
        if kind == EXTENSION:
            blocks, end = _blocks(contents, position + 2)
            if contents[position + 1] == 0xF9 and len(blocks) >= 4:
                transparent = blocks[3] if blocks[0] & 1 else -1
            position = end
        elif kind == IMAGE:
            if position + 10 > len(contents):
                raise _cut_off(contents)
            box: Any = struct.unpack_from("<HHHH", contents, position + 1)
            flags, position = contents[position + 9], position + 10
            colours = shared
            if flags & 0x80:
                size = 3 << ((flags & 7) + 1)
                colours, position = contents[position:position + size], position + size
            start = position
            _, position = _blocks(contents, position + 1)
            yield Frame(box, colours, transparent, bool(flags & 0x40), contents[start:position])
            transparent = -1
        else:
            raise ValueError(f"Invalid GIF data (size {len(contents)}), byte {kind} at {position}")


def _blocks(contents: bytes, position: int) -> tuple[bytes, int]:
    """What a chain of blocks holds, and where it ends."""
    parts = []
    while True:
        if position >= len(contents):
            raise _cut_off(contents)
        size = contents[position]
        position += 1
        if not size:
            return b"".join(parts), position
        parts.append(contents[position:position + size])
        position += size


def _cut_off(contents: bytes) -> ValueError:
    return ValueError(f"Invalid GIF data (size {len(contents)}), it ends inside a frame")


def _draw(frame: Frame, canvas: np.ndarray, number: int, size: int) -> None:
    left, top, width, height = frame.box
    if not frame.colours:
        raise ValueError(f"Invalid GIF data (size {size}), missing color map for frame {number}")
    if not width or not height:
        return
    indices = _unpacked(frame, size)[:max(canvas.shape[0] - top, 0), :max(canvas.shape[1] - left, 0)]
    colours = np.frombuffer(frame.colours, np.uint8).reshape(-1, 3)
    drawn = indices != frame.transparent
    if indices[drawn].max(initial=0) >= len(colours):
        raise ValueError(f"Invalid GIF data (size {size}), found color index {indices[drawn].max()} outside of color "
                         f"map range {len(colours)}")
    part = canvas[top:top + height, left:left + width]
    part[drawn] = colours[indices[drawn]]


def _unpacked(frame: Frame, size: int) -> np.ndarray:
    """The indices of a frame: Pillow reads a file that holds it alone."""
    from PIL.GifImagePlugin import GifImageFile

    _, _, width, height = frame.box
    grey = bytes(i for i in range(256) for _ in range(3))
    alone = b"".join((b"GIF89a", struct.pack("<HHBBB", width, height, 0xF7, 0, 0), grey, bytes([IMAGE]),
                      struct.pack("<HHHHB", 0, 0, width, height, 0x40 if frame.interlaced else 0), frame.packed,
                      bytes([END])))
    try:
        return np.asarray(GifImageFile(io.BytesIO(alone)))
    except (OSError, SyntaxError, EOFError) as error:
        raise ValueError(f"Invalid GIF data (size {size}), {error}") from None
