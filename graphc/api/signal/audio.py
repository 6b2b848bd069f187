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
    """Spectrograms [channels, windows, frequencies] of samples [samples, channels], as TensorFlow's speech models take
    them.

    window_size: samples in a window; stride: from one to the next. There are as many frequencies as half the power of
    two at or above window_size, and one. magnitude_squared: squares of the magnitudes. input, and the result: float32,
    else TypeError. Raises ValueError for another rank, a window_size below 2 or a stride below 1. As TensorFlow's
    `audio_spectrogram`.

    >>> samples = np.sin(np.arange(16) * np.pi / 2)[:, None]            # four samples a wave
    >>> spectrogram = gc.contrib.framework.python.ops.audio_ops.audio_spectrogram(samples, window_size=8, stride=8)
    >>> spectrogram[0].eval()
    array([[0., 1., 2., 1., 0.],
           [0., 1., 2., 1., 0.]], dtype=float32)
    """
    made: Tensor = apply(AudioSpectrogram, _of(input, float32, "input"), name=name, window_size=int(window_size),
                         stride=int(stride), magnitude_squared=bool(magnitude_squared))
    return made


@public("contrib.framework.python.ops.audio_ops.mfcc")
def mfcc(spectrogram: Any, sample_rate: Any, upper_frequency_limit: float = 4000.0, lower_frequency_limit: float = 20.0,
         filterbank_channel_count: int = 40, dct_coefficient_count: int = 13, name: str | None = None) -> Tensor:
    """Mel frequency cepstral coefficients [channels, windows, dct_coefficient_count] of a spectrogram of squared
    magnitudes.

    Args:
        spectrogram: float32 [channels, windows, frequencies], of `audio_spectrogram` with magnitude_squared.
        sample_rate: samples a second, an int32 scalar.
        upper_frequency_limit, lower_frequency_limit: in hertz, of the mel bands.
        filterbank_channel_count: how many bands there are.
        dct_coefficient_count: how many coefficients are kept.

    Raises TypeError for other dtypes, ValueError for other ranks, or for more coefficients than bands. As TensorFlow's
    `mfcc`.

    >>> ops = gc.contrib.framework.python.ops.audio_ops
    >>> spectrogram = ops.audio_spectrogram(np.ones((640, 1)), window_size=640, stride=320, magnitude_squared=True)
    >>> ops.mfcc(spectrogram, 16000, dct_coefficient_count=5).shape.as_list()
    [1, 1, 5]
    """
    made: Tensor = apply(
        Mfcc, _of(spectrogram, float32, "spectrogram"), _of(sample_rate, int32, "sample_rate"), name=name,
        upper_frequency_limit=upper_frequency_limit, lower_frequency_limit=lower_frequency_limit,
        filterbank_channel_count=int(filterbank_channel_count), dct_coefficient_count=int(dct_coefficient_count))
    return made


@public("audio.decode_wav", "contrib.framework.python.ops.audio_ops.decode_wav")
def decode_wav(contents: Any, desired_channels: int = -1, desired_samples: int = -1,
               name: str | None = None) -> DecodedWav:
    """(audio, sample_rate): the samples of a WAV file of 16-bit PCM, float32 [samples, channels] from -1 to 1, and how
    many a second there are, int32.

    contents: the bytes of the file, a scalar string; what is no such file ends the run with InvalidArgumentError.
    desired_channels, desired_samples: cut or repeated, filled up with zeros, to these; -1: as many as the file has.
    Raises TypeError for other dtypes than string, ValueError for more than one string. As `tf.audio.decode_wav`.

    >>> file = gc.audio.encode_wav([[0.5], [-0.25], [0.]], sample_rate=8000)
    >>> audio, rate = gc.audio.decode_wav(file)
    >>> audio.eval()
    array([[ 0.5 ],
           [-0.25],
           [ 0.  ]], dtype=float32)
    >>> rate.eval()
    np.int32(8000)
    """
    return DecodedWav(*apply(DecodeWav, contents, name=name, desired_channels=int(desired_channels),
                             desired_samples=int(desired_samples)))


@public("audio.encode_wav", "contrib.framework.python.ops.audio_ops.encode_wav")
def encode_wav(audio: Any, sample_rate: Any, name: str | None = None) -> Tensor:
    """The bytes of a WAV file of 16-bit PCM, a scalar string.

    audio: float32 [samples, channels]; what lies beyond -1 and 1 is cut. sample_rate: samples a second, an int32
    scalar. Raises TypeError for other dtypes, ValueError for other ranks. As `tf.audio.encode_wav`.

    >>> gc.audio.encode_wav([[0.5], [-0.25]], sample_rate=8000).eval()[:4]
    b'RIFF'
    """
    made: Tensor = apply(EncodeWav, _of(audio, float32, "audio"), _of(sample_rate, int32, "sample_rate"), name=name)
    return made


def _of(value: Any, dtype: DType, name: str) -> Any:
    """Numbers that are no tensor, in the dtype that the op takes."""
    return value if is_tensor_like(value) else convert_to_tensor(value, dtype, name)
