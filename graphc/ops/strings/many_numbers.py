"""Many strings to numbers at once: what plain numbers say, in decimal.

What a look at all strings together cannot tell is none: then None is returned, and each is looked at by itself, which
also knows what is wrong with it.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from graphc.ir.dtypes import DType, float32

FEW = 4                                # that many are as fast one by one
_END = b"\0"
_INTEGERS = re.compile(rb"(?:[ \t\n\v\f\r]*[+-]?[0-9]{1,18}[ \t\n\v\f\r]*\0)*")
_REALS = re.compile(rb"(?:[ \t\n\v\f\r]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\n\v\f\r]*\0)*")


def _all_match(pattern: re.Pattern[bytes], strings: Sequence[bytes]) -> bool:
    joined = _END.join([*strings, b""])
    return joined.count(_END) == len(strings) and pattern.fullmatch(joined) is not None


def integers(strings: Sequence[bytes], dtype: DType) -> np.ndarray | None:
    """The integers that they are, if they all are within the dtype's range."""
    if not _all_match(_INTEGERS, strings):
        return None
    found = np.array(list(map(int, strings)), np.int64)
    if found.size and not (dtype.min <= found.min() and found.max() <= dtype.max):
        return None
    return found.astype(dtype.numpy)


def reals(strings: Sequence[bytes], dtype: DType) -> np.ndarray | None:
    """The nearest float32 or float64 to each."""
    if not _all_match(_REALS, strings):
        return None
    wide = np.array(list(map(float, strings)), np.float64)
    return rounded(wide, strings) if dtype == float32 else wide


def rounded(wide: np.ndarray, written: Sequence[Any]) -> np.ndarray:
    """The nearest float32 to what is written, a str or bytes each, of which `wide` are the nearest float64.

    By way of a float64 it may be rounded twice: where that lies in the middle of two float32, the digits decide.
    """
    with np.errstate(over="ignore"):
        found = wide.astype(np.float32)
    other = np.nextafter(found, np.where(wide > found, np.float32(np.inf), np.float32(-np.inf)))
    middle = np.isfinite(found) & (found != wide) & (found.astype(np.float64) + other == 2 * wide)
    for i in np.flatnonzero(middle):
        text = written[i] if isinstance(written[i], str) else written[i].decode()
        exact, half = Decimal(text.strip()), Decimal(float(wide[i]))
        if exact != half:
            found[i] = max(found[i], other[i]) if exact > half else min(found[i], other[i])
    return found
