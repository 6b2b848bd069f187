"""The references that are more than one NumPy call, against independent loops or known values."""
from __future__ import annotations

import math

import numpy as np
import pytest

from graphc.ir.dtypes import float32, float64
from graphc.ops.nn.average_pooling import AvgPool
from graphc.ops.nn.convolution import Conv2D
from graphc.ops.nn.max_pooling import MaxPool
from graphc.ops.nn.softmax import LogSoftmax, SoftmaxCrossEntropyWithLogits
from graphc.ops.random.philox import groups, uniform
from graphc.ops.random.random import RandomStandardNormal, TruncatedNormal

CASES = [(5, 7, 3, 2, 1, 2, "SAME"), (5, 7, 3, 2, 1, 2, "VALID"), (8, 8, 3, 3, 2, 2, "SAME"), (9, 6, 2, 3, 3, 1,
                                                                                               "VALID")]


def windows(h: int, w: int, kh: int, kw: int, sh: int, sw: int, padding: str):
    """The rows and the columns of the picture in each window, maybe outside of it, by TensorFlow's documentation."""
    def one(size: int, k: int, s: int) -> list[list[int]]:
        if padding == "VALID":
            count, before = math.ceil((size - k + 1) / s), 0
        else:
            count = math.ceil(size / s)
            before = max(k - (s if size % s == 0 else size % s), 0) // 2
        return [list(range(i * s - before, i * s - before + k)) for i in range(count)]

    return one(h, kh, sh), one(w, kw, sw)


@pytest.mark.parametrize("case", CASES)
def test_convolution_and_pooling(case: tuple) -> None:
    h, w, kh, kw, sh, sw, padding = case
    generator = np.random.default_rng(0)
    x, f = generator.normal(size=(2, h, w, 3)), generator.normal(size=(kh, kw, 3, 4))
    rows, columns = windows(*case)
    conv = np.zeros((2, len(rows), len(columns), 4))
    largest = np.full((2, len(rows), len(columns), 3), -np.inf)
    mean = np.zeros((2, len(rows), len(columns), 3))
    for i, ys in enumerate(rows):
        for j, xs in enumerate(columns):
            inside = [(u, v, y, q) for u, y in enumerate(ys) for v, q in enumerate(xs) if 0 <= y < h and 0 <= q < w]
            for u, v, y, q in inside:
                conv[:, i, j] += x[:, y, q] @ f[u, v]
                largest[:, i, j] = np.maximum(largest[:, i, j], x[:, y, q])
                mean[:, i, j] += x[:, y, q] / len(inside)
    strides = (1, sh, sw, 1)
    np.testing.assert_allclose(Conv2D(strides=strides, padding=padding).reference(x, f), conv, rtol=1e-12)
    pool = {"ksize": (1, kh, kw, 1), "strides": strides, "padding": padding}
    np.testing.assert_array_equal(MaxPool(**pool).reference(x), largest)
    np.testing.assert_allclose(AvgPool(**pool).reference(x), mean, rtol=1e-12)


def test_softmax_against_its_formula() -> None:
    x = np.random.default_rng(0).normal(size=(3, 5))
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    np.testing.assert_allclose(LogSoftmax().reference(x), np.log(p), rtol=1e-12)
    labels = np.full((3, 5), 0.2)
    loss, backprop = SoftmaxCrossEntropyWithLogits().reference(x, labels)
    np.testing.assert_allclose(loss, -(labels * np.log(p)).sum(1), rtol=1e-12)
    np.testing.assert_allclose(backprop, p - labels, rtol=1e-12)


def test_philox_against_published_vectors() -> None:
    """Known answers of Random123's philox4x32-10: counter and key of zeros, and counter 1 of key 1."""
    assert [hex(int(v)) for v in groups(0, 0, 0, 1)[0]] == ["0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8"]


def test_random_numbers_have_their_distribution() -> None:
    for dtype in (float32, float64):
        u = uniform(7, 3, 0, 100_000, dtype)
        assert u.min() >= 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.005 and abs(u.var() - 1 / 12) < 0.002
        z = RandomStandardNormal(shape=(100_000,), dtype=dtype, key=5).reference()
        assert abs(z.mean()) < 0.01 and abs(z.std() - 1) < 0.01 and np.isfinite(z).all()
        t = TruncatedNormal(shape=(100_000,), dtype=dtype, key=5).reference()
        assert abs(t.mean()) < 0.01 and abs(t.std() - 0.8796) < 0.01 and np.abs(t).max() <= 2
    assert not np.array_equal(uniform(7, 3, 0, 8, float32), uniform(7, 4, 0, 8, float32))
    assert not np.array_equal(uniform(7, 3, 0, 8, float32), uniform(7, 3, 1, 8, float32))
