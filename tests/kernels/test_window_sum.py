"""window_sum: against NumPy for rows shorter and longer than vectors and radii, whatever stands in them."""
import numpy as np
import pytest

from kernel_harness import NUMPY, backwards, filled, load


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_neighbours_are_added_up(dtype):
    kernel = load("window_sum")[f"window_sum.{dtype}"]
    draw = np.random.default_rng(3)
    for cols in (0, 1, 3, 16, 17, 31, 48, 65):
        for rows, radius in ((0, 1), (1, 0), (3, 2), (700, 5), (3, 99)):
            x, y = draw.standard_normal((rows, cols)).astype(NUMPY[dtype]), filled((rows, cols), dtype)
            assert kernel(x, y, dims=[rows, cols], attrs=[radius], order=backwards) == 0
            near = np.abs(np.arange(cols)[:, None] - np.arange(cols)) <= radius
            np.testing.assert_allclose(y, x.astype(np.float64) @ near, rtol=1e-4, atol=1e-5)


def test_a_row_keeps_its_infinities_and_nans():
    kernel = load("window_sum")["window_sum.f32"]
    x, y = np.ones((3, 20), np.float32), filled((3, 20), "f32")
    x[1, 0], x[1, 19] = np.nan, np.inf
    assert kernel(x, y, dims=[3, 20], attrs=[2]) == 0
    assert np.isfinite(y[[0, 2]]).all() and y[0, 0] == 3.0 and y[0, 5] == 5.0
    assert np.isnan(y[1, :3]).all() and np.isinf(y[1, 17:]).all() and (y[1, 3:17] == 5.0).all()
