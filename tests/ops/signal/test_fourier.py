"""Fourier and cosine transforms where samples do not reach: names, lengths, unknown sizes, gradients, refusals."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import InvalidArgumentError, UnimplementedError

RNG = np.random.default_rng(9)
FORMS: tuple[Callable[[np.ndarray], Any], ...] = (lambda x: x.shape, lambda x: [None] * x.ndim, lambda x: None)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def numbers(*shape: int, dtype: Any = np.float64) -> np.ndarray:
    parts = RNG.normal(size=(2, *shape))
    return np.asarray(parts[0] + 1j * parts[1] if np.dtype(dtype).kind == "c" else parts[0]).astype(dtype)


def run(fetches: Any, feeds: Any = None) -> Any:
    with gc.Session() as session:
        return session.run(fetches, feeds)


def everywhere(function: Callable[..., Any], expected: np.ndarray, *given: np.ndarray, tolerance: float = 1e-5) -> None:
    """Of placeholders whose sizes are known, are not, and whose rank is not."""
    for form in FORMS:
        fed = [gc.placeholder(x.dtype, form(x)) for x in given]
        found = run(function(*fed), dict(zip(fed, given, strict=True)))
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max(initial=1))


def slope_problem(function: Callable[[Any], Any], x: np.ndarray, order: int, known: bool = True) -> None:
    """Gradients of |y|^2 weighted, and of the same of gradients, against central differences."""
    def loss(y: Any, seed: int) -> Any:
        generator = np.random.default_rng(seed)
        real = gc.concat([gc.reshape(gc.real(y), [-1]), gc.reshape(gc.imag(y), [-1])], 0)
        size = 2 * int(np.prod(y.shape.as_list() if known else shape))
        weights = generator.normal(size=(2, size))
        return gc.reduce_sum(weights[0] * real) + gc.reduce_sum(weights[1] * real * real)

    fed = gc.placeholder(x.dtype, FORMS[0 if known else 1](x))
    shape = run(function(fed), {fed: x}).shape
    total = loss(function(fed), 0)
    if order == 2:
        slope, = gc.gradients(total, fed)
        shape = x.shape
        total = loss(slope, 1)
    slope, = gc.gradients(total, fed)
    direction, step = numbers(*x.shape, dtype=x.dtype), 1e-5
    ahead, behind = (run(total, {fed: x + sign * step * direction}) for sign in (1, -1))
    analytic = np.sum(np.conj(run(slope, {fed: x})) * direction).real
    numeric = (ahead - behind) / (2 * step)
    assert abs(analytic - numeric) <= 1e-6 * max(1.0, abs(numeric), abs(ahead))


# Names

@pytest.mark.parametrize("name", ["fft", "ifft", "fft2d", "ifft2d", "fft3d", "ifft3d"])
def test_names_of_one_function(name: str) -> None:
    assert getattr(gc, name) is getattr(gc.signal, name) is getattr(gc.spectral, name)


@pytest.mark.parametrize("name", ["rfft", "irfft", "rfft2d", "irfft2d", "rfft3d", "irfft3d", "dct", "idct"])
def test_spectral_names(name: str) -> None:
    assert getattr(gc.signal, name) is getattr(gc.spectral, name)


# Fourier transforms

AXES = {"": (-1,), "2d": (-2, -1), "3d": (-3, -2, -1)}


@pytest.mark.parametrize("kind", AXES)
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_transforms(kind: str, dtype: Any) -> None:
    x = numbers(2, 3, 4, 5, dtype=dtype)
    tolerance = 1e-5 if dtype is np.complex64 else 1e-12
    for prefix, function in (("", np.fft.fftn), ("i", np.fft.ifftn)):
        expected = function(x.astype(np.complex128), axes=AXES[kind]).astype(dtype)
        everywhere(getattr(gc.signal, f"{prefix}fft{kind}"), expected, x, tolerance=tolerance)


def filled(x: np.ndarray, lengths: Sequence[int]) -> np.ndarray:
    """x cut, or filled up with zeros, along the last axes."""
    made = np.zeros((*x.shape[:x.ndim - len(lengths)], *lengths), x.dtype)
    inside = tuple(slice(min(a, b)) for a, b in zip(lengths, x.shape[-len(lengths):], strict=True))
    made[(..., *inside)] = x[(..., *inside)]
    return made


@pytest.mark.parametrize("kind, lengths", [
    ("", None), ("", [5]), ("", [4]), ("", [3]), ("", [8]), ("", [9]), ("", [1]), ("", [0]), ("2d", None),
    ("2d", [4, 5]), ("2d", [3, 7]), ("2d", [6, 2]), ("3d", None), ("3d", [2, 5, 4]), ("3d", [4, 1, 8])])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_real_transforms(kind: str, lengths: list[int] | None, dtype: Any) -> None:
    x, axes = numbers(2, 3, 4, 5, dtype=dtype), AXES[kind]
    single = dtype is np.float32
    wide, out = x.astype(np.float64), np.complex64 if single else np.complex128
    sizes = list(x.shape[-len(axes):]) if lengths is None else lengths
    expected = np.zeros((*x.shape[:-1], 0)) if 0 in sizes else np.fft.rfftn(filled(wide, sizes), axes=axes)
    everywhere(lambda p: getattr(gc.signal, f"rfft{kind}")(p, lengths), expected.astype(out), x,
               tolerance=1e-5 if single else 1e-12)


@pytest.mark.parametrize("kind, lengths", [
    ("", None), ("", [8]), ("", [9]), ("", [6]), ("", [3]), ("", [12]), ("", [1]), ("", [0]), ("2d", None),
    ("2d", [4, 9]), ("2d", [3, 4]), ("2d", [6, 11]), ("3d", None), ("3d", [2, 5, 8]), ("3d", [4, 1, 3])])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inverse_real_transforms(kind: str, lengths: list[int] | None, dtype: Any) -> None:
    """Of what is no transform of real numbers, too: NumPy's results."""
    single = dtype is np.float32
    x, axes = numbers(2, 3, 4, 5, dtype=np.complex64 if single else np.complex128), AXES[kind]
    sizes = [*x.shape[-len(axes):-1], 8] if lengths is None else lengths
    wide = filled(x.astype(np.complex128), [*sizes[:-1], sizes[-1] // 2 + 1])
    expected = np.zeros((*x.shape[:-1], 0)) if 0 in sizes else np.fft.irfftn(wide, sizes, axes)
    everywhere(lambda p: getattr(gc.signal, f"irfft{kind}")(p, lengths), expected.astype(dtype), x,
               tolerance=1e-5 if single else 1e-12)


def test_lengths_from_data() -> None:
    x, n, both = numbers(2, 6, dtype=np.float32), gc.placeholder(gc.int32, []), gc.placeholder(gc.int32, [None])
    fed = gc.placeholder(gc.float32, [None, None])
    made = [gc.signal.rfft(fed, [n]), gc.signal.irfft2d(gc.signal.rfft2d(fed, both), both)]
    with gc.Session() as session:
        for count, sizes in ((4, (3, 3)), (7, (2, 6)), (6, (1, 8))):
            spectrum, again = session.run(made, {fed: x, n: count, both: sizes})
            np.testing.assert_allclose(spectrum, np.fft.rfft(x, count), atol=1e-5)
            np.testing.assert_allclose(again, filled(x, sizes), atol=1e-5)


def test_static_shapes() -> None:
    x, z = gc.placeholder(gc.float32, [None, 6]), gc.placeholder(gc.complex64, [None, 6])
    unknown = gc.placeholder(gc.float32, [3, None])
    assert gc.signal.rfft(x).shape.as_list() == [None, 4]
    assert gc.signal.rfft(x, [9]).shape.as_list() == [None, 5]
    assert gc.signal.rfft(unknown).shape.as_list() == [3, None]
    assert gc.signal.rfft2d(unknown, [4, 4]).shape.as_list() == [4, 3]
    assert gc.signal.irfft(z).shape.as_list() == [None, 10]
    assert gc.signal.irfft(z, [5]).shape.as_list() == [None, 5]
    assert gc.signal.fft(z).shape.as_list() == [None, 6]
    assert gc.signal.fft(gc.placeholder(gc.complex64)).shape.ndims is None


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name, shape, dtype, lengths", [
    ("fft", (2, 5), complex, ()), ("ifft", (2, 4), complex, ()), ("fft2d", (2, 3, 4), complex, ()),
    ("ifft2d", (3, 3), complex, ()), ("fft3d", (2, 3, 2), complex, ()), ("ifft3d", (2, 2, 3), complex, ()),
    ("rfft", (2, 6), float, (None, [6], [8], [9], [4], [3])), ("rfft", (2, 5), float, (None, [1], [2])),
    ("rfft2d", (2, 3, 4), float, (None, [3, 5], [2, 3], [4, 6])), ("rfft2d", (3, 3), float, (None,)),
    ("irfft", (2, 4), complex, (None, [7], [6], [3], [10], [1])), ("irfft", (1,), complex, ([1], [2])),
    ("irfft2d", (2, 3, 3), complex, (None, [3, 5], [2, 2], [4, 7]))])
