"""Short-time Fourier transforms, and signals made of them again."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from graphc.api.array.broadcast import tile
from graphc.api.array.cast import cast
from graphc.api.array.fill import zeros_like
from graphc.api.array.select import where_v2
from graphc.api.array.shapes import reshape
from graphc.api.math.bitwise import left_shift
from graphc.api.math.comparison import equal, less
from graphc.api.math.reduce import reduce_sum
from graphc.api.math.unary import square
from graphc.api.public import public
from graphc.api.signal.fourier import irfft, rfft
from graphc.api.signal.frames import frame, overlap_and_add
from graphc.api.signal.numbers import Number, at_least, ceil_div, length, padded, require_rank, size
from graphc.api.signal.windows import hann_window
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor

WindowFunction = Callable[..., Any]     # of the length and dtype=


@public("signal.stft", "contrib.signal.stft")
def stft(signals: Any, frame_length: Any, frame_step: Any, fft_length: Any = None,
         window_fn: WindowFunction | None = hann_window, pad_end: bool = False, name: str | None = None) -> Tensor:
    """The short-time Fourier transform: rfft of each frame times its window; [..., samples] gives complex [..., frames,
    bins].

    Args:
        signals: float32 or float64.
        frame_length, frame_step: samples in a frame, and from one to the next.
        fft_length: by default the power of two at or above frame_length; there are fft_length // 2 + 1 bins.
        window_fn: called with a length and dtype, `gc.signal.hann_window` by default; None: no window.
        pad_end: frames that reach over the end are filled up with zeros; else they are left out.

    Raises ValueError for other dtypes, a scalar, or lengths that are no integer scalars. As `tf.signal.stft`.

    >>> signal = gc.constant(np.tile([0., 1., 0., -1.], 4), gc.float32)     # four samples a wave
    >>> gc.abs(gc.signal.stft(signal, frame_length=8, frame_step=8)).eval()
    array([[0., 1., 2., 1., 0.],
           [0., 1., 2., 1., 0.]], dtype=float32)
    """
    with get_default_graph().name_scope(name or "stft"):
        signals = convert_to_tensor(signals, name="signals")
        require_rank(signals, 1, "signals")
        samples, step = length(frame_length, "frame_length"), length(frame_step, "frame_step", 1)
        points = _points(fft_length, samples)
        frames = frame(signals, samples, step, pad_end)
        if window_fn is not None:
            frames = frames * window_fn(convert_to_tensor(samples), dtype=frames.dtype)
        return rfft(frames, [points])


@public("signal.inverse_stft", "contrib.signal.inverse_stft")
def inverse_stft(stfts: Any, frame_length: Any, frame_step: Any, fft_length: Any = None,
                 window_fn: WindowFunction | None = hann_window, name: str | None = None) -> Tensor:
    """irfft of each frame times a window, added up by `gc.signal.overlap_and_add`: [..., frames, bins] gives [...,
    samples].

    Arguments as of `gc.signal.stft`. With the window of `gc.signal.inverse_stft_window_fn` it gives back, but for the
    ends, what stft was given. stfts: complex64 or complex128; the result is real. Raises ValueError for other dtypes, a
    rank below 2, or lengths that are no integer scalars. As `tf.signal.inverse_stft`.

    >>> signal = gc.constant(np.arange(12.), gc.float32)
    >>> window = gc.signal.inverse_stft_window_fn(2)
    >>> back = gc.signal.inverse_stft(gc.signal.stft(signal, 4, 2), 4, 2, window_fn=window)
    >>> back.eval()[2:-2]
    array([2., 3., 4., 5., 6., 7., 8., 9.], dtype=float32)
    """
    with get_default_graph().name_scope(name or "inverse_stft"):
        stfts = convert_to_tensor(stfts, name="stfts")
        require_rank(stfts, 2, "stfts")
        samples, step = length(frame_length, "frame_length"), length(frame_step, "frame_step", 1)
        frames = irfft(stfts, [_points(fft_length, samples)])
        frames = padded(frames, -1, at_least(0, samples - size(frames, -1)))[..., :samples]
        if window_fn is not None:
            frames = frames * window_fn(convert_to_tensor(samples), dtype=stfts.dtype.real_dtype)
        return overlap_and_add(frames, step)


@public("signal.inverse_stft_window_fn", "contrib.signal.inverse_stft_window_fn")
def inverse_stft_window_fn(frame_step: Any, forward_window_fn: WindowFunction = hann_window,
                           name: str | None = None) -> WindowFunction:
    """The window function for `gc.signal.inverse_stft` that undoes forward_window_fn of `gc.signal.stft`.

    frame_step: as of both; where no window reaches a sample the result is 0. That function takes a length and a dtype,
    and gives a vector of this length and dtype; it raises ValueError for a length or a frame_step that is no integer
    scalar. As `tf.signal.inverse_stft_window_fn`.

    >>> window = gc.signal.inverse_stft_window_fn(frame_step=2)
    >>> window(4, dtype=gc.float32).eval()
    array([0., 1., 1., 1.], dtype=float32)
    """
    def inverse_window(frame_length: Any, dtype: Any) -> Tensor:
        with get_default_graph().name_scope(name or "inverse_stft_window_fn"):
            samples, step = length(frame_length, "frame_length"), length(frame_step, "frame_step", 1)
            window = convert_to_tensor(forward_window_fn(convert_to_tensor(samples), dtype=dtype))
            # The squares of all windows that overlap at a sample.
            overlaps = ceil_div(samples, step)
            rows = reshape(padded(square(window), -1, overlaps * step - samples), [overlaps, step])
            sums = reshape(tile(reduce_sum(rows, [0], keepdims=True), [overlaps, 1]), [overlaps * step])[:samples]
            nothing = equal(sums, 0.0)
            return where_v2(nothing, zeros_like(window), window / sums)

    return inverse_window


def _points(fft_length: Any, samples: Number) -> Number:
    if fft_length is not None:
        return length(fft_length, "fft_length")
    if isinstance(samples, int):
        return 1 << (samples - 1).bit_length() if samples > 0 else 0
    powers = 1 << np.arange(31, dtype=np.int64)
    exponent = reduce_sum(cast(less(powers.astype(np.int32), samples), int32))
    return left_shift(convert_to_tensor(1, int32), exponent)
