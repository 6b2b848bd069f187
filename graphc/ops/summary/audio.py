"""AudioSummaryV2: sounds of a batch as WAV files."""
from __future__ import annotations

import struct
from typing import ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.io.wire import bytes_field, float_field, varint_field
from graphc.ir.dtypes import float32
from graphc.ir.op import Sample, attr, register
from graphc.ir.spec import Spec
from graphc.ops.strings.base import text
from graphc.ops.summary.base import SummaryOp, check_strings, of_bytes, only_tag, value_bytes

AUDIO = 6                                                                        # Summary.Value
SAMPLE_RATE, NUM_CHANNELS, LENGTH_FRAMES, ENCODED, CONTENT_TYPE = range(1, 6)    # Summary.Audio
SOUNDS = np.array([[[0.5, -0.25], [1.0, -1.0], [2.0, -0.00001]]], np.float32)
RATE = np.array(44100, np.float32)


@register
class AudioSummaryV2(SummaryOp):
    """The first `max_outputs` of [batch, frames, channels] or [batch, frames] between -1 and 1."""

    operands = ("tag", "tensor", "sample_rate")
    max_outputs: int = attr("int", 3)
    samples: ClassVar = [Sample({}, (text("a"), SOUNDS, RATE), gradient=False),
                         Sample({"max_outputs": 1}, (text("a"), SOUNDS[..., 0], np.array(0.25, np.float32)),
                                gradient=False)]

    def check(self, *inputs: Spec) -> None:
        check_strings("tag", inputs[0])
        for name, spec in zip(self.operands[1:], inputs[1:], strict=True):
            if spec.dtype != float32:
                raise TypeError(f"argument '{name}' must be float32, but has dtype {spec.dtype.name}")
        if self.max_outputs < 1:
            raise ValueError(f"argument 'max_outputs' must be > 0, but is {self.max_outputs}")

    def compute(self, *inputs: np.ndarray) -> np.ndarray:
        tag, batch = only_tag("Tag", inputs[0]), inputs[1]
        if batch.ndim not in (2, 3):
            raise InvalidArgumentError(f"Tensor must be 3-D or 2-D, got: {list(batch.shape)}")
        rate = only_rate(inputs[2])
        sounds = (batch[..., None] if batch.ndim == 2 else batch)[:self.max_outputs]
        return of_bytes(b"".join(self._value(tag, i, sound, rate) for i, sound in enumerate(sounds)))

    def _value(self, tag: bytes, number: int, sound: np.ndarray, rate: float) -> bytes:
        frames, channels = sound.shape
        suffix = f"/audio/{number}" if self.max_outputs > 1 else "/audio"
        return value_bytes(tag + suffix.encode(), bytes_field(AUDIO, b"".join((
            float_field(SAMPLE_RATE, rate), varint_field(NUM_CHANNELS, channels), varint_field(LENGTH_FRAMES, frames),
            bytes_field(ENCODED, wav_file(sound, max(round(rate), 1))), bytes_field(CONTENT_TYPE, b"audio/wav")))))


def only_rate(rate: np.ndarray) -> float:
    if rate.ndim:
        raise InvalidArgumentError(f"sample_rate must be a scalar, but has shape {list(rate.shape)}")
    if not rate > 0:
        raise InvalidArgumentError(f"sample_rate must be > 0, but is {rate}")
    return float(rate)


def wav_file(sound: np.ndarray, rate: int) -> bytes:
    """[frames, channels] as a WAV file of 16 bits a sample; halves are rounded away from 0."""
    channels = sound.shape[1]
    if not 0 < channels < 1 << 16:
        raise InvalidArgumentError(f"num_channels must be in (0, 2^16), got: {channels}")
    scaled = np.nan_to_num(sound.astype(np.float64) * (1 << 15), nan=0.0)
    rounded = np.trunc(scaled + np.copysign(0.5, scaled))
    data = np.clip(rounded, -(1 << 15), (1 << 15) - 1).astype("<i2").tobytes()
    if len(data) + 36 >= 1 << 32 or rate >= 1 << 32:
        raise InvalidArgumentError("Provided channels and frames cannot be encoded as a WAV.")
    frame = 2 * channels
    form = struct.pack("<HHIIHH", 1, channels, rate, (rate * frame) % (1 << 32), frame, 16)
    return (b"RIFF" + struct.pack("<I", len(data) + 36) + b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form
            + b"data" + struct.pack("<I", len(data)) + data)