@pytest.mark.parametrize("known", [True, False])
def test_gradients(name: str, shape: tuple[int, ...], dtype: Any, lengths: Any, order: int, known: bool) -> None:
    function = getattr(gc.signal, name)
    for length in lengths or [()]:
        more = () if length == () else (length,)
        slope_problem(lambda x, more=more: function(x, *more), numbers(*shape, dtype=dtype), order, known)


def test_gradients_that_tf_has_not() -> None:
    x, z = gc.placeholder(gc.float32, [2, 2, 2]), gc.placeholder(gc.complex64, [2, 2, 2])
    for y, by in ((gc.signal.rfft3d(x), x), (gc.signal.irfft3d(z), z)):
        with pytest.raises(LookupError, match=r"No gradient defined for operation 'i?rfft3d'"):
            gc.gradients(gc.real(y), by)


def test_of_loops_and_branches() -> None:
    x = gc.placeholder(gc.float32, [None])

    def step(i: Any, s: Any) -> list[Any]:
        return [i + 1, gc.real(gc.signal.ifft(gc.signal.fft(gc.complex(s, s)))) * 2.0]

    _, looped = gc.while_loop(lambda i, s: i < 3, step, [gc.constant(0), x])
    chosen = gc.cond(gc.reduce_sum(x) > 0, lambda: gc.signal.irfft(gc.signal.rfft(x)), lambda: x)
    slope, = gc.gradients(looped, x)
    found = run([looped, chosen, slope], {x: [1.0, 2.0, 3.0, 4.0]})
    np.testing.assert_allclose(found[0], [8, 16, 24, 32], rtol=1e-5)
    np.testing.assert_allclose(found[1], [1, 2, 3, 4], rtol=1e-5)
    np.testing.assert_allclose(found[2], [8] * 4, rtol=1e-5)


