"""Numbers of 8 bits and fewer that graphc has no dtype for: small integers, and small floats.

A graph holds their values in a wider dtype (int8, uint8, float32), exactly; the importer remembers which tensors are
meant, and only ops that move elements, casts, and (de)quantization take them.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import graphc as gc


@dataclass(frozen=True)
class Narrow:
    """number: of TensorProto.DataType; numpy: the name of the type in ml_dtypes; held: the dtype that a graph has."""

    number: int
    name: str
    numpy: str
    bits: int
    held: Any

    @property
    def is_float(self) -> bool:
        return self.held == gc.float32  # type: ignore[no-any-return]

    @property
    def has_infinity(self) -> bool:
        return self.name == "FLOAT8E5M2"

    @cached_property
    def dtype(self) -> Any:
        """NumPy's dtype of it, by ml_dtypes, which the package onnx brings."""
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, self.numpy))

    @property
    def limits(self) -> tuple[int, int]:
        """(smallest, largest) of a small integer."""
        half = 1 << (self.bits - 1)
        return (0, 2 * half - 1) if self.held == gc.uint8 else (-half, half - 1)

    def size(self, count: int) -> int:
        """The bytes of that many elements."""
        return -(-count * self.bits // 8)

    def unpacked(self, data: np.ndarray, count: int) -> np.ndarray:
        """Elements that stand several in a byte, the first one in the lowest bits, as `held`."""
        parts = [(data >> shift) & ((1 << self.bits) - 1) for shift in range(0, 8, self.bits)]
        codes = np.stack(parts, -1).reshape(-1)[:count].astype(np.uint8)
        with np.errstate(all="ignore"):
            return codes.view(self.dtype).astype(self.held.as_numpy_dtype)  # type: ignore[no-any-return]

    def magnitudes(self) -> np.ndarray:
        """All finite values of a small float that are not negative, ascending: value i has the code i."""
        codes = np.arange(1 << (self.bits - 1), dtype=np.uint8)
        values = codes.view(self.dtype).astype(np.float32)
        return values[np.isfinite(values)]


FORMATS = {narrow.number: narrow for narrow in (
    Narrow(17, "FLOAT8E4M3FN", "float8_e4m3fn", 8, gc.float32),
    Narrow(18, "FLOAT8E4M3FNUZ", "float8_e4m3fnuz", 8, gc.float32),
    Narrow(19, "FLOAT8E5M2", "float8_e5m2", 8, gc.float32),
    Narrow(20, "FLOAT8E5M2FNUZ", "float8_e5m2fnuz", 8, gc.float32),
    Narrow(21, "UINT4", "uint4", 4, gc.uint8), Narrow(22, "INT4", "int4", 4, gc.int8),
    Narrow(23, "FLOAT4E2M1", "float4_e2m1fn", 4, gc.float32),
    Narrow(25, "UINT2", "uint2", 2, gc.uint8), Narrow(26, "INT2", "int2", 2, gc.int8))}
# Ops that pass elements on as they are; and those that take the numbers for what they are worth.
PASS_NARROW = {"Identity", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Concat", "Slice", "Gather",
               "Split", "Expand", "Tile"}
TAKE_NARROW = PASS_NARROW | {"Cast", "CastLike", "QuantizeLinear", "DequantizeLinear", "Shape", "Size"}


def to_narrow(x: Any, narrow: Narrow, saturate: bool = True) -> Any:
    """x as numbers of the format, held in its wider dtype."""
    return _to_float(x, narrow, saturate) if narrow.is_float else _to_integer(x, narrow)


def _to_integer(x: Any, narrow: Narrow) -> Any:
    """Floats rounded towards 0; what does not fit loses its upper bits."""
    wide = gc.cast(x, gc.int32)
    whole, half = gc.constant(1 << narrow.bits), gc.constant(1 << (narrow.bits - 1))
    if narrow.held == gc.uint8:
        return gc.cast(gc.floormod(wide, whole), gc.uint8)
    return gc.cast(gc.floormod(wide + half, whole) - half, gc.int8)


def _to_float(x: Any, narrow: Narrow, saturate: bool) -> Any:
    """The nearest value, in a tie the one with an even code. saturate: the largest one for what is beyond all."""
    wide = x if x.dtype in (gc.float32, gc.float64) else gc.cast(x, gc.float32)
    values = narrow.magnitudes().astype(np.float64)
    step = values[-1] - values[-2]
    middles = gc.constant(np.append((values[1:] + values[:-1]) / 2, values[-1] + step / 2), wide.dtype)
    flat = gc.reshape(gc.abs(wide), [1, -1])
    low, high = (gc.searchsorted(gc.expand_dims(middles, 0), flat, side) for side in ("left", "right"))
    index = gc.where_v2(gc.equal(gc.floormod(low, gc.constant(2)), gc.constant(0)), low, high)
    beyond = np.inf if narrow.has_infinity else np.nan
    top = values[-1] if saturate or narrow.name == "FLOAT4E2M1" else beyond
    table = gc.constant(np.append(values, top), gc.float32)
    found = gc.reshape(gc.gather(table, index), gc.shape(wide))
    signed = gc.cast(gc.where_v2(gc.less(wide, gc.constant(0, wide.dtype)), -found, found), gc.float32)
    is_nan = gc.is_nan(wide)
    if narrow.name == "FLOAT4E2M1":                     # it has none
        return gc.where_v2(is_nan, gc.zeros_like(signed), signed)
    return gc.where_v2(is_nan, gc.constant(np.nan, gc.float32), signed)
