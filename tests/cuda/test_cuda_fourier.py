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


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("inverse", [0, 1])
def test_lengths(device: Any, n: int, inverse: int) -> None:
    """Against NumPy in float64, and against the CPU."""
    first = next(n // d for d in range(int(n ** 0.5), 0, -1) if n % d == 0)
    second, k = n // first, np.arange
    turns = [np.outer(k(first), k(second)).ravel() / n, k(first) / first, k(second) / second]
    roots = np.concatenate([part for turn in turns for part in (np.cos(2 * np.pi * turn), -np.sin(2 * np.pi * turn))])
    for dtype, tolerance in (("float32", 2e-6), ("float64", 1e-14)):
        kind = {"float32": "f32", "float64": "f64"}[dtype]
        x = pairs(3, n, dtype=dtype)
        found = run_call(device, f"fft.{kind}", [x, roots.astype(dtype)], [unset((3, n, 2), kind)], (3, first, second),
                         (inverse,)).outputs[0]
        x = x[..., 0] + 1j * x[..., 1].astype(np.float64)
        expected = np.fft.ifft(x) if inverse else np.fft.fft(x)
        most = tolerance * max(np.abs(expected).max(), 1)
        np.testing.assert_allclose(found[..., 0] + 1j * found[..., 1].astype(np.float64), expected, rtol=0, atol=most)


@pytest.mark.parametrize("n", [1, 8, 15, 48, 37])
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