def test_what_transforms_refuse() -> None:
    x = gc.placeholder(gc.float32, [2, 3])
    with pytest.raises(TypeError, match=r"'input' has dtype float32, but FFT takes complex64 and complex128"):
        gc.signal.fft(x)
    with pytest.raises(ValueError, match="rank 3 or more"):
        gc.signal.fft3d(gc.cast(x, gc.complex64))
    with pytest.raises(ValueError, match=r"RFFT requires tf.float32 or tf.float64 inputs, got: .*int32"):
        gc.signal.rfft(gc.constant([1, 2, 3]))
    with pytest.raises(ValueError, match=r"IRFFT requires tf.complex64 or tf.complex128 inputs, got: .*float32"):
        gc.signal.irfft(x)
    with pytest.raises(ValueError, match="input_tensor must have rank 3 or more"):
        gc.signal.rfft3d(x)
    with pytest.raises(ValueError, match=r"fft_length must have shape \[1\]"):
        gc.signal.rfft(x, [2, 3])
    with pytest.raises(ValueError, match="fft_length must not be negative"):
        gc.signal.rfft(x, [-2])
    n = gc.placeholder(gc.int32, [1])
    with gc.Session() as session, pytest.raises(InvalidArgumentError, match="fft_length must not be negative"):
        session.run(gc.signal.rfft(x, n), {x: np.ones((2, 3)), n: [-1]})


# Shifts

@pytest.mark.parametrize("shape", [(5,), (4,), (2, 3), (3, 4, 5), (0,)])
@pytest.mark.parametrize("axes", [None, 0, -1, [0], (0, -1)])
def test_shifts(shape: tuple[int, ...], axes: Any) -> None:
    x = numbers(*shape)
    for name in ("fftshift", "ifftshift"):
        for form in FORMS[:2] if axes is None else FORMS:
            fed = gc.placeholder(gc.float64, form(x))
            if len(shape) == 1 and axes == (0, -1) and form(x) is not None:
                axes = (0,)
            np.testing.assert_array_equal(run(getattr(gc.signal, name)(fed, axes), {fed: x}),
                                          getattr(np.fft, name)(x, axes))
    with pytest.raises(ValueError, match="rank of x must be known"):
        gc.signal.fftshift(gc.placeholder(gc.float32))


