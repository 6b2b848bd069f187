"""Simulated quantization: values and gradients that TensorFlow gives, and what is refused."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc

X = np.array([-20, -6.1, -6, -1.3, -0.02, 0, 0.01, 0.5, 1, 5.99, 6, 7], np.float32)
Y = np.array([-1.7, -1, -0.5, -0.1, 0, 0.3, 0.77, 1.2, 2.6], np.float32)


@pytest.fixture(autouse=True)
def graph():
    with gc.Graph().as_default() as made:
        yield made


def value(fetch: Any) -> Any:
    with gc.Session() as session:
        return session.run(fetch)


def test_args() -> None:
    made = gc.quantization.fake_quant_with_min_max_args(X)
    np.testing.assert_allclose(value(made), [-6.0235295, -6.0235295, -5.9764705, -1.3176471, 0, 0, 0, 0.5176471,
                                             0.9882353,
                                             5.9764705, 5.9764705, 5.9764705], rtol=1e-6)
    narrow = gc.fake_quant_with_min_max_args(X, narrow_range=True)
    np.testing.assert_allclose(value(narrow)[[0, 3, 7, 8, 11]], [-6, -1.3228346, 0.519685, 0.992126, 6], rtol=1e-6)
    x = gc.constant(X)
    slope = gc.gradients(gc.fake_quant_with_min_max_args(x) * 3.0, x)[0]
    np.testing.assert_array_equal(value(slope), np.where((X >= -6.0235295) & (X <= 5.9764705), 3, 0))


def test_vars() -> None:
    x, low, high = gc.constant(X), gc.constant(-1.0), gc.constant(2.0)
    made = gc.fake_quant_with_min_max_vars(x, low, high)
    np.testing.assert_allclose(value(made), [-1, -1, -1, -1, -0.0235294, 0, 0.0117647, 0.5058824, 1, 2, 2, 2],
                               rtol=1e-5)
    dy = np.arange(1.0, 13.0, dtype=np.float32)
    slopes = value(gc.gradients(made, [x, low, high], grad_ys=dy))
    np.testing.assert_array_equal(slopes[0], [0, 0, 0, 0, 5, 6, 7, 8, 9, 0, 0, 0])
    assert slopes[1:] == [10, 33]
    nothing = gc.fake_quant_with_min_max_vars(x, 0.0, 0.0)
    np.testing.assert_array_equal(value(nothing), np.zeros(12))
    np.testing.assert_array_equal(value(gc.gradients(nothing, x)[0]), np.ones(12))


def test_channels() -> None:
    x = gc.constant([[-1.5, 0.3, 2], [0.7, -3, 9]])
    low, high = gc.constant([-1.0, 0, 1]), gc.constant([1.0, 2, 3])
    made = gc.fake_quant_with_min_max_vars_per_channel(x, low, high)
    np.testing.assert_allclose(value(made), [[-0.9960785, 0.2980392, 2], [0.6980392, 0, 2]], rtol=1e-6)
    slopes = value(gc.gradients(made * 2.0, [x, low, high]))
    for found, wanted in zip(slopes, ([[0, 2, 2], [2, 0, 0]], [2, 2, 0], [0, 0, 2]), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_and_back() -> None:
    function = gc.quantization.quantize_and_dequantize
    given = function(Y, -1.0, 2.0, range_given=True)
    np.testing.assert_allclose(value(given), [-1.7007874, -1.007874, -0.503937, -0.0944882, 0, 0.2992126, 0.7716535,
                                              1.1968504, 2], rtol=1e-5)
    own = function(Y, 0.0, 0.0)
    np.testing.assert_allclose(value(own), [-1.6992126, -1.0031496, -0.4913386, -0.1023622, 0, 0.3070866, 0.7779527,
                                            1.2078741, 2.6], rtol=1e-5)
    assert value(function(Y, -1.0, 2.0, range_given=True, round_mode="HALF_UP"))[1] == pytest.approx(-0.992126)
    x = gc.constant(Y)
    np.testing.assert_array_equal(value(gc.gradients(function(x, -1.0, 2.0, range_given=True), x)[0]), np.ones(9))


def test_refused() -> None:
    with pytest.raises(ValueError, match="num_bits must be between 2 and 16"):
        gc.fake_quant_with_min_max_args(X, num_bits=17)
    with pytest.raises(ValueError, match="has to be smaller than max"):
        gc.fake_quant_with_min_max_args(X, min=1, max=1)
    with pytest.raises(ValueError, match="'min' must have rank 0"):
        gc.fake_quant_with_min_max_vars(X, [0.0], 1.0)
    with pytest.raises(ValueError, match="an element for each channel"):
        gc.fake_quant_with_min_max_vars_per_channel(np.zeros((2, 3), np.float32), [0.0], [1.0])
    with pytest.raises(ValueError, match="round_mode"):
        gc.quantization.quantize_and_dequantize(Y, 0.0, 1.0, round_mode="UP")
