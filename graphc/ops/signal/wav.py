"""Sound in WAV files of 16-bit PCM: DecodeWav, EncodeWav."""
from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, int32, string
from graphc.ir.elementwise import check_one_string, check_rank
from graphc.ir.host import Host
from graphc.ir.known import own_symbol
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec

UNIT = 32768.0             # of a 16-bit sample


def wav_bytes(numbers: np.ndarray, rate: int) -> bytes:
    """The file of int16 [samples, channels]."""
    channels = numbers.shape[1]
    data = numbers.astype("<i2").tobytes()
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16)
    return b"".join((b"RIFF", struct.pack("<I", 36 + len(data)), b"WAVE", head, b"data", struct.pack("<I", len(data)),
                     data))


def read_wav(data: bytes) -> tuple[np.ndarray, int]:
    """int16 [samples, channels] of a file, and the samples a second. Raises ValueError."""
    for place, wanted in ((0, b"RIFF"), (8, b"WAVE"), (12, b"fmt ")):
        found = data[place:place + 4]
        if found != wanted:
            raise ValueError(f"Header mismatch: Expected {wanted.decode()} but found {found.decode(errors='replace')}")
    size, = _unpacked("<I", data, 16)
    if size not in (16, 18):
        raise ValueError(f"Bad format chunk size for WAV: Expected 16 or 18, but got {size}")
    kind, channels, rate, _, _, bits = _unpacked("<HHIIHH", data, 20)
    if kind != 1:
        raise ValueError(f"Bad audio format for WAV: Expected 1 (PCM), but got {kind}")
    if bits != 16:
        raise ValueError(f"Can only read 16-bit WAV files, but received {bits}")
    if not channels:
        raise ValueError("Bad number of channels for WAV: Expected at least 1, but got 0")
    for name, chunk in _chunks(data, 20 + size):
        if name == b"data":
            whole = len(chunk) // (2 * channels) * 2 * channels
            return np.frombuffer(chunk[:whole], "<i2").astype(np.int16).reshape(-1, channels), rate
    raise ValueError("No data chunk found in WAV")


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(data):
        size, = _unpacked("<I", data, at + 4)
        if at + 8 + size > len(data):
            raise ValueError(f"Data too short when trying to read string: the chunk at {at} has {size} bytes")
        yield data[at:at + 4], data[at + 8:at + 8 + size]
        at += 8 + size + (size & 1)


def _unpacked(form: str, data: bytes, at: int) -> tuple[int, ...]:
    if at + struct.calcsize(form) > len(data):
        raise ValueError("Data too short when trying to read the header of a WAV file")
    return struct.unpack_from(form, data, at)


_NUMBERS = np.array([[0, 5], [-32768, 32767], [1000, -1000]], np.int16)


def _contents(data: bytes) -> np.ndarray:
    made = np.empty((), object)
    made[()] = data
    return made


@register
class DecodeWav(Host):
    """audio: [samples, channels], from -1 to 1, and the samples a second. What is missing is 0, or the last channel."""

    operands = ("contents",)
    results = ("audio", "sample_rate")
    desired_channels: int = attr("int", -1)
    desired_samples: int = attr("int", -1)
    samples: ClassVar = [Sample({"desired_channels": c, "desired_samples": n}, (_contents(wav_bytes(x, 8000)),),
                                gradient=False)
                         for c, n, x in ((-1, -1, _NUMBERS), (1, 2, _NUMBERS), (3, 5, _NUMBERS), (-1, 4, _NUMBERS[:0]))]

    def infer(self, contents: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        check_one_string(self, "contents", contents)
        for name in ("desired_channels", "desired_samples"):
            value = getattr(self, name)
            if value < -1 or (not value and name == "desired_channels"):
                raise ValueError(f"{name} must be positive, or -1 for those of the file, but is {value}")
        sizes: list[Size] = [own_symbol(self, name) if value < 0 else value for name, value in (
            ("samples", self.desired_samples), ("channels", self.desired_channels))]
        return Spec(float32, tuple(sizes)), Spec(int32, ())

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return float32, int32

    def compute(self, contents: np.ndarray) -> tuple[np.ndarray, ...]:
        found, rate = read_wav(contents.item())
        count, channels = (n if wanted < 0 else wanted for n, wanted in zip(
            found.shape, (self.desired_samples, self.desired_channels), strict=True))
        made = np.zeros((count, channels), np.float32)
        kept = min(count, len(found))
        made[:kept] = found[:kept, np.minimum(np.arange(channels), found.shape[1] - 1)] / np.float32(UNIT)
        return made, np.array(rate, np.int32)

    def reference(self, contents: np.ndarray) -> tuple[np.ndarray, ...]:
        with wave.open(io.BytesIO(contents.item())) as file:
            given, width = file.getnframes(), file.getnchannels()
            found = np.frombuffer(file.readframes(given), "<i2").reshape(given, width) / np.float32(UNIT)
            rate = file.getframerate()
        count = given if self.desired_samples < 0 else self.desired_samples
        columns = [found[:count, min(i, width - 1)] for i in range(max(self.desired_channels, 0) or width)]
        padded = [np.concatenate([c, np.zeros(count - len(c))]) for c in columns]
        return np.stack(padded, 1).astype(np.float32), np.array(rate, np.int32)

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None]


@register
class EncodeWav(Host):
    """The file of audio, [samples, channels]; what is not from -1 to 1 is cut."""

    operands = ("audio", "sample_rate")
    results = ("contents",)
    samples: ClassVar = [Sample({}, (np.array(x, np.float32).reshape(s), np.array(8000, np.int32)), gradient=False)
                         for x, s in (([0, 0.5, -1, 1, 2, -3], (3, 2)), ([0.25, 1e-5, -0.1], (3, 1)), ([], (0, 2)))]

    def infer(self, audio: Spec, sample_rate: Spec) -> Spec:  # type: ignore[override]
        for name, spec, dtype, rank in (("audio", audio, float32, 2), ("sample_rate", sample_rate, int32, 0)):
            if spec.dtype != dtype:
                raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but EncodeWav takes {dtype.name} "
                                "only; cast it (gc.cast)")
            check_rank(name, spec, rank)
        return Spec(string, ())

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (string,)

    def compute(self, audio: np.ndarray, sample_rate: np.ndarray) -> np.ndarray:
        if not audio.shape[1]:
            raise ValueError("audio must have at least one channel")
        if sample_rate <= 0:
            raise ValueError(f"sample_rate must be positive, but is {sample_rate}")
        wide = audio.astype(np.float64) * UNIT
        nearest = np.trunc(wide + np.copysign(0.5, wide))         # halves away from 0, as C's roundf
        numbers = np.clip(np.nan_to_num(nearest), -UNIT, UNIT - 1).astype(np.int16)
        return _contents(wav_bytes(numbers, int(sample_rate)))

    def reference(self, audio: np.ndarray, sample_rate: np.ndarray) -> np.ndarray:
        made = io.BytesIO()
        with wave.open(made, "wb") as file:
            file.setnchannels(audio.shape[1])
            file.setsampwidth(2)
            file.setframerate(int(sample_rate))
            scaled = [max(-UNIT, min(UNIT - 1, math.floor(abs(v) * UNIT + 0.5) * math.copysign(1, v)))
                      for v in audio.ravel().tolist()]
            file.writeframes(np.array(scaled, "<i2").tobytes())
        return _contents(made.getvalue())

    def grad(self, g: Any, node: Any, *dys: Any) -> Sequence[Any]:
        return [None, None]
