"""Features of sound as TF's speech models have them: AudioSpectrogram, Mfcc. Computed in float64, as by TF."""
from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import float32, int32
from graphc.ir.elementwise import check_rank
from graphc.ir.host import Host
from graphc.ir.op import Op, Sample, attr, register
from graphc.ir.spec import Spec

LEAST_ENERGY = 1e-12      # of a band, before the logarithm


def _check(op: Op, name: str, spec: Spec, dtype: Any, rank: int) -> None:
    if spec.dtype != dtype:
        raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but {op.type} takes {dtype.name} only; "
                        "cast it (gc.cast)")
    check_rank(name, spec, rank)


def _samples(*given: tuple[tuple[int, ...], int, int, bool]) -> list[Sample]:
    return [Sample({"window_size": w, "stride": s, "magnitude_squared": q}, (shape,), gradient=False)
            for shape, w, s, q in given]


@register
class AudioSpectrogram(Host):
    """The sizes (or their squares) of the Fourier transforms of overlapping Hann windows of each channel.

    input is [samples, channels], the result [channels, windows, frequencies]; each window is filled up with zeros to a
    power of two.
    """

    operands = ("input",)
    results = ("spectrogram",)
    window_size: int = attr("int")
    stride: int = attr("int")
    magnitude_squared: bool = attr("bool", False)
    samples: ClassVar = _samples(((20, 2), 8, 4, False), ((17, 1), 5, 3, True), ((3, 1), 4, 1, False),
                                 ((9, 0), 4, 2, True), ((4, 3), 4, 7, False))

    def points(self) -> int:
        return 1 << (self.window_size - 1).bit_length()

    def infer(self, x: Spec) -> Spec:
        _check(self, "input", x, float32, 2)
        if self.window_size < 2 or self.stride < 1:
            raise ValueError(f"Spectrogram initialization failed for window size {self.window_size} and stride "
                             f"{self.stride}: they must be at least 2 and 1")
        if x.shape is None:
            return Spec(float32, None)
        total, channels = x.shape
        # (total - window_size) // stride + 1, and 0 if not even one window fits.
        count: Size = dims.floordiv(dims.maximum(total + self.stride - self.window_size, 0), self.stride)
        return Spec(float32, (channels, count, self.points() // 2 + 1))

    def _window(self) -> np.ndarray:
        return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window_size) / self.window_size)

    def compute(self, x: np.ndarray) -> np.ndarray:
        total, channels = x.shape
        width = self.points() // 2 + 1
        if total < self.window_size:
            return np.zeros((channels, 0, width), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), self.window_size, 0)[::self.stride]
        spectrum = np.fft.rfft(frames * self._window(), self.points())
        energy = (spectrum.real ** 2 + spectrum.imag ** 2).astype(np.float32)
        return np.moveaxis(energy if self.magnitude_squared else np.sqrt(energy), 0, 1)

    def reference(self, x: np.ndarray) -> np.ndarray:
        total, channels = x.shape
        points, width = self.points(), self.points() // 2 + 1
        waves = np.exp(-2j * np.pi * np.outer(np.arange(self.window_size), np.arange(width)) / points)
        starts = range(0, total - self.window_size + 1, self.stride)
        made = np.zeros((channels, len(starts), width), np.float32)
        for channel in range(channels):
            for i, start in enumerate(starts):
                part = x[start:start + self.window_size, channel].astype(np.float64) * self._window()
                sizes = np.abs(part @ waves)
                made[channel, i] = sizes ** 2 if self.magnitude_squared else sizes
        return made


