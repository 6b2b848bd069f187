"""PNG: the pixels in a file, as libpng gives them to TensorFlow, and a file of pixels. Files are read by Pillow."""
from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np

MAGIC = b"\x89PNG\r\n\x1a\n"
GREY, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 3, 4, 6
MAX_SIDE, MAX_PIXELS = 1 << 27, 1 << 29


def check_size(kind: str, height: int, width: int) -> None:
    """Refuses what no picture is: its memory would be asked for before the file turns out to be damaged."""
    if not (0 < width < MAX_SIDE and 0 < height < MAX_SIDE and width * height < MAX_PIXELS):
        raise ValueError(f"{kind} size too large for int: {width} by {height}")


def png_pixels(contents: bytes, channels: int, bits: int) -> np.ndarray:
    """The pixels, [height, width, channels] of uint8 or uint16. channels 0: as many as the file has."""
    if contents[:8] != MAGIC or contents[12:16] != b"IHDR" or len(contents) < 33:
        raise ValueError(f"Invalid PNG header, data size {len(contents)}")
    width, height, depth, kind = struct.unpack(">IIBB", contents[16:26])
    check_size("PNG", height, width)
    _check_chunks(contents)
    samples, alpha = _samples(contents, depth, kind)
    own = samples.shape[2]
    wanted = channels or own + (kind in (GREY_ALPHA, RGB_ALPHA) or (kind == PALETTE and alpha is not None))
    if own == 3 and wanted < 3:
        samples = _grey(samples)
    elif own == 1 and wanted > 2:
        samples = np.repeat(samples, 3, 2)
    if wanted in (2, 4):
        # libpng adds alpha before it widens samples of 1, 2 and 4 bits, so there what is opaque is not 255.
        filled = alpha if alpha is not None else np.full((height, width, 1), (1 << depth) - 1, samples.dtype)
        samples = np.concatenate([samples, filled], 2)
    if bits == 16:
        return samples if depth == 16 else samples.astype(np.uint16) * 257
    return (samples >> 8).astype(np.uint8) if depth == 16 else samples


def _check_chunks(contents: bytes) -> None:
    """Refuses a file that is cut off, or damaged where it matters."""
    position = 8
    while position + 12 <= len(contents):
        size, = struct.unpack_from(">I", contents, position)
        kind, data, end = contents[position + 4:position + 8], position + 8, position + 12 + size
        if end > len(contents):
            break
        if kind[:1].isupper() and zlib.crc32(contents[position + 4:data + size]) != struct.unpack_from(
                ">I", contents, data + size)[0]:
            break
        if kind == b"IEND":
            return
        position = end
    raise ValueError(f"Invalid PNG data, size {len(contents)}")


