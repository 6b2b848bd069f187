"""A tensor map as the emulator has it: 128 bytes, of which a GPU's say nothing to anybody."""
from __future__ import annotations

import struct

from graphc.exec.cuda.tensor_map import BYTES, TensorMap

_FORMAT = "<4s7q"


def packed(tensor: TensorMap) -> bytes:
    numbers = (tensor.address, tensor.length, tensor.lines, tensor.batch, tensor.line, tensor.matrix, tensor.across)
    return struct.pack(_FORMAT, tensor.element.encode(), *numbers).ljust(BYTES, b"\0")


def unpacked(stored: bytes) -> TensorMap:
    element, *numbers = struct.unpack_from(_FORMAT, stored)
    return TensorMap(element.rstrip(b"\0").decode(), *numbers)