def _mel(hertz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


_SPECTRA = [np.random.default_rng(2).uniform(0, 2, s).astype(np.float32) for s in (
    (2, 3, 65), (1, 2, 33), (0, 2, 65), (2, 0, 65), (1, 1, 129))]
_SETTINGS: tuple[dict[str, Any], ...] = (
    {"filterbank_channel_count": 10, "dct_coefficient_count": 6, "upper_frequency_limit": 3500.0},
    {"filterbank_channel_count": 5, "dct_coefficient_count": 5, "lower_frequency_limit": 200.0}, {}, {},
    {"upper_frequency_limit": 9000.0})


@register
class Mfcc(Host):
    """The first cosine coefficients of the logarithms of mel bands of a spectrogram of squared sizes.

    spectrogram is [channels, windows, frequencies].
    """

    operands = ("spectrogram", "sample_rate")
    results = ("output",)
    upper_frequency_limit: float = attr("float", 4000.0)
    lower_frequency_limit: float = attr("float", 20.0)
    filterbank_channel_count: int = attr("int", 40)
    dct_coefficient_count: int = attr("int", 13)
    samples: ClassVar = [Sample(a, (x, np.int32(16000)), gradient=False)
                         for x, a in zip(_SPECTRA, _SETTINGS, strict=True)]

    def infer(self, spectrogram: Spec, sample_rate: Spec) -> Spec:
        _check(self, "spectrogram", spectrogram, float32, 3)
        _check(self, "sample_rate", sample_rate, int32, 0)
        if self.filterbank_channel_count < 1 or self.dct_coefficient_count < 1:
            raise ValueError("filterbank_channel_count and dct_coefficient_count must be positive, but are "
                             f"{self.filterbank_channel_count} and {self.dct_coefficient_count}")
        if self.dct_coefficient_count > self.filterbank_channel_count:
            raise ValueError(f"dct_coefficient_count {self.dct_coefficient_count} must not be greater than "
                             f"filterbank_channel_count {self.filterbank_channel_count}")
        if not 0 <= self.lower_frequency_limit < self.upper_frequency_limit:
            raise ValueError("the frequency limits must be at least 0 and the upper one the greater, but are "
                             f"{self.lower_frequency_limit} and {self.upper_frequency_limit}")
        shape = None if spectrogram.shape is None else (*spectrogram.shape[:2], self.dct_coefficient_count)
        return Spec(float32, shape)

    def _used(self, bins: int, rate: int) -> tuple[float, int, int]:
        """(hertz of a bin, the first bin that counts, the last). Raises ValueError if there are no bands."""
        if rate <= 0:
            raise ValueError(f"sample_rate must be positive, but is {rate}")
        if bins < 2:
            raise ValueError(f"spectrogram must have at least 2 frequencies, but has {bins}")
        each = 0.5 * rate / (bins - 1)
        return each, int(1.5 + self.lower_frequency_limit / each), int(self.upper_frequency_limit / each)

    def _corners(self) -> np.ndarray:
        low, high = _mel(self.lower_frequency_limit), _mel(self.upper_frequency_limit)
        corners: np.ndarray = low + (high - low) / (self.filterbank_channel_count + 1) * np.arange(
            self.filterbank_channel_count + 2)
        return corners

    def _bands(self, bins: int, rate: int) -> np.ndarray:
        """What each bin contributes to each band."""
        each, first, last = self._used(bins, rate)
        corners, made = self._corners(), np.zeros((bins, self.filterbank_channel_count))
        used = np.arange(first, last + 1)
        mel = _mel(used * each)
        right = np.searchsorted(corners[1:-1], mel, "left")       # the band on whose rising side a bin is
        share = (corners[right + 1] - mel) / (corners[right + 1] - corners[right])
        rising, falling = right < self.filterbank_channel_count, right > 0
        made[used[rising], right[rising]] += 1 - share[rising]
        made[used[falling], right[falling] - 1] += share[falling]
        return made

    def compute(self, spectrogram: np.ndarray, sample_rate: np.ndarray) -> np.ndarray:
        channels, count, bins = spectrogram.shape
        *_, last = self._used(bins, int(sample_rate))
        if last >= bins:                                          # as TF, which logs that
            return np.zeros((channels, count, self.dct_coefficient_count), np.float32)
        energy = np.sqrt(spectrogram.astype(np.float64)) @ self._bands(bins, int(sample_rate))
        logarithms = np.log(np.where(energy < LEAST_ENERGY, LEAST_ENERGY, energy))
        size = self.filterbank_channel_count
        angles = np.pi / size * np.outer(np.arange(size) + 0.5, np.arange(self.dct_coefficient_count))
        return (logarithms @ (math.sqrt(2.0 / size) * np.cos(angles))).astype(np.float32)

    def reference(self, spectrogram: np.ndarray, sample_rate: np.ndarray) -> np.ndarray:
        """By triangles between neighbouring corners."""
        bins, size = spectrogram.shape[-1], self.filterbank_channel_count
        each, first, last = self._used(bins, int(sample_rate))
        made = np.zeros((*spectrogram.shape[:2], self.dct_coefficient_count), np.float32)
        if last >= bins:
            return made
        corners, mel = self._corners(), _mel(np.arange(bins) * each)
        mel[:first], mel[last + 1:] = -1, -1
        for place in np.ndindex(spectrogram.shape[:2]):
            sizes = np.sqrt(spectrogram[place].astype(np.float64))
            for i in range(self.dct_coefficient_count):
                total = 0.0
                for band in range(size):
                    left, middle, right = corners[band:band + 3]
                    side = np.minimum((mel - left) / (middle - left), (right - mel) / (right - middle))
                    energy = max(float((sizes * np.clip(side, 0, None)).sum()), LEAST_ENERGY)
                    total += math.log(energy) * math.cos(math.pi / size * i * (band + 0.5))
                made[place][i] = math.sqrt(2.0 / size) * total
        return made