def _samples(contents: bytes, depth: int, kind: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Grey or red, green and blue, [height, width, 1 or 3], of uint8 or uint16, and alpha, [height, width, 1]."""
    raw, picture = _raw(contents, depth, kind)
    transparent = picture.info.get("transparency")
    if kind == PALETTE:
        palette = np.zeros((256, 3), np.uint8)
        given = np.frombuffer(bytes(picture.getpalette() or b""), np.uint8).reshape(-1, 3)
        palette[:len(given)] = given
        opacity = np.full(256, 255, np.uint8)
        if isinstance(transparent, int):
            opacity[transparent] = 0
        elif transparent is not None:
            opacity[:len(transparent)] = np.frombuffer(transparent, np.uint8)[:256]
        index = raw[..., 0]
        return palette[index], opacity[index][..., None] if transparent is not None else None
    if kind in (GREY_ALPHA, RGB_ALPHA):
        return raw[..., :-1], raw[..., -1:]
    if transparent is None:
        return raw, None
    opaque = 65535 if depth == 16 else 255
    key = np.array(transparent, np.int64).ravel()
    if 1 < depth < 8:                    # Pillow gives that of 1 bit scaled
        key = key * 255 // ((1 << depth) - 1)
    return raw, np.where((raw == key).all(2, keepdims=True), 0, opaque).astype(raw.dtype)


def _raw(contents: bytes, depth: int, kind: int) -> tuple[np.ndarray, Any]:
    """The samples as they stand in the file, those of less than 8 bits scaled to 8 (but no indices), and Pillow's
    picture."""
    from PIL.PngImagePlugin import PngImageFile

    try:
        picture: Any = PngImageFile(io.BytesIO(contents))
        if depth == 16 and kind in (2, RGB_ALPHA):
            # Pillow keeps 8 bits of them: told that they stand the other way round, it keeps the other 8.
            high, low = _loaded(picture), PngImageFile(io.BytesIO(contents))
            codec, box, offset, mode = low.tile[0]
            low.tile = [type(low.tile[0])(codec, box, offset, mode.replace("16B", "16L"))]
            return high.astype(np.uint16) << 8 | _loaded(low), picture
        if depth == 16 and kind == GREY_ALPHA:
            codec, box, offset, _ = picture.tile[0]
            picture.tile = [type(picture.tile[0])(codec, box, offset, "RGBA")]
            return np.ascontiguousarray(_loaded(picture)).view(">u2").astype(np.uint16), picture
        found = _loaded(picture)
    except (OSError, SyntaxError, EOFError) as error:
        raise ValueError(f"Invalid PNG data, size {len(contents)}: {error}") from None
    return found.astype(np.uint8) * 255 if found.dtype == np.bool_ else found, picture


def _loaded(picture: Any) -> np.ndarray:
    array = np.asarray(picture)
    return array if array.ndim == 3 else array[..., None]


def _grey(rgb: np.ndarray) -> np.ndarray:
    """In libpng's arithmetic, which rounds samples of 16 bits only; grey stays as it is."""
    red, green, blue = (rgb[..., i].astype(np.int64) for i in range(3))
    half = 16384 if rgb.dtype == np.uint16 else 0
    mixed = (9797 * red + 19234 * green + 3737 * blue + half) >> 15
    return np.where((red == green) & (red == blue), red, mixed).astype(rgb.dtype)[..., None]


def png_file(pixels: np.ndarray, compression: int) -> bytes:
    """A file of [height, width, 1 to 4] of uint8 or uint16. compression: 0 to 9, -1: zlib's default."""
    height, width, channels = pixels.shape
    kind = {1: GREY, 2: GREY_ALPHA, 3: 2, 4: RGB_ALPHA}[channels]
    bits = pixels.dtype.itemsize * 8
    rows = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">"))).view(np.uint8).reshape(height, -1)
    data = _filtered(rows, channels * bits // 8).tobytes()
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return MAGIC + b"".join(_chunk(*c) for c in (
        (b"IHDR", header), (b"IDAT", zlib.compress(data, compression)), (b"IEND", b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _filtered(rows: np.ndarray, step: int) -> np.ndarray:
    """Each row as its difference from its neighbours, by the filter that leaves the least, which stands before it."""
    left, up, corner = (np.zeros_like(rows) for _ in range(3))
    left[:, step:], up[1:] = rows[:, :-step], rows[:-1]
    corner[1:, step:] = rows[:-1, :-step]
    mean = ((left.astype(np.int16) + up) // 2).astype(np.uint8)
    a, b, c = (x.astype(np.int16) for x in (left, up, corner))
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    paeth = np.where((to_a <= to_b) & (to_a <= to_c), left, np.where(to_b <= to_c, up, corner))
    differences = [rows, rows - left, rows - up, rows - mean, rows - paeth]
    sizes = [np.abs(d.view(np.int8).astype(np.int64)).sum(1) for d in differences]
    best = np.argmin(sizes, 0)
    chosen = np.stack(differences)[best, np.arange(len(rows))] if len(rows) else rows
    return np.concatenate([best.astype(np.uint8)[:, None], chosen], 1)
