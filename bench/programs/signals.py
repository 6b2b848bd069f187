"""Programs over signals: spectra, features of speech, filters."""
from __future__ import annotations

import numpy as np
from kit import Program, normal, numbers, placeholder, program
from library import tf


@program
def cepstra():
    """Mel-frequency cepstral coefficients of a second of speech, and their differences."""
    x = placeholder(None, 16000)
    power = tf.square(tf.abs(tf.signal.stft(x, 400, 160, 512)))
    mel = tf.signal.linear_to_mel_weight_matrix(40, 257, 16000, 80., 7600.)
    logs = tf.log(tf.tensordot(power, mel, 1) + 1e-6)
    made = tf.signal.mfccs_from_log_mel_spectrograms(logs)[..., :13]
    padded = tf.pad(made, [[0, 0], [1, 1], [0, 0]], "SYMMETRIC")
    return Program([made, (padded[:, 2:] - padded[:, :-2]) / 2], {x: normal(4, 16000, scale=0.1)})


@program
def griffin_lim():
    """A signal of a given spectrum, five times there and back."""
    size = placeholder(None, 60, 129)
    window = tf.signal.inverse_stft_window_fn(64)

    def turn(i, spectrum):
        wave = tf.signal.inverse_stft(spectrum, 256, 64, 256, window_fn=window)
        again = tf.signal.stft(wave, 256, 64, 256)
        phase = again / tf.cast(tf.maximum(tf.abs(again), 1e-8), tf.complex64)
        return i + 1, tf.cast(size, tf.complex64) * phase
    _, spectrum = tf.while_loop(lambda i, s: i < 5, turn, [0, tf.cast(size, tf.complex64)],
                                shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, None, 129])])
    return Program([tf.signal.inverse_stft(spectrum, 256, 64, 256, window_fn=window)], {size: numbers(2, 60, 129)},)


@program
def filters_by_spectrum():
    """Pictures blurred by a product of spectra in two dimensions."""
    x, kernel = placeholder(None, 64, 64), placeholder(64, 64)
    made = tf.signal.irfft2d(tf.signal.rfft2d(x) * tf.signal.rfft2d(kernel))
    bell = np.exp(-((np.arange(64) - 32) / 4.0) ** 2)
    return Program([made], {x: numbers(8, 64, 64), kernel: np.float32(np.outer(bell, bell))})


@program
def voice_activity():
    """Energy and crossings of zero of frames, smoothed, and the frames with a voice."""
    x = placeholder(None, 32000)
    frames = tf.signal.frame(x, 400, 160)
    energy = tf.log(tf.reduce_sum(tf.square(frames * tf.signal.hann_window(400)), 2) + 1e-8)
    signs = tf.sign(frames)
    crossings = tf.reduce_mean(tf.cast(tf.not_equal(signs[:, :, 1:], signs[:, :, :-1]), tf.float32), 2)
    smooth = tf.nn.conv1d(energy[:, :, None], np.full((9, 1, 1), 1 / 9, np.float32), 1, "SAME")[:, :, 0]
    voiced = tf.logical_and(smooth > tf.reduce_mean(smooth, 1, keepdims=True), crossings < 0.5)
    return Program([smooth, tf.boolean_mask(energy, voiced)], {x: normal(4, 32000)})


@program
def wavelets():
    """Four levels of Haar's wavelets, small parts cut, and back."""
    x = placeholder(None, 4096)
    details, low = [], x
    for _ in range(4):
        even, odd = low[:, ::2], low[:, 1::2]
        low, high = (even + odd) * 0.7071, (even - odd) * 0.7071
        details.append(tf.sign(high) * tf.nn.relu(tf.abs(high) - 0.5))
    for high in reversed(details):
        low = tf.reshape(tf.stack([(low + high) * 0.7071, (low - high) * 0.7071], 2), [-1, 2 * int(low.shape[1])])
    return Program([low], {x: normal(16, 4096)})
