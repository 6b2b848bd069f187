"""tf.signal without transforms, against formulas in NumPy: windows, frames and their sums, mel bands."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import UnimplementedError

RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def everywhere(function: Any, *given: np.ndarray) -> Any:
    """What function makes of placeholders whose sizes are known, are not, and whose rank is not: equal."""
    found = []
    for shape in (lambda x: x.shape, lambda x: [None] * x.ndim, lambda x: None):
        fed = [gc.placeholder(x.dtype, shape(x)) for x in given]
        with gc.Session() as session:
            found.append(session.run(function(*fed), dict(zip(fed, given, strict=True))))
    for other in found[1:]:
        np.testing.assert_allclose(found[0], other, rtol=1e-6)
    return found[0]


def with_gradient(function: Any, weights: np.ndarray) -> Any:
    """y and the gradient of the sum of y * weights, behind one another."""
    def both(x: Any) -> Any:
        y = function(x)
        return gc.concat([gc.reshape(y, [-1]), gc.reshape(gc.gradients(y * weights, x)[0], [-1])], 0)

    return both


# Windows

def raised_cosine(a: float, count: int, periodic: bool) -> np.ndarray:
    n = count - 1 + (1 if periodic and count % 2 == 0 else 0)
    return a - (1 - a) * np.cos(2 * np.pi * np.arange(count) / n) if count > 1 else np.ones(count)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 8, 400])
@pytest.mark.parametrize("periodic", [True, False])
def test_windows(count: int, periodic: bool) -> None:
    fed, chosen = gc.placeholder(gc.int32, []), gc.placeholder(gc.bool, [])
    for function, a in ((gc.signal.hann_window, 0.5), (gc.contrib.signal.hamming_window, 0.54)):
        made = [function(count, periodic), function(count, periodic=periodic, dtype=gc.float64), function(fed, chosen)]
        with gc.Session() as session:
            found = session.run(made, {fed: count, chosen: periodic})
        assert [f.dtype for f in found] == [np.float32, np.float64, np.float32]
        for f in found:
            np.testing.assert_allclose(f, raised_cosine(a, count, periodic), atol=1e-6)


def test_what_windows_refuse() -> None:
    with pytest.raises(ValueError, match=r"dtype must be a floating point type. Found <dtype: 'int32'>"):
        gc.signal.hann_window(3, dtype=gc.int32)
    with pytest.raises(ValueError, match="window_length must be a scalar"):
        gc.signal.hamming_window([3])
    with pytest.raises(ValueError, match="periodic must be a scalar"):
        gc.signal.hamming_window(3, [True])


# Frames

def framed(x: np.ndarray, length: int, step: int, pad_end: bool, value: float, axis: int) -> np.ndarray:
    rows = np.moveaxis(x, axis, 0)
    total = len(rows)
    count = -(-total // step) if pad_end else max(0, 1 + (total - length) // step)
    filled = np.full((total + length, *rows.shape[1:]), value, x.dtype)
    filled[:total] = rows
    made = np.zeros((count, length, *rows.shape[1:]), x.dtype)
    for i in range(count):
        made[i] = filled[i * step:i * step + length]
    return np.moveaxis(made, (0, 1), (axis % x.ndim, axis % x.ndim + 1))


@pytest.mark.parametrize("shape, axis", [((13,), -1), ((2, 12), -1), ((12, 3), 0), ((2, 7, 3), 1), ((2, 3, 5), -1),
                                         ((0,), -1), ((2, 0), -1), ((0, 6), -1)])
@pytest.mark.parametrize("length, step", [(4, 2), (3, 3), (4, 6), (6, 4), (5, 1)])
@pytest.mark.parametrize("pad_end", [True, False])
def test_frames(shape: Any, axis: int, length: int, step: int, pad_end: bool) -> None:
    x = RNG.normal(size=shape).astype(np.float32)
    expected = framed(x, length, step, pad_end, 0.5, axis)
    weights = RNG.normal(size=expected.shape).astype(np.float32)
    # Frames are linear: the gradient is what each sample is of the frames of unit vectors.
    if pad_end or expected.size:
        units = np.stack([framed(u.reshape(shape), length, step, pad_end, 0, axis) for u in np.eye(x.size)]
                         or [np.zeros((0, *expected.shape))])
        gradient = (units.reshape(x.size, -1) @ weights.ravel()) if x.size else np.zeros(0)
    else:
        gradient = np.zeros(x.size)
    found = everywhere(with_gradient(
        lambda p: gc.signal.frame(p, length, step, pad_end, 0.5, axis=axis), weights), x)
    np.testing.assert_allclose(found, np.concatenate([expected.ravel(), gradient]), atol=1e-5)


def test_frames_of_lengths_from_data() -> None:
    length, step = gc.placeholder(gc.int32, []), gc.placeholder(gc.int64, [])
    x = RNG.integers(0, 9, size=(2, 13))
    y = gc.contrib.signal.frame(gc.constant(x), frame_length=length, frame_step=step, pad_end=True, pad_value=7)
    with gc.Session() as session:
        for a, b in ((4, 3), (1, 1), (2, 5)):
            np.testing.assert_array_equal(session.run(y, {length: a, step: b}), framed(x, a, b, True, 7, -1))


def test_static_shapes_of_frames() -> None:
    assert gc.signal.frame(gc.placeholder(gc.float32, [3, None]), 4, 2).shape.as_list() == [3, None, 4]
    assert gc.signal.frame(gc.placeholder(gc.float32, [3, None]), 4, 2, pad_end=True).shape.as_list() == [3, None, 4]
    assert gc.signal.frame(gc.placeholder(gc.float32, [None, 11]), 4, 2).shape.as_list() == [None, 4, 4]
    assert gc.signal.frame(gc.placeholder(gc.float32, [None, 11]), 4, 2, True).shape.as_list() == [None, 6, 4]


def test_what_frames_refuse() -> None:
    with pytest.raises(ValueError, match="signal must have rank 1 or more"):
        gc.signal.frame(1.0, 2, 2)
    with pytest.raises(ValueError, match="frame_step must be a scalar"):
        gc.signal.frame([1.0], 2, [2])
    with pytest.raises(ValueError, match="frame_length must be an integer"):
        gc.signal.frame([1.0], 2.0, 2)
    with pytest.raises(ValueError, match="axis 2 is out of range"):
        gc.signal.frame([1.0], 2, 2, axis=2)
    with pytest.raises(UnimplementedError, match="'axis' must be known"):
        gc.signal.frame([1.0], 2, 2, axis=gc.placeholder(gc.int32, []))


def added(x: np.ndarray, step: int) -> np.ndarray:
    *outer, frames, length = x.shape
    total = max(0, length + step * (frames - 1))
    made = np.zeros((*outer, total + length), x.dtype)
    for i in range(frames):
        made[..., i * step:i * step + length] += x[..., i, :]
    return made[..., :total]


@pytest.mark.parametrize("outer", [(), (2,), (2, 3), (0,)])
@pytest.mark.parametrize("frames", [1, 3, 5])
@pytest.mark.parametrize("length, step", [(4, 2), (3, 3), (5, 2), (4, 6), (1, 1)])
def test_overlap_and_add(outer: tuple[int, ...], frames: int, length: int, step: int) -> None:
    x = RNG.normal(size=(*outer, frames, length)).astype(np.float32)
    expected = added(x, step)
    weights = RNG.normal(size=expected.shape).astype(np.float32)
    # The gradient is the weights, framed.
    gradient = framed(weights, length, step, False, 0, -1)
    found = everywhere(with_gradient(lambda p: gc.signal.overlap_and_add(p, step), weights), x)
    np.testing.assert_allclose(found, np.concatenate([expected.ravel(), gradient.ravel()]), atol=1e-5)


def test_overlap_and_add_with_a_step_from_data() -> None:
    step, x = gc.placeholder(gc.int32, []), RNG.integers(0, 9, size=(2, 4, 5))
    y = gc.contrib.signal.overlap_and_add(gc.constant(x), frame_step=step)
    with gc.Session() as session:
        for s in (1, 2, 5, 7):
            np.testing.assert_array_equal(session.run(y, {step: s}), added(x, s))
    assert gc.signal.overlap_and_add(gc.placeholder(gc.float32, [None, 3, 4]), 2).shape.as_list() == [None, 8]
    with pytest.raises(ValueError, match="signal must have rank 2 or more"):
        gc.signal.overlap_and_add([1.0], 2)


# Mel bands

def mel(hertz: Any) -> Any:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def bands(count: int, bins: int, rate: float, low: float, high: float) -> np.ndarray:
    """By interpolation between the corners of each triangle."""
    edges = np.linspace(mel(low), mel(high), count + 2)
    at = mel(np.linspace(0, rate / 2, bins))
    made = np.stack([np.interp(at, edges[i:i + 3], [0, 1, 0]) for i in range(count)], 1)
    made[0] = 0
    return made


def test_mel_bands() -> None:
    rate = gc.placeholder(gc.float32, [])
    made = [gc.signal.linear_to_mel_weight_matrix(), gc.signal.linear_to_mel_weight_matrix(dtype=gc.float64),
            gc.contrib.signal.linear_to_mel_weight_matrix(40, 257, rate, 80.0, 7600.0)]
    with gc.Session() as session:
        found = session.run(made, {rate: 16000.0})
    assert [f.dtype for f in found] == [np.float32, np.float64, np.float32]
    np.testing.assert_allclose(found[0], bands(20, 129, 8000, 125, 3800), atol=2e-5)
    np.testing.assert_allclose(found[1], bands(20, 129, 8000, 125, 3800), atol=1e-12)
    np.testing.assert_allclose(found[2], bands(40, 257, 16000, 80, 7600), atol=2e-5)


@pytest.mark.parametrize("given, message", [
    ({"num_mel_bins": 0}, "num_mel_bins must be positive"), ({"sample_rate": -1}, "sample_rate must be positive"),
    ({"lower_edge_hertz": -1.0}, "lower_edge_hertz must be non-negative"),
    ({"lower_edge_hertz": 4000.0}, "lower_edge_hertz 4000.0 >= upper_edge_hertz 3800.0"),
    ({"upper_edge_hertz": 4001.0}, "larger than the Nyquist frequency"), ({"dtype": gc.int32}, "floating point type")])
def test_what_mel_bands_refuse(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gc.signal.linear_to_mel_weight_matrix(**given)
    if given.get("upper_edge_hertz"):
        with pytest.raises(ValueError, match=message):
            gc.signal.linear_to_mel_weight_matrix(sample_rate=gc.constant(8000.0), **given)
