"""channel_moments and channel_products against NumPy in float64: sizes, large means, what is not finite."""
from __future__ import annotations

import numpy as np
import pytest

from kernel_harness import backwards, filled, load, normal

SIZES = [(1, 1), (3, 17), (31, 65), (2, 2000), (65, 1), (700, 3), (4099, 31), (5000, 64), (130, 1025), (37, 0)]
UNIT = {"f32": 2.0 ** -24, "f64": 2.0 ** -53}


def moments(x: np.ndarray, dtype: str, order=range) -> list[np.ndarray]:
    results = [filled((x.shape[1],), dtype) for _ in range(3)]
    assert load("channel_moments")[f"channel_moments.{dtype}"](x, *results, dims=(1, *x.shape), order=order) == 0
    return results


def products(dy: np.ndarray, x: np.ndarray, mean: np.ndarray, dtype: str, order=range) -> list[np.ndarray]:
    results = [filled((x.shape[1],), dtype) for _ in range(4)]
    assert load("channel_products")[f"channel_products.{dtype}"](dy, x, mean, *results, dims=x.shape, order=order) == 0
    return results


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("shift", [0, 1000])
def test_moments(size, dtype, shift):
    x = (normal(size, dtype, 1) + shift).astype(normal((1,), dtype, 1).dtype)
    exact = x.astype(np.longdouble)
    found = moments(x, dtype)
    np.testing.assert_allclose(found[0], exact.mean(0), rtol=0, atol=16 * UNIT[dtype] * (1 + shift))
    # A large mean costs no more than the digits that the elements themselves have lost; squares would cost twice that.
    for result, ddof in ((found[1], 0), (found[2], min(size[0] - 1, 1))):
        np.testing.assert_allclose(result, exact.var(0, ddof=ddof), rtol=UNIT[dtype] * (64 + shift),
                                   atol=(16 * UNIT[dtype] * (1 + shift)) ** 2)
    for one, other in zip(found, moments(x, dtype, backwards), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("size", [(0, 3, 4), (3, 1, 17), (5, 65, 31), (2, 5000, 33), (3, 40, 1025)], ids=str)
def test_moments_of_several(size):
    """Each has the bits that it has alone."""
    x, kernel = normal(size, "f32", 1), load("channel_moments")["channel_moments.f32"]
    found = [filled((size[0], size[2]), "f32") for _ in range(3)]
    assert kernel(x, *found, dims=size, order=backwards) == 0
    for number, one in enumerate(x):
        for result, alone in zip(found, moments(one, "f32"), strict=True):
            np.testing.assert_array_equal(result[number], alone)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_products(size, dtype):
    dy, x, mean = normal(size, dtype, 1), normal(size, dtype, 2), normal(size[1:], dtype, 3)
    terms = dy.astype(np.float64) * (x.astype(np.float64) - mean)
    found = products(dy, x, mean, dtype)
    for total, part, exact in ((found[0], found[2], dy.astype(np.float64)), (found[1], found[3], terms)):
        limit = 32 * UNIT[dtype] * np.abs(exact).sum(0)
        assert (np.abs(total - exact.sum(0)) <= limit).all()
        np.testing.assert_array_equal(part, total / total.dtype.type(size[0]))
    for one, other in zip(found, products(dy, x, mean, dtype, backwards), strict=True):
        np.testing.assert_array_equal(one, other)


def test_of_no_rows():
    x, mean = np.zeros((0, 5), np.float32), np.ones(5, np.float32)
    assert np.isnan(moments(x, "f32")).all()
    total, product, *means = products(x, x, mean, "f32")
    assert not total.any() and not product.any() and np.isnan(means).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_in_its_column(value):
    x, dy = normal((3000, 33), "f32", 1), normal((3000, 33), "f32", 2)
    clean = [*moments(x, "f32"), *products(dy, x, x[0], "f32")]
    x[1777, 5] = dy[1500, 6] = value
    found = [*moments(x, "f32"), *products(dy, x, normal((3000, 33), "f32", 1)[0], "f32")]
    others = np.delete(np.arange(33), (5, 6))
    for one, other in zip(found, clean, strict=True):
        np.testing.assert_array_equal(one[others], other[others])
    assert not np.isfinite([a[5] for a in found[:3]]).any()
    assert not np.isfinite([a[6] for a in found[3:]]).any()
