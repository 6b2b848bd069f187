"""absent: against NumPy."""
from __future__ import annotations

import numpy as np
import pytest

from kernel_harness import NUMPY, backwards, filled, load, normal


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64", "bool", "u8", "i8", "i16", "u16", "u32", "u64"])
def test_absent(dtype: str) -> None:
    kernel = load("absent")[f"absent.{dtype}"]
    for n, m in [(0, 0), (0, 3), (3, 0), (1, 1), (17, 5), (9000, 300), (40, 9000)]:
        x, y = normal(n, dtype, 1), normal(m, dtype, 2)
        if dtype[0] == "f":
            x, y = np.round(x * 50) / 50, np.round(y * 50) / 50
        mask = filled(n, "bool")
        assert kernel(x, y, mask, dims=[n, m], order=backwards) == 0
        np.testing.assert_array_equal(mask, ~np.isin(x, y))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_zeros_and_nan(dtype: str) -> None:
    kernel = load("absent")[f"absent.{dtype}"]
    x, y = np.array([-0.0, np.nan, np.inf, 1], NUMPY[dtype]), np.array([0.0, np.nan, np.inf, np.nan], NUMPY[dtype])
    mask = filled(4, "bool")
    assert kernel(x, y, mask, dims=[4, 4]) == 0
    np.testing.assert_array_equal(mask, [False, True, False, True])
