"""row_moments against NumPy in extended precision: sizes, large means, long rows, what is not finite or large."""
from __future__ import annotations

import numpy as np
import pytest

from kernel_harness import backwards, filled, load, normal

SIZES = [(1, 1), (17, 3), (31, 65), (0, 5), (3, 0), (70, 2047), (40, 2049), (1, 65536), (3, 65537), (2, 200001)]
UNIT = {"f32": 2.0 ** -24, "f64": 2.0 ** -53}


def moments(x: np.ndarray, dtype: str, order=range) -> list[np.ndarray]:
    results = [filled((x.shape[0],), dtype) for _ in range(2)]
    assert load("row_moments")[f"row_moments.{dtype}"](x, *results, dims=x.shape, order=order) == 0
    return results


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("shift", [0, 1000])
def test_moments(size, dtype, shift):
    x = (normal(size, dtype, 1) + shift).astype(normal((1,), dtype, 1).dtype)
    exact = x.astype(np.longdouble)
    found = moments(x, dtype)
    for one, other in zip(found, moments(x, dtype, backwards), strict=True):
        np.testing.assert_array_equal(one, other)
    if size[1] == 0:
        assert np.isnan(found).all()
        return
    np.testing.assert_allclose(found[0], exact.mean(1), rtol=0, atol=16 * UNIT[dtype] * (1 + shift))
    # A large mean costs no more than the digits that the elements themselves have lost; squares would cost twice that.
    np.testing.assert_allclose(found[1], exact.var(1), rtol=UNIT[dtype] * (64 + shift),
                               atol=(16 * UNIT[dtype] * (1 + shift)) ** 2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [5, 150000])
def test_what_is_not_finite_stays_in_its_row(value, at):
    x = normal((4, 200001), "f32", 1)
    clean = moments(x, "f32")
    x[2, at] = value
    for one, other in zip(moments(x, "f32"), clean, strict=True):
        np.testing.assert_array_equal(np.delete(one, 2), np.delete(other, 2))
    mean, variance = moments(x, "f32")
    np.testing.assert_array_equal(mean[2], np.float32(value))
    assert np.isnan(variance[2])


@pytest.mark.parametrize("kernel", ["row_moments", "channel_moments"])
def test_of_large_equal_elements(kernel):
    """Their squares are no number of float32, their deviations are 0."""
    x = np.full((3000, 33), 1e20, np.float32)
    sizes = (3000, 3000) if kernel == "row_moments" else (33, 33, 33)
    found = [filled((size,), "f32") for size in sizes]
    dims = x.shape if kernel == "row_moments" else (1, *x.shape)
    assert load(kernel)[f"{kernel}.f32"](x, *found, dims=dims) == 0
    np.testing.assert_allclose(found[0], 1e20, rtol=1e-6)
    assert (found[1] <= (1e20 * 1e-6) ** 2).all()
