"""Fourier transforms, and spectra turned around their middle. By kernels if lengths are known when compiling, else by
NumPy, in Python only."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.array.gather import gather
from graphc.api.array.rearrange import roll
from graphc.api.array.shapes import rank as rank_of
from graphc.api.array.shapes import shape
from graphc.api.math.division import floormod
from graphc.api.public import public
from graphc.api.signal.numbers import Number, at_least, padded, require_rank, size, vector
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import COMPLEX, complex64, complex128, float32, float64, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.op import Op
from graphc.ir.tensor import Tensor
from graphc.ops.signal.fourier import FFT, FFT2D, FFT3D, IFFT, IFFT2D, IFFT3D
from graphc.ops.signal.real_fourier import IRFFT, IRFFT2D, IRFFT3D, RFFT, RFFT2D, RFFT3D


@public("signal.fft", "fft", "spectral.fft")
def fft(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform along the last axis: the sum of x[i] e ** (-2 pi j i k / n).

    input: complex64 or complex128 (TypeError otherwise); of real signals `gc.signal.rfft`. It has a gradient. The
    result has the shape and dtype of input. Raises ValueError for a scalar. As `tf.signal.fft`.

    >>> gc.signal.fft(gc.constant([1., 2., 3., 6.], gc.complex64)).eval()
    array([12.+0.j, -2.+4.j, -4.+0.j, -2.-4.j], dtype=complex64)
    """
    result: Tensor = apply(FFT, input, name=name)
    return result


@public("signal.ifft", "ifft", "spectral.ifft")
def ifft(input: Any, name: str | None = None) -> Tensor:
    """The inverse of `gc.signal.fft`, with the factor 1 / n. input: complex. As `tf.signal.ifft`.

    Dtypes, shape and errors as of `gc.signal.fft`.

    >>> gc.signal.ifft(gc.constant([12., -2. + 4.j, -4., -2. - 4.j], gc.complex64)).eval()
    array([1.+0.j, 2.+0.j, 3.+0.j, 6.+0.j], dtype=complex64)
    """
    result: Tensor = apply(IFFT, input, name=name)
    return result


