"""What quantizing means in NumPy: the oracle of ranges.py."""
from __future__ import annotations

from typing import Any

import numpy as np

from graphc.ir.dtypes import QUANTIZED, DType

_F = np.float32
_MOST = np.finfo(_F).max
QUANTIZED_AS: dict[Any, DType] = {d.unquantized.numpy: d for d in QUANTIZED}      # references see integers


def along_axis(op: Any, end: np.ndarray, rank: int) -> np.ndarray:
    return end if op.axis < 0 else end.reshape([-1 if i == op.axis else 1 for i in range(rank)])


def with_zero(ensure: float, low: np.ndarray, high: np.ndarray) -> tuple[Any, Any]:
    least = np.minimum(_F(0), low)
    apart = np.maximum(_F(1), np.maximum(np.abs(low), np.abs(high))) * _F(ensure)
    return least, np.maximum(_F(0), np.maximum(high, least + apart))


def scale_of(op: Any, low: np.ndarray, high: np.ndarray) -> tuple[Any, Any, Any]:
    first, last = _bounds(op)
    with np.errstate(all="ignore"):
        scale = np.minimum(*(np.where(_F(n) * end > 0, _F(n) / end, _MOST)
                             for n, end in ((first + op.narrow_range, low), (last, high)))).astype(_F)
        return scale, _F(first + op.narrow_range) / scale, _F(last) / scale


def quantized(op: Any, half_to_even: bool, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    first, last = _bounds(op)
    with np.errstate(all="ignore"):
        if op.mode == "SCALED":
            scale, low, high = scale_of(op, low, high)
            level = np.maximum(np.minimum(x, high), low) * scale
            made = np.rint(level) if half_to_even else _away_from_0(level)
        else:
            scale = (np.float64(last - first) / (high - low).astype(np.float64)).astype(_F)
            if op.mode == "MIN_FIRST":
                scale = np.where(low == high, _F(0), scale)
                level = _away_from_0(x * scale) - (_away_from_0(low * scale) - _F(first))
                made = np.minimum(np.maximum(level, _F(first)), min(_F(last), _F(2**31 - 128)))
            else:
                level = (np.maximum(np.minimum(x, high), low) - low) * scale
                made = _away_from_0(level + _F(first)) if first else level + _F(0.5)
    inside = np.clip(np.nan_to_num(np.trunc(made).astype(np.float64), nan=0.0), -2.0**31, 2.0**31 - 1)
    return np.asarray(inside.astype(np.int64).astype(op.T.unquantized.numpy))


def dequantized(op: Any, dtype: DType, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    (first, last), number = (dtype.unquantized.min, dtype.unquantized.max), x.astype(_F)
    with np.errstate(all="ignore"):
        if op.mode == "SCALED":
            scale = high / _F(last)
            return np.asarray(number * (np.maximum(low / _F(first + op.narrow_range), scale) if first else scale))
        if op.mode == "MIN_FIRST":
            scale = ((high - low).astype(np.float64) / float(last - first)).astype(_F)
            least = np.where(low == high, low, _away_from_0(low / scale) * scale)
            return np.asarray((least - _F(first) * scale) + number * scale, _F)
        return np.asarray((number + _F(-first)) * ((high - low) / _F(last - first)) + low)


def _bounds(op: Any) -> tuple[int, int]:
    return op.T.unquantized.min, op.T.unquantized.max


def _away_from_0(x: np.ndarray) -> np.ndarray:
    whole = np.trunc(x)
    return whole + np.where(np.abs(x - whole) >= 0.5, np.copysign(_F(1), x), _F(0))
