"""Spectrograms and cepstral coefficients of sound, where samples do not reach: names, files, what is refused."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.errors import InvalidArgumentError

SOUND = np.random.default_rng(3).uniform(-1, 1, (400, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def test_features_of_a_frozen_model() -> None:
    """As TensorFlow's example of speech commands has them, under the names that it imports, through a file."""
    from graphc.contrib.framework.python.ops import audio_ops

    sound, rate = gc.placeholder(gc.float32, [None, None], name="sound"), gc.placeholder(gc.int32, [], name="rate")
    spectra = audio_ops.audio_spectrogram(sound, window_size=64, stride=32, magnitude_squared=True)
    features = audio_ops.mfcc(spectra, rate, dct_coefficient_count=10, name="features")
    assert spectra.shape.as_list() == [None, None, 33] and features.shape.as_list() == [None, None, 10]
    saved = gc.get_default_graph().as_graph_def()
    with gc.Session() as session:
        expected = session.run(features, {sound: SOUND, rate: 16000})
    assert expected.shape == (2, 11, 10) and np.isfinite(expected).all()
    with gc.Graph().as_default(), gc.Session() as session:
        again, = gc.import_graph_def(saved, return_elements=["features:0"], name="")
        np.testing.assert_array_equal(session.run(again, {"sound:0": SOUND, "rate:0": 16000}), expected)
        assert session.run(again, {"sound:0": SOUND[:10], "rate:0": 16000}).shape == (2, 0, 10)


def test_a_tone_has_one_peak() -> None:
    tone = np.sin(2 * np.pi * 8 * np.arange(256) / 64).astype(np.float32)[:, None]
    from graphc.contrib.framework.python.ops import audio_ops

    with gc.Session() as session:
        sizes, squares = session.run([audio_ops.audio_spectrogram(gc.constant(tone), 64, 64, q) for q in (False, True)])
    assert (sizes.argmax(-1) == 8).all()
    np.testing.assert_allclose(sizes ** 2, squares, rtol=1e-5)
    np.testing.assert_allclose(sizes[..., 8], 16, rtol=1e-4)        # half of the window's sum


def test_what_is_refused() -> None:
    from graphc.contrib.framework.python.ops import audio_ops

    with pytest.raises(ValueError, match="window size 1 and stride 1"):
        audio_ops.audio_spectrogram(SOUND, 1, 1)
    with pytest.raises(ValueError, match="'input' must have rank 2"):
        audio_ops.audio_spectrogram(SOUND[:, 0], 8, 4)
    with pytest.raises(TypeError, match="'input' has dtype float64, but AudioSpectrogram takes float32 only"):
        audio_ops.audio_spectrogram(gc.constant(SOUND, gc.float64), 8, 4)
    spectra = np.ones((1, 2, 33), np.float32)
    for given, message in (({"dct_coefficient_count": 50}, "dct_coefficient_count 50 must not be greater than"),
                           ({"filterbank_channel_count": 0}, "must be positive"),
                           ({"lower_frequency_limit": 5000.0}, "the upper one the greater")):
        with pytest.raises(ValueError, match=message):
            audio_ops.mfcc(spectra, 16000, **given)
    rate = gc.placeholder(gc.int32, [])
    with gc.Session() as session, pytest.raises(InvalidArgumentError, match="sample_rate must be positive, but is 0"):
        session.run(audio_ops.mfcc(spectra, rate), {rate: 0})
    x = gc.placeholder(gc.float32, [None, 1])
    with pytest.raises(LookupError, match="No gradient defined"):
        gc.gradients(audio_ops.audio_spectrogram(x, 8, 4), x)
