"""Spectrograms on the mel scale."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.grids import linspace
from graphc.api.array.pad import pad
from graphc.api.array.shapes import expand_dims
from graphc.api.math.binary import maximum, minimum
from graphc.api.math.unary import log
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import DType, as_dtype, float32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor

BREAK_HERTZ, HIGH_Q = 700.0, 1127.0


@public("signal.linear_to_mel_weight_matrix", "contrib.signal.linear_to_mel_weight_matrix")
def linear_to_mel_weight_matrix(num_mel_bins: int = 20, num_spectrogram_bins: Any = 129, sample_rate: Any = 8000,
                                lower_edge_hertz: float = 125.0, upper_edge_hertz: float = 3800.0,
                                dtype: Any = float32, name: str | None = None) -> Tensor:
    """The matrix [num_spectrogram_bins, num_mel_bins] that sums the bins of a spectrogram to triangular bands on the
    mel scale.

    Args:
        num_mel_bins: how many bands there are, of equal width on the mel scale, each overlapping half of the next.
        num_spectrogram_bins: fft_length // 2 + 1 of the spectrogram.
        sample_rate: samples a second.
        lower_edge_hertz, upper_edge_hertz: where the first band begins and the last one ends, at most half of
            sample_rate.
        dtype: floating point (ValueError otherwise).

    Raises ValueError for edges that make no sense, no bands, or a sample_rate that is not positive. As
    `tf.signal.linear_to_mel_weight_matrix`.

    >>> weights = gc.signal.linear_to_mel_weight_matrix(2, 6, sample_rate=8000, lower_edge_hertz=100.)
    >>> weights.eval()
    array([[0.    , 0.    ],
           [0.9082, 0.0918],
           [0.1657, 0.8343],
           [0.    , 0.6473],
           [0.    , 0.2486],
           [0.    , 0.    ]], dtype=float32)
    >>> spectrograms = gc.placeholder(gc.float32, [None, 6])
    >>> log_mel = gc.log(gc.matmul(spectrograms, weights) + 1e-6)
    >>> log_mel.shape.as_list()
    [None, 2]
    """
    dtype = as_dtype(dtype)
    _check(num_mel_bins, sample_rate, lower_edge_hertz, upper_edge_hertz, dtype)
    with get_default_graph().name_scope(name or "linear_to_mel_weight_matrix") as scope:
        rate = cast(sample_rate, dtype) if isinstance(sample_rate, Tensor) else convert_to_tensor(sample_rate, dtype)
        zero = convert_to_tensor(0.0, dtype)
        # The bin of the constant part belongs to no band.
        hertz = linspace(zero, rate / 2.0, num_spectrogram_bins)[1:]
        bins = expand_dims(_mel(hertz), 1)
        low, high = (_mel(convert_to_tensor(edge, dtype)) for edge in (lower_edge_hertz, upper_edge_hertz))
        edges = expand_dims(linspace(low, high, num_mel_bins + 2), 0)
        lower, center, upper = edges[:, :-2], edges[:, 1:-1], edges[:, 2:]
        rising, falling = (bins - lower) / (center - lower), (upper - bins) / (upper - center)
        return pad(maximum(zero, minimum(rising, falling)), [[1, 0], [0, 0]], name=scope)


def _mel(hertz: Tensor) -> Tensor:
    mel: Tensor = HIGH_Q * log(1.0 + hertz / BREAK_HERTZ)
    return mel


def _check(bins: int, rate: Any, low: float, high: float, dtype: DType) -> None:
    if bins <= 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {bins}")
    if low < 0.0:
        raise ValueError(f"lower_edge_hertz must be non-negative. Got: {low}")
    if low >= high:
        raise ValueError(f"lower_edge_hertz {low:.1f} >= upper_edge_hertz {high:.1f}")
    if isinstance(rate, Tensor):
        rate = rate.op.definition.value.item() if rate.op.type == "Const" else None
    if rate is not None and rate <= 0.0:
        raise ValueError(f"sample_rate must be positive. Got: {rate}")
    if rate is not None and high > rate / 2:
        raise ValueError("upper_edge_hertz must not be larger than the Nyquist frequency (sample_rate / 2). Got "
                         f"{high} for sample_rate: {rate}")
    if not dtype.is_floating:
        raise ValueError(f"dtype must be a floating point type. Got: {dtype}")
