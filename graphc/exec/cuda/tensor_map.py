"""Tensor maps: what TMA (the copies of compute capability 9.0) knows of matrices, or of pictures, in memory. A map is a
kernel's parameter of 128 bytes that the driver writes (cuTensorMapEncodeTiled and ...Im2col, from CUDA 12.0 on).
"""
from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

BYTES, ALIGNMENT = 128, 64                     # of the parameter
STRIDE = 16                                    # bytes of which addresses and strides are multiples
# Numbers of cuda.h. float32 is copied bit for bit: what multiplies it cuts it.
_TYPES = {"f16": 6, "tf32": 7, "bf16": 9}
_SIZES = {"f16": 2, "tf32": 4, "bf16": 2}
_NOT_INTERLEAVED, _SWIZZLE_128, _PROMOTED_128, _ZEROS_OUTSIDE = 0, 3, 2, 0


@dataclass(frozen=True)
class TensorMap:
    """A batch of matrices, each of `lines` lines of `length` elements side by side. line, matrix: bytes from one to the
    next. across: lines of the box that a copy takes; along a line it takes 128 bytes, which are exchanged in groups of
    16 (see code/warpgroups.py)."""

    element: str
    address: int
    length: int
    lines: int
    batch: int
    line: int
    matrix: int
    across: int

    @property
    def along(self) -> int:
        """Elements of the box along a line."""
        return 128 // _SIZES[self.element]


@dataclass(frozen=True)
class PictureMap:
    """n pictures of h x w pixels of c channels, of which a copy takes `pixels` pixels, each from a window of its own,
    and 128 bytes of channels, exchanged likewise. Windows follow one another along columns, rows and pictures: the
    first one of a row, and of a picture, is `lower` pixels from the picture's first, the next ones `strides` further,
    the last one `upper` pixels from its last. All pairs are (along columns, along rows)."""

    element: str
    address: int
    n: int
    h: int
    w: int
    c: int
    lower: tuple[int, int]
    upper: tuple[int, int]
    strides: tuple[int, int]
    pixels: int

    @property
    def channels(self) -> int:
        """Of a copy."""
        return 128 // _SIZES[self.element]


CORNERS, MOST_STRIDE, MOST_OFFSET = (-128, 127), 8, 255        # what `lower` and `upper`, strides, and taps may be
AnyMap = TensorMap | PictureMap


def encode(driver: Any, tensor: AnyMap) -> ctypes.Array[ctypes.c_char]:
    """The parameter, as the driver writes it. Raises CudaError where it refuses the map."""
    room = ctypes.create_string_buffer(BYTES + ALIGNMENT)
    made = (ctypes.c_char * BYTES).from_buffer(room, -ctypes.addressof(room) % ALIGNMENT)
    if isinstance(tensor, PictureMap):
        _encode_pictures(driver, ctypes.addressof(made), tensor)
    else:
        _encode_matrices(driver, ctypes.addressof(made), tensor)
    return made


def _encode_pictures(driver: Any, made: int, tensor: PictureMap) -> None:
    pixel = tensor.c * _SIZES[tensor.element]
    sizes = (ctypes.c_uint64 * 4)(tensor.c, tensor.w, tensor.h, tensor.n)
    strides = (ctypes.c_uint64 * 3)(pixel, tensor.w * pixel, tensor.h * tensor.w * pixel)
    lower, upper = ((ctypes.c_int * 2)(*corner) for corner in (tensor.lower, tensor.upper))
    driver.cuTensorMapEncodeIm2col(made, _TYPES[tensor.element], 4, tensor.address, sizes, strides, lower, upper,
                                   tensor.channels, tensor.pixels, (ctypes.c_uint32 * 4)(1, *tensor.strides, 1),
                                   _NOT_INTERLEAVED, _SWIZZLE_128, _PROMOTED_128, _ZEROS_OUTSIDE)


def _encode_matrices(driver: Any, made: int, tensor: TensorMap) -> None:
    sizes = (ctypes.c_uint64 * 3)(tensor.length, tensor.lines, tensor.batch)
    strides = (ctypes.c_uint64 * 2)(tensor.line, tensor.matrix)
    box, steps = (ctypes.c_uint32 * 3)(tensor.along, tensor.across, 1), (ctypes.c_uint32 * 3)(1, 1, 1)
    driver.cuTensorMapEncodeTiled(made, _TYPES[tensor.element], 3, tensor.address, sizes, strides,
                                  box, steps, _NOT_INTERLEAVED, _SWIZZLE_128, _PROMOTED_128, _ZEROS_OUTSIDE)
