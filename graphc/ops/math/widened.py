"""Narrow integers for kernels that know float32, float64, int32 and int64 only: widened before, narrowed behind."""
from __future__ import annotations

from typing import Any

from graphc.ir.dtypes import WIDE, DType, int32, int64, string, uint32


def wide(dtype: DType) -> DType:
    """The dtype in which values of `dtype` are computed; strings are moved."""
    return dtype if dtype in WIDE or dtype == string else int64 if dtype == uint32 else int32


def widened(b: Any, x: Any) -> Any:
    """x in its wide dtype."""
    if wide(x.dtype) == x.dtype:
        return x
    made = b.temporary(wide(x.dtype), x.shape)
    b.map(lambda s, v: s.cast(v, made.dtype), [x], [made])
    return made


def target(b: Any, y: Any) -> Any:
    """Where a kernel can write what is meant for y: y itself, or a place in its wide dtype, for `narrow`."""
    return y if wide(y.dtype) == y.dtype else b.temporary(wide(y.dtype), y.shape)


def narrow(b: Any, made: Any, y: Any, bounded: bool = False) -> None:
    """Brings what was written to `target(b, y)` to y. bounded: numbers beyond y's dtype become its bounds."""
    if made is y:
        return

    def narrowed(s: Any, v: Any) -> Any:
        if bounded:
            low, high = (s.constant(int(bound), made.dtype) for bound in (y.dtype.min, y.dtype.max))
            v = s("max", s("min", v, high), low)
        return s.cast(v, y.dtype)

    b.map(narrowed, [made], [y])
