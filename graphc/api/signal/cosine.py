"""Discrete cosine transforms, made of Fourier transforms of twice the length, and what is made of them."""
from __future__ import annotations

import math
from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import range_
from graphc.api.array.join import concat
from graphc.api.array.select import where_v2
from graphc.api.array.transpose import reverse
from graphc.api.math.comparison import equal
from graphc.api.math.complex_numbers import complex as complex_
from graphc.api.math.complex_numbers import imag, real
from graphc.api.math.trigonometry import cos, sin
from graphc.api.math.unary import rsqrt, sqrt
from graphc.api.public import public
from graphc.api.signal.fourier import irfft, rfft
from graphc.api.signal.numbers import Number, at_least, padded, require_rank, size
from graphc.errors import UnimplementedError
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import DType
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor

INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}


@public("signal.dct", "spectral.dct")
def dct(input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None,
        name: str | None = None) -> Tensor:
    """The discrete cosine transform along the last axis; type 2 is 2 * the sum of x[i] cos(pi k (2 i + 1) / (2 n)).

    Args:
        input: float32 or float64.
        type: 1, 2, 3 or 4; type 1 needs two elements at least.
        n: the operand is cut, or filled up with zeros, to that length.
        axis: -1; another one is an UnimplementedError.
        norm: None, or "ortho" for an orthonormal one (not of type 1); ValueError for others.

    The result has the shape, but for n, and the dtype of input. Raises ValueError for other types and n, and for a
    scalar; other dtypes are a ValueError, too, of type 3 a TypeError. As `tf.signal.dct`.

    >>> gc.signal.dct([1., 2., 4.]).eval()
    array([14.    , -5.1962,  1.    ], dtype=float32)
    >>> gc.signal.dct([1., 2., 4.], norm="ortho").eval()
    array([ 4.0415, -2.1213,  0.4082], dtype=float32)
    """
    x = convert_to_tensor(input, name="input")
    _check(x, type, n, axis, norm)
    with get_default_graph().name_scope(name or "dct"):
        return _transformed(x, type, n, norm)


@public("signal.idct", "spectral.idct")
def idct(input: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None,
         name: str | None = None) -> Tensor:
    """The transform that undoes `gc.signal.dct` of the same type: exactly with norm="ortho", else but for a factor of 2
    n.

    Arguments as of that (of type 1 the factor is 2 (n - 1)). Dtypes, shapes and errors are those of `gc.signal.dct`,
    too, but here other dtypes are a TypeError of type 2. As `tf.signal.idct`.

    >>> x = gc.constant([1., 2., 3.])
    >>> gc.signal.idct(gc.signal.dct(x, norm="ortho"), norm="ortho").eval()
    array([1., 2., 3.], dtype=float32)
    >>> (gc.signal.idct(gc.signal.dct(x)) / 6.).eval()
    array([1., 2., 3.], dtype=float32)
    """
    x = convert_to_tensor(input, name="input")
    _check(x, type, n, axis, norm)
    with get_default_graph().name_scope(name or "dct"):
        return _transformed(x, INVERSE[type], n, norm)


@public("signal.mfccs_from_log_mel_spectrograms", "contrib.signal.mfccs_from_log_mel_spectrograms")
def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """Mel frequency cepstral coefficients, as many as there are mel bins: dct of type 2, over sqrt(2 * bins).

    log_mel_spectrograms: float32 or float64 [..., bins], at least one bin (ValueError). The first 13 of them are what
    most models take. The result has their shape and dtype. Raises ValueError for other dtypes and a scalar. As
    `tf.signal.mfccs_from_log_mel_spectrograms`.

    >>> gc.signal.mfccs_from_log_mel_spectrograms([[1., 2., 4.]]).eval()
    array([[ 5.7155, -2.1213,  0.4082]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "mfccs_from_log_mel_spectrograms"):
        x = convert_to_tensor(log_mel_spectrograms, name="log_mel_spectrograms")
        require_rank(x, 1, "log_mel_spectrograms")
        count = size(x, -1)
        if isinstance(count, int) and count == 0:
            raise ValueError(f"num_mel_bins must be positive. Got: {x!r}")
        return dct(x, 2) * rsqrt(_number(count, x.dtype) * 2.0)


def _check(x: Tensor, kind: int, n: Any, axis: int, norm: Any) -> None:
    if axis != -1:
        raise UnimplementedError(f"axis must be -1. Got: {axis}")
    if n is not None and n < 1:
        raise ValueError("n should be a positive integer or None")
    if kind not in INVERSE:
        raise ValueError("Types I, II, III and IV (I)DCT are supported.")
    require_rank(x, 1, "input")
    if kind == 1:
        if norm == "ortho":
            raise ValueError("Normalization is not supported for the Type-I DCT.")
        count = size(x, -1)
        if isinstance(count, int) and count < 2:
            raise ValueError("Type-I DCT requires the dimension to be greater than one.")
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")


def _transformed(x: Tensor, kind: int, n: Number | None, norm: str | None) -> Tensor:
    if n is not None:
        x = padded(x, -1, at_least(0, n - size(x, -1)))[..., :n]
    count = size(x, -1)
    if kind == 1:
        spectrum: Tensor = real(rfft(concat([x, reverse(x[..., 1:-1], [-1])], -1)))
        return spectrum
    if kind == 2:
        made = _second(x, count)
        return made * _weights(count, x.dtype, 0.5, True) if norm else made
    if kind == 3:
        return _third(x * (_weights(count, x.dtype, 1.0, False) if norm else _number(count, x.dtype)), count)
    # The odd ones of a transform of type 2 of twice the length.
    fourth = _second(padded(x, -1, count), 2 * count)[..., 1::2]
    return fourth * (math.sqrt(0.5) * rsqrt(_number(count, x.dtype))) if norm else fourth


def _second(x: Tensor, count: Number) -> Tensor:
    spectrum = rfft(x, [2 * count])[..., :count]
    angle = _quarter_turns(count, x.dtype)
    return 2.0 * (real(spectrum) * cos(angle) + imag(spectrum) * sin(angle))


def _third(x: Tensor, count: Number) -> Tensor:
    angle, twice = _quarter_turns(count, x.dtype), 2.0 * x
    return irfft(complex_(twice * cos(angle), twice * sin(angle)), [2 * count])[..., :count]


def _quarter_turns(count: Number, dtype: DType) -> Tensor:
    """From 0 on to a quarter of a turn, in `count` steps."""
    angles: Tensor = cast(range_(count), dtype) * (0.5 * math.pi) / _number(count, dtype)
    return angles


def _weights(count: Number, dtype: DType, factor: float, inverse: bool) -> Tensor:
    """Of an orthonormal transform: of the first number, and of the others."""
    root = rsqrt(_number(count, dtype)) if inverse else sqrt(_number(count, dtype))
    others = factor * (math.sqrt(2.0) if inverse else math.sqrt(0.5))
    return where_v2(equal(range_(count), 0), factor * root, others * root)


def _number(count: Number, dtype: DType) -> Tensor:
    return convert_to_tensor(float(count), dtype) if isinstance(count, int) else cast(count, dtype)
