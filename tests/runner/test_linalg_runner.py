"""Linear algebra and Fourier transforms in C++: a filter in a loop, spectra of sound, and what is refused."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import graphc as gc

import native as n
from files import build_runner


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


def exported(fetches: Any) -> bytes:
    with gc.Session() as session:
        return bytes(gc.export_model(session, {"serve": gc.Signature(fetches)}).SerializeToString())


A = np.array([[1.0, 0.1], [0.0, 1.0]])
C = np.array([[1.0, 0.0]])
Q, R = 0.01 * np.eye(2), np.array([[0.25]])


def kalman(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last state and its covariance, by the book."""
    state, covariance = np.zeros((2, 1)), np.eye(2)
    for value in seen:
        state, covariance = A @ state, A @ covariance @ A.T + Q
        gain = covariance @ C.T @ np.linalg.inv(C @ covariance @ C.T + R)
        state = state + gain @ (value - C @ state)
        covariance = (np.eye(2) - gain @ C) @ covariance
    return state, covariance


def test_a_kalman_filter_in_a_loop(native: n.Native) -> None:
    """The Session and C++ give the same bits, for any number of observations."""
    with gc.Graph().as_default():
        seen = gc.placeholder(gc.float64, [None], name="seen")

        def step(i: Any, state: Any, covariance: Any) -> list[Any]:
            state, covariance = gc.matmul(A, state), gc.matmul(A, gc.matmul(covariance, A.T)) + Q
            spread = gc.matmul(C, gc.matmul(covariance, C.T)) + R
            gain = gc.transpose(gc.matrix_solve(spread, gc.matmul(C, covariance)))
            state += gc.matmul(gain, gc.reshape(seen[i], [1, 1]) - gc.matmul(C, state))
            return [i + 1, state, gc.matmul(np.eye(2) - gc.matmul(gain, C), covariance)]

        _, state, covariance = gc.while_loop(lambda i, *_: i < gc.size(seen), step,
                                             [0, gc.constant(np.zeros((2, 1))), gc.constant(np.eye(2))])
        whitened = gc.matrix_triangular_solve(gc.cholesky(covariance), state)
        fetches = [state, whitened, gc.linalg.logdet(covariance)]
        with native.load(exported(fetches)) as model, gc.Session() as session:
            for count in (0, 1, 50):
                values = np.random.default_rng(count).normal(size=count).cumsum()
                found = model.run([values])
                for ours, theirs in zip(found, session.run(fetches, {seen: values}), strict=True):
                    np.testing.assert_array_equal(ours, theirs)
                wanted, spread = kalman(values)
                np.testing.assert_allclose(found[0], wanted, rtol=1e-10, atol=1e-12)
                np.testing.assert_allclose(found[2], np.linalg.slogdet(spread)[1], rtol=1e-10)


@pytest.mark.parametrize("fft_length", [72, 118, 2560], ids=["side by side", "of a large prime", "in turns"])
def test_spectra_and_back(native: n.Native, fft_length: int) -> None:
    """Sound of any length to frames' spectra, without the highest, and back."""
    with gc.Graph().as_default():
        sound = gc.placeholder(gc.float32, [None, None], name="sound")
        spectra = gc.signal.stft(sound, 60, 20, fft_length=fft_length)
        back = gc.signal.inverse_stft(spectra * (np.arange(fft_length // 2 + 1) < 20), 60, 20, fft_length=fft_length)
        fetches = [gc.abs(spectra), back]
        with native.load(exported(fetches)) as model, gc.Session() as session:
            for length in (60, 1000):
                values = np.random.default_rng(length).normal(size=(3, length)).astype(np.float32)
                for ours, theirs in zip(model.run([values]), session.run(fetches, {sound: values}), strict=True):
                    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
                frames = np.lib.stride_tricks.sliding_window_view(values, 60, axis=1)[:, ::20]
                window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(60) / 60)
                exact = np.abs(np.fft.rfft(frames * window, fft_length))
                np.testing.assert_allclose(model.run([values])[0], exact, atol=2e-4)


@pytest.mark.parametrize(("function", "message"), [
    (gc.cholesky, "Cholesky 'op'.*not positive definite.*matrix 1, row 0"),
    (gc.matrix_inverse, "MatrixInverse 'op'.*not invertible.*matrix 1: no pivot in column 0"),
    (lambda x, name: gc.linalg.lu(x, name=name)[0], "Lu 'op'.*not invertible")])
def test_matrices_that_are_refused(native: n.Native, function: Any, message: str) -> None:
    """The error names the op, its line and the matrix; the next run is a good one."""
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None, None], name="x")
        data = exported(function(x, name="op"))
    good = np.stack([np.eye(40, dtype=np.float32)] * 3)
    bad = good * np.array([1, 0, 1], np.float32)[:, None, None]
    with native.load(data) as model:
        with pytest.raises(n.NativeError) as caught:
            model.run([bad])
        for part in message.split(".*"):
            assert part in str(caught.value)
        assert "test_linalg_runner.py" in str(caught.value)
        np.testing.assert_array_equal(model.run([good])[0], good)


@pytest.mark.parametrize("made", [
    lambda: gc.cholesky(gc.placeholder(gc.complex64, [3, 3])), lambda: gc.fft(gc.placeholder(gc.complex64, [None]))])
def test_what_only_python_computes(made: Any) -> None:
    """Complex matrices, and transforms of lengths that only a run knows."""
    with gc.Graph().as_default(), pytest.raises(gc.errors.UnimplementedError, match=r"'(Cholesky|FFT)', built at"):
        exported(made())