@public("signal.fft2d", "fft2d", "spectral.fft2d")
def fft2d(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform along the last two axes. input: complex, of rank 2 or more. As `tf.signal.fft2d`.

    input: complex64 or complex128 (TypeError otherwise) of rank 2 or more (ValueError), whose shape and dtype the
    result has.

    >>> gc.signal.fft2d(gc.constant([[1., 2.], [3., 8.]], gc.complex64)).eval()
    array([[14.+0.j, -6.+0.j],
           [-8.+0.j,  4.+0.j]], dtype=complex64)
    """
    result: Tensor = apply(FFT2D, input, name=name)
    return result


@public("signal.ifft2d", "ifft2d", "spectral.ifft2d")
def ifft2d(input: Any, name: str | None = None) -> Tensor:
    """The inverse of `gc.signal.fft2d`, along the last two axes. As `tf.signal.ifft2d`.

    input: complex64 or complex128 (TypeError otherwise) of rank 2 or more (ValueError), whose shape and dtype the
    result has.

    >>> gc.signal.ifft2d(gc.constant([[14., -6.], [-8., 4.]], gc.complex64)).eval()
    array([[1.+0.j, 2.+0.j],
           [3.+0.j, 8.+0.j]], dtype=complex64)
    """
    result: Tensor = apply(IFFT2D, input, name=name)
    return result


@public("signal.fft3d", "fft3d", "spectral.fft3d")
def fft3d(input: Any, name: str | None = None) -> Tensor:
    """The discrete Fourier transform along the last three axes. input: complex, of rank 3 or more. As
    `tf.signal.fft3d`.

    input: complex64 or complex128 (TypeError otherwise) of rank 3 or more (ValueError), whose shape and dtype the
    result has.

    >>> x = gc.reshape(gc.constant([1., 2., 3., 8.], gc.complex64), [1, 2, 2])
    >>> gc.signal.fft3d(x)[0].eval()
    array([[14.+0.j, -6.+0.j],
           [-8.+0.j,  4.+0.j]], dtype=complex64)
    """
    result: Tensor = apply(FFT3D, input, name=name)
    return result


@public("signal.ifft3d", "ifft3d", "spectral.ifft3d")
def ifft3d(input: Any, name: str | None = None) -> Tensor:
    """The inverse of `gc.signal.fft3d`, along the last three axes. As `tf.signal.ifft3d`.

    input: complex64 or complex128 (TypeError otherwise) of rank 3 or more (ValueError), whose shape and dtype the
    result has.

    >>> x = gc.reshape(gc.constant([14., -6., -8., 4.], gc.complex64), [1, 2, 2])
    >>> gc.signal.ifft3d(x)[0].eval()
    array([[1.+0.j, 2.+0.j],
           [3.+0.j, 8.+0.j]], dtype=complex64)
    """
    result: Tensor = apply(IFFT3D, input, name=name)
    return result


@public("signal.rfft", "spectral.rfft")
def rfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The first fft_length // 2 + 1 numbers of the Fourier transform of real ones along the last axis: complex.

    input_tensor: float32 or float64 (ValueError otherwise). fft_length: a vector of one int32 number; the operand is
    cut, or filled up with zeros, to it; by default its size. The result is complex64 of float32, complex128 of float64.
    Raises ValueError for a scalar and another number of lengths. As `tf.signal.rfft`.

    >>> gc.signal.rfft([1., 2., 3., 6.]).eval()
    array([12.+0.j, -2.+4.j, -4.+0.j], dtype=complex64)
    >>> signals = gc.placeholder(gc.float32, [None, 1000])
    >>> gc.signal.rfft(signals, [1024]).shape.as_list()
    [None, 513]
    """
    return _from_real(RFFT, 1, input_tensor, fft_length, name or "rfft")


@public("signal.irfft", "spectral.irfft")
def irfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `gc.signal.rfft` along the last axis: fft_length real numbers.

    input_tensor: complex (ValueError otherwise). fft_length: by default 2 * (size - 1): give it where the signal's
    length was odd. Raises ValueError for a scalar and another number of lengths. As `tf.signal.irfft`.

    >>> gc.signal.irfft(gc.signal.rfft([1., 2., 3.]), [3]).eval()
    array([1., 2., 3.], dtype=float32)
    """
    return _to_real(IRFFT, 1, input_tensor, fft_length, name or "irfft")


@public("signal.rfft2d", "spectral.rfft2d")
def rfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """`gc.signal.rfft` along the last axis, and `gc.signal.fft` along the one before. fft_length: two numbers.

    input_tensor: float32 or float64 of rank 2 or more; the result is complex. Raises ValueError for other dtypes and
    ranks, and for another number of lengths. As `tf.signal.rfft2d`.

    >>> gc.signal.rfft2d([[1., 2.], [3., 8.]]).eval()
    array([[14.+0.j, -6.+0.j],
           [-8.+0.j,  4.+0.j]], dtype=complex64)
    """
    return _from_real(RFFT2D, 2, input_tensor, fft_length, name or "rfft2d")


@public("signal.irfft2d", "spectral.irfft2d")
def irfft2d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `gc.signal.rfft2d`: real numbers. fft_length: two numbers, the last one by default 2 * (size - 1).

    input_tensor: complex, of rank 2 or more. Raises ValueError for other dtypes and ranks, and for another number of
    lengths. As `tf.signal.irfft2d`.

    >>> gc.signal.irfft2d(gc.signal.rfft2d([[1., 2.], [3., 8.]])).eval()
    array([[1., 2.],
           [3., 8.]], dtype=float32)
    """
    return _to_real(IRFFT2D, 2, input_tensor, fft_length, name or "irfft2d")


@public("signal.rfft3d", "spectral.rfft3d")
def rfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """`gc.signal.rfft` along the last axis, and `gc.signal.fft2d` along the two before. fft_length: three numbers.

    input_tensor: float32 or float64 of rank 3 or more; the result is complex. Raises ValueError for other dtypes and
    ranks, and for another number of lengths. As `tf.signal.rfft3d`.

    >>> gc.signal.rfft3d([[[1., 2.], [3., 8.]]])[0].eval()
    array([[14.+0.j, -6.+0.j],
           [-8.+0.j,  4.+0.j]], dtype=complex64)
    """
    return _from_real(RFFT3D, 3, input_tensor, fft_length, name or "rfft3d")


@public("signal.irfft3d", "spectral.irfft3d")
def irfft3d(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `gc.signal.rfft3d`: real numbers. fft_length: three numbers, the last one by default 2 * (size -
    1).

    input_tensor: complex, of rank 3 or more. Raises ValueError for other dtypes and ranks, and for another number of
    lengths. As `tf.signal.irfft3d`.

    >>> gc.signal.irfft3d(gc.signal.rfft3d([[[1., 2.], [3., 8.]]]))[0].eval()
    array([[1., 2.],
           [3., 8.]], dtype=float32)
    """
    return _to_real(IRFFT3D, 3, input_tensor, fft_length, name or "irfft3d")


def _from_real(op: type[Op], rank: int, input_tensor: Any, fft_length: Any, name: str) -> Tensor:
    with get_default_graph().name_scope(name) as scope:
        x = convert_to_tensor(input_tensor, preferred_dtype=float32, name="input_tensor")
        if x.dtype not in (float32, float64):
            raise ValueError(f"RFFT requires tf.float32 or tf.float64 inputs, got: {x!r}")
        require_rank(x, rank, "input_tensor")
        if fft_length is None:
            lengths = [size(x, axis) for axis in range(-rank, 0)]
        else:
            lengths = _lengths(fft_length, rank)
            x = _filled(x, lengths)
        result: Tensor = apply(op, x, vector(lengths), Tcomplex=complex64 if x.dtype == float32 else complex128,
                               name=scope)
        return result


def _to_real(op: type[Op], rank: int, input_tensor: Any, fft_length: Any, name: str) -> Tensor:
    with get_default_graph().name_scope(name) as scope:
        x = convert_to_tensor(input_tensor, preferred_dtype=complex64, name="input_tensor")
        if x.dtype not in COMPLEX:
            raise ValueError(f"IRFFT requires tf.complex64 or tf.complex128 inputs, got: {x!r}")
        require_rank(x, rank, "input_tensor")
        if fft_length is None:
            lengths = [size(x, axis) for axis in range(-rank, 0)]
            lengths[-1] = at_least(0, 2 * (lengths[-1] - 1))
        else:
            lengths = _lengths(fft_length, rank)
            x = _filled(x, [*lengths[:-1], lengths[-1] // 2 + 1])
        result: Tensor = apply(op, x, vector(lengths), Treal=x.dtype.real_dtype, name=scope)
        return result


def _lengths(fft_length: Any, rank: int) -> list[Number]:
    """The elements of fft_length, which must be `rank` of them."""
    lengths = convert_to_tensor(fft_length, int32, name="fft_length")
    if lengths.spec.static_shape not in (None, (None,), (rank,)):
        raise ValueError(f"fft_length must have shape [{rank}], but has shape {lengths.shape}")
    known = lengths.value_sizes() or (None,) * rank
    return [n if isinstance(n, int) else lengths[i] for i, n in enumerate(known)]


def _filled(x: Tensor, lengths: Sequence[Number]) -> Tensor:
    """x with zeros after it along the last axes, so that each has its length at least."""
    rank = len(lengths)
    behind = [at_least(0, n - size(x, axis)) for n, axis in zip(lengths, range(-rank, 0), strict=True)]
    return padded(x, -rank, *behind)


@public("signal.fftshift")
def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """The zero frequency brought from the beginning to the middle of the axes.

    x: of any dtype. axes: an int, a list of them, or None for all (then the rank must be known). The result has the
    shape and dtype of x. Raises ValueError for an axis that is not there. As `tf.signal.fftshift`.

    >>> gc.signal.fftshift([0, 1, 2, -2, -1]).eval()
    array([-2, -1,  0,  1,  2], dtype=int32)
    """
    return _shifted(x, axes, name or "fftshift", back=False)


@public("signal.ifftshift")
def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """The inverse of `gc.signal.fftshift`, which differs from it where a size is odd. As `tf.signal.ifftshift`.

    Arguments and errors as of `gc.signal.fftshift`.

    >>> gc.signal.ifftshift([-2, -1, 0, 1, 2]).eval()
    array([ 0,  1,  2, -2, -1], dtype=int32)
    """
    return _shifted(x, axes, name or "ifftshift", back=True)


def _shifted(x: Any, axes: Any, name: str, back: bool) -> Tensor:
    with get_default_graph().name_scope(name):
        x = convert_to_tensor(x, name="x")
        if axes is None:
            if x.spec.rank is None:
                raise ValueError(f"{name}: without axes the rank of x must be known, but is {x!r}; call set_shape")
            axes = np.arange(x.spec.rank, dtype=np.int32)
        elif not is_tensor_like(axes):
            axes = np.asarray(axes, np.int32)
        half = gather(shape(x), floormod(axes, rank_of(x))) // 2
        return roll(x, -half if back else half, axes)
