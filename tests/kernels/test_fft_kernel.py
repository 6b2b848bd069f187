"""fft: against NumPy, of lengths with all kinds of divisors: rows and columns side by side, long rows, real numbers."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphc.ops.signal.by_kernel import LONGEST_ROW, _factors, _roots

from kernel_harness import NUMPY, backwards, filled, load, normal

SHORT = (1, 2, 3, 4, 6, 7, 8, 9, 15, 16, 31, 53, 60, 64, 65, 77, 210, 240, 256, 1000)
LONG = (512, 960, 2048)
DTYPES = ("f32", "f64")


def complex_of(pairs: np.ndarray) -> np.ndarray:
    made: np.ndarray = pairs[..., 0] + 1j * pairs[..., 1].astype(np.float64)
    return made


def called(dtype: str, x: np.ndarray, shape: tuple[int, ...], dims: list[int], attrs: list[int]) -> np.ndarray:
    y = filled(shape, dtype)
    roots = _roots(dims[1] * dims[2] * (1 + attrs[1])).astype(NUMPY[dtype])
    assert load("fft")[f"fft.{dtype}"](x, roots, y, dims=dims, attrs=attrs, order=backwards) == 0
    return y


def check(found: np.ndarray, wanted: np.ndarray, dtype: str, n: int, *about: Any) -> None:
    assert found.shape == wanted.shape
    most = 4 * np.finfo(NUMPY[dtype]).eps * max(np.log2(n), 1) * np.abs(wanted).max(initial=0)
    assert np.abs(found - wanted).max(initial=0) <= most, (n, *about)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("inverse", [0, 1])
def test_rows(dtype: str, inverse: int) -> None:
    for n in (*SHORT[:-1], *LONG):
        first, second = _factors(n)
        assert (second == 1) == (n <= LONGEST_ROW)
        for outer in (0, 1, 16, 17, 35):
            x = normal((outer, n, 2), dtype, n)
            y = called(dtype, x, x.shape, [outer, first, second, 1], [inverse, 0])
            wanted = (np.fft.ifft if inverse else np.fft.fft)(complex_of(x))
            check(complex_of(y), wanted, dtype, n, outer)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("inverse", [0, 1])
def test_columns(dtype: str, inverse: int) -> None:
    for n in SHORT:
        for inner in (0, 2, 8, 16, 33):
            x = normal((3, n, inner, 2), dtype, n)
            y = called(dtype, x, x.shape, [3, n, 1, inner], [inverse, 0])
            wanted = (np.fft.ifft if inverse else np.fft.fft)(complex_of(x), axis=1)
            check(complex_of(y), wanted, dtype, n, inner)


@pytest.mark.parametrize("dtype", DTYPES)
def test_real_numbers(dtype: str) -> None:
    """Of the inverse the imaginary parts of the first and the last number don't count."""
    for n in SHORT:
        for outer in (0, 1, 16, 35):
            x = normal((outer, 2 * n), dtype, n)
            y = called(dtype, x, (outer, n + 1, 2), [outer, n, 1, 1], [0, 1])
            check(complex_of(y), np.fft.rfft(x.astype(np.float64)), dtype, n, outer)
            x = normal((outer, n + 1, 2), dtype, n)
            y = called(dtype, x, (outer, 2 * n), [outer, n, 1, 1], [1, 1])
            check(y, np.fft.irfft(complex_of(x), 2 * n), dtype, n, outer)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("real", [0, 1])
def test_few_rows_have_the_bits_of_many(dtype: str, real: int) -> None:
    """Few rows go one after the other, many side by side; how many there are changes nothing."""
    for n in (31, 32, 33, 48, 60, 64, 77, 122, 225, 250, 256):
        for inverse in (0, 1):
            shapes = [(16, n + real * inverse, 2), (16, n + real * (1 - inverse), 2)]
            x = normal(shapes[0], dtype, n)
            x[3, 1] = 0, -0.0
            many = called(dtype, x, shapes[1], [16, n, 1, 1], [inverse, real])
            for rows in (1, 3):
                few = called(dtype, x[3:3 + rows], (rows, *shapes[1][1:]), [rows, n, 1, 1], [inverse, real])
                assert few.tobytes() == many[3:3 + rows].tobytes(), (n, inverse, rows)


def test_nan_stays_in_its_row() -> None:
    x = normal((16, 12, 2), "f32", 1)
    wanted = called("f32", x, x.shape, [16, 12, 1, 1], [0, 0])
    x[5, 3, 0] = np.nan
    found = called("f32", x, x.shape, [16, 12, 1, 1], [0, 0])
    assert np.isnan(found[5]).any(-1).all()
    np.testing.assert_array_equal(np.delete(found, 5, 0), np.delete(wanted, 5, 0))
