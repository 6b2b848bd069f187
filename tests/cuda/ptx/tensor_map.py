"""A tensor map as the emulator has it: 128 bytes, of which a GPU's say nothing to anybody."""
from __future__ import annotations

import struct

from graphc.exec.cuda.tensor_map import BYTES, AnyMap, PictureMap, TensorMap

_FORMAT, _OF_PICTURES, _PICTURES = "<4s7q", "<4sQ4i6h2H", b"P"


def packed(tensor: AnyMap) -> bytes:
    if isinstance(tensor, PictureMap):
        t = tensor
        assert t.strides[0] > 0 and t.strides[1] > 0
        numbers = (t.address, t.n, t.h, t.w, t.c, *t.lower, *t.upper, *t.strides, t.pixels, 0)
        return (_PICTURES + struct.pack(_OF_PICTURES, t.element.encode(), *numbers)).ljust(BYTES, b"\0")
    numbers = (tensor.address, tensor.length, tensor.lines, tensor.batch, tensor.line, tensor.matrix, tensor.across)
    return struct.pack(_FORMAT, tensor.element.encode(), *numbers).ljust(BYTES, b"\0")


def unpacked(stored: bytes) -> AnyMap:
    if stored.startswith(_PICTURES):
        element, address, n, h, w, c, *pairs, pixels, _ = struct.unpack_from(_OF_PICTURES, stored, 1)
        corners = [(pairs[i], pairs[i + 1]) for i in (0, 2, 4)]
        return PictureMap(element.rstrip(b"\0").decode(), address, n, h, w, c, *corners, pixels)
    element, *numbers = struct.unpack_from(_FORMAT, stored)
    return TensorMap(element.rstrip(b"\0").decode(), *numbers)
