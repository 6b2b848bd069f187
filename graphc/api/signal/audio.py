"""WAV files, and features of sound under the names that TF's speech models import. Computed by NumPy: such a graph runs
in Python only."""
from __future__ import annotations

from typing import Any, NamedTuple

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import DType, float32, int32
from graphc.ir.tensor import Tensor
from graphc.ops.signal.audio import AudioSpectrogram, Mfcc
from graphc.ops.signal.wav import DecodeWav, EncodeWav


class DecodedWav(NamedTuple):
    """Samples, and how many of them are a second."""

    audio: Tensor
    sample_rate: Tensor


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


@public("audio.decode_wav", "contrib.framework.python.ops.audio_ops.decode_wav")
def decode_wav(contents: Any, desired_channels: int = -1, desired_samples: int = -1,
               name: str | None = None) -> DecodedWav:
    """The samples of a WAV file of 16-bit PCM, float32 [samples, channels] from -1 to 1, and how many a second there
    are, as `tf.audio.decode_wav`."""
    return DecodedWav(*apply(DecodeWav, contents, name=name, desired_channels=int(desired_channels),
                             desired_samples=int(desired_samples)))


@public("audio.encode_wav", "contrib.framework.python.ops.audio_ops.encode_wav")
def encode_wav(audio: Any, sample_rate: Any, name: str | None = None) -> Tensor:
    """The WAV file of 16-bit PCM of audio, [samples, channels] from -1 to 1, as `tf.audio.encode_wav`."""
    made: Tensor = apply(EncodeWav, _of(audio, float32, "audio"), _of(sample_rate, int32, "sample_rate"), name=name)
    return made


def _of(value: Any, dtype: DType, name: str) -> Any:
    """Numbers that are no tensor, in the dtype that the op takes."""
    return value if is_tensor_like(value) else convert_to_tensor(value, dtype, name)