# Cosine transforms

def cosines(x: np.ndarray, kind: int, norm: str | None) -> np.ndarray:
    """By the sums that define them, as SciPy has them."""
    n = x.shape[-1]
    k, m = np.arange(n)[:, None], np.arange(n)[None, :]
    if kind == 1:
        weight = np.where((m == 0) | (m == n - 1), 1, 2)
        matrix = weight * np.cos(np.pi * k * m / max(n - 1, 1))
    elif kind == 2:
        matrix = 2 * np.cos(np.pi * k * (2 * m + 1) / (2 * n))
        if norm:
            matrix = matrix * np.where(k == 0, np.sqrt(1 / (4 * n)), np.sqrt(1 / (2 * n)))
    elif kind == 3:
        matrix = np.where(m == 0, 1, 2) * np.cos(np.pi * (2 * k + 1) * m / (2 * n))
        if norm:
            matrix = np.where(m == 0, 1 / np.sqrt(n), np.sqrt(2 / n)) * np.cos(np.pi * (2 * k + 1) * m / (2 * n))
    else:
        matrix = 2 * np.cos(np.pi * (2 * k + 1) * (2 * m + 1) / (4 * n))
        if norm:
            matrix = matrix / np.sqrt(2 * n)
    return x @ matrix.T


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("norm", [None, "ortho"])
@pytest.mark.parametrize("n", [None, 3, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosine_transforms(kind: int, norm: str | None, n: int | None, dtype: Any) -> None:
    if kind == 1 and norm:
        return
    for shape in ((5,), (2, 6), (2, 3, 2)):
        x = numbers(*shape, dtype=dtype)
        given = filled(x.astype(np.float64), [n or shape[-1]])
        tolerance = 1e-5 if dtype is np.float32 else 1e-12
        everywhere(lambda p: gc.signal.dct(p, kind, n, norm=norm), cosines(given, kind, norm).astype(dtype), x,
                   tolerance=tolerance)
        other = {1: 1, 2: 3, 3: 2, 4: 4}[kind]
        everywhere(lambda p: gc.signal.idct(p, type=kind, n=n, norm=norm), cosines(given, other, norm).astype(dtype), x,
                   tolerance=tolerance)


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_cosine_transforms(kind: int, order: int) -> None:
    for n in (None, 4, 7):
        slope_problem(lambda x, n=n: gc.signal.dct(x, kind, n), numbers(2, 5), order)


def test_cepstral_coefficients() -> None:
    x = numbers(2, 3, 20, dtype=np.float32)
    expected = (cosines(x.astype(np.float64), 2, None) / np.sqrt(40)).astype(np.float32)
    everywhere(gc.signal.mfccs_from_log_mel_spectrograms, expected, x)
    with pytest.raises(ValueError, match="num_mel_bins must be positive"):
        gc.contrib.signal.mfccs_from_log_mel_spectrograms(gc.placeholder(gc.float32, [3, 0]))


def test_what_cosine_transforms_refuse() -> None:
    x = gc.placeholder(gc.float32, [2, 3])
    with pytest.raises(UnimplementedError, match=r"axis must be -1\. Got: 0"):
        gc.signal.dct(x, axis=0)
    for given, message in (({"n": 0}, "n should be a positive integer"), ({"type": 5}, "Types I, II, III and IV"),
                           ({"norm": "forward"}, "Unknown normalization"),
                           ({"type": 1, "norm": "ortho"}, "not supported for the Type-I DCT")):
        with pytest.raises(ValueError, match=message):
            gc.signal.dct(x, **given)
    with pytest.raises(ValueError, match="greater than one"):
        gc.signal.idct(gc.placeholder(gc.float32, [2, 1]), type=1)


# Short-time transforms

def hann(count: int) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(count) / (count - count % 2))


def short_time(x: np.ndarray, length: int, step: int, points: int, window: Any, pad_end: bool) -> np.ndarray:
    count = -(-x.shape[-1] // step) if pad_end else 1 + (x.shape[-1] - length) // step
    long = np.concatenate([x, np.zeros((*x.shape[:-1], length))], -1)
    frames = np.stack([long[..., i * step:i * step + length] for i in range(count)], -2) * window
    return np.fft.rfft(filled(frames, [points]))


@pytest.mark.parametrize("length, step, points, windowed, pad_end", [
    (8, 4, None, True, False), (6, 3, None, True, True), (6, 4, 7, True, False), (5, 2, 4, True, False),
    (4, 4, None, False, True), (6, 2, 16, False, False)])
def test_short_time_transforms(length: int, step: int, points: int | None, windowed: bool, pad_end: bool) -> None:
    window = hann(length) if windowed else np.ones(length)
    how = {} if windowed else {"window_fn": None}
    for shape in ((21,), (2, 2, 13)):
        x = numbers(*shape)
        expected = short_time(x, length, step, points or (8 if length > 4 else 4), window, pad_end)
        everywhere(lambda p: gc.signal.stft(p, length, step, points, pad_end=pad_end, **how), expected, x,
                   tolerance=1e-9)
        back = np.fft.irfft(expected, points or (8 if length > 4 else 4))
        frames = filled(back, [length]) * window
        total = np.zeros((*shape[:-1], length + step * (frames.shape[-2] - 1)))
        for i in range(frames.shape[-2]):
            total[..., i * step:i * step + length] += frames[..., i, :]
        everywhere(lambda p: gc.signal.inverse_stft(p, length, step, points, **how), total, expected, tolerance=1e-9)


def test_signals_come_back() -> None:
    x = numbers(2, 40, dtype=np.float64)
    for length, step, forward in ((8, 4, gc.signal.hann_window), (8, 2, gc.signal.hamming_window)):
        back = gc.contrib.signal.inverse_stft_window_fn(step, forward_window_fn=forward)
        spectra = gc.contrib.signal.stft(gc.constant(x), length, step, window_fn=forward)
        found = run(gc.contrib.signal.inverse_stft(spectra, length, step, window_fn=back))
        np.testing.assert_allclose(found[:, length:-length], x[:, length:-length], atol=1e-9)


def test_lengths_of_frames_from_data() -> None:
    length, step, x = gc.placeholder(gc.int32, []), gc.placeholder(gc.int32, []), numbers(21)
    spectra = gc.signal.stft(gc.constant(x), length, step)
    again = gc.signal.inverse_stft(spectra, length, step, window_fn=gc.signal.inverse_stft_window_fn(step))
    with gc.Session() as session:
        for a, b in ((8, 4), (6, 2), (5, 2), (4, 1), (16, 8)):
            found, signal = session.run([spectra, again], {length: a, step: b})
            points = 1 << (a - 1).bit_length()
            np.testing.assert_allclose(found, short_time(x, a, b, points, hann(a), False), atol=1e-9)
            if a % b == 0:
                np.testing.assert_allclose(signal[a:-a], x[a:len(signal) - a], atol=1e-9)


def test_gradients_of_short_time_transforms() -> None:
    for order in (1, 2):
        slope_problem(lambda x: gc.signal.stft(x, 6, 3, pad_end=True), numbers(2, 11), order)
        slope_problem(lambda z: gc.signal.inverse_stft(z, 6, 3), numbers(2, 4, 5, dtype=complex), order)


def test_magnitudes_of_a_spectrum_have_gradients() -> None:
    """What audio models are trained with: a loss of a log spectrogram."""
    x = gc.placeholder(gc.float32, [None, 64])
    loss = gc.reduce_mean(gc.log(gc.square(gc.abs(gc.signal.stft(x, 16, 8))) + 1.0))
    slope, = gc.gradients(loss, x)
    value, direction = numbers(3, 64, dtype=np.float32), numbers(3, 64, dtype=np.float32)
    with gc.Session() as session:
        analytic = (session.run(slope, {x: value}) * direction).sum()
        ahead, behind = (session.run(loss, {x: value + s * 1e-2 * direction}) for s in (1, -1))
    # The loss, near 1, is rounded to float32: its quotient to 1e-5.
    assert abs(analytic - (ahead - behind) / 2e-2) < 1e-3 * abs(analytic) + 1e-4
