"""WAV files: bytes, numbers and refusals as TensorFlow 2.21 gives them (recorded from there)."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.contrib.framework.python.ops import audio_ops

AUDIO = np.array([[0.0, .3], [-1, 1], [2, -3], [1 / 65536, -1 / 65536], [3 / 65536, .1]], np.float32)
FILE = bytes.fromhex("524946463800000057415645666d7420100000000100020044ac000010b10200040010006461746114000000"
                     "000066260080ff7fff7f00800100ffff0200cd0c")
DECODED = [[0.0, 0.29998779296875], [-1.0, 0.999969482421875], [0.999969482421875, -1.0],
           [3.0517578125e-05, -3.0517578125e-05], [6.103515625e-05, 0.100006103515625]]


def value(fetch: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetch, feeds)


def test_encoded() -> None:
    assert value(gc.audio.encode_wav(AUDIO, 44100)) == FILE
    assert value(audio_ops.encode_wav(gc.constant(AUDIO), gc.constant(44100))) == FILE


def test_decoded() -> None:
    contents = gc.placeholder(gc.string, [])
    whole = gc.audio.decode_wav(contents)
    assert whole.audio.shape.as_list() == [None, None]
    audio, rate = value(list(whole), {contents: FILE})
    assert (audio.tolist(), rate) == (DECODED, 44100)
    more = audio_ops.decode_wav(contents, desired_channels=3, desired_samples=7).audio
    assert more.shape == [7, 3]
    found = value(more, {contents: FILE})
    np.testing.assert_array_equal(found[:5], np.array(DECODED, np.float32)[:, [0, 1, 1]])
    assert not found[5:].any()
    assert value(gc.audio.decode_wav(FILE, 1, 3).audio).ravel().tolist() == [0, -1, 0.999969482421875]
    other_chunk = FILE[:36] + b"LIST\4\0\0\0abcd" + FILE[36:]
    assert value(gc.audio.decode_wav(other_chunk).audio).tolist() == DECODED


@pytest.mark.parametrize(("damaged", "said"), [
    (FILE[:30], "Data too short"), (FILE[:-3], "Data too short"),
    (b"XXXX" + FILE[4:], "Header mismatch: Expected RIFF but found XXXX"),
    (FILE[:34] + b"\x08\x00" + FILE[36:], "Can only read 16-bit WAV files, but received 8"),
    (FILE[:20] + b"\x03\x00" + FILE[22:], r"Bad audio format for WAV: Expected 1 \(PCM\), but got 3"),
    (FILE[:36] + b"blub" + FILE[40:], "No data chunk found in WAV")])
def test_damaged(damaged: bytes, said: str) -> None:
    contents = gc.placeholder(gc.string, [])
    with pytest.raises(gc.errors.InvalidArgumentError, match=said):
        value(gc.audio.decode_wav(contents).audio, {contents: damaged})


def test_refusals() -> None:
    with pytest.raises(ValueError, match="desired_channels must be positive"):
        gc.audio.decode_wav(FILE, desired_channels=0)
    with pytest.raises(TypeError, match="float64"):
        gc.audio.encode_wav(gc.constant(AUDIO.astype(np.float64)), 44100)
    with pytest.raises(ValueError, match="rank 2"):
        gc.audio.encode_wav(AUDIO[0], 44100)
