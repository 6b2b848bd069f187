"""Features of sound under the names that TF's speech models import. Computed by NumPy: such a graph runs in Python
only."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import DType, float32, int32
from graphc.ir.tensor import Tensor
from graphc.ops.signal.audio import AudioSpectrogram, Mfcc


@public("contrib.framework.python.ops.audio_ops.audio_spectrogram")
def audio_spectrogram(input: Any, window_size: int, stride: int, magnitude_squared: bool = False,
                      name: str | None = None) -> Tensor:
    """Spectrograms [channels, windows, frequencies] of samples [samples, channels], as TF's `audio_spectrogram`."""
    made: Tensor = apply(AudioSpectrogram, _of(input, float32, "input"), name=name, window_size=int(window_size),
                         stride=int(stride), magnitude_squared=bool(magnitude_squared))
    return made


@public("contrib.framework.python.ops.audio_ops.mfcc")
def mfcc(spectrogram: Any, sample_rate: Any, upper_frequency_limit: float = 4000.0, lower_frequency_limit: float = 20.0,
         filterbank_channel_count: int = 40, dct_coefficient_count: int = 13, name: str | None = None) -> Tensor:
    """Mel frequency cepstral coefficients of a spectrogram of squared sizes, as TF's `mfcc`."""
    made: Tensor = apply(
        Mfcc, _of(spectrogram, float32, "spectrogram"), _of(sample_rate, int32, "sample_rate"), name=name,
        upper_frequency_limit=upper_frequency_limit, lower_frequency_limit=lower_frequency_limit,
        filterbank_channel_count=int(filterbank_channel_count), dct_coefficient_count=int(dct_coefficient_count))
    return made


def _of(value: Any, dtype: DType, name: str) -> Any:
    """Numbers that are no tensor, in the dtype that the op takes."""
    return value if is_tensor_like(value) else convert_to_tensor(value, dtype, name)
