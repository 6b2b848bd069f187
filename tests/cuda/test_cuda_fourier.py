"""Fourier transforms on the device: the CPU's bits."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from on_device import run_call, unset

import graphc as gc

from on_both import check_close, check_equal

RANDOM = np.random.default_rng(8)
LENGTHS = [1, 2, 3, 4, 6, 16, 30, 31, 62, 64, 65, 100, 125]


def pairs(*shape: int, dtype: str = "float32") -> np.ndarray:
    return RANDOM.standard_normal((*shape, 2)).astype(dtype)


def complex_of(parts: np.ndarray) -> np.ndarray:
    made: np.ndarray = parts[..., 0] + 1j * parts[..., 1].astype(np.float64)
    return made


def called(device: Any, x: np.ndarray, shape: tuple[int, ...], dims: tuple[int, ...], attrs: tuple[int, ...]) -> Any:
    turns = 2 * np.pi * np.arange(dims[1] * dims[2] * (1 + attrs[1])) / (dims[1] * dims[2] * (1 + attrs[1]))
    kind, roots = {"float32": "f32", "float64": "f64"}[x.dtype.name], np.concatenate([np.cos(turns), -np.sin(turns)])
    return run_call(device, f"fft.{kind}", [x, roots.astype(x.dtype)], [unset(shape, kind)], dims, attrs).outputs[0]


def check(found: np.ndarray, expected: np.ndarray, dtype: str) -> None:
    most = {"float32": 2e-6, "float64": 1e-14}[dtype] * max(np.abs(expected).max(), 1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=most)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("inverse", [0, 1])
def test_lengths(device: Any, n: int, inverse: int) -> None:
    """Rows in turns, and columns, against NumPy in float64."""
    first = next(n // d for d in range(int(n ** 0.5), 0, -1) if n % d == 0)
    function = np.fft.ifft if inverse else np.fft.fft
    for dtype in ("float32", "float64"):
        x = pairs(3, n, dtype=dtype)
        found = called(device, x, x.shape, (3, first, n // first, 1), (inverse, 0))
        check(complex_of(found), function(complex_of(x)), dtype)
    x = pairs(2, n, 5)
    found = called(device, x, x.shape, (2, n, 1, 5), (inverse, 0))
    check(complex_of(found), function(complex_of(x), axis=1), "float32")


@pytest.mark.parametrize("n", [1, 2, 3, 8, 15, 31, 64])
def test_real_numbers(device: Any, n: int) -> None:
    x = RANDOM.standard_normal((3, 2 * n)).astype(np.float32)
    found = called(device, x, (3, n + 1, 2), (3, n, 1, 1), (0, 1))
    check(complex_of(found), np.fft.rfft(x.astype(np.float64)), "float32")
    again = called(device, found, x.shape, (3, n, 1, 1), (1, 1))
    check(again, x, "float32")


@pytest.mark.parametrize("n", [1, 8, 15, 48, 59])
@pytest.mark.parametrize("rows", [0, 3])
def test_transforms_have_the_cpus_bits(device: Any, n: int, rows: int) -> None:
    def build() -> Any:
        re, im = gc.placeholder(gc.float32, [None, n]), gc.placeholder(gc.float32, [None, n])
        x = gc.complex(re, im)
        there = gc.signal.fft(x)
        return [gc.real(there), gc.imag(there), gc.real(gc.signal.ifft(there * x)), gc.imag(gc.signal.ifft(there))]

    check_equal(build, RANDOM.standard_normal((rows, n)).astype(np.float32),
                RANDOM.standard_normal((rows, n)).astype(np.float32))


def test_real_ones_of_two_axes_and_gradients(device: Any) -> None:
    def build() -> Any:
        x = gc.placeholder(gc.float32, [None, 6, 10])
        there = gc.signal.rfft2d(x)
        back = gc.signal.irfft2d(there * gc.cast(0.5, gc.complex64), [6, 10])
        loss = gc.reduce_sum(gc.square(gc.abs(there))) + gc.reduce_sum(back * x)
        return [gc.abs(there), back, *gc.gradients(loss, x)]

    check_close(build, RANDOM.standard_normal((2, 6, 10)).astype(np.float32), tolerance=1e-4)


@pytest.mark.parametrize("n", [12, 30])
def test_real_ones_of_two_axes_have_the_cpus_bits(device: Any, n: int) -> None:
    def build() -> Any:
        there = gc.signal.rfft2d(gc.placeholder(gc.float32, [None, n, n]))
        return [gc.real(there), gc.imag(there), gc.signal.irfft2d(there)]

    check_equal(build, RANDOM.standard_normal((2, n, n)).astype(np.float32))
