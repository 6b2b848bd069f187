"""Narrow integers for kernels that know float32, float64, int32 and int64 only: widened before, narrowed after."""
from __future__ import annotations

from typing import Any

from graphc.ir.dtypes import WIDE, DType, int32, int64, string, uint32, uint64


def wide(dtype: DType) -> DType:
    """The dtype in which values of `dtype` are computed; strings are moved."""
    return dtype if dtype in WIDE or dtype == string else int64 if dtype in (uint32, uint64) else int32


def widened(b: Any, x: Any) -> Any:
    """x in its wide dtype; of uint64 the same bits."""
    if wide(x.dtype) == x.dtype:
        return x
    made = b.temporary(wide(x.dtype), x.shape)
    b.map(lambda s, v: s.cast(v, made.dtype), [x], [made])
    return made


def in_order(b: Any, x: Any) -> Any:
    """x in its wide dtype, for what compares: uint64 with its highest bit flipped."""
    if x.dtype != uint64:
        return widened(b, x)
    made = b.temporary(int64, x.shape)
    b.map(lambda s, v: _flipped(s, s.cast(v, int64)), [x], [made])
    return made


def _flipped(s: Any, v: Any) -> Any:
    return s("xor", v, s.constant(-2**63, int64))


def target(b: Any, y: Any) -> Any:
    """Where a kernel can write what is meant for y: y itself, or a place in its wide dtype, for `narrow`."""
    return y if wide(y.dtype) == y.dtype else b.temporary(wide(y.dtype), y.shape)


def narrow(b: Any, made: Any, y: Any) -> None:
    """Brings what was written to `target(b, y)` to y."""
    if made is not y:
        b.map(lambda s, v: s.cast(v, y.dtype), [made], [y])


def from_order(b: Any, made: Any, y: Any) -> None:
    """As `narrow`, of what was made of `in_order`; numbers beyond y's dtype become its bounds."""
    if made is y:
        return

    def narrowed(s: Any, v: Any) -> Any:
        if y.dtype == uint64:
            return s.cast(_flipped(s, v), y.dtype)
        low, high = (s.constant(int(bound), made.dtype) for bound in (y.dtype.min, y.dtype.max))
        return s.cast(s("max", s("min", v, high), low), y.dtype)

    b.map(narrowed, [made], [y])
