"""Windows of signals: raised cosines."""
from __future__ import annotations

import math
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones, range_
from graphc.api.array.select import where_v2
from graphc.api.math.comparison import equal
from graphc.api.math.trigonometry import cos
from graphc.api.public import public
from graphc.api.signal.numbers import length
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import as_dtype, bool_, float32, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


@public("signal.hann_window", "contrib.signal.hann_window")
def hann_window(window_length: Any, periodic: Any = True, dtype: Any = float32, name: str | None = None) -> Tensor:
    """0.5 - 0.5 cos(2 pi i / n) of i from 0 to window_length - 1.

    window_length: an int or an integer scalar. periodic: n is the length if that is even, else one less, as TensorFlow
    has it; False: always one less, so that the window is symmetric. dtype: floating point (ValueError). The result is a
    vector [window_length]. Raises ValueError if window_length is no integer scalar, or periodic no scalar. As
    `tf.signal.hann_window`.

    >>> gc.signal.hann_window(4).eval()
    array([0. , 0.5, 1. , 0.5], dtype=float32)
    >>> gc.signal.hann_window(5).eval()
    array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _raised_cosine(name or "hann_window", window_length, periodic, dtype, 0.5, 0.5)


@public("signal.hamming_window", "contrib.signal.hamming_window")
def hamming_window(window_length: Any, periodic: Any = True, dtype: Any = float32, name: str | None = None) -> Tensor:
    """0.54 - 0.46 cos(2 pi i / n); arguments as of `gc.signal.hann_window`. As `tf.signal.hamming_window`.

    The result is a vector of `dtype`; errors as of `gc.signal.hann_window`, too.

    >>> gc.signal.hamming_window(4).eval()
    array([0.08, 0.54, 1.  , 0.54], dtype=float32)
    """
    return _raised_cosine(name or "hamming_window", window_length, periodic, dtype, 0.54, 0.46)


def _raised_cosine(name: str, window_length: Any, periodic: Any, dtype: Any, a: float, b: float) -> Tensor:
    dtype = as_dtype(dtype)
    if not dtype.is_floating:
        raise ValueError(f"{name}: dtype must be a floating point type. Found {dtype}")
    with get_default_graph().name_scope(name):
        count = length(window_length, "window_length")
        if count == 1:
            return ones([1], dtype)
        repeats = convert_to_tensor(periodic, bool_, name="periodic")
        if repeats.spec.rank not in (None, 0):
            raise ValueError(f"{name}: periodic must be a scalar, but has shape {repeats.shape}")
        n = cast(count + cast(repeats, int32) * (1 - count % 2) - 1, dtype)
        window: Tensor = a - b * cos(2 * math.pi * cast(range_(count), dtype) / n)
        # Of one sample n is 0: that window is 1.
        return window if isinstance(count, int) else where_v2(equal(count, 1), ones([count], dtype), window)
